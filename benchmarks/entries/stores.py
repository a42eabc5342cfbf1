"""The same push with its state in a folder, and in a schema of the warehouse: what a team pays for sharing it.

DuckDB is a file that is opened for each transaction. PostgreSQL is measured where ``PERSONAS_BENCHMARK_SERVICE`` names
a service of ``pg_service.conf`` whose database may be written to; what is made there is dropped again.
"""

import os
import secrets
import tempfile
from contextlib import closing
from pathlib import Path

import duckdb

from benchmarks.entries.push import ours, prepare, pushed
from benchmarks.entry import OURS, Benchmark
from benchmarks.receiver import serving
from personas_kit.activation.store import WarehouseStore
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.warehouses.postgres import Postgres

MEMBERS = 20_000
SERVICE = os.environ.get("PERSONAS_BENCHMARK_SERVICE")


def fewer(folder: Path, scale: float) -> None:
    """A tenth of what the benchmark of pushing has."""
    prepare(folder, scale / 10)


def in_duckdb(folder: Path) -> int:
    """A schema of a DuckDB file."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "warehouse.duckdb")
        duckdb.connect(path).close()
        return pushed(folder, WarehouseStore(DuckDB(path), "personas"))


def in_postgres(folder: Path) -> int:
    """A schema of a PostgreSQL database."""
    schema = f"personas_benchmark_{secrets.token_hex(4)}"
    with closing(Postgres(SERVICE)) as warehouse:
        messages = pushed(folder, WarehouseStore(warehouse, schema))
        with warehouse.keeper(schema, idle=60).changing() as session:
            session.run(f"drop schema {schema} cascade")
        return messages


benchmark = Benchmark(
    title="identify calls for 20,000 members, with the state in a folder and in a warehouse",
    unit="events",
    size=MEMBERS,
    prepare=fewer,
    service=serving(),
    ways={
        OURS: ours,
        "state in duckdb": in_duckdb,
        **({"state in postgres": in_postgres} if SERVICE else {}),
    },
)
