"""The process dies at every point at which the disk or the network can tell the difference; then it runs again.

Before the rerun what is wanted changes, in one of six ways; the rerun may die too. In the end the destination, the
warehouse and the state agree; and at no time is anything wrong that the state does not know to be unknown.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.activation.attack.books import LONG, chance, disagreements, violations
from tests.activation.attack.interposing import Died, Points
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.faults import FAULTS
from tests.hostile_receiver.ledger import Ledger
from tests.hostile_receiver.server import Receiver

BEFORE, WANTED = ["u0", "u1", "u2", "u3"], ["u1", "u2", "u3", "new", "newer", "third"]

#: What is wanted at the rerun: members, and the addresses that changed.
CHANGES: dict[str, tuple[list[str], dict[str, str]]] = {
    "the same": (WANTED, {}),
    "as it was before": (BEFORE, {}),
    "nobody": ([], {}),
    "everybody": ([*BEFORE, *WANTED, "newest"], {}),
    "others": (["u0", "u3", "newest"], {}),
    "the same, at other addresses": (WANTED, dict.fromkeys(["u1", "new", "newer", "late"], "moved@example.com")),
}

#: The points of the protocol by their names in ``delivery``: which operation, and its how-manieth occurrence.
NAMED: dict[str, tuple[str, int]] = {
    "before the plan is committed": ("begin: before its commit", 0),
    "after the plan is committed": ("begin: after its commit", 0),
    "before the first batch is marked": ("advance: before its commit", 0),
    "after the first batch is marked": ("advance: after its commit", 0),
    "before the request leaves": ("send: before the request", 0),
    "when the request has been applied": ("send: the answer was read", 0),
    "when the answer is there": ("send: the answer is there", 0),
    "before it is noted": ("advance: before its commit", 1),
    "after it is noted, and the next batch marked": ("advance: after its commit", 1),
    "when a later request has been applied": ("send: the answer was read", 2),
    "when the folded frame is written": ("fold: the frame is written, and not there yet", 0),
    "when the folded frame is there": ("fold: the frame is there", 0),
    "before the pointer is flipped": ("fold: before its commit", 0),
    "after the pointer is flipped": ("fold: after its commit", 0),
    "after the run is in the history": ("note_run: after its commit", 0),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A workspace that has been through something, to start from again and again."""

    folder: Path
    kept: Path
    ledger: Ledger
    receiver: Receiver
    world: World

    def set(self) -> None:
        """As it was at first."""
        shutil.rmtree(self.folder / ".personas", ignore_errors=True)
        shutil.copytree(self.kept, self.folder / ".personas")
        self.receiver.ledger = self.ledger.copy()
        self.world.want(WANTED)
        self.world.reopen()

    def dies(self, at: int | None) -> Points:
        """A push that dies at a point, if it gets there; whatever is on the disk then is not wrong."""
        points = Points(at)
        try:
            with points.watching():
                self.world.push()
        except Died:
            self.world.reopen()
        assert violations(self.world, self.receiver.ledger) == [], points.name
        return points

    def ends_well(self) -> None:
        """Two pushes at most, and all agree."""
        for _ in range(2):
            self.world.push()
            if not disagreements(self.world, self.receiver.ledger):
                return
        assert disagreements(self.world, self.receiver.ledger) == []


@pytest.fixture
def stage(quick_path: Path) -> Iterator[Stage]:
    """Four members are acknowledged, one of them; an exit is unknown, and an entry was refused."""
    folder = quick_path / "workspace"
    with registered(hostile()), Receiver() as receiver:
        world = World(folder, receiver.url)
        world.want([*BEFORE, "late"])
        world.push()
        world.want(BEFORE)
        receiver.fail(always=FAULTS["applied, then reset"])
        world.push(deadline=3)
        receiver.heal()
        world.want([*BEFORE, "new"])
        receiver.fail(None, FAULTS["all refused"])
        world.push()
        receiver.heal()
        shutil.copytree(folder / ".personas", quick_path / "kept")
        yield Stage(folder, quick_path / "kept", receiver.ledger, receiver, world)


def every_point(stage: Stage) -> list[str]:
    """The names of the points of a push, in order."""
    stage.set()
    return stage.dies(None).names


def crash(stage: Stage, points: Iterable[int], change: str) -> None:
    """Die at these points, one life after another, with what is wanted changed after the first; then end well."""
    stage.set()
    for at in points:
        stage.dies(at)
        stage.world.want(*CHANGES[change])
    stage.ends_well()


def test_every_named_point_is_one_that_a_push_passes(stage: Stage) -> None:
    names = every_point(stage)

    assert len(names) > 80
    assert [name for name, (point, nth) in NAMED.items() if names.count(point) <= nth] == []
    print("\n".join(f"{k:3} {name}" for k, name in enumerate(names)))  # noqa: T201  (which k is which)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("change", CHANGES)
def test_dying_at_a_named_point(stage: Stage, change: str, times: int) -> None:
    names = every_point(stage)
    for point, nth in NAMED.values():
        at = [k for k, name in enumerate(names) if name == point][nth]
        crash(stage, [at] * times, change)


def test_dying_at_every_point(stage: Stage, record_campaign: Callable[[str], None]) -> None:
    """Each point once, the change by turns; in the long run with every change, and up to three times in a row."""
    names, some, died = every_point(stage), chance(), 0
    for at in range(len(names)):
        for turn, change in enumerate(CHANGES):
            if LONG:
                for again in range(3):
                    died += again + 1
                    crash(stage, [at, *(some.randrange(len(names)) for _ in range(again))], change)
            elif turn == at % len(CHANGES):
                died += 1
                crash(stage, [at], change)

    record_campaign(f"crash points: {len(names):,} points, {died:,} deaths")


def test_being_interrupted_at_any_point(stage: Stage) -> None:
    """Ctrl-C in the worst moment: the push may end with an error or a report, and nothing is wrong afterwards."""
    step = 1 if LONG else 3
    for at in range(chance().randrange(step), len(every_point(stage)), step):
        stage.set()
        points = Points(at, KeyboardInterrupt, forever=False)
        try:
            with points.watching():
                report = stage.world.push()
        except KeyboardInterrupt:
            pass
        else:
            unsaid = stage.world.states()["identify"].unknown.height - report.unknown
            assert not (report.complete and unsaid), points.name
        assert violations(stage.world, stage.receiver.ledger) == [], points.name
        stage.ends_well()
