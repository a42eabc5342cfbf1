"""Replaces every reference to a registered definition by what it stands for; checks that everything is in its place.

After this a tree speaks of the source only: its traits, its events. An audience in an audience is its condition, a
computed trait is its reduced events; nothing is computed twice because of a name.

A definition means the same wherever it is referred to: the accounts that a user audience asks about are all accounts of
the user, also where it stands inside any/all of one account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from personas_kit.definitions.definition import Definition, Subject
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Expression,
    Not,
    OfAccounts,
    OfUsers,
    Or,
    PropertyRef,
    Reduced,
    TraitRef,
    Value,
)
from personas_kit.errors import DefinitionError, UnknownName

Registry = Mapping[str, Definition]

_DEEPEST = 120
"""Levels of everything that is referred to, taken together. SQL of 160 levels is where Python itself gives up."""


@dataclass(frozen=True, slots=True)
class Traits:
    """The names of the source's traits: columns of its users and of its accounts."""

    user: frozenset[str]
    account: frozenset[str]

    def has(self, subject: Subject, key: str) -> bool:
        """Whether the source knows the trait; case does not count."""
        names = self.user if subject == "user" else self.account
        return key in names or key.casefold() in {name.casefold() for name in names}


def resolve(definition: Definition, registry: Registry, traits: Traits) -> Expression:
    """The definition's expression in terms of the source alone.

    Args:
        definition: what to resolve; it need not be registered itself.
        registry: registered definitions by key.
        traits: of the source.

    Raises:
        UnknownName: a trait or audience that does not exist, with the nearest ones that do.
        DefinitionError: a cycle, or something that cannot stand where it stands.
    """
    if traits.has(definition.subject, definition.key):
        raise DefinitionError(
            f"the key {definition.key!r} is also a trait of the source",
            where=definition.name,
            hint="destinations could not tell them apart: give this definition another key=",
        )
    return _Resolver(registry, traits, (definition.key,)).expression(definition)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Walks one definition; ``path`` is how it was reached."""

    registry: Registry
    traits: Traits
    path: tuple[str, ...]
    of_users: bool = False
    """Inside any/all: about a user, for the sake of an account."""
    depth: int = 0

    def expression(self, definition: Definition) -> Expression:
        found = definition.expression
        if isinstance(found, Condition):
            return self._condition(found, definition.subject)
        return self._value(found, definition.subject)

    def _condition(self, node: Condition, subject: Subject) -> Condition:
        below = self._below()
        match node:
            case And(parts):
                return And(tuple(below._condition(part, subject) for part in parts))  # noqa: SLF001  (the same class)
            case Or(parts):
                return Or(tuple(below._condition(part, subject) for part in parts))  # noqa: SLF001
            case Not(part):
                return Not(below._condition(part, subject))  # noqa: SLF001
            case OfUsers(quantifier, part):
                if subject == "user":
                    raise DefinitionError(
                        "any_user, all_users and no_user ask about an account's users; this is about a user already",
                        where=str(node),
                        hint="write the condition itself, or make an AccountAudience",
                    )
                return OfUsers(quantifier, replace(below, of_users=True)._condition(part, "user"))  # noqa: SLF001
            case Compare(TraitRef() as ref, _, _):
                return self._compared_trait(node, ref, subject)
            case Compare(left, _, _):
                return replace(node, left=self._value(left, subject))
            case _:
                raise TypeError(f"not a condition of the language: {type(node).__name__}")

    def _compared_trait(self, node: Compare, ref: TraitRef, subject: Subject) -> Condition:
        whose: Subject = "account" if ref.of == "account" else subject
        if self.traits.has(whose, ref.key):
            if whose == subject:
                return replace(node, left=TraitRef(ref.key))
            if self.of_users:
                return replace(node, left=TraitRef(ref.key, "account"))
            return OfAccounts(replace(node, left=TraitRef(ref.key)))
        definition = self._registered(ref, whose, str(node))
        if self.of_users and definition.subject == "account":
            raise DefinitionError(
                f"{definition.name!r} is about the account, and this asks about its users one by one",
                where=str(node),
                hint="take it out of any/all and combine the two with &",
            )
        inner = self._into(definition)
        if definition.is_audience:
            member = inner.expression(definition)
            condition = _membership(node, definition, member)
        else:
            condition = replace(node, left=inner._value(definition.expression, definition.subject))  # noqa: SLF001  (the same class)
        if definition.subject == subject:
            return condition
        if subject == "account":
            raise DefinitionError(
                f"{definition.name!r} is about users, and this is about accounts",
                where=str(node),
                hint=f"say of which users: any_user({node}), all_users(...) or no_user(...)",
            )
        return OfAccounts(condition)

    def _value(self, node: Expression, subject: Subject) -> Value:
        match node:
            case Reduced(stream, _, _, _):
                if stream.condition is not None:
                    _check_inside_where(stream.condition)
                return node
            case TraitRef() as ref:
                return self._trait_value(ref, subject)
            case PropertyRef(name):
                raise DefinitionError(
                    f"property {name!r} stands outside an event",
                    where=str(node),
                    hint="put it inside event('...').where(...) or a reducer",
                )
            case _:
                raise TypeError(f"not a value of the language: {type(node).__name__}")

    def _trait_value(self, ref: TraitRef, subject: Subject) -> Value:
        whose: Subject = "account" if ref.of == "account" else subject
        if whose != subject:
            raise DefinitionError(
                "a user may have several accounts, so an account's trait is no single value of a user",
                where=str(ref),
                hint="make an AccountTrait, and say how values combine where it is pushed to users",
            )
        if self.traits.has(whose, ref.key):
            return TraitRef(ref.key)
        definition = self._registered(ref, whose, str(ref))
        if definition.is_audience or definition.subject != subject:
            raise DefinitionError(
                f"{definition.name!r} has no value for a{'n' if subject == 'account' else ''} {subject}", where=str(ref)
            )
        return self._into(definition)._value(definition.expression, subject)  # noqa: SLF001  (the same class)

    def _registered(self, ref: TraitRef, whose: Subject, where: str) -> Definition:
        definition = self.registry.get(ref.key)
        if definition is None:
            raise self._unknown(ref, whose, where)
        if ref.of == "account" and definition.subject != "account":
            raise DefinitionError(
                f"{definition.name!r} is about users, not accounts", where=where, hint=f"write trait({ref.key!r})"
            )
        return definition

    def _unknown(self, ref: TraitRef, whose: Subject, where: str) -> DefinitionError:
        other: Subject = "account" if whose == "user" else "user"
        if not self.traits.has(other, ref.key):
            known = self.traits.user if whose == "user" else self.traits.account
            return UnknownName("trait or audience", ref.key, {*known, *self.registry}, where=where)
        if whose == "user":
            hint = f"write account_trait({ref.key!r})"
        elif ref.of == "account":
            hint = f"write trait({ref.key!r})"
        else:
            hint = f"say of which users: any_user({where}), all_users(...) or no_user(...)"
        return DefinitionError(
            f"{ref.key!r} is a trait of {other}s, and this is about {whose}s", where=where, hint=hint
        )

    def _into(self, definition: Definition) -> _Resolver:
        if definition.key in self.path:
            cycle = " -> ".join((*self.path[self.path.index(definition.key) :], definition.key))
            raise DefinitionError(
                f"these definitions refer to each other in a circle: {cycle}",
                hint="break it: one of them must not need the others",
            )
        return replace(self._below(), path=(*self.path, definition.key), of_users=False)

    def _below(self) -> _Resolver:
        if self.depth == _DEEPEST:
            first, *others = self.path
            raise DefinitionError(
                f"with all that it refers to, {first!r} is nested more than {_DEEPEST} deep",
                where=f"{first} -> ... -> {self.path[-1]}" if others else first,
                hint="refer to fewer audiences through others, or compute a part of it as a trait of the source",
            )
        return replace(self, depth=self.depth + 1)


def _membership(node: Compare, definition: Definition, member: Expression) -> Condition:
    """An audience as a truth value: it is compared with true or false, and never missing."""
    if not isinstance(member, Condition):
        raise TypeError("an audience resolves to a condition")
    if node.operator in {"=", "!="} and isinstance(node.right[0], bool):
        return member if (node.operator == "=") == node.right[0] else Not(member)
    raise DefinitionError(
        f"{definition.name!r} is an audience: one is in it or not",
        where=str(node),
        hint=f"write in_audience({definition.key!r}), or ~in_audience({definition.key!r})",
    )


def _check_inside_where(node: Condition) -> None:
    """Inside ``where`` there are properties only."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                _check_inside_where(part)
        case Not(part):
            _check_inside_where(part)
        case Compare(PropertyRef(), _, _):
            return
        case Compare(TraitRef() as ref, _, _):
            raise DefinitionError(
                "a trait inside where() is not available yet",
                where=str(node),
                hint=f"a property is meant? write prop({ref.key!r}); a trait goes beside the event, combined with &",
            )
        case Compare(Reduced(), _, _):
            raise DefinitionError("an event inside another's where() (a funnel) is not available yet", where=str(node))
        case _:
            raise DefinitionError("inside where() there are conditions on properties only", where=str(node))
