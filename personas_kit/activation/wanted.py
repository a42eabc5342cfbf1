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

Where a destination knows a user by an identifier (an address, say) instead of the user's id, the members of identify
and track are these identifiers, as those of a list are: several users may share one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import polars as pl

from personas_kit.definitions import Definition
from personas_kit.destinations.base import Call, Connection
from personas_kit.errors import DestinationError
from personas_kit.membership import KeyProblems, as_json, combine_values, expand_to_users, key_problems, list_members
from personas_kit.membership.expansion import Combine

Take = Literal["first", "last", "all"]
"""Which values of a list are identifiers of a user."""


@dataclass(frozen=True, slots=True)
class Id:
    """Which column of the user is an identifier, and which of its values, where it holds several."""

    column: str
    take: Take | None = None


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
        members: ``member``; ``value`` (JSON text) for traits; ``user_id``, ``account_id`` (text or null), and
            ``accounts`` or ``users`` (lists): who brought the member in; ``id_*``, or ``of_*`` that they are made of.
        skipped: ``user_id`` of users that lack an identifier.
        problems: ids that are missing or occur twice.
        undecided: users whose accounts' values differ, with nothing said on how to combine them.
        empty: the JSON text of the empty value; None if empty means missing.
        suppressed: users that are left out because they were forgotten.
        lacking: identifiers that ``members`` lack, and what they are made of by ``named``.
    """

    members: pl.DataFrame = field(repr=False)
    skipped: pl.DataFrame = field(repr=False)
    problems: KeyProblems
    undecided: pl.DataFrame = field(repr=False)
    empty: str | None
    valued: bool
    suppressed: int = 0
    lacking: Mapping[str, Id] = field(default_factory=dict)

    def named(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Lines of members with what they lack, ``id_*``. Few members change, so it is not made for everybody."""
        for kind, said in self.lacking.items():
            lines = _with_id(lines, kind, said, alone=False).drop(said.column)
        return lines


def id_of(said: object) -> Id:
    """A column, or ``{"column": ..., "take": "last"}``.

    Raises:
        DestinationError: it is neither, or the column has the name of what a trait says of its members.
    """
    match said:
        case Id(column="value") | "value" | {"column": "value"}:
            raise DestinationError(
                "no identifier can be read from a column called 'value': so is called what a trait says of a user",
                where="ids",
                hint="give the column another name, in a view of users that [source] reads",
            )
        case Id():
            return said
        case str():
            return Id(said)
        case {"column": str(column), "take": "first" | "last" | "all" as take, **more} if not more:
            return Id(column, take)
    raise DestinationError(
        "an identifier is a column of users",
        where="ids",
        hint='write email = "email", or email = { column = "emails", take = "last" } with first, last or all',
    )


def wanted_by(
    call: Call,
    found: Members,
    connection: Connection,
    ids: Mapping[str, str | Id],
    combine: Combine | None = None,
) -> Wanted:
    """The wanted members of one call.

    Args:
        call: which call.
        found: its members.
        connection: says by what it knows a user.
        ids: which column of the user is which identifier at the destination: ``{"email": "email"}``.
        combine: how the values of several accounts of a user become one.

    Raises:
        DestinationError: a column of identifiers holds several values in a line, and nobody says which.
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
    columns = {kind: id_of(said) for kind, said in ids.items()}
    if connection.identifiers(call):
        return _identified(found, connection, call, columns, combine, empty)
    users, undecided = _users(found, combine)
    users, lacking = _lacking(users, columns)
    members = users.with_columns(member=pl.col("user_id")).with_columns(pl.col("user_id").cast(pl.String))
    return replace(_finish(members, nobody, undecided, empty), lacking=lacking)


def _lacking(users: pl.DataFrame, ids: Mapping[str, Id]) -> tuple[pl.DataFrame, dict[str, Id]]:
    """The users with what identifiers are made of under other names, which are no identifiers', and what these are."""
    for kind, said in ids.items():
        _with_id(users.clear(), kind, said, alone=False)  # what is none is refused, whether anybody changes or not
    lacking = {kind: Id(f"of_{kind}", said.take) for kind, said in ids.items()}
    kept = {"user_id", "accounts", "value", *(said.column for said in lacking.values())}
    read = users.with_columns(pl.col(said.column).alias(lacking[kind].column) for kind, said in ids.items())
    return read.drop({said.column for said in ids.values()} - kept), lacking


