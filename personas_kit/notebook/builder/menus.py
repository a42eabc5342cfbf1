"""What can be chosen, as data: the browser knows no word of the language but these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from personas_kit.notebook.builder.values import UNITS, takes

Plain = dict[str, Any]

OPERATORS: Final[Mapping[str, str]] = {
    "=": "is", "!=": "is not", ">=": "is at least", "<=": "is at most", ">": "is more than", "<": "is less than",
    "one_of": "is one of", "none_of": "is none of", "contains": "contains", "omits": "does not contain",
    "starts_with": "starts with", "ends_with": "ends with", "before_date": "is before", "after_date": "is after",
    "within_last": "is within the last", "before_last": "is longer ago than", "within_next": "is within the next",
    "after_next": "is further ahead than", "exists": "has a value", "absent": "has no value",
}  # fmt: skip
_TESTS = ("exists", "absent")
_ORDER = ("=", "!=", ">=", "<=", ">", "<")
OF_TYPE: Final[Mapping[str, tuple[str, ...]]] = {
    "number": (">=", "<=", "=", "!=", ">", "<", "one_of", "none_of", *_TESTS),
    "string": (
        "=", "!=", "one_of", "none_of", "contains", "omits", "starts_with", "ends_with", *_TESTS, ">=", "<=", ">", "<",
    ),
    "boolean": ("=", "!=", *_TESTS),
    "date": (
        "within_last", "before_last", "within_next", "after_next", "before_date", "after_date", *_ORDER, *_TESTS,
    ),
    "list": ("contains", "omits", *_TESTS),
    "": tuple(OPERATORS),
}  # fmt: skip
"""The operators that fit a type, the likeliest first; ``""`` is a type that nobody knows."""
WITHOUT_CASE: Final = ("=", "!=", "one_of", "none_of", "contains", "omits", "starts_with", "ends_with")
REDUCERS: Final[Mapping[str, tuple[str, str]]] = {
    "count": ("number of times", "number"), "sum": ("total of", "number"), "avg": ("mean of", "number"),
    "min": ("smallest", ""), "max": ("largest", ""), "first": ("first", ""), "last": ("last", ""),
    "most_frequent": ("most frequent", ""), "unique_count": ("number of different", "number"),
    "unique": ("list of different", "list"),
}  # fmt: skip
"""What events are reduced to, in words, and the type of what comes out; ``""`` is the property's own."""
QUANTIFIERS: Final[Mapping[str, str]] = {
    "any": "any of its users", "all": "all of its users", "none": "none of its users",
    "count": "the number of its users", "share": "the share of its users",
}  # fmt: skip
COUNTED: Final[Mapping[str, str]] = {
    "member": "for the accounts that the user belongs to now", "at_event": "for those that the user belonged to then",
    "event": "for the account that the event names",
}  # fmt: skip


def type_of(column: str) -> str:
    """The type of values that a column's type holds (``integer`` -> ``number``); empty if nobody can know."""
    return column if column in OF_TYPE else _OF_COLUMNS.get(column, "")


_OF_COLUMNS: Final = {
    "text": "string", "integer": "number", "float": "number", "decimal": "number", "timestamp": "date",
    "timestamp_tz": "date",
}  # fmt: skip


def blank_group(kind: str = "all", id_: str = "") -> Plain:
    """A group without parts."""
    return {"id": id_, "is": kind, "not": False, "parts": []}


def blank_node(kind: str, place: str = "user") -> Plain:
    """An empty rule of a kind, for a place of ``PLACES``; the browser gives it, and what is in it, their ids."""
    new = {"id": "", "is": kind, "not": False}
    inside = place == "event"
    match kind:
        case "all" | "any":
            return blank_group(kind)
        case "event":
            of = {
                "event": "",
                "where": blank_group(),
                "window": _window(7, parent=True) if inside else _window(30),
                "measure": {"of": "count"},
            }
            return new | of | {"counted": "member"} | _comparison(">=", "number", "1")
        case "trait":
            return new | {"trait": "", "of": "subject"} | _comparison("=", "string", "")
        case "property":
            return new | {"property": "", "as": None, "parent": False} | _comparison("=", "string", "")
        case "in_audience":
            return new | {"audience": ""}
        case "users":
            return new | {"quantifier": "any", "of": blank_group()} | _comparison(">=", "number", "1")
        case "split":
            return new | {"name": "", "low": "0", "high": "50", "by": "subject", "holdout": False}
        case _:
            return new | {"is": "text", "text": ""}


def _comparison(operator: str, type_: str, text: str) -> Plain:
    return {"op": operator, "values": [{"type": type_, "text": text}], "ignore_case": False}


def _window(days: int, *, parent: bool = False) -> Plain:
    return {"older": {"amount": str(days), "unit": "days"}, "newer": None, "parent": parent}


_GROUPS = {"all": "all of", "any": "any of"}
_TEXT = {"text": "in the query language"}
PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "user": {
        "event": "did an event", "trait": "has a trait", "in_audience": "is in the audience",
        **_GROUPS, "split": "is in an arm of the experiment", **_TEXT,
    },
    "account": {
        "users": "has users who", "event": "its users did an event", "trait": "has a trait",
        "in_audience": "is in the audience", **_GROUPS, "split": "is in an arm of the experiment", **_TEXT,
    },
    "event": {
        "property": "with the property", "event": "and then did", "trait": "by somebody with the trait",
        "in_audience": "by somebody in the audience", **_GROUPS, **_TEXT,
    },
}  # fmt: skip
"""What a rule may be, where it stands: about a user, about an account, or inside an event's ``where``."""

MENUS: Final[Plain] = {
    "places": {
        place: [{"is": kind, "says": says, "blank": blank_node(kind, place)} for kind, says in kinds.items()]
        for place, kinds in PLACES.items()
    },
    "operators": {
        type_: [{"op": each, "says": OPERATORS[each], "takes": takes(each)} for each in each_of]
        for type_, each_of in OF_TYPE.items()
    },
    "ignore_case": list(WITHOUT_CASE),
    "reducers": [{"of": of, "says": says, "type": type_} for of, (says, type_) in REDUCERS.items()],
    "quantifiers": [{"quantifier": one, "says": says} for one, says in QUANTIFIERS.items()],
    "counted": [{"counted": one, "says": says} for one, says in COUNTED.items()],
    "units": list(UNITS),
    "types": ["string", "number", "boolean", "date", "list"],
    "values": [
        {"type": "string", "says": "text"}, {"type": "number", "says": "number"},
        {"type": "boolean", "says": "true or false"}, {"type": "date", "says": "date"},
        {"type": "value", "says": "another value"},
        {"type": "empty", "says": "an empty text"},
    ],
}  # fmt: skip
"""All of it, as JSON."""
