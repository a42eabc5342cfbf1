"""Who withdrew consent, or is suppressed, leaves at once: such exits do not wait until a sync is due again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from personas_kit.activation.causes import WITHDRAWN
from personas_kit.activation.guards import Guard
from personas_kit.activation.plan import SyncPlan

#: Guards that are about the changes that wait.
_OF_THE_REST = {"interval", "removals", "total_change"}


def ahead_of_time(parts: Sequence[SyncPlan]) -> tuple[SyncPlan, ...]:
    """The parts of a plan; where some are not due yet, and somebody withdrew, these hold such exits and nothing else.

    What they say of when the sync was pushed last stays as it is, so that the rest is due when it was.
    """
    if not any(_waits(part) and _leaving(part).height for part in parts):
        return tuple(parts)
    return tuple(_only_leaving(part) if _waits(part) else part for part in parts)


def _waits(part: SyncPlan) -> bool:
    """It is not due; but whoever asks for everyone again is told so, and may override it."""
    return not part.full and any(guard.name == "interval" for guard in part.guards)


def _leaving(part: SyncPlan) -> pl.DataFrame:
    out = (pl.col("change").cast(pl.String) == "exit") | (pl.col("value") == "null")
    return part.lines.filter((pl.col("cause") == WITHDRAWN) & out)


def _only_leaving(part: SyncPlan) -> SyncPlan:
    lines = _leaving(part)
    rest = part.lines.height - lines.height
    (interval,) = (guard for guard in part.guards if guard.name == "interval")
    saw = f"{interval.saw}; who withdrew leaves now; other changes that wait: {rest:,}"
    others = (guard for guard in part.guards if guard.name not in _OF_THE_REST)
    guards = (Guard("interval", saw, stops=False), *others)
    return replace(part, lines=lines, guards=guards, silent=0, aside=True)
