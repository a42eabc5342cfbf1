"""The warehouses that have to answer alike. A new one is a fixture here and its name in ``BACKENDS``."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest

from personas_kit.compiler.source import ColumnType, Table
from personas_kit.warehouses.base import Parameters, Warehouse
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.warehouses.postgres import Postgres
from personas_kit.warehouses.snowflake import Snowflake
from tests.postgres_server.server import Server
from tests.snowflake_emulator.emulator import Emulator, running
from tests.warehouses.texts import TEXTS

BACKENDS = [
    "duckdb",
    "duckdb_files",
    pytest.param("snowflake", marks=pytest.mark.emulator),
    pytest.param("postgres", marks=pytest.mark.postgres),
]


@dataclass(frozen=True)
class Backend:
    """A warehouse with the shop in it, whose tables and columns bear the warehouse's own names.

    Attributes:
        hurried: the same one, with a time-out of a second.
        slow: a statement that runs for a minute at least.
    """

    name: str
    warehouse: Warehouse
    hurried: Warehouse
    slow: str

    @property
    def none(self) -> Parameters:
        """No bound values."""
        return {} if self.warehouse.dialect == "duckdb" else ()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Ctrl-C, half a second on."""
        timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
        timer.start()
        yield
        timer.join()

    def table(self, name: str) -> Table:
        """The table by its name, whatever its case."""
        return next(table for known, table in self.warehouse.schema().items() if known.casefold() == name)

    def query(self, statement: str, *, tag: str = "", **values: object) -> pl.DataFrame:
        """Run a statement in which ``{name}`` is a table of the shop or a bound value."""
        named = self.warehouse.dialect == "duckdb"
        used = re.findall(r"{(\w+)}", statement)
        bound = [name for name in used if name in values]
        tables = {name: self.quoted(name) for name in used if name not in values}
        params: Parameters = values if named else tuple(values[name] for name in bound)
        numbered = {name: f"${at}" for at, name in enumerate(bound, 1)}
        placeholders = numbered if self.warehouse.dialect == "postgres" else dict.fromkeys(bound, "?")
        placeholders = {name: f"${name}" for name in values} if named else placeholders
        return self.warehouse.query(statement.format(**placeholders, **tables), params, tag=tag)

    def quoted(self, name: str) -> str:
        """The table's name as SQL."""
        return ".".join(f'"{part}"' for part in self.table(name).parts)


# --------------------------------------------------------------------------------------------------------------- gaps


