"""What a person means, as a tree of immutable nodes: values, conditions, and the ways to combine them.

A *value* is one thing per user or account (a trait, the count of some events) or, inside ``where``, per event
(a property). Comparing a value gives a *condition*; conditions combine with ``& | ~``. Nothing here knows SQL.

The method names are those of the text language (``language.py``), so there is one grammar to learn; ``text.py``
prints any node in it. Two nodes mean the same if and only if their text is the same: ``==`` on a value makes a
condition, so use ``str(a) == str(b)`` to compare trees.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

from personas_kit.definitions import constants
from personas_kit.definitions.constants import checked_constants, checked_instant, checked_name, seconds
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
Constant = constants.Constant

_DEEPEST = 80
"""Levels of a definition: more than a person can follow, and far from where Python gives up."""


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
        raise DefinitionError(
            f"{kind_of(self)} has no truth value of its own: combine conditions with & | ~ (in parentheses), "
            "not with and/or/not, and write two comparisons instead of a < x < b",
            where=str(self),
            hint="write (a) & (b), (a) | (b), ~(a); for one of several values: .one_of('a', 'b')",
        )


# --- conditions ------------------------------------------------------------------------------------------------------


class Condition(Expression):
    """True or false for every user, account or event; never missing."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        """Identity. A comparison with ``True`` or ``False`` is refused: it would drop the condition silently."""
        if isinstance(other, bool):
            raise DefinitionError(
                "a condition is true or false by itself",
                where=f"{self} == {other}",
                hint="leave == True out; for == False write ~(...)",
            )
        return self is other

    def __and__(self, other: Condition) -> Condition:
        """Both hold."""
        return And(_flatten(And, self, _condition(other)))

    def __or__(self, other: Condition) -> Condition:
        """At least one holds."""
        return Or(_flatten(Or, self, _condition(other)))

    def __rand__(self, other: object) -> Condition:
        """Something that is no condition stands on the left: refused with what to write."""
        return _condition(other) & self

    def __ror__(self, other: object) -> Condition:
        """As ``__rand__``."""
        return _condition(other) | self

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


class Uncompared(Expression):
    """What becomes a condition by being compared; until then ``& | ~`` on it are refused with what to write."""

    __slots__ = ()

    def __and__(self, other: object) -> NoReturn:
        """Refused: a comparison, or the parentheses around one, are missing."""
        raise _no_condition(self)

    __or__ = __rand__ = __ror__ = __and__

    def __invert__(self) -> NoReturn:
        """Refused, as above."""
        raise _no_condition(self)


class Value(Uncompared):
    """One thing per subject; may be missing. A comparison with a missing value is false, whatever the operator."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        """Exists and equals; case-sensitive."""
        return self.compare("=", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        """Exists and differs (a missing value does not differ)."""
        return self.compare("!=", other)

    def __lt__(self, other: object) -> Condition:
        """Less than."""
        return self.compare("<", other)

    def __le__(self, other: object) -> Condition:
        """At most."""
        return self.compare("<=", other)

    def __gt__(self, other: object) -> Condition:
        """Greater than."""
        return self.compare(">", other)

    def __ge__(self, other: object) -> Condition:
        """At least."""
        return self.compare(">=", other)

    def exists(self) -> Condition:
        """The value is not missing."""
        return Compare(self, "exists")

    def absent(self) -> Condition:
        """The value is missing."""
        return Compare(self, "absent")

    def contains(self, *texts: str) -> Condition:
        """Contains at least one of the texts as a substring; ``%`` and ``_`` are ordinary characters."""
        return Compare(self, "contains", checked_constants("contains", texts))

    def omits(self, text: str) -> Condition:
        """Does not contain the text; true for a missing value, since it is the negation of ``contains``."""
        return Compare(self, "omits", checked_constants("omits", (text,)))

    def starts_with(self, text: str) -> Condition:
        """Starts with the text."""
        return Compare(self, "starts_with", checked_constants("starts_with", (text,)))

    def ends_with(self, text: str) -> Condition:
        """Ends with the text."""
        return Compare(self, "ends_with", checked_constants("ends_with", (text,)))

    def one_of(self, *values: Constant) -> Condition:
        """Equals one of the values."""
        return Compare(self, "one_of", checked_constants("one_of", values))

    def none_of(self, *values: Constant) -> Condition:
        """Equals none of the values; true for a missing value."""
        return Compare(self, "none_of", checked_constants("none_of", values))

    def before(self, instant: dt.date | dt.datetime | str) -> Condition:
        """Strictly before the date or instant (text form: ``before_date``)."""
        return Compare(self, "before_date", (checked_instant(instant),))

    def after(self, instant: dt.date | dt.datetime | str) -> Condition:
        """Strictly after the date or instant (text form: ``after_date``)."""
        return Compare(self, "after_date", (checked_instant(instant),))

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

    def compare(self, operator: Operator, other: object) -> Condition:
        """What the symbols and their functions in text are made of; ``other`` has to be a constant."""
        if isinstance(other, Expression):
            raise DefinitionError(
                "a value can be compared with a constant, not yet with another value",
                where=f"{self} {operator} {other}",
                hint="compare each of the two with a constant, or compute their relation in the source",
            )
        return Compare(self, operator, checked_constants(operator, (other,)))


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
class Events(Uncompared):
    """A stream of one event's occurrences, narrowed by ``where``, ``within`` and ``between``; not yet a value."""

    name: str
    condition: Condition | None = None
    window: Window | None = None
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        """Identity. A comparison with a constant is refused: an event has to be counted first."""
        if isinstance(other, str | int | float):
            raise _no_condition(self)
        return self is other

    def __lt__(self, other: object) -> NoReturn:
        """Refused: an event has to be counted first."""
        raise _no_condition(self)

    __le__ = __gt__ = __ge__ = __lt__

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
        if (days is not None and hours is not None) or not isinstance(pair, tuple | list) or len(pair) != 2:  # noqa: PLR2004
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
    return Events(checked_name("event", name))


