"""Queries that Ctrl-C and a notebook's stop button end, in the warehouse too, and that say how long they take.

Drivers at work in the main thread hold an interrupt back until the query is done (duckdb 2.0.0) or swallow it
(snowflake-connector-python 5.2.0): seen 2026-11-23.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from personas_kit.display import waiting_for

T = TypeVar("T")

#: How long, in seconds, an interrupt may go unseen: on Windows it does not end a wait.
INTERVAL = 0.2


def interruptible(
    work: Callable[[], T],
    cancel: Callable[[], object],
    *,
    where: str,
    doing: Callable[[], str] = lambda: "running",
    timeout: float | None = None,
) -> T:
    """The result of ``work``, done beside the calling thread, which stays free to be interrupted.

    Args:
        work: blocks, and ends soon after ``cancel``.
        cancel: called on an interrupt, from the calling thread.
        where: the warehouse's name for people.
        doing: what it is doing just now, asked a few times a second once it takes long; in few words.
        timeout: seconds after which it is cancelled.

    Raises:
        KeyboardInterrupt: after ``work`` has ended. Whatever ``work`` raises is raised otherwise.
        TimeoutError: it took too long, and has ended.
    """
    start = time.monotonic()
    with ThreadPoolExecutor(1, "warehouse") as beside, waiting_for(where) as tell:
        result = beside.submit(work)
        try:
            while not wait([result], timeout=INTERVAL).done:
                tell(time.monotonic() - start, doing)
                if timeout is not None and time.monotonic() - start > timeout:
                    return _given_up(result, cancel, timeout)
        except KeyboardInterrupt:
            cancel()
            raise
        return result.result()


def _given_up(result: Future[T], cancel: Callable[[], object], timeout: float) -> T:
    """What came in the last moment, or else nothing."""
    cancel()
    if (problem := result.exception()) is not None:
        raise TimeoutError(f"it took longer than {timeout:,.0f} s and was cancelled") from problem
    return result.result()
