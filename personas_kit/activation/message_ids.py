"""The ids of messages: a change has the same one whoever works it out and when, and nothing else has it."""

from __future__ import annotations

import polars as pl
import polars_hash

PIECE = 100_000
"""So many ids are made at a time: what they are made of takes no new memory then, which is a quarter of the time."""


def fresh_ids(lines: pl.DataFrame, plan_id: str, sync_id: str) -> pl.Series:
    """The id of each change, as it is where none was sent before. It must stay as it is: states rely on it.

    Made of the plan, the sync, and what is changed; and of the identifiers that go with the value, if there are any, so
    that one id never has two contents.

    Args:
        lines: ``member``, ``change``, ``value`` and ``id_*``. A list's member is all it says: it has no ``id_*``.
        plan_id: of the plan.
        sync_id: of the sync.
    """
    pieces = (lines[at : at + PIECE] for at in range(0, max(lines.height, 1), PIECE))
    return pl.concat([_made(piece, plan_id, sync_id) for piece in pieces])


def _made(lines: pl.DataFrame, plan_id: str, sync_id: str) -> pl.Series:
    content = pl.format(
        f"{plan_id}\n{sync_id}\n{{}}\n{{}}\n{{}}",
        pl.col("member").cast(pl.String),
        pl.col("change").cast(pl.String),
        pl.col("value"),
    )
    names = sorted(name for name in lines.columns if name.startswith("id_"))
    beside = pl.concat_str((pl.col(name).fill_null("") for name in names), separator="\n") if names else pl.lit("")
    hashed = lines.select(content=content, beside=beside).select(
        polars_hash.col("content").nchash.xxh3_128(), polars_hash.col("beside").nchash.xxh3_64()
    )
    said = pl.format("personas_{}_{}", "content", "beside") if names else pl.format("personas_{}", "content")
    return hashed.select(message_id=said)["message_id"]


def beside_of(ids: pl.Expr) -> pl.Expr:
    """What ids say of the identifiers that went with the value."""
    return ids.str.extract(r"\d(_\d+)$").fill_null("")
