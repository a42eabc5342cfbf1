"""The changes of a plan as they are kept: without what can be told from the rest, most of all their message ids.

Ids are digits that nobody can pack: of a plan of half a million they are four fifths of the bytes.
"""

from __future__ import annotations

import polars as pl

from personas_kit.activation.message_ids import fresh_ids
from personas_kit.errors import StateError

_KEPT = "kept_id"
"""Ids that cannot be told, and the first one that can: by it a kit that would tell others is noticed."""


def kept(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines of a plan without ids that ``fresh_ids`` gives, and without a user's id that is the member.

    Args:
        lines: of a plan, with ``was_unknown``: the ids of all others are fresh.
    """
    first = pl.int_range(pl.len()) == pl.col("was_unknown").arg_min()
    ids = lines.select(pl.when(pl.col("was_unknown") | first).then("message_id").alias(_KEPT))
    same = lines.height and (lines["user_id"] == lines["member"].cast(pl.String)).all(ignore_nulls=False)
    return lines.drop("message_id", *(["user_id"] if same else [])).hstack(ids)


def whole(frame: pl.DataFrame, plan_id: str, sync_id: str) -> pl.DataFrame:
    """The lines of a plan as they were, from what was kept of them.

    Raises:
        StateError: a kit that gave other ids has kept them.
    """
    if _KEPT not in frame.columns:
        return frame
    if "user_id" not in frame.columns:
        frame = frame.with_columns(user_id=pl.col("member").cast(pl.String))
    lines = frame.with_columns(fresh_ids(frame, plan_id, sync_id))
    fresh = lines.filter(~pl.col("was_unknown")).head(1)
    if not fresh["message_id"].equals(fresh[_KEPT]):
        raise StateError(
            "another version of the kit has begun this plan, and gave other ids to its messages",
            where=sync_id,
            hint="finish it with that version: personas push KEY --to NAME",
        )
    return lines.with_columns(message_id=pl.coalesce(_KEPT, "message_id")).drop(_KEPT)
