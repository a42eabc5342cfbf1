"""What a person means, as a tree of immutable nodes: values, conditions, and the ways to combine them.

A *value* is one thing per user or account (a trait, the count of some events) or, inside ``where``, per event
(a property). Comparing a value gives a *condition*; conditions combine with ``& | ~``. Nothing here knows SQL.

The method names are those of the text language (``language.py``), so there is one grammar to learn; ``text.py``
prints any node in it. Two nodes mean the same if and only if their text is the same: ``==`` on a value makes a
condition, so use ``str(a) == str(b)`` to compare trees.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

from personas_kit.errors import DefinitionError

TYPE_NAMES = ("number", "string", "boolean", "date")
PropertyType = Literal["number", "string", "boolean", "date"]
Reducer = Literal["count", "sum", "avg", "min", "max", "first", "last", "most_frequent", "unique", "unique_count"]
Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=",
    "exists", "absent",
    "contains", "omits", "starts_with", "ends_with",
    "one_of", "none_of",
    "before_date", "after_date",
    "within_last", "within_next", "before_last", "after_next",
]  # fmt: skip
Constant = str | int | float | bool | dt.date | dt.datetime

_NO_TRUTH = (
    "a condition has no truth value of its own: combine conditions with & | ~ (in parentheses), "
    "not with and/or/not, and write two comparisons instead of a < x < b"
)


class Expression:
    """The root of all nodes. ``str(node)`` is its text in the query language."""

    __slots__ = ()

    def __str__(self) -> str:
        """The node in the text language; ``parse`` reads it back."""
        from personas_kit.definitions.text import to_text  # noqa: PLC0415  (text imports the nodes)

        return to_text(self)

    def __repr__(self) -> str:
        """The text form, so that a notebook shows what was meant."""
        return str(self)

    def __bool__(self) -> NoReturn:
        """Raise: ``and``, ``or``, ``not`` and chained comparisons cannot be overloaded in Python."""
        raise DefinitionError(_NO_TRUTH, where=str(self), hint="write (a) & (b), (a) | (b), ~(a)")


# --- conditions ------------------------------------------------------------------------------------------------------


class Condition(Expression):
    """True or false for every user, account or event; never missing."""

    __slots__ = ()

    def __and__(self, other: Condition) -> Condition:
        """Both hold."""
        return And(_flatten(And, self, _condition(other)))

    def __or__(self, other: Condition) -> Condition:
        """At least one holds."""
        return Or(_flatten(Or, self, _condition(other)))

    def __invert__(self) -> Condition:
        """True negation: holds exactly where this does not, missing values included."""
        return Not(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compare(Condition):
    """A value against constants.

    ``right`` is empty for ``exists`` and ``absent``, one constant for most operators, several for ``contains``,
    ``one_of`` and ``none_of``, and a number of seconds for the relative date operators.
    """

    left: Value
    operator: Operator
    right: tuple[Constant, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class And(Condition):
    """All parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Or(Condition):
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Not(Condition):
    """The part does not hold."""

    part: Condition


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OfUsers(Condition):
    """An account's condition on its users: ``any`` of them, or ``all`` of at least one."""

    quantifier: Literal["any", "all"]
    part: Condition


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OfAccounts(Condition):
    """A user's condition on its accounts: some account of the user satisfies it.

    Nobody writes it: ``account_trait`` and account audiences in a user definition become it when they are resolved.
    """

    part: Condition


# --- values ----------------------------------------------------------------------------------------------------------


