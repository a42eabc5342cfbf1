"""What is known about a sync, as values: the acknowledged members, the unknown ones, the refused ones."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from personas_kit.activation.sync import Sync

_UTC = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class SyncState:
    """What is known about a sync. ``version`` moves whenever ``acknowledged`` or ``unknown`` may have changed.

    Attributes:
        acknowledged: ``member`` and, for values, ``value`` (canonical JSON text).
        unknown: ``member``, ``change``, ``value``, ``message_id``, ``timestamp`` of what was sent last.
        rejects: ``member``, ``change``, ``value``, ``reason``, ``times``.
        target: which account acknowledged it.
        fingerprint: of the definition at the last finished plan.
        members: wanted at the last finished plan.
        last_as_of: of the last finished plan; None if there has been none (the next one is a first sync).
        last_push: when it finished.
        paused: a person paused it.
    """

    acknowledged: pl.DataFrame
    unknown: pl.DataFrame
    rejects: pl.DataFrame
    version: int = 0
    target: str = ""
    fingerprint: str = ""
    members: int = 0
    last_as_of: dt.datetime | None = None
    last_push: dt.datetime | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch, as positions within it; whatever is not named was acknowledged.

    A member may be both rejected and unknown: a refusal says nothing about an earlier attempt that may have arrived.
    """

    rejected: Mapping[int, str] = field(default_factory=dict)
    unknown: Collection[int] = frozenset()
    unsent: Collection[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PlanHead:
    """What the store has to know about a plan of one sync, besides its changes."""

    plan_id: str
    sync: Sync
    as_of: dt.datetime
    fingerprint: str
    target: str
    wanted: int
    valued: bool
    overrides: Sequence[str] = ()


def acknowledged_lines(lines: pl.DataFrame, excluded: Mapping[int, Sequence[int]]) -> pl.DataFrame:
    """The changes of finished batches that were not rejected, unknown or unsent."""
    done = lines.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64).over("number")).filter(
        pl.col("number").is_in([*excluded])
    )
    pairs = [(number, at) for number, positions in excluded.items() for at in positions]
    out = pl.DataFrame(pairs, schema={"number": lines.schema["number"], "at": pl.Int64}, orient="row")
    return done.join(out, on=["number", "at"], how="anti").select("member", "change", "value")


def state_of(
    row: sqlite3.Row | None,
    acknowledged: pl.DataFrame | None,
    unknown: Sequence[sqlite3.Row],
    rejects: Sequence[sqlite3.Row],
) -> SyncState:
    """The state of a sync from its rows; ``row`` is None for one that was never pushed."""
    member = acknowledged.schema["member"] if acknowledged is not None else _member_type(unknown)
    known = SyncState(
        acknowledged=acknowledged if acknowledged is not None else _frame([], member, value=pl.String),
        unknown=_frame(
            unknown, member, change=pl.String, value=pl.String, message_id=pl.String, timestamp=pl.Int64
        ).with_columns(pl.col("timestamp").cast(_UTC)),
        rejects=_frame(rejects, member, change=pl.String, value=pl.String, reason=pl.String, times=pl.Int64),
    )
    if row is None:
        return known
    return replace(
        known,
        version=row["version"],
        target=row["target"],
        fingerprint=row["fingerprint"],
        members=row["members"],
        last_as_of=instant(row["last_as_of"]),
        last_push=instant(row["last_push"]),
        paused=bool(row["paused"]),
    )


def _frame(rows: Sequence[sqlite3.Row], member: pl.DataType, **columns: type[pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame([tuple(line) for line in rows], schema={"member": member, **columns}, orient="row")


def _member_type(rows: Sequence[sqlite3.Row]) -> pl.DataType:
    return pl.Int64() if rows and isinstance(rows[0]["member"], int) else pl.String()


def microseconds(instant: dt.datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def instant(at: int | None) -> dt.datetime | None:
    """The instant that ``microseconds`` was of; None stays None."""
    return None if at is None else dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=at)
