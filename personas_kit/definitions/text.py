"""Prints any node in the query language. Two nodes mean the same if and only if their text is the same.

A date or instant that is compared by a symbol is printed without quotes, since in quotes it would be a text; the
functions that take nothing but dates print it in quotes.
"""

from __future__ import annotations

import datetime as dt
import re

from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Constant,
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
    SqlMembers,
    SqlValue,
    Top,
    TraitRef,
    Value,
    check_depth,
)
from personas_kit.definitions.streams import Events, Reduced, Users, Window

_SYMBOLS = ("=", "!=", "<", "<=", ">", ">=")
_RELATIVE = ("within_last", "within_next", "before_last", "after_next")
_DATES = ("before_date", "after_date")
_IN_WORDS = {"=": "equals", "!=": "differs"}
_OR, _AND, _NOT = 1, 2, 3
_ESCAPED = re.compile(r"[\\'\x00-\x1f\x7f\x85\u2028\u2029]")
_SHORT = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_text(node: Expression) -> str:
    """The canonical text of a node.

    Raises:
        DefinitionError: it is nested absurdly deep.
    """
    check_depth(node)
    return _condition(node, 0) if isinstance(node, Condition) else _value(node)


def duration_text(seconds: int) -> str:
    """``30 days``, ``36 hours``, ``90 seconds``: the largest unit that is whole."""
    for unit, size in (("day", 86_400), ("hour", 3_600)):
        if seconds % size == 0:
            return _amount(seconds // size, unit)
    return _amount(seconds, "second")


def _amount(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _condition(node: Expression, above: int) -> str:  # noqa: C901  (a node, a line)
    """A condition with parentheses where the node above binds tighter."""
    match node:
        case Or(parts):
            return _within(above, _OR, " OR ".join(_condition(part, _OR + 1) for part in parts))
        case And(parts):
            return _within(above, _AND, " AND ".join(_condition(part, _AND + 1) for part in parts))
        case Not(part):
            return f"NOT {_condition(part, _NOT)}"
        case OfUsers(quantifier, part):
            return f"{quantifier.upper()} {_condition(part, _NOT)}"
        case OfAccounts(part):  # made by resolving only, so it is shown and never read
            return f"SOME ACCOUNT {_condition(part, _NOT)}"
        case OfOwner(part):  # as above
            return f"OWNER {_condition(part, _NOT)}"
        case Compare():
            return _comparison(node)
        case Top(count, by, part, smallest):
            last = ", smallest: true" if smallest else ""
            return f"top({count}, by: {_value(by)}, of: {_condition(part, 0)}{last})"
        case Split():
            return _split(node)
        case SqlMembers(sql, dialect):  # shown and never read
            return f"SQL({_quoted(sql)}, {_quoted(dialect)})"
        case _:
            raise TypeError(f"not a node of the language: {type(node).__name__}")


def _within(above: int, own: int, text: str) -> str:
    return f"({text})" if above > own else text


def _comparison(node: Compare) -> str:
    left, operator, right = _value(node.left), node.operator, node.right
    if operator in _RELATIVE:
        return f"{left}.{operator}({duration_text(int(str(right[0])))})"
    if operator in _DATES and not isinstance(right[0], Value):
        return f"{left}.{operator}('{_constant(right[0])}')"
    if operator in _SYMBOLS and not node.ignore_case:
        return f"{left} {operator} {_operand(right[0])}"
    said = [*map(_operand, right), *(["ignore_case: true"] if node.ignore_case else [])]
    return f"{left}.{_IN_WORDS.get(operator, operator)}({', '.join(said)})"


def _operand(node: Operand) -> str:
    return _value(node) if isinstance(node, Value) else _constant(node)


def _split(node: Split) -> str:
    by = ", by: account" if node.by == "account" else ""
    if node.holdout:
        return f"holdout({_quoted(node.name)}, {_constant(node.high)}{by})"
    return f"split({_quoted(node.name)}, {_constant(node.low)}, {_constant(node.high)}{by})"


def _value(node: Expression) -> str:
    match node:
        case TraitRef(key, of):
            return f"{'account_trait' if of == 'account' else 'trait'}({_quoted(key)})"
        case PropertyRef(name, as_type, parent):
            read_as = f" as {as_type}" if as_type else ""
            return f"property({'parent: ' if parent else ''}{_quoted(name)}){read_as}"
        case Events(name, condition, window, counted):
            return f"event({_quoted(name)}){_where(condition)}{_window(window)}{_COUNTED[counted]}"
        case Users(condition):
            return f"users(){_where(condition)}"
        case Reduced(stream, reducer, of, at_least):
            return f"{_value(stream)}.{_reducer(reducer, of, at_least)}"
        case OwnerValue(value):  # made by resolving only, so it is shown and never read
            return f"OWNER {_value(value)}"
        case SqlValue(sql, dialect):  # as above
            return f"SQL({_quoted(sql)}, {_quoted(dialect)})"
        case _:
            raise TypeError(f"not a node of the language: {type(node).__name__}")


_COUNTED = {"member": "", "event": ".scope('event')", "at_event": ".membership('at_event')"}


def _where(condition: Condition | None) -> str:
    return f".where({_condition(condition, 0)})" if condition is not None else ""


def _window(window: Window | None) -> str:
    if window is None:
        return ""
    parent = "parent: " if window.parent else ""
    if window.newer:
        return f".between({parent}{duration_text(window.newer)}, {duration_text(window.older)})"
    return f".within({parent}{duration_text(window.older)})"


def _reducer(reducer: str, of: Expression | None, at_least: int) -> str:
    if of is None:
        return "count()"
    inside = _condition(of, 0) if isinstance(of, Condition) else _value(of)
    match reducer:
        case "most_frequent":
            return f"mode({inside}, {at_least})"
        case "unique_count":
            return f"unique({inside}).count()"
        case _:
            return f"{reducer}({inside})"


def _constant(value: Constant) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dt.datetime():
            return value.isoformat().replace("+00:00", "Z")
        case dt.date():
            return value.isoformat()
        case str():
            return _quoted(value)
        case _:
            return repr(value)


def _quoted(text: str) -> str:
    """In single quotes; what would break a line or be invisible is escaped."""
    escaped = _ESCAPED.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}", text)
    return f"'{escaped}'"
