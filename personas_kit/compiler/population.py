"""Who exists, who belongs where, and whose an event is: the tables every definition stands on.

``users_now``, ``accounts_now`` and ``members_now`` are what exists at ``as_of``; ``claims`` says whose an anonymous id
is; ``events_of_users`` is a table of events with its users resolved. Each appears only if something reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from personas_kit.compiler.nodes import (
    all_of,
    as_,
    bare_tables,
    column,
    constant,
    free_name,
    given,
    instant,
    missing,
    ordered,
    ranked,
    real,
    sortable,
    table,
)
from personas_kit.compiler.source import Column, EventTable, Identities, Members, Memberships, Source
from personas_kit.definitions.definition import Subject
from personas_kit.errors import DefinitionError

USERS, ACCOUNTS, MEMBERS, CLAIMS = "users_now", "accounts_now", "members_now", "claims"
RESOLVED = "events_of_users"
ID = {"user": "user_id", "account": "account_id"}


@dataclass(eq=False)
class Build:
    """One statement being put together: what it reads so far, and the parts that are done."""

    source: Source
    parts: dict[str, exp.Query] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    _read: dict[str, dict[str, Column]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def subject(self, which: Subject) -> str:
        """``users_now`` or ``accounts_now``."""
        if which == "account" and self.source.accounts is None:
            raise DefinitionError(
                "the source has no accounts", hint="name the table: [source] accounts = { table = ..., id = ... }"
            )
        name = USERS if which == "user" else ACCOUNTS
        self._read.setdefault(name, {})
        return name

    def members(self) -> str:
        """``members_now``."""
        if self.source.memberships is None:
            raise DefinitionError(
                "the source does not say which user belongs to which account",
                hint="name the table: [source] memberships = { table = ..., user = ..., account = ... }",
            )
        self.subject("user")
        self.subject("account")
        self._read.setdefault(MEMBERS, {})
        return MEMBERS

    def trait(self, which: Subject, of: Column) -> exp.Column:
        """A trait column, read from ``users_now`` or ``accounts_now``."""
        name = self.subject(which)
        self._read[name][of.name] = of
        return exp.Column(this=_alias(of, ID[which]), table=exp.to_identifier(name))

    def event(self, of: EventTable, name: str, read: Column) -> exp.Column:
        """A column of the events that ``events`` called ``name``."""
        if name not in self._read or read == of.user:
            return column(name, "user_id") if read == of.user and name in self._read else column(name, read)
        self._read[name][read.name] = read
        return exp.Column(this=_alias(read, "user_id"), table=exp.to_identifier(name))

    def events(self, of: EventTable) -> tuple[str, exp.Expr, exp.Expr]:
        """What to call a table of events, what to read it from, and whose an event is."""
        if of.anonymous is not None and self.source.identities is not None:
            name = RESOLVED if len(self.source.events) == 1 else f"{RESOLVED}_{self.source.events.index(of) + 1}"
            self._read.setdefault(name, {})
            return name, exp.to_table(name), column(name, "user_id")
        if of.user is None:
            raise DefinitionError(
                "the events name anonymous ids only, and the source does not say whose these are",
                hint="name the table: [source] identities = { table = ..., user = ..., value = ... }",
            )
        return "e", table(of.table, "e"), column("e", of.user)

    def add(self, kind: str, part: exp.Query) -> str:
        """One more part; gives its name."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        name = f"{kind}_{self._counts[kind]}"
        self.parts[name] = part
        return name

    def finish(self, final: exp.Select) -> exp.Select:
        """The statement: tables first, then the parts in the order they were made, then the final SELECT."""
        tables: dict[str, exp.Query] = {}
        resolved = {f"{RESOLVED}_{i}": event for i, event in enumerate(self.source.events, 1)}
        if len(self.source.events) == 1:
            resolved[RESOLVED] = self.source.events[0]
        if USERS in self._read:
            tables[USERS] = self._existing(self.source.users, "user", USERS)
        if ACCOUNTS in self._read and self.source.accounts:
            tables[ACCOUNTS] = self._existing(self.source.accounts, "account", ACCOUNTS)
        if MEMBERS in self._read and self.source.memberships:
            tables[MEMBERS] = _memberships(self.source.memberships, self.source.timezone)
        used = [name for name in resolved if name in self._read]
        if used and self.source.identities:
            tables[CLAIMS] = _claims(self.source.identities, self.source.timezone)
            tables |= {name: self._resolved(resolved[name], name) for name in used}
        for name, part in (tables | self.parts).items():
            final = final.with_(name, as_=part, copy=False)
        return _apart(final)

    def _existing(self, members: Members, which: Subject, name: str) -> exp.Select:
        own = ID[which]
        listed = [as_(column("t", members.id), own)]
        listed += [as_(column("t", of), _alias(of, own)) for of in self._read[name].values()]
        return exp.select(*listed).from_(table(members.table, "t")).where(_exists(members, "t", self.source.timezone))

    def _resolved(self, of: EventTable, name: str) -> exp.Select:
        """The event's own user wins; else whoever claimed its anonymous id."""
        if of.anonymous is None:
            raise TypeError("only events with anonymous ids are resolved")
        claimed = column(CLAIMS, "user_id")
        user = exp.Coalesce(this=column("e", of.user), expressions=[claimed]) if of.user else claimed
        listed = [as_(user, "user_id")]
        listed += [as_(column("e", read), _alias(read, "user_id")) for read in self._read[name].values()]
        match = exp.EQ(this=column(CLAIMS, "anonymous_id"), expression=column("e", of.anonymous))
        joined = (
            exp.select(*listed).from_(table(of.table, "e")).join(CLAIMS, on=match, join_type="left" if of.user else "")
        )
        return joined.where(exp.LTE(this=column("e", of.at), expression=instant(0, of.at.type, self.source.timezone)))


