"""Real processes, killed at random instants, with faults on, on a real disk; what is wanted changes between them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.activation.attack.books import LONG, chance, disagreements, times, violations
from tests.activation.attack.campaign import (
    KINDS,
    Doubts,
    Tallied,
    newly_unknown,
    repetitions,
    scores,
    under_way,
    unlucky,
)
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.server import Receiver

ROOT = Path(__file__).parents[3]
KILLS = times("kills")
LONGEST = 60.0
"""Seconds that a life may take that is not killed."""
EVERYBODY = [f"user{n:03}" for n in range(240)]
LINES, ITEMS = 20, 5


@dataclass(slots=True)
class Lives:
    """The process that forks the lives."""

    process: subprocess.Popen[str]
    errors: list[str] = field(default_factory=list)

    def one(self, **said: object) -> int:
        """One life. Its exit code; below zero if it was killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(said) + "\n")
        self.process.stdin.flush()
        return int(json.loads(self.process.stdout.readline())["ended"])


@contextmanager
def lives() -> Iterator[Lives]:
    """Until the block ends."""
    command = [sys.executable, "-m", "tests.activation.attack.runner"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Lives(process)
        finally:
            process.kill()


@dataclass(slots=True)
class Round:
    """Some lives on one state and one receiver."""

    world: World
    receiver: Receiver
    lives: Lives
    parallel: int
    longest: float = 1.0
    """How long a life takes that is not killed, so far: kills are spread over it."""
    doubts: Doubts = field(default_factory=Doubts)

    def life(self, wanted: dict[str, int], kill_after: float, deadline: float | None) -> int:
        """One life, and whatever it had sent is read."""
        self.receiver.ledger.life += 1
        self.doubts.note(self.receiver.ledger.life, self.world.states())
        self.world.want(wanted)
        ended = self.lives.one(
            folder=str(self.world.folder), url=self.receiver.url, life=self.receiver.ledger.life, lines=LINES,
            items=ITEMS, parallel=self.parallel, send=self.world.calls, key=self.world.key, everybody=EVERYBODY,
            wanted=wanted, kill_after=kill_after, deadline=deadline,
        )  # fmt: skip
        assert ended in {-9, 0, 5}, "a life ended with an error of its own: see above"
        self.receiver.quiet()
        return ended

    def judged(self, wanted: dict[str, int], kill_after: float, deadline: float | None, tallied: Tallied) -> None:
        """One life, and what was wrong afterwards."""
        before = self.world.states()
        ended = self.life(wanted, kill_after, deadline)
        after = self.world.states()
        tallied.lives += 1
        tallied.kills += ended < 0
        tallied.found += violations(self.world, self.receiver.ledger)
        tallied.found += repetitions(self.receiver.ledger, self.doubts)
        tallied.found += newly_unknown(before, after, under_way(LINES, self.parallel))

    def ends_well(self, wanted: dict[str, int], tallied: Tallied) -> None:
        """No more faults and no more kills: all agree."""
        self.receiver.heal()
        for _ in range(3):
            start = time.monotonic()
            self.life(wanted, LONGEST, None)
            self.longest = time.monotonic() - start
            if not disagreements(self.world, self.receiver.ledger):
                return
        tallied.found += disagreements(self.world, self.receiver.ledger)


def one_round(folder: Path, some: random.Random, running: Lives, tallied: Tallied) -> None:
    parallel, (key, send) = some.choice([1, 3]), some.choice(KINDS)
    with registered(hostile(items=ITEMS, parallel=parallel)), Receiver() as receiver:
        world = World(folder, receiver.url, lines=LINES, send=send, key=key)
        world.everybody = set(EVERYBODY)
        this = Round(world, receiver, running, parallel)
        if some.random() < 0.5:
            this.ends_well(scores(some, EVERYBODY), tallied)
        for _ in range(some.randrange(2, 9)):
            receiver.chance = unlucky(some)
            this.judged(scores(some, EVERYBODY), some.uniform(0, this.longest), some.choice([50, 3_000]), tallied)
        this.ends_well(scores(some, EVERYBODY), tallied)
        tallied.rounds += 1
        tallied.faults += receiver.faults
        tallied.operations += len(receiver.ledger.arrivals)
        tallied.repeated += sum(not arrival.applied for arrival in receiver.ledger.arrivals)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork processes")
@pytest.mark.timeout(0 if LONG else 600)
def test_killed_at_any_instant(tmp_path: Path, record_campaign: Callable[[str], None]) -> None:
    tallied, some = Tallied(), chance()
    with lives() as running:
        while tallied.kills < KILLS and not tallied.found:
            one_round(tmp_path / str(tallied.rounds), some, running, tallied)

    record_campaign(f"kills: {tallied}")
    assert tallied.found == []