class Value(Expression):
    """One thing per subject; may be missing. A comparison with a missing value is false, whatever the operator."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        """Exists and equals; case-sensitive."""
        return self._compare("=", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        """Exists and differs (a missing value does not differ)."""
        return self._compare("!=", other)

    def __lt__(self, other: object) -> Condition:
        """Less than."""
        return self._compare("<", other)

    def __le__(self, other: object) -> Condition:
        """At most."""
        return self._compare("<=", other)

    def __gt__(self, other: object) -> Condition:
        """Greater than."""
        return self._compare(">", other)

    def __ge__(self, other: object) -> Condition:
        """At least."""
        return self._compare(">=", other)

    def exists(self) -> Condition:
        """The value is not missing."""
        return Compare(self, "exists")

    def absent(self) -> Condition:
        """The value is missing."""
        return Compare(self, "absent")

    def contains(self, *texts: str) -> Condition:
        """Contains at least one of the texts as a substring; ``%`` and ``_`` are ordinary characters."""
        return Compare(self, "contains", _constants("contains", texts))

    def omits(self, text: str) -> Condition:
        """Does not contain the text; true for a missing value, since it is the negation of ``contains``."""
        return Compare(self, "omits", _constants("omits", (text,)))

    def starts_with(self, text: str) -> Condition:
        """Starts with the text."""
        return Compare(self, "starts_with", _constants("starts_with", (text,)))

    def ends_with(self, text: str) -> Condition:
        """Ends with the text."""
        return Compare(self, "ends_with", _constants("ends_with", (text,)))

    def one_of(self, *values: Constant) -> Condition:
        """Equals one of the values."""
        return Compare(self, "one_of", _constants("one_of", values))

    def none_of(self, *values: Constant) -> Condition:
        """Equals none of the values; true for a missing value."""
        return Compare(self, "none_of", _constants("none_of", values))

    def before(self, instant: dt.date | dt.datetime | str) -> Condition:
        """Strictly before the date or instant (text form: ``before_date``)."""
        return Compare(self, "before_date", (_instant(instant),))

    def after(self, instant: dt.date | dt.datetime | str) -> Condition:
        """Strictly after the date or instant (text form: ``after_date``)."""
        return Compare(self, "after_date", (_instant(instant),))

    def within_last(self, *, days: float | None = None, hours: float | None = None) -> Condition:
        """In ``(as_of - d, as_of]``."""
        return Compare(self, "within_last", (seconds("within_last", days, hours),))

    def within_next(self, *, days: float | None = None, hours: float | None = None) -> Condition:
        """In ``(as_of, as_of + d]``."""
        return Compare(self, "within_next", (seconds("within_next", days, hours),))

    def before_last(self, *, days: float | None = None, hours: float | None = None) -> Condition:
        """At or before ``as_of - d``."""
        return Compare(self, "before_last", (seconds("before_last", days, hours),))

    def after_next(self, *, days: float | None = None, hours: float | None = None) -> Condition:
        """After ``as_of + d``."""
        return Compare(self, "after_next", (seconds("after_next", days, hours),))

    def _compare(self, operator: Operator, other: object) -> Condition:
        if isinstance(other, Expression):
            raise DefinitionError(
                "a value can be compared with a constant, not yet with another value",
                where=f"{self} {operator} {other}",
                hint="compare each of the two with a constant, or compute their relation in the source",
            )
        return Compare(self, operator, _constants(operator, (other,)))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TraitRef(Value):
    """A trait by key: a column of the source, a registered trait, or an audience (true for its members).

    ``of`` says whose: the ``subject``'s own (a user's in a user definition and inside any/all, else the account's),
    or the ``account``'s wherever it stands. In a user definition, an account's trait is that of *some* account of
    the user.
    """

    key: str
    of: Literal["subject", "account"] = "subject"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PropertyRef(Value):
    """A property of the event, inside ``where`` or a reducer; ``as_type`` is how to read a JSON value."""

    name: str
    as_type: PropertyType | None = None

    def __post_init__(self) -> None:
        if self.as_type is not None and self.as_type not in TYPE_NAMES:
            raise DefinitionError(
                f"a property cannot be read as {self.as_type!r}",
                where=self.name,
                hint=f"one of {', '.join(TYPE_NAMES)}",
            )


@dataclass(frozen=True, slots=True)
class Window:
    """Events in ``(as_of - older, as_of - newer]``, both in whole seconds."""

    older: int
    newer: int = 0

    def __post_init__(self) -> None:
        if self.older == self.newer:
            raise DefinitionError("between() needs two different durations", hint="write between(days=(90, 30))")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reduced(Value):
    """The events of a stream reduced to one value per subject.

    Missing over no values, except ``count``, ``sum`` and ``unique_count``, which are 0.
    """

    stream: Events
    reducer: Reducer
    of: PropertyRef | None = None
    at_least: int = 1

    def count(self) -> Reduced:
        """How many different values; only after ``unique``."""
        if self.reducer != "unique":
            raise DefinitionError(
                f"count() follows an event or unique(), not {self.reducer}()",
                where=str(self),
                hint="write event(...).count() or event(...).unique(...).count()",
            )
        return replace(self, reducer="unique_count")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Events(Expression):
    """A stream of one event's occurrences, narrowed by ``where``, ``within`` and ``between``; not yet a value."""

    name: str
    condition: Condition | None = None
    window: Window | None = None

    def where(self, condition: Condition) -> Events:
        """Only events whose properties satisfy the condition; repeated calls must all hold."""
        new = _condition(condition)
        return replace(self, condition=new if self.condition is None else self.condition & new)

    def within(self, *, days: float | None = None, hours: float | None = None) -> Events:
        """Only events in ``(as_of - d, as_of]``; a day is 24 hours."""
        return self.windowed(Window(seconds("within", days, hours)))

    def between(self, *, days: tuple[float, float] | None = None, hours: tuple[float, float] | None = None) -> Events:
        """Only events in ``(as_of - larger, as_of - smaller]``; the two may be given in either order."""
        pair = days if days is not None else hours
        if pair is None or (days is not None and hours is not None) or len(tuple(pair)) != 2:  # noqa: PLR2004
            raise DefinitionError(
                "between() takes two durations",
                where=str(self),
                hint="write .between(days=(90, 30)) or .between(hours=(48, 24))",
            )
        unit = "days" if days is not None else "hours"
        one, other = (seconds("between", **{unit: amount}, zero=True) for amount in pair)
        return self.windowed(Window(older=max(one, other), newer=min(one, other)))

    def count(self) -> Reduced:
        """How many events: distinct event ids where the source names one, else rows. 0 over none."""
        return Reduced(self, "count")

    def sum(self, prop: PropertyRef | str) -> Reduced:
        """The sum of a number property; 0 over no values."""
        return Reduced(self, "sum", _property(prop))

    def avg(self, prop: PropertyRef | str) -> Reduced:
        """The mean of a number property; missing over no values."""
        return Reduced(self, "avg", _property(prop))

    def min(self, prop: PropertyRef | str) -> Reduced:
        """The smallest value."""
        return Reduced(self, "min", _property(prop))

    def max(self, prop: PropertyRef | str) -> Reduced:
        """The largest value."""
        return Reduced(self, "max", _property(prop))

    def first(self, prop: PropertyRef | str) -> Reduced:
        """The value of the earliest event that has one; ties by event id, then value."""
        return Reduced(self, "first", _property(prop))

    def last(self, prop: PropertyRef | str) -> Reduced:
        """The value of the latest event that has one; ties by event id, then value."""
        return Reduced(self, "last", _property(prop))

    def most_frequent(self, prop: PropertyRef | str, *, at_least: int = 2) -> Reduced:
        """The value that occurs most often, and at least so often; ties by the smallest value (text: ``mode``)."""
        if not isinstance(at_least, int) or isinstance(at_least, bool) or at_least < 1:
            raise DefinitionError("at_least is a whole number of occurrences, 1 or more", where=str(self))
        return Reduced(self, "most_frequent", _property(prop), at_least)

    def unique(self, prop: PropertyRef | str) -> Reduced:
        """The sorted list of different values; ``.count()`` after it counts them."""
        return Reduced(self, "unique", _property(prop))

    def windowed(self, window: Window) -> Events:
        """Only events in the window; what ``within`` and ``between`` are made of."""
        if self.window is not None:
            raise DefinitionError(
                "an event takes one window, and this one has two",
                where=str(self),
                hint="keep one of within() and between()",
            )
        return replace(self, window=window)


