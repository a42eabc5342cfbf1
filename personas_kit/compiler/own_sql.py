"""SELECTs that people write themselves: parsed, checked, and put into the statement as one part of it.

What is written is never executed as it stands. It has to be one SELECT over tables of the warehouse, with functions
that sqlglot knows: so it can be written in one dialect and run in another, and so it can neither write, nor read a
file, nor ask for the clock (``:as_of`` is the instant).
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from personas_kit.compiler import dialects
from personas_kit.compiler.bind import find_table
from personas_kit.compiler.nodes import as_, column, given, instant, real
from personas_kit.compiler.population import ID, Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.source import ColumnType, Source
from personas_kit.definitions.definition import SqlDefinition, SqlTrait, Subject
from personas_kit.errors import DefinitionError, nearest

_WRITING: Final = (exp.DDL, exp.DML, exp.Command, exp.Into, exp.Lock, exp.Set, exp.Use, exp.Attach, exp.Pragma)
_CLOCKS: Final = (exp.Localtime, exp.Localtimestamp, exp.Rand, exp.Randn, exp.Randstr, exp.Uuid)
_OUTSIDE: Final = (exp.ReadCSV, exp.ReadParquet, exp.LoadData, exp.ToFile)
_TYPES: Final[dict[str, ColumnType]] = {
    "DATE": "date", "TIMESTAMPTZ": "timestamp_tz", "TIMESTAMPLTZ": "timestamp_tz", "TIMESTAMP": "timestamp",
    "TIMESTAMPNTZ": "timestamp", "DATETIME": "timestamp", "BOOLEAN": "boolean", "ARRAY": "list", "LIST": "list",
    "JSON": "json", "VARIANT": "json",
}  # fmt: skip
_SHOWN: Final = 3


def own_part(build: Build, sql: str, dialect: str, subject: Subject, *, valued: bool) -> tuple[str, ColumnType]:
    """The part that lists the ids of a SELECT (and ``value``), and the type of that."""
    key = f"own {subject} {valued} {dialect} {sql}"
    tree, kind = own_select(build.source, sql, dialect, subject, valued=valued)
    if key not in build.known:
        listed = [column("o", ID[subject]), *([column("o", "value")] if valued else [])]
        made = exp.select(*listed).distinct().from_(tree.subquery("o")).where(given(column("o", ID[subject])))
        build.known[key] = build.add("sql", made)
    return build.known[key], kind


def compile_own_problems(definition: SqlDefinition, source: Source) -> tuple[Query, Query]:
    """What no list of ids may have.

    Returns:
        How many lines have no id (one line: ``missing``), and the first ids that stand in several lines
        (``user_id`` or ``account_id``, at most three).
    """
    name = ID[definition.subject]
    valued = isinstance(definition, SqlTrait)
    tree, _ = own_select(source, definition.sql, definition.dialect, definition.subject, valued=valued)
    own = column("o", name)
    absent = exp.Sub(this=exp.Count(this=exp.Star()), expression=exp.Count(this=own))
    missing = exp.select(as_(absent, "missing")).from_(tree.copy().subquery("o"))
    several = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))
    twice = exp.select(own.copy()).from_(tree.subquery("o")).where(given(own.copy())).group_by(own.copy())
    twice = twice.having(several).order_by(own.copy()).limit(_SHOWN)
    return (
        Query(("missing",), None, None, zero_is_empty=False, tree=missing),
        Query((name,), None, None, zero_is_empty=False, tree=twice),
    )


def own_select(
    source: Source, sql: str, dialect: str, subject: Subject, *, valued: bool
) -> tuple[exp.Query, ColumnType]:
    """The checked tree of a SELECT, its tables named as the warehouse names them, and the type of its ``value``.

    Raises:
        DefinitionError: it is not one SELECT that may be run, or lists other columns; with what to write.
        UnknownName: a table or column that does not exist.
    """
    written = dialects.find(dialect or source.dialect).name
    tree = _parsed(sql, written)
    _check_nodes(tree)
    _check_columns(tree, subject, valued=valued)
    _name_tables(tree, source)
    kind = _checked_type(tree, source, written) if valued else "other"
    for mark in [*tree.find_all(exp.Placeholder, exp.Parameter)]:
        if mark.name != "as_of":
            _refuse(f"nothing is known of the parameter {mark.name!r}", ":as_of is the instant of evaluation")
        mark.replace(instant(0, "timestamp", source.timezone))
    return tree, kind


def _parsed(sql: str, dialect: str) -> exp.Query:
    try:
        statements = [found for found in sqlglot.parse(sql, read=dialect) if found is not None]
    except SqlglotError as problem:
        first = getattr(problem, "errors", None) or [{}]
        line, col, said = (first[0].get(name) for name in ("line", "col", "description"))
        place = f" (line {line}, character {col})" if line else ""
        _refuse(
            f"the SQL cannot be read as {dialect}{place}: {said or 'it is not SQL'}", "say its dialect: dialect='...'"
        )
    if len(statements) != 1:
        _refuse(f"one SELECT is expected, and here are {len(statements)} statements", "keep one of them")
    (found,) = statements
    if not isinstance(found, exp.Query):
        _refuse(f"a SELECT is expected, not {found.key.upper()}", "write SELECT user_id FROM ...")
    return found


def _check_nodes(tree: exp.Query) -> None:
    for node in tree.walk():
        if isinstance(node, _WRITING):
            _refuse(f"{node.key.upper()} cannot stand in a definition: it only reads", "keep the SELECT")
        if isinstance(node, _CLOCKS) or type(node).__name__.startswith("Current"):
            _refuse(
                f"{node.sql_name() if isinstance(node, exp.Func) else node.key} gives another answer each time",
                "write :as_of, the instant of evaluation",
            )
        if isinstance(node, exp.Anonymous):
            _refuse(f"the function {node.name}() is not one that is known", "put it into a view of the warehouse")
        outside = isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier)
        if outside or isinstance(node, _OUTSIDE):
            _refuse("a definition reads tables of the warehouse only", "load it into a table, or make a view of it")


def _check_columns(tree: exp.Query, subject: Subject, *, valued: bool) -> None:
    listed = [name.casefold() for name in tree.named_selects]
    wanted = [ID[subject], *(["value"] if valued else [])]
    if "*" in listed or tree.is_star:
        _refuse("the columns are not named", f"name them: SELECT {', '.join(wanted)}")
    for name in wanted:
        if name not in listed:
            near = nearest(name, listed, limit=1)
            _refuse(
                f"there is no column {name}, but {', '.join(listed) or 'none'}",
                f"write {near[0] if near else '...'} AS {name}",
            )


def _name_tables(tree: exp.Query, source: Source) -> None:
    own = {part.alias.casefold() for part in tree.find_all(exp.CTE)}
    for read in [*tree.find_all(exp.Table)]:
        if not read.db and read.name.casefold() in own:
            continue
        found = find_table(source.schema, ".".join(part.name for part in read.parts), "the SQL")
        if not read.alias:
            read.set("alias", exp.TableAlias(this=exp.to_identifier(read.name, quoted=True)))
        names = zip(("this", "db", "catalog"), reversed([real(part) for part in found.parts]), strict=False)
        for role in ("this", "db", "catalog"):
            read.set(role, None)
        for role, name in names:
            read.set(role, name)


def _checked_type(tree: exp.Query, source: Source, dialect: str) -> ColumnType:
    """The type of ``value``, as far as the schema and the functions say it."""
    schema: dict[str, object] = {}
    for read in tree.find_all(exp.Table):
        table = source.schema.get(".".join(part.name for part in read.parts))
        if table is not None:
            inside = schema
            for part in table.parts[:-1]:
                inside = inside.setdefault(part, {})  # type: ignore[assignment]
            inside[table.parts[-1]] = {of.name: of.declared or of.type for of in table.columns}
    try:
        typed = annotate_types(
            qualify(tree.copy(), schema=schema, dialect=dialect, validate_qualify_columns=False, identify=False),
            schema=schema,
            dialect=dialect,
        )
    except (OptimizeError, SqlglotError, ValueError):
        return "other"  # then nothing can be compared with it until it is cast
    found = next((one.type for one in typed.selects if one.alias_or_name.casefold() == "value"), None)
    if found is None:
        return "other"
    for is_of, kind in _CLASSES.items():
        if found.this in is_of:
            return kind
    return _TYPES.get(found.this.value, "other")


_CLASSES: Final[dict[frozenset[Any], ColumnType]] = {
    frozenset(exp.DataType.TEXT_TYPES): "text",
    frozenset(exp.DataType.INTEGER_TYPES): "integer",
    frozenset(exp.DataType.FLOAT_TYPES): "float",
    frozenset({exp.DataType.Type.DECIMAL}): "decimal",
}


def _refuse(what: str, hint: str) -> NoReturn:
    raise DefinitionError(what, where="the SQL", hint=hint)
