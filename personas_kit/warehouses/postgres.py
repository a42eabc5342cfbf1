"""PostgreSQL, through psycopg: a warehouse for smaller companies, read by one session that may not write.

The kit stores no credentials: ``pg_service.conf`` (or a password file) has them, or a variable that ``url`` refers to.
(https://www.postgresql.org/docs/current/libpq-pgservice.html, read 2026-11-23; behaviour checked with version 15.)

What is odd:

- Without bound values its protocol takes several statements at once; the one of prepared statements takes one.
- Parts of a statement (``WITH``) have no statistics: the planner takes each for a line or two, and runs what groups
  thousands of events once for each of them, nested as deep as a funnel has steps. Sessions that read join by hash or
  by order instead, wherever ids are equal. (``enable_nestloop``:
  https://www.postgresql.org/docs/current/runtime-config-query.html, read 2026-11-26)
- A prepared statement fails once a table of it was made anew, so none is kept.
- Messages quote the value that cannot be read, and the address that cannot be reached: neither is shown here.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from personas_kit.compiler.source import Schema, Table
from personas_kit.errors import WarehouseError
from personas_kit.secret import Secret
from personas_kit.warehouses.base import Estimate, Parameters
from personas_kit.warehouses.frames import by_name, only_select
from personas_kit.warehouses.interrupts import interruptible
from personas_kit.warehouses.keeping import Keeper
from personas_kit.warehouses.one_session import OneSession
from personas_kit.warehouses.postgres_answers import column_of, frame_of, load_as_the_kit_does
from personas_kit.warehouses.postgres_errors import HINTS, why_unreached, words_of
from personas_kit.warehouses.postgres_keeper import PostgresKeeper

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

#: How the columns of a frame are declared when it is written.
DECLARED: Mapping[type[pl.DataType], str] = {
    pl.Int8: "smallint",
    pl.Int16: "smallint",
    pl.Int32: "integer",
    pl.Int64: "bigint",
    pl.UInt8: "smallint",
    pl.UInt16: "integer",
    pl.UInt32: "bigint",
    pl.UInt64: "numeric(20, 0)",
    pl.Float32: "real",
    pl.Float64: "double precision",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Time: "time",
    pl.Binary: "bytea",
    pl.List: "jsonb",
    pl.Struct: "jsonb",
}

_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, COALESCE(b.typname, t.typname) AS kind,
       COALESCE(b.typtype, t.typtype) = 'e' AS enum, t.typcategory = 'A' AS array,
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS modifier,
       format_type(a.atttypid, a.atttypmod) AS declared, array_position(current_schemas(FALSE), n.nspname) AS place
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
ORDER BY n.nspname, c.relname, a.attnum
"""

_APPLICATION = "personas_kit"
_PATIENCE = 15
_CANCELLED, _READ_ONLY = "57014", "25006"
_NUL = "PostgreSQL holds no text with the character U+0000, and compares none with it"
#: Lines of a part of an answer.
BATCH = 100_000


