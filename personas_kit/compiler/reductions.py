"""Lines reduced to one value per owner: events of a user or an account, or the users of an account.

Semantics: counting B5, ties B6.
"""

from __future__ import annotations

from typing import Final, Protocol

from sqlglot import exp

from personas_kit.compiler.conditions import Typed
from personas_kit.compiler.nodes import as_, column, constant, given, op, ordered, ranked, sortable
from personas_kit.compiler.source import NUMBERS, ColumnType
from personas_kit.definitions.streams import Reduced
from personas_kit.errors import DefinitionError

Key = tuple[str, exp.Expr]
"""What an owner is known by: a name, and the SQL of it on a line."""

#: Reducers that are 0 over nothing.
ZERO: Final = frozenset({"count", "sum", "unique_count"})
_OF_LISTS: Final = frozenset({"unique", "unique_count", "most_frequent"})
_UNORDERED: Final[frozenset[ColumnType]] = frozenset({"list", "json", "other"})
_PLACE, _TIMES = "place", "times"


class Lines(Protocol):
    """What is reduced."""

    @property
    def keys(self) -> list[Key]:
        """Whose a line is."""
        ...

    def order(self) -> list[exp.Expr]:
        """What says which of two lines is the earlier one."""
        ...

    def select(self, *listed: exp.Expr, extra: exp.Expr | None = None) -> exp.Select:
        """The keys of each line that counts, and what is listed."""
        ...


def reduced(lines: Lines, node: Reduced, value: Typed, hint: str = "") -> tuple[exp.Select, ColumnType]:
    """One line per owner: its keys and ``value``; and the type of that. ``hint`` says how a number may be read."""
    if value.type == "list" and node.reducer in _OF_LISTS:
        return _of_elements(lines, node, value)
    _check(node, value, hint)
    match node.reducer:
        case "sum" | "avg" | "min" | "max" | "unique_count":
            made, kind = _aggregate(node.reducer, value)
            return lines.select(as_(made, "value")).group_by(*_owner(lines)), kind
        case "first" | "last":
            return _at_the_end(lines, value, largest=node.reducer == "last"), value.type
        case "most_frequent":
            return _most_frequent(lines, value, node.at_least), value.type
        case _:
            return _unique(lines, value), "list"


def _owner(lines: Lines) -> list[exp.Expr]:
    return [key.copy() for _, key in lines.keys]


def _names(lines: Lines, alias: str) -> list[exp.Expr]:
    return [column(alias, name) for name, _ in lines.keys]


def _check(node: Reduced, value: Typed, hint: str) -> None:
    if node.reducer in {"sum", "avg"} and value.type not in NUMBERS:
        raise DefinitionError(
            f"{node.reducer} needs a number, and {value.label} is {value.type}",
            where=str(node),
            hint=hint or "choose a number",
        )
    if value.type in _UNORDERED:
        raise DefinitionError(
            f"{value.label} is {value.type}, which cannot be reduced by {node.reducer}", where=str(node)
        )
    if value.type == "boolean" and node.reducer in {"min", "max"}:
        raise DefinitionError(
            f"{value.label} is a truth value, which has no order",
            where=str(node),
            hint="count those where it is true: .where(... == True).count()",
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


def _at_the_end(lines: Lines, value: Typed, *, largest: bool) -> exp.Select:
    """The value of the first or last event that has one, by (timestamp, event id, value)."""
    by = [*lines.order(), sortable(value.sql.copy(), value.type)]
    place = as_(ranked(_owner(lines), [ordered(term, largest=largest) for term in by]), _PLACE)
    return _winner(lines, lines.select(as_(value.sql.copy(), "value"), place, extra=given(value.sql.copy())))


def _most_frequent(lines: Lines, value: Typed, at_least: int) -> exp.Select:
    counted = lines.select(
        as_(value.sql.copy(), "value"), as_(exp.Count(this=exp.Star()), _TIMES), extra=given(value.sql.copy())
    ).group_by(*_owner(lines), value.sql.copy())
    return _most(lines, counted, value.type, at_least)


def _most(lines: Lines, counted: exp.Select, kind: ColumnType, at_least: int) -> exp.Select:
    """The value that occurs most often, and at least so often; the smallest of several."""
    order = [ordered(column("c", _TIMES), largest=True), ordered(sortable(column("c", "value"), kind))]
    place = as_(ranked(_names(lines, "c"), order), _PLACE)
    enough = exp.GTE(this=column("c", _TIMES), expression=constant(at_least, "integer"))
    listed = exp.select(*_names(lines, "c"), column("c", "value"), place).from_(counted.subquery("c")).where(enough)
    return _winner(lines, listed)


def _winner(lines: Lines, placed: exp.Select) -> exp.Select:
    first = exp.EQ(this=column("w", _PLACE), expression=exp.Literal.number(1))
    return exp.select(*_names(lines, "w"), column("w", "value")).from_(placed.subquery("w")).where(first)


def _unique(lines: Lines, value: Typed) -> exp.Select:
    different = lines.select(as_(value.sql.copy(), "value"), extra=given(value.sql.copy())).distinct()
    return _listed(lines, different, value.type)


def _listed(lines: Lines, different: exp.Select, kind: ColumnType) -> exp.Select:
    """The different values, sorted; none is missing, so no list is empty."""
    listed = as_(op("sorted_list", sortable(column("d", "value"), kind)), "value")
    made = exp.select(*_names(lines, "d"), listed).from_(different.subquery("d"))
    return made.group_by(*_names(lines, "d"))


def _of_elements(lines: Lines, node: Reduced, value: Typed) -> tuple[exp.Select, ColumnType]:
    """Lists are reduced element by element."""
    lists = lines.select(as_(value.sql.copy(), "listed"), extra=given(value.sql.copy()))
    names = [name for name, _ in lines.keys]
    each = exp.Subquery(this=op("elements", lists, options=tuple(names)), alias=_called("c"))
    if node.reducer == "most_frequent":
        counted = exp.select(*_names(lines, "c"), column("c", "value"), as_(exp.Count(this=exp.Star()), _TIMES))
        counted = counted.from_(each).where(given(column("c", "value")))
        return _most(lines, counted.group_by(*_names(lines, "c"), column("c", "value")), "text", node.at_least), "text"
    if node.reducer == "unique_count":
        made = as_(exp.Count(this=exp.Distinct(expressions=[column("c", "value")])), "value")
        return exp.select(*_names(lines, "c"), made).from_(each).group_by(*_names(lines, "c")), "integer"
    different = exp.select(*_names(lines, "c"), column("c", "value")).distinct().from_(each)
    return _listed(lines, different.where(given(column("c", "value"))), "text"), "list"


def _called(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name))
