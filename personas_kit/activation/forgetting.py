"""Who must never be sent again: known by a keyed hash, so that the state does not say who it was."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import polars as pl
import polars_hash

from personas_kit.activation.wanted import Members


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The users that were forgotten.

    Attributes:
        key: of the hashes; whoever has it, and the marks, can find out whether an id is among them.
        marks: 64 hex digits for each.
    """

    key: str = field(default="", repr=False)
    marks: frozenset[str] = frozenset()

    def mark(self, user: str) -> str:
        """The mark of a user id: a hash of a hash, each with the key before it."""
        return _hashed(self.key + _hashed(self.key + user))

    def __contains__(self, user: str) -> bool:
        """Whether a user is among them."""
        return bool(self.marks) and self.mark(user) in self.marks

    def among(self, users: pl.Series) -> pl.Series:
        """For each id, as text, whether it is among them."""
        found = users.cast(pl.String).to_frame("user")
        for _ in range(2):
            keyed = found.select(user=pl.lit(self.key) + pl.col("user"))
            found = keyed.select(user=polars_hash.col("user").chash.sha2_256())
        return found["user"].is_in(pl.Series([*self.marks], dtype=pl.String).implode()).fill_null(value=False)


def without_forgotten(members: Members, forgotten: Forgotten) -> tuple[Members, int]:
    """The members without the forgotten users, and how many users that leaves out."""
    frame = members.pairs if members.pairs is not None else members.subjects
    if not forgotten.marks or "user_id" not in frame.columns:
        return members, 0
    out = forgotten.among(frame["user_id"])
    left_out = int(frame.filter(out)["user_id"].n_unique())
    kept = frame.filter(~out)
    return (replace(members, pairs=kept) if members.pairs is not None else replace(members, subjects=kept)), left_out


def tells_of(lines: pl.DataFrame, forgotten: Forgotten) -> bool:
    """Whether changes would tell of a forgotten user more than that the user is out.

    Args:
        lines: of a plan: ``change``, ``value``, ``user_id``, and on a list ``users``.
        forgotten: who.
    """
    if not forgotten.marks:
        return False
    told = lines.filter((pl.col("change").cast(pl.String) != "exit") & (pl.col("value") != "null"))
    users = [told["user_id"], *([told["users"].explode()] if "users" in told.columns else [])]
    return any(forgotten.among(some).any() for some in users)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
