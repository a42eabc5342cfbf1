"""What a runner may have sent after it had lost the sync: whether that matters, and how it is kept: ``Store.doubt``.

A doubt is an unknown member without a value: what came last is not known, so no earlier message is repeated for it.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from personas_kit.activation.state import BatchResult, SyncState
from personas_kit.activation.store.settling import Settlement, remember_unknown
from personas_kit.activation.store.tables import Tables
from personas_kit.membership.changes import same_member_type


def contradicting(lines: pl.DataFrame, state: SyncState) -> pl.DataFrame:
    """The changes after which a destination would hold something else than what is known, or might.

    Args:
        lines: changes that may have arrived last.
        state: what is known, what is in flight counted as unknown.
    """
    lines, known, unknown = same_member_type(lines, state.acknowledged, state.unknown.select("member"))
    value = pl.col("value") if "value" in known.columns else pl.lit(None, pl.String)
    held = known.select("member", there=pl.lit(value=True), holds=value)
    both = lines.select("member", "change", "value").join(held, on="member", how="left", maintain_order="left")
    stays = (pl.col("change").cast(pl.String) != "exit") & (pl.col("value") != "null")
    same = (stays == pl.col("there").fill_null(value=False)) & (
        ~stays | pl.col("holds").is_null() | (pl.col("holds") == pl.col("value"))
    )
    return lines.filter(both.select(~same | pl.col("member").is_in(unknown["member"].implode())).to_series())


def note_doubts(about: Settlement, lines: pl.DataFrame) -> None:
    """Make the members of these changes unknown, whatever was known of them."""
    lines = lines.with_columns(value=pl.lit(None, pl.String))
    remember_unknown(about, lines, dict.fromkeys(range(lines.height)))


def still_doubted(
    tables: Tables, sync_id: str, lines: pl.DataFrame, result: BatchResult
) -> tuple[pl.DataFrame, BatchResult]:
    """What may be noted of a batch that was under way when a doubt was noted: members in doubt stay in doubt."""
    rows = tables.rows("select member from unknown_member where sync_id = ? and value is null", (sync_id,))
    doubted = lines["member"].cast(pl.String).is_in([row["member"] for row in rows])
    at = set(doubted.arg_true()) - set(result.unsent)
    accepted = {position: handle for position, handle in result.accepted.items() if position not in at}
    lines = lines.with_columns(value=pl.when(doubted).then(None).otherwise("value"))
    return lines, replace(result, unknown={*result.unknown, *at}, accepted=accepted)
