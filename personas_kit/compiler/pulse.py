"""The pulse of a source: which tables a statement reads, how many lines they have, and when events last came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from personas_kit.compiler.bind import column_of
from personas_kit.compiler.nodes import Op, all_of, as_, column, lately, table
from personas_kit.compiler.query import Query
from personas_kit.compiler.source import Column, EventTable, Schema, Table

DAYS = 30
"""How far back the rhythm of events is looked at."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A table to count, and how long ago its newest event may be at most to be found (0: it holds no events)."""

    table: Table
    events: EventTable | None = None
    seconds: int = 0


def tables_read(query: Query, schema: Schema) -> Mapping[Table, tuple[Column, ...]]:
    """The tables of the warehouse that a statement reads, and the columns that it reads of each."""
    found: dict[Table, dict[Column, None]] = {}
    for scope in traverse_scope(_plain(query.tree)):
        read = {name: own for name, of in scope.sources.items() if (own := _real(of, schema)) is not None}
        for own in read.values():
            found.setdefault(own, {})
        for each in scope.columns:
            whose = read.get(each.table) if each.table else next(iter(read.values()), None)
            known = column_of(whose.columns, each.name) if whose is not None else None
            if whose is not None and known is not None:
                found[whose][known] = None
    return {of: tuple(columns) for of, columns in found.items()}


def compile_pulse(counted: Sequence[Counted], zone: str) -> Query:
    """How many lines tables have, and when their newest events were: one line of ``lines_0``, ``newest_0`` and so on.

    An event that is older than the seconds of its table is not found.
    """
    listed: list[exp.Expr] = []
    for at, each in enumerate(counted):
        lines = exp.select(exp.Count(this=exp.Star())).from_(table(each.table, "t"))
        listed.append(as_(lines.subquery(), f"lines_{at}"))
        if each.events is not None:
            newest = exp.select(exp.Max(this=column("t", each.events.at))).from_(table(each.table, "t"))
            listed.append(as_(newest.where(_since(each.events, each.seconds, zone)).subquery(), f"newest_{at}"))
    return Query(exp.select(*listed))


def compile_rhythm(of: EventTable, zone: str) -> Query:
    """When there were events in the last days: for each hour that has any the ``first`` and the ``last``, in order."""
    at = column("t", of.at)
    hour: exp.Expr = at.copy()
    if of.at.type != "date":
        hour = exp.TimestampTrunc(this=at.copy(), unit=exp.var("HOUR"))
    listed = [as_(exp.Min(this=at), "first"), as_(exp.Max(this=at.copy()), "last")]
    made = exp.select(*listed).from_(table(of.table, "t")).where(_since(of, DAYS * 86_400, zone))
    return Query(made.group_by(hour).order_by(exp.Min(this=at.copy())))


def _since(of: EventTable, seconds: int, zone: str) -> exp.Expr:
    """The events of the last so many seconds, none after ``as_of``."""
    return all_of(lately(column("t", of.at), of.at.type, seconds, zone))


def _plain(tree: exp.Query) -> exp.Query:
    """The tree, with a SELECT that stands in a function of the kit's own where that function stood."""
    copied = tree.copy()
    for node in [*copied.find_all(Op)]:
        inner = next((part for part in node.expressions if isinstance(part, exp.Query)), None)
        if inner is not None:
            node.replace(inner)
    return copied


def _real(of: exp.Expr | Scope, schema: Schema) -> Table | None:
    """The warehouse's table; None for a part of the statement."""
    return schema.get(".".join(part.name for part in of.parts)) if isinstance(of, exp.Table) else None
