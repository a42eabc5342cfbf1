"""The four things a person defines: audiences and traits, of users and of accounts."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from personas_kit.definitions.expressions import Condition, Events, Expression, Value, check_depth, kind_of
from personas_kit.errors import DefinitionError

Subject = Literal["user", "account"]
Kind = Literal["audience", "account_audience", "trait", "account_trait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A named expression. Immutable; equal only to itself; known to others by its key.

    The key is derived from the name once and is what destinations see: give ``key=`` to keep it when renaming.
    """

    name: str = ""
    key: str = ""
    kind: ClassVar[Kind]
    subject: ClassVar[Subject]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise DefinitionError(f"a definition needs a name, not {self.name!r}")
        object.__setattr__(self, "key", _checked_key(self.key) if self.key else default_key(self.name))

    @property
    def expression(self) -> Expression:
        """The condition of an audience, the value of a trait."""
        raise NotImplementedError

    @property
    def is_audience(self) -> bool:
        """True for audiences of users and of accounts."""
        return isinstance(self, Audience | AccountAudience)

    @property
    def fingerprint(self) -> str:
        """16 hex digits over the kind and the text of the expression; what it refers to counts by name only."""
        return fingerprint_of(self.kind, self.expression)

    def __repr__(self) -> str:
        """What was defined, in the text language. Never runs a query."""
        return f"{type(self).__name__}({self.name!r}, {self.expression}, key={self.key!r})"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Audience(Definition):
    """The users for whom a condition holds.

    >>> from personas_kit import Audience, event
    >>> Audience(name="Buyers", where=event("Order Completed").within(days=30).count() >= 1).key
    'buyers'
    """

    name: str = field(kw_only=False)
    where: Condition = field(kw_only=False)
    kind: ClassVar[Kind] = "audience"
    subject: ClassVar[Subject] = "user"

    def __post_init__(self) -> None:
        Definition.__post_init__(self)
        _check_condition(self)

    @property
    def expression(self) -> Condition:
        """The condition."""
        return self.where


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class AccountAudience(Definition):
    """The accounts for which a condition holds; ask about their users with any_user, all_users, no_user."""

    name: str = field(kw_only=False)
    where: Condition = field(kw_only=False)
    kind: ClassVar[Kind] = "account_audience"
    subject: ClassVar[Subject] = "account"

    def __post_init__(self) -> None:
        Definition.__post_init__(self)
        _check_condition(self)

    @property
    def expression(self) -> Condition:
        """The condition."""
        return self.where


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Trait(Definition):
    """One value for every user."""

    name: str = field(kw_only=False)
    value: Value = field(kw_only=False)
    kind: ClassVar[Kind] = "trait"
    subject: ClassVar[Subject] = "user"

    def __post_init__(self) -> None:
        Definition.__post_init__(self)
        _check_value(self)

    @property
    def expression(self) -> Value:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class AccountTrait(Definition):
    """One value for every account, over the events of all its users."""

    name: str = field(kw_only=False)
    value: Value = field(kw_only=False)
    kind: ClassVar[Kind] = "account_trait"
    subject: ClassVar[Subject] = "account"

    def __post_init__(self) -> None:
        Definition.__post_init__(self)
        _check_value(self)

    @property
    def expression(self) -> Value:
        """The value."""
        return self.value


def fingerprint_of(kind: Kind, expression: Expression) -> str:
    """16 hex digits over a kind and the text of an expression: another meaning, another fingerprint."""
    return hashlib.sha256(f"{kind}\n{expression}".encode()).hexdigest()[:16]


def default_key(name: str) -> str:
    """Lowercase ASCII, every run of other characters an underscore, a leading digit prefixed with one.

    >>> default_key("Order Completed last 30days")
    'order_completed_last_30days'
    """
    key = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower()
    if not key:
        raise DefinitionError(f"no key can be derived from the name {name!r}", hint='give one: key="..."')
    return f"_{key}" if key[0].isdigit() else key


def _checked_key(key: str) -> str:
    if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", key):
        raise DefinitionError(
            f"{key!r} cannot be a key",
            hint="letters, digits and underscores, not starting with a digit, at most 255 characters",
        )
    return key


def _check_condition(audience: Audience | AccountAudience) -> None:
    where = audience.where
    if isinstance(where, Condition):
        _check_depth(audience)
        return
    example = f"{where}.count()" if isinstance(where, Events) else str(where)
    hint = f"compare it, for example: {example} >= 1" if isinstance(where, Expression) else _read_text(where)
    raise DefinitionError(
        f"an audience must end in a condition, and this ends in {_ending(where)}",
        where=f"{audience.name!r}: {where}",
        hint=hint,
    )


def _check_value(trait: Trait | AccountTrait) -> None:
    value = trait.value
    if isinstance(value, Value):
        _check_depth(trait)
        return
    hint = "end it in a reducer, for example .count() or .sum('revenue'); for true/false make an Audience"
    raise DefinitionError(
        f"a trait must end in a value, and this is {_ending(value)}",
        where=f"{trait.name!r}: {value}",
        hint=hint if isinstance(value, Expression) else _read_text(value),
    )


def _check_depth(definition: Definition) -> None:
    try:
        check_depth(definition.expression)
    except DefinitionError as error:
        raise error.at(repr(definition.name)) from None


def _ending(thing: object) -> str:
    return "an event that is neither counted nor reduced" if isinstance(thing, Events) else kind_of(thing)


def _read_text(thing: object) -> str:
    return (
        "text of the query language is read by parse(...)" if isinstance(thing, str) else "use event(...), trait(...)"
    )
