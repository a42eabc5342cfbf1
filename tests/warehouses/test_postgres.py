"""What is PostgreSQL's own: services, roles, its types, and what it says when it refuses. The server is a real one."""

from __future__ import annotations

import datetime as dt
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from personas_kit.compiler import SourceSettings, bind, compile_definition
from personas_kit.compiler.settings import EventSettings, UserSettings
from personas_kit.definitions import Audience, event, trait
from personas_kit.errors import WarehouseError
from personas_kit.secret import Secret
from personas_kit.warehouses.postgres import Postgres
from tests.postgres_server.server import PASSWORD, Server

needs_server = pytest.mark.postgres
INSTANT = pl.Datetime("us", "UTC")
AS_OF = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
ONE = "6f1b1a2e-0000-4000-8000-000000000001"


@pytest.fixture
def warehouse(server: Server) -> Iterator[Postgres]:
    warehouse = Postgres("shop")
    yield warehouse
    warehouse.close()


# --------------------------------------------------------------------------------------------- connection and session


@needs_server
def test_it_connects_on_the_first_query_by_service_or_by_address(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", server.url)
    for warehouse in (Postgres("shop"), Postgres(url=Secret("env", "SHOP_URL"))):
        assert warehouse._session._connection is None
        found = warehouse.query(
            "SELECT current_setting('TimeZone') AS zone, current_setting('application_name') AS name", ()
        )
        assert found.row(0) == ("UTC", "personas_kit")
        assert PASSWORD not in warehouse.describe() + repr(warehouse)
        warehouse.close()

    assert Postgres("shop").describe() == "postgres · shop"
    assert Postgres(url=Secret("env", "SHOP_URL")).describe() == "postgres · SHOP_URL"


@needs_server
def test_the_session_only_reads(server: Server, warehouse: Postgres) -> None:
    server.run("CREATE TABLE IF NOT EXISTS untouched (n INTEGER)")

    for statement, why in (
        ("WITH made AS (INSERT INTO untouched VALUES (1) RETURNING n) SELECT n FROM made", "read-only transaction"),
        ("DROP TABLE untouched", "exactly one SELECT"),
    ):
        with pytest.raises(WarehouseError, match=why):
            warehouse.query(statement, ())

    assert warehouse.query("SELECT COUNT(*) AS n FROM untouched", ())["n"].to_list() == [0]


@needs_server
def test_a_role_sees_what_it_was_granted(server: Server) -> None:
    server.run(
        "DROP SCHEMA IF EXISTS granted CASCADE",
        "DROP ROLE IF EXISTS analyst",
        "CREATE ROLE analyst",
        "GRANT analyst TO kit",
        "CREATE SCHEMA granted",
        "GRANT USAGE ON SCHEMA granted TO analyst",
        "CREATE TABLE granted.seen (user_id TEXT)",
        "CREATE TABLE granted.hidden (user_id TEXT)",
        "GRANT SELECT ON granted.seen TO analyst",
    )
    analyst = Postgres("shop", role="analyst", schema="granted")

    schema = analyst.schema()
    assert schema["seen"].parts == ("granted", "seen")
    assert "hidden" not in schema
    with pytest.raises(WarehouseError) as raised:
        analyst.query("SELECT * FROM granted.hidden", ())
    assert raised.value.what == "PostgreSQL refused the query: permission denied for table hidden"
    assert "GRANT SELECT ON TABLE ... TO analyst" in raised.value.hint
    analyst.close()


@needs_server
def test_several_threads_ask_and_each_gets_its_own_answer(warehouse: Postgres) -> None:
    def asked(number: int) -> object:
        return warehouse.query(f"SELECT {number} AS n FROM generate_series(1, 2000)", ())["n"].unique().to_list()

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(asked, range(40))] == [[number] for number in range(40)]


def test_a_session_that_died_is_begun_anew(server: Server, warehouse: Postgres) -> None:
    pid = warehouse.query("SELECT pg_backend_pid() AS pid", ())["pid"][0]

    server.run(f"SELECT pg_terminate_backend({pid})")

    assert warehouse.query("SELECT $1 AS two", (2,))["two"].to_list() == [2]


@needs_server
def test_every_query_bears_its_tag_which_cannot_end_its_comment(server: Server, warehouse: Postgres) -> None:
    tag = '{"key": "x */ DROP TABLE people; /*"}'
    seen: list[str] = []

    def look() -> None:
        with server.connect() as connection:
            for _ in range(100):
                running = "SELECT query FROM pg_stat_activity WHERE query LIKE '/* {%pg_sleep%'"
                found = connection.execute(running).fetchall()
                if found:
                    seen.extend(query for (query,) in found)
                    return
                time.sleep(0.02)

    looking = threading.Thread(target=look)
    looking.start()
    warehouse.query("SELECT COUNT(*) AS n FROM (SELECT pg_sleep(1)) AS s", (), tag=tag)
    looking.join()

    assert seen == ['/* {"key": "x * / DROP TABLE people; / *"} */ SELECT COUNT(*) AS n FROM (SELECT pg_sleep(1)) AS s']


