"""A definition as a sentence that a colleague understands who has never seen the language."""

from __future__ import annotations

import datetime as dt

from personas_kit.definitions.definition import AccountAudience, Audience, Definition, SqlDefinition
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
    Operator,
    Or,
    OwnerValue,
    PropertyRef,
    Split,
    Top,
    TraitRef,
    Value,
)
from personas_kit.definitions.streams import Events, Reduced, Users, Window
from personas_kit.definitions.text import duration_text

_SAID = {
    "=": "is", "!=": "is not", "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least",
    "contains": "contains", "omits": "does not contain", "starts_with": "starts with", "ends_with": "ends with",
    "one_of": "is one of", "none_of": "is none of", "before_date": "is before", "after_date": "is after",
}  # fmt: skip
_SAID_OF_TIMES = _SAID | {"<": "is before", "<=": "is at or before", ">": "is after", ">=": "is at or after"}
_REDUCED = {
    "sum": "the total {}", "avg": "the mean {}", "min": "the smallest {}", "max": "the largest {}",
    "first": "the first {}", "last": "the last {}", "unique": "each different {}",
    "unique_count": "the number of different {}",
}  # fmt: skip
_REDUCED_TIMES = _REDUCED | {"min": "the earliest {}", "max": "the latest {}"}
_WHOSE = {"user": "their", "member": "their", "account": "its", "event": "the user's"}
_OF = {"user": "them", "member": "them", "account": "it", "event": "the user"}
_ARE = {"user": "they are", "member": "they are", "account": "it is", "event": "the user is"}
_LONG = (OfUsers, OfAccounts, OfOwner, Top)
"""What speaks of others than its subject, and so ends somewhere."""
_COUNTED = {
    "member": "", "event": " (counted for the account that the event names)",
    "at_event": " (counted for the accounts that the user belonged to then)",
}  # fmt: skip


def english(definition: Definition) -> str:
    """One sentence."""
    who = {"user": "Users", "account": "Accounts"}[definition.subject]
    if isinstance(definition, SqlDefinition):
        return f"{who} that a SELECT lists." if definition.is_audience else f"A value of {who.lower()} by a SELECT."
    if isinstance(definition, Audience | AccountAudience):
        unless = ""
        if definition.unless is not None:
            unless = f", except where {_condition(definition.unless, definition.subject)}"
        if isinstance(definition, AccountAudience) and definition.unless_user is not None:
            unless += f"; without their users for whom this holds: {_condition(definition.unless_user, 'member')}"
        whom = {"user": "whom", "account": "which"}[definition.subject]
        return f"{who} for {whom} this holds: {_condition(definition.where, definition.subject)}{unless}."
    found = definition.expression
    return f"Of each {definition.subject}: {_value(found, definition.subject)}."


def _condition(node: Expression, subject: str) -> str:
    match node:
        case Top() | Split():
            return _chosen(node, subject)
        case Not(part):
            return _not(part, subject)
        case And(parts):
            return " and ".join(_inside(part, subject, (Or, *_LONG)) for part in parts)
        case Or(parts):
            return " or ".join(_inside(part, subject, (And, *_LONG)) for part in parts)
        case OfUsers(quantifier, part):
            many = "at least one of its users" if quantifier == "any" else "each of its users, and it has some"
            return f"{many}: {_condition(part, 'member')}"
        case OfAccounts(part):
            return f"for one of their accounts {_condition(part, 'account')}"
        case OfOwner(part):
            return f"of the user: {_condition(part, 'user')}"
        case Compare():
            return _compared(node, subject)
        case _:
            return str(node)


def _not(part: Condition, subject: str) -> str:
    match part:
        case Compare(TraitRef(key), "=", (True,)):
            return f"{key!r} is not true of {_OF[subject]}"
        case Split():
            return _arm(part, subject, "not ")
        case OfUsers("any", inner):
            return f"none of its users: {_condition(inner, 'member')}"
        case Compare(Reduced(Events() as stream, "count"), ">=", (1,)) if subject == "event":
            return f"not followed by {stream.name!r}{_where(stream)}{_when(stream)}"
        case Compare(Reduced(Events() as stream, "count"), ">=", (1,)):
            return _times(stream, "never", subject)
        case _:
            return f"it is not so that {_inside(part, subject, (And, Or))}"


def _chosen(node: Top | Split, subject: str) -> str:
    if isinstance(node, Split):
        return _arm(node, subject)
    first = "smallest" if node.smallest else "largest"
    ranked = f"the first {node.count:,} by {_value(node.by, subject)}, {first} first"
    return f"{_ARE[subject]} among {ranked}, of all where {_condition(node.part, subject)}"


def _arm(node: Split, subject: str, negated: str = "") -> str:
    whole = ", all users of an account together" if node.by == "account" else ""
    arm = f"in the arm from {node.low:g} % to {node.high:g} %"
    return f"{_ARE[subject]} {negated}{'held out' if node.holdout else arm} of {node.name!r}" + (
        f" ({node.high:g} %{whole})" if node.holdout else f" ({whole[2:]})" if whole else ""
    )


def _inside(node: Condition, subject: str, loose: tuple[type[Condition], ...]) -> str:
    """The words of a part, in parentheses where nobody could tell where it ends."""
    words = _condition(node, subject)
    open_ended = isinstance(node, loose) or (isinstance(node, Not) and isinstance(node.part, _LONG))
    return f"({words})" if open_ended else words


