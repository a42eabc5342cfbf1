"""Who entered and who left between two sets of members: Parquet in, the changed ids out.

2 % of the members are new and 2 % are gone. Ids are UUIDs as text, in no order, as a warehouse hands them over.
"""

from pathlib import Path

import duckdb
import polars as pl

from benchmarks.entry import OURS, Benchmark
from personas_kit.membership import membership_changes

MEMBERS = 1_000_000
MOVED = 0.02


def prepare(folder: Path, scale: float) -> None:
    """Two files of ids that share all but 2 %."""
    count = int(MEMBERS * scale)
    moved = int(count * MOVED)
    ids = (
        "SELECT md5(i::VARCHAR)::UUID::VARCHAR AS member FROM range({start}, {stop}) AS r(i) ORDER BY hash(i + {salt})"
    )
    with duckdb.connect() as connection:
        for name, start in (("acknowledged", 0), ("wanted", moved)):
            query = ids.format(start=start, stop=start + count, salt=start)
            connection.execute(f"COPY ({query}) TO '{folder / name}.parquet'")


def ours(folder: Path) -> dict[str, int]:
    """The kit."""
    wanted, acknowledged = (pl.read_parquet(folder / f"{name}.parquet") for name in ("wanted", "acknowledged"))
    changes = membership_changes(wanted, acknowledged, wanted.clear())
    return dict(changes.group_by("change").len().sort("change").cast({"change": pl.String}).iter_rows())


def polars_anti_joins(folder: Path) -> dict[str, int]:
    """Two anti-joins over lazy scans, run by the streaming engine."""
    wanted, acknowledged = (pl.scan_parquet(folder / f"{name}.parquet") for name in ("wanted", "acknowledged"))
    enter = wanted.join(acknowledged, on="member", how="anti")
    leave = acknowledged.join(wanted, on="member", how="anti")
    entered, left = pl.collect_all([enter, leave], engine="streaming")
    return {"enter": entered.height, "exit": left.height}


def duckdb_full_join(folder: Path) -> dict[str, int]:
    """One full outer join that keeps the lines with one side missing."""
    statement = f"""
        SELECT coalesce(w.member, a.member) AS member, a.member IS NULL AS entered
        FROM '{folder}/wanted.parquet' AS w FULL JOIN '{folder}/acknowledged.parquet' AS a ON w.member = a.member
        WHERE w.member IS NULL OR a.member IS NULL
    """
    with duckdb.connect() as connection:
        found = connection.sql(statement).pl()
    entered = int(found["entered"].sum())
    return {"enter": entered, "exit": found.height - entered}


def python_sets(folder: Path) -> dict[str, int]:
    """Two sets and two subtractions: what a script would do."""
    wanted, acknowledged = (
        set(pl.read_parquet(folder / f"{name}.parquet")["member"].to_list()) for name in ("wanted", "acknowledged")
    )
    return {"enter": len(wanted - acknowledged), "exit": len(acknowledged - wanted)}


benchmark = Benchmark(
    title="changes between two sets of 1 M members (UUIDs; 2 % enter, 2 % leave)",
    unit="members",
    size=MEMBERS,
    prepare=prepare,
    ways={
        OURS: ours,
        "polars anti-joins": polars_anti_joins,
        "duckdb full join": duckdb_full_join,
        "python sets": python_sets,
    },
)
