"""Queries that Ctrl-C and a notebook's stop button end, in the warehouse too.

Both drivers, at work in the main thread, hold an interrupt back until the query is done (duckdb 2.0.0) or swallow it
(snowflake-connector-python 5.2.0): seen 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")

#: How long, in seconds, an interrupt may go unseen: on Windows it does not end a wait.
INTERVAL = 0.2


def interruptible(work: Callable[[], T], cancel: Callable[[], object]) -> T:
    """The result of ``work``, done beside the calling thread, which stays free to be interrupted.

    Args:
        work: blocks, and ends soon after ``cancel``.
        cancel: called on an interrupt, from the calling thread.

    Raises:
        KeyboardInterrupt: after ``work`` has ended. Whatever ``work`` raises is raised otherwise.
    """
    with ThreadPoolExecutor(1, "warehouse") as beside:
        result = beside.submit(work)
        try:
            while not wait([result], timeout=INTERVAL).done:
                pass
        except KeyboardInterrupt:
            cancel()
            raise
        return result.result()
