"""Who exists, who belongs where, and whose an event is: the tables every definition stands on.

``users_now``, ``accounts_now`` and ``members_now`` are what exists at ``as_of``; ``claims`` says whose an anonymous id
is; ``events_of_users`` is a table of events with its users resolved. Each appears only if something reads it, and a
table of the warehouse that several parts read is read once, for all of them (``events_read``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from personas_kit.compiler.nodes import (
    all_of,
    as_,
    bare_tables,
    called,
    column,
    constant,
    free_name,
    given,
    instant,
    missing,
    naive,
    ordered,
    ranked,
    real,
    sortable,
    table,
)
from personas_kit.compiler.source import TIMES, Column, EventTable, Identities, Members, Memberships, Source, Table
from personas_kit.compiler.together import APART, MOST, Together
from personas_kit.definitions.definition import Subject
from personas_kit.errors import DefinitionError

USERS, ACCOUNTS, MEMBERS, CLAIMS = "users_now", "accounts_now", "members_now", "claims"
RESOLVED, READ, EVER = "events_of_users", "events_read", "members_ever"
ID = {"user": "user_id", "account": "account_id"}


@dataclass(frozen=True, slots=True)
class EventSource:
    """What to read events from (as ``e``), whose one is, and whether those after ``as_of`` are left out already."""

    table: exp.Expr
    user: exp.Expr
    ended: bool


@dataclass(slots=True)
class _Reading:
    """What is read of a table of events: columns, names, and how far back (None: everything)."""

    columns: dict[str, Column] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    older: int | None = 0

    def note(self, name: str, older: int | None) -> None:
        self.names[name] = None
        self.older = None if older is None or self.older is None else max(older, self.older)


@dataclass(eq=False)
class Build:
    """One statement being put together: what it reads so far, and the parts that are done.

    ``together`` makes one part of the values that the same events have, where that can be: it says how many different
    values events of each name have, and is empty where it does not pay. ``known`` has the parts, and
    ``values`` the part and its column, by what they mean.
    """

    source: Source
    together: Mapping[str, int] = field(default_factory=dict)
    parts: dict[str, exp.Query] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    _gathered: dict[str, tuple[str, Together]] = field(default_factory=dict)
    _read: dict[str, dict[str, Column]] = field(default_factory=dict)
    _events: dict[int, _Reading] = field(default_factory=dict)
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

    @property
    def read(self) -> Mapping[str, Mapping[str, Column]]:
        """The columns that are read of who exists."""
        return self._read

    def read_as(self, others: Collection[Build]) -> None:
        """Read of who exists whatever any of these reads, itself among them: so what is the same looks the same."""
        for name in self._read:
            every = {known: read for other in others for known, read in other.read.get(name, {}).items()}
            self._read[name] = dict(sorted(every.items()))

    def event(self, of: EventTable, read: Column) -> exp.Column:
        """A column of a table of events."""
        resolved = self._resolves(of)
        if resolved and read == of.user:
            return column("e", "user_id")
        self._reading(of).columns[read.name] = read
        return exp.Column(this=_alias(read, "user_id"), table=exp.to_identifier("e")) if resolved else column("e", read)

    def events(self, of: EventTable) -> EventSource:
        """What to read a table of events from."""
        self._reading(of)
        if self._resolves(of):
            return EventSource(called(self._resolved_name(of), "e"), column("e", "user_id"), ended=True)
        if of.user is None:
            raise DefinitionError(
                "the events name anonymous ids only, and the source does not say whose these are",
                hint="name the table: [source] identities = { table = ..., user = ..., value = ... }",
            )
        self._reading(of).columns[of.user.name] = of.user
        return EventSource(table(of.table, "e"), column("e", of.user), ended=False)

    def note(self, of: EventTable, name: str, older: int | None) -> None:
        """That events of a name are read, of the last so many seconds; None for all."""
        self._reading(of).note(name, older)

    def memberships_at(self, at: exp.Expr, of: Column) -> tuple[exp.Expr, exp.Expr]:
        """Who was ever a member (as ``members_now``), and what says that it was so at an instant."""
        self.members()
        self._read.setdefault(EVER, {})
        lines = self.source.memberships
        if lines is None:
            raise TypeError("members() has refused")
        wanted: list[exp.Expr] = [
            exp.EQ(this=column("m", lines.user), expression=column(MEMBERS, "user_id")),
            exp.EQ(this=column("m", lines.account), expression=column(MEMBERS, "account_id")),
        ]
        for bound, comparison in ((lines.valid_from, exp.LTE), (lines.valid_to, exp.GT)):
            if bound is not None:
                left, right = self._alike(column("m", bound), bound, at.copy(), of)
                wanted.append(exp.paren(exp.or_(missing(column("m", bound)), comparison(this=left, expression=right))))
        then = exp.select(exp.Literal.number(1)).from_(table(lines.table, "m")).where(all_of(wanted))
        return called(EVER, MEMBERS), exp.Exists(this=then)

    def _alike(self, left: exp.Expr, one: Column, right: exp.Expr, other: Column) -> tuple[exp.Expr, exp.Expr]:
        """Two times in one type."""
        if one.type == other.type or not {one.type, other.type} <= TIMES:
            return left, right
        zone = self.source.timezone
        return naive(left, one.type, zone), naive(right, other.type, zone)

    def _resolves(self, of: EventTable) -> bool:
        return of.anonymous is not None and self.source.identities is not None

    def _resolved_name(self, of: EventTable) -> str:
        return RESOLVED if len(self.source.events) == 1 else f"{RESOLVED}_{self.source.events.index(of) + 1}"

    def _reading(self, of: EventTable) -> _Reading:
        return self._events.setdefault(self.source.events.index(of), _Reading())

    def add(self, kind: str, part: exp.Query) -> str:
        """One more part; gives its name."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        name = f"{kind}_{self._counts[kind]}"
        self.parts[name] = part
        return name

    def gather(self, alike: str, of: EventTable, event: str, made: exp.Select) -> tuple[str, str]:
        """A value of events, put into a part with others that read the same lines; gives the part and the column.

        Args:
            alike: the same text for values of the same owners and joins.
            of: the table of events.
            event: their name.
            made: a SELECT of the keys and of one aggregate, grouped by the keys.
        """
        own = event if self.together.get(event, 0) >= APART else None
        same, place = f"{self.source.events.index(of)} {alike} {own!r}", 0
        while len(self._gathered.get(f"{same} {place}", ("", Together(of, made)))[1].values) == MOST:
            place += 1
        if f"{same} {place}" not in self._gathered:
            self._gathered[f"{same} {place}"] = self.add("events", made), Together(of, made)
        part, together = self._gathered[f"{same} {place}"]
        return part, together.add(event, made)

    def finish(self, final: exp.Select) -> exp.Select:
        """The statement: tables first, then the parts in the order they were made, then the final SELECT."""
        gathered = {name: together.parts(name) for name, together in self._gathered.values()}
        self.parts = {
            name: part
            for first, made in self.parts.items()
            for name, part in gathered.get(first, {first: made}).items()
        }
        tables: dict[str, exp.Query] = {}
        if USERS in self._read:
            tables[USERS] = self._existing(self.source.users, "user", USERS)
        if ACCOUNTS in self._read and self.source.accounts:
            tables[ACCOUNTS] = self._existing(self.source.accounts, "account", ACCOUNTS)
        if MEMBERS in self._read and self.source.memberships:
            tables[MEMBERS] = _memberships(self.source.memberships, self.source.timezone)
        if EVER in self._read and self.source.memberships:
            tables[EVER] = _memberships(self.source.memberships, self.source.timezone, ever=True)
        resolved = [of for of in map(self.source.events.__getitem__, self._events) if self._resolves(of)]
        if resolved and self.source.identities:
            tables[CLAIMS] = _claims(self.source.identities, self.source.timezone)
            tables |= {self._resolved_name(of): self._resolved(of) for of in resolved}
        shared = dict(self._shared([*tables.values(), *self.parts.values(), final]))
        for name, part in (shared | tables | self.parts).items():
            final = final.with_(name, as_=part, copy=False)
        return _apart(final)

    def _shared(self, statements: list[exp.Query]) -> Iterator[tuple[str, exp.Query]]:
        """Tables of events and of memberships that several parts read: read once, and these parts read that."""
        for position, reading in self._events.items():
            of = self.source.events[position]
            name = READ if len(self._events) == 1 else f"{READ}_{position + 1}"
            if not self._resolves(of) and _redirected(statements, of.table, "e", name):
                listed = [column("t", read) for read in reading.columns.values()]
                made = exp.select(*listed).from_(table(of.table, "t"))
                yield name, made.where(all_of(self._wanted(of, reading, "t")))
        lines = self.source.memberships
        if EVER in self._read and lines is not None and _redirected(statements, lines.table, "m", "memberships_read"):
            columns = (lines.user, lines.account, lines.valid_from, lines.valid_to)
            listed = [column("t", read) for read in dict.fromkeys(columns) if read is not None]
            yield "memberships_read", exp.select(*listed).from_(table(lines.table, "t"))

    def _wanted(self, of: EventTable, reading: _Reading, alias: str) -> list[exp.Expr]:
        """The events that any part reads: by name and window, none after ``as_of``."""
        wanted: list[exp.Expr] = []
        if of.name is not None:
            names, read = [constant(name, "text") for name in reading.names], column(alias, of.name)
            one = len(names) == 1
            wanted.append(exp.EQ(this=read, expression=names[0]) if one else exp.In(this=read, expressions=names))
        at = column(alias, of.at)
        if reading.older is not None:
            wanted.append(exp.GT(this=at, expression=instant(-reading.older, of.at.type, self.source.timezone)))
        return [*wanted, exp.LTE(this=at.copy(), expression=instant(0, of.at.type, self.source.timezone))]

    def _existing(self, members: Members, which: Subject, name: str) -> exp.Select:
        own = ID[which]
        listed = [as_(column("t", members.id), own)]
        listed += [as_(column("t", of), _alias(of, own)) for of in self._read[name].values()]
        return exp.select(*listed).from_(table(members.table, "t")).where(existing(members, "t", self.source.timezone))

    def _resolved(self, of: EventTable) -> exp.Select:
        """The event's own user wins; else whoever claimed its anonymous id."""
        if of.anonymous is None:
            raise TypeError("only events with anonymous ids are resolved")
        reading, claimed = self._reading(of), column(CLAIMS, "user_id")
        user = exp.Coalesce(this=column("e", of.user), expressions=[claimed]) if of.user else claimed
        listed = [as_(user, "user_id")]
        listed += [as_(column("e", read), _alias(read, "user_id")) for read in reading.columns.values()]
        match = exp.EQ(this=column(CLAIMS, "anonymous_id"), expression=column("e", of.anonymous))
        made = exp.select(*listed).from_(table(of.table, "e"))
        return made.join(CLAIMS, on=match, join_type="left" if of.user else "").where(
            all_of(self._wanted(of, reading, "e"))
        )


def _redirected(statements: list[exp.Query], of: Table, alias: str, to: str) -> bool:
    """Whether a table is read several times under its alias; then all read ``to`` instead."""
    parts = [real(part) for part in of.parts]
    found = [
        read
        for statement in statements
        for read in statement.find_all(exp.Table)
        if read.alias == alias and [part for part in read.parts if isinstance(part, exp.Identifier)] == parts
    ]
    if len(found) > 1:
        for read in found:
            read.replace(called(to, alias))
    return len(found) > 1


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


def existing(members: Members, alias: str, zone: str) -> exp.Expr:
    """Who is there at ``as_of``, among the lines of a table."""
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


def _memberships(of: Memberships, zone: str, *, ever: bool = False) -> exp.Select:
    """Valid at ``as_of`` (or ever), of users and accounts that exist then."""
    valid: list[exp.Expr] = []
    if of.valid_from and not ever:
        valid.append(_open(column("m", of.valid_from), of.valid_from, zone, exp.LTE))
    if of.valid_to and not ever:
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
