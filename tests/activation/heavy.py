"""Pushes a plan of many changes in a process of its own, and says how much memory that took beside the plan."""

from __future__ import annotations

import datetime as dt
import gc
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import polars as pl

from personas_kit.activation.delivery import Delivery
from personas_kit.activation.due import Occasion
from personas_kit.activation.plan import Plan
from personas_kit.activation.planning import Draft
from personas_kit.activation.store import LocalStore
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.destinations import Computation, find
from personas_kit.destinations.exchange import Request
from personas_kit.destinations.outcomes import Answer

AS_OF = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
STATUS, PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class _Key:
    def reveal(self) -> str:
        return "made-up"


class _Takes:
    """A network that takes everything."""

    def send(self, request: Request) -> Answer:
        del request
        return Answer(200, {}, b'{"success":true}')

    def close(self) -> None:
        """Nothing is open."""


def memory(of: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (at most since the peak was forgotten), in MB."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(of))
    return int(line.split()[1]) / 1024


def planned(members: int, store: LocalStore) -> Plan:
    """A first push of so many."""
    ids = pl.int_range(members, eager=True).cast(pl.String)
    frame = pl.DataFrame({"user_id": "user_" + ids, "email": "someone." + ids + "@example.com"})
    connection = find("segment").configure("segment", {"write_key": _Key()})
    sync, computation = Sync("buyers", "segment", "identify"), Computation("buyers", "audience", "Buyers")
    wanted = wanted_by("identify", Members(frame), connection, {"email": "email"})
    part = Draft(sync, connection, computation, "f", "", wanted, store.load(sync), Occasion("p", AS_OF)).plan()
    return Plan("p", "buyers", "Buyers", AS_OF, dt.datetime.now(dt.UTC), (part,))


def main(folder: Path, mode: str, members: int) -> dict[str, object]:
    """One of two.

    Args:
        folder: for the changes of the plan, and the state.
        mode: ``plan`` so many, or ``push`` them: in a process of its own, whose memory holds nothing of the planning.
        members: how many.
    """
    store = LocalStore(folder / "state")
    if mode == "plan":
        planned(members, store).syncs[0].lines.write_parquet(folder / "lines.parquet")
        return {}
    one = planned(1, store)
    lines = pl.read_parquet(folder / "lines.parquet")
    plan = replace(one, syncs=(replace(one.syncs[0], lines=lines),))
    before = settled()
    PEAK.write_text("5")  # forgets the peak
    report = Delivery(store, connect=lambda _: _Takes()).push(plan, override=(), deadline=None, progress=lambda _: None)
    added, of_plan = memory("VmHWM") - before, lines.estimated_size("mb")
    return {"plan_mb": of_plan, "added_mb": added, "acknowledged": report.acknowledged}


def settled() -> float:
    """The memory that is held, once what reading left over is given back, which takes a second and some work."""
    gc.collect()
    until = time.monotonic() + 2
    while time.monotonic() < until:
        lines = pl.select(pl.int_range(200_000).cast(pl.String)).to_series()
        lines.sort().len()
    return memory("VmRSS")


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))  # noqa: T201  (the answer)
