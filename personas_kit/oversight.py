"""What a person can see of past and coming pushes: how every sync stands, and the history, also in the warehouse."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl
from sqlglot import exp

from personas_kit.activation.attention import LOOKED_AT, news
from personas_kit.activation.figures import read_figures
from personas_kit.activation.history import KEYS, TABLES, tables_of, together
from personas_kit.activation.runs import RunLine, lines_of
from personas_kit.activation.status import LATEST, Expected, Registered, Status, status_of
from personas_kit.activation.sync import Sync
from personas_kit.activation.watching import gone_columns
from personas_kit.compiler import Query, Schema, Table
from personas_kit.compiler.nodes import column, table
from personas_kit.config import Scheduled, SyncSettings
from personas_kit.errors import ConfigError, DefinitionError, PersonasError, PlanBlocked, WarehouseError
from personas_kit.planner import Planner
from personas_kit.warehouses.base import Warehouse

EVERYTHING = 2**31 - 1
"""More lines than any history has."""
UNNAMED = frozenset({"main", "public"})
"""Schemas whose tables go by their own names."""


@dataclass(frozen=True, slots=True)
class Oversight:
    """Knows what is configured and what was pushed.

    Attributes:
        scheduled: what is registered, by key.
    """

    planner: Planner
    scheduled: Mapping[str, Scheduled]
    warehouse: Warehouse

    def status(self) -> Status:
        """How every sync stands that is configured or was ever pushed."""
        store = self.planner.store
        routed = {sync.destination for scheduled in self.scheduled.values() for sync in scheduled.to}
        names = frozenset({*routed, *self.planner.config.destinations})
        registered = Registered(frozenset(self.scheduled), names, [*self._expected()])
        return status_of(registered, store.standings(), store.latest(LATEST), self.planner.clock.now())

    def syncs(self) -> list[Sync]:
        """The syncs that are configured."""
        return [each.sync for each in self._expected()]

    def note(self, line: RunLine, settings: SyncSettings, as_of: dt.datetime, started: dt.datetime) -> RunLine:
        """Keep in the history what a run did that nobody watched, where the push itself has not; and say what is new.

        Args:
            line: what it did.
            settings: the entry of ``to`` that it is about.
            as_of: the instant that the run was for.
            started: when it began with this.
        """
        store, said = self.planner.store, list[str]()
        syncs = self._syncs(self.scheduled[line.key], settings)
        for sync, kept in lines_of(line, syncs, as_of, started, self.planner.clock.now()):
            said += [f"{sync.call}: {each}" for each in news(store.runs(LOOKED_AT, sync), kept)]
            store.note_run(kept)
        return replace(line, attention=(*line.attention, *said))

    @contextlib.contextmanager
    def columns(self, key: str) -> Iterator[None]:
        """Where a definition cannot be read any more: whether that is because of what its last push has read.

        Raises:
            PlanBlocked: by ``columns_changed``, with what is gone or of another type.
        """
        try:
            yield
        except (DefinitionError, ConfigError, WarehouseError) as problem:
            gone = self._gone(key)
            if not gone:
                raise
            what = f"nothing was sent: {'; '.join(gone)}, and so: {problem.what}"
            hint = problem.hint or "bring it back, or change what reads it"
            raise PlanBlocked(what, guards=("columns_changed",), where=problem.where, hint=hint) from None

    def _gone(self, key: str) -> list[str]:
        figures = [read_figures(of.figures) for of in self.planner.store.standings() if of.sync.key == key]
        if not any(each.tables for each in figures):
            return []
        try:
            schema = self.warehouse.schema()
        except WarehouseError:
            return []  # nothing answers there: the error that is on its way says so
        return [*dict.fromkeys(said for each in figures for said in gone_columns(each, schema))]

    def history(self, limit: int) -> pl.DataFrame:
        """The last lines of the history, newest first; the columns are those of ``personas_kit.activation.history``."""
        return tables_of(self.planner.store.runs(limit))["runs"]

    def write_history(self, schema: str) -> dict[str, int]:
        """Add what is not there yet to the tables of the history in the warehouse.

        Args:
            schema: where they are, as ``schema`` or ``database.schema``; it has to exist.

        Returns:
            How many lines each table has.

        Raises:
            WarehouseError: it cannot be written, holds the state, or another table has this name.
        """
        state = self.planner.config.state_schema
        if state is not None and schema.casefold() == state.casefold():
            raise WarehouseError(
                f"the schema {schema!r} holds the state, and nothing else", hint='name another one: "history"'
            )
        own, there = tables_of(self.planner.store.runs(EVERYTHING)), self.warehouse.schema()
        kept = {name: _kept(there, (*schema.split("."), name)) for name in TABLES}
        counts = {}
        for name, found in kept.items():
            frame = together(name, self._read(found) if found else own[name].clear(), own[name])
            try:
                self.warehouse.write(f"{schema}.{name}", frame)
            except WarehouseError as problem:
                quoted = ".".join(f'"{part}"' for part in schema.split("."))
                hint = f"the schema has to exist, and you have to be allowed there: CREATE SCHEMA {quoted}"
                raise WarehouseError(problem.what, where=problem.where, hint=hint) from None
            counts[name] = frame.height
        return counts

    def _read(self, of: Table) -> pl.DataFrame:
        listed = [column("t", each) for each in of.columns]
        query = Query(exp.select(*listed).from_(table(of, "t")))
        statement, params = query.bound(self.warehouse.dialect, self.planner.clock.now())
        return self.warehouse.query(statement, params, tag="history")

    def _expected(self) -> Iterator[Expected]:
        for scheduled in self.scheduled.values():
            for settings in scheduled.to:
                for sync in self._syncs(scheduled, settings):
                    minimum = self.planner.connection(settings).destination.minimum_interval
                    yield Expected(sync, scheduled.cadence_of(settings), minimum)

    def _syncs(self, scheduled: Scheduled, settings: SyncSettings) -> list[Sync]:
        """The syncs of an entry of ``to``; none where the entry itself is wrong, which ``personas check`` says."""
        try:
            return self.planner.syncs_of(scheduled, settings, self.planner.connection(settings))
        except PersonasError:
            return []


def _kept(there: Schema, parts: tuple[str, ...]) -> Table | None:
    """The table of the history, if it is there: in a schema that one need not name, it goes by its own name alone.

    Raises:
        WarehouseError: a table of this name is another one.
    """
    named = {each.parts: each for each in there.values()}
    found = next((each for known, each in named.items() if known[-len(parts) :] == parts), None)
    if found is None and parts[-2].casefold() in UNNAMED:
        found = named.get(parts[-1:])
    if found is not None and not {*KEYS[parts[-1]]} <= {each.name for each in found.columns}:
        raise WarehouseError(
            f"{'.'.join(parts)} is there already, and is no history of pushes", hint="name another schema for it"
        )
    return found
