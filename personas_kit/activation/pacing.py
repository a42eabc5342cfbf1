"""Keeps to what a destination allows: its declared rates, the waits that it asks for, the budget that it tells of."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from personas_kit.activation.stopping import Stop
from personas_kit.clock import Clock
from personas_kit.destinations.base import Rate
from personas_kit.destinations.outcomes import Answer, Budgeting

LONGEST_BUDGET_WAIT = 300.0
"""Seconds; a budget that claims to be empty for longer is not waited for: the next answer says more."""


class Pacer:
    """Says when the next request may leave. Shared by all lanes of all syncs to one account.

    In no window of a rate's length do more leave than it allows: each waits until enough of the earlier ones are
    that far in the past.
    """

    def __init__(self, rates: Sequence[Rate], budget: Budgeting | None, clock: Clock) -> None:
        self._rates = rates
        self._budget = budget
        self._clock = clock
        self._left: tuple[deque[tuple[float, int]], ...] = tuple(deque() for _ in rates)
        self._not_before = 0.0
        self._lock = threading.Lock()

    def turn(self, changes: int, stop: Stop, limit: float) -> bool:
        """Wait until a request with so many changes may leave.

        Returns:
            Whether it may; False if the push was stopped, or its deadline comes first.
        """
        while not stop.event.is_set():
            with self._lock:
                now = self._clock.monotonic()
                at = self._earliest(changes, now)
                if at <= now:
                    self._note(changes, now)
                    return True
            if at > limit:
                return False
            self._clock.sleep(at - now, stop.event)
        return False

    def hold(self, seconds: float) -> None:
        """The destination asked to wait: nobody sends until then."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock.monotonic() + seconds)

    def heard(self, answer: Answer) -> None:
        """Look at what an answer says about the budget: an empty one is waited for."""
        wait = self._budget.wait(answer, self._clock.now()) if self._budget else None
        if wait is not None:
            self.hold(min(wait, LONGEST_BUDGET_WAIT))

    def _earliest(self, changes: int, now: float) -> float:
        at = self._not_before
        for rate, left in zip(self._rates, self._left, strict=True):
            while left and left[0][0] <= now - rate.seconds:
                left.popleft()
            at = max(at, _free_at(rate, left, changes))
        return at

    def _note(self, changes: int, now: float) -> None:
        for rate, left in zip(self._rates, self._left, strict=True):
            left.append((now, changes if rate.of == "changes" else 1))


def _free_at(rate: Rate, left: deque[tuple[float, int]], changes: int) -> float:
    """When so much of the window is over that there is room. A request larger than the rate has it for itself."""
    room = rate.count - min(changes if rate.of == "changes" else 1, rate.count)
    used = sum(weight for _, weight in left)
    at = 0.0
    for when, weight in left:
        if used <= room:
            break
        used -= weight
        at = when + rate.seconds
    return at
