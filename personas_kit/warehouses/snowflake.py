"""Snowflake, through its own connector: connections by name, answers as Arrow, every query tagged.

The kit stores no credentials: ``connections.toml`` has them, or says how to get them (single sign-on, a key, a token).
(https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-connect, read 2026-11-23; behaviour
checked with connector 5.2.0 against an emulator. ``docs/snowflake.md`` lists what only a live account can prove.)

What is odd:

- A query is submitted and then asked about, so that it has an id to cancel from the first moment on, and so that a
  person hears whether it runs or still waits for the warehouse to resume.
- A missing object and one that the role may not see give the same error, on purpose.
- An account may set QUOTED_IDENTIFIERS_IGNORE_CASE, which makes quoted names mean others; the session resets it.
"""

from __future__ import annotations

import itertools
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from personas_kit.compiler.source import Column, ColumnType, Schema, Table
from personas_kit.errors import WarehouseError
from personas_kit.warehouses.base import Estimate, Parameters
from personas_kit.warehouses.frames import by_name, only_select
from personas_kit.warehouses.interrupts import interruptible
from personas_kit.warehouses.keeping import Keeper
from personas_kit.warehouses.one_session import OneSession
from personas_kit.warehouses.snowflake_answers import frames, joined
from personas_kit.warehouses.snowflake_errors import hint_for, words_of
from personas_kit.warehouses.snowflake_keeper import SnowflakeKeeper
from personas_kit.warehouses.snowflake_loading import loading, quoted

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

T = TypeVar("T")

#: Snowflake's names of types in ``INFORMATION_SCHEMA.COLUMNS`` but ``NUMBER``, which is told by its scale.
#: (https://docs.snowflake.com/en/sql-reference/intro-summary-data-types, read 2026-11-23)
TYPES: Mapping[str, ColumnType] = {
    "TEXT": "text",
    "UUID": "text",
    "FLOAT": "float",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP_NTZ": "timestamp",
    "TIMESTAMP_LTZ": "timestamp_tz",
    "TIMESTAMP_TZ": "timestamp_tz",
    "VARIANT": "json",
    "OBJECT": "json",
    "MAP": "json",
    "ARRAY": "list",
}

#: What an account or a user may have set otherwise, and the kit relies on.
#: (https://docs.snowflake.com/en/sql-reference/parameters, read 2026-11-27)
SESSION: Mapping[str, object] = {
    "TIMEZONE": "UTC",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "MULTI_STATEMENT_COUNT": 1,
    "AUTOCOMMIT": True,
    "ROWS_PER_RESULTSET": 0,  # a limit would cut answers short, and say nothing
    "DATE_INPUT_FORMAT": "AUTO",  # how texts become times, those that are bound among them
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "STRICT_JSON_OUTPUT": True,  # a list arrives as JSON; else it may have ``undefined`` in it
}
#: What a query does before it is done, by the connector's name for it.
DOING: Mapping[str, str] = {
    "QUEUED": "queued behind other queries",
    "RESUMING_WAREHOUSE": "waiting for the warehouse to resume",
    "QUEUED_REPARING_WAREHOUSE": "waiting for the warehouse to be repaired",
    "BLOCKED": "waiting for a lock",
}
#: Seconds between two questions whether a query is done: few where it is quick, none too many where it is not.
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

_COLUMNS = """
SELECT table_catalog, table_schema, table_name, column_name, data_type, numeric_precision, numeric_scale,
       CURRENT_DATABASE(), CURRENT_SCHEMA()
FROM information_schema.columns WHERE table_schema <> 'INFORMATION_SCHEMA'
ORDER BY table_catalog, table_schema, table_name, ordinal_position
"""

TAG = json.dumps({"app": "personas_kit"})
_APPLICATION = "personas_kit"
_TAG_LENGTH = 2000
_TIMED_OUT = 630


