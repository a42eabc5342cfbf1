"""Reads a SELECT that a person wrote, and refuses what a definition may not do, with the place in the text.

It is read into a tree. Whatever of the tree is not on the lists of ``own_allowed`` is refused; every table is looked up
in the schema and called by the name that is found there; remarks are dropped, and every text gets plain quotes. The
warehouse gets what is written of that tree, so it cannot read into the text what is not in the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NoReturn

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError, TokenError

from personas_kit.compiler.bind import find_table
from personas_kit.compiler.nodes import free_name, real
from personas_kit.compiler.own_allowed import BARE, CALLED, CHANCE, CLOCKS, FUNCTIONS, LINES, PARTS, TYPES
from personas_kit.compiler.source import Source, Table
from personas_kit.definitions.pointing import THE_SQL
from personas_kit.definitions.tokens import excerpt, meant
from personas_kit.errors import ConfigError, DefinitionError, UnknownName

LOST: Final = (SqlglotError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""How sqlglot gives up: on purpose, and where it did not expect what it finds."""
_DEEPEST: Final = 100
"""Levels of a tree: more than a person writes, and far from where Python gives up."""
_NAME: Final = re.compile(r"[^\W\d][\w$]*")
_WRITTEN: Final = re.compile(r"\.?[\w$]*(?:[ .+-][\w$]+)*\.?")
"""A word, some words, or a number."""
_VIEW: Final = "put it into a view of the warehouse, and read that"
_LOAD: Final = "load it into a table, or make a view of it"
_QUOTES: Final = "write the text in plain quotes"
_SHARE: Final = "for a share that stays the same write split(...) or holdout(...)"
_LANGUAGE: Final = "cast it to a type of the language, such as TEXT"
#: The word that a part begins with, where that is not its name.
_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ByteString": "E'", "UnicodeString": "U&'", "National": "N'", "HexString": "X'", "BitString": "B'",
        "HistoricalData": "AT", "Version": "FOR", "Lock": "FOR", "TableSample": "SAMPLE", "ObjectIdentifier": "CAST",
    }
)  # fmt: skip
#: What to do instead of some parts.
_INSTEAD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ByteString": _QUOTES, "UnicodeString": _QUOTES, "National": _QUOTES,
        "ObjectIdentifier": _LANGUAGE, "TableSample": _SHARE, "Pivot": _VIEW,
    }
)  # fmt: skip

_READS: Final = (exp.Table, exp.Subquery, exp.Values, exp.Lateral, exp.Unnest, exp.TableFromRows)
#: What may stand right inside some parts, and where a SELECT may stand. The parser takes more, and what is written of
#: that may mean something else.
_INSIDE: Final[Mapping[type[exp.Expr], tuple[type[exp.Expr], ...]]] = MappingProxyType(
    {
        exp.From: _READS, exp.Join: _READS, exp.CTE: (exp.Query,), exp.Subquery: (exp.Query, exp.Table, exp.Values),
        exp.Table: (exp.Identifier,), exp.TableFromRows: (exp.Explode,),
        exp.Lateral: (exp.Explode, exp.Subquery, exp.Unnest),
        exp.Dot: (exp.Column, exp.Dot, exp.Paren, exp.Bracket, exp.Func, exp.Subquery, exp.Identifier),
        exp.Union: (exp.Query,), exp.Except: (exp.Query,), exp.Intersect: (exp.Query,), exp.Exists: (exp.Query,),
    }
)  # fmt: skip
_SETS: Final = (exp.Union, exp.Except, exp.Intersect)
_HOLDS: Final = (type(None), exp.Subquery, exp.CTE, exp.Exists, exp.In, exp.Array, exp.Any, exp.All, *_SETS)


