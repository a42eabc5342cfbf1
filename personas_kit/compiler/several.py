"""Several definitions as one statement that reads each table of the warehouse once.

Each line is about a user (a column says of each user definition whether the user is in it, or which value it has), an
account (so of each account definition), or a user of such an account. What is not of a line's kind is missing on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from personas_kit.compiler.compile import is_zero_empty, traits_of
from personas_kit.compiler.conditions import condition
from personas_kit.compiler.metrics import values_together
from personas_kit.compiler.nodes import as_, column, given
from personas_kit.compiler.population import MEMBERS, Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.scope import Scope, trait_column
from personas_kit.compiler.source import ColumnType, Source
from personas_kit.definitions.definition import AccountAudience, Definition, Subject, fingerprint_of
from personas_kit.definitions.expressions import Condition, Expression, Value
from personas_kit.definitions.pointing import pointing
from personas_kit.definitions.resolve import Registry, resolve, resolve_of_user

USER_OF, ACCOUNT_OF = "member_user_id", "member_account_id"
#: What a trait is called that is listed beside users or accounts.
TRAIT = "{subject}_trait_{position}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One definition of several: the column that answers it, and what that means.

    Attributes:
        key: of the definition.
        subject: whose ids it is about.
        column: true or false for an audience, a value for a trait.
        kept_out: for account audiences with ``unless_user``, the column that says so of a user of an account.
        value_type: of a trait, else None.
        zero_is_empty: as for ``Query``.
        fingerprint: as for ``Query``.
    """

    key: str
    subject: Subject
    column: str
    kept_out: str | None
    value_type: ColumnType | None
    zero_is_empty: bool
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Several:
    """A statement for several definitions.

    Attributes:
        query: ``user_id`` and ``account_id`` as far as there are definitions of them, ``member_user_id`` and
            ``member_account_id`` for the users of matching accounts, a column per definition, and the columns of users
            that were asked for, as ``user_0`` or ``member_0`` and so on.
        asked: what each definition's column means.
    """

    query: Query
    asked: tuple[Asked, ...]


def compile_several(
    definitions: Sequence[Definition],
    source: Source,
    registry: Registry,
    *,
    carry: Sequence[str] = (),
    expand: bool = False,
    traits: Mapping[Subject, Sequence[str]] | None = None,
) -> Several:
    """The members of audiences and the values of traits, in one statement.

    Args:
        definitions: at least one; of users, of accounts, or of both.
        source: where the data lies.
        registry: the other definitions, by key.
        carry: traits of users to list beside their ids.
        expand: list the users of the accounts that match, too.
        traits: of users and of accounts, to list beside whoever is found; as ``TRAIT`` has it.

    Raises:
        DefinitionError, UnknownName: as for one of them, which is named.
    """
    meant = []
    for definition in definitions:
        with pointing(definition, registry):
            meant.append(resolve(definition, registry, traits_of(source)))
    build = Build(source, together=values_together(meant))
    scopes: dict[Subject, Scope] = {}
    listed: dict[Subject, list[exp.Expr]] = {}
    wanted: dict[Subject, list[exp.Expr]] = {}
    asked: list[Asked] = []
    kept_out: list[tuple[str, Definition, Condition]] = []
    for position, (definition, said) in enumerate(zip(definitions, meant, strict=True)):
        which = definition.subject
        if which not in scopes:
            scopes[which], listed[which], wanted[which] = Scope.of(build, which), [], []
        with pointing(definition, registry):
            one, answer, counts = _answer(definition, said, scopes[which], f"d{position}")
        if isinstance(definition, AccountAudience) and definition.unless_user is not None:
            kept_out.append((f"k{position}", definition, definition.unless_user))
        asked.append(one)
        listed[which].append(answer)
        wanted[which].append(counts)
    for which, scope in scopes.items():
        listed[which] += _traits(scope, (traits or {}).get(which, ()))
    arms = {which: _arm(scope, listed[which], wanted[which], carry) for which, scope in scopes.items()}
    pairs = []
    if expand and "account" in arms:
        arms["account"], users = _with_pairs(build, arms["account"], kept_out, registry, carry)
        pairs = [users]
    tree = build.finish(lines_of_kinds([*arms.values(), *pairs], build.add))
    query = Query(tree)
    return Several(query, tuple(asked))


