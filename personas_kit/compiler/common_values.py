"""The most frequent values of a property, of a trait, of a computed trait: one statement, whose answer is short.

Every statement has the same columns: ``value`` (a missing one is one of them), ``lines`` that have it, ``total``
lines, and how many ``different`` values there are; of numbers also the ``smallest``, the ``median`` (one of the values)
and the ``largest``. The most frequent come first, and of equally frequent ones the smaller.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlglot import exp

from personas_kit.compiler.catalogue import recent
from personas_kit.compiler.metrics import EventLines
from personas_kit.compiler.nodes import all_of, as_, called, column, given, op, ordered, sortable, table
from personas_kit.compiler.population import Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.scope import trait_column
from personas_kit.compiler.source import NUMBERS, ColumnType, Source
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.expressions import PropertyRef, TraitRef
from personas_kit.definitions.streams import Events
from personas_kit.errors import DefinitionError

_NO_VALUES: Final[frozenset[ColumnType]] = frozenset({"json", "other"})


def compile_property_values(source: Source, name: str, read: PropertyRef, days: int, at_most: int) -> Query:
    """Of the events of a name of the last days. Of a list each element counts.

    Raises:
        UnknownName: no such event, or no column of this name.
        DefinitionError: its values are documents.
    """
    nobodys = replace(source, events=tuple(replace(of, anonymous=None) for of in source.events))  # whose is not asked
    build = Build(nobodys)
    lines = EventLines(build, Events(name), "user")
    typed, of = lines.value(read, None), lines.of
    made = exp.select(as_(typed.sql, "value")).from_(table(of.table, "e"))
    return _most_frequent(build, made.where(all_of(recent(of, source, name, days))), typed.type, str(read), at_most)


def compile_trait_values(source: Source, subject: Subject, read: TraitRef, at_most: int) -> Query:
    """Of all users or accounts that exist. Of a list each element counts.

    Raises:
        UnknownName: no such column.
        DefinitionError: its values are documents.
    """
    build, of = Build(source), trait_column(source, subject, read.key)
    made = exp.select(as_(build.trait(subject, of), "value")).from_(build.subject(subject))
    return _most_frequent(build, made, of.type, str(read), at_most)


def compile_computed_values(source: Source, computed: Query, at_most: int) -> Query:
    """Of a computed trait: of those who have one."""
    made = exp.select(column("d", "value")).from_(computed.tree.copy().subquery("d"))
    return _most_frequent(Build(source), made, computed.value_type or "text", "a computed trait", at_most)


def _most_frequent(build: Build, lines: exp.Select, kind: ColumnType, where: str, at_most: int) -> Query:
    """Lines of one ``value`` each, counted by it; one more than wanted, since a missing value may be among them."""
    if kind in _NO_VALUES:
        raise DefinitionError(f"{where} holds documents, which have no common values", where=where)
    counted = build.add("counted", _counted(_elements(lines) if kind == "list" else lines))
    known = _of_numbers(counted) if kind in NUMBERS else exp.select(*_of_all("c")).from_(called(counted, "c"))
    listed = [column("c", "value"), column("c", "lines"), *(column("k", name) for name in known.named_selects)]
    made = exp.select(*listed).from_(called(counted, "c")).join(known.subquery("k"), join_type="cross")
    order = [ordered(column("c", "lines"), largest=True), ordered(sortable(column("c", "value"), _element(kind)))]
    tree = build.finish(made.order_by(*order).limit(at_most + 1))
    return Query(tree)


def _counted(lines: exp.Select) -> exp.Select:
    value = column("v", "value")
    made = exp.select(value, as_(exp.Count(this=exp.Star()), "lines")).from_(lines.subquery("v"))
    return made.group_by(value.copy())


def _of_all(alias: str) -> list[exp.Expr]:
    """What is known of all values together."""
    total, different = exp.Sum(this=column(alias, "lines")), exp.Count(this=column(alias, "value"))
    return [as_(total, "total"), as_(different, "different")]


def _of_numbers(counted: str) -> exp.Select:
    """That, and the smallest, the largest, and the value that half of the lines do not exceed."""
    value, lines = column("c", "value"), column("c", "lines")
    filled = exp.Case(ifs=[exp.If(this=given(value), true=lines)])
    upwards = exp.Order(expressions=[ordered(value.copy())])
    reached = exp.Window(this=exp.Sum(this=filled), order=upwards)
    summed = exp.select(value.copy(), lines.copy(), as_(reached, "reached"))
    summed = summed.select(as_(exp.Window(this=exp.Sum(this=filled.copy())), "filled")).from_(called(counted, "c"))
    number = column("s", "value")
    twice = exp.Mul(this=exp.Literal.number(2), expression=column("s", "reached"))
    half = exp.Case(ifs=[exp.If(this=exp.GTE(this=twice, expression=column("s", "filled")), true=number.copy())])
    spread = {"smallest": exp.Min(this=number), "median": exp.Min(this=half), "largest": exp.Max(this=number.copy())}
    listed = [*_of_all("s"), *(as_(of, name) for name, of in spread.items())]
    return exp.select(*listed).from_(summed.subquery("s"))


def _elements(lines: exp.Select) -> exp.Select:
    (value,) = lines.expressions
    lists = lines.select(as_(value.this, "listed"), append=False)
    each = exp.Subquery(this=op("elements", lists), alias=exp.TableAlias(this=exp.to_identifier("n")))
    return exp.select(column("n", "value")).from_(each)


def _element(kind: ColumnType) -> ColumnType:
    return "text" if kind == "list" else kind
