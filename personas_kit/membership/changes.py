"""What has to happen at a destination so that it holds what is wanted.

The rule: a change is due for a member if what is wanted differs from what was acknowledged, or if the outcome of the
last change sent for it is not known. Applying the changes to the acknowledged gives the wanted.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from personas_kit.membership.matching import Lines, unmatched

CHANGE = pl.Enum(["enter", "exit", "set"])
"""What can happen to a member."""


def membership_changes(wanted: Lines, acknowledged: Lines, unknown: pl.DataFrame) -> pl.DataFrame:
    """Who enters and who leaves.

    Args:
        wanted: one line per member, column ``member``, no nulls and no duplicates; a frame, or a query that can be run
            twice, whose lines then take no memory.
        acknowledged: the same, as last acknowledged.
        unknown: members whose last change has no known outcome, column ``member``.

    Returns:
        Columns ``member``, ``change`` (``exit`` | ``enter``) and ``value`` (``false`` | ``true``); exits come first,
        because destinations that cap the size of a list need the room.
    """
    member = _member_type((wanted, acknowledged, unknown))
    unknown = _typed(unknown.select("member"), member).collect()
    here, there = unmatched(_typed(wanted, member), _typed(acknowledged, member), ["member"], unknown["member"])
    settled, heard_of = there, there
    if unknown.height:  # seldom, and never many
        settled = there.join(unknown, on="member", how="anti", maintain_order="left")
        heard_of = pl.concat([there, unknown]).unique(maintain_order=True)
    enter, leave = _without(here, settled), _without(heard_of, here)
    return pl.concat([_marked(leave, "exit", "false"), _marked(enter, "enter", "true")])


def value_changes(
    wanted: Lines, acknowledged: Lines, unknown: pl.DataFrame, *, empty: str | None = None
) -> pl.DataFrame:
    """Whose value has to be set.

    A member that nobody has heard of counts as empty, so a first sync leaves out empty values; a later return to
    empty is sent, and a value that became missing is sent once as ``null``.

    Args:
        wanted: columns ``member`` and ``value`` (canonical JSON text; null is missing), no duplicates; a frame or a
            query, as for ``membership_changes``.
        acknowledged: the same, as last acknowledged.
        unknown: members whose last value has no known outcome, column ``member``.
        empty: the text of the value that a count or a sum has over nothing, such as ``0``; None if that is missing.

    Returns:
        Columns ``member``, ``change`` (``set``) and ``value`` (text; ``null`` where it became missing).
    """
    member = _member_type((wanted, acknowledged, unknown))
    unknown = _typed(unknown.select("member"), member).collect()
    sides = _typed(wanted, member), _typed(acknowledged, member)
    here, there = unmatched(*sides, ["member", "value"], unknown["member"])
    before = there.rename({"value": "before"})
    # Without the order being asked for, it is another one every time: the same plan would send other requests.
    both = here.join(before, on="member", how="full", coalesce=True, maintain_order="left_right")
    nothing = pl.lit(empty, pl.String)
    differs = ~pl.col("value").eq_missing(pl.col("before")) & ~(
        pl.col("before").is_null() & pl.col("value").eq_missing(nothing)
    )
    settled = both.filter(differs).join(unknown, on="member", how="anti", maintain_order="left")
    again = unknown.join(here, on="member", how="left", maintain_order="left")
    due = pl.concat([settled.select("member", "value"), again.select("member", "value")])
    return _marked(due.select("member"), "set", "null").with_columns(value=due["value"].fill_null("null"))


def apply_changes(acknowledged: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """The acknowledged members (and values, if there is a ``value`` column) after the changes took effect."""
    acknowledged, changes = same_member_type(acknowledged, changes)
    kept = acknowledged.join(changes, on="member", how="anti")
    present = changes.filter((pl.col("change") != "exit") & (pl.col("value") != "null")).select(acknowledged.columns)
    return pl.concat([kept, present])


def _without(members: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The members that are not among the others. A join of half a million with nobody takes a seventh of a plan."""
    few = not members.height or not others.height
    return members if few else members.join(others, on="member", how="anti", maintain_order="left")


def _marked(members: pl.DataFrame, change: str, value: str) -> pl.DataFrame:
    return members.select("member", change=pl.lit(change, CHANGE), value=pl.lit(value, pl.String))


def same_member_type(*frames: pl.DataFrame) -> list[pl.DataFrame]:
    """The frames with one type of member: their own if it is the same, text otherwise (ids changed their type)."""
    member = _member_type(frames)
    return [frame if frame.schema["member"] == member else frame.cast({"member": member}) for frame in frames]


def _member_type(sides: Collection[Lines]) -> pl.DataType:
    filled = [side for side in sides if side.lazy().head(1).collect().height]
    types = {side.collect_schema()["member"] for side in filled or sides}
    return types.pop() if len(types) == 1 else pl.String()


def _typed(side: Lines, member: pl.DataType) -> pl.LazyFrame:
    lines = side.lazy()
    return lines if side.collect_schema()["member"] == member else lines.cast({"member": member})
