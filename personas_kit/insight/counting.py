"""What is to be counted of the data that definitions read: one statement for each table, for all of them together.

Pure: definitions become statements, and answers become counts. ``data_lint`` asks, ``data_rules`` judges.

Events are those of the last days up to ``as_of``, users and accounts are all there are. A table is read once; only the
keys of documents are listed in a second look at what was read, and only for events of which a key is never there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl
from sqlglot import exp

from personas_kit.catalogue import DAYS
from personas_kit.compiler import Column, Query, Source, Table
from personas_kit.compiler.bind import column_of
from personas_kit.compiler.catalogue import DAY
from personas_kit.compiler.metrics import json_path, property_columns, table_of
from personas_kit.compiler.nodes import all_of, as_, column, constant, given, lately, op, table
from personas_kit.compiler.population import Build
from personas_kit.compiler.source import EventTable, Members
from personas_kit.definitions import Definition
from personas_kit.definitions.expressions import PropertyRef, TraitRef
from personas_kit.definitions.uses import Use, events_of, uses_of
from personas_kit.errors import UnknownName

#: So many keys of documents are listed.
MOST = 1_000
#: Comparisons that look into every text; the beginning of a text, and a whole one, can be looked up.
_SEARCHES = frozenset({"contains", "omits", "ends_with"})


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something that a definition reads lies in the warehouse.

    Attributes:
        of: the users, the accounts, or a table of events.
        event: the name of the events; empty for a trait.
        column: its column, or that of the document that it is in.
        path: the keys that lead to it in the document; empty for a column.
        listed: it is read as a list.
    """

    of: EventTable | Members
    event: str
    column: Column
    path: tuple[str, ...] = ()
    listed: bool = False

    @property
    def place(self) -> Place:
        """Of which lines it is one."""
        return self.of.table.name, self.event


#: Lines: the name of a table, and that of the events; an empty one means all lines of the table.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Counts:
    """What is known of the data. What nobody counted is not in it.

    Attributes:
        lines: how many events of a name there are in the last days; or all lines of a table.
        filled: in how many of these lines something is there.
        keys: the outermost keys of documents, for events of which a key that is read is never there.
    """

    lines: Mapping[Place, int] = field(default_factory=dict)
    filled: Mapping[Spot, int] = field(default_factory=dict)
    keys: Mapping[Place, frozenset[str]] = field(default_factory=dict)

    def __or__(self, other: Counts) -> Counts:
        """Both."""
        return Counts({**self.lines, **other.lines}, {**self.filled, **other.filled}, {**self.keys, **other.keys})


@dataclass(frozen=True, slots=True)
class Counting:
    """The statement that counts in one table.

    Attributes:
        table: which.
        query: one line; of events one for each name that occurs, and for each key of its documents if one is missing.
        events: the names that are asked about; empty for users and accounts.
        spots: what ``filled_0`` and so on count.
    """

    table: Table
    query: Query
    events: tuple[str, ...]
    spots: tuple[Spot, ...]

    def counts(self, answer: pl.DataFrame) -> Counts:
        """What the answer says. Events without a line have not occurred."""
        lines: dict[Place, int] = {(self.table.name, name): 0 for name in self.events or ("",)}
        filled = dict.fromkeys(self.spots, 0)
        keys: dict[Place, set[str]] = {}
        for line in answer.to_dicts():
            place = (self.table.name, line.get("event", ""))
            lines[place] = line["lines"]
            filled |= {spot: line[f"filled_{at}"] for at, spot in enumerate(self.spots) if spot.place == place}
            if "total" in line:
                lines[self.table.name, ""] = line["total"]
            if line.get("property") is not None:
                keys.setdefault(place, set()).add(line["property"])
        return Counts(lines, filled, {place: frozenset(names) for place, names in keys.items()})


@dataclass(slots=True)
class _Wanted:
    """What is to be counted in one table."""

    events: dict[str, None] = field(default_factory=dict)
    spots: dict[Spot, None] = field(default_factory=dict)
    total: bool = False
    """How many lines there are in all."""


def spot_of(use: Use, source: Source) -> Spot | None:
    """Where a trait or property lies. None for what is computed, for ids, and for names that do not compile."""
    match use.value:
        case TraitRef(key):
            members = source.users if use.subject == "user" else source.accounts
            found = column_of(members.table.columns, key) if members is not None else None
            return None if members is None or found is None or found == members.id else Spot(members, "", found)
        case PropertyRef() if use.events is not None:
            of = event_table(source, use.events.name)
            return None if of is None else _property(of, use.events.name, use.value)
        case _:
            return None


def event_table(source: Source, name: str) -> EventTable | None:
    """The table that holds the events of a name, if there is such an event."""
    try:
        return table_of(source, name)
    except UnknownName:
        return None  # whoever compiles the definition says so, with the nearest name


def searches(use: Use, spot: Spot) -> bool:
    """Whether a comparison looks into every text of a column."""
    compare = use.compare
    if compare is None or use.reducer is not None or spot.listed:
        return False
    return (bool(spot.path) or spot.column.type == "text") and (compare.operator in _SEARCHES or compare.ignore_case)


