"""Which identifiers belong to whom: what says that one user has become part of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from personas_kit.compiler.nodes import as_, column, constant, given, id_as, instant, missing, table
from personas_kit.compiler.source import Column, Identities

CLAIM = ("claim_value", "claim_user", "claim_type", "claim_stands")
"""The identifier, the user whose it is, its type (all as text), and whether it is the id of a user who exists."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Which identifiers to list: all those of the users who claim one of the ``values``, and of ``users``."""

    values: Sequence[object] = ()
    users: Sequence[object] = ()


def claims_of(of: Identities, wanted: Claims, users: str, zone: str) -> exp.Select:
    """Lines of identifiers, with the columns of ``CLAIM``. Claims made after ``as_of`` do not exist.

    Args:
        of: where they are.
        wanted: which.
        users: the part with the users who exist.
        zone: the time zone of days.
    """
    value, user = column("i", of.value), column("i", of.user)
    named = _one_of(column("j", of.value), of.value, wanted.values)
    owners = exp.select(column("j", of.user)).from_(table(of.table, "j")).where(named)
    asked = [
        exp.In(this=user.copy(), query=exp.Subquery(this=owners)),
        _one_of(user.copy(), of.user, wanted.users),
    ]
    listed = [_text(value), _text(user), _text(column("i", of.type) if of.type else exp.null())]
    stands = given(column(users, "user_id"))
    made = exp.select(*(as_(each, name) for each, name in zip([*listed, stands], CLAIM, strict=True)))
    same_id = exp.EQ(this=_text(column(users, "user_id")), expression=_text(value))
    made = made.from_(table(of.table, "i")).join(users, on=same_id, join_type="left")
    made = made.where(given(value.copy()), given(user.copy()), exp.paren(exp.or_(*asked)))
    if of.since is not None:
        since = column("i", of.since)
        made_by_then = exp.LTE(this=since, expression=instant(0, of.since.type, zone))
        made = made.where(exp.paren(exp.or_(missing(since.copy()), made_by_then)))
    return made.distinct()


def _text(value: exp.Expr) -> exp.Expr:
    return exp.cast(value, exp.DataType.Type.TEXT)


def _one_of(read: exp.Expr, of: Column, ids: Sequence[object]) -> exp.Expr:
    """It is one of some ids, as far as these can stand in the column."""
    known = [id_as(each, of.type) for each in ids] if of.type in {"integer", "text"} else []
    bound = [constant(each, of.type) for each in known if each is not None]
    return exp.In(this=read, expressions=bound) if bound else exp.false()
