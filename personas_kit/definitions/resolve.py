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
    OfOwner,
    OfUsers,
    Operand,
    Or,
    OwnerValue,
    PropertyRef,
    Split,
    SqlMembers,
    SqlValue,
    Top,
    TraitRef,
    Value,
    rebuilt,
)
from personas_kit.definitions.pointing import pointing
from personas_kit.definitions.streams import Events, Reduced, Users
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
    with pointing(definition, registry):
        if traits.has(definition.subject, definition.key):
            raise DefinitionError(
                f"the key {definition.key!r} is also a trait of the source",
                hint="destinations could not tell them apart: give this definition another key=",
            )
        return _Resolver(registry, traits, (definition.key,)).expression(definition)


def resolve_of_user(definition: Definition, condition: Condition, registry: Registry, traits: Traits) -> Condition:
    """A condition on the users of an account definition's accounts, in terms of the source alone. Raises as above."""
    with pointing(definition, registry):
        return _Resolver(registry, traits, (definition.key,), of_users=True).condition(condition, "user")


def resolve_part(definition: Definition, part: Condition, registry: Registry, traits: Traits) -> Condition:
    """A part of a definition that resolves, in terms of the source alone."""
    return _Resolver(registry, traits, (definition.key,)).condition(part, definition.subject)


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
            return self.condition(found, definition.subject)
        return self.value(found, definition.subject)

    # --- of a user or an account -------------------------------------------------------------------------------------

    def condition(self, node: Condition, subject: Subject) -> Condition:
        below = self._below()
        match node:
            case And() | Or() | Not():
                return rebuilt(node, lambda part: below.condition(part, subject))  # type: ignore[arg-type]
            case OfUsers(quantifier, part):
                if subject == "user":
                    raise DefinitionError(
                        "any_user, all_users and no_user ask about an account's users; this is about a user already",
                        where=str(node),
                        hint="write the condition itself, or make an AccountAudience",
                    )
                return OfUsers(quantifier, replace(below, of_users=True).condition(part, "user"))
            case Compare(TraitRef() as ref, _, _):
                return self._compared_trait(node, ref, subject)
            case Compare(left, _, right):
                return replace(node, left=self.value(left, subject), right=self._operands(right, subject))
            case Top(_, by, part):
                alone = replace(below, of_users=False)
                return replace(node, by=alone.value(by, subject), part=alone.condition(part, subject))
            case Split():
                return _split(node, subject)
            case SqlMembers():
                return node
            case _:
                raise TypeError(f"not a condition of the language: {type(node).__name__}")

    def _compared_trait(self, node: Compare, ref: TraitRef, subject: Subject) -> Condition:
        whose: Subject = "account" if ref.of == "account" else subject
        if self.traits.has(whose, ref.key):
            if whose == subject:
                return replace(node, left=TraitRef(ref.key), right=self._operands(node.right, subject))
            if self.of_users:
                return replace(node, left=TraitRef(ref.key, "account"), right=self._operands(node.right, subject))
            return OfAccounts(replace(node, left=TraitRef(ref.key), right=self._operands(node.right, "account")))
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
            left = inner._defined(definition)  # noqa: SLF001  (the same class)
            condition = replace(node, left=left, right=self._operands(node.right, definition.subject))
        if definition.subject == subject:
            return condition
        if subject == "account":
            raise DefinitionError(
                f"{definition.name!r} is about users, and this is about accounts",
                where=str(node),
                hint=f"say of which users: any_user({node}), all_users(...) or no_user(...)",
            )
        return OfAccounts(condition)

    def value(self, node: Expression, subject: Subject) -> Value:
        match node:
            case Reduced(Events() as stream):
                return replace(node, stream=self._events(stream, subject), of=_of_event(node))
            case Reduced(Users(condition) as stream, _, of):
                if subject == "user":
                    raise DefinitionError(
                        "users() asks about an account's users; this is about a user already",
                        where=str(node),
                        hint="make an AccountTrait or AccountAudience",
                    )
                each = replace(self._below(), of_users=True)
                narrowed = replace(stream, condition=None if condition is None else each.condition(condition, "user"))
                reduced = each.of_each(of)
                return replace(node, stream=narrowed, of=reduced)
            case TraitRef() as ref:
                return self._trait_value(ref, subject)
            case SqlValue():
                return node
            case PropertyRef(name):
                raise DefinitionError(
                    f"property {name!r} stands outside an event",
                    where=str(node),
                    hint="put it inside event('...').where(...) or a reducer",
                )
            case _:
                raise TypeError(f"not a value of the language: {type(node).__name__}")

    def of_each(self, of: Expression | None) -> Expression | None:
        """What is reduced of each user."""
        if of is None:
            return None
        return self.condition(of, "user") if isinstance(of, Condition) else self.value(of, "user")

    def _defined(self, definition: Definition) -> Value:
        """What a trait stands for; ``self`` is inside it already."""
        return self.value(definition.expression, definition.subject)

    def _operands(self, right: tuple[Operand, ...], subject: Subject) -> tuple[Operand, ...]:
        return tuple(self.value(each, subject) if isinstance(each, Value) else each for each in right)

    def _events(self, stream: Events, subject: Subject) -> Events:
        if stream.window is not None and stream.window.parent:
            raise _no_parent(stream)
        if stream.counted != "member" and subject == "user" and not self.of_users:
            raise DefinitionError(
                "scope() and membership() say for which account an event counts; this is about a user",
                where=str(stream),
                hint="leave it out, or make an account definition",
            )
        if stream.condition is None:
            return stream
        return replace(stream, condition=replace(self._below(), of_users=False)._where(stream.condition, 1))  # noqa: SLF001

    def _trait_value(self, ref: TraitRef, subject: Subject) -> Value:
        whose: Subject = "account" if ref.of == "account" else subject
        if whose != subject and self.of_users and self.traits.has(whose, ref.key):
            return TraitRef(ref.key, "account")
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
        return self._into(definition)._defined(definition)  # noqa: SLF001  (the same class)

    # --- of an event -------------------------------------------------------------------------------------------------

    def _where(self, node: Condition, level: int) -> Condition:
        """Inside ``where``: properties, events that follow, and what is known of the user. ``level`` counts events."""
        below = self._below()
        match node:
            case And() | Or() | Not():
                return rebuilt(node, lambda part: below._where(part, level))  # type: ignore[arg-type]  # noqa: SLF001
            case Compare(TraitRef() as ref, _, _) if self._names_audience(ref):
                definition = self.registry[ref.key]
                meant = _membership(node, definition, self._into(definition).expression(definition))
                return Not(OfOwner(meant.part)) if _is_out(node) and isinstance(meant, Not) else OfOwner(meant)
            case Compare(left, _, right):
                operands = tuple(self._event_value(each, level) if isinstance(each, Value) else each for each in right)
                return replace(node, left=self._event_value(left, level), right=operands)
            case _:
                raise DefinitionError(
                    "inside where() there are conditions on properties, on events that follow, and on traits of the "
                    "user only",
                    where=str(node),
                    hint="put it beside the event, combined with &",
                )

    def _names_audience(self, ref: TraitRef) -> bool:
        found = self.registry.get(ref.key)
        own = ref.of == "subject" and not self.traits.has("user", ref.key)
        return own and found is not None and found.is_audience and found.subject == "user"

    def _is_of_account(self, key: str) -> bool:
        """Whether only accounts have such a trait."""
        return self.traits.has("account", key) and not self.traits.has("user", key) and key not in self.registry

    def _event_value(self, node: Value, level: int) -> Value:
        match node:
            case PropertyRef(parent=True) if level == 1:
                raise _no_parent(node)
            case PropertyRef():
                return node
            case TraitRef(_, "subject") if not self._is_of_account(node.key):
                return OwnerValue(self._trait_value(node, "user"))
            case TraitRef():
                raise DefinitionError(
                    "a trait of the account cannot stand inside where()",
                    where=str(node),
                    hint="put it beside the event, combined with &",
                )
            case Reduced(Events() as following):
                if following.counted != "member":
                    raise DefinitionError(
                        "an event that follows is one of the same user; the first one says for which account it counts",
                        where=str(following),
                        hint="put scope() or membership() to the event around",
                    )
                of = _of_event(node)
                if following.condition is None:
                    return replace(node, of=of)
                where = self._below()._where(following.condition, level + 1)  # noqa: SLF001
                return replace(node, stream=replace(following, condition=where), of=of)
            case _:
                raise DefinitionError(
                    "this cannot stand inside where()", where=str(node), hint="put it beside the event, combined with &"
                )

    # --- references --------------------------------------------------------------------------------------------------

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


def _is_out(node: Compare) -> bool:
    """Whether a membership is compared so that those outside satisfy it."""
    return (node.operator == "=") != node.right[0]


def _split(node: Split, subject: Subject) -> Condition:
    """By account, a user is in an arm with all accounts, and held out with one of them."""
    if subject == "account" or node.by == "subject":
        return replace(node, by="subject")
    own = replace(node, by="subject")
    some = OfAccounts(own)
    return some if node.holdout else And((some, Not(OfAccounts(Not(own)))))


def _of_event(node: Reduced) -> Expression | None:
    if isinstance(node.of, PropertyRef) and node.of.parent:
        raise DefinitionError(
            "a reducer takes a property of its own event",
            where=str(node),
            hint=f"write property({node.of.name!r}), or compare with property(parent: ...) inside where()",
        )
    return node.of


def _no_parent(node: Expression) -> DefinitionError:
    return DefinitionError(
        "parent: means the event around, and there is none",
        where=str(node),
        hint="it stands inside where(): event('A').where(event('B').within(parent: 7 days).count() >= 1)",
    )
