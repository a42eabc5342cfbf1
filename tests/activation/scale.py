"""Plans, and pushes, a workspace of many members, in a process of its own, whose memory is its answer as well."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb
import polars as pl

import personas_kit as pk
from benchmarks.measure import peak_mb

CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users = {{ table = "users", id = "user_id" }}

[destinations.there]
type = "segment"
url  = "{url}"
write_key = {{ file = "key.txt" }}

[[audience]]
name  = "Vips"
where = "trait('vip') = true"
to    = [{{ destination = "there", send = ["identify"], ids = {{ email = "email" }} }}]
"""
LEAVES = 200
"""Of so many members one leaves, and one enters: one in a hundred changes."""


def make(folder: Path, url: str, members: int) -> None:
    """The workspace, with so many members and some users that are not."""
    (folder / "key.txt").write_text("made-up", encoding="utf-8")
    (folder / "personas.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "create table users as select 'user_' || n as user_id, 'someone.' || n || '@example.com' as email, n, "
            f"n < {members} as vip from range({members + members // LEAVES}) t(n)"
        )


def change(folder: Path, members: int) -> None:
    """One in two hundred leaves, and as many enter."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute(f"update users set vip = (n >= {members} or n % {LEAVES} <> 7)")


def expected(members: int) -> tuple[set[str], set[str]]:
    """Who enters, and who leaves, by ``change``."""
    entering = {f"user_{n}" for n in range(members, members + members // LEAVES)}
    return entering, {f"user_{n}" for n in range(7, members, LEAVES)}


def main(folder: Path, mode: str) -> dict[str, object]:
    """One plan.

    Args:
        folder: of the workspace.
        mode: ``push`` (the changes), ``adopt`` (nothing is sent), ``plan`` (nothing is pushed).

    Returns:
        Counts, figures, and a file with the changes.
    """
    start = time.perf_counter()
    plan = pk.open(folder).plan("vips", mode="adopt" if mode == "adopt" else "changes")
    planned = time.perf_counter()
    report = None if mode == "plan" else plan.push(progress=lambda _: None)
    seconds = {"plan": planned - start, "push": time.perf_counter() - planned}
    said = {"changes": plan.changes.height, "peak_mb": peak_mb(), **seconds}
    plan.changes.select("member", pl.col("change").cast(pl.String)).write_parquet(folder / "changes.parquet")
    return said | ({"acknowledged": report.acknowledged, "complete": report.complete} if report else {})


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))  # noqa: T201  (the answer)
