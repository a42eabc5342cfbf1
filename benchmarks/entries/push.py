"""From the members of an audience to identify calls that a receiver on this machine has taken, journal included.

The kit plans a first push and sends it; the alternatives build the same messages from the same file and post them in
batches of as many.
"""

import datetime as dt
import json
import tempfile
from pathlib import Path

import httpx
import polars as pl

from benchmarks.entry import OURS, Benchmark
from benchmarks.nginx import address_in
from benchmarks.receiver import counts, serving
from personas_kit.activation.delivery import Delivery
from personas_kit.activation.due import Occasion
from personas_kit.activation.plan import Plan
from personas_kit.activation.planning import plan_sync
from personas_kit.activation.store import LocalStore, Store
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.destinations import Computation, find

MEMBERS = 200_000
AS_OF = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


class _Key:
    """A made-up secret."""

    def reveal(self) -> str:
        """What a secret says."""
        return "benchmark"


def prepare(folder: Path, scale: float) -> None:
    """One file of members with an address each."""
    ids = pl.int_range(int(MEMBERS * scale), eager=True).cast(pl.String)
    frame = pl.DataFrame({"user_id": "user_" + ids, "email": "someone." + ids + "@example.com"})
    frame.write_parquet(folder / "members.parquet")


def ours(folder: Path) -> int:
    """Plan and push, with the state in a folder."""
    with tempfile.TemporaryDirectory() as state:
        return pushed(folder, LocalStore(Path(state)))


def pushed(folder: Path, store: Store) -> int:
    """Plan and push with a store that is new; how many messages have arrived."""
    members = Members(pl.read_parquet(folder / "members.parquet"))
    before = counts(address_in(folder))["messages"]
    connection = find("segment").configure("segment", {"write_key": _Key()}, url=address_in(folder))
    sync = Sync("buyers", "segment", "identify")
    wanted = wanted_by("identify", members, connection, {"email": "email"})
    computation = Computation("buyers", "audience", "Buyers")
    planned = plan_sync(sync, connection, computation, "f", "", wanted, store.load(sync), Occasion("p", AS_OF))
    plan = Plan("p", "buyers", "Buyers", AS_OF, dt.datetime.now(dt.UTC), (planned,))
    Delivery(store).push(plan, override=(), deadline=None, progress=None)
    return counts(address_in(folder))["messages"] - before


def json_and_httpx(folder: Path) -> int:
    """A loop, ``json.dumps`` and one ``httpx.Client``: what a script would do. It keeps no journal."""
    members = pl.read_parquet(folder / "members.parquet")
    address = address_in(folder)
    before = counts(address)["messages"]
    with httpx.Client(auth=("benchmark", ""), trust_env=False) as client:
        for batch in members.iter_slices(1_000):
            messages = [
                {
                    "type": "identify",
                    "messageId": f"personas_{user_id}",
                    "userId": user_id,
                    "timestamp": AS_OF.isoformat(),
                    "traits": {"buyers": True, "email": email},
                    "context": {"personas": {"computation_class": "audience", "computation_key": "buyers"}},
                }
                for user_id, email in batch.iter_rows()
            ]
            headers = {"content-type": "application/json"}
            client.post(f"{address}/v1/batch", content=json.dumps({"batch": messages}), headers=headers)
        return counts(address)["messages"] - before


benchmark = Benchmark(
    title="identify calls for 200,000 members, planned and pushed to a receiver on this machine",
    unit="events",
    size=MEMBERS,
    prepare=prepare,
    ways={OURS: ours, "json and httpx": json_and_httpx},
    service=serving(),
)