def _compared(node: Compare, subject: str) -> str:
    operator, right = node.operator, node.right
    match node:
        case Compare(TraitRef(key), "=", (True,)):
            return f"{key!r} is true of {_OF[subject]}"
        case Compare(Reduced(Events() as stream, "count"), ">=", (1,)) if subject == "event":
            return f"followed by {stream.name!r}{_where(stream)}{_when(stream)}"
        case Compare(Reduced(Events() as stream, "count"), _, (int() as number,)) if operator in _TIMES:
            return _times(stream, _TIMES[operator](number), subject)
        case Compare(Reduced(Users() as stream, "count"), _, (int() as number,)) if operator in _MANY:
            return f"it has {_MANY[operator]} {number:,} user{'' if number == 1 else 's'}{_such(stream)}"
    left = _value(node.left, subject)
    if operator in {"exists", "absent"}:
        return f"{left} is {'known' if operator == 'exists' else 'not known'}"
    if operator in _RELATIVE:
        return f"{left} {_RELATIVE[operator].format(duration_text(int(str(right[0]))))}"
    if len(right) == 1 and operator in _ONE:
        operator = _ONE[operator]
    listed = (", " if operator in {"one_of", "none_of"} else " or ").join(_operand(each, subject) for each in right)
    case = " (in capitals or not)" if node.ignore_case else ""
    said = _SAID_OF_TIMES if isinstance(right[0], dt.date) else _SAID
    return f"{left} {said[operator]} {listed}{case}"


_TIMES = {
    ">=": lambda n: "at least once" if n == 1 else f"at least {n:,} times",
    ">": lambda n: "at least once" if n == 0 else f"more than {'once' if n == 1 else f'{n:,} times'}",
    "<=": lambda n: f"at most {'once' if n == 1 else f'{n:,} times'}",
    "<": lambda n: "never" if n == 1 else f"less than {n:,} times",
    "=": lambda n: "never" if n == 0 else f"exactly {'once' if n == 1 else f'{n:,} times'}",
}
_MANY = {">=": "at least", ">": "more than", "<=": "at most", "<": "fewer than", "=": "exactly"}
_ONE: dict[Operator, Operator] = {"one_of": "=", "none_of": "!="}
"""What a list of one value says."""
_RELATIVE = {
    "within_last": "is in the last {}", "within_next": "is in the next {}", "before_last": "is at least {} ago",
    "after_next": "is more than {} ahead",
}  # fmt: skip


def _times(stream: Events, times: str, subject: str) -> str:
    """How often something happened."""
    events = f"{stream.name!r}{_where(stream)}{_COUNTED[stream.counted]}"
    if subject == "event":
        return f"followed by {events} {times}{_when(stream)}"
    who = "its users" if subject == "account" else "they"
    if times == "never":
        return f"{who} never did {events}{_when(stream)}"
    return f"{who} did {events} {times}{_when(stream)}"


def _where(stream: Events) -> str:
    if stream.condition is None:
        return ""
    return f" (where {_condition(stream.condition, 'event')})"


def _when(stream: Events) -> str:
    window = stream.window
    return "" if window is None else f" {_window(window)}"


def _window(window: Window) -> str:
    older = duration_text(window.older)
    if window.parent:
        return (
            f"more than {duration_text(window.newer)} and at most {older} after it"
            if window.newer
            else f"within {older} of it"
        )
    return f"between {duration_text(window.newer)} and {older} ago" if window.newer else f"in the last {older}"


def _such(stream: Users) -> str:
    return "" if stream.condition is None else f" (where {_condition(stream.condition, 'member')})"


def _value(node: Expression, subject: str) -> str:
    match node:
        case TraitRef(key, "account"):
            return f"the {key!r} of one of their accounts" if subject == "user" else f"the account's {key!r}"
        case TraitRef(key):
            return f"{_WHOSE[subject]} {key!r}"
        case PropertyRef(name, _, parent):
            return f"{name!r} of the event before" if parent else f"{name!r}"
        case OwnerValue(value):
            return f"the user's {_value(value, 'user')}"
        case Reduced(Events() as stream):
            return _of_events(node, f"{stream.name!r}{_where(stream)}{_when(stream)}{_COUNTED[stream.counted]}")
        case Reduced(Users() as stream):
            return _of_users(node, f"its users{_such(stream)}")
        case _:
            return str(node)


def _of_events(node: Reduced, events: str) -> str:
    if node.of is None:
        return f"the number of {events}"
    return f"{_reducer(node, _value(node.of, 'event'))} of {events}"


def _of_users(node: Reduced, users: str) -> str:
    match node.of:
        case None:
            return f"the number of {users}"
        case Condition() if node.reducer == "share":
            return f"the share of {users} for whom {_inside(node.of, 'member', (And, Or))}"
        case TraitRef(key, of) if of != "account":
            return f"{_reducer(node, repr(key))} of {users}"
        case _:
            return f"{_reducer(node, 'value')}, over {users}, of {_value(node.of, 'member')}"


def _reducer(node: Reduced, of: str) -> str:
    if node.reducer == "most_frequent":
        return f"the most frequent {of} (there at least {node.at_least:,} times)"
    said = _REDUCED_TIMES if isinstance(node.of, PropertyRef) and node.of.name == "timestamp" else _REDUCED
    return said[node.reducer].format(of)


def _operand(node: Operand, subject: str) -> str:
    if isinstance(node, Value):
        return _value(node, subject)
    if isinstance(node, bool):
        return "true" if node else "false"
    return f"{node:,}" if isinstance(node, int | float) else repr(node) if isinstance(node, str) else str(node)
