"""A plan by its public path: who entered and who left an audience of a warehouse since its last push.

The members are in a DuckDB file, and what was acknowledged is the kit's state; 2 % have left and as many have entered.
The kit opens the workspace, asks, compares, looks at its guards, gives every change its message id and its cause, and
holds the plan in memory. The others ask the same file and compare with a Parquet file of the same ids: the changes with
the addresses of who enters, and nothing else. The floor is both columns of ids, read once.
"""

from functools import partial
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.entry import OURS, Benchmark, Goal
from benchmarks.workspaces import WAREHOUSE, adopt, frame_of, make, move, opened

MEMBERS, MOVED = 2_000_000, 0.02
NOWHERE = "http://127.0.0.1:9999"
"""Nothing is sent."""
UUID = "md5(n::varchar)::uuid::varchar"


def prepare(folder: Path, scale: float) -> None:
    """The warehouse, what was acknowledged, and then who moved."""
    count = int(MEMBERS * scale)
    make(folder, count, UUID, moved=MOVED)
    adopt(folder, NOWHERE)
    with duckdb.connect(str(folder / WAREHOUSE)) as warehouse:
        acknowledged = f"select user_id as member from users where vip order by hash(n + {count})"
        warehouse.execute(f"copy ({acknowledged}) to '{folder}/acknowledged.parquet'")
    move(folder, count, MOVED)


def ours(folder: Path) -> dict[str, int]:
    """The kit, from opening the workspace to a plan that can be pushed."""
    with opened(folder, NOWHERE, known=True) as workspace:
        return counted(workspace.plan("vips").changes["change"])


def counted(changes: pl.Series) -> dict[str, int]:
    """How many there are of each kind."""
    return {"enter": int((changes == "enter").sum()), "exit": int((changes == "exit").sum())}


def duckdb_full_join(folder: Path) -> dict[str, int]:
    """One full outer join in DuckDB."""
    statement = f"""
        select coalesce(w.user_id, a.member) as member, w.email,
               case when a.member is null then 'enter' else 'exit' end as change
        from (select user_id, email from users where vip) as w
             full join '{folder}/acknowledged.parquet' as a on w.user_id = a.member
        where w.user_id is null or a.member is null
    """
    with duckdb.connect(str(folder / WAREHOUSE), read_only=True) as warehouse:
        return counted(warehouse.sql(statement).pl()["change"])


def polars_anti_joins(folder: Path) -> dict[str, int]:
    """Two anti-joins of polars, streaming."""
    wanted = frame_of(folder).lazy()
    acknowledged = pl.scan_parquet(folder / "acknowledged.parquet")
    enter = wanted.join(acknowledged, left_on="user_id", right_on="member", how="anti")
    leave = acknowledged.join(wanted, left_on="member", right_on="user_id", how="anti")
    entered, left = pl.collect_all([enter, leave], engine="streaming")
    return {"enter": entered.height, "exit": left.height}


def floor(folder: Path) -> None:
    """Both columns of ids, read once."""
    frame_of(folder, "user_id")
    pl.read_parquet(folder / "acknowledged.parquet")


_goal = partial(Goal, text="ws.plan, 2 M members (UUIDs)")
benchmark = Benchmark(
    title="a plan of an audience of 2 M members (UUIDs; 2 % enter, 2 % leave), from the warehouse and the state",
    unit="members",
    size=MEMBERS,
    prepare=prepare,
    ways={
        OURS: ours,
        "duckdb full join": duckdb_full_join,
        "polars anti-joins": polars_anti_joins,
        "floor": floor,
    },
    goals=(
        _goal(peer="floor", at_most=3),
        _goal(peer="duckdb full join", at_least=2),
        _goal(peer="polars anti-joins", at_least=5),
        _goal(of="memory", peer="duckdb full join"),
        _goal(of="memory", at_most=1_000),
    ),
)
