"""PostgreSQL, through psycopg: a warehouse for smaller companies, read by one session that may not write.

The kit stores no credentials: ``pg_service.conf`` (or a password file) has them, or a variable that ``url`` refers to.
(https://www.postgresql.org/docs/current/libpq-pgservice.html, read 2026-11-23; behaviour checked with version 15.)

What is odd:

- A sum or a mean of decimals has no scale, so it arrives as a float; columns with a scale stay decimals.
- ``infinity`` is a time there, and a usual end of validity. It arrives as the last instant that there is.
- A message about a value that cannot be read quotes the value; here it is cut off.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import functools
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from personas_kit.compiler.source import Column, ColumnType, Schema, Table
from personas_kit.errors import WarehouseError
from personas_kit.secret import Secret
from personas_kit.warehouses.base import Estimate, Parameters
from personas_kit.warehouses.frames import MESSAGE_LENGTH, by_name, tidy
from personas_kit.warehouses.interrupts import interruptible

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

#: PostgreSQL's names of types. What is not here, and no enum, array or NUMERIC, is ``other``.
#: (https://www.postgresql.org/docs/current/datatype.html, read 2026-11-23)
TYPES: Mapping[str, ColumnType] = {
    "text": "text",
    "varchar": "text",
    "bpchar": "text",
    "citext": "text",
    "name": "text",
    "uuid": "text",
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "float4": "float",
    "float8": "float",
    "bool": "boolean",
    "timestamp": "timestamp",
    "timestamptz": "timestamp_tz",
    "date": "date",
    "json": "json",
    "jsonb": "json",
}
#: The same for the columns of an answer; what is not here arrives as text.
DTYPES: Mapping[str, pl.DataType] = {
    "int2": pl.Int64(),
    "int4": pl.Int64(),
    "int8": pl.Int64(),
    "oid": pl.Int64(),
    "float4": pl.Float64(),
    "float8": pl.Float64(),
    "bool": pl.Boolean(),
    "timestamp": pl.Datetime("us", "UTC"),
    "timestamptz": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
    "time": pl.Time(),
    "bytea": pl.Binary(),
}
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

#: What to do about an error, by its code. (https://www.postgresql.org/docs/current/errcodes-appendix.html)
HINTS: Mapping[str, str] = {
    "28P01": "check user and password of {name}: in pg_service.conf, the password file, or what `url` refers to",
    "28000": "the server refuses this user from here: its pg_hba.conf, or the role's LOGIN",
    "3D000": "check `database` under [warehouse], or dbname of {name}",
    "42501": "ask for the grant: GRANT USAGE ON SCHEMA ... and GRANT SELECT ON TABLE ... TO {role}",
    "42P01": "check the name; a table that was dropped or renamed has to be changed under [source], too",
    "42703": "a column was renamed or dropped: personas check says which of [source] or of the definitions names it",
    "53300": "the server has no connection left: close other sessions, or raise max_connections",
    "25006": "the kit only reads; let the owner of the data write it",
    "57P01": "somebody or a restart ended the session: run it again",
    "57P02": "the server crashed: run it again",
    "57P03": "the server is starting or stopping: run it again in a moment",
}
#: What a failure to connect says, by a piece of libpq's words: those name host, port and user, these do not.
FAILURES: Mapping[str, tuple[str, str]] = {
    "password authentication failed": ("the password is wrong", HINTS["28P01"]),
    "no password supplied": ("the server asks for a password, and there is none", HINTS["28P01"]),
    "pg_hba.conf": ("the server refuses this user from here", HINTS["28000"]),
    "is not permitted to log in": ("this role may not log in", HINTS["28000"]),
    "definition of service": (
        "there is no such service",
        "write a section [{name}] in ~/.pg_service.conf, or in the file that PGSERVICEFILE names",
    ),
    "does not exist": ("there is no such database or role", HINTS["3D000"]),
    "connection refused": ("nobody listens there", "is the server running? check host and port of {name}"),
    "could not translate host name": ("the name of the host is not known", "check host of {name}, and the network"),
    "name or service not known": ("the name of the host is not known", "check host of {name}, and the network"),
    "timeout": ("it does not answer", "check host and port of {name}, and the network: firewall, VPN, tunnel"),
    "too many": ("it has no connection left", HINTS["53300"]),
    "starting up": ("the server is starting", HINTS["57P03"]),
    "shutting down": ("the server is stopping", HINTS["57P03"]),
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

_QUOTED = re.compile(r':\s*".*', re.DOTALL)
_APPLICATION = "personas_kit"
_PATIENCE = 15
_CANCELLED, _READ_ONLY = "57014", "25006"
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
        self._connection: psycopg.Connection[Any] | None = None
        self._opening = threading.Lock()

    def describe(self) -> str:
        """``postgres · <service, or database, or what url refers to>``."""
        return f"postgres · {self._name}"

    def schema(self) -> Schema:
        """All tables and views that the role may read, by schema and name; partitions are seen through their table.

        Where a name is in several schemas, the bare one is that of the first schema on the search path, as in SQL.

        Raises:
            WarehouseError: it cannot connect.
        """
        found = self.query(_COLUMNS, ()).rows()
        tables: dict[tuple[str, ...], Table] = {}
        first: dict[str, tuple[int, tuple[str, ...]]] = {}
        for path, grouped in groupby(found, key=lambda line: line[:2]):
            lines = list(grouped)
            tables[path] = Table(path, tuple(_column(*line[2:8]) for line in lines))
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
        connection = self._connected()
        try:
            return self._fetched(connection, _tagged(statement, tag), params)
        except _psycopg().Error as error:
            if not connection.closed:
                raise self._refused(error) from None  # the driver's words may quote a value
        self.close()  # the session has died, and nothing was answered yet: once more
        with self._explained():
            return self._fetched(self._connected(), _tagged(statement, tag), params)

    def batches(self, statement: str, params: Parameters, *, tag: str = "") -> Iterator[pl.DataFrame]:
        """The answer in parts, by a cursor of the server on a session of its own; see ``Warehouse.batches``."""
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(closing(self._open()))
            stack.enter_context(self._explained())
            stack.enter_context(connection.transaction())
            cursor = stack.enter_context(_psycopg().RawServerCursor(connection, _APPLICATION))
            self._patiently(lambda: cursor.execute(_tagged(statement, tag).encode(), tuple(params)), connection)
            frame = self._patiently(lambda: _frame(cursor, cursor.fetchmany(BATCH)), connection)
            yield frame
            while frame.height == BATCH:
                frame = self._patiently(lambda: _frame(cursor, cursor.fetchmany(BATCH)), connection)
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

    def close(self) -> None:
        """End the session; a further query begins a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            atexit.unregister(self.close)
            connection.close()

    # ------------------------------------------------------------------------------------------------------- a session

    @property
    def _name(self) -> str:
        return self._service or self._database or (self._url.name if self._url else "your settings")

    def _connected(self) -> psycopg.Connection[Any]:
        with self._opening:
            if self._connection is None or self._connection.closed:
                self._connection = self._open()
                atexit.register(self.close)
            return self._connection

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
        _load_as_the_kit_does(connection)
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SET datestyle = 'ISO'")
        if self._timeout is not None:
            connection.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(int(self._timeout * 1000))))
        if self._role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self._role)))
        if self._schema:
            connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(self._schema)))
        if not writes:
            connection.execute("SET default_transaction_read_only = on")

    # ---------------------------------------------------------------------------------------------------------- a query

    def _fetched(self, connection: psycopg.Connection[Any], statement: str, params: Parameters) -> pl.DataFrame:
        def work() -> pl.DataFrame:
            with connection.cursor() as cursor:
                # Without values, only the protocol of prepared statements takes one statement and no more.
                cursor.execute(statement.encode(), tuple(params), prepare=not params or None)
                if cursor.description is None:
                    raise WarehouseError("a query is exactly one SELECT", where=self.describe())
                parts = [_frame(cursor, lines) for lines in iter(functools.partial(cursor.fetchmany, BATCH), [])]
                return pl.concat(parts) if parts else _frame(cursor, [])

        return self._patiently(work, connection)

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
        if said is None:
            hint = "check the network and the server, and run it again: nothing was left half-done"
            return self._error("the connection was lost in the middle of an answer", hint)
        words = _QUOTED.sub("", " ".join(said.split()))[:MESSAGE_LENGTH]
        return self._error(f"PostgreSQL refused the query: {words}", HINTS.get(code, ""))

    def _unreached(self, error: psycopg.Error) -> WarehouseError:
        said = str(error).casefold()
        what, hint = next(
            (words for piece, words in FAILURES.items() if piece in said),
            ("no connection", "try psql with the same settings: it says more than may be repeated here"),
        )
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


