"""Queries that belong together open a DuckDB file once, and leave it free for others afterwards."""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb
import polars as pl
import pytest

from personas_kit.errors import WarehouseError
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.warehouses.held_open import held_open


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as writer:
        writer.execute("CREATE TABLE users AS SELECT 'u1' AS user_id")
    return path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A mark for each time that a file is opened."""
    marks, connect = list[object](), duckdb.connect

    def noted(*given: object, **named: object) -> duckdb.DuckDBPyConnection:
        marks.append(given)
        return connect(*given, **named)

    monkeypatch.setattr(duckdb, "connect", noted)
    return marks


def users(warehouse: DuckDB) -> int:
    return warehouse.query("SELECT * FROM users", {}).height


def test_the_file_is_opened_once_and_free_afterwards(shop: Path, opened: list[object]) -> None:
    warehouse = DuckDB(shop)

    with held_open():
        assert users(warehouse) == users(warehouse) == 1
        with held_open():
            assert users(warehouse) == 1
        assert users(warehouse) == 1
    assert len(opened) == 1
    with duckdb.connect(shop) as writer:
        writer.execute("INSERT INTO users VALUES ('u2')")
    assert users(warehouse) == 2


def test_each_file_is_its_own(shop: Path, tmp_path: Path, opened: list[object]) -> None:
    other = tmp_path / "other.duckdb"
    other.write_bytes(shop.read_bytes())

    with held_open():
        assert users(DuckDB(shop)) == users(DuckDB(other)) == 1
    assert len(opened) == 2


def test_after_an_error_the_next_query_is_answered(shop: Path, opened: list[object]) -> None:
    warehouse = DuckDB(shop)

    with held_open():
        assert users(warehouse) == 1
        with pytest.raises(WarehouseError, match="refused"):
            warehouse.query("SELECT CAST(user_id AS INTEGER) FROM users", {})
        assert users(warehouse) == 1
    assert len(opened) == 2


def test_what_is_written_in_between_is_seen(shop: Path) -> None:
    warehouse = DuckDB(shop)

    with held_open():
        assert users(warehouse) == 1
        warehouse.write("users", pl.DataFrame({"user_id": ["u1", "u2", "u3"]}))
        assert users(warehouse) == 3


def test_an_error_between_queries_leaves_the_file_free(shop: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), held_open():
        assert users(DuckDB(shop)) == 1
        raise ZeroDivisionError

    with duckdb.connect(shop) as writer:
        writer.execute("DROP TABLE users")
