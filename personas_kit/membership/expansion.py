"""From accounts to their users, and from users to the identifiers that a list holds."""

from __future__ import annotations

from typing import Literal

import polars as pl

from personas_kit.errors import DefinitionError
from personas_kit.membership.values import as_json

Combine = Literal["max", "min", "sum", "list"]


def expand_to_users(pairs: pl.DataFrame) -> pl.DataFrame:
    """The distinct users of the pairs, each with the accounts that brought it in.

    Args:
        pairs: one line per membership in a matching account: ``user_id``, ``account_id`` and any columns of the user.

    Returns:
        One line per user: ``user_id``, ``accounts`` (sorted list), and the further columns as they were.
    """
    others = [name for name in pairs.columns if name not in {"user_id", "account_id", "value"}]
    return pairs.group_by("user_id", maintain_order=True).agg(
        pl.col("account_id").unique().sort().alias("accounts"), *(pl.col(name).first() for name in others)
    )


def combine_values(pairs: pl.DataFrame, combine: Combine | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One value per user from the values of its accounts.

    Args:
        pairs: ``user_id``, ``account_id``, ``value`` (as typed by the warehouse; null is missing).
        combine: how several different values become one; None if nobody has said so.

    Returns:
        The users with one value (``user_id``, ``accounts``, ``value`` as canonical JSON text), and those with several
        different values for which ``combine`` is missing (``user_id``, ``accounts``, ``values``).

    Raises:
        DefinitionError: values of this type do not combine so: texts have no sum.
    """
    _check(combine, pairs.schema["value"])
    several = pl.col("value").drop_nulls().unique().sort()
    users = pairs.group_by("user_id", maintain_order=True).agg(
        pl.col("account_id").unique().sort().alias("accounts"), several.alias("values")
    )
    if combine is None:
        clear = users.filter(pl.col("values").list.len() <= 1)
        undecided = users.filter(pl.col("values").list.len() > 1)
        value = clear["values"].list.first()
        return clear.select("user_id", "accounts").with_columns(value=as_json(value)), undecided
    match combine:
        case "list":
            value = users["values"]
        case "max":
            value = users["values"].list.max()
        case "min":
            value = users["values"].list.min()
        case _:
            total = pl.when(pl.col("value").count() > 0).then(pl.col("value").sum()).alias("value")
            value = pairs.group_by("user_id", maintain_order=True).agg(total)["value"]
    return users.select("user_id", "accounts").with_columns(value=as_json(value)), users.clear()


def list_members(users: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The members of a list: identifiers, with the users who have them.

    Args:
        users: one line per user: ``user_id``, ``member`` (the identifiers as sent; null if the user has none).

    Returns:
        One line per member (``member``, ``users`` sorted), and the users without a usable identifier (``user_id``).
    """
    usable = users.filter(pl.col("member").is_not_null())
    members = usable.group_by("member", maintain_order=True).agg(pl.col("user_id").unique().sort().alias("users"))
    return members, users.filter(pl.col("member").is_null()).select("user_id")


def _check(combine: Combine | None, kind: pl.DataType) -> None:
    has_sum = kind.is_numeric() or kind in {pl.Boolean(), pl.Null()}
    if combine in {None, "list"} or (has_sum if combine == "sum" else not kind.is_nested()):
        return
    called = "lists" if kind.is_nested() else "times" if kind.is_temporal() else "texts"
    wanted = {"sum": "sum", "max": "largest value", "min": "smallest value"}[combine or ""]
    raise DefinitionError(
        f"{called} have no {wanted}", where=f'combine = "{combine}"', hint='combine="list" keeps the values of all'
    )
