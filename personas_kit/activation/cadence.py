"""When a sync is due: the smallest multiple of the definition's interval that satisfies the destination."""

from __future__ import annotations

import datetime as dt


def effective_interval(interval: int, minimum: int) -> int:
    """How often a sync is pushed, in seconds.

    A destination's list takes updates only so often; a definition is computed only so often. A push happens on one of
    the definition's ticks, so the interval is the smallest multiple of its own that is at least the minimum: hourly
    with a minimum of six hours gives six, every four hours gives eight.

    Args:
        interval: of the definition, in seconds; 0 for a definition that has none.
        minimum: of the destination, in seconds; 0 for none.
    """
    if interval <= 0:
        return max(minimum, 0)
    ticks = max(1, -(-minimum // interval))
    return ticks * interval


def due_from(last_tick: dt.datetime | None, interval: int, minimum: int) -> dt.datetime | None:
    """The first instant at which a push is due again; None if it is due at once.

    Counted on scheduled ticks (a plan's ``as_of``), not on the clock at which a push finished: else a push that took
    a minute would slip the next one by a whole interval.
    """
    if last_tick is None:
        return None
    return last_tick + dt.timedelta(seconds=effective_interval(interval, minimum))


MOST_EARLY = dt.timedelta(minutes=5)


def early_enough(interval: int) -> dt.timedelta:
    """How much before it is due a tick may come: a schedule is never on time to the second.

    Without this a run five seconds early would slip to the next tick, a whole interval later. Half an interval is too
    much for the tick before; nothing is early where there are no ticks.

    Args:
        interval: of the definition, in seconds; 0 for a definition that has none.
    """
    return min(dt.timedelta(seconds=interval / 2), MOST_EARLY)
