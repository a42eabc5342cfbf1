"""What can be counted to see whether a source is what it is taken for: one statement, and one line, for each part.

Nothing here depends on an instant: it is about the tables as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from personas_kit.compiler.nodes import all_of, as_, column, constant, given, missing, table
from personas_kit.compiler.query import Query
from personas_kit.compiler.source import Column, EventTable, Identities, Members, Memberships, Source, Table

EVENTS = "all_events"


def compile_evidence(source: Source) -> dict[str, Query]:
    """The statements that say how well a source fits, by its parts.

    Returns:
        - ``users``, ``accounts``: ``lines``, ``named`` (with an id), ``members`` (distinct ids), ``first`` and ``last``
          of ``since``;
        - ``memberships``: ``lines``, ``users``, ``accounts`` (distinct), ``users_known``, ``accounts_known`` (that
          exist), ``in_several`` (users with more than one account);
        - ``identities``: ``lines``, ``ids`` (distinct), ``users``, ``users_known``, ``shared`` (ids of several users);
        - ``events``: ``lines``, ``first``, ``last``, ``ids`` and ``with_id``, ``with_user``, ``users``,
          ``users_known``, ``anonymous`` (lines without a user but with an anonymous id), ``resolved`` (of those),
          ``with_account``, ``accounts``, ``accounts_known``.

        Only parts that the source has; a column that it does not have counts as 0 or is missing.
    """
    found = {"users": Query(_members(source.users))}
    if source.accounts:
        found["accounts"] = Query(_members(source.accounts))
    if source.memberships:
        found["memberships"] = Query(_memberships(source.memberships, source))
    if source.identities:
        found["identities"] = Query(_identities(source.identities, source))
    if source.events:
        found["events"] = Query(_events(source))
    return found


def compile_values(of: Table, read: Column, *, at_most: int) -> Query:
    """The most frequent values of a column: ``value`` and ``lines``, most frequent first."""
    value = column("t", read)
    lines = exp.Count(this=exp.Star())
    made = exp.select(as_(value, "value"), as_(lines, "lines")).from_(table(of, "t")).where(given(value.copy()))
    made = made.group_by(value.copy()).order_by(exp.Ordered(this=lines.copy(), desc=True), value.copy()).limit(at_most)
    return Query(made)


def compile_pairs(of: Table, one: Column, other: Column, *, at_most: int) -> Query:
    """The most frequent pairs of values of two columns: ``one``, ``other`` and ``lines``, most frequent first."""
    left, right, lines = column("t", one), column("t", other), exp.Count(this=exp.Star())
    made = exp.select(as_(left, "one"), as_(right, "other"), as_(lines, "lines")).from_(table(of, "t"))
    made = made.where(exp.and_(given(left.copy()), given(right.copy()))).group_by(left.copy(), right.copy())
    made = made.order_by(exp.Ordered(this=lines.copy(), desc=True), left.copy(), right.copy()).limit(at_most)
    return Query(made)


def _lines() -> exp.Alias:
    return as_(exp.Count(this=exp.Star()), "lines")


def _distinct(of: exp.Expr) -> exp.Count:
    return exp.Count(this=exp.Distinct(expressions=[of]))


def _span(of: exp.Expr | None) -> list[exp.Expr]:
    """The earliest and the latest."""
    if of is None:
        return [as_(exp.null(), "first"), as_(exp.null(), "last")]
    return [as_(exp.Min(this=of), "first"), as_(exp.Max(this=of.copy()), "last")]


def _members(of: Members) -> exp.Select:
    own = column("t", of.id)
    named, members = as_(exp.Count(this=own), "named"), as_(_distinct(own.copy()), "members")
    since = column("t", of.since) if of.since else None
    return exp.select(_lines(), named, members, *_span(since)).from_(table(of.table, "t"))


def _memberships(of: Memberships, source: Source) -> exp.Select:
    user, account = column("m", of.user), column("m", of.account)
    several = exp.select(user.copy()).from_(table(of.table, "m")).where(given(user.copy())).group_by(user.copy())
    several = several.having(exp.GT(this=_distinct(account.copy()), expression=exp.Literal.number(1)))
    listed = [
        _lines(),
        as_(_distinct(user), "users"),
        as_(_distinct(account), "accounts"),
        as_(_known(table(of.table, "m"), user, source.users), "users_known"),
        as_(_known(table(of.table, "m"), account, source.accounts), "accounts_known"),
        as_(_counted(several), "in_several"),
    ]
    return exp.select(*listed).from_(table(of.table, "m"))


def _identities(of: Identities, source: Source) -> exp.Select:
    value, user = column("i", of.value), column("i", of.user)
    only = exp.EQ(this=column("i", of.type), expression=constant(of.anonymous_type, "text")) if of.type else exp.true()
    shared = exp.select(value.copy()).from_(table(of.table, "i")).where(only.copy()).group_by(value.copy())
    shared = shared.having(exp.GT(this=_distinct(user.copy()), expression=exp.Literal.number(1)))
    listed = [
        _lines(),
        as_(_distinct(value), "ids"),
        as_(_distinct(user), "users"),
        as_(_known(table(of.table, "i"), user, source.users), "users_known"),
        as_(_counted(shared), "shared"),
    ]
    return exp.select(*listed).from_(table(of.table, "i")).where(only)


def _events(source: Source) -> exp.Select:
    """All tables of events as one; a column that no table has counts nothing."""
    has = {name: any(_read(of)[name] for of in source.events) for name in _read(source.events[0])}
    at, user, anonymous, account, own = (exp.column(name, table="e") if has[name] else exp.null() for name in has)
    nameless = all_of([missing(user.copy()), given(anonymous)])
    listed = [
        _lines(),
        *_span(at),
        as_(_distinct(own), "ids"),
        as_(exp.Count(this=own.copy()), "with_id"),
        as_(exp.Count(this=user), "with_user"),
        as_(_distinct(user.copy()), "users"),
        as_(_known(_e(), user, source.users), "users_known"),
        as_(exp.Count(this=_when(nameless)), "anonymous"),
        as_(_resolved(nameless, anonymous, source.identities), "resolved"),
        as_(exp.Count(this=account), "with_account"),
        as_(_distinct(account.copy()), "accounts"),
        as_(_known(_e(), account, source.accounts), "accounts_known"),
    ]
    tables = [*_each(source, [name for name, some in has.items() if some])]
    every = exp.union(*tables, distinct=False) if len(tables) > 1 else tables[0]
    return exp.select(*listed).from_(_e()).with_(EVENTS, as_=every)


def _read(of: EventTable) -> dict[str, Column | None]:
    return {"at_": of.at, "user_": of.user, "anonymous_": of.anonymous, "account_": of.account, "id_": of.id}


def _e() -> exp.Table:
    return exp.to_table(EVENTS, alias="e")


def _each(source: Source, names: list[str]) -> Iterator[exp.Select]:
    """One table of events after the other; a column that only others have is missing."""
    for of in source.events:
        own = _read(of)
        listed = [as_(column("t", read) if (read := own[name]) else exp.null(), name) for name in names]
        yield exp.select(*listed).from_(table(of.table, "t"))


def _when(holds: exp.Expr) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=holds, true=exp.Literal.number(1))])


def _counted(lines: exp.Select) -> exp.Subquery:
    """How many lines, as a value."""
    return exp.select(exp.Count(this=exp.Star())).from_(lines.subquery("s")).subquery()


def _known(of: exp.Table, read: exp.Expr, members: Members | None) -> exp.Expr:
    """How many distinct ids of a column exist as users or accounts."""
    if members is None or isinstance(read, exp.Null):
        return exp.Literal.number(0)
    exists = exp.In(this=read.copy(), query=_ids(members).subquery())
    return exp.select(_distinct(read.copy())).from_(of).where(exists).subquery()


def _ids(members: Members) -> exp.Select:
    return exp.select(column("k", members.id)).from_(table(members.table, "k")).where(given(column("k", members.id)))


def _resolved(nameless: exp.Expr, anonymous: exp.Expr, identities: Identities | None) -> exp.Expr:
    """How many lines have no user, and an anonymous id that somebody claims."""
    if identities is None or isinstance(anonymous, exp.Null):
        return exp.Literal.number(0)
    value = column("i", identities.value)
    claimed = exp.select(value).from_(table(identities.table, "i")).where(given(value.copy()))
    if identities.type:
        kind = constant(identities.anonymous_type, "text")
        claimed = claimed.where(exp.EQ(this=column("i", identities.type), expression=kind))
    wanted = exp.and_(nameless.copy(), exp.In(this=anonymous.copy(), query=claimed.subquery()))
    return exp.select(exp.Count(this=exp.Star())).from_(_e()).where(wanted).subquery()