# -------------------------------------------------------------------------------------------------------------- types


@needs_server
def test_every_kind_of_table_is_seen_and_partitions_are_not(server: Server, warehouse: Postgres) -> None:
    server.run(
        "DROP SCHEMA IF EXISTS kinds CASCADE",
        "CREATE SCHEMA kinds",
        "CREATE TABLE kinds.plain (a INTEGER)",
        "CREATE VIEW kinds.seen AS SELECT a FROM kinds.plain",
        "CREATE MATERIALIZED VIEW kinds.kept AS SELECT a FROM kinds.plain",
        "CREATE TABLE kinds.parted (at DATE) PARTITION BY RANGE (at)",
        "CREATE TABLE kinds.parted_2026 PARTITION OF kinds.parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    )

    found = {name for name in warehouse.schema() if name.startswith("kinds.")}

    assert found == {"kinds.plain", "kinds.seen", "kinds.kept", "kinds.parted"}


@needs_server
def test_a_bare_name_is_that_of_the_search_path(server: Server) -> None:
    server.run(
        "DROP SCHEMA IF EXISTS one CASCADE", "DROP SCHEMA IF EXISTS two CASCADE",
        "CREATE SCHEMA one", "CREATE SCHEMA two",
        "CREATE TABLE one.twins (a INTEGER)", "CREATE TABLE two.twins (a INTEGER)",
    )  # fmt: skip
    for schema in ("one", "two"):
        warehouse = Postgres("shop", schema=schema)
        assert warehouse.schema()["twins"].parts == (schema, "twins")
        warehouse.close()


@needs_server
def test_its_own_types_are_the_kits(server: Server, warehouse: Postgres) -> None:
    server.run(
        "DROP SCHEMA IF EXISTS odd CASCADE",
        "CREATE SCHEMA odd",
        "CREATE TYPE odd.mood AS ENUM ('sad', 'glad')",
        "CREATE DOMAIN odd.address AS VARCHAR(200)",
        "CREATE DOMAIN odd.amount AS NUMERIC(12, 2)",
        "CREATE TABLE odd.types (a UUID, b odd.mood, c odd.address, d odd.amount, e NUMERIC(9, 0), f NUMERIC, g JSON, "
        "h INTEGER[], i BYTEA, j INTERVAL, k TIME, l INET, m CHAR(3), n TIMESTAMPTZ)",
        f"INSERT INTO odd.types VALUES ('{ONE}', 'glad', 'x', 1.50, 7, 0.1, '{{\"a\": 1}}', "
        "ARRAY[1, NULL], 'b', '1 day', '10:00', '10.0.0.1', 'ab', 'infinity')",
        "INSERT INTO odd.types (n) VALUES ('-infinity')",
    )

    types = {column.name: column.type for column in warehouse.schema()["odd.types"].columns}
    found = warehouse.query("SELECT * FROM odd.types ORDER BY a", ())

    assert types == {
        "a": "text", "b": "text", "c": "text", "d": "decimal", "e": "integer", "f": "decimal", "g": "json", "h": "list",
        "i": "other", "j": "other", "k": "other", "l": "other", "m": "text", "n": "timestamp_tz",
    }  # fmt: skip
    line = found.row(0, named=True)
    assert (line["a"], line["b"], line["c"], str(line["d"]), line["e"], line["f"]) == (
        "6f1b1a2e-0000-4000-8000-000000000001", "glad", "x", "1.50", 7, 0.1,
    )  # fmt: skip
    assert (line["g"], line["h"], line["k"], line["m"]) == ('{"a": 1}', [1, None], dt.time(10), "ab ")
    assert found.schema["n"] == INSTANT
    assert found["n"].to_list() == [dt.datetime(9999, 12, 31, tzinfo=dt.UTC), dt.datetime(1, 1, 1, tzinfo=dt.UTC)]


@needs_server
def test_ids_that_are_uuids_and_enums_compare_with_texts(server: Server, warehouse: Postgres) -> None:
    first, second = (f"6f1b1a2e-0000-4000-8000-00000000000{n}" for n in (1, 2))
    server.run(
        "DROP SCHEMA IF EXISTS uuids CASCADE",
        "CREATE SCHEMA uuids",
        "CREATE TYPE uuids.plan AS ENUM ('pro', 'free')",
        "CREATE TABLE uuids.users (id UUID, plan uuids.plan)",
        f"INSERT INTO uuids.users VALUES ('{first}', 'pro'), ('{second}', 'free')",
        "CREATE TABLE uuids.events (id UUID, event TEXT, at TIMESTAMPTZ, user_id UUID)",
        f"INSERT INTO uuids.events VALUES ('{first}', 'Paid', '2026-01-01', '{first}'), ('{second}', 'Paid', "
        f"'2026-01-01', '{second}')",
    )
    settings = SourceSettings(
        users=UserSettings("uuids.users", "id"),
        events=EventSettings("uuids.events", name="event", at="at", user="user_id", id="id"),
    )
    source = bind(settings, warehouse.schema())
    where = (trait("plan") == "pro") & (event("Paid").last("id") == first) & (event("Paid").max("user_id") >= "0")

    statement, params = compile_definition(Audience("A", where), source, {}).bound("postgres", AS_OF)

    assert warehouse.query(statement, params)["user_id"].to_list() == [first]


# ----------------------------------------------------------------------------------------------------------- refusals


@needs_server
@pytest.mark.parametrize(
    ("service", "what", "hint"),
    [
        ("mistyped", "the password is wrong", "check user and password of mistyped"),
        ("nowhere", "nobody listens there", "is the server running? check host and port of nowhere"),
        ("elsewhere", "there is no such database or role", "check `database`"),
        ("unheard_of", "there is no such service", "write a section [unheard_of] in ~/.pg_service.conf"),
    ],
)
def test_a_connection_that_fails_says_what_to_do(server: Server, service: str, what: str, hint: str) -> None:
    with pytest.raises(WarehouseError) as raised:
        Postgres(service).query("SELECT 1 AS one", ())

    assert raised.value.what == f"PostgreSQL cannot be reached: {what}"
    assert raised.value.hint.startswith(hint)
    for private in (PASSWORD, "donkey", "127.0.0.1", str(server.port)):
        assert private not in str(raised.value)


@needs_server
def test_an_address_that_is_none_is_not_repeated(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setenv("SHOP_URL", f"postgresql://kit:{PASSWORD}@nowhere@@:x")

    with pytest.raises(WarehouseError) as raised:
        Postgres(url=Secret("env", "SHOP_URL")).query("SELECT 1 AS one", ())

    assert PASSWORD not in str(raised.value)
    assert raised.value.__cause__ is None


@needs_server
@pytest.mark.parametrize(
    ("statement", "what", "hint"),
    [
        (
            "SELECT * FROM dropped",
            'relation "dropped" does not exist',
            "check the name; a table that was dropped or renamed",
        ),
        ("SELECT emial FROM refusing", 'column "emial" does not exist', "a column was renamed or dropped"),
        ("SELECT CAST(note AS INTEGER) FROM refusing", "invalid input syntax for type integer", ""),
        ("SELECT 1; SELECT 2", "cannot insert multiple commands into a prepared statement", ""),
    ],
)
def test_a_refusal_says_what_to_do_and_quotes_no_value(
    server: Server, warehouse: Postgres, statement: str, what: str, hint: str
) -> None:
    server.run("CREATE TABLE IF NOT EXISTS refusing (note TEXT)", "INSERT INTO refusing VALUES ('jane@example.com')")

    with pytest.raises(WarehouseError) as raised:
        warehouse.query(statement, ())

    assert raised.value.what == f"PostgreSQL refused the query: {what}"
    assert raised.value.hint.startswith(hint)
    assert "jane" not in "".join(traceback.format_exception(raised.value))


@needs_server
def test_a_connection_that_is_lost_between_two_parts_says_so(server: Server, warehouse: Postgres) -> None:
    parts = warehouse.batches("SELECT i, pg_backend_pid() AS pid FROM generate_series(1, 300000) AS n(i)", ())
    pid = next(parts)["pid"][0]
    server.run(f"SELECT pg_terminate_backend({pid})")

    with pytest.raises(WarehouseError) as raised:
        list(parts)

    assert "lost" in raised.value.what or "terminating connection" in raised.value.what
    assert "run it again" in raised.value.hint


@needs_server
def test_a_table_that_cannot_be_written_is_as_it_was(server: Server, warehouse: Postgres) -> None:
    warehouse.write("kept", pl.DataFrame({"n": [1]}))
    server.run("CREATE OR REPLACE VIEW on_kept AS SELECT n FROM kept")

    with pytest.raises(WarehouseError, match="because other objects depend on it"):
        warehouse.write("kept", pl.DataFrame({"n": [2]}))

    assert warehouse.query("SELECT n FROM kept", ())["n"].to_list() == [1]
    assert "kept_being_written" not in warehouse.schema()
    server.run("DROP VIEW on_kept", "DROP TABLE kept")


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(WarehouseError) as raised:
        Postgres("shop").query("SELECT 1 AS one", ())

    assert raised.value.hint == "pip install personas-kit[postgres]"