class OwnText:
    """The text of a SELECT.

    Args:
        sql: the text.
        written: the dialect that it is written in.
        source: whose tables it may read, and the dialect that it is run in.
    """

    def __init__(self, sql: str, written: str, source: Source) -> None:
        self._sql = sql
        self._written = written
        self._source = source
        self._spoken = {written, source.dialect}

    def checked(self) -> exp.Query:
        """The tree, ready to be a part of a statement; ``:as_of`` is its only parameter.

        What is written of it is read once more, and looked at in the same way.

        Raises:
            DefinitionError: it is not one SELECT, or does more than to read tables.
            UnknownName: a table that does not exist.
        """
        tree = self.read()
        run = self._source.dialect
        try:
            OwnText(tree.sql(run), run, self._source).read()
        except (*LOST, RecursionError, DefinitionError) as problem:
            why = problem.what if isinstance(problem, DefinitionError) else "sqlglot cannot"
            raise DefinitionError(
                f"the SQL cannot be written for {run}: {why}", where=THE_SQL, hint=f"write it in the SQL of {run}"
            ) from None
        return tree

    def read(self) -> exp.Query:
        """The tree, looked at once."""
        tree = self._parsed()
        self._check_depth(tree)
        for node in tree.walk():
            self._check(node)
            node.pop_comments()
        for text in [*tree.find_all(exp.RawString)]:
            text.replace(exp.Literal.string(text.this))
        self._name_tables(tree)
        return tree

    # --- reading -----------------------------------------------------------------------------------------------------

    def _parsed(self) -> exp.Query:
        try:
            found = sqlglot.parse(self._sql, read=self._written)
        except RecursionError:
            self._too_deep()
        except LOST as problem:
            self._unread(problem)
        statements = [each for each in found if each is not None and not isinstance(each, exp.Semicolon)]
        if len(statements) != 1:
            self._refuse(None, f"one SELECT is expected, and here are {len(statements)} statements", "keep one of them")
        (tree,) = statements
        if not isinstance(tree, exp.Query):
            self._refuse(tree, f"a SELECT is expected, not {tree.key.upper()}", "write SELECT user_id FROM ...")
        return tree

    def _unread(self, problem: Exception) -> NoReturn:
        said, place, where = "it is not SQL", "", THE_SQL
        if isinstance(problem, TokenError):
            said = "a quote or a remark is not closed"
        if isinstance(problem, ParseError) and problem.errors:
            first = problem.errors[0]
            line, character, word = first["line"] or 1, first["col"] or 1, first["highlight"] or " "
            said, place = first["description"] or "it is not SQL", f" (line {line}, character {character})"
            above = sum(len(each) + 1 for each in self._sql.split("\n")[: line - 1])
            where = self._place(above + character - len(word), len(word))
        what = f"the SQL cannot be read as {self._written}{place}: {said}"
        raise DefinitionError(what, where=where, hint="say its dialect: dialect='...'")

    def _check_depth(self, tree: exp.Query) -> None:
        """A chain of one operator is one level: it is read, and written, from one end to the other."""
        depths: dict[int, int] = {}
        for node in tree.walk():
            above = node.parent
            chained = isinstance(node, exp.Binary | exp.SetOperation) and type(node) is type(above)
            depths[id(node)] = depths.get(id(above), 0) + (not chained)
            if depths[id(node)] > _DEEPEST:
                self._too_deep()

    def _too_deep(self) -> NoReturn:
        self._refuse(None, "the SQL is nested too deep", _VIEW)

    # --- what may stand in it ----------------------------------------------------------------------------------------

    def _check(self, node: exp.Expr) -> None:
        if node.error_messages():
            self._refuse(node, f"something is missing from {_word(node)}", "complete it")
        self._check_inside(node)
        match node:
            case exp.Column():
                self._check_column(node)
            case exp.Anonymous():
                self._check_called(node)
            case exp.Func():
                self._check_function(node)
            case exp.Placeholder() | exp.Parameter():
                self._check_mark(node)
            case exp.DataType():
                if not isinstance(node.this, exp.DataType.Type) or node.this.value not in TYPES:
                    self._refuse(node.parent or node, "this type cannot stand in a definition", _LANGUAGE)
            case _:
                if type(node).__name__ not in PARTS or node.args.get("operation_modifiers") or _is_struct(node):
                    self._cannot(node, _word(node))
        self._check_words(node)

    def _check_mark(self, node: exp.Expr) -> None:
        if node.name != "as_of" or isinstance(node.parent, exp.Parameter):
            said = f"nothing is known of the parameter {node.name!r}"
            self._refuse(node, said, ":as_of is the instant of evaluation")

    def _check_words(self, node: exp.Expr) -> None:
        """What is written without quotes has to be a word: the parser takes some texts for names."""
        if isinstance(node, exp.Identifier) and not node.quoted:
            if not node.name.startswith(self._said(node)):  # of my-project only the beginning is known
                self._refuse(node, "this is no name", 'a name stands in double quotes: "..."')
            node.set("quoted", _NAME.fullmatch(node.name) is None)
        elif not (isinstance(node, exp.Identifier | exp.RawString | exp.JSONPathPart) or node.is_string):
            for text in node.args.values():
                if isinstance(text, str) and not _WRITTEN.fullmatch(text):
                    self._refuse(node, "this cannot be read", "write it otherwise")

    def _check_inside(self, node: exp.Expr) -> None:
        """What stands right inside a part, where that decides what it means."""
        if isinstance(node, exp.Select | exp.SetOperation) and not isinstance(node.parent, _HOLDS):
            self._refuse(node, "a SELECT stands in parentheses here", "write (SELECT ...)")
        for found in (node.this, node.expression) if isinstance(node, exp.SetOperation) else (node.this,):
            if isinstance(found, _INSIDE.get(type(node), object)) or self._makes_lines(found):
                continue
            if isinstance(node, exp.Table | exp.Lateral | exp.TableFromRows):
                self._refuse(node, "a definition reads tables of the warehouse only", _LOAD)
            self._cannot(found, _word(found))

    def _check_column(self, node: exp.Column) -> None:
        """Some columns are none: words that are functions, and the next number of a sequence."""
        name = node.name.casefold()
        if name in BARE and not node.table and not node.this.quoted and self._spoken & {"duckdb", "postgres"}:
            self._refuse(node, f"{node.name} tells who asks", f'a column of that name stands in quotes: "{node.name}"')
        if name == "nextval" and node.table and "snowflake" in self._spoken:
            self._refuse(node, "the function nextval is not one that is known", "it changes a sequence: leave it out")

    def _check_called(self, node: exp.Anonymous) -> None:
        self._check_repeatable(node, node.name.lower(), node.name)
        if not (self._makes_lines(node) or self._is_listed(node, CALLED)):
            hint = meant(node.name.lower(), CALLED[self._written]) or _VIEW
            self._refuse(node, f"the function {node.name}() is not one that is known", hint)

    def _makes_lines(self, node: exp.Expr) -> bool:
        if not isinstance(node, exp.Anonymous) or not isinstance(node.parent, exp.Table | exp.Lateral):
            return False
        return self._is_listed(node, LINES)

    def _is_listed(self, node: exp.Anonymous, listed: Mapping[str, frozenset[str]]) -> bool:
        """A name in quotes, or behind that of a schema, is one that somebody has given."""
        plain = isinstance(node.this, str) and not isinstance(node.parent, exp.Dot)
        plain = plain and not (isinstance(node.parent, exp.Table) and node.parent.db)
        return plain and node.name.lower() in listed[self._written]

    def _check_function(self, node: exp.Func) -> None:
        kind = type(node).__name__
        said = self._said(node) or node.sql_name()
        self._check_repeatable(node, kind, said)
        if kind.startswith("Current") or kind == "SessionUser":
            self._refuse(node, f"{said} tells who asks", "members are the same whoever asks: leave it out")
        if kind not in FUNCTIONS:
            self._refuse(node, f"the function {said}() is not one that is known", _VIEW)

    def _check_repeatable(self, node: exp.Func, kind: str, said: str) -> None:
        if kind in CLOCKS:
            self._refuse(node, f"{said} gives another answer each time", "write :as_of, the instant of evaluation")
        if kind in CHANCE:
            self._refuse(node, f"{said} gives another answer each time", _SHARE)

    # --- its tables --------------------------------------------------------------------------------------------------

    def _name_tables(self, tree: exp.Query) -> None:
        """Call every table as the warehouse does, and the parts of WITH otherwise than any of these.

        What a name means is decided here, and not left to what a warehouse would look up first.
        """
        reads = [read for read in tree.find_all(exp.Table) if isinstance(read.this, exp.Identifier)]
        parts = {id(read): self._part(read) for read in reads}
        tables = {id(read): self._table(read) for read in reads if parts[id(read)] is None}
        taken = {table.parts[0].casefold() for table in tables.values() if len(table.parts) == 1}
        names = {_alias(part).name.casefold() for part in tree.find_all(exp.CTE)}
        for part in tree.find_all(exp.CTE):
            if _alias(part).name.casefold() in taken:
                _alias(part).set("this", free_name(_alias(part).name, taken | names))
        for read in reads:
            own = parts[id(read)]
            _call(read, [_alias(own).copy()] if own else [real(name) for name in tables[id(read)].parts])

    def _part(self, read: exp.Table) -> exp.CTE | None:
        """The part of a WITH that a name means where it stands."""
        name = self._folded(read.this)
        found = (part for part in _parts_around(read) if self._folded(_alias(part)) == name)
        return None if read.db else next(found, None)

    def _folded(self, name: exp.Identifier) -> str:
        """A name as its dialect compares it."""
        return sqlglot.Dialect.get_or_raise(self._written).normalize_identifier(name.copy()).name

    def _table(self, read: exp.Table) -> Table:
        try:
            return find_table(self._source.schema, ".".join(part.name for part in read.parts), THE_SQL)
        except UnknownName as unknown:
            unknown.where = self._where(read)
            raise
        except ConfigError as several:
            self._refuse(read, several.what, several.hint)

    # --- refusing ----------------------------------------------------------------------------------------------------

    def _cannot(self, node: exp.Expr, word: str) -> NoReturn:
        hint = _INSTEAD.get(type(node).__name__, "keep a SELECT that only reads")
        self._refuse(node, f"{word} cannot stand in a definition", hint)

    def _refuse(self, node: exp.Expr | None, what: str, hint: str) -> NoReturn:
        raise DefinitionError(what, where=self._where(node) if node is not None else THE_SQL, hint=hint)

    def _where(self, node: exp.Expr) -> str:
        """The line, and below it where the node is: its name, the word that it begins with, or its first part."""
        own = [node, *node.parts] if isinstance(node, exp.Table | exp.Column) else [node]
        spans = [(of.meta["start"], of.meta["end"] + 1) for of in own if "start" in of.meta]
        if not spans:
            inside = sorted((of.meta["start"], of.meta["end"] + 1) for of in node.walk() if "start" in of.meta)
            is_mark = isinstance(node, exp.Placeholder | exp.Parameter)
            word = re.escape(node.name or "?" if is_mark else _WORDS.get(type(node).__name__, node.key))
            before = self._sql[: inside[0][0]] if inside else self._sql
            spans = [found.span() for found in re.finditer(word, before, re.IGNORECASE)][-1:] or inside[:1]
        return self._place(spans[0][0], spans[-1][1] - spans[0][0]) if spans else THE_SQL

    def _said(self, node: exp.Expr) -> str:
        """What a node was read from, where that is known."""
        place = node.meta
        return self._sql[place["start"] : place["end"] + 1] if "start" in place else ""

    def _place(self, start: int, length: int) -> str:
        return f"{THE_SQL}\n         {excerpt(self._sql, max(start, 0), length)}"


