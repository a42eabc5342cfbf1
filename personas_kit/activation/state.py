"""What is known about a sync, as values: the acknowledged members, the unknown ones, the refused ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from personas_kit.activation.sync import Sync

_UTC = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Job:
    """Work that a destination has accepted: it will say later what became of it.

    Attributes:
        id: ours.
        handle: what the destination calls it.
        accepted_at: when it said so.
    """

    id: str
    handle: str
    accepted_at: dt.datetime


@dataclass(frozen=True, slots=True)
class SyncState:
    """What is known about a sync. ``version`` moves whenever a plan that was made before may be wrong by now.

    Attributes:
        acknowledged: ``member`` and, for values, ``value`` (canonical JSON text).
        unknown: ``member``, ``change``, ``value``, ``message_id``, ``timestamp`` of what was sent last, and ``job`` if
            the destination has accepted it and will still say what became of it.
        rejects: ``member``, ``change``, ``value``, ``reason``, ``times``, and ``since``: how many plans were finished
            since it was refused last, that one included.
        jobs: what the destination has accepted and not acknowledged.
        target: which account acknowledged it.
        fingerprint: of the definition at the last finished plan.
        meaning: the definition then, and what it refers to, as JSON text; empty where that was not kept.
        figures: what the source looked like then, as JSON text; empty where that was not kept.
        pushes: how many plans were finished.
        members: wanted at the last finished plan.
        last_as_of: of the last finished plan; None if there has been none (the next one is a first sync).
        last_push: when it finished.
        last_full: of the last finished plan that told the destination of everyone.
        paused: a person paused it.
        alike: members that are wanted as they are acknowledged, and stayed in the warehouse: not in ``acknowledged``.
        saying: how many of these have a value that says something.
        idle: members that are wanted with a value that says nothing, were never acknowledged, and stayed there, too.
    """

    acknowledged: pl.DataFrame = field(repr=False)
    unknown: pl.DataFrame = field(repr=False)
    rejects: pl.DataFrame = field(repr=False)
    jobs: tuple[Job, ...] = ()
    version: int = 0
    target: str = ""
    fingerprint: str = ""
    meaning: str = ""
    figures: str = ""
    pushes: int = 0
    members: int = 0
    last_as_of: dt.datetime | None = None
    last_push: dt.datetime | None = None
    last_full: dt.datetime | None = None
    paused: bool = False
    alike: int = 0
    saying: int = 0
    idle: int = 0

    @property
    def size(self) -> int:
        """How many members are acknowledged."""
        return self.acknowledged.height + self.alike


class Batch(NamedTuple):
    """A stretch of a plan's lines that is sent, and noted, together."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch, as positions within it; whatever is not named was acknowledged.

    A member may be both rejected and unknown: a refusal says nothing about an earlier attempt that may have arrived.

    Attributes:
        accepted: position -> the handle under which the destination took it, to say later what became of it.
        unsent: never left; what stands at the end of the batch goes with a later one.
    """

    rejected: Mapping[int, str] = field(default_factory=dict)
    unknown: Collection[int] = frozenset()
    accepted: Mapping[int, str] = field(default_factory=dict)
    unsent: Collection[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PlanHead:
    """What the store has to know about a plan of one sync, besides its changes.

    Attributes:
        made_at: when it was made; an interrupted plan goes on for so long only.
        target: the account (and list) that it is for.
        meaning: the definition, and what it refers to, as JSON text.
        figures: what the source looked like, as JSON text.
        wanted: how many members are wanted.
        valued: they have values.
        full: it tells the destination of everyone.
        replaces: so that they take the place of whoever is there.
        overrides: the guards that were overridden -> who did, and why.
        derived: the message ids of what was not sent before are those of ``fresh_ids``: they need not be kept.
    """

    plan_id: str
    sync: Sync
    as_of: dt.datetime
    made_at: dt.datetime
    fingerprint: str
    target: str
    wanted: int
    valued: bool
    meaning: str = ""
    figures: str = ""
    full: bool = False
    replaces: bool = False
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """A plan that was committed and is not folded.

    Attributes:
        lines: its changes, in the order in which they are sent.
        waiting: the stretches that were not sent.
        done: those that were -> the positions in them that were not acknowledged.
        stopped: somebody stopped it in good order; else its process died, or is still at it.
    """

    head: PlanHead
    lines: pl.DataFrame
    waiting: tuple[Batch, ...]
    done: Mapping[Batch, Sequence[int]]
    stopped: bool


def acknowledged_lines(lines: pl.LazyFrame, done: Mapping[Batch, Sequence[int]]) -> pl.LazyFrame:
    """The changes of batches that are done, but for the positions that were not acknowledged.

    Returns:
        ``member``, ``change``, ``value``, and ``grows`` if it is there. Nothing is read until somebody collects it.
    """
    grows = [name for name in lines.collect_schema().names() if name == "grows"]
    end = max((batch.stop for batch in done), default=0)
    at = pl.col("at")
    between = [~at.is_between(start, stop, closed="left") for start, stop in gaps(done, end)]
    excluded = [batch.start + each for batch, positions in done.items() for each in positions]
    among = pl.all_horizontal(at < end, *between, *([~at.is_in(excluded)] if excluded else []))
    small = lines.select("member", pl.col("change").cast(pl.String), "value", *grows)
    return small.with_row_index("at").filter(among).drop("at")


def gaps(batches: Collection[Batch], total: int) -> list[Batch]:
    """What lies between the batches: the stretches of ``total`` lines that were not sent."""
    found, at = [], 0
    for start, stop in [*sorted(batches), Batch(total, total)]:
        if at < start:
            found.append(Batch(at, start))
        at = stop
    return found


def member_frame(rows: Sequence[Mapping[str, object]], member: pl.DataType, **columns: pl.DataType) -> pl.DataFrame:
    """Rows of the tables, whose members are text, with the members as the source has them."""
    names = ("member", *columns)
    lines = [tuple(row[name] for name in names) for row in rows]
    frame = pl.DataFrame(lines, schema={"member": pl.String(), **columns}, orient="row")
    return frame.cast({"member": member})


def microseconds(instant: dt.datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def instant(at: int | None) -> dt.datetime | None:
    """The instant that ``microseconds`` was of; None stays None."""
    return None if at is None else moment(at)


def moment(at: int) -> dt.datetime:
    """The same, of one that is there."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=at)


def unknown_frame(rows: Sequence[Mapping[str, object]], member: pl.DataType) -> pl.DataFrame:
    """The unknown members of a sync."""
    frame = member_frame(
        rows, member, change=pl.String(), value=pl.String(), message_id=pl.String(), timestamp=pl.Int64(),
        job=pl.String(),
    )  # fmt: skip
    return frame.with_columns(pl.col("timestamp").cast(_UTC))


def reject_frame(rows: Sequence[Mapping[str, object]], member: pl.DataType) -> pl.DataFrame:
    """The refused members of a sync."""
    return member_frame(
        rows, member, change=pl.String(), value=pl.String(), reason=pl.String(), times=pl.Int64(), since=pl.Int64()
    )
