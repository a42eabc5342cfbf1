"""The meaning of definitions once more, in plain Python and one subject at a time: slow, and easy to check by reading.

Nothing of the compiler is used; what both say alike, neither is likely to have wrong.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from personas_kit.definitions.definition import Definition
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Events,
    Not,
    OfUsers,
    Or,
    PropertyRef,
    Reduced,
    TraitRef,
    Value,
)

Instant = dt.datetime | None


@dataclass(frozen=True)
class Subject:
    """A user or an account; ``trait`` is what is known of it."""

    id: str
    since: Instant
    trait: str | int | dt.datetime | None


@dataclass(frozen=True)
class Membership:
    """Of a user in an account."""

    user: str
    account: str
    valid_from: Instant
    valid_to: Instant


@dataclass(frozen=True)
class Claim:
    """An identifier that a user had."""

    user: str
    type: str
    value: str
    since: Instant


@dataclass(frozen=True)
class Happened:
    """An event."""

    event: str
    user: str | None
    anonymous: str | None
    at: dt.datetime
    id: str
    amount: int | None
    colour: str | None


@dataclass(frozen=True)
class Facts:
    """Everything that the warehouse holds, seen at an instant (naive UTC)."""

    users: tuple[Subject, ...]
    accounts: tuple[Subject, ...]
    memberships: tuple[Membership, ...]
    claims: tuple[Claim, ...]
    events: tuple[Happened, ...]
    as_of: dt.datetime
    registry: dict[str, Definition] = field(default_factory=dict)

    @cached_property
    def user(self) -> dict[str, Subject]:
        """The users that exist."""
        return {user.id: user for user in self.users if self._begun(user.since)}

    @cached_property
    def account(self) -> dict[str, Subject]:
        """The accounts that exist."""
        return {account.id: account for account in self.accounts if self._begun(account.since)}

    @cached_property
    def pairs(self) -> set[tuple[str, str]]:
        """Who belongs where now."""
        return {
            (of.user, of.account)
            for of in self.memberships
            if of.user in self.user
            and of.account in self.account
            and self._begun(of.valid_from)
            and (of.valid_to is None or self.as_of < of.valid_to)
        }

    @cached_property
    def owned(self) -> list[tuple[str | None, Happened]]:
        """The events so far, each with the user it belongs to."""
        return [
            (event.user or self._claimed(event.anonymous), event) for event in self.events if event.at <= self.as_of
        ]

    def members(self, definition: Definition) -> set[str]:
        """Who is in an audience."""
        what = self.user if definition.subject == "user" else self.account
        return {each for each in what if self.holds(definition.expression, definition.subject, each)}

    def values(self, definition: Definition) -> dict[str, object]:
        """What a trait says of whom; missing values are left out."""
        what = self.user if definition.subject == "user" else self.account
        found = {each: self._value(definition.expression, definition.subject, each) for each in what}
        return {each: value for each, value in found.items() if value is not None}

    def holds(self, node: Any, of: str, who: str, account: str = "") -> bool:
        """A condition on a user (of that account, inside any/all) or on an account."""
        match node:
            case And(parts):
                return all(self.holds(part, of, who, account) for part in parts)
            case Or(parts):
                return any(self.holds(part, of, who, account) for part in parts)
            case Not(part):
                return not self.holds(part, of, who, account)
            case OfUsers(quantifier, part):
                users = [user for user, where in self.pairs if where == who]
                true = [self.holds(part, "user", user, who) for user in users]
                return any(true) if quantifier == "any" else bool(true) and all(true)
            case Compare(TraitRef() as ref, _, _):
                return self._compared_trait(node, ref, of, who, account)
            case _:
                return self._compare(self._value(node.left, of, who), node.operator, node.right)

    def _compared_trait(self, node: Compare, ref: TraitRef, of: str, who: str, account: str) -> bool:
        if ref.key in self.registry:
            audience, inside = self.registry[ref.key], (node.operator == "=") == node.right[0]
            if audience.subject == of:
                return self.holds(audience.expression, of, who) == inside
            return any(self.holds(audience.expression, "account", where) == inside for where in self._of(who))
        if ref.of != "account" or of == "account":
            return self._compare(self._value(node.left, of, who), node.operator, node.right)
        own = [account] if account else self._of(who)
        return any(self._compare(self.account[each].trait, node.operator, node.right) for each in own)

    def _of(self, user: str) -> list[str]:
        return [account for who, account in self.pairs if who == user]

    def _value(self, node: Value, of: str, who: str) -> Any:
        if isinstance(node, TraitRef):
            return (self.user if of == "user" else self.account)[who].trait
        users = {who} if of == "user" else {user for user, account in self.pairs if account == who}
        found = [event for user, event in self.owned if user in users and self._counts(user, event, node.stream)]
        return (
            _reduced(node, found, lambda event: self._property(node.of, event)) if isinstance(node, Reduced) else None
        )

    def _counts(self, user: str | None, event: Happened, stream: Events) -> bool:
        if event.event != stream.name:
            return False
        if stream.window is not None:
            older = self.as_of - dt.timedelta(seconds=stream.window.older)
            newer = self.as_of - dt.timedelta(seconds=stream.window.newer)
            if not older < event.at <= newer:
                return False
        return stream.condition is None or self._where(stream.condition, user, event)

    def _where(self, node: Condition, user: str | None, event: Happened) -> bool:
        match node:
            case And(parts):
                return all(self._where(part, user, event) for part in parts)
            case Or(parts):
                return any(self._where(part, user, event) for part in parts)
            case Not(part):
                return not self._where(part, user, event)
            case Compare(PropertyRef("user_id"), operator, right):
                return self._compare(user, operator, right)
            case Compare(PropertyRef() as of, operator, right):
                return self._compare(self._property(of, event), operator, right)
            case _:
                raise TypeError(node)

    def _property(self, of: PropertyRef | None, event: Happened) -> Any:
        return None if of is None else getattr(event, of.name)

    def _compare(self, left: Any, operator: str, right: tuple[Any, ...]) -> bool:
        if operator in {"absent", "exists"}:
            return (left is None) == (operator == "absent")
        if operator in {"omits", "none_of"}:
            return not self._compare(left, {"omits": "contains", "none_of": "one_of"}[operator], right)
        if left is None:
            return False
        if operator.endswith(("_last", "_next")):
            return self._near(left, operator, dt.timedelta(seconds=right[0]))
        return _COMPARISONS[operator](left, [_plain(each) for each in right])

    def _near(self, at: dt.datetime, operator: str, span: dt.timedelta) -> bool:
        now = self.as_of
        return {
            "within_last": now - span < at <= now,
            "within_next": now < at <= now + span,
            "before_last": at <= now - span,
            "after_next": at > now + span,
        }[operator]

    def _claimed(self, anonymous: str | None) -> str | None:
        found = [
            (claim.since or dt.datetime.min, claim.user)  # noqa: DTZ901  (naive, as the tables are)
            for claim in self.claims
            if claim.type == "anonymous_id" and claim.value == anonymous and self._begun(claim.since)
        ]
        return min(found)[1] if found else None

    def _begun(self, at: Instant) -> bool:
        return at is None or at <= self.as_of


def _plain(value: Any) -> Any:
    """Instants as the facts have them: naive UTC."""
    return value.astimezone(dt.UTC).replace(tzinfo=None) if isinstance(value, dt.datetime) else value


_COMPARISONS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "=": lambda left, right: left == right[0],
    "!=": lambda left, right: left != right[0],
    "<": lambda left, right: left < right[0],
    "<=": lambda left, right: left <= right[0],
    ">": lambda left, right: left > right[0],
    ">=": lambda left, right: left >= right[0],
    "before_date": lambda left, right: left < right[0],
    "after_date": lambda left, right: left > right[0],
    "contains": lambda left, right: any(part in left for part in right),
    "starts_with": lambda left, right: left.startswith(right[0]),
    "ends_with": lambda left, right: left.endswith(right[0]),
    "one_of": lambda left, right: left in right,
}


def _reduced(node: Reduced, events: Iterable[Happened], read: Callable[[Happened], Any]) -> Any:
    if node.reducer == "count":
        return len({event.id for event in events})
    found = [(event.at, event.id, read(event)) for event in events if read(event) is not None]
    values = [value for _, _, value in found]
    if node.reducer in {"sum", "unique_count"}:
        return sum(values) if node.reducer == "sum" else len(set(values))
    if not found:
        return None
    times = Counter(values)
    best = min(times, key=lambda value: (-times[value], value))
    return {
        "avg": lambda: sum(values) / len(values),
        "min": lambda: min(values),
        "max": lambda: max(values),
        "first": lambda: min(found)[2],
        "last": lambda: max(found)[2],
        "most_frequent": lambda: best if times[best] >= node.at_least else None,
        "unique": lambda: sorted(set(values)),
    }[node.reducer]()
