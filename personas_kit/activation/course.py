"""How far a push is: done of total, how many changes a second lately, and how long the rest takes at that pace."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from personas_kit.activation.plan import SyncPlan
from personas_kit.clock import Clock

LATELY = 10.0
"""Seconds over which the pace is taken."""
_MINUTE, _HOUR, _FEW = 60.0, 3_600.0, 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """How far a push is at one destination."""

    destination: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a push is: ``done`` of ``total`` changes, over all its syncs.

    Attributes:
        sync: of which something came back last.
        rate: changes per second over the last ten seconds; 0 where that is not known yet.
        places: the same by destination.
    """

    done: int
    total: int
    sync: str
    rate: float = 0.0
    places: tuple[Place, ...] = ()

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at this pace; None where that is not known."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None

    @property
    def about(self) -> str:
        """What is under way: the sync; or how far each destination is, where there are several."""
        if len(self.places) < _FEW:
            return self.sync
        return ", ".join(f"{each.destination} {each.done:,} of {each.total:,}" for each in self.places)

    @property
    def pace(self) -> str:
        """``120/s, 6 s left``; empty where it is not known, or nothing is left."""
        if self.left is None or self.done >= self.total:
            return ""
        return f"{self.rate:,.0f}/s, {_time(self.left)} left" if self.rate >= 1 else f"{_time(self.left)} left"


class Course:
    """What pushes have done so far, by sync; may be told from several threads."""

    def __init__(self, syncs: Iterable[SyncPlan], clock: Clock) -> None:
        self._clock = clock
        self._places = {sync.sync.id: Place(sync.sync.destination, 0, sync.to_send) for sync in syncs}
        self._past = deque([(clock.monotonic(), 0)])
        self._lock = threading.Lock()

    def through(self, sync: SyncPlan) -> None:
        """It was through before this push began."""
        place = self._places[sync.sync.id]
        self._places[sync.sync.id] = Place(place.destination, place.total, place.total)
        self._past = deque([(self._clock.monotonic(), self._done)])

    def saw(self, sync: SyncPlan, done: int) -> Progress:
        """So many changes of a sync are through."""
        with self._lock:
            place = self._places[sync.sync.id]
            self._places[sync.sync.id] = Place(place.destination, done, place.total)
            return Progress(
                self._done, sum(each.total for each in self._places.values()), str(sync.sync), self._rate(),
                _by_destination(tuple(self._places.values())),
            )  # fmt: skip

    @property
    def _done(self) -> int:
        return sum(each.done for each in self._places.values())

    def _rate(self) -> float:
        now = self._clock.monotonic()
        self._past.append((now, self._done))
        while len(self._past) > _FEW and self._past[1][0] <= now - LATELY:
            self._past.popleft()
        then, before = self._past[0]
        return (self._done - before) / (now - then) if now > then else 0.0


def summed(parts: Sequence[Progress]) -> Progress:
    """Several pushes as one; the last is the one that was told of last."""
    return Progress(
        sum(part.done for part in parts),
        sum(part.total for part in parts),
        parts[-1].sync,
        sum(part.rate for part in parts if part.done < part.total),
        _by_destination([place for part in parts for place in part.places]),
    )


def _by_destination(places: Sequence[Place]) -> tuple[Place, ...]:
    names = dict.fromkeys(place.destination for place in places)
    own = {name: [place for place in places if place.destination == name] for name in names}
    return tuple(Place(name, sum(p.done for p in some), sum(p.total for p in some)) for name, some in own.items())


def _time(seconds: float) -> str:
    if seconds < _FEW * _MINUTE:
        return f"{seconds:,.0f} s"
    return f"{seconds / _MINUTE:,.0f} min" if seconds < _FEW * _HOUR else f"{seconds / _HOUR:,.1f} h"