def pytest_configure(config: pytest.Config) -> None:
    line = "gap(backend, raises, reason): this backend fails so; once it does not, the mark has to go"
    config.addinivalue_line("markers", line)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each warehouse in turn."""
    for gap in request.node.iter_markers("gap"):
        if gap.args == (request.param,):
            request.applymarker(pytest.mark.xfail(strict=True, **gap.kwargs))
    found: Backend = request.getfixturevalue(f"{request.param}_backend")
    return found


# ----------------------------------------------------------------------------------------------------------- the shop

DUCKDB_TYPES: Mapping[ColumnType, str] = {
    "text": "VARCHAR",
    "integer": "INTEGER",
    "float": "DOUBLE",
    "decimal": "DECIMAL(10, 2)",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "timestamp_tz": "TIMESTAMPTZ",
    "date": "DATE",
    "json": "JSON",
    "list": "VARCHAR[]",
}
DUCKDB_SLOW = "SELECT COUNT(*) FROM range(1000000) a(i), range(1000000) b(j) WHERE hash(i, j) = 3"
SNOWFLAKE_TYPES: Mapping[ColumnType, str] = {
    "text": "TEXT",
    "integer": "INTEGER",
    "float": "FLOAT",
    "decimal": "NUMBER(10, 2)",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP_NTZ",
    "timestamp_tz": "TIMESTAMP_TZ",
    "date": "DATE",
    "json": "VARIANT",
    "list": "ARRAY",
}
POSTGRES_TYPES: Mapping[ColumnType, str] = {
    "text": "TEXT",
    "integer": "INTEGER",
    "float": "DOUBLE PRECISION",
    "decimal": "NUMERIC(10, 2)",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "timestamp_tz": "TIMESTAMPTZ",
    "date": "DATE",
    "json": "JSONB",
    "list": "TEXT[]",
}
#: Members with a column of every type: one usual, one all missing, one at the edges.
USUAL = (
    "'u1', 'Zoë \U0001f389 O''Neill', 7, 0.1, 12.50, TRUE, CAST('2026-01-02 03:04:05.678901' AS {timestamp}), "
    "CAST('2026-01-02 03:04:05+02:00' AS {timestamp_tz}), CAST('2026-01-02' AS DATE), {object}, {array}"
)
MISSING = ", ".join(["'u2'", *["NULL"] * 10])
EDGES = (
    "'u3', '', -2147483648, 1e300, -99999999.99, FALSE, CAST('9999-12-31 00:00:00' AS {timestamp}), "
    "CAST('1900-01-01 00:00:00+00:00' AS {timestamp_tz}), CAST('0001-01-01' AS DATE), NULL, {empty}"
)


def shop(types: Mapping[ColumnType, str], values: Mapping[str, str], many: str, deeds: str) -> list[str]:
    """The statements that make the shop."""
    columns = ", ".join(f"{kind}_ {types[kind]}" for kind in types)
    filled = [line.format_map({**types, **values}) for line in (USUAL, MISSING, EDGES)]
    return [
        f"CREATE TABLE people (user_id {types['text']}, {columns})",
        *(f"INSERT INTO people SELECT {line}" for line in filled),
        f"CREATE TABLE many AS {many}",
        f"CREATE TABLE deeds AS {deeds}",
        'CREATE TABLE "Order" ("Line No" INTEGER, "select" VARCHAR, plain INTEGER)',
        "INSERT INTO \"Order\" VALUES (1, 'keyword', 2)",
    ]


def source_tables(types: Mapping[ColumnType, str]) -> list[str]:
    """The statements that make users, accounts, memberships and events, for what the compiler writes."""
    text, whole, amount, time = types["text"], types["integer"], types["decimal"], types["timestamp"]
    lines = {
        f"users (user_id {text}, name {text}, plan {text}, age {whole}, created_at {time})": [
            "('u1', 'Zoë O''Neill', 'pro', 30, '2025-01-01')",
            "('u2', 'Ann', 'free', 17, '2025-01-01')",
            "('u3', 'Bo', NULL, NULL, '2026-01-15')",
            "('u4', 'Later', 'pro', 40, '2026-03-02')",
        ],
        f"accounts (account_id {text}, kind {text})": ["('a1', 'company')", "('a2', 'personal')"],
        f"memberships (user_id {text}, account_id {text}, valid_from {time}, valid_to {time})": [
            "('u1', 'a1', '2025-01-01', NULL)",
            "('u2', 'a1', '2025-01-01', '2026-02-01')",
            "('u3', 'a2', '2026-01-15', '9999-12-31')",
        ],
        f"events (message_id {text}, event {text}, sent_at {time}, user_id {text}, group_id {text}, paid {amount})": [
            "('e1', 'Order Completed', '2026-02-20 10:00:00', 'u1', 'a1', 10.50)",
            "('e2', 'Order Completed', '2026-02-25 10:00:00', 'u1', 'a1', 20)",
            "('e3', 'Order Completed', '2026-01-01 10:00:00', 'u2', 'a1', 5)",
            "('e4', 'Order Completed', '2026-03-02 10:00:00', 'u3', 'a2', 99)",
            "('e5', 'Signed In', '2026-02-28 10:00:00', 'u2', 'a1', NULL)",
            "('e6', 'Signed In', '2026-02-28 10:00:00', 'u3', 'a2', NULL)",
        ],
    }
    document = {"JSON": "'{}'", "JSONB": "'{}'", "VARIANT": "PARSE_JSON('{}')"}[types["json"]]
    readings = [
        f"INSERT INTO readings SELECT 'Read', '2026-02-20', 'r{at}', " + document.format(f'{{"text": "{said}"}}')
        for at, (said, _, _) in enumerate(TEXTS)
    ]
    lines[f"readers (user_id {text})"] = [f"('r{at}')" for at, _ in enumerate(TEXTS)]
    creates = [f"CREATE TABLE readings (event {text}, sent_at {time}, user_id {text}, document {types['json']})"]
    creates += [*readings, *(f"CREATE TABLE {table}" for table in lines)]
    return creates + [f"INSERT INTO {table.split()[0]} VALUES {', '.join(values)}" for table, values in lines.items()]


@pytest.fixture(scope="session")
def duckdb_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.duckdb"
    values = {"object": """'{"plan": "pro"}'""", "array": "['a', NULL]", "empty": "[]"}
    many = "SELECT 'u' || i AS user_id, i AS orders FROM range(1000000) numbers(i)"
    deeds = (
        "SELECT 'd' || i AS id, 'Did' AS event, TIMESTAMP '2026-02-20' AS sent_at, "
        "'u' || (i % 1000) AS user_id, "
        """CAST('{"n": ' || (i % 7) || ', "plan": "' || CASE i % 2 WHEN 0 THEN 'pro' ELSE 'free' END || '"}' AS JSON)"""
        " AS document FROM range(500000) numbers(i)"
    )
    with duckdb.connect(path) as con:
        for statement in shop(DUCKDB_TYPES, values, many, deeds) + source_tables(DUCKDB_TYPES):
            con.execute(statement)
    return path


@pytest.fixture(scope="session")
def duckdb_backend(duckdb_file: Path) -> Backend:
    return Backend("duckdb", DuckDB(duckdb_file), DuckDB(duckdb_file, timeout=1), DUCKDB_SLOW)


@pytest.fixture(scope="session")
def duckdb_files_backend(duckdb_file: Path) -> Backend:
    """The same shop, as Parquet."""
    with duckdb.connect(duckdb_file, read_only=True) as con:
        names = [name for (name,) in con.execute("SHOW TABLES").fetchall()]
        for name in names:
            con.execute(f"""COPY "{name}" TO '{duckdb_file.with_name(f"{name}.parquet")}'""")
    files = {name: f"{name}.parquet" for name in names}
    where = {"files": files, "base": duckdb_file.parent}
    return Backend("duckdb_files", DuckDB(**where), DuckDB(**where, timeout=1), DUCKDB_SLOW)


@pytest.fixture(scope="session")
def emulator(home: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Emulator]:
    pytest.importorskip("snowflake.connector", reason="the extra personas-kit[snowflake] is not installed")
    with running(tmp_path_factory.mktemp("snowflake")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def snowflake_backend(emulator: Emulator) -> Generator[Backend]:
    values = {
        "object": """PARSE_JSON('{"plan": "pro"}')""",
        "array": """PARSE_JSON('["a", null]')""",
        "empty": "PARSE_JSON('[]')",
    }
    numbers = "SELECT ROW_NUMBER() OVER (ORDER BY NULL) - 1 AS i FROM TABLE(GENERATOR(ROWCOUNT => 1000000))"
    many = f"SELECT 'u' || i AS user_id, i AS orders FROM ({numbers})"
    deeds = (
        "SELECT 'd' || i AS id, 'Did' AS event, '2026-02-20'::TIMESTAMP_NTZ AS sent_at, "
        "'u' || (i % 1000) AS user_id, "
        """PARSE_JSON('{"n": ' || (i % 7) || ', "plan": "' || CASE i % 2 WHEN 0 THEN 'pro' ELSE 'free' END || '"}') """
        f"AS document FROM ({numbers.replace('1000000', '500000')})"
    )
    emulator.run(*shop(SNOWFLAKE_TYPES, values, many, deeds), *source_tables(SNOWFLAKE_TYPES))
    where = {"connections_file": emulator.connections}
    warehouse, hurried = Snowflake("emulator", **where), Snowflake("emulator", timeout=1, **where)
    yield Backend("snowflake", warehouse, hurried, "SELECT 1 AS one /* wait */")
    warehouse.close()
    hurried.close()


@pytest.fixture(scope="session")
def postgres_backend(server: Server) -> Generator[Backend]:
    values = {"object": """'{"plan": "pro"}'""", "array": "ARRAY['a', NULL]", "empty": "ARRAY[]::TEXT[]"}
    many = "SELECT 'u' || i AS user_id, i AS orders FROM generate_series(0, 999999) AS numbers(i)"
    deeds = (
        "SELECT 'd' || i AS id, 'Did' AS event, TIMESTAMP '2026-02-20' AS sent_at, "
        "'u' || (i % 1000) AS user_id, "
        """CAST('{"n": ' || (i % 7) || ', "plan": "' || """
        """CASE i % 2 WHEN 0 THEN 'pro' ELSE 'free' END || '"}' AS JSONB)"""
        " AS document FROM generate_series(0, 499999) AS numbers(i)"
    )
    server.run(*shop(POSTGRES_TYPES, values, many, deeds), *source_tables(POSTGRES_TYPES))
    warehouse, hurried = Postgres("shop"), Postgres("shop", timeout=1)
    yield Backend("postgres", warehouse, hurried, "SELECT COUNT(*) FROM (SELECT pg_sleep(60)) AS slowly")
    warehouse.close()
    hurried.close()
