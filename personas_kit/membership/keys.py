"""Members that no destination can keep apart: missing, repeated and overlong ids."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from personas_kit.membership.matching import repeats

LONGEST = 255
"""Characters of an id: the most that a usual destination takes, such as Twilio (error 25004, read 2026-11-26)."""


@dataclass(frozen=True, slots=True)
class KeyProblems:
    """How many lines have no id, how many ids occur more than once (with at most three of them), how many are long."""

    nulls: int
    duplicates: int
    examples: tuple[str, ...]
    long: int = 0


def key_problems(frame: pl.DataFrame, column: str = "member") -> KeyProblems:
    """Look for missing, repeated and overlong ids in ``column``."""
    ids = frame.get_column(column)
    present = ids.drop_nulls()
    long = int((present.str.len_chars() > LONGEST).sum()) if present.dtype == pl.String else 0
    if not repeats(present):
        return KeyProblems(ids.null_count(), 0, (), long)
    repeated = present.filter(present.is_duplicated()).unique().sort()
    return KeyProblems(ids.null_count(), repeated.len(), tuple(str(member) for member in repeated.head(3)), long)
