"""Snowflake, through its own connector: connections by name, answers as Arrow, every query tagged.

The kit stores no credentials: ``connections.toml`` has them, or says how to get them (single sign-on, a key, a token).
(https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-connect, read 2026-11-23; behaviour
checked with connector 5.2.0 against an emulator.)

What is odd:

- A number's Arrow type depends on its batch, an empty answer has no batch at all, and an empty decimal claims to be
  whole: the types of a frame follow the description of the answer instead.
- A timestamp in nanoseconds ends in 2262, so microseconds are asked for: ``9999-12-31`` is a usual end of validity.
- A missing object and one that the role may not see give the same error, on purpose.
"""

from __future__ import annotations

import atexit
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from personas_kit.compiler.source import Column, ColumnType, Schema, Table
from personas_kit.errors import WarehouseError
from personas_kit.warehouses.base import Parameters
from personas_kit.warehouses.frames import MESSAGE_LENGTH, by_name, tidy
from personas_kit.warehouses.interrupts import interruptible

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

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

#: The connector's codes of types in the description of an answer; what is not here arrives as text.
#: (https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api, "Type Codes", read 2026-11-23)
FIXED, ARRAY = 0, 10
DTYPES: Mapping[int, pl.DataType] = {
    1: pl.Float64(),
    3: pl.Date(),
    4: pl.Datetime("us", "UTC"),
    6: pl.Datetime("us", "UTC"),
    7: pl.Datetime("us", "UTC"),
    8: pl.Datetime("us", "UTC"),
    ARRAY: pl.List(pl.String()),
    11: pl.Binary(),
    12: pl.Time(),
    13: pl.Boolean(),
}

#: What to do about an error, by a piece of its words; the first that fits.
HINTS: Mapping[str, str] = {
    "incorrect username or password": "check user and password, key or token under [{name}] in connections.toml",
    "not found in config files": "connections.toml (in ~/.snowflake or $SNOWFLAKE_HOME) has no section [{name}]",
    "failed to parse toml": "mend that line of the file",
    "current database": "set `database` for the connection",
    "no active warehouse": "set `warehouse` for the connection, start it (ALTER WAREHOUSE ... RESUME), "
    "or grant it: GRANT USAGE ON WAREHOUSE ... TO ROLE {role}",
    "cannot be resumed": "its owner can raise the quota of the resource monitor, or name another `warehouse`",
    "suspended": "its owner can start it: ALTER WAREHOUSE ... RESUME",
    "does not exist": "check the name; if it is right, {role} may not see it: "
    "GRANT SELECT ON TABLE ... TO ROLE {role}, and USAGE on its database and schema",
    "insufficient privileges": "ask for the grant: GRANT SELECT ON TABLE ... TO ROLE {role}",
    "failed to login": "check `account` under [{name}] in connections.toml, and the network: proxy, VPN, policy",
}

_COLUMNS = """
SELECT table_catalog, table_schema, table_name, column_name, data_type, numeric_precision, numeric_scale,
       CURRENT_DATABASE(), CURRENT_SCHEMA()
FROM information_schema.columns WHERE table_schema <> 'INFORMATION_SCHEMA'
ORDER BY table_catalog, table_schema, table_name, ordinal_position
"""

#: What the connector and the server put before the words of an error.
_CODES = re.compile(r"^(?:[0-9a-f]{8}-[0-9a-f-]{27}: |\d{6} \(\w{5}\): )+")
_ADDRESS = re.compile(r"https?://\S+")
_TAG = "personas_kit"
_TAG_LENGTH = 2000


