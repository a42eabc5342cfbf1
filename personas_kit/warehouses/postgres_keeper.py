"""Tables of the kit's own in a schema of PostgreSQL, through one session that may write.

Whoever stops in the middle of a transaction (a laptop that sleeps) holds its locks until the server ends the session:
``idle_in_transaction_session_timeout`` says when. Nobody waits for a lock longer than ``lock_timeout``.
(https://www.postgresql.org/docs/current/runtime-config-client.html, read 2026-11-26)
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from personas_kit.errors import WarehouseError
from personas_kit.warehouses.base import Parameters
from personas_kit.warehouses.keeping import LINES, PATIENCE, RESTED, Line, columns_of, numbered, over_lines
from personas_kit.warehouses.one_session import OneSession

if TYPE_CHECKING:
    import psycopg


_MILLISECONDS = int(PATIENCE * 1000)


class _Adapter(Protocol):
    """What of the adapter is used here."""

    def describe(self) -> str: ...
    def query(self, statement: str, params: Parameters) -> pl.DataFrame: ...
    def write(self, table: str, frame: pl.DataFrame) -> None: ...


class PostgresKeeper:
    """A schema of the database.

    Args:
        adapter: reads and writes whole tables.
        schema: its name.
        open_session: opens a session that may write.
        explained: turns the driver's errors into the kit's.
        idle: seconds after which the server ends a session that stands still within a transaction.
    """

    def __init__(
        self,
        adapter: _Adapter,
        schema: str,
        open_session: Callable[[], psycopg.Connection[Any]],
        explained: Callable[[], AbstractContextManager[None]],
        idle: float,
    ) -> None:
        self._adapter = adapter
        self.schema = schema
        self._open_session = open_session
        self._explained = explained
        self._idle = idle
        self._session: OneSession[psycopg.Connection[Any]] = OneSession(self._opened, lambda one: not one.closed)
        self._used = 0.0
        self._alone = threading.RLock()

    def describe(self) -> str:
        """``schema personas of postgres · prod``."""
        return f"schema {self.schema} of {self._adapter.describe()}"

    def tables(self) -> frozenset[str]:
        """See ``Keeper.tables``."""
        with self.looking() as session:
            return frozenset(str(row["name"]) for row in session.rows(_TABLES, (self.schema,)))

    def place(self, table: str) -> tuple[str, ...]:
        """See ``Keeper.place``."""
        return (self.schema, table)

    def make(self, statements: Iterable[str]) -> None:
        """See ``Keeper.make``; in one transaction, and one process after the other."""
        with self.changing() as session:
            session.rows("SELECT pg_advisory_xact_lock(hashtext('personas_kit')) IS NULL AS locked")
            # IF NOT EXISTS asks for the right to make schemas even where there is nothing to make.
            if not session.rows("SELECT 1 AS one FROM pg_namespace WHERE nspname = ?", (self.schema,)):
                session.run(f'CREATE SCHEMA "{self.schema}"')
            for statement in statements:
                session.run(statement)

    @contextmanager
    def looking(self) -> Iterator[PostgresSession]:
        """See ``Keeper.looking``."""
        with self._alone, self._explained():
            yield PostgresSession(self._connected())

    @contextmanager
    def changing(self) -> Iterator[PostgresSession]:
        """See ``Keeper.changing``. Lost while it is committed, nobody knows whether it was."""
        with self._alone, self._explained():
            connection = self._connected()
            connection.execute(b"BEGIN")
            try:
                yield PostgresSession(connection)
            except BaseException:
                if not connection.closed:
                    connection.execute(b"ROLLBACK")
                raise
            connection.execute(b"COMMIT")

    def put(self, name: str, frame: pl.DataFrame) -> None:
        """See ``Keeper.put``."""
        self._adapter.write(f"{self.schema}.{name}", frame)

    def derive(self, name: str, statement: str) -> int:
        """See ``Keeper.derive``."""
        with self.changing() as session:
            return session.run(f'CREATE TABLE "{self.schema}".{name} AS {statement}')

    def get(self, name: str) -> pl.DataFrame:
        """See ``Keeper.get``."""
        return self._adapter.query(f'SELECT * FROM "{self.schema}".{name}', ())  # noqa: S608  (names of ours)

    def close(self) -> None:
        """End the session; a further use begins a new one."""
        self._session.end()

    def _connected(self) -> psycopg.Connection[Any]:
        """The session; a new one where it has died while nobody used it."""
        connection = self._session.get()
        if time.monotonic() - self._used > RESTED:
            with contextlib.suppress(WarehouseError), self._explained():
                connection.execute(b"SELECT 1")
        self._used = time.monotonic()
        return self._session.get()

    def _opened(self) -> psycopg.Connection[Any]:
        connection = self._open_session()
        connection.execute(f"SET lock_timeout = {_MILLISECONDS}".encode())
        connection.execute(f"SET idle_in_transaction_session_timeout = {int(self._idle * 1000)}".encode())
        connection.execute(f'SET search_path = "{self.schema}"'.encode())
        self._used = time.monotonic()
        return connection


class PostgresSession:
    """A session whose names are those of the schema."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Line]:
        """What a SELECT gives."""
        found = self._connection.execute(numbered(statement).encode(), _bound(values))
        names = [column.name for column in found.description or ()]
        return [dict(zip(names, line, strict=True)) for line in found.fetchall()]

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Change something."""
        return self._connection.execute(numbered(statement).encode(), _bound(values)).rowcount

    def drop(self, table: str) -> bool:
        """Drop a table unless somebody is using it: who stopped while reading holds it until the session ends."""
        from psycopg import errors  # noqa: PLC0415 - an extra

        with contextlib.suppress(errors.LockNotAvailable), self._connection.transaction():  # a savepoint
            self.run("SET LOCAL lock_timeout = 100")
            self.run(f"DROP TABLE IF EXISTS {table}")
            self.run(f"SET LOCAL lock_timeout = {_MILLISECONDS}")
            return True
        return False

    def many(self, statement: str, lines: Iterable[Sequence[object]]) -> None:
        """The same statement for many lines, sent as one: an array for each column."""
        columns = columns_of(lines)
        if not columns:
            return
        arrays = ", ".join(f"${at}::{'bigint' if whole else 'text'}[]" for at, (whole, _) in enumerate(columns, 1))
        names = ", ".join(f"c{at}" for at in range(len(columns)))
        whole_statement = over_lines(statement, f"unnest({arrays}) AS {LINES}({names})")
        self._connection.execute(whole_statement.encode(), [_bound(values) for _, values in columns])


def _bound(values: Iterable[object]) -> list[object]:
    """The values, without the one character that PostgreSQL's texts cannot hold; a destination's reason may have it."""
    return [value.replace("\0", "") if isinstance(value, str) else value for value in values]


_TABLES = """
SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ? AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
