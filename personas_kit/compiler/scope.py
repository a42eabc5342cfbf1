"""One line per user or account: what is selected from, and what has to be joined for conditions to be read.

A scope stands on ``users_now`` or ``accounts_now``, on ``members_now`` for the users of each account and the other way
round, or beside an event, for the user whose it is. Joins on it keep the number of its lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from personas_kit.compiler.bind import column_of
from personas_kit.compiler.conditions import Class, Typed, condition
from personas_kit.compiler.metrics import identity, metric, valued
from personas_kit.compiler.nodes import (
    all_of,
    as_,
    column,
    constant,
    given,
    id_as,
    op,
    ordered,
    ranked,
    sortable,
)
from personas_kit.compiler.own_sql import own_part
from personas_kit.compiler.population import ID, MEMBERS, Build
from personas_kit.compiler.reductions import Key, reduced
from personas_kit.compiler.source import Column, ColumnType, Members, Source
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.expressions import (
    Condition,
    OfAccounts,
    OfUsers,
    Split,
    SqlMembers,
    SqlValue,
    Top,
    TraitRef,
    Value,
)
from personas_kit.definitions.streams import Events, Reduced, Users
from personas_kit.errors import DefinitionError, UnknownName

Owner = Literal["user", "account", "pair"]
_HEX = 8
_ARMS = 16**_HEX


@dataclass
class Scope:
    """What conditions on a user or an account are read from.

    Attributes:
        base: the part with a line per subject; empty beside an event.
        id: the subject's id there.
        optional: the subject may be missing, as an event's user may; then so are its traits.
    """

    build: Build
    subject: Subject
    base: str
    id: exp.Expr
    optional: bool = False
    joins: dict[str, exp.Join] = field(default_factory=dict)

    @classmethod
    def of(cls, build: Build, subject: Subject) -> Scope:
        """One line per user, or per account."""
        base = build.subject(subject)
        return cls(build, subject, base, column(base, ID[subject]))

    @classmethod
    def of_members(cls, build: Build, subject: Subject) -> Scope:
        """One line per user and account, about the one or the other."""
        base = build.members()
        return cls(build, subject, base, column(base, ID[subject]))

    @property
    def zone(self) -> str:
        """The time zone of days."""
        return self.build.source.timezone

    def join(self, name: str, keys: tuple[Subject, ...], *, left: bool = True) -> None:
        """Join a part by the ids of a user, an account, or both, once."""
        if name in self.joins or name == self.base:
            return
        pairs = [exp.EQ(this=column(name, ID[by]), expression=self._own(by)) for by in keys]
        self.joins[name] = exp.Join(this=exp.to_table(name), on=exp.and_(*pairs), **({"side": "LEFT"} if left else {}))

    def joined(self, made: exp.Select) -> exp.Select:
        """The SELECT with the joins."""
        for join in self.joins.values():
            made.append("joins", join.copy())
        return made

    def _own(self, by: Subject) -> exp.Expr:
        return self.id.copy() if by == self.subject else column(self.base, ID[by])

    # --- values ------------------------------------------------------------------------------------------------------

    def value(self, node: Value, wanted: Class | None) -> Typed:
        """A trait, a metric of events or of users, or the value of somebody's SQL."""
        match node:
            case TraitRef():
                return self._trait(node)
            case Reduced(Events() as stream):
                paired = self.base == MEMBERS and self.subject == "user" and stream.counted != "member"
                owner: Owner = "pair" if paired else self.subject
                part, made = metric(self.build, node, owner, wanted)
                self.join(part, ("user", "account") if paired else (self.subject,))
                return made
            case Reduced(Users()):
                return self._of_users(node)
            case SqlValue(sql, dialect):
                part, kind = own_part(self.build, sql, dialect, self.subject, valued=True)
                self.join(part, (self.subject,))
                return Typed(column(part, "value"), kind, "the value of the SQL")
            case _:
                raise DefinitionError(
                    "a property belongs to an event", where=str(node), hint="use it inside event(...).where(...)"
                )

    def _trait(self, node: TraitRef) -> Typed:
        which: Subject = "account" if node.of == "account" else self.subject
        if which != self.subject and self.base != MEMBERS:
            raise DefinitionError(f"an {which}'s trait cannot stand here", where=str(node))
        self.join(self.build.subject(which), (which,), left=self.optional)
        found = trait_column(self.build.source, which, node.key)
        label = f"trait {found.name!r} of {subject_members(self.build.source, which).table.name}"
        return Typed(self.build.trait(which, found), found.type, label)

    def _of_users(self, node: Reduced) -> Typed:
        """The users of each account, reduced."""
        key = f"users {identity(node)}"
        lines = _UserLines.of(self.build, node)
        made, kind = _reduced_users(lines, node)
        if key not in self.build.known:
            self.build.known[key] = self.build.add("share" if node.reducer == "share" else "users", made)
        part = self.build.known[key]
        self.join(part, ("account",))
        return valued(part, node, kind)

    # --- conditions on more than one line ----------------------------------------------------------------------------

    def group(self, node: Condition) -> exp.Expr:
        """Users of an account, accounts of a user, the first of some, an arm, the members that SQL lists."""
        if isinstance(node, Split):
            return self._split(node)
        key = f"{self.subject} {identity(node)}"
        if key not in self.build.known:
            self.build.known[key] = self._group(node)
        name = self.build.known[key]
        self.join(name, (self.subject,))
        return given(column(name, ID[self.subject]))

    def _group(self, node: Condition) -> str:
        match node:
            case OfUsers() | OfAccounts():
                return self._some(node)
            case Top():
                return self._top(node)
            case SqlMembers(sql, dialect):
                return own_part(self.build, sql, dialect, self.subject, valued=False)[0]
            case _:
                raise DefinitionError(f"a {type(node).__name__} is not a condition that can be compiled")

    def _some(self, node: OfUsers | OfAccounts) -> str:
        """The accounts whose users satisfy the part, or the users with an account that does."""
        outer, inner = ("account", "user") if isinstance(node, OfUsers) else ("user", "account")
        lines = Scope.of_members(self.build, inner)  # type: ignore[arg-type]
        holds = condition(node.part, lines)
        own = column(MEMBERS, ID[outer])
        made = lines.joined(exp.select(own).from_(exp.to_table(MEMBERS)))
        if isinstance(node, OfUsers) and node.quantifier == "all":
            every = exp.EQ(this=exp.Min(this=_flag(holds, 1, 0)), expression=exp.Literal.number(1))
            return self.build.add("all", made.group_by(own.copy()).having(every))
        kind = "any" if isinstance(node, OfUsers) else "accounts"
        return self.build.add(kind, made.distinct().where(holds))

    def _top(self, node: Top) -> str:
        """Those of the first places."""
        first = exp.LTE(this=column("w", "place"), expression=constant(node.count, "integer"))
        listed = exp.select(column("w", ID[self.subject])).from_(self.placed(node).subquery("w"))
        return self.build.add("top", listed.where(first))

    def placed(self, node: Top) -> exp.Select:
        """Everybody's place; an id decides between equal values, so that no place is taken twice."""
        lines = Scope.of(self.build, self.subject)
        holds, by = condition(node.part, lines), lines.value(node.by, None)
        own = subject_members(self.build.source, self.subject).id
        if by.type in {"list", "json", "other"}:
            raise DefinitionError(f"{by.label} is {by.type}, which has no order", where=str(node.by))
        name = ID[self.subject]
        different = exp.select(as_(lines.id.copy(), name), as_(by.sql.copy(), "value")).distinct()
        placed = lines.joined(different.from_(lines.base)).where(all_of([holds, given(by.sql.copy())]))
        order = [
            ordered(sortable(column("v", "value"), by.type), largest=not node.smallest),
            ordered(sortable(column("v", name), own.type)),
        ]
        return exp.select(column("v", name), as_(ranked([], order), "place")).from_(placed.subquery("v"))

    def _split(self, node: Split) -> exp.Expr:
        """The first digits of a hash of the name and the id, which every warehouse computes alike, are in a range."""
        text = exp.cast(self.id.copy(), exp.DataType.Type.TEXT, copy=False)
        salted = exp.DPipe(this=constant(f"{node.name}:", "text"), expression=text)
        digits = exp.Substring(this=op("md5", salted), start=exp.Literal.number(1), length=exp.Literal.number(_HEX))
        bounds: list[exp.Expr] = []
        for comparison, percent in ((exp.GTE, node.low), (exp.LT, node.high)):
            place = round(percent / 100 * _ARMS)
            if 0 < place < _ARMS:
                bound = constant(f"{place:0{_HEX}x}", "text")
                bounds.append(comparison(this=sortable(digits.copy(), "text"), expression=bound))
        return all_of([given(self.id.copy()), *bounds])


