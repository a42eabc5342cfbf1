"""A layout held against the warehouse: the events that have tables of their own, and the evidence for every part."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from personas_kit.compiler import Query, Schema, bind
from personas_kit.compiler.bind import column_of
from personas_kit.compiler.evidence import compile_pairs, compile_values
from personas_kit.compiler.settings import EventSettings, IdentitySettings, SourceSettings
from personas_kit.errors import PersonasError
from personas_kit.evidence import Counts, Evidence, look
from personas_kit.onboarding import words
from personas_kit.onboarding.layout import Layout, short_name
from personas_kit.warehouses.base import Warehouse

#: Events with a table of their own that are written down; a warehouse may have thousands.
MOST_EVENTS = 500
#: Kinds of identifiers that are looked at.
MOST_KINDS = 50
TAG = '{"app": "personas_kit", "key": "init"}'


@dataclass(frozen=True, slots=True)
class Proposal:
    """What ``personas.toml`` would say of the source, and what speaks for it.

    Attributes:
        layout: what was recognised, completed by what the warehouse answered.
        evidence: for each part.
        problem: why the source cannot be used as it is; empty if it can.
        event: the name of the most frequent event, for a first audience; empty if there is none.
    """

    layout: Layout
    evidence: tuple[Evidence, ...]
    problem: str = ""
    event: str = ""

    @property
    def settings(self) -> SourceSettings:
        """For ``[source]``."""
        return self.layout.settings


def propose(warehouse: Warehouse, schema: Schema, layout: Layout, now: dt.datetime) -> Proposal:
    """Ask the warehouse what names alone do not tell.

    Raises:
        WarehouseError: it refuses to count.
    """
    asking = _Asking(warehouse, schema, now)
    settings, notes = layout.settings, list(layout.notes)
    names: list[str] = []
    if settings.events is not None:
        events, names = asking.events(layout, settings.events)
        settings = replace(settings, events=events)
    if settings.identities is not None and settings.identities.type:
        identities, more = asking.anonymous_type(settings.identities)
        settings, notes = replace(settings, identities=identities), [*notes, *more]
    layout = replace(layout, settings=settings, notes=tuple(notes))
    event = names[0] if names else ""
    if not settings.users.table:
        return Proposal(layout, (), "without users there are no audiences", event)
    try:
        source = bind(settings, schema)
    except PersonasError as problem:
        return Proposal(layout, (), f"{problem.what} ({problem.hint})" if problem.hint else problem.what, event)
    evidence = tuple(look(source, asking.line, now))
    return Proposal(layout, evidence, next((each.problems[0] for each in evidence if each.fatal), ""), event)


@dataclass(frozen=True, slots=True)
class _Asking:
    warehouse: Warehouse
    schema: Schema
    now: dt.datetime

    def lines(self, query: Query) -> list[dict[str, object]]:
        statement, params = query.bound(self.warehouse.dialect, self.now)
        return self.warehouse.query(statement, params, tag=TAG).to_dicts()

    def line(self, query: Query) -> Counts:
        return self.lines(query)[0]

    def events(self, layout: Layout, settings: EventSettings) -> tuple[EventSettings, list[str]]:
        """The settings with the tables of single events, and the names of events, the most frequent first.

        Where there are such tables alone they are settled already, and nothing says which is the most frequent.
        """
        if not settings.table:
            tables = dict(list(settings.tables.items())[:MOST_EVENTS])
            return replace(settings, tables=tables), [*tables]
        table = self.schema[settings.table]
        name = column_of(table.columns, settings.name)
        if name is None:
            return settings, []
        slug = next((column for column in table.columns if words.snake(column.name) == "event"), name)
        if not layout.beside:
            return settings, [
                str(line["value"]) for line in self.lines(compile_values(table, name, at_most=MOST_EVENTS))
            ]
        pairs = self.lines(compile_pairs(table, slug, name, at_most=MOST_EVENTS))
        own: dict[str, str] = {}
        for line in pairs:
            of = layout.beside.get(words.snake(str(line["one"])))
            if of is not None:
                own.setdefault(str(line["other"]), short_name(self.schema, of))
        return replace(settings, tables=own), [*dict.fromkeys(str(line["other"]) for line in pairs)]

    def anonymous_type(self, settings: IdentitySettings) -> tuple[IdentitySettings, list[str]]:
        """What anonymous ids are called in the column that says the kind of an identifier."""
        table = self.schema[settings.table]
        kind = column_of(table.columns, settings.type)
        if kind is None:
            return settings, []
        kinds = [str(line["value"]) for line in self.lines(compile_values(table, kind, at_most=MOST_KINDS))]
        usual = ("anonymous_id", "anonymous", "anon_id", "anon", *words.ANONYMOUS, "device", "cookie", "visitor")
        by_name = {words.snake(each): each for each in kinds}
        found = next((by_name[each] for each in usual if each in by_name), "")
        if found:
            return replace(settings, anonymous_type=found), []
        return settings, [f"no {settings.type} of {settings.table} looks like an anonymous id: {', '.join(kinds[:8])}"]
