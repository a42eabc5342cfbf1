"""Cuts lines into requests by count and by bytes."""

from __future__ import annotations

import polars as pl


def cut(sizes: pl.Series, *, items: int, most_bytes: int) -> list[tuple[int, int]]:
    """The fewest consecutive runs of lines that keep both limits, first come first served.

    Args:
        sizes: bytes of each line, separators not counted. A line over the limit stands alone.
        items: lines in a run, at most.
        most_bytes: bytes of a run, at most, with one separator between lines.

    Returns:
        ``[start, stop)`` pairs that cover all lines.
    """
    ends = (sizes.cast(pl.Int64) + 1).cum_sum()
    runs: list[tuple[int, int]] = []
    start, before = 0, 0
    while start < len(sizes):
        by_bytes = int(ends.search_sorted(before + most_bytes + 1, side="right"))
        stop = min(start + items, max(by_bytes, start + 1), len(sizes))
        runs.append((start, stop))
        before, start = int(ends[stop - 1]), stop
    return runs
