"""Time as the kit sees it, so that tests can move it."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for people, monotonic time for waiting."""

    def now(self) -> dt.datetime:
        """The present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float, unless: threading.Event | None = None) -> None:
        """Wait; no longer once ``unless`` is set."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> dt.datetime:
        """The present instant, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float, unless: threading.Event | None = None) -> None:
        """Wait; no longer once ``unless`` is set."""
        (unless or threading.Event()).wait(seconds)


def is_real(clock: Clock) -> bool:
    """Whether it is the machine's own, and nobody moves it: where time is made up, so is the order of things.

    So what would be done beside each other is done in turn in a demo, a test, or a simulation.
    """
    return type(clock) is SystemClock