def _apart(statement: exp.Select) -> exp.Select:
    """Parts that bear the name of a table that is read get another: a warehouse may have its own ``claims``."""
    read = bare_tables(statement)
    own = {part.alias for part in statement.ctes}
    renamed = {name: free_name(name, read | own) for name in own if name in read}
    for name in statement.find_all(exp.Identifier):
        if not name.quoted and name.name in renamed:
            name.set("this", renamed[name.name])
    return statement


def _alias(of: Column, taken: str) -> exp.Identifier:
    """A column keeps its name, unless that is the name of the id beside it."""
    return real(f"own_{of.name}" if of.name.casefold() == taken else of.name)


def _exists(members: Members, alias: str, zone: str) -> exp.Expr:
    named = given(column(alias, members.id))
    return (
        named
        if members.since is None
        else exp.and_(named, _open(column(alias, members.since), members.since, zone, exp.LTE))
    )


def _open(read: exp.Expr, of: Column, zone: str, comparison: type[exp.Binary]) -> exp.Expr:
    """The bound holds at ``as_of``, or is missing."""
    held = comparison(this=read, expression=instant(0, of.type, zone))
    return exp.paren(exp.or_(missing(read.copy()), held))


def _memberships(of: Memberships, zone: str) -> exp.Select:
    """Valid at ``as_of``, of users and accounts that exist then."""
    valid: list[exp.Expr] = []
    if of.valid_from:
        valid.append(_open(column("m", of.valid_from), of.valid_from, zone, exp.LTE))
    if of.valid_to:
        valid.append(_open(column("m", of.valid_to), of.valid_to, zone, exp.GT))
    user, account = column("m", of.user), column("m", of.account)
    made = exp.select(as_(user, "user_id"), as_(account, "account_id")).distinct().from_(table(of.table, "m"))
    made = made.join(USERS, on=exp.EQ(this=column(USERS, "user_id"), expression=user.copy()))
    made = made.join(ACCOUNTS, on=exp.EQ(this=column(ACCOUNTS, "account_id"), expression=account.copy()))
    return made.where(all_of(valid)) if valid else made


def _claims(of: Identities, zone: str) -> exp.Select:
    """The earliest claim of an anonymous id wins, then the smaller user id. Claims after ``as_of`` do not exist."""
    value, user = column("i", of.value), column("i", of.user)
    wanted = [given(value.copy()), given(user.copy())]
    order = [ordered(sortable(user.copy(), of.user.type))]
    if of.type:
        wanted.append(exp.EQ(this=column("i", of.type), expression=constant(of.anonymous_type, "text")))
    if of.since:
        wanted.append(_open(column("i", of.since), of.since, zone, exp.LTE))
        order.insert(0, ordered(column("i", of.since)))
    place = as_(ranked([value.copy()], order), "place")
    inner = (
        exp.select(as_(value, "anonymous_id"), as_(user, "user_id"), place)
        .from_(table(of.table, "i"))
        .where(all_of(wanted))
    )
    first = exp.EQ(this=column("c", "place"), expression=exp.Literal.number(1))
    return exp.select(column("c", "anonymous_id"), column("c", "user_id")).from_(inner.subquery("c")).where(first)
