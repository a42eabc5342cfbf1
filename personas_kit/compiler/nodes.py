"""The few nodes that sqlglot does not have: they stand in a tree until a dialect replaces them.

A tree is the same for every dialect and every instant. What differs is kept as a node: a constant (bound or
literal), an instant relative to ``as_of``, and a function that each dialect spells in its own way.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar, Literal

from sqlglot import exp

from personas_kit.compiler.source import Column, ColumnType, Table

Plain = str | int | float | bool | Decimal | dt.date | dt.datetime
Function = Literal[
    "contains", "starts_with", "ends_with", "json_text", "number", "instant", "sorted_list", "integer_sum",
    "local_date", "sortable", "json_entries", "later", "utc", "midnight", "md5", "list_contains", "json_list",
    "elements", "exact", "sha256", "time_text",
]  # fmt: skip


class Constant(exp.Expression):
    """A value the person wrote: ``value`` of the column's ``kind``. Bound when executed, a literal when shown."""

    arg_types: ClassVar[dict[str, bool]] = {"value": True, "kind": True}


class Instant(exp.Expression):
    """``as_of`` plus ``seconds`` as a value of ``kind`` (timestamp, timestamp_tz, date); dates by ``zone``."""

    arg_types: ClassVar[dict[str, bool]] = {"seconds": True, "kind": True, "zone": True}


class Op(exp.Expression):
    """A function that dialects spell differently: ``name`` is one of ``Function``."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "expressions": False, "options": False}


def constant(value: Plain, kind: ColumnType) -> exp.Expr:
    """A bound value of a column's type."""
    return Constant(value=value, kind=kind)


def id_as(value: object, kind: ColumnType) -> Plain | None:
    """An id as it stands in a column of this type, whether it was given as a number or as a text; None if it cannot."""
    text = str(value)
    if kind == "integer":
        return int(text) if text.removeprefix("-").isdecimal() and str(int(text)) == text else None
    return text if kind == "text" else value  # type: ignore[return-value]  # the warehouse says what does not fit


def instant(seconds: int, kind: ColumnType, zone: str) -> exp.Expr:
    """``as_of`` plus some seconds, in a column's type."""
    return Instant(seconds=seconds, kind=kind, zone=zone)


def lately(time: exp.Expr, kind: ColumnType, seconds: int, zone: str) -> list[exp.Expr]:
    """What says that a time lies in the last so many seconds up to ``as_of``."""
    return [
        exp.GT(this=time, expression=instant(-seconds, kind, zone)),
        exp.LTE(this=time.copy(), expression=instant(0, kind, zone)),
    ]


def op(name: Function, *arguments: exp.Expr, options: tuple[str, ...] = ()) -> exp.Expr:
    """A function by the kit's name for it."""
    return Op(name=name, expressions=list(arguments), options=options)


def sortable(value: exp.Expr, kind: ColumnType) -> exp.Expr:
    """The value as it is to be ordered: texts by their code points, in every warehouse."""
    return op("sortable", value) if kind == "text" else value


def naive(time: exp.Expr, kind: ColumnType, zone: str) -> exp.Expr:
    """Any time as a timestamp without a zone, in UTC."""
    if kind == "timestamp":
        return time
    return op("utc", time) if kind == "timestamp_tz" else op("midnight", time, options=(zone,))


def real(name: str) -> exp.Identifier:
    """A name of the warehouse, spelt as it is there; the dialect leaves the quotes out where they change nothing."""
    return exp.to_identifier(name, quoted=True)


def column(of: str, name: str | Column) -> exp.Column:
    """A column of a named table: one of the warehouse's, or one the kit named itself."""
    identifier = real(name.name) if isinstance(name, Column) else exp.to_identifier(name)
    return exp.Column(this=identifier, table=exp.to_identifier(of))


def table(of: Table, alias: str) -> exp.Table:
    """A table of the warehouse under an alias."""
    parts = [real(part) for part in of.parts]
    names = dict(zip(("this", "db", "catalog"), reversed(parts), strict=False))
    return exp.Table(**names, alias=exp.TableAlias(this=exp.to_identifier(alias)))


def called(name: str, alias: str) -> exp.Table:
    """A part of the statement under an alias."""
    return exp.Table(this=exp.to_identifier(name), alias=exp.TableAlias(this=exp.to_identifier(alias)))


def bare_tables(tree: exp.Expr) -> set[str]:
    """The warehouse's tables that a tree reads by one part alone: what a WITH of that name would hide."""
    read = [of.this for of in tree.find_all(exp.Table) if not of.db]
    return {of.name.casefold() for of in read if isinstance(of, exp.Identifier) and of.quoted}


def free_name(wanted: str, taken: set[str]) -> str:
    """The name, with as many underscores as tell it from those taken."""
    while wanted.casefold() in taken:
        wanted += "_"
    return wanted


def as_(value: exp.Expr, name: str | exp.Identifier) -> exp.Alias:
    """``value AS name``."""
    return exp.Alias(this=value, alias=exp.to_identifier(name) if isinstance(name, str) else name)


def all_of(parts: list[exp.Expr]) -> exp.Expr:
    """The parts joined by AND; TRUE for none."""
    return exp.and_(*parts) if parts else exp.true()


def falsy(comparison: exp.Expr) -> exp.Expr:
    """The comparison, with a missing value counted as false."""
    return exp.Coalesce(this=comparison, expressions=[exp.false()])


def missing(value: exp.Expr) -> exp.Expr:
    """``value IS NULL``."""
    return exp.Is(this=value, expression=exp.null())


def given(value: exp.Expr) -> exp.Expr:
    """``value IS NOT NULL``."""
    return exp.Is(this=value, expression=exp.Not(this=exp.null()))


def same(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Equal, or both missing."""
    return exp.NullSafeEQ(this=left, expression=right)


def ordered(by: exp.Expr, *, largest: bool = False) -> exp.Ordered:
    """One ORDER BY term; a missing value is the smallest."""
    return exp.Ordered(this=by, desc=largest, nulls_first=not largest)


def ranked(partition: list[exp.Expr], order: list[exp.Ordered]) -> exp.Window:
    """``ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...)``."""
    return exp.Window(this=exp.RowNumber(), partition_by=partition, order=exp.Order(expressions=order))
