"""Queries that Ctrl-C and a notebook's stop button end, in the warehouse too, and that say how long they take.

Another thread can end them as well: whoever asks within ``watched`` may be told that nobody waits for the answer.

Drivers at work in the main thread hold an interrupt back until the query is done (duckdb 2.0.0) or swallow it
(snowflake-connector-python 5.2.0): seen 2026-11-23.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, InvalidStateError, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

from personas_kit.display import Tell, waiting_for

T = TypeVar("T")

#: How long, in seconds, an interrupt may go unseen: on Windows it does not end a wait.
INTERVAL = 0.2


class NobodyWaitsError(Exception):
    """A query that was ended by ``Watch.end``: no mistake, and nothing to show."""


class Watch:
    """Whoever watches queries of another thread: is told what they do, and may end them.

    Args:
        tell: called as a display is, from the thread that asks; instead of any display.
    """

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.ended: Future[None] = Future()

    def end(self) -> None:
        """End the query that is running, and any that would follow. From any thread; a second time changes nothing."""
        with suppress(InvalidStateError):
            self.ended.set_result(None)


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Queries of this thread are watched; they raise ``NobodyWaitsError`` once they are ended."""
    before = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(before)


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
        cancel: called on an interrupt, from the calling thread, again and again until ``work`` has ended.
        where: the warehouse's name for people.
        doing: what it is doing just now, asked a few times a second once it takes long; in few words.
        timeout: seconds after which it is cancelled.

    Raises:
        KeyboardInterrupt: after ``work`` has ended. Whatever ``work`` raises is raised otherwise.
        TimeoutError: it took too long, and has ended.
        NobodyWaitsError: a watch ended it, and it has ended.
    """
    start, watch = time.monotonic(), _watch.get()
    shown = waiting_for(where) if watch is None else nullcontext(watch.tell)
    result: Future[T] = Future()  # there before the work is, which may begin before an interrupt can be caught
    either: list[Future[Any]] = [result] if watch is None else [result, watch.ended]
    with ThreadPoolExecutor(1, "warehouse") as beside, shown as tell:
        try:
            beside.submit(_do, work, result)
            while result not in (done := wait(either, INTERVAL, FIRST_COMPLETED).done):
                if done:
                    _left(result, cancel)
                tell(time.monotonic() - start, doing)
                if timeout is not None and time.monotonic() - start > timeout:
                    return _given_up(result, cancel, timeout)
        except KeyboardInterrupt:
            if not result.cancel():  # else it has not begun, and will not
                _end(result, cancel)
            raise
        return result.result()


def _do(work: Callable[[], T], result: Future[T]) -> None:
    """The work, unless it was cancelled before it began."""
    if not result.set_running_or_notify_cancel():
        return
    try:
        found = work()
    except BaseException as problem:  # noqa: BLE001  (it is raised where somebody waits)
        result.set_exception(problem)
    else:
        result.set_result(found)


def _left(result: Future[T], cancel: Callable[[], object]) -> NoReturn:
    """Nobody waits for it."""
    _end(result, cancel)
    raise NobodyWaitsError


def _given_up(result: Future[T], cancel: Callable[[], object], timeout: float) -> T:
    """What came in the last moment, or else nothing."""
    _end(result, cancel)
    if (problem := result.exception()) is not None:
        raise TimeoutError(f"it took longer than {timeout:,.0f} s and was cancelled") from problem
    return result.result()


def _end(result: Future[T], cancel: Callable[[], object]) -> None:
    """A driver may not hear of it before the query has begun, so it is said until it has ended."""
    cancel()
    while not wait([result], INTERVAL).done:
        cancel()
