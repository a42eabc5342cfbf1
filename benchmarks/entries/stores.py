"""The same push with its state in a folder, and in a schema of the warehouse: what a team pays for sharing it.

DuckDB is a file that is opened for each transaction. PostgreSQL is measured where ``PERSONAS_BENCHMARK_SERVICE`` names
a service of ``pg_service.conf`` whose database may be written to; what is made there is dropped again.
"""

import datetime as dt
import os
import secrets
import tempfile
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.entry import OURS, Benchmark
from benchmarks.nginx import address_in
from benchmarks.receiver import counts, serving
from benchmarks.secret import MadeUp
from personas_kit.activation.delivery import Delivery
from personas_kit.activation.due import Occasion
from personas_kit.activation.plan import Plan
from personas_kit.activation.planning import Draft
from personas_kit.activation.store import LocalStore, Store, WarehouseStore
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.destinations import Computation, find
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.warehouses.postgres import Postgres

MEMBERS = 20_000
AS_OF = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
SERVICE = os.environ.get("PERSONAS_BENCHMARK_SERVICE")


def prepare(folder: Path, scale: float) -> None:
    """One file of members with an address each."""
    ids = pl.int_range(int(MEMBERS * scale), eager=True).cast(pl.String)
    frame = pl.DataFrame({"user_id": "user_" + ids, "email": "someone." + ids + "@example.com"})
    frame.write_parquet(folder / "members.parquet")


def in_a_folder(folder: Path) -> int:
    """Plan and push, with the state in a folder."""
    with tempfile.TemporaryDirectory() as state:
        return pushed(folder, LocalStore(Path(state)))


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


def pushed(folder: Path, store: Store) -> int:
    """Plan and push with a store that is new; how many messages have arrived."""
    members = Members(pl.read_parquet(folder / "members.parquet"))
    before = counts(address_in(folder))["messages"]
    connection = find("segment").configure("segment", {"write_key": MadeUp()}, url=address_in(folder))
    sync = Sync("buyers", "segment", "identify")
    wanted = wanted_by("identify", members, connection, {"email": "email"})
    computation = Computation("buyers", "audience", "Buyers")
    planned = Draft(sync, connection, computation, "f", "", wanted, store.load(sync), Occasion("p", AS_OF)).plan()
    plan = Plan("p", "buyers", "Buyers", AS_OF, dt.datetime.now(dt.UTC), (planned,))
    Delivery(store).push(plan, override=(), deadline=None, progress=None)
    return int(counts(address_in(folder))["messages"] - before)


benchmark = Benchmark(
    title="identify calls for 20,000 members, with the state in a folder and in a warehouse",
    unit="events",
    size=MEMBERS,
    prepare=prepare,
    service=serving(),
    ways={
        OURS: in_a_folder,
        "state in duckdb": in_duckdb,
        **({"state in postgres": in_postgres} if SERVICE else {}),
    },
)