# --- what people write -----------------------------------------------------------------------------------------------


def event(name: str) -> Events:
    """All occurrences of an event, by its exact name."""
    return Events(_name("event", name))


def trait(key: str) -> TraitRef:
    """A trait of the subject: of the user, or in an account definition outside any/all of the account."""
    return TraitRef(_name("trait", key))


def account_trait(key: str) -> TraitRef:
    """A trait of the account, wherever it stands."""
    return TraitRef(_name("account_trait", key), of="account")


def prop(name: str, as_type: PropertyType | None = None) -> PropertyRef:
    """A property of the event, inside ``event(...).where(...)`` or a reducer (text: ``property``)."""
    return PropertyRef(_name("prop", name), as_type)


def in_audience(key: str) -> Condition:
    """Membership of another audience; the same as ``trait(key) == True``."""
    return trait(key) == True  # noqa: E712  (a comparison node, not a truth)


def any_user(condition: Condition) -> Condition:
    """At least one user of the account satisfies the condition."""
    return OfUsers("any", _condition(condition))


def all_users(condition: Condition) -> Condition:
    """The account has users, and each satisfies the condition."""
    return OfUsers("all", _condition(condition))


def no_user(condition: Condition) -> Condition:
    """No user of the account satisfies the condition; true for an account without users."""
    return Not(any_user(condition))


