"""Tables of the kit's own in a schema of a DuckDB file.

The file is open for writing only while a transaction lasts, and whoever else has it open is waited for. Within this
process transactions go one after the other: DuckDB refuses the second of two that change the same line.
(https://duckdb.org/docs/stable/connect/concurrency, read 2026-11-23; behaviour checked with 2.0.0.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import duckdb
import polars as pl

from personas_kit.errors import WarehouseError
from personas_kit.warehouses.keeping import LINES, Line, columns_of, over_lines

Opened = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


class _Adapter(Protocol):
    """What of the adapter is used here."""

    def describe(self) -> str: ...
    def reading(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]: ...
    def writing(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]: ...
    def explained(self) -> AbstractContextManager[None]: ...


class DuckDBKeeper:
    """A schema of the file, or of the database of a lent connection.

    Args:
        adapter: opens it.
        schema: its name.
    """

    def __init__(self, adapter: _Adapter, schema: str) -> None:
        self._adapter = adapter
        self.schema = schema

    def describe(self) -> str:
        """``schema personas of duckdb · warehouse.duckdb``."""
        return f"schema {self.schema} of {self._adapter.describe()}"

    def tables(self) -> frozenset[str]:
        """See ``Keeper.tables``."""
        with self._open(self._adapter.reading) as handle:
            return frozenset(name for (name,) in handle.execute(_TABLES, [self.schema]).fetchall())

    def place(self, table: str) -> tuple[str, ...]:
        """See ``Keeper.place``; the database is said, for it may be called as the schema."""
        with self._open(self._adapter.reading) as handle:
            return (_database(handle), self.schema, table)

    def make(self, statements: Iterable[str]) -> None:
        """See ``Keeper.make``; in one transaction.

        Raises:
            WarehouseError: the database of a lent connection is in memory: it would end with the process.
        """
        with self._transaction() as handle:
            if handle.execute(_IN_MEMORY).fetchone() is not None:
                raise WarehouseError(
                    "the database of your connection is in memory: what is kept there ends with this process",
                    where=self._adapter.describe(),
                    hint='connect to a file, or keep the state in a folder: [state] store = "local"',
                )
            handle.execute(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')
            self._enter(handle)
            for statement in statements:
                handle.execute(statement)

    @contextmanager
    def looking(self) -> Iterator[DuckDBSession]:
        """See ``Keeper.looking``."""
        with self._open(self._adapter.reading) as handle:
            self._enter(handle)
            yield DuckDBSession(handle)

    @contextmanager
    def changing(self) -> Iterator[DuckDBSession]:
        """See ``Keeper.changing``."""
        with self._transaction() as handle:
            self._enter(handle)
            yield DuckDBSession(handle)

    def put(self, name: str, frame: pl.DataFrame) -> None:
        """See ``Keeper.put``."""
        with self._transaction() as handle:
            self._enter(handle)
            handle.register("_personas_frame", frame)
            handle.execute(f"CREATE TABLE {name} AS FROM _personas_frame")
            handle.unregister("_personas_frame")

    def derive(self, name: str, statement: str) -> int:
        """See ``Keeper.derive``."""
        with self._transaction() as handle:
            self._enter(handle)
            (lines,) = handle.execute(f"CREATE TABLE {name} AS {statement}").fetchone() or (0,)
            return int(lines)

    def get(self, name: str) -> pl.DataFrame:
        """See ``Keeper.get``."""
        with self._open(self._adapter.reading) as handle:
            self._enter(handle)
            frame: pl.DataFrame = handle.sql(f"FROM {name}").pl()
            return frame

    def _enter(self, handle: duckdb.DuckDBPyConnection) -> None:
        """Names are those of the schema; both parts are said, for a database may be called as the schema."""
        quoted = _database(handle).replace('"', '""')
        handle.execute(f'USE "{quoted}"."{self.schema}"')

    @contextmanager
    def _open(self, how: Opened) -> Iterator[duckdb.DuckDBPyConnection]:
        with how() as handle, self._adapter.explained():
            yield handle

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._open(self._adapter.writing) as handle:
            handle.execute("BEGIN")
            try:
                yield handle
            except BaseException:
                handle.execute("ROLLBACK")
                raise
            handle.execute("COMMIT")


def _database(handle: duckdb.DuckDBPyConnection) -> str:
    (database,) = handle.execute("SELECT current_database()").fetchone() or ("",)
    return str(database)


class DuckDBSession:
    """A handle whose names are those of the schema."""

    def __init__(self, handle: duckdb.DuckDBPyConnection) -> None:
        self._handle = handle

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Line]:
        """What a SELECT gives."""
        found = self._handle.execute(statement, list(values))
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, line, strict=True)) for line in found.fetchall()]

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Change something."""
        (count,) = self._handle.execute(statement, list(values)).fetchone() or (0,)
        return int(count)

    def drop(self, table: str) -> bool:
        """Drop a table. Nobody else can be using it: one process has the file."""
        self._handle.execute(f"DROP TABLE IF EXISTS {table}")
        return True

    def many(self, statement: str, lines: Iterable[Sequence[object]]) -> None:
        """The same statement for many lines, as one over a frame of them: one by one takes a hundred times as long."""
        columns = columns_of(lines)
        if not columns:
            return
        frame = pl.DataFrame(
            [
                pl.Series(f"c{at}", values, dtype=pl.Int64 if whole else pl.String)
                for at, (whole, values) in enumerate(columns)
            ]
        )
        self._handle.register("_personas_lines", frame)
        self._handle.execute(over_lines(statement, f"_personas_lines AS {LINES}"))
        self._handle.unregister("_personas_lines")


_TABLES = """
SELECT lower(table_name) FROM duckdb_tables() WHERE database_name = current_database() AND lower(schema_name) = ?
"""
_IN_MEMORY = """
SELECT 1 FROM duckdb_databases() WHERE database_name = current_database() AND path IS NULL
"""
