"""The acknowledged members of a sync as a chain of frames: a base, then changes in order, rewritten when it is long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl
import polars_hash

from personas_kit.activation.state import SyncState
from personas_kit.activation.store.tables import Frames
from personas_kit.membership.changes import apply_changes

COMPACT_AT = 0.1
"""The chain is rewritten as one base when its changes exceed this share of the base."""

PIECE = 250_000
"""So many members are put in order at a time."""
_HASH: pl.Expr = polars_hash.col("member").nchash.xxh3_64()


@dataclass(frozen=True, slots=True)
class Part:
    """One link of a sync's chain: the base, or changes on top of what comes before it.

    Attributes:
        members: how many are acknowledged with this link and those before it.
    """

    kind: Literal["base", "changes"]
    file: str
    lines: int
    members: int


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known about a sync, and the chain of its acknowledged members, which nobody has opened.

    Attributes:
        state: nobody is acknowledged in it, and nothing of a plan that is under way.
        chain: empty where nobody ever was acknowledged.
        cut_short: a plan is under way, or was cut short: neither says all.
    """

    state: SyncState
    chain: tuple[Part, ...] = ()
    cut_short: bool = False


def members_of(frames: Frames, chain: Sequence[Part]) -> pl.DataFrame | None:
    """The acknowledged members at the end of a chain; None for an empty one."""
    if not chain:
        return None
    current = frames.read("members", chain[0].file)
    for part in chain[1:]:
        current = apply_changes(current, frames.read("members", part.file))
    return current


def begun(frames: Frames, sync_id: str, taken: pl.LazyFrame, lines: int, *, values: bool) -> Part:
    """The base of a chain that begins, made a piece after the other: memory does not grow with how many there are.

    Args:
        frames: where the frames are.
        sync_id: names it.
        taken: the changes: ``member``, ``change``, ``value``.
        lines: how many they are at most.
        values: members have values.
    """
    left = taken.filter(pl.col("change") != "exit", pl.col("value") != "null")
    members = left.select("member", "value") if values else left.select("member")
    heights: list[int] = []

    def counted() -> Iterator[pl.DataFrame]:
        for piece in _pieces(members, lines):
            heights.append(piece.height)
            yield piece

    file = frames.write("members", sync_id, counted())
    return Part("base", file, sum(heights), sum(heights))


def _pieces(members: pl.LazyFrame, lines: int) -> Iterator[pl.DataFrame]:
    """The members in their order, some at a time: those whose hash lies in the first stretch, then in the next."""
    text = members.collect_schema()["member"] == pl.String
    pieces = -(-lines // PIECE) if text else 1  # numbers are small
    if pieces <= 1:
        yield ordered_members(members.collect())
        return
    stretch = 2**64 // pieces + 1
    for at in range(pieces):
        among = members.filter(_HASH // stretch == at)
        yield ordered_members(among.collect(engine="streaming"))


def lengthened(
    frames: Frames,
    sync_id: str,
    chain: Sequence[Part],
    changes: pl.DataFrame,
    *,
    values: bool,
    integers: bool = False,
    compact: bool = False,
) -> list[Part]:
    """The chain with the changes at its end: one more frame, or one new base if the chain has grown long.

    Args:
        frames: where the frames are.
        sync_id: names them.
        chain: what there is.
        changes: ``member``, ``change``, ``value``; and ``grows``, how many members more there are by each (1, 0 or -1):
            where that is not known, it is found out.
        values: members have values.
        integers: members are whole numbers.
        compact: one new base in any case, so that no frame holds who has left.
    """
    if not chain:
        return [begun(frames, sync_id, changes.lazy(), changes.height, values=values)]
    small = changes.select("member", "change", "value")
    grown = sum(part.lines for part in chain[1:]) + small.height
    if compact or grown > COMPACT_AT * chain[0].lines:
        files = [part.file for part in chain]
        made = frames.folded(sync_id, files, ordered_members(small), values=values, integers=integers)
        if made is not None:
            return [Part("base", *made, members=made[1])]
        whole = members_of(frames, chain)
        assert whole is not None  # noqa: S101  (the chain has a base)
        return [_part(frames, sync_id, "base", apply_changes(whole, small))]
    if not small.height:
        return list(chain)
    return [*chain, _part(frames, sync_id, "changes", small, _grown(frames, chain, changes))]


def _grown(frames: Frames, chain: Sequence[Part], changes: pl.DataFrame) -> int:
    """How many members there are after the changes."""
    if "grows" in changes.columns:
        return chain[-1].members + int(changes["grows"].cast(pl.Int64).sum())
    whole = members_of(frames, chain)
    assert whole is not None  # noqa: S101  (the chain has a base)
    return apply_changes(whole, changes.select("member", "change", "value")).height


def _part(
    frames: Frames, sync_id: str, kind: Literal["base", "changes"], frame: pl.DataFrame, members: int | None = None
) -> Part:
    file = frames.write("members", sync_id, ordered_members(frame))
    return Part(kind, file, frame.height, frame.height if members is None else members)


def ordered_members(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts in the order of a hash that never changes, so that two frames merge in one pass; numbers by value."""
    text = frame.schema["member"] == pl.String
    return frame.sort(_HASH if text else pl.col("member"))