def _identified(
    found: Members,
    connection: Connection,
    call: Call,
    ids: Mapping[str, Id],
    combine: Combine | None,
    empty: str | None,
) -> Wanted:
    """Members that are identifiers: of lists, and of destinations that know users by them."""
    lines = found.subjects if found.pairs is None else found.pairs
    for kind, said in ids.items():
        lines = _with_id(lines, kind, said, alone=kind in connection.identifiers(call))
    if found.pairs is None:  # each user speaks for itself, as an account does for its users
        lines = lines.with_columns(account_id=pl.col("user_id"))
    lines = lines.with_columns(member=connection.member(call, ids))
    members, _ = list_members(lines)
    further = [f"id_{kind}" for kind in ids if call != "list"]
    if further:
        first = lines.drop_nulls("member").group_by("member").agg(pl.col(name).drop_nulls().first() for name in further)
        members = members.join(first, on="member", how="left", maintain_order="left")
    undecided = pl.DataFrame()
    if "value" in lines.columns and call != "list":
        values, open_ = combine_values(
            lines.drop_nulls("member").select("value", "account_id", user_id="member"), combine
        )
        shared = lines.join(open_.select(member="user_id"), on="member", how="semi")
        undecided = shared.select("user_id").unique(maintain_order=True)  # people are named by their ids
        members = members.join(values.select("value", member="user_id"), on="member", maintain_order="left")
    usable = lines.filter(pl.col("member").is_not_null())
    skipped = lines.join(usable, on="user_id", how="anti").select("user_id").unique(maintain_order=True)
    people = found.subjects if found.pairs is None else found.pairs.select("user_id").unique()
    valued = "value" in members.columns
    return Wanted(
        members, skipped, key_problems(people, "user_id"), undecided, empty if valued else None, valued=valued
    )


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
    members = frame.drop_nulls("member")
    if problems.duplicates:  # looking for them is a third of the time of taking out none
        members = members.unique("member", keep="first", maintain_order=True)
    return Wanted(members, skipped, problems, undecided, empty, valued)


def _empty_value(found: Members) -> str | None:
    if not found.zero_is_empty:
        return None
    zero = pl.Series([0], strict=False).cast(found.subjects.schema["value"])
    return str(as_json(zero)[0])


def _with_id(users: pl.DataFrame, kind: str, said: Id, *, alone: bool) -> pl.DataFrame:
    """With ``id_<kind>``, an identifier as text; an empty text is none. ``user_id`` is the user's own id.

    Of a column that holds lists (of a warehouse without them: texts of JSON) one value is taken, or every one: then a
    user has as many lines.
    """
    column, name, kept = said.column, f"id_{kind}", users.schema[said.column]
    value = pl.col(column)
    if said.take is not None and kept == pl.String:  # Snowflake hands lists over as texts of JSON
        texts = pl.when(value.str.starts_with("[")).then(value)
        users = users.with_columns(
            texts.str.json_decode(pl.List(pl.String)).fill_null(pl.concat_list(value)).alias(column)
        )
        kept = users.schema[column]
    listed = isinstance(kept, pl.List) and not kept.inner.is_nested()
    if kept.is_nested() and not (listed and said.take):
        raise DestinationError(
            f"the column {column!r} holds lists or documents, and an identifier is one value",
            hint=f'say which: ids = {{ {kind} = {{ column = "{column}", take = "last" }} }}; or "first", or "all"',
        )
    if said.take == "all" and not alone:
        raise DestinationError(
            f"every {kind} of a user cannot be sent where the user is known by one id",
            hint='say take = "first" or take = "last"',
        )
    if listed:
        given = value.cast(pl.List(pl.String)).list.eval(_clean(pl.element())).list.drop_nulls()
        if said.take == "all":
            some = pl.when(given.list.len() > 0).then(given)  # who has none keeps one line
            return users.with_columns(some.alias(name)).explode(name)
        return users.with_columns((given.list.first() if said.take == "first" else given.list.last()).alias(name))
    return users.with_columns(_clean(value.cast(pl.String)).alias(name))


def _clean(text: pl.Expr) -> pl.Expr:
    stripped = text.str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def calls_for(definition: Definition, connection: Connection, asked: Sequence[Call] | None) -> tuple[Call, ...]:
    """The calls by which a definition goes to a destination.

    By default identify and track for audiences, identify for traits, group as well for account definitions, list for
    lists; each only where the destination takes it.

    Raises:
        DestinationError: what was asked for cannot be, nothing is left, or the key is no name of a field there.
    """
    possible: list[Call] = ["identify"]
    possible += ["track", "list"] if definition.is_audience else []
    possible += ["group"] if definition.subject == "account" else []
    fitting = tuple(call for call in possible if call in connection.calls)
    if connection.list_missing:
        fitting = tuple(call for call in fitting if call != "list")
    where = f"{definition.name} -> {connection.name}"
    if asked:
        for call in asked:
            if call not in fitting:
                raise DestinationError(
                    f"{connection.title} cannot take this {definition.kind.replace('_', ' ')} by {call}",
                    where=where,
                    hint=f"it takes: {', '.join(fitting) or 'nothing of it'}",
                )
        fitting = tuple(dict.fromkeys(asked))
    if not fitting:
        raise DestinationError(
            f"{connection.title} cannot take this {definition.kind.replace('_', ' ')}",
            where=where,
            hint=_only(definition, connection),
        )
    if set(fitting) != {"list"}:
        connection.destination.keys.check(definition.key, f"{definition.name} -> {connection.title}")
    return fitting


def _only(definition: Definition, connection: Connection) -> str:
    """Why nothing of a definition gets there."""
    takes = f"it takes {', '.join(sorted(connection.calls)) or 'no call'} only"
    if not definition.is_audience and "identify" not in connection.calls:
        return f"{takes}, and a computed trait goes by identify; an audience can go there as an event"
    return takes