def trait(key: str) -> TraitRef:
    """A trait of the subject: of the user, or in an account definition outside any/all of the account."""
    return TraitRef(checked_name("trait", key))


def account_trait(key: str) -> TraitRef:
    """A trait of the account, wherever it stands."""
    return TraitRef(checked_name("account_trait", key), of="account")


def prop(name: str, as_type: PropertyType | None = None) -> PropertyRef:
    """A property of the event, inside ``event(...).where(...)`` or a reducer (text: ``property``)."""
    return PropertyRef(checked_name("prop", name), as_type)


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


# --- checks -----------------------------------------------------------------------------------------------------------


def _property(of: PropertyRef | str) -> PropertyRef:
    return of if isinstance(of, PropertyRef) else prop(of)


def _condition(thing: object) -> Condition:
    if isinstance(thing, Condition):
        return thing
    raise _no_condition(thing)


def _no_condition(thing: object) -> DefinitionError:
    match thing:
        case Events():
            hint = f"count it, for example: {thing}.count() >= 1"
        case Value():
            example = f"{thing} == True" if isinstance(thing, TraitRef) else f"{thing} >= 1"
            hint = f"compare it, each comparison in parentheses: ({example}) & (...)"
        case str():
            hint = "put each comparison in parentheses: (a >= 1) & (b == 2); text of conditions is read by parse(...)"
        case _:
            hint = "put each comparison in parentheses: (a >= 1) & (b == 2)"
    if isinstance(thing, Uncompared):
        return DefinitionError(f"{kind_of(thing)} is not a condition yet", where=str(thing), hint=hint)
    return DefinitionError(f"expected a condition, not {kind_of(thing)}", hint=hint)


def kind_of(thing: object) -> str:
    """What a thing is, for messages: ``a condition``."""
    match thing:
        case Condition():
            return "a condition"
        case Value():
            return "a value"
        case Events():
            return "an event"
        case _:
            name = type(thing).__name__
            return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def check_depth(node: Expression) -> None:
    """Refuse what is nested absurdly deep, before anything that walks the tree meets Python's own limit."""
    level: list[Expression] = [node]
    for _ in range(_DEEPEST):
        level = [part for above in level for part in _parts(above)]
        if not level:
            return
    raise DefinitionError(f"nested more than {_DEEPEST} deep", hint="split it into several audiences")


def _parts(node: Expression) -> Iterator[Expression]:
    match node:
        case And(parts) | Or(parts):
            yield from parts
        case Not(part) | OfUsers(_, part) | OfAccounts(part):
            yield part
        case Compare(Reduced(Events(_, Condition() as condition))) | Reduced(Events(_, Condition() as condition)):
            yield condition
        case Events(_, Condition() as condition):
            yield condition


def _flatten(kind: type[And | Or], *parts: Condition) -> tuple[Condition, ...]:
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(flat)
