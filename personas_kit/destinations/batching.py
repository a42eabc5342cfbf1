"""Cuts lines into requests by count and by bytes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


def cut(ends: Sequence[int], *, items: int, most_bytes: int, between: int) -> list[tuple[int, int]]:
    """The fewest consecutive runs of lines that keep both limits, first come first served.

    Args:
        ends: bytes up to the end of each line, with one separator after every line.
        items: lines in a run, at most.
        most_bytes: bytes of a run, at most, with one separator between lines. A longer line stands alone.
        between: bytes of a separator.

    Returns:
        ``[start, stop)`` pairs that cover all lines.
    """
    if items == 1:  # many requests: a sixth of the time
        return [(at, at + 1) for at in range(len(ends))]
    runs: list[tuple[int, int]] = []
    start, before = 0, 0
    while start < len(ends):
        by_bytes = bisect_right(ends, before + most_bytes + between, start, min(start + items, len(ends)))
        stop = max(by_bytes, start + 1)
        runs.append((start, stop))
        before, start = ends[stop - 1], stop
    return runs
