"""A definition at many instants, as one statement that reads each table of the warehouse once.

An instant in a statement is ``as_of`` plus some seconds. So the definition at another time is the same statement with
other seconds, and at many times it is as many such statements over shared readings of the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from personas_kit.compiler.compile import compile_definition, traits_of
from personas_kit.compiler.metrics import table_of
from personas_kit.compiler.nodes import Instant, all_of, as_, column, constant, instant
from personas_kit.compiler.population import ID
from personas_kit.compiler.query import Query
from personas_kit.compiler.source import EventTable, Source
from personas_kit.definitions.definition import Definition
from personas_kit.definitions.expressions import walk
from personas_kit.definitions.resolve import Registry, resolve
from personas_kit.definitions.streams import Events

SEEN = "seen"


def compile_history(definition: Definition, source: Source, registry: Registry, shifts: Sequence[int]) -> Query:
    """How large an audience was at instants: ``moment``, ``size``, ``entered`` since the one before, ``leaving`` after.

    Args:
        definition: an audience.
        source: where the data lies.
        registry: the other definitions, by key.
        shifts: seconds from ``as_of`` to each instant, ascending, none positive; ``moment`` counts them from 0.

    Returns:
        A line for each instant at which anybody was in it. ``entered`` of the first says nothing.
    """
    parts = _seen(definition, source, registry, shifts)
    moment = column("s", "moment")
    by_member = {"partition_by": [column("s", "member")], "order": exp.Order(expressions=[exp.Ordered(this=moment)])}
    before = exp.Window(this=exp.Lag(this=moment.copy()), **by_member)
    after = exp.Window(this=exp.Lead(this=moment.copy()), **by_member)
    inner = exp.select(moment.copy(), as_(before.copy(), "before"), as_(after.copy(), "after")).from_(
        exp.to_table(SEEN, alias="s")
    )
    listed = [
        column("n", "moment"),
        as_(exp.Count(this=exp.Star()), "size"),
        as_(_apart_by("before", -1), "entered"),
        as_(_apart_by("after", 1), "leaving"),
    ]
    made = exp.select(*listed).from_(inner.subquery("n")).group_by(column("n", "moment"))
    return _query(made, parts)


def compile_exits(definition: Definition, source: Source, registry: Registry, shifts: Sequence[int]) -> Query:
    """Which members leave by the passing of time alone: the id, and ``moment``, the first at which they are out.

    Args:
        definition: an audience.
        source: where the data lies.
        registry: the other definitions, by key.
        shifts: seconds from ``as_of`` to each instant, ascending, beginning with 0. No event after ``as_of`` counts.
    """
    parts = _seen(definition, source, registry, shifts)
    moment, member = column("s", "moment"), column("s", "member")
    order = exp.Order(expressions=[exp.Ordered(this=moment)])
    place = exp.Window(this=exp.RowNumber(), partition_by=[member.copy()], order=order)
    inner = exp.select(moment.copy(), member, as_(place, "place")).from_(exp.to_table(SEEN, alias="s"))
    last = exp.Max(this=column("n", "moment"))
    still = exp.EQ(
        this=column("n", "moment"), expression=exp.Sub(this=column("n", "place"), expression=exp.Literal.number(1))
    )
    leaves = exp.Add(this=last, expression=exp.Literal.number(1))
    name = ID[definition.subject]
    made = exp.select(as_(column("n", "member"), name), as_(leaves, "moment")).from_(inner.subquery("n")).where(still)
    made = made.group_by(column("n", "member"))
    made = made.having(exp.LT(this=last.copy(), expression=exp.Literal.number(len(shifts) - 1)))
    return _query(made, parts)


def _query(made: exp.Select, parts: list[tuple[str, exp.Query]]) -> Query:
    for name, part in parts:
        made = made.with_(name, as_=part, copy=False)
    return Query(tuple(made.named_selects), None, None, zero_is_empty=False, tree=made)


def _apart_by(name: str, step: int) -> exp.Expr:
    """How many lines whose neighbour is not the next moment."""
    other, own = column("n", name), column("n", "moment")
    there = exp.EQ(this=other, expression=exp.Add(this=own, expression=exp.Literal.number(step)))
    if step < 0:
        there = exp.EQ(this=other, expression=exp.Sub(this=own, expression=exp.Literal.number(-step)))
    flag = exp.Case(ifs=[exp.If(this=there, true=exp.Literal.number(0))], default=exp.Literal.number(1))
    return exp.Sum(this=flag)


def _seen(
    definition: Definition, source: Source, registry: Registry, shifts: Sequence[int]
) -> list[tuple[str, exp.Query]]:
    """The parts up to ``seen``: every ``member`` at every ``moment``."""
    once = compile_definition(definition, source, registry).tree
    name = ID[definition.subject]
    arms: list[exp.Query] = []
    for position, shift in enumerate(shifts):
        tree = _shifted(once, shift).subquery("m", copy=False)
        arms.append(
            exp.select(as_(exp.Literal.number(position), "moment"), as_(column("m", name), "member")).from_(
                tree, copy=False
            )
        )
    every = _united(arms)
    return [*_shared(every, definition, source, registry, shifts), (SEEN, every)]


def _united(arms: list[exp.Query]) -> exp.Query:
    """All lines of all. In halves, since warehouses have a limit to how deep a statement may be nested."""
    if len(arms) == 1:
        return arms[0]
    half = len(arms) // 2
    return exp.union(_united(arms[:half]), _united(arms[half:]), distinct=False, copy=False)


def _shifted(tree: exp.Query, seconds: int) -> exp.Select:
    moved = tree.copy()
    for node in moved.find_all(Instant):
        node.set("seconds", node.args["seconds"] + seconds)
    if not isinstance(moved, exp.Select):
        raise TypeError("a definition is one SELECT")
    return moved


def _shared(
    every: exp.Query, definition: Definition, source: Source, registry: Registry, shifts: Sequence[int]
) -> Iterator[tuple[str, exp.Query]]:
    """Each table of the warehouse, read once: the columns that any part asks for, of events those that may count."""
    read: dict[tuple[str, ...], list[exp.Table]] = {}
    for found in every.find_all(exp.Table):
        names = [part for part in found.parts if isinstance(part, exp.Identifier)]
        if names and all(name.quoted for name in names):
            read.setdefault(tuple(name.name for name in names), []).append(found)
    for position, tables in enumerate(read.values(), 1):
        columns = {name.sql(): name for found in tables for name in _columns(found)}
        name, original = f"read_{position}", tables[0].copy()
        original.set("alias", exp.TableAlias(this=exp.to_identifier("t")))
        listed: list[exp.Expr] = [
            exp.Column(this=each.copy(), table=exp.to_identifier("t")) for each in columns.values()
        ]
        made = exp.select(*listed or [exp.Literal.number(1)]).from_(original)
        of = next((of for of in source.events if of.table.parts == tuple(part.name for part in original.parts)), None)
        if of is not None:
            made = made.where(all_of(_may_count(of, definition, source, registry, shifts)))
        for found in tables:
            alias = exp.TableAlias(this=exp.to_identifier(found.alias))
            found.replace(exp.Table(this=exp.to_identifier(name), alias=alias))
        yield name, made


def _columns(read: exp.Table) -> Iterator[exp.Identifier]:
    select = read.find_ancestor(exp.Select)
    for found in select.find_all(exp.Column) if select else ():
        if found.table == read.alias and isinstance(found.this, exp.Identifier):
            yield found.this


def _may_count(
    of: EventTable, definition: Definition, source: Source, registry: Registry, shifts: Sequence[int]
) -> list[exp.Expr]:
    """Events of the names that are asked for, up to ``as_of``, and back to where the widest window begins."""
    streams = [node for node in walk(resolve(definition, registry, traits_of(source))) if isinstance(node, Events)]
    streams = [stream for stream in streams if table_of(source, stream.name) == of]
    at = column("t", of.at)
    wanted: list[exp.Expr] = [exp.LTE(this=at, expression=instant(min(0, shifts[-1]), of.at.type, source.timezone))]
    if of.name is not None and streams:
        names = [constant(name, "text") for name in dict.fromkeys(stream.name for stream in streams)]
        wanted.insert(0, exp.In(this=column("t", of.name), expressions=names))
    windows = [stream.window for stream in streams]
    if all(window is not None and not window.parent for window in windows) and windows:
        oldest = max(window.older for window in windows if window is not None)
        since = instant(shifts[0] - oldest, of.at.type, source.timezone)
        wanted.append(exp.GT(this=at.copy(), expression=since))
    return wanted
