"""Looks at the source of a definition before its members go anywhere: the figures that guards compare.

One statement counts the tables that are read and finds the newest events; only where events are late, a second one asks
whether that is unusual for them. What one run of many definitions has seen is not asked again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from personas_kit.activation.cadence import Cadence
from personas_kit.activation.figures import Figures, TableFigures
from personas_kit.activation.watching import patience_of
from personas_kit.compiler.pulse import Counted, compile_pulse, compile_rhythm, tables_read
from personas_kit.compiler.source import EventTable
from personas_kit.definitions import Definition
from personas_kit.errors import WarehouseError
from personas_kit.reading import Reader

WEEK = dt.timedelta(days=7)
"""Events that have come for a shorter time have no rhythm yet."""
TAG = "figures"


@dataclass(slots=True)
class Pulse:
    """Looks at sources, each table once for an instant.

    Attributes:
        reader: asks the warehouse.
    """

    reader: Reader
    _seen: dict[tuple[Counted, dt.datetime], TableFigures] = field(default_factory=dict)

    def figures(self, definition: Definition, carry: Iterable[str], as_of: dt.datetime, cadence: Cadence) -> Figures:
        """What the tables look like that a definition, and the identifiers that go with it, read.

        Args:
            definition: whose tables.
            carry: columns of users that identifiers are made of.
            as_of: the instant it is about.
            cadence: how often it is computed.

        Returns:
            The figures; ``unseen`` says why the warehouse did not count, if it did not.
        """
        query = self.reader.compile(definition, expand=definition.subject == "account", carry=carry)
        read = tables_read(query, self.reader.schema)
        events = {of.table: of for of in self.reader.source.events}
        late = int(patience_of(cadence).total_seconds())
        counted = {of: Counted(of, events.get(of), late if of in events else 0) for of in read}
        unseen = ""
        try:
            self._count([each for each in counted.values() if (each, as_of) not in self._seen], as_of)
        except WarehouseError as problem:
            unseen = f"the tables were not counted: {problem.what}"
        nothing = TableFigures()
        tables = {
            of.name: replace(
                self._seen.get((counted[of], as_of), nothing), columns={each.name: each.type for each in columns}
            )
            for of, columns in read.items()
        }
        return Figures(tables, unseen=unseen)

    def _count(self, counted: Sequence[Counted], as_of: dt.datetime) -> None:
        if not counted:
            return
        zone = self.reader.source.timezone
        line = self.reader.ask(compile_pulse(counted, zone), as_of, TAG).row(0, named=True)
        for at, each in enumerate(counted):
            seen = TableFigures(lines=int(line[f"lines_{at}"]), events=each.events is not None)
            newest = _end(line.get(f"newest_{at}"))
            if each.events is not None:
                seen = replace(seen, newest=newest) if newest else self._late(seen, each.events, as_of)
            self._seen[each, as_of] = seen

    def _late(self, seen: TableFigures, of: EventTable, as_of: dt.datetime) -> TableFigures:
        """The same with the newest event of the last days, and the longest pause there was between two."""
        hours = self.reader.ask(compile_rhythm(of, self.reader.source.timezone), as_of, TAG)
        if not hours.height:
            return seen
        first, newest = _end(hours["first"][0]), _end(hours["last"][-1])
        assert first is not None and newest is not None  # noqa: S101, PT018  (there is a line)
        pause = None
        if newest - first >= WEEK:
            pause = hours.select((pl.col("first").shift(-1) - pl.col("last")).max()).item()
        return replace(seen, newest=newest, pause=pause)


def _end(of: object) -> dt.datetime | None:
    """An instant; the end of a day."""
    if isinstance(of, dt.datetime):
        return of
    return dt.datetime.combine(of, dt.time(), dt.UTC) + dt.timedelta(days=1) if isinstance(of, dt.date) else None
