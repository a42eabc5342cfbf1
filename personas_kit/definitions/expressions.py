"""What a person means, as a tree of immutable nodes: conditions, values, and the ways to combine them.

A *value* is one thing per user or account (a trait, the count of some events) or, inside ``where``, per event
(a property). Comparing a value gives a *condition*; conditions combine with ``& | ~``. Nothing here knows SQL.
Events and users, and what they are reduced to, are in ``streams.py``; what people call is in ``vocabulary.py``.

The method names are those of the text language (``language.py``), so there is one grammar to learn; ``text.py``
prints any node in it. Two nodes mean the same if and only if their text is the same: ``==`` on a value makes a
condition, so use ``str(a) == str(b)`` to compare trees.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal, NoReturn, TypeVar

from personas_kit.definitions import constants
from personas_kit.definitions.constants import checked_constants, checked_instant, seconds
from personas_kit.errors import DefinitionError

TYPE_NAMES = ("number", "string", "boolean", "date", "list")
PropertyType = Literal["number", "string", "boolean", "date", "list"]
Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=",
    "exists", "absent",
    "contains", "omits", "starts_with", "ends_with",
    "one_of", "none_of",
    "before_date", "after_date",
    "within_last", "within_next", "before_last", "after_next",
]  # fmt: skip
Constant = constants.Constant

N = TypeVar("N", bound="Expression")
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
        return And(flatten(And, (self, as_condition(other))))

    def __or__(self, other: Condition) -> Condition:
        """At least one holds."""
        return Or(flatten(Or, (self, as_condition(other))))

    def __rand__(self, other: object) -> Condition:
        """Something that is no condition stands on the left: refused with what to write."""
        return as_condition(other) & self

    def __ror__(self, other: object) -> Condition:
        """As ``__rand__``."""
        return as_condition(other) | self

    def __invert__(self) -> Condition:
        """True negation: holds exactly where this does not, missing values included."""
        return Not(self)

    def except_(self, other: Condition) -> Condition:
        """This holds and the other does not (text: ``EXCEPT``)."""
        return self & ~as_condition(other)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compare(Condition):
    """A value against constants or other values.

    ``right`` is empty for ``exists`` and ``absent``, one thing for most operators, several for ``contains``,
    ``one_of`` and ``none_of``, and a number of seconds for the relative date operators. ``ignore_case`` is for texts.
    """

    left: Value
    operator: Operator
    right: tuple[Operand, ...] = ()
    ignore_case: bool = False


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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OfOwner(Condition):
    """Inside ``where``: a condition on the user whose event it is.

    Nobody writes it: audiences of users become it when they are resolved.
    """

    part: Condition


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Top(Condition):
    """Of those for whom ``part`` holds, the ``count`` with the largest value; ties by the smaller id.

    Who has no value is not among them.
    """

    count: int
    by: Value
    part: Condition
    smallest: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Split(Condition):
    """In one arm of an experiment: the hash of its name and the id lies in ``[low, high)`` percent.

    Whose id says ``by``: the subject's own, or in a user definition that of its accounts. Of a user with several, all
    have to lie there, or for a ``holdout`` one of them, so that nobody of an account that is held out is reached.
    """

    name: str
    low: float
    high: float
    by: Literal["subject", "account"] = "subject"
    holdout: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SqlMembers(Condition):
    """Those whose id a SELECT of the person's own lists."""

    sql: str
    dialect: str


# --- values ----------------------------------------------------------------------------------------------------------


class Uncompared(Expression):
    """What becomes a condition by being compared; until then ``& | ~`` on it are refused with what to write."""

    __slots__ = ()
    called: ClassVar[str] = "a value"

    def example(self) -> str:
        """How it may be compared, for messages."""
        return f"{self} >= 1"

    def __and__(self, other: object) -> NoReturn:
        """Refused: a comparison, or the parentheses around one, are missing."""
        raise no_condition(self)

    __or__ = __rand__ = __ror__ = __and__

    def __invert__(self) -> NoReturn:
        """Refused, as above."""
        raise no_condition(self)


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

    def equals(self, other: Operand, *, ignore_case: bool = False) -> Condition:
        """As ``==``; texts are compared whatever their case if asked."""
        return self.compare("=", other, ignore_case=ignore_case)

    def differs(self, other: Operand, *, ignore_case: bool = False) -> Condition:
        """As ``!=``."""
        return self.compare("!=", other, ignore_case=ignore_case)

    def contains(self, *texts: str | Value, ignore_case: bool = False) -> Condition:
        """Contains at least one of the texts as a substring; ``%`` and ``_`` are ordinary characters.

        A list contains a text if one of its elements is that text.
        """
        return self._several("contains", texts, ignore_case=ignore_case)

    def omits(self, text: str | Value, *, ignore_case: bool = False) -> Condition:
        """Does not contain the text; true for a missing value, since it is the negation of ``contains``."""
        return self._several("omits", (text,), ignore_case=ignore_case)

    def starts_with(self, text: str | Value, *, ignore_case: bool = False) -> Condition:
        """Starts with the text."""
        return self._several("starts_with", (text,), ignore_case=ignore_case)

    def ends_with(self, text: str | Value, *, ignore_case: bool = False) -> Condition:
        """Ends with the text."""
        return self._several("ends_with", (text,), ignore_case=ignore_case)

    def one_of(self, *values: Operand, ignore_case: bool = False) -> Condition:
        """Equals one of the values."""
        return self._several("one_of", values, ignore_case=ignore_case)

    def none_of(self, *values: Operand, ignore_case: bool = False) -> Condition:
        """Equals none of the values; true for a missing value."""
        return self._several("none_of", values, ignore_case=ignore_case)

    def before(self, instant: dt.date | dt.datetime | str | Value) -> Condition:
        """Strictly before the date or instant (text form: ``before_date``)."""
        return Compare(self, "before_date", (_moment(instant),))

    def after(self, instant: dt.date | dt.datetime | str | Value) -> Condition:
        """Strictly after the date or instant (text form: ``after_date``)."""
        return Compare(self, "after_date", (_moment(instant),))

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

    def compare(self, operator: Operator, other: object, *, ignore_case: bool = False) -> Condition:
        """What the symbols and their functions in text are made of; ``other`` is a constant or another value."""
        return self._several(operator, (other,), ignore_case=ignore_case)

    def _several(self, operator: Operator, others: Iterable[object], *, ignore_case: bool) -> Condition:
        found = _operands(self, operator, others)
        if ignore_case and not all(isinstance(each, str | Value) for each in found):
            raise DefinitionError("ignore_case is for texts", where=str(Compare(self, operator, found)))
        return Compare(self, operator, found, ignore_case)


