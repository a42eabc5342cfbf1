"""What is set aside by hashes is alike on both sides, for any members and any hashes; and it takes little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas_kit.membership import matching, membership_changes, value_changes

LONG = bool(os.environ.get("PERSONAS_LONG"))
ROOT = Path(__file__).parents[2]

mixed = matching._mixed
KINDS = {
    "texts": (pl.String, pl.String),
    "numbers": (pl.Int64, pl.Int64),
    "short numbers": (pl.Int32, pl.UInt64),
    "numbers that were texts": (pl.Int64, pl.String),
    "texts that were numbers": (pl.String, pl.Int64),
}
HASHES = {
    "as they are": mixed,
    "collide often": lambda columns, seed: mixed(columns, seed) if seed else mixed(columns, seed) % 4,
    "collide always": lambda columns, seed: mixed(columns, seed) if seed else mixed(columns, seed) * 0,
    "collide at the top": lambda columns, seed: mixed(columns, seed) if seed else mixed(columns, seed) | (2**63 - 1),
}
ids = st.integers(-3, 12) | st.sampled_from([2**31 - 1, 10**9])
values = st.sampled_from(["0", "1", "1.5", '"a"'])


@contextmanager
def hashing(how: str, *, most: int = 2**28) -> Iterator[None]:
    """Few members are compared by hashes, too: by these, and so many at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "FEW", 0)
        patch.setattr(matching, "MOST_AT_ONCE", most)
        patch.setattr(matching, "_mixed", HASHES[how])
        yield


def people(members, kind=pl.String) -> pl.DataFrame:
    return pl.DataFrame({"member": list(members)}, schema={"member": pl.Int64}).cast({"member": kind})


def valued(by_member, kind=pl.String) -> pl.DataFrame:
    return people(by_member, kind).with_columns(value=pl.Series([*by_member.values()], dtype=pl.String))


def said(changes: pl.DataFrame) -> list[tuple[str, str, str]]:
    return sorted((str(member), change, value) for member, change, value in changes.rows())


def kinds_of(name, *members):
    """The types of ids of a kind; texts, if the numbers have no place in them."""
    kinds = KINDS[name]
    return kinds if pl.UInt64 not in kinds or min([0, *set().union(*members)]) >= 0 else KINDS["numbers"]


@settings(max_examples=20_000 if LONG else 300)
@given(
    st.sets(ids), st.sets(ids), st.sets(ids, max_size=3), st.sampled_from([*KINDS]), st.sampled_from([*HASHES]),
    st.sampled_from([1, 5, 2**28]),
)  # fmt: skip
def test_who_enters_and_leaves_is_what_sets_say(wanted, acknowledged, unknown, kind, hashes, most):
    now, before = kinds_of(kind, wanted, acknowledged, unknown)

    with hashing(hashes, most=most):
        due = membership_changes(people(wanted, now), people(acknowledged, before), people(unknown, before))

    exits = [(str(member), "exit", "false") for member in (acknowledged | unknown) - wanted]
    enters = [(str(member), "enter", "true") for member in wanted - (acknowledged - unknown)]
    assert said(due) == sorted(exits + enters)


@settings(max_examples=20_000 if LONG else 300)
@given(
    st.dictionaries(ids, values | st.none()), st.dictionaries(ids, values), st.sets(ids, max_size=3),
    st.sampled_from([None, "0"]), st.sampled_from([*KINDS]), st.sampled_from([*HASHES]), st.sampled_from([1, 5, 2**28]),
)  # fmt: skip
def test_whose_value_is_set_is_what_dicts_say(wanted, acknowledged, unknown, empty, kind, hashes, most):
    now, before = kinds_of(kind, wanted, acknowledged, unknown)

    with hashing(hashes, most=most):
        due = value_changes(
            valued(wanted, now), valued(acknowledged, before), people(unknown, before), empty=empty
        )  # fmt: skip

    def is_due(member):
        value, known = wanted.get(member), acknowledged.get(member)
        return member in unknown or (value != known and not (known is None and value == empty))

    everybody = wanted.keys() | acknowledged.keys() | unknown
    expected = [(str(member), "set", wanted.get(member) or "null") for member in everybody if is_due(member)]
    assert said(due) == sorted(expected)


@pytest.mark.parametrize("hashes", [*HASHES])
def test_members_whose_hashes_collide_are_told_apart(hashes):
    with hashing(hashes):
        due = membership_changes(people([1]), people([2]), people([]))

    assert said(due) == [("1", "enter", "true"), ("2", "exit", "false")]


def test_members_are_set_aside_by_their_hashes():
    both = range(1_000)
    with hashing("as they are"):
        here, there = matching.unmatched(
            people([*both, -1]).lazy(), people([-2, *both]).lazy(), ["member"], people([7])["member"]
        )

    assert (here["member"].to_list(), there["member"].to_list()) == (["7", "-1"], ["-2", "7"])


def test_the_changes_stand_in_the_order_of_the_members_whatever_the_hashes(tmp_path):
    wanted, acknowledged = people(range(50, 5_000)), people(range(4_900))
    wanted.write_parquet(tmp_path / "wanted.parquet", row_group_size=500)
    orders = set()
    for hashes in HASHES:
        for side in (wanted, pl.scan_parquet(tmp_path / "wanted.parquet")):
            with hashing(hashes):
                due = membership_changes(side, acknowledged, people([]))
            orders.add(tuple(due["member"]))

    assert orders == {tuple(str(member) for member in (*range(50), *range(4_900, 5_000)))}


MEMBERS, MOST_MB, LIMIT_MB = (20_000_000, 1_100, 1_600) if LONG else (1_000_000, 300, 450)
"""How many are on each side, the memory that it may take, some 100 MB of which are the libraries', and what the system
gives it: more is asked for than is used."""
IN_LITTLE_MEMORY = """
import json, sys
if sys.platform == "linux":
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[2]) * 2**20,) * 2)
import polars as pl
from benchmarks.measure import peak_mb
from personas_kit.membership import membership_changes
sides = [pl.scan_parquet(f"{sys.argv[1]}/{name}.parquet") for name in ("wanted", "acknowledged")]
due = membership_changes(*sides, pl.DataFrame(schema={"member": pl.String}))
print(json.dumps([due["change"].cast(pl.String).value_counts(sort=True, name="n").rows(), peak_mb()]))
"""


def test_members_are_not_kept_in_memory(tmp_path):
    moved = MEMBERS // 100
    for name, start in (("acknowledged", 0), ("wanted", moved)):
        ids = pl.LazyFrame({"n": pl.int_range(start, start + MEMBERS, eager=True)})
        uuids = pl.format(
            "8c9f1d3e-5b7a-4c2e-{}-{}", (pl.col("n") % 9000 + 1000), pl.col("n").cast(pl.String).str.zfill(12)
        )
        ids.select(member=uuids).sink_parquet(tmp_path / f"{name}.parquet")

    environment = {**os.environ, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "2"}  # each has memory of its own
    command = [sys.executable, "-c", IN_LITTLE_MEMORY, str(tmp_path), str(LIMIT_MB)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=-1, check=True)

    counts, peak_mb = json.loads(done.stdout)
    assert sorted(counts) == [["enter", moved], ["exit", moved]]
    assert peak_mb is None or peak_mb < MOST_MB, f"{peak_mb} MB"
