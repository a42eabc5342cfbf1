"""Definitions and questions about the source, as statements: what other packages call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from personas_kit.compiler.bind import column_of
from personas_kit.compiler.conditions import Class, Typed, condition
from personas_kit.compiler.metrics import ZERO, identity, metric
from personas_kit.compiler.nodes import all_of, as_, column, constant, given, real, table
from personas_kit.compiler.population import ID, MEMBERS, Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.source import Column, ColumnType, Members, Source
from personas_kit.definitions.definition import Definition, Subject, fingerprint_of
from personas_kit.definitions.expressions import Condition, OfAccounts, OfUsers, Reduced, TraitRef, Value
from personas_kit.definitions.resolve import Registry, Traits, resolve
from personas_kit.errors import DefinitionError, PersonasError, UnknownName


def compile_definition(
    definition: Definition, source: Source, registry: Registry, *, expand: bool = False, carry: Sequence[str] = ()
) -> Query:
    """The members of an audience, or the values of a trait.

    Args:
        definition: an audience or trait of users or of accounts.
        source: where the data lies.
        registry: the other definitions, by key; references to them are inlined.
        expand: for account definitions: one line per user and account, for the accounts that match.
        carry: further user traits to list beside the id, named as asked.

    Returns:
        Columns ``user_id`` or ``account_id`` (both with ``expand``), ``value`` for traits, then those carried.
        A trait lists the subjects whose value is not missing. No order is promised.

    Raises:
        DefinitionError: types that cannot be compared, cycles, conditions in a place they cannot stand.
        UnknownName: an event, property, trait or audience that does not exist.
    """
    try:
        return _definition(definition, source, registry, expand, carry)
    except PersonasError as error:
        raise error.at(f"{definition.kind.replace('_', ' ')} {definition.name!r}") from None


def compile_population(source: Source, subject: Subject) -> Query:
    """How many users or accounts exist at ``as_of``: one line, column ``size``."""
    build = Build(source)
    name = build.subject(subject)
    size = exp.Count(this=exp.Distinct(expressions=[column(name, ID[subject])]))
    return Query(
        ("size",), None, None, zero_is_empty=False, tree=build.finish(exp.select(as_(size, "size")).from_(name))
    )


def compile_event_names(source: Source) -> Query:
    """The names of the events in the one table of all events: column ``event``, distinct and sorted.

    Raises:
        DefinitionError: the source has no such table; then ``source.event_names`` knows them.
    """
    of = next((event for event in source.events if event.name is not None), None)
    if of is None or of.name is None:
        raise DefinitionError(
            "the source has no table of all events", hint='[source] events = { table = "...", name = "..." }'
        )
    name = column("e", of.name)
    made = exp.select(as_(name, "event")).distinct().from_(table(of.table, "e"))
    made = made.where(given(name.copy())).order_by("event")
    return Query(("event",), None, None, zero_is_empty=False, tree=made)


def compile_lookup(source: Source, subject: Subject, ids: Sequence[object]) -> Query:
    """The id and every trait of these users or accounts, as far as they exist at ``as_of``."""
    build = Build(source)
    name = build.subject(subject)
    members = subject_members(source, subject)
    traits = [of for of in trait_columns(members) if of.name.casefold() != ID[subject]]
    listed: list[exp.Expr] = [column(name, ID[subject])]
    listed += [as_(build.trait(subject, of), real(of.name)) for of in traits]
    bound = [constant(each, members.id.type) for each in ids]  # type: ignore[arg-type]
    wanted = exp.In(this=column(name, ID[subject]), expressions=bound) if bound else exp.false()
    made = build.finish(exp.select(*listed).from_(name).where(wanted))
    return Query((ID[subject], *(of.name for of in traits)), subject, None, zero_is_empty=False, tree=made)


def compile_memberships(source: Source) -> Query:
    """``user_id, account_id`` valid at ``as_of``; both exist then."""
    build = Build(source)
    name = build.members()
    made = build.finish(exp.select(column(name, "user_id"), column(name, "account_id")).from_(name))
    return Query(("user_id", "account_id"), None, None, zero_is_empty=False, tree=made)


def trait_columns(members: Members) -> list[Column]:
    """The columns of users or accounts but the id."""
    return [of for of in members.table.columns if of != members.id]


def subject_members(source: Source, subject: Subject) -> Members:
    """The users, or the accounts; DefinitionError if the source has none."""
    if subject == "user":
        return source.users
    if source.accounts is None:
        raise DefinitionError(
            "the source has no accounts", hint="name the table: [source] accounts = { table = ..., id = ... }"
        )
    return source.accounts


def _definition(
    definition: Definition, source: Source, registry: Registry, expand: bool, carry: Sequence[str]
) -> Query:
    users = frozenset(of.name for of in trait_columns(source.users))
    accounts = frozenset(of.name for of in trait_columns(source.accounts)) if source.accounts else frozenset()
    meant = resolve(definition, registry, Traits(users, accounts))
    build = Build(source)
    scope = _Scope(build, definition.subject, build.subject(definition.subject))
    listed: list[exp.Expr] = [scope.id]
    wanted: list[exp.Expr] = []
    kind: ColumnType | None = None
    if isinstance(meant, Condition):
        wanted.append(condition(meant, scope))
    elif isinstance(meant, Value):
        found = scope.value(meant, None)
        kind = found.type
        listed.append(as_(found.sql, "value"))
        if found.missing:
            wanted.append(given(found.sql.copy()))
    expanded = expand and definition.subject == "account"
    if expanded:
        listed.insert(0, column(build.members(), "user_id"))
        scope.join(MEMBERS, "account")
    listed += _carried(build, scope, carry, expanded)
    made = exp.select(*listed).from_(exp.to_table(scope.base))
    made = scope.joined(made).where(all_of(wanted)) if wanted else scope.joined(made)
    made = made.distinct()  # the tables of users and accounts may hold one twice
    zero = isinstance(meant, Reduced) and meant.reducer in ZERO
    columns = (*(("user_id",) if expanded else ()), ID[definition.subject], *(("value",) if kind else ()), *carry)
    fingerprint = fingerprint_of(definition.kind, meant)
    return Query(
        columns, definition.subject, kind, zero_is_empty=zero, tree=build.finish(made), fingerprint=fingerprint
    )


def _carried(build: Build, scope: _Scope, carry: Sequence[str], expanded: bool) -> list[exp.Expr]:
    if carry and scope.subject == "account" and not expanded:
        raise DefinitionError("traits of users go with users", hint="expand the accounts to their users")
    if carry and expanded:
        scope.join(build.subject("user"), "user", of=MEMBERS)
    return [as_(_trait(build, "user", name), real(name)) for name in carry]


def _trait(build: Build, subject: Subject, key: str) -> exp.Expr:
    return build.trait(subject, _trait_column(build.source, subject, key))


def _trait_column(source: Source, subject: Subject, key: str) -> Column:
    members = subject_members(source, subject)
    found = column_of(members.table, key)
    if found is None:
        raise UnknownName("trait", key, [of.name for of in trait_columns(members)], where=f"table {members.table.name}")
    return found


@dataclass
class _Scope:
    """One line per subject: what is selected from, and what has to be joined for the conditions to be read.

    ``base`` is ``users_now``, ``accounts_now``, or ``members_now`` for the users of each account and the other way
    round; joins on it keep the number of its lines.
    """

    build: Build
    subject: Subject
    base: str
    joins: dict[str, exp.Join] = field(default_factory=dict)

    @property
    def zone(self) -> str:
        return self.build.source.timezone

    @property
    def id(self) -> exp.Column:
        return column(self.base, ID[self.subject])

    def join(self, name: str, by: Subject, *, of: str = "", kind: str = "") -> None:
        """Join a part by the id of a user or an account, once."""
        on = exp.EQ(this=column(name, ID[by]), expression=column(of or self.base, ID[by]))
        if name not in self.joins and name != self.base:
            self.joins[name] = exp.Join(this=exp.to_table(name), on=on, **({"side": kind} if kind else {}))

    def joined(self, made: exp.Select) -> exp.Select:
        """The SELECT with the joins."""
        for join in self.joins.values():
            made.append("joins", join)
        return made

    def value(self, node: Value, wanted: Class | None) -> Typed:
        match node:
            case TraitRef(key, of):
                which: Subject = "account" if of == "account" else self.subject
                if which != self.subject and self.base != MEMBERS:
                    raise DefinitionError(f"an {which}'s trait cannot stand here", where=str(node))
                self.join(self.build.subject(which), which)
                found = _trait_column(self.build.source, which, key)
                label = f"trait {found.name!r} of {subject_members(self.build.source, which).table.name}"
                return Typed(self.build.trait(which, found), found.type, label)
            case Reduced():
                part, made = metric(self.build, node, self.subject, wanted)
                self.join(part, self.subject, kind="LEFT")
                return made
            case _:
                raise DefinitionError(
                    "a property belongs to an event", where=str(node), hint="use it inside event(...).where(...)"
                )

    def group(self, node: OfUsers | OfAccounts) -> exp.Expr:
        key = identity(node)
        if key not in self.build.known:
            self.build.known[key] = self._group(node)
        name = self.build.known[key]
        self.join(name, self.subject, kind="LEFT")
        return given(column(name, ID[self.subject]))

    def _group(self, node: OfUsers | OfAccounts) -> str:
        """The accounts whose users satisfy the part, or the users with an account that does."""
        outer, inner = ("account", "user") if isinstance(node, OfUsers) else ("user", "account")
        lines = _Scope(self.build, inner, self.build.members())  # type: ignore[arg-type]
        holds = condition(node.part, lines)
        own = column(MEMBERS, ID[outer])
        made = lines.joined(exp.select(own).from_(exp.to_table(MEMBERS)))
        if isinstance(node, OfUsers) and node.quantifier == "all":
            flag = exp.Case(ifs=[exp.If(this=holds, true=exp.Literal.number(1))], default=exp.Literal.number(0))
            every = exp.EQ(this=exp.Min(this=flag), expression=exp.Literal.number(1))
            return self.build.add("all", made.group_by(own.copy()).having(every))
        kind = "any" if isinstance(node, OfUsers) else "accounts"
        return self.build.add(kind, made.distinct().where(holds))