class Postgres:
    """PostgreSQL by the name of a service, or by an address that is kept elsewhere. It connects on the first query.

    An interrupt (Ctrl-C, the stop button) cancels the query in the server.

    Args:
        service: its name in ``pg_service.conf``; or ``url``: where ``postgresql://...`` is kept.
        role: taken on after the login (``SET ROLE``).
        database: instead of the connection's.
        schema: where names without a schema are looked for first.
        timeout: seconds that one query may take.
    """

    dialect = "postgres"

    def __init__(
        self,
        service: str | None = None,
        *,
        url: Secret | None = None,
        role: str | None = None,
        database: str | None = None,
        schema: str | None = None,
        timeout: float | None = None,
    ) -> None:
        self._service = service
        self._url = url
        self._role = role
        self._database = database
        self._schema = schema
        self._timeout = timeout
        self._session: OneSession[psycopg.Connection[Any]] = OneSession(self._open, lambda one: not one.closed)
        self._one_by_one = threading.Lock()  # a session has one transaction, and pushes read beside a plan being made
        self._keepers: list[PostgresKeeper] = []

    def describe(self) -> str:
        """``postgres · <service, or database, or what url refers to>``."""
        return f"postgres · {self._name}"

    def schema(self) -> Schema:
        """All tables and views that the role may read, by schema and name; partitions are seen through their table.

        Where a name is in several schemas, the bare one is that of the first schema on the search path, as in SQL.

        Raises:
            WarehouseError: it cannot connect.
        """
        kept = {keeper.schema for keeper in self._keepers}
        found = [line for line in self.query(_COLUMNS, ()).rows() if line[0] not in kept]
        tables: dict[tuple[str, ...], Table] = {}
        first: dict[str, tuple[int, tuple[str, ...]]] = {}
        for path, grouped in groupby(found, key=lambda line: line[:2]):
            lines = list(grouped)
            tables[path] = Table(path, tuple(column_of(*line[2:8]) for line in lines))
            if (place := lines[0][8]) is not None:
                first[path[1]] = min(first.get(path[1], (place, path)), (place, path))
        return {**by_name(tables.items()), **{name: tables[path] for name, (_, path) in first.items()}}

    def query(self, statement: str, params: Parameters, *, tag: str = "") -> pl.DataFrame:
        """Run one SELECT; see ``Warehouse.query``.

        Args:
            statement: with ``$1`` where the first value goes, and so on.
            params: a tuple of the values.
            tag: put before the statement as a comment, seen in ``pg_stat_activity`` and in the server's log.

        Raises:
            WarehouseError: it cannot connect, or the server refuses.
        """
        only_select(statement, self.describe())
        connection = self._session.get()
        try:
            return self._fetched(connection, _tagged(statement, tag), params)
        except _psycopg().Error as error:
            if not connection.closed:
                raise self._refused(error) from None  # the driver's words may quote a value
        with self._explained():  # the session has died, and nothing was answered yet: once more, in another one
            return self._fetched(self._session.get(), _tagged(statement, tag), params)

    def batches(self, statement: str, params: Parameters, *, tag: str = "") -> Iterator[pl.DataFrame]:
        """The answer in parts, by a cursor of the server on a session of its own; see ``Warehouse.batches``."""
        only_select(statement, self.describe())
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(closing(self._open()))
            stack.enter_context(self._explained())
            stack.enter_context(connection.transaction())
            cursor = stack.enter_context(_psycopg().RawServerCursor(connection, _APPLICATION))
            self._patiently(lambda: cursor.execute(_tagged(statement, tag).encode(), tuple(params)), connection)
            frame = self._patiently(lambda: frame_of(cursor, cursor.fetchmany(BATCH)), connection)
            yield frame
            while frame.height == BATCH:
                frame = self._patiently(lambda: frame_of(cursor, cursor.fetchmany(BATCH)), connection)
                yield frame

    def estimate(self, statement: str, params: Parameters) -> Estimate | None:  # noqa: ARG002 - as the protocol says
        """None: nobody pays by what is read."""
        return None

    def write(self, table: str, frame: pl.DataFrame) -> None:
        """Make a table of the frame, in one transaction; see ``Warehouse.write``. This session may write.

        Raises:
            WarehouseError: it cannot connect, or the role may not create tables there.
        """
        from psycopg import sql  # noqa: PLC0415 - an extra

        *place, name = table.split(".")
        target, fresh = sql.Identifier(*place, name), sql.Identifier(*place, f"{name}_being_written")
        columns = [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(_declared(d))) for n, d in frame.schema.items()]
        ready = frame.with_columns(
            pl.col(column).map_elements(_as_json, return_dtype=pl.String)
            for column, dtype in frame.schema.items()
            if isinstance(dtype, pl.List | pl.Struct)
        )
        with closing(self._open(writes=True)) as connection, self._explained(), connection.transaction():
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(fresh))
            connection.execute(sql.SQL("CREATE TABLE {} ({})").format(fresh, sql.SQL(", ").join(columns)))
            with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(fresh)) as copy:
                for line in ready.iter_rows():
                    copy.write_row(line)
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(target))
            connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(fresh, sql.Identifier(name)))

    def keeper(self, schema: str, *, idle: float) -> Keeper:
        """A schema of the database; see ``Warehouse.keeper``."""
        opened = functools.partial(self._open, writes=True)
        self._keepers.append(PostgresKeeper(self, schema.lower(), opened, self._explained, idle))
        return self._keepers[-1]

    def close(self) -> None:
        """End every session; a further query begins a new one."""
        for keeper in self._keepers:
            keeper.close()
        self._session.end()

    # ------------------------------------------------------------------------------------------------------- a session

    @property
    def _name(self) -> str:
        return self._service or self._database or (self._url.name if self._url else "your settings")

    def _open(self, *, writes: bool = False) -> psycopg.Connection[Any]:
        driver = _psycopg()
        options: dict[str, Any] = {"service": self._service, "dbname": self._database}
        try:
            connection: psycopg.Connection[Any] = driver.connect(
                self._url.reveal() if self._url else "",
                autocommit=True,
                connect_timeout=_PATIENCE,
                application_name=_APPLICATION,
                client_encoding="utf8",
                cursor_factory=driver.RawCursor,
                prepare_threshold=sys.maxsize,
                **{name: value for name, value in options.items() if value},
            )
        except driver.Error as error:
            raise self._unreached(error) from None  # libpq's words name the address
        try:
            self._set_up(connection, writes=writes)
        except driver.Error as error:
            connection.close()
            raise self._refused(error) from None  # the driver's words may quote a value
        return connection

    def _set_up(self, connection: psycopg.Connection[Any], *, writes: bool) -> None:
        """Settings by statements: a pool between here and the server refuses those that come with the connection."""
        from psycopg import sql  # noqa: PLC0415 - an extra

        connection.prepared_max = 0  # a prepared statement fails once its tables have changed: none is kept
        load_as_the_kit_does(connection)
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SET datestyle = 'ISO'")
        connection.execute("SET standard_conforming_strings = on")  # a backslash in a text is a backslash
        if self._timeout is not None:
            connection.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(int(self._timeout * 1000))))
        if self._role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self._role)))
        if self._schema:
            connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(self._schema)))
        if not writes:
            connection.execute("SET enable_nestloop = off")
            connection.execute("SET jit = off")  # where there is no other way, the price above has all compiled
        # A role for reading may have it on, so that what writes has to say so, too.
        connection.execute(f"SET default_transaction_read_only = {'off' if writes else 'on'}".encode())
        connection.read_only = not writes  # says so of each transaction: a function can change what is usual

    # ---------------------------------------------------------------------------------------------------------- a query

    def _fetched(self, connection: psycopg.Connection[Any], statement: str, params: Parameters) -> pl.DataFrame:
        mine, left = threading.Event(), threading.Event()

        def work() -> pl.DataFrame:
            with self._one_by_one, _marked(mine), connection.transaction(), connection.cursor() as cursor:
                if left.is_set():
                    raise WarehouseError("nobody waits for this query any more", where=self.describe())
                # Without values, only the protocol of prepared statements takes one statement and no more.
                cursor.execute(statement.encode(), tuple(params), prepare=not params or None)
                if cursor.description is None:
                    raise WarehouseError("a query is exactly one SELECT", where=self.describe())
                parts = [frame_of(cursor, lines) for lines in iter(functools.partial(cursor.fetchmany, BATCH), [])]
                return pl.concat(parts) if parts else frame_of(cursor, [])

        def cancel() -> None:
            left.set()
            if mine.is_set():  # else it is another thread's query that the session is at
                connection.cancel_safe()

        return interruptible(work, cancel, where=self.describe())

    def _patiently(self, work: Callable[[], T], connection: psycopg.Connection[Any]) -> T:
        return interruptible(work, cancel=connection.cancel_safe, where=self.describe())

    # ----------------------------------------------------------------------------------------------------------- errors

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """The server's errors as the kit's."""
        try:
            yield
        except _psycopg().Error as error:
            raise self._refused(error) from None  # the driver's words may quote a value

    def _refused(self, error: psycopg.Error) -> WarehouseError:
        code, said = error.sqlstate or "", error.diag.message_primary
        if code == _CANCELLED and self._timeout is not None:
            late = f"it took longer than {self._timeout:,.0f} s and was cancelled"
            return self._error(late, "raise `timeout` under [warehouse], or ask for less")
        if isinstance(error, _psycopg().DataError) and said is None:
            return self._error(_NUL, "leave that character out")
        if said is None:
            hint = "check the network and the server, and run it again: nothing was left half-done"
            return self._error("the connection was lost in the middle of an answer", hint)
        return self._error(f"PostgreSQL refused the query: {words_of(said)}", HINTS.get(code, ""))

    def _unreached(self, error: psycopg.Error) -> WarehouseError:
        what, hint = why_unreached(str(error))
        return self._error(f"PostgreSQL cannot be reached: {what}", hint)

    def _error(self, what: str, hint: str) -> WarehouseError:
        role = self._role or "the connection's role"
        return WarehouseError(what, where=self.describe(), hint=hint.format(name=self._name, role=role))