def _answer(definition: Definition, meant: Expression, scope: Scope, name: str) -> tuple[Asked, exp.Expr, exp.Expr]:
    """What the column of a definition means, the column, and whether it says anything of a line."""
    kind: ColumnType | None = None
    if isinstance(meant, Condition):
        answer = condition(meant, scope)
        counts = answer.copy()
    elif isinstance(meant, Value):
        found = scope.value(meant, None)
        answer, kind = found.sql, found.type
        counts = given(answer.copy()) if found.missing else exp.true()
    else:
        raise TypeError("a definition is a condition or a value")
    keeps_out = isinstance(definition, AccountAudience) and definition.unless_user is not None
    out = name.replace("d", "k") if keeps_out else None
    fingerprint = fingerprint_of(definition, meant)
    asked = Asked(definition.key, definition.subject, name, out, kind, is_zero_empty(meant), fingerprint)
    return asked, as_(answer, name), counts


def _arm(scope: Scope, listed: list[exp.Expr], wanted: list[exp.Expr], carry: Sequence[str]) -> exp.Select:
    """The users, or the accounts, of whom any definition says anything."""
    if scope.subject == "user":
        listed = [*listed, *_carried(scope.build, carry, "user")]
    made = exp.select(scope.id.copy(), *listed).from_(exp.to_table(scope.base))
    return scope.joined(made).where(exp.or_(*wanted)).distinct()


def _with_pairs(
    build: Build,
    accounts: exp.Select,
    kept_out: Sequence[tuple[str, Definition, Condition]],
    registry: Registry,
    carry: Sequence[str],
) -> tuple[exp.Select, exp.Select]:
    """The accounts as a part of their own, and the users of each of them."""
    name = build.add("matching", accounts)
    each = Scope.of_members(build, "user")
    each.join(build.subject("user"), ("user",), left=False)
    listed: list[exp.Expr] = [as_(column(MEMBERS, "user_id"), USER_OF), as_(column(MEMBERS, "account_id"), ACCOUNT_OF)]
    for out, definition, unless in kept_out:
        with pointing(definition, registry):
            meant = resolve_of_user(definition, unless, registry, traits_of(build.source))
            listed.append(as_(condition(meant, each), out))
    listed += _carried(build, carry, "member")
    matching = exp.EQ(this=column(name, "account_id"), expression=column(MEMBERS, "account_id"))
    made = exp.select(*listed).from_(exp.to_table(MEMBERS)).join(name, on=matching)
    again = exp.select(*(column(name, each.alias_or_name) for each in accounts.selects)).from_(name)
    return again, each.joined(made).distinct()


def _traits(scope: Scope, names: Sequence[str]) -> list[exp.Expr]:
    found = [scope.build.trait(scope.subject, trait_column(scope.build.source, scope.subject, name)) for name in names]
    called = [TRAIT.format(subject=scope.subject, position=position) for position, _ in enumerate(names)]
    return [as_(value, name) for value, name in zip(found, called, strict=True)]


def _carried(build: Build, carry: Sequence[str], prefix: str) -> list[exp.Expr]:
    return [
        as_(build.trait("user", trait_column(build.source, "user", name)), f"{prefix}_{position}")
        for position, name in enumerate(carry)
    ]


def lines_of_kinds(arms: Sequence[exp.Select], add: Callable[[str, exp.Select], str]) -> exp.Select:
    """The lines of all kinds; each fills its own columns only. A join keeps the types, where a union needs casts.

    Args:
        arms: the lines of each kind; no two have a column of one name.
        add: makes a part of the statement under such a name, and gives its name.
    """
    if len(arms) == 1:
        return arms[0]
    names = []
    for position, arm in enumerate(arms):
        columns = [each.alias_or_name for each in arm.selects]
        names.append((add("lines", arm.select(as_(exp.Literal.number(position), "arm"))), columns))
    listed = [column(name, each) for name, columns in names for each in columns]
    (first, _), *others = names
    made = exp.select(*listed).from_(first)
    for name, _ in others:
        never = exp.EQ(this=column(name, "arm"), expression=column(first, "arm"))
        made = made.join(name, on=never, join_type="full")
    return made
