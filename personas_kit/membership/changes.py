"""What has to happen at a destination so that it holds what is wanted.

The rule: a change is due for a member if what is wanted differs from what was acknowledged, or if the outcome of the
last change sent for it is not known. Applying the changes to the acknowledged gives the wanted.
"""

from __future__ import annotations

import polars as pl

CHANGE = pl.Enum(["enter", "exit", "set"])
"""What can happen to a member."""


def membership_changes(wanted: pl.DataFrame, acknowledged: pl.DataFrame, unknown: pl.DataFrame) -> pl.DataFrame:
    """Who enters and who leaves.

    Args:
        wanted: one line per member, column ``member``, no nulls and no duplicates.
        acknowledged: the same, as last acknowledged.
        unknown: members whose last change has no known outcome, column ``member``.

    Returns:
        Columns ``member``, ``change`` (``exit`` | ``enter``) and ``value`` (``false`` | ``true``); exits come first,
        because destinations that cap the size of a list need the room.
    """
    wanted, acknowledged, unknown = same_member_type(
        *(frame.select("member") for frame in (wanted, acknowledged, unknown))
    )
    settled, heard_of = acknowledged, acknowledged
    if unknown.height:  # seldom, and never many
        settled = acknowledged.join(unknown, on="member", how="anti")
        heard_of = pl.concat([acknowledged, unknown]).unique(maintain_order=True)
    enter = wanted.join(settled, on="member", how="anti")
    leave = heard_of.join(wanted, on="member", how="anti")
    return pl.concat([_marked(leave, "exit", "false"), _marked(enter, "enter", "true")])


def value_changes(
    wanted: pl.DataFrame, acknowledged: pl.DataFrame, unknown: pl.DataFrame, *, empty: str | None = None
) -> pl.DataFrame:
    """Whose value has to be set.

    A member that nobody has heard of counts as empty, so a first sync leaves out empty values; a later return to
    empty is sent, and a value that became missing is sent once as ``null``.

    Args:
        wanted: columns ``member`` and ``value`` (canonical JSON text; null is missing), no duplicates.
        acknowledged: the same, as last acknowledged.
        unknown: members whose last value has no known outcome, column ``member``.
        empty: the text of the value that a count or a sum has over nothing, such as ``0``; None if that is missing.

    Returns:
        Columns ``member``, ``change`` (``set``) and ``value`` (text; ``null`` where it became missing).
    """
    wanted, acknowledged, unknown = same_member_type(wanted, acknowledged, unknown.select("member"))
    before = acknowledged.rename({"value": "before"})
    # Without the order being asked for, it is another one every time: the same plan would send other requests.
    both = wanted.join(before, on="member", how="full", coalesce=True, maintain_order="left_right")
    nothing = pl.lit(empty, pl.String)
    differs = ~pl.col("value").eq_missing(pl.col("before")) & ~(
        pl.col("before").is_null() & pl.col("value").eq_missing(nothing)
    )
    settled = both.filter(differs).join(unknown, on="member", how="anti")
    again = unknown.join(wanted, on="member", how="left")
    due = pl.concat([settled.select("member", "value"), again.select("member", "value")])
    return _marked(due.select("member"), "set", "null").with_columns(value=due["value"].fill_null("null"))


def apply_changes(acknowledged: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """The acknowledged members (and values, if there is a ``value`` column) after the changes took effect."""
    acknowledged, changes = same_member_type(acknowledged, changes)
    kept = acknowledged.join(changes, on="member", how="anti")
    present = changes.filter((pl.col("change") != "exit") & (pl.col("value") != "null")).select(acknowledged.columns)
    return pl.concat([kept, present])


def _marked(members: pl.DataFrame, change: str, value: str) -> pl.DataFrame:
    return members.select("member", change=pl.lit(change, CHANGE), value=pl.lit(value, pl.String))


def same_member_type(*frames: pl.DataFrame) -> list[pl.DataFrame]:
    """The frames with one type of member: their own if it is the same, text otherwise (ids changed their type)."""
    types = {frame.schema["member"] for frame in frames if frame.height} or {each.schema["member"] for each in frames}
    if len(types) == 1:
        (one,) = types
        return [frame if frame.schema["member"] == one else frame.cast({"member": one}) for frame in frames]
    return [frame.cast({"member": pl.String}) for frame in frames]
