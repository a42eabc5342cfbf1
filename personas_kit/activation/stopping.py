"""Stopping in good order: the first interrupt lets what is in flight finish, the second one does not wait for it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from personas_kit.display import say

INTERRUPTED = "interrupted"
"""Why a push stopped that a person stopped."""


class Stop:
    """Whether something has been asked to stop, and why. Asked once; every lane looks at it.

    Attributes:
        hurried: nobody waits for what is under way either.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.hurried = threading.Event()
        self.why = ""
        self._parts: list[Stop] = []

    def part(self) -> Stop:
        """A stop for a part of the work: asked with this one, and by itself."""
        part = Stop()
        self._parts.append(part)
        if self.event.is_set():
            part.ask(self.why)
        if self.hurried.is_set():
            part.hurry()
        return part

    def ask(self, why: str) -> None:
        """Nothing more is to be started."""
        if not self.event.is_set():
            self.why = why
            self.event.set()
        for part in self._parts:
            part.ask(why)

    def hurry(self) -> None:
        """Nobody waits for what is under way any more."""
        self.hurried.set()
        for part in self._parts:
            part.hurry()


def heard() -> None:
    """Say that it was, to the person who pressed."""
    say("stopping after what is in flight; interrupt again to stop at once")


@contextlib.contextmanager
def stoppable(stop: Stop, tell: Callable[[], None], busy: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Within the block, Ctrl-C or a notebook's stop button asks to stop; pressed again, it is an interrupt as usual.

    Only the main thread hears of signals; elsewhere nothing changes, nor where what hears them is no Python.

    Args:
        stop: what is asked.
        tell: called when it was pressed once, so that a person knows that it was heard.
        busy: whether there is anything to stop; while there is not, an interrupt is as usual.
    """
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or usual is None:
        yield
        return

    def pressed(number: int, frame: FrameType | None) -> None:
        if stop.event.is_set() or not busy() or not callable(usual):
            if callable(usual):
                usual(number, frame)
            return
        stop.ask(INTERRUPTED)
        tell()

    signal.signal(signal.SIGINT, pressed)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