def compile_counts(definitions: Iterable[Definition], source: Source) -> list[Counting]:
    """The statements that count what definitions read, one for each table that they name; none for SQL of their own."""
    wanted: dict[EventTable | Members, _Wanted] = {}
    for definition in definitions:
        for stream in events_of(definition):
            if (of := event_table(source, stream.name)) is not None:
                wanted.setdefault(of, _Wanted()).events[stream.name] = None
        for use in uses_of(definition):
            if (spot := spot_of(use, source)) is not None:
                own = wanted.setdefault(spot.of, _Wanted())
                own.spots[spot] = None
                own.total = own.total or searches(use, spot)
    return [
        _of_events(of, source, each) if isinstance(of, EventTable) else _of_members(of, each)
        for of, each in wanted.items()
    ]


def _property(of: EventTable, event: str, node: PropertyRef) -> Spot | None:
    """A column, or a key of the document: as the compiler reads it."""
    found = column_of(property_columns(of), node.name)
    if found is not None:
        return Spot(of, event, found)
    if of.properties is None:
        return None
    return Spot(of, event, of.properties, json_path(node.name), listed=node.as_type == "list")


def _of_members(of: Members, wanted: _Wanted) -> Counting:
    spots = tuple(wanted.spots)
    filled = [as_(exp.Count(this=column("t", spot.column)), f"filled_{at}") for at, spot in enumerate(spots)]
    tree = exp.select(as_(_all(), "lines"), *filled).from_(table(of.table, "t"))
    return Counting(of.table, Query(tree), (), spots)


def _of_events(of: EventTable, source: Source, wanted: _Wanted) -> Counting:
    build, names, spots = Build(source), tuple(wanted.events), tuple(wanted.spots)
    columns = list(dict.fromkeys(spot.column for spot in spots))
    read = build.add("read", _lines(of, source, names, columns))
    counts = [as_(exp.Count(this=_value(read, spot, names, columns)), f"filled_{at}") for at, spot in enumerate(spots)]
    counted = exp.select(column(read, "event"), as_(_all(), "lines"), *counts).from_(read)
    counted_ = build.add("counted", counted.group_by(column(read, "event")))
    listed: list[exp.Expr] = [column(counted_, each) for each in ("event", "lines", *_filled(spots))]
    if wanted.total:
        listed.append(as_(exp.select(_all()).from_(table(of.table, "a")).subquery(), "total"))
    final = exp.select(*listed).from_(counted_)
    never = [_never(counted_, at, spot) for at, spot in enumerate(spots) if spot.path]
    if never and of.properties is not None:
        document = f"column_{columns.index(of.properties)}"
        keys = build.add("keys", _keys(read, document, counted_, exp.or_(*never)))
        same = exp.EQ(this=column(keys, "event"), expression=column(counted_, "event"))
        final = final.select(column(keys, "property")).join(keys, on=same, join_type="left")
    return Counting(of.table, Query(build.finish(final)), names, spots)


def _lines(of: EventTable, source: Source, names: tuple[str, ...], columns: list[Column]) -> exp.Select:
    """The events of the last days, with what is read of them."""
    wanted = lately(column("t", of.at), of.at.type, DAYS * DAY, source.timezone)
    name: exp.Expr = constant(of.event or "", "text")
    if of.name is not None:
        name = column("t", of.name)
        wanted.append(exp.In(this=name.copy(), expressions=[constant(each, "text") for each in names]))
    listed = [as_(column("t", each), f"column_{at_}") for at_, each in enumerate(columns)]
    return exp.select(as_(name, "event"), *listed).from_(table(of.table, "t")).where(all_of(wanted))


def _value(read: str, spot: Spot, names: tuple[str, ...], columns: list[Column]) -> exp.Expr:
    """What is read of an event of the name; missing for others, whose documents are then not opened."""
    value: exp.Expr = column(read, f"column_{columns.index(spot.column)}")
    if spot.path:
        value = op("json_list" if spot.listed else "json_text", value, options=spot.path)
    if len(names) == 1:
        return value
    own = exp.EQ(this=column(read, "event"), expression=constant(spot.event, "text"))
    return exp.Case(ifs=[exp.If(this=own, true=value)])


def _never(counted: str, at: int, spot: Spot) -> exp.Expr:
    """The line of the events of a name in which a key is never there."""
    own = exp.EQ(this=column(counted, "event"), expression=constant(spot.event, "text"))
    return exp.and_(own, exp.EQ(this=column(counted, f"filled_{at}"), expression=exp.Literal.number(0)))


def _keys(read: str, document: str, counted: str, never: exp.Expr) -> exp.Select:
    """The keys of the documents of some events: the most frequent, since keys may be ids without end."""
    some = exp.select(column(counted, "event")).from_(counted).where(never).subquery()
    own = column(read, document)
    documents = exp.select(as_(own, "document"), column(read, "event")).from_(read)
    documents = documents.where(exp.and_(exp.In(this=column(read, "event"), query=some), given(own.copy())))
    entries = exp.Subquery(
        this=op("json_entries", documents, options=("event",)), alias=exp.TableAlias(this=exp.to_identifier("k"))
    )
    event, name = column("k", "event"), column("k", "property")
    made = exp.select(event, name).from_(entries).group_by(event.copy(), name.copy())
    return made.order_by(exp.Ordered(this=_all(), desc=True), event.copy(), name.copy()).limit(MOST)


def _filled(spots: tuple[Spot, ...]) -> list[str]:
    return [f"filled_{at}" for at, _ in enumerate(spots)]


def _all() -> exp.Count:
    return exp.Count(this=exp.Star())
