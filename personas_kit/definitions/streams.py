"""Events and users as streams that are narrowed and then reduced to one value, and funnels of events.

Inside another event's ``where`` an event is one that follows it: strictly later, by the same user. ``then`` and
``not_then`` write such a ``where``; its canonical form is ``event('B').within(parent: 7 days).count() >= 1``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, NoReturn

from personas_kit.definitions.constants import checked_name, seconds
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Expression,
    Not,
    PropertyRef,
    TraitRef,
    Uncompared,
    Value,
    as_condition,
    check_depth,
    no_condition,
    rebuilt,
)
from personas_kit.errors import DefinitionError

Reducer = Literal[
    "count", "sum", "avg", "min", "max", "first", "last", "most_frequent", "unique", "unique_count", "share",
]  # fmt: skip
Counted = Literal["member", "at_event", "event"]
"""For which account an event counts: those of which its user is a member now, or was one then, or the one it names."""


@dataclass(frozen=True, slots=True)
class Window:
    """Events in ``(as_of - older, as_of - newer]``, both in whole seconds.

    Of the ``parent``: in ``(p + newer, p + older]``, where p is when the event around happened.
    """

    older: int
    newer: int = 0
    parent: bool = False

    def __post_init__(self) -> None:
        if self.older == self.newer:
            raise DefinitionError("between() needs two different durations", hint="write between(days=(90, 30))")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reduced(Value):
    """Events, or the users of an account, reduced to one value per subject.

    Missing over no values, except ``count``, ``sum`` and ``unique_count``, which are 0. ``of`` is a property of the
    event, or a value of the user (for ``share`` a condition on the user).
    """

    stream: Stream
    reducer: Reducer
    of: Expression | None = None
    at_least: int = 1

    def __post_init__(self) -> None:
        if (self.of is None) != (self.reducer == "count"):
            raise DefinitionError(f"{self.reducer} takes {'nothing' if self.reducer == 'count' else 'a value'}")

    def count(self) -> Reduced:
        """How many different values; only after ``unique``."""
        if self.reducer != "unique":
            raise DefinitionError(
                f"count() follows an event or unique(), not {self.reducer}()",
                where=str(self),
                hint="write event(...).count() or event(...).unique(...).count()",
            )
        return replace(self, reducer="unique_count")


class Stream(Uncompared):
    """What becomes a value by being reduced."""

    __slots__ = ()
    __hash__ = object.__hash__

    def example(self) -> str:
        """Counted."""
        return f"{self}.count() >= 1"

    def __eq__(self, other: object) -> bool:
        """Identity. A comparison with a constant is refused: it has to be counted first."""
        if isinstance(other, str | int | float):
            raise no_condition(self)
        return self is other

    def __lt__(self, other: object) -> NoReturn:
        """Refused: it has to be counted first."""
        raise no_condition(self)

    __le__ = __gt__ = __ge__ = __lt__


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Events(Stream):
    """A stream of one event's occurrences, narrowed by ``where``, ``within`` and ``between``; not yet a value."""

    name: str
    condition: Condition | None = None
    window: Window | None = None
    counted: Counted = "member"
    called: ClassVar[str] = "an event"

    def where(self, condition: Condition) -> Events:
        """Only events whose properties satisfy the condition; repeated calls must all hold."""
        new = as_condition(condition)
        return replace(self, condition=new if self.condition is None else self.condition & new)

    def then(self, following: Events) -> Events:
        """Only events that the other one follows: strictly later, by the same user, within its window.

        Every occurrence is looked at; of a chain, each step is measured from the one before it.
        """
        return self._followed(following, happened=True)

    def not_then(self, following: Events) -> Events:
        """Only events that the other one does not follow, once its window is over; without one, up to ``as_of``."""
        return self._followed(following, happened=False)

    def scope(self, of: Literal["member", "event"]) -> Events:
        """In account definitions: for which account an event counts; ``event`` is the one that the event names."""
        if of not in {"member", "event"}:
            raise DefinitionError(f"scope() takes 'member' or 'event', not {of!r}", where=str(self))
        return self._counted(by_event=of == "event", at_event=self.counted == "at_event")

    def membership(self, when: Literal["now", "at_event"]) -> Events:
        """In account definitions: an event counts for the accounts that its user belongs to now, or did then."""
        if when not in {"now", "at_event"}:
            raise DefinitionError(f"membership() takes 'now' or 'at_event', not {when!r}", where=str(self))
        return self._counted(by_event=self.counted == "event", at_event=when == "at_event")

    def within(self, *, days: float | None = None, hours: float | None = None, parent: bool = False) -> Events:
        """Only events in ``(as_of - d, as_of]``; a day is 24 hours.

        Of the ``parent``: after the event around, and at most so long after it.
        """
        return self.windowed(Window(seconds("within", days, hours), parent=parent))

    def between(
        self,
        *,
        days: tuple[float, float] | None = None,
        hours: tuple[float, float] | None = None,
        parent: bool = False,
    ) -> Events:
        """Only events in ``(as_of - larger, as_of - smaller]``; the two may be given in either order.

        Of the ``parent``: more than the smaller after it, and at most the larger.
        """
        pair = days if days is not None else hours
        if (days is not None and hours is not None) or not isinstance(pair, tuple | list) or len(pair) != 2:  # noqa: PLR2004
            raise DefinitionError(
                "between() takes two durations",
                where=str(self),
                hint="write .between(days=(90, 30)) or .between(hours=(48, 24))",
            )
        unit = "days" if days is not None else "hours"
        one, other = (seconds("between", **{unit: amount}, zero=True) for amount in pair)
        return self.windowed(Window(older=max(one, other), newer=min(one, other), parent=parent))

    def count(self) -> Reduced:
        """How many events: distinct event ids where the source names one, else lines. 0 over none."""
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
        return Reduced(self, "most_frequent", _property(prop), _times(at_least, self))

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

    def _counted(self, *, by_event: bool, at_event: bool) -> Events:
        if by_event and at_event:
            raise DefinitionError(
                "the event itself names the account, whoever belongs to it",
                where=str(self),
                hint="keep one of scope('event') and membership('at_event')",
            )
        return replace(self, counted="event" if by_event else "at_event" if at_event else "member")

    def _followed(self, following: Events, *, happened: bool) -> Events:
        if not isinstance(following, Events):
            raise DefinitionError(
                "then() and not_then() take an event", where=str(self), hint="write .then(event('...').within(days=7))"
            )
        check_depth(self)
        last = self.condition.parts[-1] if isinstance(self.condition, And) else self.condition
        match last:
            case Compare(Reduced(Events() as step, "count"), ">=", (1,)):
                further = step.then(following) if happened else step.not_then(following)
                return replace(self, condition=_with_last(self.condition, further.count() >= 1))
            case Not(Compare(Reduced(Events(), "count"), ">=", (1,))):
                raise DefinitionError(
                    "nothing can follow an event that did not happen",
                    where=str(self),
                    hint="say both of the event before: .where(~(event('B').count() >= 1) & (event('C').count() >= 1))",
                )
        window = following.window and replace(following.window, parent=True)
        step_holds = replace(following, window=window).count() >= 1
        return self.where(step_holds if happened else ~step_holds)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Users(Stream):
    """The users of an account, narrowed by ``where``; not yet a value. What is reduced is any value of a user."""

    condition: Condition | None = None
    called: ClassVar[str] = "a stream of users"

    def where(self, condition: Condition) -> Users:
        """Only users who satisfy the condition; repeated calls must all hold."""
        new = as_condition(condition)
        return replace(self, condition=new if self.condition is None else self.condition & new)

    def count(self) -> Reduced:
        """How many users: ``users().where(...).count() >= 3``. 0 for an account without any."""
        return Reduced(self, "count")

    def share(self, condition: Condition) -> Reduced:
        """Which part of the users satisfies the condition, between 0 and 1; missing for an account without any."""
        return Reduced(self, "share", as_condition(condition))

    def sum(self, value: Value | str) -> Reduced:
        """The sum of a number of each user; 0 over no values."""
        return Reduced(self, "sum", _of_user(value))

    def avg(self, value: Value | str) -> Reduced:
        """The mean of a number of each user who has one; missing over no values."""
        return Reduced(self, "avg", _of_user(value))

    def min(self, value: Value | str) -> Reduced:
        """The smallest value."""
        return Reduced(self, "min", _of_user(value))

    def max(self, value: Value | str) -> Reduced:
        """The largest value."""
        return Reduced(self, "max", _of_user(value))

    def most_frequent(self, value: Value | str, *, at_least: int = 2) -> Reduced:
        """The value that most users have, and at least so many; ties by the smallest value (text: ``mode``)."""
        return Reduced(self, "most_frequent", _of_user(value), _times(at_least, self))

    def unique(self, value: Value | str) -> Reduced:
        """The sorted list of different values; ``.count()`` after it counts them."""
        return Reduced(self, "unique", _of_user(value))


def _property(of: PropertyRef | str) -> PropertyRef:
    return of if isinstance(of, PropertyRef) else PropertyRef(checked_name("prop", of))


def _of_user(of: Value | str) -> Value:
    return of if isinstance(of, Value) else TraitRef(checked_name("trait", of))


def _times(at_least: int, stream: Stream) -> int:
    if not isinstance(at_least, int) or isinstance(at_least, bool) or at_least < 1:
        raise DefinitionError("at_least is a whole number of occurrences, 1 or more", where=str(stream))
    return at_least


def _with_last(condition: Condition | None, last: Condition) -> Condition:
    """The condition with another last part."""
    return And((*condition.parts[:-1], last)) if isinstance(condition, And) else last


def counted_for(node: Expression, counted: Counted) -> Expression:
    """The node with its outermost events counted so, unless they say themselves."""
    if isinstance(node, Events):
        return replace(node, counted=counted) if node.counted == "member" else node
    return rebuilt(node, lambda part: counted_for(part, counted))
