"""Cuts lines into requests by count and by bytes."""

from __future__ import annotations

from bisect import bisect_right

import polars as pl


def cut(sizes: pl.Series, *, items: int, most_bytes: int, between: int = 1) -> list[tuple[int, int]]:
    """The fewest consecutive runs of lines that keep both limits, first come first served.

    Args:
        sizes: bytes of each line, separators not counted. A line over the limit stands alone.
        items: lines in a run, at most.
        most_bytes: bytes of a run, at most, with one separator between lines.
        between: bytes of a separator.

    Returns:
        ``[start, stop)`` pairs that cover all lines.
    """
    ends = (sizes.cast(pl.Int64) + between).cum_sum().to_list()
    runs: list[tuple[int, int]] = []
    start, before = 0, 0
    while start < len(ends):
        by_bytes = bisect_right(ends, before + most_bytes + between, start, min(start + items, len(ends)))
        stop = max(by_bytes, start + 1)
        runs.append((start, stop))
        before, start = ends[stop - 1], stop
    return runs
