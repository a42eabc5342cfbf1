"""The places where state can be kept. A new kind of store is a fixture here and its name in ``STORES``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from personas_kit.activation.store import LocalStore, Store, WarehouseStore
from personas_kit.warehouses.base import Warehouse
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.warehouses.postgres import Postgres
from personas_kit.warehouses.snowflake import Snowflake
from tests.postgres_server.server import Server
from tests.snowflake_emulator.emulator import Emulator, running

#: Opens the store of a place, as another process would.
Place = Callable[..., Store]

POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
SNOWFLAKE = pytest.param("snowflake", marks=pytest.mark.emulator)
STORES = ["local", "duckdb", "duckdb_lent", POSTGRES, SNOWFLAKE]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def emulator(home: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Emulator]:
    pytest.importorskip("snowflake.connector", reason="the extra personas-kit[snowflake] is not installed")
    with running(tmp_path_factory.mktemp("snowflake")) as emulator:
        yield emulator


@pytest.fixture
def local_place(tmp_path: Path) -> Place:
    return lambda **more: LocalStore(tmp_path / "state", **more)


@pytest.fixture
def duckdb_place(tmp_path: Path) -> Iterator[Place]:
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(path).close()
    yield from opening(lambda: DuckDB(path), "personas")


@pytest.fixture
def duckdb_lent_place(tmp_path: Path) -> Iterator[Place]:
    """The file is open in a notebook, for writing, all the time."""
    with duckdb.connect(tmp_path / "warehouse.duckdb") as notebook:
        yield from opening(lambda: DuckDB(connection=notebook), "personas")


@pytest.fixture
def postgres_place(server: Server) -> Iterator[Place]:
    yield from opening(lambda: Postgres("shop"), f"state_{next(_numbers)}")


@pytest.fixture
def snowflake_place(emulator: Emulator) -> Iterator[Place]:
    yield from opening(lambda: Snowflake("emulator", connections_file=emulator.connections), f"state_{next(_numbers)}")


def opening(warehouse: Callable[[], Warehouse], schema: str) -> Iterator[Place]:
    """A schema of its own in a warehouse; every warehouse that was opened is closed in the end."""
    opened: list[Warehouse] = []

    def open_store(**more: Any) -> Store:
        opened.append(warehouse())
        return WarehouseStore(opened[-1], schema, **more)

    yield open_store
    for each in opened:
        each.close()


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest) -> Place:
    """Each store in turn."""
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@pytest.fixture
def plenty(place: Place, request: pytest.FixtureRequest) -> int:
    """So many plans are pushed in some seconds."""
    return {"local": 60, "postgres": 60, "snowflake": 4}.get(request.node.callspec.params["place"], 12)