@dataclass(eq=False)
class _UserLines:
    """The users of each account as lines to reduce."""

    scope: Scope
    narrowed: exp.Expr | None

    @classmethod
    def of(cls, build: Build, node: Reduced) -> _UserLines:
        """The users of a stream."""
        scope = Scope.of_members(build, "user")
        within = node.stream.condition if isinstance(node.stream, Users) else None
        return cls(scope, None if within is None else condition(within, scope))

    @property
    def keys(self) -> list[Key]:
        return [("account_id", column(MEMBERS, "account_id"))]

    def order(self) -> list[exp.Expr]:
        raise TypeError("users have no order")

    def select(self, *listed: exp.Expr, extra: exp.Expr | None = None) -> exp.Select:
        wanted = [part for part in (self.narrowed, extra) if part is not None]
        made = exp.select(*(as_(key, name) for name, key in self.keys), *listed).from_(exp.to_table(MEMBERS))
        made = self.scope.joined(made)
        return made.where(all_of([part.copy() for part in wanted])) if wanted else made


def _reduced_users(lines: _UserLines, node: Reduced) -> tuple[exp.Select, ColumnType]:
    if node.of is None:
        counted = exp.Count(this=exp.Distinct(expressions=[column(MEMBERS, "user_id")]))
        return lines.select(as_(counted, "value")).group_by(column(MEMBERS, "account_id")), "integer"
    if isinstance(node.of, Condition):
        share = exp.Avg(this=_flag(condition(node.of, lines.scope), 1, 0, exact=False))
        return lines.select(as_(share, "value")).group_by(column(MEMBERS, "account_id")), "float"
    if not isinstance(node.of, Value):
        raise TypeError("users are reduced by a value")
    return reduced(lines, node, lines.scope.value(node.of, None))