Operand = Constant | Value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TraitRef(Value):
    """A trait by key: a column of the source, a registered trait, or an audience (true for its members).

    ``of`` says whose: the ``subject``'s own (a user's in a user definition and inside any/all, else the account's),
    or the ``account``'s wherever it stands. In a user definition, an account's trait is that of *some* account of
    the user.
    """

    key: str
    of: Literal["subject", "account"] = "subject"

    def example(self) -> str:
        """As a truth value."""
        return f"{self} = true"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PropertyRef(Value):
    """A property of the event, inside ``where`` or a reducer; ``as_type`` is how to read a JSON value.

    ``parent`` means the event around: the one whose ``where`` this event stands in.
    """

    name: str
    as_type: PropertyType | None = None
    parent: bool = False

    def __post_init__(self) -> None:
        if self.as_type is not None and self.as_type not in TYPE_NAMES:
            raise DefinitionError(
                f"a property cannot be read as {self.as_type!r}",
                where=self.name,
                hint=f"one of {', '.join(TYPE_NAMES)}",
            )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OwnerValue(Value):
    """Inside ``where``: a value of the user whose event it is.

    Nobody writes it: traits become it when they are resolved.
    """

    value: Value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SqlValue(Value):
    """The ``value`` that a SELECT of the person's own lists beside an id."""

    sql: str
    dialect: str


# --- checks -----------------------------------------------------------------------------------------------------------


def as_condition(thing: object) -> Condition:
    """The condition, or an error that says what to write."""
    if isinstance(thing, Condition):
        return thing
    raise no_condition(thing)


def no_condition(thing: object) -> DefinitionError:
    """What is wrong with something that is used like a condition."""
    match thing:
        case Uncompared() if thing.called == "a value":
            example = str(thing.example()).replace(" = true", " == True")
            hint = f"compare it, each comparison in parentheses: ({example}) & (...)"
        case Uncompared():
            hint = f"count it, for example: {thing.example()}"
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
        case Uncompared():
            return thing.called
        case _:
            name = type(thing).__name__
            return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def check_depth(node: Expression) -> None:
    """Refuse what is nested absurdly deep, before anything that walks the tree meets Python's own limit."""
    level: list[Expression] = [node]
    for _ in range(_DEEPEST):
        level = [part for above in level for part in parts_of(above) if not isinstance(part, TraitRef | PropertyRef)]
        if not level:
            return
    raise DefinitionError(f"nested more than {_DEEPEST} deep", hint="split it into several audiences")


def parts_of(node: Expression) -> Iterator[Expression]:
    """The nodes right below a node."""
    for item in fields(node):  # type: ignore[arg-type]
        found = getattr(node, item.name)
        for part in found if isinstance(found, tuple) else (found,):
            if isinstance(part, Expression):
                yield part


def rebuilt(node: N, change: Callable[[Expression], Expression]) -> N:
    """The node with every node right below it changed."""

    def changed(part: object) -> object:
        if isinstance(part, tuple):
            return tuple(changed(each) for each in part)
        return change(part) if isinstance(part, Expression) else part

    new = {item.name: changed(getattr(node, item.name)) for item in fields(node)}  # type: ignore[arg-type]
    return replace(node, **new)  # type: ignore[type-var]


def walk(node: Expression) -> Iterator[Expression]:
    """The node and all below it, from the top, left to right."""
    yield node
    for part in parts_of(node):
        yield from walk(part)


def flatten(kind: type[And | Or], parts: Iterable[Condition]) -> tuple[Condition, ...]:
    """The parts, with those of the same kind dissolved."""
    return tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))


def _operands(left: Value, operator: Operator, others: Iterable[object]) -> tuple[Operand, ...]:
    """The constants, checked, and the other values as they are."""
    given = tuple(others)
    wrong = next((each for each in given if isinstance(each, Expression) and not isinstance(each, Value)), None)
    if wrong is not None:
        raise DefinitionError(
            f"a value can be compared with a constant or another value, not with {kind_of(wrong)}",
            where=f"{left} {operator} {wrong}",
        )
    if not given:
        return checked_constants(operator, given)
    return tuple(each if isinstance(each, Value) else checked_constants(operator, (each,))[0] for each in given)


def _moment(given: object) -> Operand:
    return given if isinstance(given, Value) else checked_instant(given)