# --- the tree, walked ------------------------------------------------------------------------------------------------


def transform(node: Condition, leaf: Callable[[Condition], Condition]) -> Condition:
    """The condition with every leaf (``Compare``, ``OfUsers``) replaced by ``leaf`` of it; and/or/not are kept."""
    match node:
        case And(parts):
            return And(tuple(transform(part, leaf) for part in parts))
        case Or(parts):
            return Or(tuple(transform(part, leaf) for part in parts))
        case Not(part):
            return Not(transform(part, leaf))
        case _:
            return leaf(node)


def seconds(method: str, days: float | None = None, hours: float | None = None, *, zero: bool = False) -> int:
    """A duration given as ``days=`` or ``hours=`` in whole seconds."""
    if (days is None) == (hours is None):
        raise DefinitionError(f"{method}() takes either days= or hours=", hint=f"write {method}(days=30)")
    amount = days if days is not None else hours
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise DefinitionError(
            f"{method}() takes a number of days or hours, not {amount!r}", hint=f"write {method}(days=30)"
        )
    total = amount * (86_400 if days is not None else 3_600)
    if total != total or total < 0 or (total == 0 and not zero) or total > 3_155_760_000 or total != int(total):  # noqa: PLR0124, PLR2004
        raise DefinitionError(
            f"{method}() takes more than nothing, whole seconds, and at most 100 years, not {amount!r}",
            hint=f"write {method}(days=30)",
        )
    return int(total)


def _name(function: str, name: object) -> str:
    if not isinstance(name, str) or not name:
        raise DefinitionError(f"{function}() takes a name in quotes, not {name!r}", hint=f"write {function}('...')")
    return name


def _property(of: PropertyRef | str) -> PropertyRef:
    return of if isinstance(of, PropertyRef) else prop(of)


def _condition(thing: object) -> Condition:
    if isinstance(thing, Condition):
        return thing
    if isinstance(thing, Value):
        raise DefinitionError(
            "a value is not a condition yet",
            where=str(thing),
            hint=f"compare it, each comparison in parentheses: ({thing} >= 1) & (...)",
        )
    if isinstance(thing, Events):
        raise DefinitionError(
            "an event is not a condition yet", where=str(thing), hint=f"count it, for example: {thing}.count() >= 1"
        )
    raise DefinitionError(
        f"expected a condition, not {type(thing).__name__}",
        hint="put each comparison in parentheses: (a >= 1) & (b == 2)",
    )


def _flatten(kind: type[And | Or], *parts: Condition) -> tuple[Condition, ...]:
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(flat)


def _constants(operator: str, values: Iterable[object]) -> tuple[Constant, ...]:
    found = tuple(values)
    if not found:
        raise DefinitionError(f"{operator} needs at least one value")
    return tuple(_constant(operator, value) for value in found)


def _constant(operator: str, value: object) -> Constant:
    if value is None:
        raise DefinitionError(f"nothing can be compared with None ({operator})", hint="use .exists() or .absent()")
    if isinstance(value, list | tuple | set | frozenset):
        raise DefinitionError(
            f"{operator} takes constants, not a {type(value).__name__}", hint="write .one_of('a', 'b')"
        )
    if not isinstance(value, str | int | float | bool | dt.date):
        raise DefinitionError(f"{operator} takes a text, number, truth value or date, not {type(value).__name__}")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124
        raise DefinitionError(f"{operator} takes a finite number, not {value!r}")
    if operator in {"contains", "omits", "starts_with", "ends_with"} and (not isinstance(value, str) or not value):
        raise DefinitionError(f"{operator} takes a text that is not empty, not {value!r}")
    if isinstance(value, dt.datetime):
        return _utc(value)
    return value


def _instant(value: object) -> dt.date | dt.datetime:
    if isinstance(value, dt.datetime):
        return _utc(value)
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        try:
            return (
                dt.date.fromisoformat(value)
                if len(value) == len("2026-01-31")
                else _utc(dt.datetime.fromisoformat(value))
            )
        except ValueError:
            pass
    raise DefinitionError(f"{value!r} is not a date or an instant", hint="write '2026-01-31' or '2026-01-31T08:00:00Z'")


def _utc(instant: dt.datetime) -> dt.datetime:
    """Naive is UTC; the tree holds aware UTC instants only."""
    return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)
