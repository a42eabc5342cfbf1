"""Members that no destination can keep apart: missing and repeated ids."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class KeyProblems:
    """How many lines have no id, and how many ids occur more than once, with at most three of the latter."""

    nulls: int
    duplicates: int
    examples: tuple[str, ...]


def key_problems(frame: pl.DataFrame, column: str = "member") -> KeyProblems:
    """Look for missing and repeated ids in ``column``."""
    ids = frame.get_column(column)
    present = ids.drop_nulls()
    if present.n_unique() == present.len():
        return KeyProblems(ids.null_count(), 0, ())
    repeated = present.filter(present.is_duplicated()).unique().sort()
    return KeyProblems(ids.null_count(), repeated.len(), tuple(str(member) for member in repeated.head(3)))