def _tagged(statement: str, tag: str) -> str:
    """The statement behind its tag; a tag cannot end the comment that it stands in."""
    return f"/* {tag.replace('*/', '* /').replace('/*', '/ *')} */ {statement}" if tag else statement


# ------------------------------------------------------------------------------------------------------------- answers


def _frame(cursor: psycopg.Cursor[Any], lines: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    """Lines of an answer in the types of its description."""
    types = cursor.connection.adapters.types
    schema: dict[str, pl.DataType | None] = {}
    for column in cursor.description or ():
        known = types.get(column.type_code)
        schema[column.name] = _dtype(known.name if known else "", column)
        if known is not None and column.type_code == known.array_oid:
            schema[column.name] = pl.List(_dtype(known.name, column))
    if len(schema) < len(cursor.description or ()):
        raise WarehouseError("two columns of the answer have one name", hint="give one of them another: ... AS name")
    return tidy(pl.DataFrame(lines, schema=schema, orient="row", strict=False))


def _dtype(name: str, column: Any) -> pl.DataType:  # noqa: ANN401 - one of psycopg's columns
    if name == "numeric":
        has_scale = column.scale is not None and column.precision is not None
        return pl.Decimal(column.precision, column.scale) if has_scale else pl.Float64()
    return DTYPES.get(name, pl.String())


def _column(name: str, kind: str, enum: bool, array: bool, modifier: int, declared: str) -> Column:
    if array:
        return Column(name, "list", declared)
    if kind == "numeric":
        whole = modifier >= 4 and (modifier - 4) & 0xFFFF == 0  # noqa: PLR2004 - as the server packs precision and scale
        return Column(name, "integer" if whole else "decimal", declared)
    return Column(name, "text" if enum else TYPES.get(kind, "other"), declared)


def _declared(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime):
        return "timestamp" if dtype.time_zone is None else "timestamptz"
    if isinstance(dtype, pl.Decimal):
        return f"numeric({dtype.precision or 38}, {dtype.scale})"
    return DECLARED.get(type(dtype), "text")


def _as_json(value: Any) -> str:  # noqa: ANN401 - a list or a struct
    return json.dumps(value.to_list() if isinstance(value, pl.Series) else value, default=str)


def _load_as_the_kit_does(connection: psycopg.Connection[Any]) -> None:
    """Documents and ids as text; times that Python does not know as the first or the last that it does."""
    from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader  # noqa: PLC0415 - an extra
    from psycopg.types.string import TextLoader  # noqa: PLC0415

    for name in ("json", "jsonb", "uuid", "interval", "inet", "cidr"):
        connection.adapters.register_loader(name, TextLoader)
    edges = (dt.datetime.min, dt.datetime(9999, 12, 31))  # noqa: DTZ001, DTZ901 - the column has no zone
    connection.adapters.register_loader("timestamp", _within(TimestampLoader, *edges))
    aware = tuple(edge.replace(tzinfo=dt.UTC) for edge in edges)
    connection.adapters.register_loader("timestamptz", _within(TimestamptzLoader, *aware))
    connection.adapters.register_loader("date", _within(DateLoader, *(edge.date() for edge in edges)))


def _within(base: Any, first: object, last: object) -> Any:  # noqa: ANN401 - psycopg's loaders
    """A loader that gives an edge for what is beyond it."""
    data_error = _psycopg().DataError

    class Loader(base):  # type: ignore[misc]
        def load(self, data: Any) -> object:  # noqa: ANN401 - bytes of some kind
            try:
                return super().load(data)
            except data_error:
                early = bytes(data).startswith(b"-") or bytes(data).endswith(b"BC")
                return first if early else last

    return Loader
