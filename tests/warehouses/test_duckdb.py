"""What is DuckDB's own: files, locks, lent handles. What every warehouse does is in ``test_contract.py``."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from personas_kit.config import WarehouseSettings
from personas_kit.errors import ConfigError, WarehouseError
from personas_kit.opening import warehouse_of
from personas_kit.warehouses.duckdb import DuckDB


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE users AS SELECT 'u1' AS user_id")
    return path


# ---------------------------------------------------------------------------------------------------- a database file


def test_a_file_is_free_again_after_every_query(database: Path) -> None:
    warehouse = DuckDB(database)
    warehouse.schema()
    warehouse.query("SELECT * FROM users", {})

    with duckdb.connect(database) as writer:
        writer.execute("INSERT INTO users VALUES ('u2')")

    assert warehouse.query("SELECT * FROM users", {}).height == 2


def test_an_interrupt_ends_the_query(database: Path) -> None:
    warehouse = DuckDB(database)

    with pytest.raises(KeyboardInterrupt), _interrupt_soon():
        warehouse.query("SELECT COUNT(*) FROM range(1000000) a(i), range(1000000) b(j) WHERE hash(i, j) = 3", {})

    assert warehouse.query("SELECT 1 AS one", {})["one"].to_list() == [1]


@contextmanager
def _interrupt_soon() -> Iterator[None]:
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    yield
    timer.join()


def test_a_relative_path_starts_at_the_base(database: Path) -> None:
    warehouse = DuckDB(database.name, base=database.parent)

    assert warehouse.query("SELECT * FROM users", {})["user_id"].to_list() == ["u1"]
    assert warehouse.describe() == "duckdb · shop.duckdb"


def test_a_missing_file_names_the_one_that_is_nearly_called_so(database: Path) -> None:
    with pytest.raises(WarehouseError) as raised:
        DuckDB(database.with_name("shop.duckb")).schema()

    assert raised.value.what == f"there is no file {str(database.with_name('shop.duckb'))!r}"
    assert raised.value.hint == "did you mean 'shop.duckdb'?"


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_text("hello " * 1000)

    with pytest.raises(WarehouseError, match="not a valid DuckDB database"):
        DuckDB(path).schema()


def test_a_handle_of_the_same_kernel_is_named_as_the_holder(database: Path) -> None:
    with duckdb.connect(database), pytest.raises(WarehouseError) as raised:
        DuckDB(database).query("SELECT 1 AS one", {})

    assert raised.value.what == "shop.duckdb is open for writing in this very process (this kernel)"
    assert "pk.open(connection=con)" in raised.value.hint


def test_another_process_is_named_as_the_holder(database: Path) -> None:
    holding = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holding, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"open"
        with pytest.raises(WarehouseError) as raised:
            DuckDB(database).query("SELECT 1 AS one", {})
        holder.communicate()

    assert raised.value.what.startswith(f"shop.duckdb is locked by process {holder.pid} (")
    assert "pk.open(connection=con)" in raised.value.hint
    assert DuckDB(database).query("SELECT 1 AS one", {}).height == 1


def test_a_table_has_as_many_parts_as_duckdb_needs(tmp_path: Path) -> None:
    path = tmp_path / "prod.duckdb"
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE users (id INT)")
        con.execute("CREATE SCHEMA crm")
        con.execute("CREATE TABLE crm.users (id INT)")
        con.execute("CREATE TABLE crm.deals (id INT)")
        con.execute("CREATE SCHEMA prod.prod")  # called as the database: `prod.orders` would be ambiguous
        con.execute("CREATE TABLE prod.prod.orders (id INT)")

    schema = DuckDB(path).schema()

    assert schema["users"].parts == ("users",)
    assert schema["main.users"].parts == ("users",)
    assert schema["crm.users"].parts == ("crm", "users")
    assert schema["deals"].parts == ("crm", "deals")
    assert schema["orders"].parts == ("prod", "prod", "orders")
    for table in schema.values():
        quoted = ".".join(f'"{part}"' for part in table.parts)
        assert DuckDB(path).query(f"SELECT * FROM {quoted}", {}).columns == ["id"]


# ----------------------------------------------------------------------------------------------- files of other kinds


def test_files_of_a_home_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "users.csv").write_text("user_id\nann\n", encoding="utf-8")
    settings = WarehouseSettings(files={"users": "~/users.csv"})

    warehouse = warehouse_of(settings, tmp_path / "elsewhere")

    assert warehouse.query("SELECT user_id FROM users", ()).rows() == [("ann",)]


def test_files_are_tables_and_later_files_are_seen(tmp_path: Path) -> None:
    odd = tmp_path / "it's [new]"  # neither the quote nor the brackets are SQL or a glob
    (odd / "events").mkdir(parents=True)
    pl.DataFrame({"user_id": ["u1", "u2"]}).write_parquet(odd / "users.parquet")
    pl.DataFrame({"event": ["Signed In"]}).write_parquet(odd / "events" / "1.parquet")
    warehouse = DuckDB(files={"users": "users.parquet", "events": "events/*.parquet"}, base=odd)

    assert set(warehouse.schema()) >= {"users", "events"}
    assert warehouse.describe() == "duckdb · users, events"
    assert warehouse.query("SELECT * FROM events", {}).height == 1

    pl.DataFrame({"event": ["Signed In"], "plan": ["pro"]}).write_parquet(odd / "events" / "2.parquet")

    assert warehouse.query("SELECT plan FROM events ORDER BY plan", {})["plan"].to_list() == ["pro", None]


def test_a_csv_is_typed_by_all_of_its_lines_and_keeps_its_ids(tmp_path: Path) -> None:
    lines = [f"{number},{number},2026-01-02T10:00:00+02:00" for number in range(30_000)]
    late = ["007,n/a,"]
    (tmp_path / "users.csv").write_text("\n".join(["id,score,at", *lines, *late]))
    warehouse = DuckDB(files={"users": "users.csv"}, base=tmp_path)

    assert [column.type for column in warehouse.schema()["users"].columns] == ["text", "text", "timestamp_tz"]
    found = warehouse.query("SELECT * FROM users WHERE id IN ('7', '007') ORDER BY id", {})
    assert found.rows() == [("007", "n/a", None), ("7", "7", datetime(2026, 1, 2, 8, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"users": "users.xlsx"}, "files: users = 'users.xlsx' is of no known kind"),
        ({"users": "none/*.parquet"}, "files: users = 'none/*.parquet' cannot be read: IO Error: No files found"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, files: dict[str, str], what: str) -> None:
    with pytest.raises(WarehouseError) as raised:
        DuckDB(files=files, base=tmp_path).schema()

    assert raised.value.what.startswith(what)


def test_a_python_variable_is_no_table(tmp_path: Path) -> None:
    pl.DataFrame({"user_id": ["u1"]}).write_parquet(tmp_path / "users.parquet")

    with pytest.raises(WarehouseError, match="statement does not exist"):
        DuckDB(files={"users": "users.parquet"}, base=tmp_path).query("SELECT * FROM statement", {})


# ------------------------------------------------------------------------------------------------------ a lent handle


def test_a_lent_connection_stays_open_and_keeps_its_time_zone() -> None:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'Asia/Tokyo'")
        con.execute("CREATE TABLE users AS SELECT 'u1' AS user_id, TIMESTAMPTZ '2026-01-02 10:00:00+09' AS seen_at")
        warehouse = DuckDB(connection=con)

        frame = warehouse.query("SELECT seen_at, seen_at::TEXT AS shown FROM users", {})
        warehouse.close()

        assert frame.rows() == [(datetime(2026, 1, 2, 1, tzinfo=UTC), "2026-01-02 01:00:00+00")]
        assert con.sql("SELECT current_setting('TimeZone')").fetchall() == [("Asia/Tokyo",)]
        assert warehouse.describe() == "duckdb · your connection"


def test_a_lent_connection_is_not_written_to() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE users AS SELECT 'u1' AS user_id")
        warehouse = DuckDB(connection=con)

        for statement in ("DROP TABLE users", "SELECT 1; DROP TABLE users", "CREATE TABLE more AS SELECT 1"):
            with pytest.raises(WarehouseError, match="exactly one SELECT"):
                warehouse.query(statement, {})

        assert con.sql("SHOW TABLES").fetchall() == [("users",)]


def test_a_lent_connection_that_its_owner_closed_says_so() -> None:
    con = duckdb.connect()
    con.close()

    with pytest.raises(WarehouseError, match="the lent connection is closed"):
        DuckDB(connection=con).schema()


# ------------------------------------------------------------------------------------------------------------- misuse


def test_exactly_one_way_in(database: Path) -> None:
    for ways in ({}, {"files": {}}, {"path": database, "files": {"users": "users.parquet"}}):
        with pytest.raises(ConfigError, match="exactly one of"):
            DuckDB(**ways)


def test_a_column_that_polars_cannot_hold_is_an_error_with_advice(database: Path) -> None:
    with pytest.raises(WarehouseError) as raised:
        DuckDB(database).query("SELECT INTERVAL 1 DAY AS gap", {})

    assert raised.value.hint == "leave it out, or cast it in a view"


def test_who_lets_go_of_the_file_while_duckdb_asks_who_it_is_was_waited_for(tmp_path):
    """Then DuckDB names nobody: ``Conflicting lock is held in PID 0``."""
    warehouse, tries = DuckDB(tmp_path / "shop.duckdb"), []

    def opened():
        tries.append(len(tries))
        if len(tries) < 3:
            raise duckdb.IOException(
                'IO Error: Could not set lock on file "shop.duckdb": Conflicting lock is held in PID 0. See also ...'
            )
        return duckdb.connect()

    warehouse._waited(tmp_path / "shop.duckdb", opened, 5.0).close()
    assert tries == [0, 1, 2]
    tries.clear()
    with pytest.raises(WarehouseError, match="is locked by another process"):
        warehouse._waited(tmp_path / "shop.duckdb", opened, -1.0)
