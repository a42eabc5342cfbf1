"""Asks the warehouse and the state about definitions, for the rules of ``data_rules``.

``personas check`` asks one statement for each table, for all definitions together. A preview asks the embedded DuckDB
only: of a warehouse that is paid for, or shared, it takes what the catalogues have looked up already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from personas_kit.activation.past import PUSHED
from personas_kit.activation.store import Store
from personas_kit.activation.sync import Sync
from personas_kit.catalogue import DAYS, Catalogue, Event, Trait
from personas_kit.compiler import Source
from personas_kit.compiler.bind import column_of
from personas_kit.definitions import Definition
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.lint import Warned
from personas_kit.destinations.base import Call
from personas_kit.errors import WarehouseError
from personas_kit.insight.counting import Counting, Counts, Place, Spot, compile_counts
from personas_kit.insight.data_rules import Left, judge, naive_times, not_looked, read_differently, renamed
from personas_kit.reading import Reader

#: A preview looks for renamed keys among so many of the last pushes, without opening what they acknowledged.
LATEST = 200
#: What the statements are called in the warehouse's history.
TAG = "lint"


@dataclass(frozen=True, slots=True)
class Worth:
    """What is worth a look.

    Attributes:
        of: by the key of the definition.
        beside: about tables, and about what is left at destinations.
    """

    of: Mapping[str, tuple[Warned, ...]]
    beside: tuple[Warned, ...]


@dataclass(frozen=True, slots=True)
class DataLint:
    """Looks at data for one workspace.

    Attributes:
        reader: asks the warehouse.
        store: what was pushed.
        events: those that happen; asked only for what it knows already, as is ``traits``.
        traits: of users and of accounts.
    """

    reader: Reader
    store: Store
    events: Catalogue[Event]
    traits: Mapping[Subject, Catalogue[Trait]]

    def check(self) -> Worth:
        """Everything there is to know about the registered definitions, their tables and what was pushed."""
        definitions = self.reader.definitions()
        counts, unseen = self._counted(definitions.values(), self.reader.now())
        found = self._judged(definitions, counts)
        times = naive_times(self.reader.source, self.reader.config.source)
        left = [
            Left(sync, state.acknowledged.height, "value" in state.acknowledged.columns)
            for sync, state in self.store.syncs()
        ]
        return Worth(found, (*unseen, *times, *(warned for _, warned in renamed(left, definitions))))

    def preview(self, previewed: Sequence[Definition], as_of: dt.datetime) -> dict[str, list[Warned]]:
        """What to know about each of these, by key; they need not be registered.

        Only the embedded DuckDB is asked: there nobody pays, and nobody else waits.
        """
        if self.reader.warehouse.dialect == "duckdb":
            counts, unseen = self._counted(previewed, as_of)
        else:
            counts, unseen = self._looked_up(as_of), []
        moved, found = self._moved(previewed), self._judged({each.key: each for each in previewed}, counts)
        return {key: [*own, *unseen, *(warned for near, warned in moved if near == key)] for key, own in found.items()}

    def _judged(self, definitions: Mapping[str, Definition], counts: Counts) -> dict[str, tuple[Warned, ...]]:
        """What the data says of each, and how others read the same."""
        source = self.reader.source
        differently = read_differently({**self.reader.definitions(), **definitions}, source)
        return {key: (*judge(each, source, counts), *differently[key]) for key, each in definitions.items()}

    def _counted(self, definitions: Iterable[Definition], as_of: dt.datetime) -> tuple[Counts, list[Warned]]:
        """The counts of every table that may be looked at, and why the others were not."""
        counts, refused = Counts(), list[Warned]()
        for each in compile_counts(definitions, self.reader.source):
            found = self._asked(each, as_of)
            if isinstance(found, Counts):
                counts |= found
            else:
                refused.append(found)
        return counts, refused

    def _asked(self, counting: Counting, as_of: dt.datetime) -> Counts | Warned:
        try:
            return counting.counts(self.reader.ask(counting.query, as_of, TAG))
        except WarehouseError as problem:
            where = f" ({problem.where})" if problem.where else ""
            return not_looked(counting.table.name, f"{problem.what}{where}")

    def _looked_up(self, as_of: dt.datetime) -> Counts:
        traits = {subject: catalogue.cached for subject, catalogue in self.traits.items()}
        return looked_up(self.reader.source, as_of, self.events.cached, traits)

    def _moved(self, previewed: Sequence[Definition]) -> list[tuple[str, Warned]]:
        """Keys that were pushed lately, and are gone, with the nearest of those that there are."""
        keys = {*self.reader.definitions(), *(each.key for each in previewed)}
        runs = self.store.runs(LATEST, states=PUSHED)
        pushed = {
            Sync(str(run["key"]), str(run["destination"]), cast("Call", run["call"]), str(run["place"])) for run in runs
        }
        # Of a sync whose definition is there, only the name is needed.
        left = [self._left(sync) if sync.key not in keys else Left(sync, 0, valued=False) for sync in pushed]
        return renamed(sorted(left, key=lambda each: str(each.sync)), keys)

    def _left(self, sync: Sync) -> Left:
        acknowledged = self.store.load(sync).acknowledged
        return Left(sync, acknowledged.height, "value" in acknowledged.columns)


def looked_up(
    source: Source, as_of: dt.datetime, events: Sequence[Event], traits: Mapping[Subject, Sequence[Trait]]
) -> Counts:
    """What catalogues have looked up already, as counts: nothing is asked.

    Args:
        source: that they are of.
        as_of: events that were last seen before the last days up to then count as not seen.
        events: that happened; empty if nobody has looked.
        traits: of users and of accounts; empty as above.
    """
    return _of_events(source, as_of, events) | _of_traits(source, traits)


def _of_events(source: Source, as_of: dt.datetime, events: Sequence[Event]) -> Counts:
    begin = as_of - dt.timedelta(days=DAYS)
    last = {each.name: each.last for each in events}
    own = {of.event for of in source.events if of.event is not None}
    lines: dict[Place, int] = {}
    for of in source.events if events else ():
        names = [of.event] if of.event is not None else [name for name in last if name not in own]
        lines[of.table.name, ""] = sum(each.lines for each in events if each.name in names)
        for name in names:
            newest = last.get(name)
            if newest is None or newest <= begin:
                lines[of.table.name, name] = 0
    return Counts(lines)


def _of_traits(source: Source, traits: Mapping[Subject, Sequence[Trait]]) -> Counts:
    lines: dict[Place, int] = {}
    filled: dict[Spot, int] = {}
    for subject, known in traits.items():
        of = source.users if subject == "user" else source.accounts
        size = next((round(each.filled / each.share) for each in known if each.filled and each.share), 0)
        if of is None or not size:
            continue
        lines[of.table.name, ""] = size
        for each in known:
            column = column_of(of.table.columns, each.name)
            if each.filled is not None and column is not None:
                filled[Spot(of, "", column)] = each.filled
    return Counts(lines, filled)