def _is_struct(node: exp.Expr) -> bool:
    """``SELECT AS STRUCT``, which lists one column of what looks like several."""
    return isinstance(node, exp.Select) and bool(node.args.get("kind"))


def _word(node: exp.Expr) -> str:
    """What a part begins with."""
    return _WORDS.get(type(node).__name__, node.key.upper())


def _alias(part: exp.CTE) -> exp.Identifier:
    name: exp.Identifier = part.args["alias"].this
    return name


def _parts_around(read: exp.Table) -> Iterator[exp.CTE]:
    """The parts of every WITH that hold where a name stands, the nearest first.

    Inside a WITH these are the parts before; its own name means the part itself only in one that is RECURSIVE.
    """
    below: exp.Expr = read
    while (above := below.parent) is not None:
        if isinstance(above, exp.With):
            at = next(place for place, part in enumerate(above.expressions) if part is below)
            yield from reversed(above.expressions[: at + bool(above.recursive)])
            below = above.parent or above
            continue
        clauses = above.args.get("with_")
        yield from reversed(clauses.expressions if clauses is not None else [])
        below = above


def _call(read: exp.Table, names: list[exp.Identifier]) -> None:
    """Give a table another name; what is written keeps calling it as it did."""
    if not read.alias:
        read.set("alias", exp.TableAlias(this=read.this.copy()))
    for role in ("this", "db", "catalog"):
        read.set(role, None)
    for role, name in zip(("this", "db", "catalog"), reversed(names), strict=False):
        read.set(role, name)
