"""Lives of a sender that are cut short, with faults on, while what is wanted changes: the rounds of a campaign.

A round is some lives on one state and one receiver. A life plans, pushes, and dies somewhere. After each life nothing
may be wrong that the state does not know to be unknown (I2), nothing may have been repeated that was not unknown
before (I4), and nothing may have gone again under another id without a reason (R1). The last life meets no faults
and ends well; then everything agrees (I1). The second book, the receiver's, is the judge.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from personas_kit.activation.lanes import DEPTH
from personas_kit.activation.state import SyncState
from tests.activation.attack.books import disagreements, violations
from tests.activation.attack.interposing import Died, Points
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.faults import FAULTS, Fault
from tests.hostile_receiver.ledger import Arrival, Ledger
from tests.hostile_receiver.server import Receiver

#: What a campaign meets, and how often; not what takes as long as a time-out.
LIKELY: dict[str, int] = {
    "reset before the body": 3,
    "reset after the body": 5,
    "applied, then reset": 8,
    "applied, then half an answer": 4,
    "applied, then JSON cut short in a whole answer": 3,
    "applied, then a page with 200": 2,
    "429, no word on waiting": 4,
    "503, wait 1 second": 3,
    "503, applied": 3,
    "the first refused": 3,
    "all refused": 4,
    "one refused that was not sent": 1,
    "400 for all": 6,
    "401": 1,
}


#: What is pushed: the definition, and by which calls.
KINDS: list[tuple[str, tuple[str, ...]]] = [
    ("vips", ("identify",)),
    ("vips", ("identify", "track")),
    ("score", ("identify",)),
]


@dataclass(slots=True)
class Tallied:
    """What a campaign did, and what it found."""

    rounds: int = 0
    lives: int = 0
    kills: int = 0
    faults: int = 0
    operations: int = 0
    repeated: int = 0
    found: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ("rounds", "lives", "kills", "faults", "operations", "repeated")
        said = ", ".join(f"{getattr(self, name):,} {name}" for name in counts)
        return f"{said}, {len(self.found):,} violations"


def scores(some: random.Random, members: Sequence[str]) -> dict[str, int]:
    """Some of the members, each with a score."""
    return {member: some.randrange(3) for member in some.sample(members, some.randrange(len(members) + 1))}


def unlucky(some: random.Random) -> Callable[[], Fault | None]:
    """Faults by chance: a life's share of them is small, large, or nearly all."""
    names, weights, share = [*LIKELY], [*LIKELY.values()], some.choice([0.1, 0.5, 0.9])
    return lambda: FAULTS[some.choices(names, weights)[0]] if some.random() < share else None


@dataclass(slots=True)
class Doubts:
    """What was unknown before each life: life -> call -> member -> value."""

    before: dict[int, dict[str, dict[str, str]]] = field(default_factory=dict)

    def note(self, life: int, states: Mapping[str, SyncState]) -> None:
        """A life is about to begin."""
        self.before[life] = {call: dict(state.unknown.select("member", "value").iter_rows())
                             for call, state in states.items()}  # fmt: skip

    def unknown(self, arrival: Arrival) -> bool:
        """Whether the member was unknown before the life that sent this."""
        return arrival.member in self._of(arrival.life, arrival.call)

    def otherwise(self, last: Arrival, now: Arrival) -> bool:
        """Whether something else was unknown of the member between two messages of two lives."""
        of_lives = (self._of(life, now.call) for life in range(last.life + 1, now.life + 1))
        return any(json.loads(doubts[now.member]) != now.said for doubts in of_lives if now.member in doubts)

    def _of(self, life: int, call: str) -> Mapping[str, str]:
        return self.before.get(life, {}).get(call, {})


def repetitions(ledger: Ledger, doubts: Doubts, asked: Collection[str] = ()) -> list[str]:
    """What the ledger's present life did again and should not have.

    Args:
        ledger: all arrivals.
        doubts: what was unknown before this life, and before earlier ones.
        asked: message ids that may say once more what was said, because a person asked for it.
    """
    found = []
    earlier = {each.message_id for each in ledger.arrivals if each.applied and each.life < ledger.life}
    applied: set[str] = set()
    last: dict[tuple[str, str], Arrival] = {}
    for arrival in ledger.arrivals:
        which = arrival.call, arrival.member
        if arrival.life == ledger.life:
            if arrival.message_id in earlier and not doubts.unknown(arrival):
                found.append(f"I4: {arrival.member} was sent again, and was not unknown")
            again = which in last and _the_same(last[which], arrival, applied)
            if again and not doubts.otherwise(last[which], arrival) and arrival.message_id not in asked:
                found.append(f"R1: {arrival.member} went as {last[which].message_id} and as {arrival.message_id}")
        if arrival.applied:
            applied.add(arrival.message_id)
        last[which] = arrival
    return found


