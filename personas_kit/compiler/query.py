"""A compiled definition: one tree, rendered for reading or for executing, in any dialect and at any instant."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

import sqlglot
from sqlglot import exp

from personas_kit.compiler import dialects
from personas_kit.compiler.nodes import Constant, Instant, Op, bare_tables, free_name
from personas_kit.compiler.source import ColumnType
from personas_kit.errors import DefinitionError

Parameters = Mapping[str, object] | tuple[object, ...]
#: The part of a statement to read that says when it is.
CLOCK = "moment"


class SQL(str):  # noqa: SLOT000  - a text that knows how it is executed
    """A statement to read, runnable as pasted: every value is a literal and ``as_of`` stands in one place.

    Attributes:
        dialect: ``duckdb``, ``snowflake``, ``postgres`` or ``bigquery``.
        bound: the statement that is executed, with placeholders.
        params: the values for the placeholders.
    """

    dialect: str
    bound: str
    params: Parameters

    def __new__(cls, text: str, dialect: str, bound: str, params: Parameters) -> Self:
        """Keep the executed form beside the text."""
        made = super().__new__(cls, text)
        made.dialect, made.bound, made.params = dialect, bound, params
        return made

    def _repr_html_(self) -> str:
        """The statement in colours; styles are inline, because notebooks drop style sheets they do not trust."""
        from pygments import highlight  # noqa: PLC0415  (only where a notebook asks for it)
        from pygments.formatters import HtmlFormatter  # noqa: PLC0415
        from pygments.lexers import SqlLexer  # noqa: PLC0415

        return str(highlight(str(self), SqlLexer(), HtmlFormatter(noclasses=True, nobackground=True)))


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One SELECT, for every dialect and instant.

    Attributes:
        tree: the statement, with nodes for constants, instants and functions that dialects spell differently.
        value_type: the type of ``value`` for a trait, else None.
        zero_is_empty: True for a trait over count, sum or unique count: 0 says as little as a missing value.
        fingerprint: of what a definition means, everything that it refers to included; empty for other queries.
    """

    tree: exp.Query
    value_type: ColumnType | None = None
    zero_is_empty: bool = False
    fingerprint: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the output columns, in order."""
        return tuple(self.tree.named_selects)

    def sql(self, dialect: str, as_of: dt.datetime, *, foreign: bool = False) -> SQL:
        """The statement to read.

        Args:
            dialect: the name of the dialect.
            as_of: cut to the second; without a zone it is UTC.
            foreign: the source is a warehouse of another dialect, so plain names are left unquoted.
        """
        found = dialects.find(dialect)
        bound, params = self.bound(dialect, as_of)
        return SQL(_Shown(found, _utc(as_of), foreign=foreign).text(self.tree), dialect, bound, params)

    def bound(self, dialect: str, as_of: dt.datetime) -> tuple[str, Parameters]:
        """The statement to execute and its values: a mapping for ``$p1``, a tuple for ``?`` or ``$1``."""
        return _Bound(dialects.find(dialect), _utc(as_of)).statement(self.tree)


class _Rendering:
    """A copy of the tree in which the kit's own nodes are replaced by the dialect's."""

    def __init__(self, dialect: dialects.Dialect, as_of: dt.datetime, *, foreign: bool = False) -> None:
        self.dialect = dialect
        self.as_of = as_of
        self.foreign = foreign

    def render(self, tree: exp.Expr) -> exp.Expr:
        return tree.transform(self._replaced)

    def constant(self, node: Constant) -> exp.Expr:
        raise NotImplementedError

    def instant(self, node: Instant) -> exp.Expr:
        raise NotImplementedError

    def moment(self, node: Instant) -> dt.date:
        """The instant as a value of its kind."""
        try:
            moment = self.as_of + dt.timedelta(seconds=node.args["seconds"])
            if node.args["kind"] == "date":
                return moment.astimezone(ZoneInfo(node.args["zone"])).date()
        except OverflowError:
            raise _too_far(self.as_of) from None
        return moment if node.args["kind"] == "timestamp_tz" else moment.replace(tzinfo=None)

    def _replaced(self, node: exp.Expr) -> exp.Expr:
        match node:
            case Op():
                arguments = [self.render(part) for part in node.expressions]
                return self.dialect.op(node.args["name"], arguments, node.args["options"])
            case Constant():
                return self.constant(node)
            case Instant():
                return self.instant(node)
            case exp.Identifier(quoted=True):
                return self.dialect.identifier(node.name, foreign=self.foreign)
            case _:
                return node


class _Bound(_Rendering):
    def __init__(self, dialect: dialects.Dialect, as_of: dt.datetime) -> None:
        super().__init__(dialect, as_of)
        self.values: dict[str, object] = {}
        self._known: dict[tuple[type, str], exp.Expr] = {}
        self._prefix = "p" if dialect.named else "pk_"

    def statement(self, tree: exp.Expr) -> tuple[str, Parameters]:
        if not self.dialect.named:  # a mark is no name: of somebody's list there may be the elements 1:pk_1
            names = tuple(name.name for name in tree.find_all(exp.Identifier))
            while any(name.startswith(self._prefix) for name in names):
                self._prefix += "_"
        text = _written(self.render(tree), self.dialect)
        if self.dialect.named:
            return text, self.values
        order: list[object] = []

        def mark(match: re.Match[str]) -> str:
            if match[1] is None:
                return match[0]
            order.append(self.values[match[1]])
            return self.dialect.mark(len(order))

        marks = re.compile(f"{self.dialect.quoted}|:({self._prefix}[0-9]+)", re.DOTALL)
        return marks.sub(mark, text), tuple(order)

    def constant(self, node: Constant) -> exp.Expr:
        return self._bind(node.args["value"], node.args["kind"])

    def instant(self, node: Instant) -> exp.Expr:
        return self._bind(self.moment(node), node.args["kind"])

    def _bind(self, value: object, kind: ColumnType) -> exp.Expr:
        same = (type(value), repr(value))
        if self.dialect.named and same in self._known:  # one instant, one parameter: shorter to read in a query log
            return self._known[same].copy()
        name = f"{self._prefix}{len(self.values) + 1}"
        node, self.values[name] = self.dialect.bound(value, kind, name)
        self._known[same] = node
        return node


class _Shown(_Rendering):
    def __init__(self, dialect: dialects.Dialect, as_of: dt.datetime, *, foreign: bool) -> None:
        super().__init__(dialect, as_of, foreign=foreign)
        self.used: set[str] = set()
        self.clock = CLOCK

    def text(self, tree: exp.Expr) -> str:
        self.clock = free_name(CLOCK, bare_tables(tree))
        shown = self.render(tree)
        if self.used:
            clock = exp.CTE(this=self._clock(), alias=exp.TableAlias(this=exp.to_identifier(self.clock)))
            clauses = shown.args.get("with_")
            if clauses is None:
                shown.set("with_", exp.With(expressions=[clock]))
            else:
                clauses.set("expressions", [clock, *clauses.expressions])
        return _written(shown, self.dialect)

    def _clock(self) -> exp.Select:
        instants: dict[str, tuple[dt.datetime, ColumnType]] = {
            "as_of": (self.as_of.replace(tzinfo=None), "timestamp"),
            "as_of_tz": (self.as_of, "timestamp_tz"),
        }
        made = [exp.alias_(self.dialect.literal(*instants[name]), name) for name in sorted(self.used)]
        return exp.select(*made)

    def constant(self, node: Constant) -> exp.Expr:
        return self.dialect.literal(node.args["value"], node.args["kind"])

    def instant(self, node: Instant) -> exp.Expr:
        kind: ColumnType = node.args["kind"]
        seconds = node.args["seconds"]
        if node.find_ancestor(exp.Values) is not None:  # Snowflake takes constants alone there
            return self.dialect.literal(self.moment(node), kind)
        if kind == "timestamp_tz":
            return self.dialect.shifted(self._as_of("as_of_tz"), seconds, exact=True)
        moment = self.dialect.shifted(self._as_of("as_of"), seconds, exact=False)
        if kind != "date":
            return moment
        if node.args["zone"] == "UTC":
            return exp.Cast(this=moment, to=self.dialect.type("date"))
        return self.dialect.op("local_date", [moment], (node.args["zone"],))

    def _as_of(self, name: str) -> exp.Expr:
        self.used.add(name)
        return exp.var(f"(SELECT {name} FROM {self.clock})")  # noqa: S608  - both are the kit's own names; on one line: a subquery of sqlglot takes four


def _written(tree: exp.Expr, dialect: dialects.Dialect) -> str:
    """The text of a tree that is rendered.

    While sqlglot indents, it puts a mark where texts and names break a line: one that stands in none of them.
    """
    generator = sqlglot.Dialect.get_or_raise(dialect.name).generator(pretty=True)
    used = set[str]().union(*(str(each.this) for each in tree.find_all(exp.Literal, exp.Identifier)))
    free = next(chr(code) for code in range(0xE000, sys.maxunicode) if chr(code) not in used)
    generator.SENTINEL_LINE_BREAK = free + generator.SENTINEL_LINE_BREAK[1:]  # type: ignore[misc]  # no slots below
    return generator.generate(tree, copy=False)


def _utc(as_of: dt.datetime) -> dt.datetime:
    """Aware, UTC, whole seconds."""
    try:
        aware = as_of.replace(tzinfo=dt.UTC) if as_of.tzinfo is None else as_of.astimezone(dt.UTC)
    except OverflowError:
        raise _too_far(as_of) from None
    return aware.replace(microsecond=0)


def _too_far(as_of: dt.datetime) -> DefinitionError:
    return DefinitionError(
        f"as of {as_of}, what this asks about lies outside the years 1 to 9999", hint="choose another as_of"
    )
