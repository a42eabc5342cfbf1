"""A definition as a sentence that a colleague understands who has never seen the language."""

from __future__ import annotations

from personas_kit.definitions.definition import AccountAudience, Audience, Definition, SqlDefinition, Subject
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
_REDUCED = {
    "sum": "the total of {}", "avg": "the mean of {}", "min": "the smallest of {}", "max": "the largest of {}",
    "first": "the first of {}", "last": "the last of {}", "unique": "the different values of {}",
    "unique_count": "the number of different values of {}",
}  # fmt: skip
_WHOSE = {"user": "their", "account": "its", "event": "the user's"}
_COUNTED = {
    "member": "", "event": ", counted for the account that the event names",
    "at_event": ", counted for the accounts that the user belonged to then",
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
            unless += f"; without their users of whom {_condition(definition.unless_user, 'user')}"
        return f"{who} for whom this holds: {_condition(definition.where, definition.subject)}{unless}."
    found = definition.expression
    return f"Of each {definition.subject}: {_value(found, definition.subject)}."


def condition_words(node: Condition, subject: Subject = "user") -> str:
    """A condition as part of a sentence."""
    return _condition(node, subject)


def _condition(node: Expression, subject: str) -> str:
    match node:
        case Top() | Split():
            return _chosen(node, subject)
        case Not(part):
            return _not(part, subject)
        case And(parts):
            return " and ".join(_inside(part, subject, Or) for part in parts)
        case Or(parts):
            return " or ".join(_inside(part, subject, And) for part in parts)
        case OfUsers(quantifier, part):
            many = "at least one of its users" if quantifier == "any" else "every one of its users (there are some)"
            return f"{many}: {_condition(part, 'user')}"
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
            return f"not in the audience {key!r}"
        case Split():
            return f"not {_chosen(part, subject)}"
        case OfUsers("any", inner):
            return f"none of its users: {_condition(inner, 'user')}"
        case Compare(Reduced(Events() as stream, "count"), ">=", (1,)) if subject == "event":
            return f"not followed by {stream.name!r}{_where(stream)}{_when(stream)}"
        case Compare(Reduced(Events() as stream, "count"), ">=", (1,)):
            return f"{_happened(stream, subject)} never{_when(stream)}"
        case _:
            return f"it is not so that {_inside(part, subject, And | Or)}"


def _chosen(node: Top | Split, subject: str) -> str:
    if isinstance(node, Split):
        whole = " with all users of an account together" if node.by == "account" else ""
        arm = f"in the arm from {node.low:g} % to {node.high:g} %"
        return f"{f'held out ({node.high:g} %)' if node.holdout else arm} of {node.name!r}{whole}"
    which, of = "smallest" if node.smallest else "largest", _condition(node.part, subject)
    return f"among the {node.count:,} with the {which} {_value(node.by, subject)}, of those where {of}"


def _inside(node: Condition, subject: str, loose: object) -> str:
    words = _condition(node, subject)
    return f"({words})" if isinstance(node, loose) else words  # type: ignore[arg-type]


def _compared(node: Compare, subject: str) -> str:
    operator, right = node.operator, node.right
    match node:
        case Compare(TraitRef(key), "=", (True,)):
            return f"in the audience {key!r}, or {key!r} is true"
        case Compare(Reduced(Events() as stream, "count"), ">=", (1,)) if subject == "event":
            return f"followed by {stream.name!r}{_where(stream)}{_when(stream)}"
        case Compare(Reduced(Events() as stream, "count"), _, (int() as number,)) if operator in _TIMES:
            return f"{_happened(stream, subject)} {_TIMES[operator](number)}{_when(stream)}"
        case Compare(Reduced(Users() as stream, "count"), _, (int() as number,)) if operator in _TIMES:
            return (
                f"{_TIMES[operator](number).replace(' times', '').replace('once', 'one')} of its users{_such(stream)}"
            )
    left = _value(node.left, subject)
    if operator in {"exists", "absent"}:
        return f"{left} is {'known' if operator == 'exists' else 'not known'}"
    if operator in _RELATIVE:
        return f"{left} {_RELATIVE[operator].format(duration_text(int(str(right[0]))))}"
    listed = " or ".join(_operand(each, subject) for each in right)
    case = ", whatever the case of its letters" if node.ignore_case else ""
    return f"{left} {_SAID[operator]} {listed}{case}"


_TIMES = {
    ">=": lambda n: "at least once" if n == 1 else f"at least {n:,} times",
    ">": lambda n: f"more than {'once' if n == 1 else f'{n:,} times'}",
    "<=": lambda n: f"at most {'once' if n == 1 else f'{n:,} times'}",
    "<": lambda n: "never" if n == 1 else f"less than {n:,} times",
    "=": lambda n: "never" if n == 0 else f"exactly {'once' if n == 1 else f'{n:,} times'}",
}
_RELATIVE = {
    "within_last": "is in the last {}", "within_next": "is in the next {}", "before_last": "is at least {} ago",
    "after_next": "is more than {} ahead",
}  # fmt: skip


def _happened(stream: Events, subject: str) -> str:
    whose = {"account": "its users did", "user": "they did"}.get(subject, "followed by")
    return f"{whose} {stream.name!r}{_where(stream)}{_COUNTED[stream.counted]}"


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
    return "" if stream.condition is None else f" are such that {_condition(stream.condition, 'user')}"


def _value(node: Expression, subject: str) -> str:
    match node:
        case TraitRef(key, "account"):
            return f"the account's {key!r}"
        case TraitRef(key):
            return (
                f"their {key!r}"
                if subject == "user"
                else f"the user's {key!r}"
                if subject == "event"
                else f"its {key!r}"
            )
        case PropertyRef(name, _, parent):
            return f"{name!r} of the event before" if parent else f"{name!r}"
        case OwnerValue(value):
            return f"the user's {_value(value, 'user')}"
        case Reduced(Events() as stream, reducer, of, at_least):
            events = f"{stream.name!r}{_where(stream)}{_when(stream)}{_COUNTED[stream.counted]}"
            if reducer == "count":
                return f"the number in {events}"
            return f"{_reducer(reducer, _value(of, 'event') if of is not None else '', at_least)} of {events}"
        case Reduced(Users() as stream, reducer, of, at_least):
            users = f"its users{'' if stream.condition is None else ' where ' + _condition(stream.condition, 'user')}"
            if reducer == "count":
                return f"the number of {users}"
            if reducer == "share" and isinstance(of, Condition):
                return f"the share of {users} of whom it holds that {_condition(of, 'user')}"
            return f"{_reducer(reducer, _value(of, 'user') if of is not None else '', at_least)} over {users}"
        case _:
            return str(node)


def _reducer(reducer: str, of: str, at_least: int) -> str:
    if reducer == "most_frequent":
        return f"the most frequent of {of} (if it occurs at least {at_least:,} times)"
    return _REDUCED[reducer].format(of)


def _operand(node: Operand, subject: str) -> str:
    if isinstance(node, Value):
        return _value(node, subject)
    if isinstance(node, bool):
        return "true" if node else "false"
    return f"{node:,}" if isinstance(node, int | float) else repr(node) if isinstance(node, str) else str(node)