class Snowflake:
    """Snowflake by the name of a connection. It connects on the first query, and anew when the session has died.

    An interrupt (Ctrl-C, the stop button) cancels in Snowflake what the session is running there.

    Args:
        connection_name: its name in ``connections.toml``.
        role: used instead of the connection's; so are ``warehouse``, ``database`` and ``schema``.
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
        connections_file: str | Path | None = None,
    ) -> None:
        self._name = connection_name
        chosen = {"role": role, "warehouse": warehouse, "database": database, "schema": schema}
        self._options: dict[str, Any] = {option: value for option, value in chosen.items() if value}
        if connections_file is not None:
            self._options["connections_file_path"] = str(connections_file)
        self._connection: SnowflakeConnection | None = None
        self._opening = threading.Lock()

    def describe(self) -> str:
        """``snowflake · <name of the connection>``."""
        return f"snowflake · {self._name}"

    def schema(self) -> Schema:
        """All tables and views of the connection's database that its role may see, always by three parts.

        Where a name is in several schemas, the bare one is that of the connection's schema, as in SQL.

        Raises:
            WarehouseError: it cannot connect, or the connection has no database.
        """
        found = self.query(_COLUMNS, (), tag="schema").rows()
        by_table = groupby(found, key=lambda line: line[:3])
        tables = {path: Table(path, tuple(_column(*line[3:7]) for line in lines)) for path, lines in by_table}
        here = {path[2]: table for path, table in tables.items() if found and path[:2] == found[0][7:9]}
        return {**by_name(tables.items()), **here}

    def query(self, statement: str, params: Parameters, *, tag: str = "") -> pl.DataFrame:
        """Run one SELECT; see ``Warehouse.query``. Names that are all upper case come back in lower case.

        Args:
            statement: with ``?`` where the values go.
            params: a tuple of the values.
            tag: appended to ``personas_kit`` as the query's ``QUERY_TAG``, seen in the query history.

        Raises:
            WarehouseError: it cannot connect, or Snowflake refuses.
        """
        connector = _connector()
        label = f"{_TAG}: {tag}"[:_TAG_LENGTH] if tag else _TAG
        try:
            return self._run(statement, params, label)
        except connector.Error as error:
            if self._connection is None or self._connection.is_valid():
                raise self._error("Snowflake refused the query", error) from error
        self.close()
        try:
            return self._run(statement, params, label)
        except connector.Error as error:
            raise self._error("Snowflake refused the query", error) from error

    def close(self) -> None:
        """End the session; a further query begins a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            atexit.unregister(self.close)
            connection.close()

    def _run(self, statement: str, params: Parameters, label: str) -> pl.DataFrame:
        connection = self._connected()
        return interruptible(
            lambda: _answer(connection, statement, tuple(params), label), cancel=lambda: _cancel(connection)
        )

    def _connected(self) -> SnowflakeConnection:
        with self._opening:
            if self._connection is None:
                self._connection = self._connect()
                atexit.register(self.close)
            return self._connection

    def _connect(self) -> SnowflakeConnection:
        connector = _connector()
        try:
            connection: SnowflakeConnection = connector.connect(
                connection_name=self._name,
                application=_TAG,
                paramstyle="qmark",
                session_parameters={"TIMEZONE": "UTC", "QUERY_TAG": _TAG},
                arrow_number_to_decimal=True,
                enable_server_session_keep_alive_auto_detection=False,  # no query outlives its session; unset, it warns
                **self._options,
            )
        except connector.Error as error:
            raise self._error("Snowflake cannot be reached", error) from error
        return connection

    def _error(self, what: str, error: Any) -> WarehouseError:  # noqa: ANN401 - the connector may not be installed
        said = _words(error.raw_msg)
        role = self._options.get("role", "the connection's role")
        hint = next((hint for piece, hint in HINTS.items() if piece in said.lower()), "")
        return WarehouseError(f"{what}: {said}", where=self.describe(), hint=hint.format(name=self._name, role=role))


def _connector() -> Any:  # noqa: ANN401 - as above
    """The connector, which is an extra of the kit."""
    try:
        import snowflake.connector  # noqa: PLC0415 - only who uses Snowflake needs it
    except ImportError as error:
        hint = "pip install personas-kit[snowflake]"
        raise WarehouseError("the Snowflake connector is not installed", hint=hint) from error
    return snowflake.connector


def _words(message: str) -> str:
    """What an error says, in one line: no codes, no heading such as ``SQL compilation error:``, no address."""
    lines = [line.strip() for line in _CODES.sub("", message).splitlines() if line.strip()]
    said = next((line for line in lines if not line.endswith(" error:")), "no reason given")
    return _ADDRESS.sub("its address", said)[:MESSAGE_LENGTH].rstrip()


def _column(name: str, declared: str, precision: int | None, scale: int | None) -> Column:
    if declared == "NUMBER":
        return Column(name, "decimal" if scale else "integer", f"NUMBER({precision},{scale})")
    return Column(name, TYPES.get(declared, "other"), declared)


def _answer(connection: SnowflakeConnection, statement: str, params: Sequence[object], label: str) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(statement, params, _statement_params={"QUERY_TAG": label})
        return _frame(cursor)


def _cancel(connection: SnowflakeConnection) -> None:
    """Stop what the session is running, which would go on, and cost, without anybody waiting for it.

    (https://docs.snowflake.com/en/user-guide/querying-cancel-statements, read 2026-11-23)
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT SYSTEM$CANCEL_ALL_QUERIES({connection.session_id:d})")


def _frame(cursor: SnowflakeCursor) -> pl.DataFrame:
    """The answer in polars, batch by batch, in the types and under the names of its description."""
    described = cursor.description or []
    names = _names([column.name for column in described])
    parts = [pl.DataFrame(schema={name: _dtype(column) for name, column in zip(names, described, strict=True)})]
    parts.extend(tidy(part) for part in _batches(cursor, names))
    frame = pl.concat(parts if len(parts) == 1 else parts[1:], how="vertical_relaxed")
    arrays = [name for name, column in zip(names, described, strict=True) if column.type_code == ARRAY]
    return frame.with_columns(listed(frame[name]) for name in arrays)


def _batches(cursor: SnowflakeCursor, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    for batch in cursor.fetch_arrow_batches(force_microsecond_precision=True):
        if batch.num_rows:  # the types of an empty one mean nothing
            yield pl.DataFrame(batch.rename_columns(list(names)))


def _names(described: Sequence[str]) -> list[str]:
    """Unquoted names come back in upper case: lower them, unless that makes two the same."""
    lowered = [name.lower() if name == name.upper() else name for name in described]
    return lowered if len(set(lowered)) == len(lowered) else list(described)


def _dtype(column: Any) -> pl.DataType:  # noqa: ANN401 - one of the connector's ResultMetadata
    if column.type_code == FIXED:
        return pl.Decimal(column.precision, column.scale) if column.scale else pl.Int64()
    return DTYPES.get(column.type_code, pl.String())


def listed(texts: pl.Series) -> pl.Series:
    """An ``ARRAY``, which arrives as the text of a JSON array, as a list: of text where its elements differ in type."""
    if texts.dtype != pl.String:
        return texts
    lists = texts.str.json_decode(infer_schema_length=None)
    return lists.cast(pl.List(pl.String)) if lists.dtype in (pl.Null, pl.List(pl.Null)) else lists
