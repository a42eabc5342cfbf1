"""Batches beside each other: as many lanes as the destination allows, each busy with one batch at a time.

One that is through goes on with the next, which is noted and made already: a note on the disk holds up no lane. Two
halves of a second are under way or wait then, instead of a whole one: no more is unknown after a crash.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from personas_kit.activation.beside import INTERVAL

K = TypeVar("K")
V = TypeVar("V")

DEPTH = 2
"""What a lane with a thread of its own has to do: one thing, and the next, so that it waits for nobody in between."""


class Lanes(Generic[K, V]):
    """One lane works in the calling thread when its result is asked for; several have threads of their own.

    Args:
        count: of the lanes.
        hurried: set by another thread, where that one hears the interrupts: they are raised here. One lane has a thread
            of its own then, too, so that it can be left.
    """

    def __init__(self, count: int, hurried: threading.Event | None = None) -> None:
        self._count = count
        self._most = count * DEPTH if count > 1 else count
        self._hurried = hurried
        self._pool = ThreadPoolExecutor(count, "lane") if count > 1 or hurried else None
        self._busy: dict[Future[V], K] = {}
        self._next: list[tuple[K, Callable[[], V]]] = []

    @property
    def alone(self) -> bool:
        """Whether there is one lane."""
        return self._count == 1

    @property
    def busy(self) -> list[K]:
        """What is under way, or waits for a lane."""
        return [*self._busy.values(), *(name for name, _ in self._next)]

    @property
    def free(self) -> int:
        """For how much more there is room."""
        return self._most - len(self._busy) - len(self._next)

    def start(self, name: K, work: Callable[[], V]) -> None:
        """Give work to the lane that is free first."""
        if self._pool is None:
            self._next.append((name, work))
        else:
            self._busy[self._pool.submit(work)] = name

    def finished(self) -> list[tuple[K, V]]:
        """What is finished, at least one; more while no lane runs out of work by it, so that less is noted singly.

        Raises what the work raised. Nothing counts as finished then: all of it is ``busy`` still, and in ``rest``.

        Raises:
            KeyboardInterrupt: nobody waits for what is under way.
        """
        if self._pool is None:
            name, work = self._next[-1]
            result = work()
            self._next.pop()
            return [(name, result)]
        done: set[Future[V]] = set()
        enough = max(1, (len(self._busy) - self._count) // 2)
        while len(done) < enough:
            if self._hurried is not None and self._hurried.is_set():
                raise KeyboardInterrupt
            done |= wait(self._busy.keys() - done, timeout=INTERVAL, return_when=FIRST_COMPLETED).done
        results = [(future, future.result()) for future in done]
        return [(self._busy.pop(future), result) for future, result in results]

    def withdrawn(self) -> list[K]:
        """What no lane had begun: none will."""
        back = [future for future in self._busy if future.cancel()]
        return [self._busy.pop(future) for future in back]

    def rest(self) -> list[tuple[K, V | None]]:
        """What was under way when no more was wanted, once all of it has ended; None for what ended with an error.

        An interrupt ends the waiting.
        """
        try:
            while wait(self._busy, timeout=INTERVAL).not_done:
                pass
        except KeyboardInterrupt:  # nobody waits any longer: what is not known counts as an error
            pass
        known = {future: future.done() and not future.exception() for future in self._busy}
        failed = [(name, None) for name, _ in self._next]  # the one lane without a thread has ended with an error
        return [*((name, future.result() if known[future] else None) for future, name in self._busy.items()), *failed]

    def close(self) -> None:
        """Start nothing more. What is under way is not waited for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
