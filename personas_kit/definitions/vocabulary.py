"""What people write: the functions that a definition begins with."""

from __future__ import annotations

from typing import Literal, cast

from personas_kit.definitions.constants import checked_name
from personas_kit.definitions.expressions import (
    Condition,
    Not,
    OfUsers,
    PropertyRef,
    PropertyType,
    Split,
    Top,
    TraitRef,
    Value,
    as_condition,
    kind_of,
)
from personas_kit.definitions.streams import Events, Users
from personas_kit.errors import DefinitionError

_ALL = 100


def event(name: str) -> Events:
    """All occurrences of an event, by its exact name."""
    return Events(checked_name("event", name))


def trait(key: str) -> TraitRef:
    """A trait of the subject: of the user, or in an account definition outside any/all of the account."""
    return TraitRef(checked_name("trait", key))


def account_trait(key: str) -> TraitRef:
    """A trait of the account, wherever it stands."""
    return TraitRef(checked_name("account_trait", key), of="account")


def prop(name: str | None = None, as_type: PropertyType | None = None, *, parent: str | None = None) -> PropertyRef:
    """A property of the event, inside ``event(...).where(...)`` or a reducer (text: ``property``).

    Args:
        name: of the property.
        as_type: how to read a JSON value.
        parent: instead of ``name``: a property of the event around, in whose ``where`` this event stands.
    """
    if (name is None) == (parent is None):
        raise DefinitionError("prop() takes the name of a property", hint="write prop('x'), or prop(parent='x')")
    return PropertyRef(checked_name("prop", name if parent is None else parent), as_type, parent is not None)


def users() -> Users:
    """The users of the account, in account definitions: ``users().where(...).count() >= 3``."""
    return Users()


def top(count: int, *, by: Value, of: Condition, smallest: bool = False) -> Condition:
    """Of those for whom a condition holds, so many with the largest (or smallest) value.

    Ties go to the smaller id; who has no value is left out. The same members for the same data, always.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise DefinitionError(f"top() takes a whole number, 1 or more, not {count!r}")
    if not isinstance(by, Value):
        raise DefinitionError(
            f"top() ranks by a value, not by {kind_of(by)}", hint="write by=trait('...') or by=event('...').count()"
        )
    return Top(count, by, as_condition(of), smallest)


def split(name: str, percent: tuple[float, float], *, by: Literal["member", "account"] = "member") -> Condition:
    """In one arm of an experiment: ``split("spring", (0, 50))`` and ``split("spring", (50, 100))`` are its halves.

    Members stay where they are while others come and go; another name divides anew. In a user audience
    ``by="account"`` puts all users of an account in one arm; a user of accounts in different arms is in none.
    """
    low, high = _arm(percent)
    return Split(checked_name("split", name), low, high, _by(by))


def holdout(name: str, percent: float, *, by: Literal["member", "account"] = "member") -> Condition:
    """Held out: ``where & ~holdout("spring", 10)`` keeps the same tenth away. By account: all its users."""
    if not _is_percentage(percent) or percent == 0:
        raise DefinitionError(
            f"holdout() takes a percentage above 0 and at most {_ALL}, not {percent!r}",
            hint=f"write holdout({name!r}, 10)",
        )
    return Split(checked_name("holdout", name), 0, percent, _by(by), holdout=True)


def in_audience(key: str) -> Condition:
    """Membership of another audience; the same as ``trait(key) == True``."""
    return trait(key) == True  # noqa: E712  (a comparison node, not a truth)


def any_user(condition: Condition) -> Condition:
    """At least one user of the account satisfies the condition."""
    return OfUsers("any", as_condition(condition))


def all_users(condition: Condition) -> Condition:
    """The account has users, and each satisfies the condition."""
    return OfUsers("all", as_condition(condition))


def no_user(condition: Condition) -> Condition:
    """No user of the account satisfies the condition; true for an account without users."""
    return Not(any_user(condition))


def _arm(given: object) -> tuple[float, float]:
    pair = given if isinstance(given, tuple | list) else ()
    if len(pair) != 2 or not all(map(_is_percentage, pair)) or not pair[0] < pair[1]:  # noqa: PLR2004  (a pair)
        raise DefinitionError(
            f"an arm is two percentages from 0 to {_ALL}, the smaller first, not {given!r}", hint="write (0, 50)"
        )
    return pair[0], pair[1]


def _is_percentage(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= _ALL


def _by(given: str) -> Literal["subject", "account"]:
    if given not in {"member", "account"}:
        raise DefinitionError(f"by= is 'member' or 'account', not {given!r}")
    return cast("Literal['subject', 'account']", "subject" if given == "member" else given)
