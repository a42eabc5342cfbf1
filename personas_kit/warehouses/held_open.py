"""Queries that belong together: what takes long to open stays open from the first of them to the last.

To open a DuckDB file takes longer than most queries of a small one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_held: ContextVar[dict[object, tuple[ExitStack, Any]] | None] = ContextVar("held_open", default=None)


@contextmanager
def held_open() -> Iterator[None]:
    """Queries of this thread, inside, belong together; inside another one they belong to that."""
    if _held.get() is not None:
        yield
        return
    mine: dict[object, tuple[ExitStack, Any]] = {}
    token = _held.set(mine)
    try:
        yield
    finally:
        _held.reset(token)
        for stack, _ in mine.values():
            stack.close()


@contextmanager
def kept(owner: object, opened: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """What an adapter reads through: its own for one query, or that of the queries before.

    After an error, which ends a transaction, the next query opens another one.

    Args:
        owner: the adapter.
        opened: opens it.
    """
    mine = _held.get()
    if mine is None:
        with opened() as handle:
            yield handle
        return
    if owner not in mine:
        stack = ExitStack()
        mine[owner] = stack, stack.enter_context(opened())
    try:
        yield mine[owner][1]
    except BaseException:
        let_go(owner)
        raise


def let_go(owner: object) -> None:
    """Close what an adapter has open for queries that belong together: it is about to write."""
    stack, _ = (_held.get() or {}).pop(owner, (ExitStack(), None))
    stack.close()
