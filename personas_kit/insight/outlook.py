"""What the passing of time alone does to a condition that asks for so many events, and how many it lacks. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from personas_kit.definitions.expressions import Compare, Condition, Expression, walk
from personas_kit.definitions.streams import Events, Reduced

_PASSING = frozenset({"within_last", "within_next", "before_last", "after_next"})


def missing(meant: Expression, counted: int) -> int:
    """How many more events a condition takes; 0 where it does not ask for so many."""
    asked = _asked(meant)
    return max(asked[1] - counted, 0) if asked else 0


def until(meant: Expression, counted: int, edges: Sequence[dt.datetime | None]) -> dt.datetime | None:
    """When a condition that holds has too few events, since they leave its window.

    Args:
        meant: the condition.
        counted: how many events count.
        edges: when the first of them happened and the last, as many from either end; or all of them.

    Returns:
        The instant, or None: it does not ask for so many events within a time; the event that makes the difference is
        not at the edges; or others may come into the window, or be refused, as time passes.
    """
    asked = _asked(meant)
    if asked is None:
        return None
    stream, number = asked
    if stream.window is None or stream.window.newer or _passes(stream.condition):
        return None
    spare = counted - number  # so many of the oldest may go
    if not 0 <= spare < counted:
        return None
    half = len(edges) if len(edges) == counted else len(edges) // 2
    at = edges[spare] if spare < half else edges[spare - counted] if number <= half else None
    return at + dt.timedelta(seconds=stream.window.older) if at is not None else None


def _asked(meant: Expression) -> tuple[Events, int] | None:
    """Events, and how many of them a condition asks for at least."""
    match meant:
        case Compare(Reduced(Events() as stream, "count"), ">=" | ">" as operator, (int() as number,)):
            return stream, number + (operator == ">")
        case _:
            return None


def _passes(condition: Condition | None) -> bool:
    """Whether it may become true or untrue by the passing of time."""
    nodes = walk(condition) if condition is not None else ()
    return any(isinstance(each, Compare) and each.operator in _PASSING for each in nodes)