def _flag(holds: exp.Expr, yes: int, no: int, *, exact: bool = True) -> exp.Expr:
    flag = exp.Case(ifs=[exp.If(this=holds, true=exp.Literal.number(yes))], default=exp.Literal.number(no))
    return flag if exact else exp.cast(flag, exp.DataType.Type.DOUBLE, copy=False)


def trait_columns(members: Members) -> list[Column]:
    """The columns of users or accounts but the id."""
    return [of for of in members.table.columns if of != members.id]


def trait_column(source: Source, subject: Subject, key: str) -> Column:
    """The column of a trait; UnknownName if there is none."""
    members = subject_members(source, subject)
    found = column_of(members.table.columns, key)
    if found is None:
        raise UnknownName("trait", key, [of.name for of in trait_columns(members)], where=str(TraitRef(key)))
    return found


def is_member(read: exp.Expr, source: Source, subject: Subject, member: str | int) -> exp.Expr:
    """Whether it is the id of this user or account."""
    kind = subject_members(source, subject).id.type
    known = id_as(member, kind)
    return exp.false() if known is None else exp.EQ(this=read.copy(), expression=constant(known, kind))


def subject_members(source: Source, subject: Subject) -> Members:
    """The users, or the accounts; DefinitionError if the source has none."""
    if subject == "user":
        return source.users
    if source.accounts is None:
        raise DefinitionError(
            "the source has no accounts", hint="name the table: [source] accounts = { table = ..., id = ... }"
        )
    return source.accounts
