"""Who entered and who left between two sets of members: Parquet in, the changed ids out.

This is the comparison alone (``membership_changes``, ``value_changes``); ``plan`` has it within a whole plan. 2 % of
the members are new and 2 % are gone. Ids are in no order, as a warehouse hands them over: UUIDs as text, numbers after
a word (``user_123``), and integers. The floor is both columns of ids, decoded once.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.entry import OURS, Benchmark, Goal, Way
from personas_kit.membership import membership_changes
from personas_kit.membership.changes import value_changes

MEMBERS, MOVED = 10_000_000, 0.02
KINDS = {"uuid": "md5(i::VARCHAR)::UUID::VARCHAR", "prefixed": "'user_' || i", "integer": "i"}
SIDES = ("acknowledged", "wanted")
VALUE = "(hash(i) % 100000)::VARCHAR"
FLOOR, WITHOUT = "floor", "without values"
Counts = dict[str, int]


def prepare(kind: str, members: int, folder: Path, scale: float) -> None:
    """Two files of ids, with values, that share all but 2 %."""
    count = int(members * scale)
    moved = int(count * MOVED)
    with duckdb.connect() as connection:
        for name, start in zip(SIDES, (0, moved), strict=True):
            lines = (
                f"SELECT {KINDS[kind]} AS member, {VALUE} AS value FROM range({start}, {start + count}) AS r(i) "
                f"ORDER BY hash(i + {start})"
            )
            connection.execute(f"COPY ({lines}) TO '{folder / name}.parquet'")


def read(folder: Path, name: str) -> pl.DataFrame:
    """One side, in memory."""
    return pl.read_parquet(folder / f"{name}.parquet", columns=["member"])


def scan(folder: Path, name: str, *columns: str) -> pl.LazyFrame:
    """One side, read where it is needed."""
    return pl.scan_parquet(folder / f"{name}.parquet").select(columns or ("member",))


def counted(changes: pl.DataFrame) -> Counts:
    """How many there are of each kind."""
    return dict(changes.group_by("change").len().sort("change").cast({"change": pl.String}).iter_rows())


# ------------------------------------------------------------------------------------------------------- without values


def ours(folder: Path) -> Counts:
    """The kit, over the files."""
    acknowledged, wanted = (scan(folder, name) for name in SIDES)
    return counted(membership_changes(wanted, acknowledged, wanted.clear().collect()))


def polars_anti_joins(folder: Path) -> Counts:
    """Two anti-joins over lazy scans, run by the streaming engine."""
    acknowledged, wanted = (scan(folder, name) for name in SIDES)
    enter = wanted.join(acknowledged, on="member", how="anti")
    leave = acknowledged.join(wanted, on="member", how="anti")
    entered, left = pl.collect_all([enter, leave], engine="streaming")
    return {"enter": entered.height, "exit": left.height}


def duckdb_full_join(folder: Path) -> Counts:
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


def python_sets(folder: Path) -> Counts:
    """Two sets and two subtractions: what a script would do."""
    acknowledged, wanted = (set(read(folder, name)["member"].to_list()) for name in SIDES)
    return {"enter": len(wanted - acknowledged), "exit": len(acknowledged - wanted)}


def numpy_setdiff1d(folder: Path) -> Counts:
    """``np.setdiff1d`` both ways; texts of one length, since it takes minutes over those of any length."""
    import numpy as np  # noqa: PLC0415  (the extra bench)

    sides = [read(folder, name)["member"] for name in SIDES]
    acknowledged, wanted = (
        np.array(side.to_list(), dtype=np.str_) if side.dtype == pl.String else side.to_numpy() for side in sides
    )
    return {"enter": len(np.setdiff1d(wanted, acknowledged)), "exit": len(np.setdiff1d(acknowledged, wanted))}


def pandas_index(folder: Path) -> Counts:
    """``Index.difference`` both ways."""
    acknowledged, wanted = _indexes(folder)
    return {"enter": len(wanted.difference(acknowledged)), "exit": len(acknowledged.difference(wanted))}


def pandas_merge(folder: Path) -> Counts:
    """An outer ``merge`` with its indicator."""
    acknowledged, wanted = (index.to_frame(index=False, name="member") for index in _indexes(folder))
    side = wanted.merge(acknowledged, on="member", how="outer", indicator=True)["_merge"]
    return {"enter": int((side == "left_only").sum()), "exit": int((side == "right_only").sum())}


def _indexes(folder: Path) -> list["pandas.Index"]:  # type: ignore[name-defined]  # noqa: F821
    import pandas as pd  # noqa: PLC0415  (the extra bench)

    return [pd.Index(pd.read_parquet(folder / f"{name}.parquet", columns=["member"])["member"]) for name in SIDES]


def floor(folder: Path) -> None:
    """Both columns of ids, decoded once."""
    for name in SIDES:
        read(folder, name)


# ---------------------------------------------------------------------------------------------------------- with values


def ours_with_values(folder: Path) -> Counts:
    """The kit: who has to be told of another value. Who leaves loses it."""
    acknowledged, wanted = (scan(folder, name, "member", "value") for name in SIDES)
    return counted(value_changes(wanted, acknowledged, wanted.clear().collect()))


def duckdb_with_values(folder: Path) -> Counts:
    """One full outer join that keeps the lines whose values differ."""
    statement = f"""
        SELECT coalesce(w.member, a.member) AS member, w.value
        FROM '{folder}/wanted.parquet' AS w FULL JOIN '{folder}/acknowledged.parquet' AS a ON w.member = a.member
        WHERE w.value IS DISTINCT FROM a.value
    """
    with duckdb.connect() as connection:
        return {"set": connection.sql(statement).pl().height}


def ours_without(folder: Path) -> None:
    """The kit on the same ids without their values: another question, whose answer is not compared."""
    ours(folder)


# ----------------------------------------------------------------------------------------------------- what is compared

LIBRARIES: Mapping[str, tuple[str, Callable[[Path], object]]] = {
    "pandas Index.difference": ("pandas", pandas_index),
    "pandas merge": ("pandas", pandas_merge),
    "np.setdiff1d": ("numpy", numpy_setdiff1d),
}
USUAL: Mapping[str, Way] = {OURS: ours, "duckdb full join": duckdb_full_join}


def _libraries(*names: str) -> tuple[dict[str, Way], dict[str, str]]:
    """Those that are here, and what to do about the others."""
    here = {name: way for name in names for package, way in [LIBRARIES[name]] if find_spec(package)}
    return here, {name: f"pip install {LIBRARIES[name][0]}" for name in names if name not in here}


def _compared(kind: str, about: str, members: int, ways: Mapping[str, Way], *goals: Goal, **more: object) -> Benchmark:
    return Benchmark(
        title=f"changes between two sets of {members // 1_000_000:,} M members ({about}; 2 % enter, 2 % leave)",
        unit="members",
        size=members,
        prepare=partial(prepare, kind, members),
        ways=ways,
        goals=goals,
        **more,  # type: ignore[arg-type]  # fields of a Benchmark
    )


UUIDS = "10 M changes, UUIDs, the comparison"
SMALL, LARGE = 1_000_000, 100_000_000
_ONE_MILLION, _ABSENT = _libraries(*LIBRARIES)
_INTEGERS, _NO_NUMPY = _libraries("np.setdiff1d")

benchmarks = {
    "uuid": _compared(
        "uuid",
        "UUIDs",
        MEMBERS,
        {**USUAL, FLOOR: floor, "polars anti-joins": polars_anti_joins},
        Goal(text=UUIDS, peer=FLOOR, at_most=3),
        Goal(text=UUIDS, of="memory", at_most=1_000),
        Goal(text=UUIDS, peer="duckdb full join", at_least=2),
        Goal(text=UUIDS, peer="polars anti-joins", at_least=5),
    ),
    "values": _compared(
        "uuid",
        "UUIDs, each with a value",
        MEMBERS,
        {OURS: ours_with_values, "duckdb full join": duckdb_with_values, WITHOUT: ours_without},
        Goal(text="10 M changes with values", peer=WITHOUT, at_most=1.2),
        Goal(text="10 M changes with values", peer="duckdb full join"),
    ),
    "prefixed": _compared(
        "prefixed",
        "user_123",
        MEMBERS,
        {**USUAL, FLOOR: floor},
        Goal(text="10 M changes, user_123", peer="duckdb full join", at_least=2),
        Goal(text="10 M changes, user_123", peer=FLOOR),
    ),
    "integer": _compared(
        "integer",
        "integers",
        MEMBERS,
        {**USUAL, **_INTEGERS},
        Goal(text="10 M changes, integers", peer="np.setdiff1d", at_least=1),
        Goal(text="10 M changes, integers", peer="duckdb full join"),
        missing=_NO_NUMPY,
        rounds=1,
    ),
    "million": _compared(
        "uuid",
        "UUIDs",
        SMALL,
        {**USUAL, "python sets": python_sets, **_ONE_MILLION},
        Goal(text="1 M changes, UUIDs, the comparison", peer="duckdb full join"),
        *(Goal(text="1 M changes, UUIDs, the comparison", peer=name) for name in ("python sets", *LIBRARIES)),
        missing=_ABSENT,
        rounds=1,
    ),
    "hundred": _compared(
        "uuid",
        "UUIDs",
        LARGE,
        {**USUAL, FLOOR: floor},
        Goal(text="100 M changes, UUIDs", at_most=30),
        Goal(text="100 M changes, UUIDs", of="memory", at_most=5_000),
        Goal(text="100 M changes, UUIDs", of="cpu", peer="duckdb full join", at_least=2),
        Goal(text="100 M changes, UUIDs", of="memory", peer="duckdb full join", at_least=2),
        Goal(text="100 M changes, UUIDs", peer=FLOOR),
        rounds=2,
        large=True,
    ),
}
