"""The clock jumps, within a push and between two: nothing is lost, and nothing waits for a time that never comes."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from personas_kit.activation.transport import HttpTransport
from personas_kit.destinations import Answer, Connection, Request
from personas_kit.errors import PlanStale
from tests.activation.attack.books import disagreements, violations
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.faults import FAULTS
from tests.hostile_receiver.server import Receiver

SIX, WANTED = [f"u{n}" for n in range(6)], ["u1", "u2", "u3", "new", "newer"]
HOUR, DAY = 3_600.0, 86_400.0
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
END_OF_32_BITS = dt.datetime(2038, 1, 19, 3, 14, 7, tzinfo=dt.UTC)


class ShiftedClock:
    """Waits take no time; the time of day can be set, and the machine can sleep."""

    def __init__(self, start: dt.datetime) -> None:
        self.wall, self.passed = start, 0.0

    def now(self) -> dt.datetime:
        return self.wall + dt.timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float, unless: object = None) -> None:
        self.passed += seconds


@dataclass(frozen=True, slots=True)
class Jump:
    """What happens to the clock.

    Attributes:
        start: what it says before.
        wall: seconds that the time of day jumps.
        passed: seconds that pass by every clock, as on machines whose clock goes on while they sleep.
        zone: of the machine.
    """

    start: dt.datetime = NOON
    wall: float = 0.0
    passed: float = 0.0
    zone: str = "UTC"

    def happen(self, clock: ShiftedClock) -> None:
        clock.wall += dt.timedelta(seconds=self.wall)
        clock.passed += self.passed


JUMPS: dict[str, Jump] = {
    "an hour ahead": Jump(wall=HOUR),
    "an hour back": Jump(wall=-HOUR),
    "a year back": Jump(wall=-365 * DAY),
    "a day ahead": Jump(wall=DAY),
    "summer time begins": Jump(dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=dt.UTC), passed=2.0, zone="Europe/Berlin"),
    "summer time ends": Jump(dt.datetime(2026, 10, 25, 0, 59, 59, tzinfo=dt.UTC), passed=2.0, zone="Europe/Berlin"),
    "the hour that comes twice": Jump(
        dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), passed=HOUR, zone="Europe/Berlin"
    ),
    "seconds no longer fit into 32 bits": Jump(END_OF_32_BITS, passed=2.0),
    "long after that": Jump(dt.datetime(2099, 12, 31, 23, 59, 59, tzinfo=dt.UTC), passed=2.0),
    "the machine slept for eight hours": Jump(wall=8 * HOUR),
    "the machine slept, and its clock did not stop": Jump(passed=8 * HOUR),
    "a leap second": Jump(dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=dt.UTC), wall=-1.0),
}


@pytest.fixture(scope="module", autouse=True)
def destination() -> Iterator[None]:
    with registered(hostile()):
        yield


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def jump(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jump]:
    """A jump, on a machine of its time zone."""
    monkeypatch.setenv("TZ", request.param.zone)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def jumping(before: int, happen: Callable[[], None]) -> Callable[[Connection], HttpTransport]:
    """A network during whose requests something happens, once: after the request of this number has left."""

    class Jumping(HttpTransport):
        sent = 0

        def send(self, request: Request) -> Answer:
            answer = super().send(request)
            Jumping.sent += 1
            if Jumping.sent == before:
                happen()
            return answer

    return Jumping


every_jump = pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS, indirect=True)


@every_jump
def test_within_a_push(quick_path: Path, receiver: Receiver, jump: Jump) -> None:
    clock = ShiftedClock(jump.start)
    world = World(quick_path, receiver.url, clock=clock, connect=jumping(2, lambda: jump.happen(clock)))
    world.want(SIX)
    receiver.fail(None, FAULTS["429, wait until a date"], FAULTS["503, wait 1 second"])

    slept = jump.passed > 120  # so long that trying once more has lost its point: it stops in good order

    report = world.push()
    assert (report.complete, report.acknowledged) == (not slept, 2 if slept else 6)
    assert violations(world, receiver.ledger) == []
    assert [run["acknowledged"] for run in world.store.runs()] == [report.acknowledged]

    world.want(WANTED)
    clock.wall += dt.timedelta(days=2)
    world.push()
    assert disagreements(world, receiver.ledger) == []


@every_jump
def test_between_two_pushes(quick_path: Path, receiver: Receiver, jump: Jump) -> None:
    clock = ShiftedClock(jump.start)
    world = World(quick_path, receiver.url, clock=clock)
    world.want(SIX)
    world.push()

    jump.happen(clock)
    world.want(WANTED)
    plan = world.plan()
    assert [guard.name for guard in plan.guards] == (["earlier_as_of"] if jump.wall < 0 else [])
    world.push(plan)
    assert disagreements(world, receiver.ledger) == []
    assert len(world.store.runs()) == 2


INTERRUPTED = {
    "half an hour later": (Jump(passed=HOUR / 2), True),
    "two hours later": (Jump(passed=2 * HOUR), False),
    "the clock was set back": (Jump(wall=-HOUR), True),
    "the clock was set ahead": (Jump(wall=2 * HOUR), False),
}


@pytest.mark.parametrize(("jump", "goes_on"), INTERRUPTED.values(), ids=INTERRUPTED, indirect=["jump"])
def test_a_plan_that_was_interrupted(quick_path: Path, receiver: Receiver, jump: Jump, goes_on: bool) -> None:
    clock = ShiftedClock(jump.start)
    world = World(quick_path, receiver.url, clock=clock)
    world.want(SIX)
    receiver.fail(None, FAULTS["429, wait a year"])
    plan = world.plan()
    world.push(plan)

    jump.happen(clock)
    if goes_on:
        assert world.push(plan).complete
    else:
        with pytest.raises(PlanStale, match="plan again"):
            world.push(plan)
        clock.wall += dt.timedelta(days=2)
        world.push()
    assert disagreements(world, receiver.ledger) == []


@pytest.mark.parametrize(("jump", "done"), [(Jump(wall=HOUR), True), (Jump(passed=HOUR), False)], indirect=["jump"])
def test_a_deadline_is_about_time_that_passes_and_not_about_the_time_of_day(
    quick_path: Path, receiver: Receiver, jump: Jump, done: bool
) -> None:
    clock = ShiftedClock(jump.start)
    world = World(quick_path, receiver.url, clock=clock, connect=jumping(2, lambda: jump.happen(clock)))
    world.want(SIX)
    report = world.push(deadline=60)

    assert (report.complete, report.acknowledged) == (done, 6 if done else 4)


def test_the_zone_of_the_machine_is_never_in_a_message(quick_path: Path, receiver: Receiver) -> None:
    """The tests run in one with an odd offset; the instant of a plan is sent in UTC."""
    assert os.environ["TZ"] == "Asia/Kathmandu"
    world = World(quick_path, receiver.url, clock=ShiftedClock(NOON))
    world.want(["ann"])
    (sample,) = world.plan().payloads()

    assert '"timestamp":"2026-11-01T12:00:00Z"' in sample["body"].replace(".000000", "")
