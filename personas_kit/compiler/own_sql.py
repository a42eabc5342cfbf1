"""SELECTs that people write themselves: parsed, checked, and put into the statement as one part of it.

What is written is never executed as it stands. It has to be one SELECT over tables of the warehouse, with functions
that are known: so it can be written in one dialect and run in another, and so it can neither write, nor read a
file, nor ask for the clock (``:as_of`` is the instant). ``own_reading`` says how that is made sure of.
"""

from __future__ import annotations

from typing import Any, Final

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from personas_kit.compiler import dialects
from personas_kit.compiler.nodes import as_, column, given, instant
from personas_kit.compiler.own_reading import LOST, OwnText
from personas_kit.compiler.population import ID, Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.source import ColumnType, Source
from personas_kit.definitions.definition import SqlDefinition, SqlTrait, Subject
from personas_kit.definitions.pointing import THE_SQL
from personas_kit.errors import DefinitionError, nearest

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
        Query(missing),
        Query(twice),
    )


def own_select(
    source: Source, sql: str, dialect: str, subject: Subject, *, valued: bool
) -> tuple[exp.Query, ColumnType]:
    """The checked tree of a SELECT, its tables named as the warehouse names them, and the type of its ``value``.

    Raises:
        DefinitionError: it is not one SELECT that may be run, or lists other columns; with the place and what to write.
        UnknownName: a table that does not exist.
    """
    written = dialects.find(dialect or source.dialect).name
    tree = OwnText(sql, written, source).checked()
    _check_columns(tree, subject, valued=valued)
    kind = _checked_type(tree, source, written) if valued else "other"
    for mark in [*tree.find_all(exp.Placeholder, exp.Parameter)]:  # :as_of is the only one that there can be
        mark.replace(instant(0, "timestamp", source.timezone))
    return tree, kind


def _check_columns(tree: exp.Query, subject: Subject, *, valued: bool) -> None:
    listed = [name.casefold() for name in tree.named_selects]
    wanted = [ID[subject], *(["value"] if valued else [])]
    if "*" in listed or tree.is_star:
        raise DefinitionError("the columns are not named", where=THE_SQL, hint=f"name them: SELECT {', '.join(wanted)}")
    for name in wanted:
        if name not in listed:
            near = nearest(name, listed, limit=1)
            raise DefinitionError(
                f"there is no column {name}, but {', '.join(listed) or 'none'}",
                where=THE_SQL,
                hint=f"write {near[0] if near else '...'} AS {name}",
            )


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
    except (*LOST, RecursionError):
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
