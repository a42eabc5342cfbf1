"""The size of a definition over the last weeks: what pushes found then, else what can be computed for then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from personas_kit.activation.past import FINISHED
from personas_kit.activation.store import Store
from personas_kit.activation.sync import Sync
from personas_kit.definitions import Definition
from personas_kit.destinations.base import Call
from personas_kit.facets import Trend
from personas_kit.insight.history import past_sizes
from personas_kit.reading import Reader

#: So many pushes make a trend, beside the present size; of fewer a backtest says more.
ENOUGH = 2
#: So many of the last pushes are looked at.
LATEST = 60
#: A backtest looks back so many steps of so many days.
STEPS, STEP = 7, dt.timedelta(days=4)
#: The calls whose members are those of a definition, and not their users or their identifiers.
ALIKE: dict[str, frozenset[Call]] = {"user": frozenset({"identify", "track"}), "account": frozenset({"group"})}


def pushed_trend(
    store: Store, definition: Definition, syncs: Iterable[Sync], as_of: dt.datetime, size: int
) -> Trend | None:
    """What the finished pushes of one sync found, and the size now; None if there was none.

    Args:
        store: the history.
        definition: whose.
        syncs: of the definition.
        as_of: the instant of the size; later pushes are left out.
        size: how many are in it.
    """
    alike = [sync for sync in syncs if sync.call in ALIKE[definition.subject]]
    return max(
        (found for sync in alike if (found := _of_runs(store, sync, as_of, size))),
        key=lambda trend: len(trend.points),
        default=None,
    )


def last_push(store: Store, syncs: Sequence[Sync], as_of: dt.datetime) -> dt.datetime | None:
    """The instant of the members that were last pushed, to any destination."""
    runs = [run for sync in syncs for run in store.runs(1, sync, states=FINISHED)]
    return max((run["as_of"] for run in runs if run["as_of"] and run["as_of"] <= as_of), default=None)


def backtested_trend(
    reader: Reader, definition: Definition, as_of: dt.datetime, size: int, pushed: dt.datetime | None
) -> Trend:
    """What the definition would have found; one statement.

    Raises:
        DefinitionError: it has no past, as the SELECT of a person has none.
    """
    before, traits = past_sizes(reader, definition, as_of - STEPS * STEP, as_of - STEP, STEP)
    return Trend((*before, (as_of, size)), "backtest", pushed, traits)


def _of_runs(store: Store, sync: Sync, as_of: dt.datetime, size: int) -> Trend | None:
    runs = store.runs(LATEST, sync, states=FINISHED)
    found = {run["as_of"]: int(run["wanted"]) for run in reversed(runs) if run["as_of"] and run["as_of"] < as_of}
    if not found:
        return None
    points = sorted(found.items())
    return Trend((*points, (as_of, size)), "pushes", points[-1][0])
