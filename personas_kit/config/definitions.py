"""The definitions of a file: tables become audiences and traits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from personas_kit.config.config import Scheduled
from personas_kit.config.paths import expanded, read_sql
from personas_kit.config.tables import File, SqlTable
from personas_kit.definitions import AccountAudience, AccountTrait, Audience, SqlAudience, SqlTrait, Trait, parse
from personas_kit.errors import ConfigError, PersonasError

_READ = frozenset({"where", "value", "unless", "unless_user"})
"""What is text of the query language."""
_PLAIN = frozenset({"scope", "membership", "of", "dialect"})


def definitions(parsed: File, file: Path) -> Iterator[Scheduled]:
    """The definitions in the order of their kinds.

    Args:
        parsed: the tables.
        file: that holds them; files of SQL lie beside it.

    Raises:
        ConfigError: neither SQL nor its file is named, or both are.
        DefinitionError: one cannot be read; with its place.
    """
    kinds: tuple[tuple[str, Any, Sequence[Any]], ...] = (
        ("audience", Audience, parsed.audience),
        ("account_audience", AccountAudience, parsed.account_audience),
        ("trait", Trait, parsed.trait),
        ("account_trait", AccountTrait, parsed.account_trait),
        ("sql_audience", SqlAudience, parsed.sql_audience),
        ("sql_trait", SqlTrait, parsed.sql_trait),
    )
    for kind, make, tables in kinds:
        for table in tables:
            more = {name: getattr(table, name) for name in table.model_fields_set & _PLAIN}
            texts = {name: getattr(table, name) for name in table.model_fields_set & _READ}
            try:
                read: dict[str, Any] = {name: parse(text) for name, text in texts.items()}
                if isinstance(table, SqlTable):
                    read["sql"] = _own_sql(table, file.parent)
                definition = make(name=table.name, key=table.key, **read, **more)
            except PersonasError as problem:
                problem.where = "\n         ".join(
                    part for part in (f"{file.name}: [[{kind}]] {table.name!r}", problem.where) if part
                )
                raise
            yield Scheduled(definition, table.cadence, table.to)


def _own_sql(table: SqlTable, folder: Path) -> str:
    if (table.sql is None) == (table.file is None):
        raise ConfigError("either the SQL or its file is named", hint='add sql = "SELECT ...", or file = "sql/one.sql"')
    return table.sql if table.sql is not None else read_sql(folder / expanded(str(table.file), "file"))
