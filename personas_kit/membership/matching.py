"""What two sides hold alike is set aside by hashes, so that only the little that differs is compared as it is.

Every line is read twice and never kept: once for its hash, and once more to keep it if the other side has no such hash.
So a side that is a query over files takes 8 bytes a line, and a third of the time of joins that compare texts.

Exact, however the hashes fall. A line is set aside if its hash is there once on each side and no more often; all others
are compared as they are. Were two different lines set aside for each other, the sums of a second hash over both sides
would differ, and then nothing is set aside at all. Both hashes err together once in 2^127 pairs of changes, and nobody
can make them: they are seeded at random.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

Lines: TypeAlias = pl.DataFrame | pl.LazyFrame
"""A side: in memory, or a query that can be run twice."""

FEW = 20_000
"""Lines of both sides up to which joins are quicker than all this."""
MOST_AT_ONCE = 2**28
"""Lines of both sides whose hashes are in memory together, 2 GB of them; more are read in so many parts."""
_BLOCK = 2**18
"""Hashes that stay in a processor's cache while they are looked at: 3 times quicker than all of them at once."""
_SEEDS = tuple(secrets.randbits(64) for _ in range(4))
_LAST, _REST = pl.lit(1, pl.UInt64), pl.lit(2**64 - 2, pl.UInt64)


def unmatched(
    wanted: pl.LazyFrame, acknowledged: pl.LazyFrame, columns: Sequence[str], again: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines of each side that the other side does not have, and perhaps a few that it has. None without a value.

    Args:
        wanted: lines with the columns.
        acknowledged: the same, of the same types.
        columns: ``member``, or ``member`` and ``value``.
        again: members whose lines are kept in any case.

    Returns:
        The lines of either side, in their order.
    """
    lines = [frame.item() for frame in _collected([side.select(pl.len()) for side in (wanted, acknowledged)])]
    sides = [side.select(columns) for side in (wanted, acknowledged)]
    if "value" in columns:
        sides = [side.filter(pl.col("value").is_not_null()) for side in sides]
    if not all(lines) or sum(lines) <= FEW:
        return _collected(sides)
    parts = -(-sum(lines) // MOST_AT_ONCE)
    room = np.empty(sum(lines), dtype=np.uint64)  # what is not written to takes no memory
    lonely, surplus = [], 0
    for part in range(parts):
        hashes, more = _hashes(sides, columns, part, parts, room)
        lonely.append(_alone(hashes))
        surplus += more
    keep = _mixed(columns, 0).or_(_LAST).is_in(pl.Series(np.concatenate(lonely) | 1).implode())
    if again.len():
        keep |= pl.col("member").is_in(again.implode())
    kept = _collected([side.filter(keep) for side in sides])
    checks = [int(frame.select(_mixed(columns, 2).sum()).item()) for frame in kept]
    matched = (surplus - checks[0] + checks[1]) % 2**64 == 0
    return kept if matched else _collected(sides)


def repeats(ids: pl.Series) -> bool:
    """Whether an id is there more than once: their hashes are looked at first, for a fifth of the time."""
    hashes = ids.hash(_SEEDS[0]).to_numpy(writable=True)
    hashes.sort()
    return bool((hashes[1:] == hashes[:-1]).any()) and ids.n_unique() < ids.len()


def _mixed(columns: Sequence[str], seed: int) -> pl.Expr:
    """A hash of a line."""
    first, *more = (pl.col(name).hash(_SEEDS[seed + at]) for at, name in enumerate(columns))
    return first.xor(more[0]) if more else first


def _hashes(
    sides: Sequence[pl.LazyFrame], columns: Sequence[str], part: int, parts: int, room: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], int]:
    """The hashes of both sides, the last bit of each telling which; and by how much the sums of their checks differ."""
    at, sums = 0, []
    for side, key in zip(sides, (_mixed(columns, 0).and_(_REST), _mixed(columns, 0).or_(_LAST)), strict=True):
        query = side.select(key=key, check=_mixed(columns, 2))
        if parts > 1:
            query = query.filter((pl.col("key") // (2**64 // parts)).clip(upper_bound=parts - 1) == part)
        found = query.collect(engine="streaming")
        for chunk in found["key"].get_chunks():  # as a whole it would be copied once more
            room[at : at + chunk.len()] = chunk.to_numpy()
            at += chunk.len()
        sums.append(int(found["check"].sum()))
    return room[:at], sums[0] - sums[1]


def _alone(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hashes that are not there once of each side: where they are sorted, such a pair differs in its last bit."""
    hashes.sort()
    found = [hashes[:0]]
    for start in range(0, hashes.size, _BLOCK):
        before, stop = max(start - 1, 0), min(start + _BLOCK, hashes.size)
        some = hashes[before : stop + 1]  # with a neighbour on either side
        pair = (some[1:] ^ some[:-1]) == 1
        alone = np.ones(some.size, dtype=np.bool_)
        alone[1:] &= ~pair
        alone[:-1] &= ~pair
        block = slice(start - before, stop - before)
        found.append(some[block][alone[block]])
    return np.concatenate(found)


def _collected(queries: Sequence[pl.LazyFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    first, second = pl.collect_all(queries, engine="streaming")
    return first, second
