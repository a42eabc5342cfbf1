"""A definition at many instants, as one statement that reads each table of the warehouse once.

The moment is one more key of the compiled statement (``moments.py``), so the statement is as long for a year of days as
for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from personas_kit.compiler.compile import compile_definition, traits_of
from personas_kit.compiler.moments import Parts, at_moments, is_own
from personas_kit.compiler.nodes import all_of, as_, column, free_name, table
from personas_kit.compiler.population import ID
from personas_kit.compiler.query import Query
from personas_kit.compiler.reading_once import columns_of, may_count, read_instead, tables_of, until
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
        exp.to_table(parts[-1][0], alias="s")
    )
    listed = [
        column("n", "moment"),
        as_(exp.Count(this=exp.Star()), "size"),
        as_(_apart_by("before", -1), "entered"),
        as_(_apart_by("after", 1), "leaving"),
    ]
    made = exp.select(*listed).from_(inner.subquery("n")).group_by(column("n", "moment"))
    return _query(made, parts)


def compile_past_sizes(definition: Definition, source: Source, registry: Registry, shifts: Sequence[int]) -> Query:
    """How large an audience was at instants: ``moment`` and ``size``. Who entered and left is two thirds of the cost.

    Args:
        definition: an audience.
        source: where the data lies.
        registry: the other definitions, by key.
        shifts: as above.

    Returns:
        A line for each instant at which anybody was in it.
    """
    parts = _seen(definition, source, registry, shifts)
    moment = column("s", "moment")
    listed = [moment, as_(exp.Count(this=exp.Star()), "size")]
    made = exp.select(*listed).from_(exp.to_table(parts[-1][0], alias="s")).group_by(moment.copy())
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
    inner = exp.select(moment.copy(), member, as_(place, "place")).from_(exp.to_table(parts[-1][0], alias="s"))
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


def _query(made: exp.Select, parts: Parts) -> Query:
    for name, part in parts:
        made = made.with_(name, as_=part, copy=False)
    return Query(made)


def _apart_by(name: str, step: int) -> exp.Expr:
    """How many lines whose neighbour is not the next moment."""
    other, own = column("n", name), column("n", "moment")
    there = exp.EQ(this=other, expression=exp.Add(this=own, expression=exp.Literal.number(step)))
    if step < 0:
        there = exp.EQ(this=other, expression=exp.Sub(this=own, expression=exp.Literal.number(-step)))
    flag = exp.Case(ifs=[exp.If(this=there, true=exp.Literal.number(0))], default=exp.Literal.number(1))
    return exp.Sum(this=flag)


def _seen(definition: Definition, source: Source, registry: Registry, shifts: Sequence[int]) -> Parts:
    """The parts up to the last, which has every ``member`` at every ``moment``."""
    once = compile_definition(definition, source, registry).tree
    parts, made, moment = at_moments(once, shifts)
    listed = [as_(column("m", moment), "moment"), as_(column("m", ID[definition.subject]), "member")]
    seen = exp.select(*listed).from_(made.subquery("m", copy=False), copy=False)
    taken = {name.name.casefold() for name in once.find_all(exp.Identifier)}
    parts.append((free_name(SEEN, taken), seen))
    events = [node for node in walk(resolve(definition, registry, traits_of(source))) if isinstance(node, Events)]
    return [*_Tables(source, shifts, events, taken).read_once(parts), *parts]


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables of the warehouse that some parts read: each is read once, and the parts read that.

    SQL of a person's own reads whatever it says, so what it reads is read as a whole, apart from the rest.
    """

    source: Source
    shifts: Sequence[int]
    events: Sequence[Events]
    taken: set[str]

    def read_once(self, parts: Parts) -> Parts:
        """What to read first. The parts are changed."""
        found: dict[tuple[bool, tuple[str, ...]], list[exp.Table]] = {}
        for name, part in parts:
            for names, read in tables_of(part):
                found.setdefault((is_own(name), names), []).append(read)
        made: Parts = []
        for position, ((own, names), reads) in enumerate(found.items(), 1):
            name = free_name(f"read_{position}", self.taken)
            made.append((name, self._whole(names) if own else self._columns(names, reads)))
            read_instead(reads, name)
        return made

    def _whole(self, names: tuple[str, ...]) -> exp.Select:
        """Every column. What happens after ``as_of`` does not count at a later moment, whatever the SQL says."""
        of = next(table for table in self.source.schema.values() if table.parts == names)
        made = exp.select(*(column("t", each) for each in of.columns)).from_(table(of, "t"))
        events = self._events(names)
        return made.where(until(events[0], 0, self.source)) if events and self.shifts[-1] > 0 else made

    def _columns(self, names: tuple[str, ...], reads: Sequence[exp.Table]) -> exp.Select:
        """The columns that are asked for; of events, those that may count."""
        made, events = columns_of(reads), self._events(names)
        asked = [(stream, -self.shifts[0]) for stream in self.events]
        last = min(0, self.shifts[-1])
        return made.where(all_of(may_count(events, asked, last, self.source))) if events else made

    def _events(self, names: tuple[str, ...]) -> list[EventTable]:
        return [of for of in self.source.events if of.table.parts == names]
