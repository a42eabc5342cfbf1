"""Pieces of work beside each other, each in a thread; the calling thread waits, hears of interrupts, and speaks."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

from personas_kit.activation.stopping import INTERRUPTED, Stop
from personas_kit.display import say

V = TypeVar("V")
Post = Callable[[Callable[[], None]], None]
"""Has something called by the thread that waits, soon."""

INTERVAL = 0.2
"""Seconds that an interrupt may go unseen: on Windows it does not end a wait."""


def beside(works: Sequence[Callable[[Post], V]], stop: Stop) -> list[V]:
    """What each of them returns, in their order. All of them end before this does, whatever happens to one.

    Args:
        works: the pieces; what they post is called by this thread.
        stop: an interrupt asks it, also not to wait for what is under way: the first one was heard elsewhere, and asked
            for an end in good order.

    Raises:
        BaseException: what the first of them raised, in their order; what others raised is said.
    """
    posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
    ended: dict[int, V] = {}
    problems: dict[int, BaseException] = {}

    def run(at: int, work: Callable[[Post], V]) -> None:
        try:
            ended[at] = work(posted.put)
        except BaseException as problem:  # noqa: BLE001  (it is raised below)
            problems[at] = problem
        posted.put(lambda: None)

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(run, at, work), name=f"beside {at}")
        for at, work in enumerate(works)
    ]
    for thread in threads:
        thread.start()
    under_way = True
    while under_way:
        try:  # all of it: an interrupt that got out of here would let go of syncs that threads still send
            with contextlib.suppress(Empty):
                posted.get(timeout=INTERVAL)()
            under_way = any(thread.is_alive() for thread in threads) or not posted.empty()
        except KeyboardInterrupt:
            stop.ask(INTERRUPTED)
            stop.hurry()
        except Exception as problem:  # noqa: BLE001  (of what was posted; it is raised below)
            problems.setdefault(-1, problem)
            stop.ask("an error")
    for at in sorted(problems)[1:]:
        say(str(problems[at]))
    for at in sorted(problems):
        raise problems[at]
    return [ended[at] for at in range(len(works))]