def _the_same(last: Arrival, now: Arrival, applied: set[str]) -> bool:
    """Whether a message says what the last one said, which had been applied, under another id."""
    return last.about == now.about and last.message_id in applied and last.message_id != now.message_id


def under_way(lines: int, parallel: int) -> int:
    """How many changes are under way at most, if so many are noted together: of several lanes each has its next."""
    return lines * parallel * (DEPTH if parallel > 1 else 1)


def newly_unknown(before: Mapping[str, SyncState], after: Mapping[str, SyncState], most: int) -> list[str]:
    """I4: a life leaves no more unknown than was under way, but for what was refused in doubt."""
    found = []
    for call, state in after.items():
        known = set(before[call].unknown["member"]) if call in before else set()
        fresh = set(state.unknown["member"]) - known - set(state.rejects["member"])
        if len(fresh) > most:
            found.append(f"I4: a life left {len(fresh)} members unknown, of {call}; under way were {most} at most")
    return found


@dataclass(frozen=True, slots=True)
class Campaign:
    """Rounds in this process: a life dies at the k-th operation on the disk or the network.

    Attributes:
        folder: for the states.
        some: chance.
    """

    folder: Path
    some: random.Random

    def round(self, tallied: Tallied) -> None:
        """One round; what is wrong is added to what was found."""
        some = self.some
        parallel, (key, send) = some.choice([1, 3]), some.choice(KINDS)
        members = [f"u{n}" for n in range(some.choice([6, 14]))]
        with registered(hostile(parallel=parallel)), Receiver() as receiver:
            world = World(self.folder / str(tallied.rounds), receiver.url, lines=4, send=send, key=key)
            most, doubts = under_way(4, parallel), Doubts()
            for _ in range(some.randrange(1, 5)):
                world.want(scores(some, members), self._moved(members))
                tallied.found += self._life(world, receiver, doubts, most, tallied)
            receiver.heal()
            world.want(scores(some, members))
            for _ in range(3):
                receiver.ledger.life += 1
                world.push()
            tallied.found += disagreements(world, receiver.ledger)
            tallied.rounds += 1
            tallied.faults += receiver.faults
            tallied.operations += len(receiver.ledger.arrivals)
            tallied.repeated += sum(not arrival.applied for arrival in receiver.ledger.arrivals)

    def _life(self, world: World, receiver: Receiver, doubts: Doubts, most: int, tallied: Tallied) -> list[str]:
        """One life, which mostly dies early. What was wrong afterwards."""
        before = world.states()
        receiver.ledger.life += 1
        doubts.note(receiver.ledger.life, before)
        receiver.chance = unlucky(self.some)
        points = Points(self.some.randrange(160) if self.some.random() < 0.7 else None)
        try:
            with points.watching():
                plan = world.unfinished() if self.some.random() < 0.5 else None
                world.push(plan, deadline=self.some.choice([1, 60]))
        except Died:
            tallied.kills += 1
        tallied.lives += 1
        world.reopen()
        _lanes_are_over()
        after = world.states()
        return [
            *violations(world, receiver.ledger),
            *repetitions(receiver.ledger, doubts),
            *newly_unknown(before, after, most),
        ]

    def _moved(self, members: Sequence[str]) -> dict[str, str]:
        """Addresses that changed, now and then."""
        if self.some.random() < 0.7:
            return {}
        return {member: f"moved{self.some.randrange(3)}@example.com" for member in self.some.sample(members, 3)}


def _lanes_are_over() -> None:
    """Wait for what a life that died in this process still has under way: a real one would take it along."""
    for thread in threading.enumerate():
        if thread.name.startswith("lane"):
            thread.join(10)
            assert not thread.is_alive(), "a request is still under way"