def _psycopg() -> Any:  # noqa: ANN401 - the driver may not be installed
    """The driver, which is an extra of the kit."""
    try:
        import psycopg  # noqa: PLC0415 - only who uses PostgreSQL needs it
    except ImportError as error:
        hint = "pip install personas-kit[postgres]"
        raise WarehouseError("the PostgreSQL driver is not installed", hint=hint) from error
    return psycopg


@contextmanager
def _marked(event: threading.Event) -> Iterator[None]:
    """Set within the block."""
    event.set()
    try:
        yield
    finally:
        event.clear()


def _tagged(statement: str, tag: str) -> str:
    """The statement behind its tag; a tag cannot end the comment that it stands in."""
    if "\0" in statement:
        raise WarehouseError(_NUL, hint="leave that character out")
    return f"/* {tag.replace('*/', '* /').replace('/*', '/ *')} */ {statement}" if tag else statement


def _declared(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime):
        return "timestamp" if dtype.time_zone is None else "timestamptz"
    if isinstance(dtype, pl.Decimal):
        return f"numeric({dtype.precision or 38}, {dtype.scale})"
    return DECLARED.get(type(dtype), "text")


def _as_json(value: Any) -> str:  # noqa: ANN401 - a list or a struct
    return json.dumps(value.to_list() if isinstance(value, pl.Series) else value, default=str)
