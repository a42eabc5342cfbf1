"""Definitions and questions about the source, as statements: what other packages call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from personas_kit.compiler.conditions import condition, negated
from personas_kit.compiler.nodes import all_of, as_, column, constant, given, id_as, real, table
from personas_kit.compiler.population import ID, MEMBERS, Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.reductions import ZERO
from personas_kit.compiler.scope import Scope, is_member, subject_members, trait_column, trait_columns
from personas_kit.compiler.source import ColumnType, Source
from personas_kit.definitions.definition import AccountAudience, Definition, Subject, fingerprint_of
from personas_kit.definitions.expressions import Condition, Expression, Value
from personas_kit.definitions.pointing import pointing
from personas_kit.definitions.resolve import Registry, Traits, resolve, resolve_of_user
from personas_kit.definitions.streams import Reduced
from personas_kit.errors import DefinitionError


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
    with pointing(definition, registry):
        build = Build(source)
        query = selection(build, definition, registry, expand=expand, carry=carry)
        return replace(query, tree=build.finish(query.tree))  # type: ignore[arg-type]  # a SELECT


def compile_population(source: Source, subject: Subject) -> Query:
    """How many users or accounts exist at ``as_of``: one line, column ``size``."""
    build = Build(source)
    name = build.subject(subject)
    size = exp.Count(this=exp.Distinct(expressions=[column(name, ID[subject])]))
    return Query(build.finish(exp.select(as_(size, "size")).from_(name)))


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
    return Query(made)


def compile_lookup(source: Source, subject: Subject, ids: Sequence[object]) -> Query:
    """The id and every trait of these users or accounts, as far as they exist at ``as_of``."""
    build = Build(source)
    name = build.subject(subject)
    members = subject_members(source, subject)
    traits = [of for of in trait_columns(members) if of.name.casefold() != ID[subject]]
    listed: list[exp.Expr] = [column(name, ID[subject])]
    listed += [as_(build.trait(subject, of), real(of.name)) for of in traits]
    kind = members.id.type
    bound = [constant(known, kind) for each in ids if (known := id_as(each, kind)) is not None]
    wanted = exp.In(this=column(name, ID[subject]), expressions=bound) if bound else exp.false()
    made = build.finish(exp.select(*listed).from_(name).where(wanted))
    return Query(made)


def compile_memberships(source: Source, subject: Subject, member: str | int) -> Query:
    """``user_id, account_id`` of one user or account, valid at ``as_of``; both exist then."""
    build = Build(source)
    name = build.members()
    own = is_member(column(name, ID[subject]), source, subject, member)
    made = exp.select(column(name, "user_id"), column(name, "account_id")).from_(name).where(own)
    return Query(build.finish(made))


def selection(
    build: Build, definition: Definition, registry: Registry, *, expand: bool = False, carry: Sequence[str] = ()
) -> Query:
    """``compile_definition`` within a statement that is being put together: its tree reads parts of ``build``."""
    meant = resolve(definition, registry, traits_of(build.source))
    scope = Scope.of(build, definition.subject)
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
    made = exp.select(*listed).from_(exp.to_table(scope.base))
    if expanded:
        made = _expanded(made, scope, definition, registry, carry)
    elif carry and definition.subject == "account":
        raise DefinitionError("traits of users go with users", hint="expand the accounts to their users")
    elif carry:
        made = made.select(*_carried(build, carry))
    made = scope.joined(made)
    made = made.where(all_of(wanted)) if wanted else made
    made = made.distinct()  # the tables of users and accounts may hold one twice
    return Query(made, kind, zero_is_empty=is_zero_empty(meant), fingerprint=fingerprint_of(definition, meant))


def is_zero_empty(meant: Expression) -> bool:
    """Whether 0 says as little of a trait as a missing value."""
    return isinstance(meant, Reduced) and meant.reducer in ZERO


def traits_of(source: Source) -> Traits:
    """The names of the source's traits."""
    users = frozenset(of.name for of in trait_columns(source.users))
    accounts = frozenset(of.name for of in trait_columns(source.accounts)) if source.accounts else frozenset()
    return Traits(users, accounts)


def _expanded(
    made: exp.Select, scope: Scope, definition: Definition, registry: Registry, carry: Sequence[str]
) -> exp.Select:
    """The users of each account beside it, but for those that the definition keeps out."""
    build = scope.build
    scope.join(build.members(), ("account",), left=False)
    listed = [column(MEMBERS, "user_id"), *made.expressions]
    each = Scope.of_members(build, "user")
    if carry:
        each.join(build.subject("user"), ("user",), left=False)
        listed += _carried(build, carry)
    made = made.select(*listed, append=False)
    if isinstance(definition, AccountAudience) and definition.unless_user is not None:
        kept_out = resolve_of_user(definition, definition.unless_user, registry, traits_of(build.source))
        made = made.where(negated(condition(kept_out, each)))
    scope.joins |= {name: join for name, join in each.joins.items() if name != scope.base}
    return made


def _carried(build: Build, carry: Sequence[str]) -> list[exp.Expr]:
    return [as_(build.trait("user", trait_column(build.source, "user", name)), real(name)) for name in carry]
