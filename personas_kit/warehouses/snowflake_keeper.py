"""Tables of the kit's own in a schema of Snowflake, through one session with autocommit off.

What is odd:

- A statement that makes or drops a table commits the transaction that it stands in; the next change begins another.
- Primary keys are not enforced. UPDATE, DELETE and MERGE lock what they change until the transaction ends, INSERT does
  not; a statement sees what was committed before it began. So whoever has to be alone changes a line first, and looks
  after that.
- What one session has committed another may see a moment later, unless it begins after that. So whatever the keeper
  does, reading and writing frames too, is done in one session of its own. What another keeper has just written may be
  missed; how many lines a change has changed is true.
- A session that stops in the middle of a transaction holds its locks until it has blocked somebody for five minutes.
  Nobody waits so long: ``LOCK_TIMEOUT`` ends a statement that waits, with an error.
- Lines in bulk travel as one JSON text: bound one by one, each would be a request of its own.

(https://docs.snowflake.com/en/sql-reference/transactions, read 2026-11-27.) The emulator that the tests use runs one
statement after the other, refuses the second of two transactions that change the same line instead of letting it wait,
and accepts LOCK_TIMEOUT without effect. So waiting for a lock, and its time-out, are as documented, and not proved.
"""

from __future__ import annotations

import itertools
import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Protocol

import polars as pl

from personas_kit.warehouses.keeping import LINES, PATIENCE, RESTED, Line, columns_of, over_lines
from personas_kit.warehouses.one_session import OneSession
from personas_kit.warehouses.snowflake_answers import frames, joined
from personas_kit.warehouses.snowflake_loading import loading

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

#: Lines of one JSON text, which may have 16 MB.
BULK = 10_000


class _Adapter(Protocol):
    """What of the adapter is used here."""

    def describe(self) -> str: ...


class SnowflakeKeeper:
    """A schema of the connection's database.

    Args:
        adapter: says who it is.
        schema: its name; unquoted, so in upper case there.
        open_session: opens a session with these parameters.
        explained: turns the connector's errors into the kit's.
    """

    def __init__(
        self,
        adapter: _Adapter,
        schema: str,
        open_session: Callable[[Mapping[str, object]], SnowflakeConnection],
        explained: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._adapter = adapter
        self.schema = schema
        self._open_session = open_session
        self._explained = explained
        self._session: OneSession[SnowflakeConnection] = OneSession(self._begun, self._lives)
        self._used = 0.0
        self._inside = False
        self._alone = threading.RLock()

    def describe(self) -> str:
        """``schema personas of snowflake · prod``."""
        return f"schema {self.schema} of {self._adapter.describe()}"

    def tables(self) -> frozenset[str]:
        """See ``Keeper.tables``."""
        with self._using() as session:
            found = session.rows(_TABLES, (self.schema.upper(),))
            return frozenset(str(row["table_name"]).lower() for row in found)

    def place(self, table: str) -> tuple[str, ...]:
        """See ``Keeper.place``."""
        return (self.schema.upper(), table.upper())

    def make(self, statements: Iterable[str]) -> None:
        """See ``Keeper.make``. Each statement commits itself; one that finds its table there does nothing."""
        with self._using() as session:
            known = "SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?"
            if not session.rows(known, (self.schema.upper(),)):
                session.run(f"CREATE SCHEMA IF NOT EXISTS {self.schema}")
            self._enter(session)
            for statement in statements:
                session.run(statement)

    @contextmanager
    def looking(self) -> Iterator[SnowflakeSession]:
        """See ``Keeper.looking``."""
        with self._using() as session:
            self._enter(session)
            yield session

    @contextmanager
    def changing(self) -> Iterator[SnowflakeSession]:
        """See ``Keeper.changing``. Lost while it is committed, nobody knows whether it was."""
        with self._using() as session:
            self._enter(session)
            session.run("BEGIN TRANSACTION")
            try:
                yield session
            except BaseException:
                session.run("ROLLBACK")
                raise
            session.run("COMMIT")

    def put(self, name: str, frame: pl.DataFrame) -> None:
        """See ``Keeper.put``. Where it fails halfway, an empty table stays, which nobody was told of."""
        with loading(f"{self.schema}.{name}".upper(), frame) as (made, cleared), self._using() as session:
            for statement in (*made, "COMMIT", *cleared):
                session.run(statement)

    def derive(self, name: str, statement: str) -> int:
        """See ``Keeper.derive``."""
        with self.looking() as session:
            session.run(f"CREATE TRANSIENT TABLE {name} AS {statement}")
            (line,) = session.rows(f"SELECT COUNT(*) AS lines FROM {name}")  # noqa: S608  (names of ours)
            return int(line["lines"])

    def get(self, name: str) -> pl.DataFrame:
        """See ``Keeper.get``."""
        with self._using() as session:
            return session.frame(f"SELECT * FROM {self.schema}.{name}")  # noqa: S608  (names of ours)

    def close(self) -> None:
        """End the session; a further use begins a new one."""
        self._session.end()

    @contextmanager
    def _using(self) -> Iterator[SnowflakeSession]:
        """The session, for one use after the other; a new one where it has died, or the last use of it broke off."""
        with self._alone, self._explained():
            session = SnowflakeSession(self._session.get())
            self._used = -math.inf  # unless this ends well, the next use asks whether it lives
            yield session
            self._used = time.monotonic()

    def _begun(self) -> SnowflakeConnection:
        self._inside = False
        return self._open_session({"AUTOCOMMIT": False, "LOCK_TIMEOUT": int(PATIENCE)})

    def _lives(self, connection: SnowflakeConnection) -> bool:
        """Asked where nobody used it for a while, or the last use broke off."""
        return time.monotonic() - self._used <= RESTED or connection.is_valid()

    def _enter(self, session: SnowflakeSession) -> None:
        """Names are those of the schema, once it is there."""
        if not self._inside:
            session.run(f"USE SCHEMA {self.schema}")
            self._inside = True


class SnowflakeSession:
    """A session whose names are those of the schema."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        self._connection = connection

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Line]:
        """What a SELECT gives."""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, tuple(values))
            names = [column.name.lower() for column in cursor.description or ()]
            return [dict(zip(names, line, strict=True)) for line in cursor.fetchall()]

    def frame(self, statement: str) -> pl.DataFrame:
        """What a SELECT gives, as a frame."""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement)
            return joined(list(frames(cursor)))

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Change something."""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, tuple(values))
            return int(cursor.rowcount or 0)

    def drop(self, table: str) -> bool:
        """Drop a table. Whoever is reading it goes on with it as it was."""
        self.run(f"DROP TABLE IF EXISTS {table}")
        return True

    def many(self, statement: str, lines: Iterable[Sequence[object]]) -> None:
        """The same statement for many lines, as one over a JSON text of them."""
        remaining = iter(lines)
        while part := list(itertools.islice(remaining, BULK)):
            columns = ", ".join(
                f"value[{at}]::{'bigint' if whole else 'text'} AS c{at}"
                for at, (whole, _) in enumerate(columns_of(part))
            )
            relation = f"(SELECT {columns} FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?)))) AS {LINES}"  # noqa: S608
            self.run(over_lines(statement, relation), (json.dumps(part, ensure_ascii=False),))


_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = ?"
