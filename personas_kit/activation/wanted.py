"""What is wanted at a destination: the members of a definition, in the shape of one call.

===============  =====================  ============================  ==========================
definition       identify, track        group                         list
===============  =====================  ============================  ==========================
audience         its users              not for users                 identifiers of its users
account audience users of its accounts  its accounts                  identifiers of these users
trait            users with values      not for users                 not for values
account trait    users with the value   accounts with values          not for values
                 of their account
===============  =====================  ============================  ==========================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from personas_kit.definitions import Definition
from personas_kit.destinations.base import Call, Connection
from personas_kit.errors import DestinationError
from personas_kit.membership import KeyProblems, as_json, combine_values, expand_to_users, key_problems, list_members
from personas_kit.membership.expansion import Combine


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a definition as the warehouse gave them.

    Attributes:
        subjects: ``user_id`` or ``account_id``, ``value`` for a trait, and for users the columns of identifiers.
        pairs: for account definitions, one line per membership in a matching account: ``user_id``, ``account_id``,
            ``value`` for a trait, and the columns of identifiers.
        zero_is_empty: the trait is a count or a sum.
    """

    subjects: pl.DataFrame = field(repr=False)
    pairs: pl.DataFrame | None = field(default=None, repr=False)
    zero_is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one call should lead to.

    Attributes:
        members: ``member``; ``value`` (JSON text) for traits; ``user_id``, ``account_id`` (text or null), ``id_*``,
            and ``accounts`` or ``users`` (lists): who brought the member in.
        skipped: ``user_id`` of users that lack an identifier.
        problems: ids that are missing or occur twice.
        undecided: users whose accounts' values differ, with nothing said on how to combine them.
        empty: the JSON text of the empty value; None if empty means missing.
        suppressed: users that are left out because they were forgotten.
    """

    members: pl.DataFrame = field(repr=False)
    skipped: pl.DataFrame = field(repr=False)
    problems: KeyProblems
    undecided: pl.DataFrame = field(repr=False)
    empty: str | None
    valued: bool
    suppressed: int = 0


def wanted_by(
    call: Call,
    found: Members,
    connection: Connection,
    ids: Mapping[str, str],
    combine: Combine | None = None,
) -> Wanted:
    """The wanted members of one call.

    Args:
        call: which call.
        found: its members.
        connection: normalises the identifiers of a list.
        ids: which column of the user is which identifier at the destination: ``{"email": "email"}``.
        combine: how the values of several accounts of a user become one.

    Raises:
        DestinationError: a column of identifiers holds several values in a line.
    """
    nobody = pl.DataFrame(schema={"user_id": pl.String})
    empty = _empty_value(found)
    if call == "group":
        accounts = (
            _encoded(found.subjects)
            .rename({"account_id": "member"})
            .with_columns(account_id=pl.col("member").cast(pl.String))
        )
        return _finish(accounts, nobody, pl.DataFrame(), empty)
    users, undecided = _users(found, combine)
    users = users.with_columns(_identifier(users, column).alias(f"id_{kind}") for kind, column in ids.items())
    if call != "list":
        named = users.with_columns(member=pl.col("user_id")).with_columns(pl.col("user_id").cast(pl.String))
        return _finish(named, nobody, undecided, empty)
    listed, skipped = list_members(users.with_columns(member=connection.list_member(ids)))
    return Wanted(listed, skipped, key_problems(users, "user_id"), undecided, None, valued=False)


def _users(found: Members, combine: Combine | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One line per user; those of account definitions with the accounts that brought them in."""
    if found.pairs is None:
        return _encoded(found.subjects), pl.DataFrame()
    users = expand_to_users(found.pairs)
    if "value" not in found.pairs.columns:
        return users, pl.DataFrame()
    values, undecided = combine_values(found.pairs, combine)
    return users.join(values.select("user_id", "value"), on="user_id", how="inner"), undecided


def _encoded(subjects: pl.DataFrame) -> pl.DataFrame:
    """The values as JSON text. Texts, too: one that went out as it is could add fields to a request."""
    return subjects.with_columns(value=as_json(subjects["value"])) if "value" in subjects.columns else subjects


def _finish(frame: pl.DataFrame, skipped: pl.DataFrame, undecided: pl.DataFrame, empty: str | None) -> Wanted:
    valued = "value" in frame.columns
    problems = key_problems(frame)
    members = frame.drop_nulls("member").unique("member", keep="first", maintain_order=True)
    return Wanted(members, skipped, problems, undecided, empty, valued)


def _empty_value(found: Members) -> str | None:
    if not found.zero_is_empty:
        return None
    zero = pl.Series([0], strict=False).cast(found.subjects.schema["value"])
    return str(as_json(zero)[0])


def _identifier(users: pl.DataFrame, column: str) -> pl.Expr:
    """An identifier as text; an empty text is none. ``user_id`` is the user's own id."""
    if users.schema[column].is_nested():
        raise DestinationError(
            f"the column {column!r} holds lists or documents, and an identifier is one value",
            hint="let a source view have a column with the one value that is meant",
        )
    text = pl.col(column).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def calls_for(definition: Definition, connection: Connection, asked: Sequence[Call] | None) -> tuple[Call, ...]:
    """The calls by which a definition goes to a destination.

    By default identify and track for audiences, identify for traits, group as well for account definitions, list for
    lists; each only where the destination takes it.

    Raises:
        DestinationError: what was asked for cannot be, or nothing is left.
    """
    possible: list[Call] = ["identify"]
    possible += ["track", "list"] if definition.is_audience else []
    possible += ["group"] if definition.subject == "account" else []
    fitting = tuple(call for call in possible if call in connection.calls)
    where = f"{definition.name} -> {connection.name}"
    if asked:
        for call in asked:
            if call not in fitting:
                raise DestinationError(
                    f"{connection.destination.name} cannot take this {definition.kind.replace('_', ' ')} by {call}",
                    where=where,
                    hint=f"it takes: {', '.join(fitting) or 'nothing of it'}",
                )
        return tuple(dict.fromkeys(asked))
    if not fitting:
        raise DestinationError(
            f"{connection.destination.name} cannot take this {definition.kind.replace('_', ' ')}",
            where=where,
            hint=f"it takes {', '.join(sorted(connection.calls))} only",
        )
    return fitting
