"""Keeps to what a destination allows: its declared rates, the waits that it asks for, the budget that it tells of.

A destination counts requests when they arrive, and the kit knows when they left and when their answers came. So a
request counts from when it left until a window after its answer was there, less most of what the quickest answer
takes: so late it may have arrived, if the one that takes its place is as quick as that. Requests that are held up on
their way do not meet later ones there, and a rate of 100 a second loses what answers take beyond that: little.

Where a window is short, requests leave evenly as well, a little below the rate: many destinations fill a bucket evenly
that holds less than the whole window, and would refuse a burst.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from personas_kit.activation.stopping import Stop
from personas_kit.clock import Clock
from personas_kit.destinations.base import Rate
from personas_kit.destinations.outcomes import Answer, Budgeting

LONGEST_BUDGET_WAIT = 300.0
"""Seconds; a budget that claims to be empty for longer is not waited for: the next answer says more."""
SHORT = 3.0
"""Seconds; in windows up to this length requests leave evenly. In longer ones a small push would only take longer."""
EVENLY, AT_ONCE = 0.995, 0.15
"""How much of the rate evenly is, and the share of a window that may leave at once: after a pause, or to begin with."""
INTERVAL = 0.2
"""Seconds after which somebody who waits for others looks whether that is still wanted."""
SOON = 0.005
"""Seconds until the next look, where only the answer to a request under way makes room."""
LOST = 300.0
"""Seconds after which nobody can be waiting for an answer any more: an interrupt came before it was said."""
FEW, BLOCK = 30, 100
"""So many answers tell how long the quickest takes, and so many more make it forgotten if it takes longer by now."""
SURE, UNSURE = 0.9, 0.002
"""Of how long the quickest takes this share counts as needed on the way, less these seconds: a request can be quicker
on its way there than that one was, and the answer to another one on its way back."""


@dataclass(frozen=True, slots=True, eq=False)
class Leave:
    """That one request with so many changes may leave, and when that was. It is given back with the answer."""

    at: float
    changes: int


class Pacer:
    """Says when the next request may leave. Shared by all lanes of all syncs to one account.

    In no window of a rate's length do more arrive than it allows, however long requests and answers take.

    Args:
        rates: what the account allows.
        budget: how its answers tell what is left.
        clock: for waiting.
        most: requests under way at the same time, of all syncs together.
    """

    def __init__(self, rates: Sequence[Rate], budget: Budgeting | None, clock: Clock, most: float = math.inf) -> None:
        self._most = most
        self._budget = budget
        self._clock = clock
        self._windows = [_Window(rate) for rate in rates]
        self._quickest = _Quickest()
        self._not_before = 0.0
        self._flying: set[Leave] = set()
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._first_in_line = threading.Lock()

    def turn(self, changes: int, stop: Stop, limit: float) -> Leave | None:
        """Wait until a request with so many changes may leave; one lane after the other.

        Returns:
            That it may, to be given back by ``over``; None if the push was stopped, or its deadline comes first.
        """
        while not self._first_in_line.acquire(timeout=INTERVAL):
            if stop.event.is_set() or self._clock.monotonic() > limit:
                return None
        try:
            while not stop.event.is_set():
                with self._lock:
                    now = self._clock.monotonic()
                    for leave in [each for each in self._flying if each.at < now - LOST]:
                        self._landed(leave, now)
                    if len(self._flying) >= self._most:
                        self._room.wait(INTERVAL)
                        continue
                    at = max([self._not_before, *(window.free_at(changes, now) for window in self._windows)])
                    if at <= now:
                        return self._left(changes, now)
                if at > limit:
                    return None
                self._clock.sleep(at - now, stop.event)
            return None
        finally:
            self._first_in_line.release()

    def over(self, leave: Leave, answer: Answer | None = None) -> None:
        """The answer is there, or nobody waits for it any more. What it says about the budget is heeded."""
        with self._lock:
            now = self._clock.monotonic()
            if answer is None:
                self._landed(leave, now)
            else:
                self._landed(leave, max(leave.at, now - self._quickest.seconds))
                self._quickest.saw(now - leave.at)
        wait = self._budget.wait(answer, self._clock.now()) if self._budget and answer else None
        if wait is not None:
            self.hold(min(wait, LONGEST_BUDGET_WAIT))

    def hold(self, seconds: float) -> None:
        """The destination asked to wait: nobody sends until then."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock.monotonic() + seconds)

    def _left(self, changes: int, now: float) -> Leave:
        leave = Leave(now, changes)
        self._flying.add(leave)
        for window in self._windows:
            window.left(changes, now)
        return leave

    def _landed(self, leave: Leave, at: float) -> None:
        if leave in self._flying:
            self._flying.remove(leave)
            self._room.notify()
            for window in self._windows:
                window.arrived(leave.changes, at)


class _Window:
    """What of a rate is in use, and until when. A request larger than the rate has it for itself."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._used = 0
        self._ends: list[tuple[float, int]] = []
        self._evenly_at = -math.inf
        self._gap = rate.seconds / rate.count / EVENLY if rate.seconds <= SHORT else 0.0
        self._ahead = self._gap * max(0.0, rate.count * AT_ONCE - 1)

    def free_at(self, changes: int, now: float) -> float:
        """When there is room for so many changes, as far as that is known."""
        while self._ends and self._ends[0][0] <= now:
            self._used -= heapq.heappop(self._ends)[1]
        evenly = self._evenly_at - self._ahead
        if self._used + self._weight(changes) <= self._rate.count:
            return evenly
        return max(evenly, self._ends[0][0] if self._ends else now + SOON)

    def left(self, changes: int, now: float) -> None:
        """A request leaves: from now on it is in use."""
        self._used += self._weight(changes)
        self._evenly_at = max(self._evenly_at, now) + self._gap * self._weight(changes)

    def arrived(self, changes: int, at: float) -> None:
        """It had arrived by then: for so long, and a window more, it is in use."""
        heapq.heappush(self._ends, (at + self._rate.seconds, self._weight(changes)))

    def _weight(self, changes: int) -> int:
        return min(changes if self._rate.of == "changes" else 1, self._rate.count)


class _Quickest:
    """What even the quickest of the last answers needed; 0 until some are known, so that nothing is assumed."""

    def __init__(self) -> None:
        self._before = self._now = math.inf
        self._count = 0
        self.seconds = 0.0

    def saw(self, seconds: float) -> None:
        """An answer took so long."""
        self._count += 1
        self._now = min(self._now, seconds)
        if self._count >= FEW:
            self.seconds = max(0.0, min(self._before, self._now) * SURE - UNSURE)
        if self._count % BLOCK == 0:
            self._before, self._now = self._now, math.inf
