"""Batches beside each other: as many lanes as the destination allows, each busy with one batch at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

#: How long, in seconds, an interrupt may go unseen: on Windows it does not end a wait.
INTERVAL = 0.2


class Lanes(Generic[K, V]):
    """One lane works in the calling thread when its result is asked for; several have threads of their own.

    Args:
        count: of the lanes.
        hurried: set by another thread, where that one hears the interrupts: they are raised here. One lane has a thread
            of its own then, too, so that it can be left.
    """

    def __init__(self, count: int, hurried: threading.Event | None = None) -> None:
        self._count = count
        self._hurried = hurried
        self._pool = ThreadPoolExecutor(count, "lane") if count > 1 or hurried else None
        self._busy: dict[Future[V], K] = {}
        self._next: list[tuple[K, Callable[[], V]]] = []

    @property
    def busy(self) -> list[K]:
        """What is under way."""
        return [*self._busy.values(), *(name for name, _ in self._next)]

    @property
    def free(self) -> int:
        """How many lanes have nothing to do."""
        return self._count - len(self._busy) - len(self._next)

    def start(self, name: K, work: Callable[[], V]) -> None:
        """Give work to a free lane."""
        if self._pool is None:
            self._next.append((name, work))
        else:
            self._busy[self._pool.submit(work)] = name

    def finished(self) -> list[tuple[K, V]]:
        """What is finished, at least one. Raises what the work raised.

        Raises:
            KeyboardInterrupt: nobody waits for what is under way.
        """
        if self._pool is None:
            name, work = self._next.pop()
            return [(name, work())]
        done: set[Future[V]] = set()
        while not done:
            if self._hurried is not None and self._hurried.is_set():
                raise KeyboardInterrupt
            done = wait(self._busy, timeout=INTERVAL, return_when=FIRST_COMPLETED).done
        return [(self._busy.pop(future), future.result()) for future in done]

    def rest(self) -> list[tuple[K, V | None]]:
        """What was under way when no more was wanted, once all of it has ended; None for what ended with an error."""
        try:
            while wait(self._busy, timeout=INTERVAL).not_done:
                pass
        except KeyboardInterrupt:  # nobody waits any longer: what is not known counts as an error
            pass
        known = {future: future.done() and not future.exception() for future in self._busy}
        return [(name, future.result() if known[future] else None) for future, name in self._busy.items()]

    def close(self) -> None:
        """Start nothing more. What is under way is not waited for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
