"""The rows that a settled batch leaves: its unknown members, its rejects, the jobs it became."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

import polars as pl

from personas_kit.activation.state import BatchResult, microseconds
from personas_kit.activation.store.tables import Tables


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where and when: the open tables, the sync, and the instant in microseconds."""

    tables: Tables
    sync_id: str
    at: int


def settle(about: Settlement, lines: pl.DataFrame, result: BatchResult) -> list[int]:
    """Note the outcome of the lines of a batch.

    Returns:
        The positions that were not acknowledged.
    """
    excluded = sorted({*result.unknown, *result.unsent, *result.rejected, *result.accepted})
    _clear(about, "unknown_member", lines, excluded)
    _clear(about, "reject", lines, excluded)
    jobs = {handle: uuid4().hex for handle in dict.fromkeys(result.accepted.values())}
    unknown: dict[int, str | None] = dict.fromkeys(sorted(result.unknown))
    unknown |= {at: jobs[handle] for at, handle in result.accepted.items()}
    remember_unknown(about, lines, unknown)
    _remember_rejects(about, lines, result)
    about.tables.many(
        "insert into job values (?, ?, ?, ?)", [(job, about.sync_id, handle, about.at) for handle, job in jobs.items()]
    )
    return excluded


def forget_all(tables: Tables, sync_id: str) -> None:
    """As if the sync had never been pushed; what it is, and its history, stay."""
    for table in ("part", "unknown_member", "reject", "job", "batch", "plan"):
        tables.run(f"delete from {table} where sync_id = ?", (sync_id,))  # noqa: S608  (names of our own)
    tables.run(
        """update sync set last_as_of = null, last_push = null, last_full = null, members = 0, pushes = 0,
             fingerprint = '', meaning = '', figures = '' where id = ?""",
        (sync_id,),
    )


def _clear(about: Settlement, table: str, lines: pl.DataFrame, excluded: Iterable[int]) -> None:
    """Remove the other members from a table that is usually empty: their names are a third of what a note costs."""
    if about.tables.rows(f"select 1 as one from {table} where sync_id = ? limit 1", (about.sync_id,)):  # noqa: S608
        out = set(excluded)
        remove(about, table, (member for at, member in enumerate(_members(lines)) if at not in out))


def remove(about: Settlement, table: str, members: Iterable[str]) -> None:
    """Remove members from ``unknown_member`` or ``reject``."""
    about.tables.many(
        f"delete from {table} where sync_id = ? and member = ?",  # noqa: S608  (names of our own)
        [(about.sync_id, member) for member in members],
    )


def _members(lines: pl.DataFrame) -> list[str]:
    return lines["member"].cast(pl.String).to_list()


def remember_unknown(about: Settlement, lines: pl.DataFrame, jobs: dict[int, str | None]) -> None:
    """Keep what was sent last to members whose outcome is not known.

    Args:
        about: where.
        lines: the changes.
        jobs: position of a line -> the job that will tell, if there is one.
    """
    if not jobs:
        return
    some = lines[list(jobs)]
    members, kept = _members(some), some.select("change", "value", "message_id", "timestamp").rows()
    remove(about, "unknown_member", members)
    about.tables.many(
        "insert into unknown_member values (?, ?, ?, ?, ?, ?, ?)",
        [
            (about.sync_id, member, change, value, message_id, microseconds(timestamp), job)
            for member, job, (change, value, message_id, timestamp) in zip(members, jobs.values(), kept, strict=True)
        ],
    )


def _remember_rejects(about: Settlement, lines: pl.DataFrame, result: BatchResult) -> None:
    if not result.rejected:
        return
    positions = sorted(result.rejected)
    times = {
        row["member"]: row["times"]
        for row in about.tables.rows("select member, times from reject where sync_id = ?", (about.sync_id,))
    }
    (pushes,) = (row["pushes"] for row in about.tables.rows("select pushes from sync where id = ?", (about.sync_id,)))
    some = lines[positions]
    members, kept = _members(some), some.select("change", "value").rows()
    remove(about, "reject", members)
    about.tables.many(
        "insert into reject values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (about.sync_id, member, change, value, result.rejected[at], times.get(member, 0) + 1, pushes, about.at)
            for at, member, (change, value) in zip(positions, members, kept, strict=True)
        ],
    )
