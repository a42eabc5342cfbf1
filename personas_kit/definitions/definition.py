"""What a person defines: audiences and traits, of users and of accounts, in the language or in SQL."""

from __future__ import annotations

import hashlib
import re
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar, Literal, cast

from personas_kit.definitions.constants import whole_characters
from personas_kit.definitions.expressions import (
    And,
    Condition,
    Expression,
    Not,
    SqlMembers,
    SqlValue,
    Value,
    check_depth,
    flatten,
    kind_of,
)
from personas_kit.definitions.streams import Counted, Stream, counted_for
from personas_kit.errors import DefinitionError

Subject = Literal["user", "account"]
Kind = Literal["audience", "account_audience", "trait", "account_trait"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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
        whole_characters(self.name)
        object.__setattr__(self, "key", _checked_key(self.key) if self.key else default_key(self.name))

    @property
    def expression(self) -> Expression:
        """The condition of an audience, the value of a trait."""
        raise NotImplementedError

    @property
    def is_audience(self) -> bool:
        """True for audiences of users and of accounts."""
        return self.kind.endswith("audience")

    @property
    def fingerprint(self) -> str:
        """16 hex digits over the kind and the text of the expression; what it refers to counts by name only."""
        return fingerprint_of(self, self.expression)

    def english(self) -> str:
        """The definition as a sentence."""
        from personas_kit.definitions.english import english  # noqa: PLC0415  (it reads definitions)

        return english(self)

    def to_dict(self) -> dict[str, Any]:
        """The definition as plain data, to be kept as JSON; ``pk.from_dict`` reads it."""
        from personas_kit.definitions.storage import to_dict  # noqa: PLC0415  (as above)

        return to_dict(self)

    def to_toml(self) -> str:
        """The definition as a block of ``personas.toml``, for review in git; ``ws.save`` puts it there."""
        from personas_kit.definitions.toml import to_toml  # noqa: PLC0415  (as above)

        return to_toml(self)

    def __repr__(self) -> str:
        """What was defined, in the text language. Never runs a query."""
        return f"{type(self).__name__}({self.name!r}, {self.expression}, key={self.key!r})"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Audience(Definition):
    """The users for whom a condition holds, except those for whom ``unless`` does: suppression, missing consent.

    >>> from personas_kit import Audience, event
    >>> Audience(name="Buyers", where=event("Order Completed").within(days=30).count() >= 1).key
    'buyers'
    """

    name: str = field(kw_only=False)
    where: Condition = field(kw_only=False)
    unless: Condition | None = None
    kind: ClassVar[Kind] = "audience"
    subject: ClassVar[Subject] = "user"

    def __post_init__(self) -> None:
        Definition.__post_init__(self)
        _check_conditions(self, self.where, self.unless)

    @property
    def expression(self) -> Condition:
        """The condition, and not ``unless``."""
        return _without(self.where, self.unless)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class AccountAudience(Definition):
    """The accounts for which a condition holds; ask about their users with any_user, all_users, no_user, users().

    Attributes:
        unless: a condition on the account that keeps it out.
        unless_user: a condition on a user that keeps this user out wherever the audience becomes users, such as
            missing consent; the account stays in.
    """

    name: str = field(kw_only=False)
    where: Condition = field(kw_only=False)
    unless: Condition | None = None
    unless_user: Condition | None = None
    scope: InitVar[str] = "member"
    membership: InitVar[str] = "now"
    kind: ClassVar[Kind] = "account_audience"
    subject: ClassVar[Subject] = "account"

    def __post_init__(self, scope: str, membership: str) -> None:
        Definition.__post_init__(self)
        _check_conditions(self, self.where, self.unless, self.unless_user)
        _count(self, ("where", "unless"), scope, membership)

    @property
    def expression(self) -> Condition:
        """The condition, and not ``unless``."""
        return _without(self.where, self.unless)


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
    """One value for every account, over the events of all its users, or over a value of each of them.

    ``scope`` and ``membership`` say for which account an event counts, as for account audiences.
    """

    name: str = field(kw_only=False)
    value: Value = field(kw_only=False)
    scope: InitVar[str] = "member"
    membership: InitVar[str] = "now"
    kind: ClassVar[Kind] = "account_trait"
    subject: ClassVar[Subject] = "account"

    def __post_init__(self, scope: str, membership: str) -> None:
        Definition.__post_init__(self)
        _check_value(self)
        _count(self, ("value",), scope, membership)

    @property
    def expression(self) -> Value:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SqlDefinition(Definition):
    """A SELECT of the person's own; it lists ``user_id`` or ``account_id``, each once. One statement, never a script.

    Attributes:
        sql: its text; ``:as_of`` in it is the instant of evaluation. It reads tables of the warehouse only.
        of: whose ids it lists: ``user`` or ``account``.
        dialect: in which it is written; by default the warehouse's own.
    """

    name: str = field(kw_only=False)
    sql: str = field(kw_only=False)
    of: Subject = "user"
    dialect: str = ""

    def __post_init__(self) -> None:
        Definition.__post_init__(self)
        if not isinstance(self.sql, str) or not self.sql.strip():
            raise DefinitionError("there is no SQL", where=repr(self.name), hint='sql="SELECT user_id FROM ..."')
        whole_characters(self.sql)
        if self.of not in {"user", "account"}:
            raise DefinitionError(f"of= is 'user' or 'account', not {self.of!r}", where=repr(self.name))
        if not isinstance(self.dialect, str):
            raise DefinitionError(f"dialect= is the name of one, not {self.dialect!r}", where=repr(self.name))

    @property
    def subject(self) -> Subject:  # type: ignore[override]
        """Whose ids are listed."""
        return self.of


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SqlAudience(SqlDefinition):
    """The users or accounts whose ids a SELECT lists: ``SELECT user_id FROM ...``."""

    @property
    def kind(self) -> Kind:  # type: ignore[override]
        """``audience`` or ``account_audience``."""
        return "audience" if self.of == "user" else "account_audience"

    @property
    def expression(self) -> Condition:
        """The condition: to be listed."""
        return SqlMembers(self.sql, self.dialect)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SqlTrait(SqlDefinition):
    """The value that a SELECT lists beside the id of a user or account: ``SELECT user_id, ... AS value FROM ...``."""

    @property
    def kind(self) -> Kind:  # type: ignore[override]
        """``trait`` or ``account_trait``."""
        return "trait" if self.of == "user" else "account_trait"

    @property
    def expression(self) -> Value:
        """The value that is listed."""
        return SqlValue(self.sql, self.dialect)


def fingerprint_of(definition: Definition, expression: Expression) -> str:
    """16 hex digits over a kind and the text of an expression: another meaning, another fingerprint."""
    said = [definition.kind, str(expression)]
    if isinstance(definition, AccountAudience) and definition.unless_user is not None:
        said.append(str(definition.unless_user))
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


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


def _without(where: Condition, unless: Condition | None) -> Condition:
    return where if unless is None else And(flatten(And, (where, Not(unless))))


def _count(definition: Definition, names: tuple[str, ...], scope: str, membership: str) -> None:
    """Say of the events of a definition for which account they count."""
    known = {("member", "now"): "member", ("event", "now"): "event", ("member", "at_event"): "at_event"}
    counted = cast("Counted | None", known.get((scope, membership)))
    if counted is None:
        raise DefinitionError(
            f"scope={scope!r} with membership={membership!r} means nothing",
            where=repr(definition.name),
            hint='scope="event" for the account that an event names, membership="at_event" for who belonged to it then',
        )
    if counted != "member":
        for name in names:
            if (found := getattr(definition, name)) is not None:
                object.__setattr__(definition, name, counted_for(found, counted))


def _check_conditions(audience: Audience | AccountAudience, *conditions: Condition | None) -> None:
    for condition in conditions:
        if condition is not None or condition is audience.where:
            _check_condition(audience, condition)


def _check_condition(audience: Audience | AccountAudience, where: object) -> None:
    if isinstance(where, Condition):
        _check_depth(audience, where)
        return
    example = f"{where}.count()" if isinstance(where, Stream) else str(where)
    hint = f"compare it, for example: {example} >= 1" if isinstance(where, Expression) else _read_text(where)
    raise DefinitionError(
        f"an audience must end in a condition, and this ends in {_ending(where)}",
        where=f"{audience.name!r}: {where}",
        hint=hint,
    )


def _check_value(trait: Trait | AccountTrait) -> None:
    value = trait.value
    if isinstance(value, Value):
        _check_depth(trait, value)
        return
    hint = "end it in a reducer, for example .count() or .sum('revenue'); for true/false make an Audience"
    raise DefinitionError(
        f"a trait must end in a value, and this is {_ending(value)}",
        where=f"{trait.name!r}: {value}",
        hint=hint if isinstance(value, Expression) else _read_text(value),
    )


def _check_depth(definition: Definition, expression: Expression) -> None:
    try:
        check_depth(expression)
    except DefinitionError as error:
        raise error.at(repr(definition.name)) from None


def _ending(thing: object) -> str:
    return f"{thing.called} that is neither counted nor reduced" if isinstance(thing, Stream) else kind_of(thing)


def _read_text(thing: object) -> str:
    return (
        "text of the query language is read by parse(...)" if isinstance(thing, str) else "use event(...), trait(...)"
    )
