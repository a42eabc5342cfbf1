"""The meaning of definitions once more, in plain Python and one subject at a time: slow, and easy to check by reading.

Nothing of the compiler is used, nor of what resolves references; what both say alike, neither is likely to have wrong.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from personas_kit.definitions.definition import AccountAudience, Definition
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Not,
    OfUsers,
    Or,
    PropertyRef,
    Split,
    Top,
    TraitRef,
    Value,
)
from personas_kit.definitions.streams import Events, Reduced, Users, Window

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
    account: str | None = None
    tags: list[str] | None = None


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

    # --- who exists, who belongs where, whose an event is ------------------------------------------------------------

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
            (of.user, of.account) for of in self.memberships if self._both_exist(of) and self._valid(of, self.as_of)
        }

    @cached_property
    def owned(self) -> list[tuple[str | None, Happened]]:
        """The events so far, each with the user it belongs to."""
        return [
            (event.user or self._claimed(event.anonymous), event) for event in self.events if event.at <= self.as_of
        ]

    def _both_exist(self, of: Membership) -> bool:
        return of.user in self.user and of.account in self.account

    def _valid(self, of: Membership, at: dt.datetime) -> bool:
        return (of.valid_from is None or of.valid_from <= at) and (of.valid_to is None or at < of.valid_to)

    def _begun(self, at: Instant) -> bool:
        return at is None or at <= self.as_of

    def _claimed(self, anonymous: str | None) -> str | None:
        found = [
            (claim.since or dt.datetime.min, claim.user)  # noqa: DTZ901  (naive, as the tables are)
            for claim in self.claims
            if claim.type == "anonymous_id" and claim.value == anonymous and self._begun(claim.since)
        ]
        return min(found)[1] if found else None

    def _accounts_of(self, user: str) -> list[str]:
        return sorted(account for who, account in self.pairs if who == user)

    def _users_of(self, account: str) -> list[str]:
        return sorted(user for user, where in self.pairs if where == account)

    # --- definitions -------------------------------------------------------------------------------------------------

    def members(self, definition: Definition) -> set[str]:
        """Who is in an audience."""
        what = self.user if definition.subject == "user" else self.account
        return {each for each in what if self.holds(definition.expression, definition.subject, each)}

    def users_of(self, definition: AccountAudience) -> set[tuple[str, str]]:
        """The users of an account audience, with the account that brought each in."""
        without = definition.unless_user
        return {
            (user, account)
            for account in self.members(definition)
            for user in self._users_of(account)
            if without is None or not self.holds(without, "user", user, account)
        }

    def values(self, definition: Definition) -> dict[str, object]:
        """What a trait says of whom; missing values are left out."""
        what = self.user if definition.subject == "user" else self.account
        found = {each: self.value(definition.expression, definition.subject, each) for each in what}
        return {each: value for each, value in found.items() if value is not None}

    # --- of a user or an account -------------------------------------------------------------------------------------

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
                true = [self.holds(part, "user", user, who) for user in self._users_of(who)]
                return any(true) if quantifier == "any" else bool(true) and all(true)
            case Top():
                return who in self._top(node, of)
            case Split():
                return self._in_arm(node, of, who)
            case Compare(TraitRef() as ref, _, _):
                return self._compared_trait(node, ref, of, who, account)
            case _:
                return self._compared(node, lambda value: self.value(value, of, who, account))

    def _compared_trait(self, node: Compare, ref: TraitRef, of: str, who: str, account: str) -> bool:
        meant = self.registry.get(ref.key)
        if meant is not None and meant.subject != of:
            return any(self._of_definition(node, meant, where) for where in self._accounts_of(who))
        if meant is not None:
            return self._of_definition(node, meant, who, account)
        if ref.of != "account" or of == "account" or account:
            return self._compared(node, lambda value: self.value(value, of, who, account))
        return any(
            self._compared(node, lambda value, a=each: self.value(value, "account", a))  # type: ignore[misc]
            for each in self._accounts_of(who)
        )

    def _of_definition(self, node: Compare, meant: Definition, who: str, account: str = "") -> bool:
        if meant.is_audience:
            return self.holds(meant.expression, meant.subject, who) == ((node.operator == "=") == node.right[0])
        return self._compared(node, lambda value: self.value(value, meant.subject, who, account))

    def _compared(self, node: Compare, read: Callable[[Value], Any]) -> bool:
        right = [read(each) if isinstance(each, Value) else each for each in node.right]
        return self.compare(read(node.left), node.operator, right, ignore_case=node.ignore_case)

    def _top(self, node: Top, of: str) -> set[str]:
        what = self.user if of == "user" else self.account
        valued = [(self.value(node.by, of, who), who) for who in what if self.holds(node.part, of, who)]
        by_id = sorted((value, who) for value, who in valued if value is not None)
        by_id.sort(key=lambda pair: pair[1])
        placed = sorted(by_id, key=lambda pair: pair[0], reverse=not node.smallest)  # stable: ids decide
        return {who for _, who in placed[: node.count]}

    def _in_arm(self, node: Split, of: str, who: str) -> bool:
        def inside(each: str) -> bool:
            low, high = (round(percent / 100 * 16**8) for percent in (node.low, node.high))
            return low <= int(hashlib.md5(f"{node.name}:{each}".encode()).hexdigest()[:8], 16) < high  # noqa: S324

        if of == "account" or node.by == "subject":
            return inside(who)
        arms = [inside(each) for each in self._accounts_of(who)]
        return any(arms) if node.holdout else bool(arms) and all(arms)

    def value(self, node: Any, of: str, who: str | None, account: str = "") -> Any:
        """A value of a user (of that account, inside any/all) or of an account."""
        match node:
            case TraitRef(key, whose):
                meant = self.registry.get(key)
                if meant is not None:
                    return self.value(meant.expression, meant.subject, who)
                found = self.account.get(account) if whose == "account" and of == "user" else self._known(of, who)
                return found.trait if found else None
            case Reduced(Users(condition), reducer, part):
                users = [
                    user
                    for user in self._users_of(str(who))
                    if condition is None or self.holds(condition, "user", user, str(who))
                ]
                if reducer == "count":
                    return len(users)
                if reducer == "share":
                    true = [self.holds(part, "user", user, str(who)) for user in users]
                    return sum(true) / len(true) if true else None
                values = [self.value(part, "user", user, str(who)) for user in users]
                return _reduced(node, [((), value) for value in values if value is not None])
            case Reduced(Events() as stream):
                found = [
                    event
                    for user, event in self._counted(stream, of, who, account)
                    if self._wanted(user, event, stream)
                ]
                return self._of_events(node, found)
            case _:
                raise TypeError(node)

    def _known(self, of: str, who: str | None) -> Subject | None:
        return (self.user if of == "user" else self.account).get(str(who))

    def _counted(self, stream: Events, of: str, who: str | None, account: str) -> Iterable[tuple[str | None, Happened]]:
        """The events that count for a user, for an account, or for a user in an account."""
        where = account if of == "user" else str(who)
        for user, event in self.owned:
            if of == "user" and user != who:
                continue
            if stream.counted == "event" and where:
                counts = event.account == where
            elif stream.counted == "at_event" and where:
                counts = any(
                    (m.user, m.account) == (user, where) and self._both_exist(m) and self._valid(m, event.at)
                    for m in self.memberships
                )
            else:
                counts = of == "user" or (user, where) in self.pairs
            if counts:
                yield user, event

    # --- of an event -------------------------------------------------------------------------------------------------

    def _wanted(self, user: str | None, event: Happened, stream: Events, before: Happened | None = None) -> bool:
        if event.event != stream.name or not self._in_window(event, stream.window, before):
            return False
        return stream.condition is None or self._where(stream.condition, user, event, before) is True

    def _in_window(self, event: Happened, window: Window | None, before: Happened | None) -> bool:
        if window is None:
            return True
        older, newer = dt.timedelta(seconds=window.older), dt.timedelta(seconds=window.newer)
        if window.parent and before is not None:
            return before.at + newer < event.at <= before.at + older
        return self.as_of - older < event.at <= self.as_of - newer

    def _where(self, node: Any, user: str | None, event: Happened, before: Happened | None) -> bool | None:
        """True, False, or None: not known yet, because what follows may still happen."""
        match node:
            case And(parts):
                found = [self._where(part, user, event, before) for part in parts]
                return False if False in found else None if None in found else True
            case Or(parts):
                found = [self._where(part, user, event, before) for part in parts]
                return True if True in found else None if None in found else False
            case Not(part):
                inside = self._where(part, user, event, before)
                return None if inside is None else not inside
            case Compare(TraitRef(key), _, _) if (meant := self.registry.get(key)) and meant.is_audience:
                inside = user in self.user and self.holds(meant.expression, "user", str(user))
                return inside == ((node.operator == "=") == node.right[0])
            case Compare():
                said = self._compared(node, lambda value: self._of_event(value, user, event, before))
                return said if self._settled(node, event, said=said) else None
            case _:
                raise TypeError(node)

    def _of_event(self, node: Any, user: str | None, event: Happened, before: Happened | None) -> Any:
        match node:
            case PropertyRef(name, _, parent):
                return user if name == "user_id" and not parent else getattr(before if parent else event, name)
            case TraitRef():
                return self.value(node, "user", user) if user in self.user else None
            case Reduced(Events() as stream):
                later = [
                    other
                    for whose, other in self.owned
                    if user is not None
                    and whose == user
                    and other.at > event.at
                    and self._wanted(user, other, stream, event)
                ]
                return self._of_events(node, later)
            case _:
                raise TypeError(node)

    def _settled(self, node: Compare, event: Happened, *, said: bool) -> bool:
        """Whether nothing that can still follow an event changes what a comparison says."""
        following = [part for part in (node.left, *node.right) if isinstance(part, Reduced)]
        windows = [part.stream.window for part in following if isinstance(part.stream, Events)]
        ends = [event.at + dt.timedelta(seconds=window.older) for window in windows if window and window.parent]
        if all(end <= self.as_of for end in ends):
            return True
        if any(isinstance(part, Value) for part in node.right) or not isinstance(node.left, Reduced):
            return False
        if node.operator in {"exists", "absent"}:
            return said == (node.operator == "exists")
        if node.left.reducer not in {"count", "unique_count"}:
            return False
        return said if node.operator in {">", ">="} else not said and node.operator in {"<", "<="}

    def _of_events(self, node: Reduced, events: list[Happened]) -> Any:
        if node.reducer == "count":
            return len({event.id for event in events})
        name = node.of.name if isinstance(node.of, PropertyRef) else ""
        found = [((event.at, event.id), getattr(event, name)) for event in events if getattr(event, name) is not None]
        if name == "tags":
            found = [(place, tag) for place, tags in found for tag in tags]
        return _reduced(node, found)

    # --- comparisons -------------------------------------------------------------------------------------------------

    def compare(self, left: Any, operator: str, right: list[Any], *, ignore_case: bool = False) -> bool:
        """A value with others, of which any may be missing."""
        if operator in {"absent", "exists"}:
            return (left is None) == (operator == "absent")
        if operator in {"omits", "none_of"}:
            positive = {"omits": "contains", "none_of": "one_of"}[operator]
            return not self.compare(left, positive, right, ignore_case=ignore_case)
        others = [_plain(each) for each in right if each is not None]
        if left is None or not others:
            return False
        if operator.endswith(("_last", "_next")):
            return self._near(left, operator, dt.timedelta(seconds=right[0]))
        if ignore_case:
            left, others = left.lower(), [each.lower() for each in others]
        return _COMPARISONS[operator](left, others)

    def _near(self, at: dt.datetime, operator: str, span: dt.timedelta) -> bool:
        now = self.as_of
        return {
            "within_last": now - span < at <= now,
            "within_next": now < at <= now + span,
            "before_last": at <= now - span,
            "after_next": at > now + span,
        }[operator]


def _plain(value: Any) -> Any:
    """Instants as the facts have them: naive UTC."""
    aware = isinstance(value, dt.datetime) and value.tzinfo is not None
    return value.astimezone(dt.UTC).replace(tzinfo=None) if aware else value


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


def _reduced(node: Reduced, found: list[tuple[Any, Any]]) -> Any:
    """Values that are there, each with its place in time."""
    values = [value for _, value in found]
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
        "first": lambda: min(found)[1],
        "last": lambda: max(found)[1],
        "most_frequent": lambda: best if times[best] >= node.at_least else None,
        "unique": lambda: sorted(set(values)),
    }[node.reducer]()