class Snowflake:
    """Snowflake by the name of a connection. It connects on the first query, and anew when the session has died.

    An interrupt (Ctrl-C, the stop button) cancels the query in Snowflake.

    Args:
        connection_name: its name in ``connections.toml``.
        role: used instead of the connection's; so are ``warehouse``, ``database`` and ``schema``.
        timeout: seconds that one query may take, and may wait for its warehouse.
        connections_file: read instead of the connector's own ``connections.toml``.
    """

    dialect = "snowflake"

    def __init__(
        self,
        connection_name: str,
        *,
        role: str | None = None,
        warehouse: str | None = None,
        database: str | None = None,
        schema: str | None = None,
        timeout: float | None = None,
        connections_file: str | Path | None = None,
    ) -> None:
        self._name = connection_name
        self._timeout = timeout
        chosen = {"role": role, "warehouse": warehouse, "database": database, "schema": schema}
        self._options: dict[str, Any] = {option: value for option, value in chosen.items() if value}
        if connections_file is not None:
            self._options["connections_file_path"] = str(connections_file)
        self._session: OneSession[SnowflakeConnection] = OneSession(lambda: self._connect({}))
        self._keepers: list[SnowflakeKeeper] = []

    def describe(self) -> str:
        """``snowflake · <name of the connection>``."""
        return f"snowflake · {self._name}"

    def schema(self) -> Schema:
        """All tables and views of the connection's database that its role may see, always by three parts.

        Where a name is in several schemas, the bare one is that of the connection's schema, as in SQL.

        Raises:
            WarehouseError: it cannot connect, or the connection has no database.
        """
        kept = {keeper.schema.upper() for keeper in self._keepers}
        found = [line for line in self.query(_COLUMNS, ()).rows() if line[1] not in kept]
        by_table = groupby(found, key=lambda line: line[:3])
        tables = {path: Table(path, tuple(_column(*line[3:7]) for line in lines)) for path, lines in by_table}
        here = {path[2]: table for path, table in tables.items() if found and path[:2] == found[0][7:9]}
        return {**by_name(tables.items()), **here}

    def query(self, statement: str, params: Parameters, *, tag: str = "") -> pl.DataFrame:
        """Run one SELECT; see ``Warehouse.query``. Names that are all upper case come back in lower case.

        Args:
            statement: with ``?`` where the values go.
            params: a tuple of the values.
            tag: the query's ``QUERY_TAG``, seen in the query history.

        Raises:
            WarehouseError: it cannot connect, or Snowflake refuses.
        """
        only_select(statement, self.describe())

        def whole(connection: SnowflakeConnection) -> pl.DataFrame:
            with self._answered(connection, statement, params, tag) as cursor:
                return self._patiently(lambda: joined(list(frames(cursor))), cursor)

        return self._retried(whole)

    def batches(self, statement: str, params: Parameters, *, tag: str = "") -> Iterator[pl.DataFrame]:
        """The answer in the batches in which Snowflake keeps it; see ``Warehouse.batches``."""
        only_select(statement, self.describe())

        def first(connection: SnowflakeConnection) -> tuple[Any, SnowflakeCursor]:
            answered = self._answered(connection, statement, params, tag)
            return answered, answered.__enter__()

        answered, cursor = self._retried(first)
        try:
            parts = frames(cursor)
            while (part := self._patiently(lambda: next(parts, None), cursor)) is not None:
                yield part
        except _connector().Error as error:
            raise self._error("Snowflake's answer was cut off", error) from None
        finally:
            answered.__exit__(None, None, None)

    def estimate(self, statement: str, params: Parameters) -> Estimate | None:
        """What Snowflake expects to read, at most: EXPLAIN compiles the statement, and needs no running warehouse.

        (https://docs.snowflake.com/en/sql-reference/sql/explain, read 2026-11-23)

        Raises:
            WarehouseError: the statement itself would fail.
        """

        def asked(connection: SnowflakeConnection) -> str:
            with closing(connection.cursor()) as cursor:
                cursor.execute(f"EXPLAIN USING JSON {statement}", tuple(params), _statement_params={"QUERY_TAG": TAG})
                (content,) = cursor.fetchone() or ("",)
                return str(content)

        figures = json.loads(self._retried(asked))["GlobalStats"]
        return Estimate(figures["bytesAssigned"], figures["partitionsAssigned"], figures["partitionsTotal"])

    def write(self, table: str, frame: pl.DataFrame) -> None:
        """Make a table of the frame by way of a file and a stage of its own; see ``Warehouse.write``.

        (https://docs.snowflake.com/en/sql-reference/sql/copy-into-table, read 2026-11-23)

        Raises:
            WarehouseError: it cannot connect, or the role may not create tables or stages there.
        """
        *place, name = table.split(".")
        mark = f"personas_kit_{secrets.token_hex(6)}"
        target, fresh = (".".join(quoted(part) for part in [*place, end]) for end in (name, mark))
        with loading(".".join([*place, mark]), frame) as (made, cleared):
            self._executed(
                *made,
                f"CREATE OR REPLACE TRANSIENT TABLE {target} COPY GRANTS AS SELECT * FROM {fresh}",  # noqa: S608 - quoted
                finally_=(f"DROP TABLE IF EXISTS {fresh}", *cleared),
            )

    def drop(self, table: str) -> None:
        """Drop a table that ``write`` made, named as it was for that; one that does not exist is gone already.

        Raises:
            WarehouseError: it cannot connect, or the role may not.
        """
        name = ".".join(quoted(part) for part in table.split("."))
        self._executed(f"DROP TABLE IF EXISTS {name}", finally_=())

    def keeper(self, schema: str, *, idle: float) -> Keeper:  # noqa: ARG002 - Snowflake has a limit of its own
        """A schema of the connection's database; see ``Warehouse.keeper``."""
        self._keepers.append(SnowflakeKeeper(self, schema.lower(), self._connect, self._explained))
        return self._keepers[-1]

    def close(self) -> None:
        """End every session; a further query begins a new one."""
        for keeper in self._keepers:
            keeper.close()
        self._session.end()

    # ------------------------------------------------------------------------------------------------------- a session

    def _retried(self, work: Callable[[SnowflakeConnection], T]) -> T:
        """The work, and once more if the session has died: it only reads."""
        error_class, connection = _connector().Error, self._session.get()
        try:
            return work(connection)
        except error_class as error:
            if connection.is_valid():
                raise self._error("Snowflake refused the query", error) from None
        self._session.end(connection)
        try:
            return work(self._session.get())
        except error_class as error:
            raise self._error("Snowflake refused the query", error) from None

    def _executed(self, *statements: str, finally_: tuple[str, ...]) -> None:
        """Statements that write, one after the other; what clears up is done in every case, and hides no error."""
        refused = self._tried(statements, "Snowflake refused to write")
        left = self._tried(finally_, "Snowflake refused to clear up")
        for problem in (refused, left):
            if problem is not None:
                raise problem

    def _tried(self, statements: Iterable[str], failing: str) -> WarehouseError | None:
        try:
            with closing(self._session.get().cursor()) as cursor:
                for statement in statements:
                    cursor.execute(statement)
        except _connector().Error as error:
            return self._error(failing, error)
        return None

    def _connect(self, more: Mapping[str, object]) -> SnowflakeConnection:
        connector = _connector()
        session: dict[str, Any] = {**SESSION, "QUERY_TAG": TAG, **more}
        if self._timeout is not None:
            limits = ("STATEMENT_TIMEOUT_IN_SECONDS", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS")
            session |= dict.fromkeys(limits, int(self._timeout))
        try:
            connection: SnowflakeConnection = connector.connect(
                connection_name=self._name,
                application=_APPLICATION,
                paramstyle="qmark",
                session_parameters=session,
                arrow_number_to_decimal=True,
                enable_server_session_keep_alive_auto_detection=False,  # no query outlives its session; unset, it warns
                **self._options,
            )
        except connector.Error as error:
            raise self._error("Snowflake cannot be reached", error) from None
        return connection

    # ---------------------------------------------------------------------------------------------------------- a query

    @contextmanager
    def _answered(
        self, connection: SnowflakeConnection, statement: str, params: Parameters, tag: str
    ) -> Iterator[SnowflakeCursor]:
        """A cursor whose query is done: submitted, and asked about until it is."""
        with closing(connection.cursor()) as cursor:
            label = {"QUERY_TAG": (tag or TAG)[:_TAG_LENGTH]}
            asked = _Asked(connection, cursor)
            interruptible(
                lambda: asked.done(statement, params, label),
                cancel=asked.cancel,
                where=self.describe(),
                doing=lambda: asked.state,
            )
            yield cursor

    def _patiently(self, work: Callable[[], T], cursor: SnowflakeCursor) -> T:
        """Fetching: an interrupt lets go of the answer."""
        return interruptible(work, cancel=cursor.close, where=self.describe(), doing=lambda: "fetching")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """The connector's errors as the kit's."""
        try:
            yield
        except _connector().Error as error:
            raise self._error("Snowflake refused the statement", error) from None

    def _error(self, what: str, error: Any) -> WarehouseError:  # noqa: ANN401 - the connector may not be installed
        if error.errno == _TIMED_OUT and self._timeout is not None:
            late = f"it took longer than {self._timeout:,.0f} s and was cancelled"
            return WarehouseError(
                late, where=self.describe(), hint="raise `timeout` under [warehouse], or ask for less"
            )
        said = words_of(error.raw_msg or str(error))
        role = self._options.get("role", "the connection's role")
        return WarehouseError(f"{what}: {said}", where=self.describe(), hint=hint_for(said, name=self._name, role=role))


def _connector() -> Any:  # noqa: ANN401 - as above
    """The connector, which is an extra of the kit."""
    try:
        import snowflake.connector  # noqa: PLC0415 - only who uses Snowflake needs it
    except ImportError as error:
        hint = "pip install personas-kit[snowflake]"
        raise WarehouseError("the Snowflake connector is not installed", hint=hint) from error
    return snowflake.connector


class _Asked:
    """A query that is submitted and asked about until it is done, and that can be cancelled from another thread."""

    def __init__(self, connection: SnowflakeConnection, cursor: SnowflakeCursor) -> None:
        self._connection = connection
        self._cursor = cursor
        self._cancelled = threading.Event()
        self.state = "submitting"

    def done(self, statement: str, params: Parameters, label: Mapping[str, str]) -> None:
        """Returns when the cursor has the answer."""
        self._cursor.execute_async(statement, tuple(params), _statement_params=dict(label))
        query_id = self._cursor.sfqid or ""
        pauses = itertools.chain(PAUSES, itertools.repeat(PAUSES[-1]))
        while self._connection.is_still_running(status := self._connection.get_query_status_throw_if_error(query_id)):
            self.state = DOING.get(status.name, "running")
            if self._cancelled.wait(next(pauses)):
                self._cursor.abort_query(query_id)
                self._cancelled.clear()
        self._cursor.query_result(query_id)

    def cancel(self) -> None:
        """Stop the query in Snowflake, where it would go on, and cost, without anybody waiting for it."""
        self._cancelled.set()


def _column(name: str, declared: str, precision: int | None, scale: int | None) -> Column:
    if declared == "NUMBER":
        return Column(name, "decimal" if scale else "integer", f"NUMBER({precision},{scale})")
    return Column(name, TYPES.get(declared, "other"), declared)
