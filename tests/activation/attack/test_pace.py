"""A whole push keeps to what the destination allows: its rates in every window, and each wait that it asks for."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from personas_kit.destinations import Answer, Request
from personas_kit.destinations.base import Rate
from tests.activation.attack.books import chance, times
from tests.activation.attack.world import LeapingClock, World, hostile, registered

OK = Answer(200, {"content-type": "application/json"}, b'{"success":true}')


class Timed:
    """Answers well, or asks to wait; notes when each request came and until when nobody should come."""

    def __init__(self, clock: LeapingClock, some: random.Random) -> None:
        self.clock, self.some = clock, some
        self.came: list[tuple[float, int]] = []
        self.not_before: list[float] = []

    def send(self, request: Request) -> Answer:
        now = self.clock.monotonic()
        self.came.append((now, request.lines[1] - request.lines[0]))
        if self.some.random() < 0.2:
            wait = self.some.choice([0, 1, 7, 0.25, 12.345])
            self.not_before.append(now + wait)
            return Answer(self.some.choice([429, 503]), {"retry-after": str(wait)})
        self.not_before.append(now)
        self.clock.passed += self.some.choice([0.0, 0.0, 0.05, 0.3])
        return OK

    def close(self) -> None:
        """Nothing is held."""


def overdone(came: Sequence[tuple[float, int]], rate: Rate) -> list[float]:
    """Where a window begins in which more came than the rate allows; one request larger than that may come alone."""
    found = []
    for start, first in came:
        window = [size if rate.of == "changes" else 1 for at, size in came if start <= at < start + rate.seconds]
        if sum(window) > rate.count and not (len(window) == 1 and first > rate.count):
            found.append(start)
    return found


def test_a_push_keeps_the_pace(quick_path: Path, record_campaign: Callable[[str], None]) -> None:
    some, requests = chance(), 0
    for number in range(times("pushes")):
        rates = (
            Rate(some.randrange(1, 6), some.choice([1.0, 2.5])),
            Rate(some.randrange(3, 40), some.choice([10.0, 60.0]), some.choice(["requests", "changes"])),
        )
        clock = LeapingClock()
        with registered(dataclasses.replace(hostile(items=some.randrange(1, 8)), rates=rates)):
            timed = Timed(clock, some)
            world = World(
                quick_path / str(number), "http://127.0.0.1:65000", lines=10, send=("identify", "track"), clock=clock,
                connect=lambda _, timed=timed: timed,
            )  # fmt: skip
            world.want([f"u{n}" for n in range(some.randrange(1, 40))])
            world.push()

        requests += len(timed.came)
        assert len(timed.came) > 1
        for rate in rates:
            assert overdone(timed.came, rate) == []
        for (_, _), until, (following, _) in zip(timed.came, timed.not_before, timed.came[1:], strict=False):
            assert following >= until - 0.0005, "to the millisecond"

    record_campaign(f"pace: {times('pushes'):,} pushes, {requests:,} requests")
