"""Events reduced to one value per user or account: one part of the statement for each distinct metric.

Semantics: windows and instants B1, counting B5, ties B6, accounts B9, columns as properties B22.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from sqlglot import exp

from personas_kit.compiler.conditions import Class, Typed, condition
from personas_kit.compiler.nodes import all_of, as_, column, constant, given, instant, op, ordered, ranked, sortable
from personas_kit.compiler.population import ID, Build
from personas_kit.compiler.source import NUMBERS, Column, ColumnType, EventTable, Source
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.expressions import Events, Expression, OfAccounts, OfUsers, PropertyRef, Reduced, Value
from personas_kit.errors import DefinitionError, UnknownName

#: Reducers that are 0 over nothing.
ZERO: Final = frozenset({"count", "sum", "unique_count"})
_OF_NUMBERS: Final = frozenset({"sum", "avg", "min", "max"})
_ONE_OF_THEM: Final = frozenset({"first", "last", "most_frequent"})
_UNORDERED: Final[frozenset[ColumnType]] = frozenset({"list", "json", "other"})
_READ_AS: Final[dict[str, ColumnType]] = {
    "number": "float",
    "string": "text",
    "boolean": "boolean",
    "date": "timestamp",
}
_CLASSES: Final[dict[Class, str]] = {"text": "string", "number": "number", "truth value": "boolean", "time": "date"}
_PLACE, _TIMES = "place", "times"


def metric(build: Build, node: Reduced, subject: Subject, compared: Class | None) -> tuple[str, Typed]:
    """The part that holds a value per user or account, and that value. Its label is the metric's text.

    ``compared`` is what the value is compared with, for properties that carry no type of their own.
    """
    stream = _Stream(build, node.stream, subject)
    wanted = _wanted(stream, node, compared)
    made, kind = _reduced(stream, node, wanted)
    key = f"{subject} {identity(node)} {wanted}"
    if key not in build.known:
        name = "unique" if node.reducer == "unique_count" else node.reducer
        build.known[key] = build.add(name, made)
    value: exp.Expr = column(build.known[key], "value")
    if node.reducer in ZERO:
        value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
    return build.known[key], Typed(value, kind, str(node), missing=node.reducer not in ZERO)


def identity(node: object) -> str:
    """The same text for nodes with the same meaning, and only for those."""
    if isinstance(node, tuple):
        return "(" + " ".join(identity(part) for part in node) + ")"
    if isinstance(node, Expression):
        inside = " ".join(identity(getattr(node, item.name)) for item in fields(node))  # type: ignore[arg-type]
        return f"{type(node).__name__}({inside})"
    return repr(node)


@dataclass(frozen=True)
class _Stream:
    """The events that count, and how to read one of them. Also the place of the conditions in ``where``."""

    build: Build
    events: Events
    subject: Subject

    @property
    def zone(self) -> str:
        return self.build.source.timezone

    @property
    def of(self) -> EventTable:
        return table_of(self.build.source, self.events.name)

    def read(self, of: Column) -> exp.Column:
        return self.build.event(self.of, self.build.events(self.of)[0], of)

    @property
    def owner(self) -> exp.Expr:
        """The subject an event counts for."""
        return column("members_now", "account_id") if self.subject == "account" else self.build.events(self.of)[2]

    def select(self, *listed: exp.Expr, extra: exp.Expr | None = None) -> exp.Select:
        """The owner of each event that counts, as the id, and what is listed."""
        name, table, user = self.build.events(self.of)
        made = exp.select(as_(self.owner, ID[self.subject]), *listed).from_(table)
        if self.subject == "account":
            made = made.join(self.build.members(), on=exp.EQ(this=column("members_now", "user_id"), expression=user))
        wanted = self._window(resolved=name != "e")
        if self.of.name is not None:
            wanted.insert(0, exp.EQ(this=self.read(self.of.name), expression=constant(self.events.name, "text")))
        if self.events.condition is not None:
            wanted.append(condition(self.events.condition, self))
        return made.where(all_of([*wanted, extra] if extra is not None else wanted)) if wanted or extra else made

    def _window(self, *, resolved: bool) -> list[exp.Expr]:
        """After ``as_of`` there are no events; resolved ones have left them out already."""
        at, window = self.of.at, self.events.window

        def bound(comparison: type[exp.Binary], ago: int) -> exp.Expr:
            return comparison(this=self.read(at), expression=instant(-ago, at.type, self.zone))

        if window is None:
            return [] if resolved else [bound(exp.LTE, 0)]
        newer = [] if resolved and not window.newer else [bound(exp.LTE, window.newer)]
        return [bound(exp.GT, window.older), *newer]

    def value(self, node: Value, wanted: Class | None) -> Typed:
        if not isinstance(node, PropertyRef):
            raise DefinitionError(
                "where speaks of the properties of one event", where=str(node), hint="write prop('...')"
            )
        own = [of for of in (self.of.at, self.of.user) if of is not None]
        known = [*own] if self.of.properties else list(self.of.table.columns)
        found = next((of for of in known if of.name == node.name), None) or _folded(known, node.name)
        if found is not None:
            return self._column(node, found)
        if self.of.properties is None:
            where = f"{self.events.name!r}, table {self.of.table.name}"
            raise UnknownName("property", node.name, [of.name for of in known], where=where)
        return self._json(node, self.of.properties, wanted)

    def group(self, node: OfUsers | OfAccounts) -> exp.Expr:  # noqa: ARG002
        raise DefinitionError("where speaks of one event, not of users", where=self.events.name)

    def _column(self, node: PropertyRef, of: Column) -> Typed:
        label = f"property {of.name!r} of {self.of.table.name}"
        kind = _READ_AS.get(node.as_type or "", of.type)
        same = (
            kind == of.type
            or {kind, of.type} <= NUMBERS
            or (kind == "timestamp" and of.type in {"timestamp_tz", "date"})
        )
        if not same:
            raise DefinitionError(
                f"{label} is {of.type} in the warehouse and cannot be read as {node.as_type}",
                where=str(node),
                hint=f"write prop({node.name!r}), or change its type in a view",
            )
        return Typed(self.read(of), of.type, label)

    def _json(self, node: PropertyRef, document: Column, wanted: Class | None) -> Typed:
        """A key of the JSON column, read as asked, else as what it is compared with, else as text."""
        read_as = node.as_type or (_CLASSES[wanted] if wanted else "string")
        text = op("json_text", self.read(document), options=_path(node.name))
        label = f"property {node.name!r} of {self.of.table.name}"
        match read_as:
            case "number":
                return Typed(op("number", text), "float", label)
            case "date":
                return Typed(op("instant", text, options=(self.zone,)), "timestamp", label)
            case "boolean":
                return Typed(_truth(text), "boolean", label)
            case _:
                return Typed(text, "text", label)


def _folded(known: list[Column], name: str) -> Column | None:
    same = [of for of in known if of.name.casefold() == name.casefold()]
    return same[0] if len(same) == 1 else None


def _truth(text: exp.Expr) -> exp.Expr:
    """JSON has two truth values and no other spelling of them."""
    ifs = [
        exp.If(this=exp.EQ(this=text.copy(), expression=exp.Literal.string(word)), true=truth)
        for word, truth in (("true", exp.true()), ("false", exp.false()))
    ]
    return exp.Case(ifs=ifs)


def _path(name: str) -> tuple[str, ...]:
    r"""``a.b`` is ``b`` inside ``a``; ``a\.b`` is one key with a dot."""
    return tuple(part.replace("\0", ".") for part in name.replace("\\.", "\0").split("."))


def table_of(source: Source, name: str) -> EventTable:
    """The table that holds the events of a name: their own, or the one of all events.

    Raises:
        UnknownName: there is no such event, with the nearest that there are.
    """
    own = next((of for of in source.events if of.event == name), None)
    common = next((of for of in source.events if of.event is None), None)
    if own is not None:
        return own
    names = source.event_names if source.event_names is not None else [of.event for of in source.events if of.event]
    if common is None or (source.event_names is not None and name not in source.event_names):
        raise UnknownName("event", name, names, where="the events of the source")
    return common


def _wanted(stream: _Stream, node: Reduced, compared: Class | None) -> Class | None:
    """How to read a JSON property of which nobody says it. Columns have types, and so has what ``as`` names."""
    if node.of is None or node.of.as_type is not None or stream.of.properties is None:
        return None
    if node.reducer in _OF_NUMBERS:
        return "number"
    return compared or "text" if node.reducer in _ONE_OF_THEM else "text"


def _reduced(stream: _Stream, node: Reduced, wanted: Class | None) -> tuple[exp.Select, ColumnType]:
    owner = stream.owner
    if node.reducer == "count" or node.of is None:
        counted = exp.Count(this=exp.Star())
        if stream.of.id is not None:
            counted = exp.Count(this=exp.Distinct(expressions=[stream.read(stream.of.id)]))
        return stream.select(as_(counted, "value")).group_by(owner), "integer"
    value = stream.value(node.of, wanted)
    _check(node, value, stream)
    match node.reducer:
        case "sum" | "avg" | "min" | "max" | "unique_count":
            made, kind = _aggregate(node.reducer, value)
            return stream.select(as_(made, "value")).group_by(owner), kind
        case "first" | "last":
            return _at_the_end(stream, value, largest=node.reducer == "last"), value.type
        case "most_frequent":
            return _most_frequent(stream, value, node.at_least), value.type
        case _:
            return _unique(stream, value), "list"


def _check(node: Reduced, value: Typed, stream: _Stream) -> None:
    if node.reducer in {"sum", "avg"} and value.type not in NUMBERS:
        raise DefinitionError(
            f"{node.reducer} needs a number, and {value.label} is {value.type}",
            where=str(node),
            hint=f"write prop({node.of.name!r}, 'number')"
            if node.of is not None and stream.of.properties
            else "choose a number property",
        )
    if value.type in _UNORDERED:
        raise DefinitionError(
            f"{value.label} is {value.type}, which cannot be reduced by {node.reducer}", where=str(node)
        )
    if value.type == "boolean" and node.reducer in {"min", "max"}:
        raise DefinitionError(
            f"{value.label} is a truth value, which has no order",
            where=str(node),
            hint="count the events where it is true: .where(prop('...') == True).count()",
        )


def _aggregate(reducer: str, value: Typed) -> tuple[exp.Expr, ColumnType]:
    match reducer:
        case "sum" if value.type == "integer":
            return op("integer_sum", value.sql), "integer"
        case "sum":
            return exp.Sum(this=value.sql), value.type
        case "avg":
            return exp.Avg(this=exp.cast(value.sql, exp.DataType.Type.DOUBLE, copy=False)), "float"
        case "min":
            return exp.Min(this=sortable(value.sql, value.type)), value.type
        case "max":
            return exp.Max(this=sortable(value.sql, value.type)), value.type
        case _:
            return exp.Count(this=exp.Distinct(expressions=[value.sql])), "integer"


def _at_the_end(stream: _Stream, value: Typed, *, largest: bool) -> exp.Select:
    """The value of the first or last event that has one, by (timestamp, event id, value)."""
    own = stream.of.id
    by = [stream.read(stream.of.at), *([sortable(stream.read(own), own.type)] if own else [])]
    order = [ordered(term, largest=largest) for term in (*by, sortable(value.sql.copy(), value.type))]
    place = as_(ranked([stream.owner], order), _PLACE)
    return _winner(stream, stream.select(as_(value.sql.copy(), "value"), place, extra=given(value.sql.copy())))


def _most_frequent(stream: _Stream, value: Typed, at_least: int) -> exp.Select:
    """The value that occurs most often, and at least so often; the smallest of several."""
    own = ID[stream.subject]
    times = as_(exp.Count(this=exp.Star()), _TIMES)
    counted = stream.select(as_(value.sql.copy(), "value"), times, extra=given(value.sql.copy())).group_by(
        stream.owner, value.sql.copy()
    )
    order = [ordered(column("c", _TIMES), largest=True), ordered(sortable(column("c", "value"), value.type))]
    place = as_(ranked([column("c", own)], order), _PLACE)
    enough = exp.GTE(this=column("c", _TIMES), expression=constant(at_least, "integer"))
    listed = exp.select(column("c", own), column("c", "value"), place).from_(counted.subquery("c")).where(enough)
    return _winner(stream, listed)


def _winner(stream: _Stream, placed: exp.Select) -> exp.Select:
    first = exp.EQ(this=column("w", _PLACE), expression=exp.Literal.number(1))
    return exp.select(column("w", ID[stream.subject]), column("w", "value")).from_(placed.subquery("w")).where(first)


def _unique(stream: _Stream, value: Typed) -> exp.Select:
    """The different values, sorted; none is missing, so no list is empty."""
    own = ID[stream.subject]
    different = stream.select(as_(value.sql.copy(), "value"), extra=given(value.sql.copy())).distinct().subquery("d")
    listed = as_(op("sorted_list", sortable(column("d", "value"), value.type)), "value")
    return exp.select(column("d", own), listed).from_(different).group_by(column("d", own))
