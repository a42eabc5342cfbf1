"""Constants and durations as a person types them, and back. Their shapes are in ``draft.py``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from personas_kit.definitions import words
from personas_kit.definitions.constants import checked_instant, checked_name, whole_seconds
from personas_kit.definitions.expressions import TYPE_NAMES, Operand, PropertyType, Value
from personas_kit.definitions.language import parse
from personas_kit.errors import DefinitionError

Plain = dict[str, Any]

UNITS: Final = {"days": 86_400, "hours": 3_600, "seconds": 1}
TRUTHS: Final = {"true": True, "false": False}
_NUMBER = re.compile(r"-?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LONGEST = 400
"""Characters of a number: the widest float is written in fewer."""


def plain_value(value: Operand) -> Plain:
    """A constant, or another value, as data."""
    match value:
        case Value():
            return {"type": "value", "text": str(value)}
        case bool():
            return {"type": "boolean", "text": "true" if value else "false"}
        case int() | float():
            return {"type": "number", "text": repr(value)}
        case dt.datetime():
            return {"type": "date", "text": value.isoformat().replace("+00:00", "Z")}
        case dt.date():
            return {"type": "date", "text": value.isoformat()}
        case "":
            return {"type": "empty", "text": ""}
        case _:
            return {"type": "string", "text": value}


def plain_duration(seconds: int) -> Plain:
    """Seconds in the largest unit that is whole."""
    unit = next(unit for unit, size in UNITS.items() if seconds % size == 0)
    return {"amount": str(seconds // UNITS[unit]), "unit": unit}


def read_value(given: object) -> Operand:
    """The constant, or the other value, that is meant.

    Raises:
        DefinitionError: nothing is typed yet, or it is not of its type.
    """
    data = mapping(given)
    said = data.get("text")
    if not isinstance(said, str) or (not said and data.get("type") != "empty"):
        raise DefinitionError("type a value")
    match data.get("type"):
        case "string" | "empty":
            return said
        case "number":
            return read_number(said)
        case "boolean":
            if said not in TRUTHS:
                raise DefinitionError("choose true or false")
            return TRUTHS[said]
        case "date":
            return checked_instant(said.strip())
        case "value":
            found = parse(said)
            if isinstance(found, Value):
                return found
            raise DefinitionError("this is a condition, and a value is wanted", hint="as in trait('...')")
        case _:
            raise DefinitionError("choose what kind of value this is")


def read_number(said: object) -> int | float:
    """The number that is typed. Raises: DefinitionError."""
    typed = said.strip() if isinstance(said, str) else ""
    if not typed:
        raise DefinitionError("type a number")
    if len(typed) > _LONGEST or not _NUMBER.fullmatch(typed):
        raise DefinitionError(f"{typed[:40]!r} is not a number", hint="digits, with a point if need be: 1000 or 9.5")
    return float(typed) if any(mark in typed for mark in ".eE") else int(typed)


def read_whole(said: object) -> int:
    """The whole number that is typed, 1 or more. Raises: DefinitionError."""
    number = read_number(said)
    if not isinstance(number, int) or not 1 <= number < 10**9:
        raise DefinitionError("type a whole number, 1 or more")
    return number


def read_duration(given: object, *, zero: bool = False) -> int:
    """The seconds of a duration. Raises: DefinitionError."""
    data = mapping(given)
    unit = data.get("unit")
    if not isinstance(unit, str) or unit not in UNITS:
        raise DefinitionError("choose days or hours")
    return whole_seconds(read_number(data.get("amount")), UNITS[unit], zero=zero)


def read_type(given: object) -> PropertyType | None:
    """How a property is read, if anybody says. Raises: DefinitionError."""
    if given is None or given in TYPE_NAMES:
        return given  # type: ignore[return-value]
    raise DefinitionError("choose how the property is read", hint=f"one of {', '.join(TYPE_NAMES)}")


def read_name(given: object, thing: str) -> str:
    """The name of an event, a trait, a property, an audience. Raises: DefinitionError."""
    if not isinstance(given, str) or not given:
        raise DefinitionError(f"choose {thing}")
    return checked_name("name", given)


def read_choice(given: object, known: Collection[str], what: str) -> str:
    """One of the words of a menu. Raises: DefinitionError."""
    if isinstance(given, str) and given in known:
        return given
    raise DefinitionError(f"choose {what}")


def mapping(given: object) -> Mapping[str, Any]:
    """What came from a browser, if it has fields at all; else one without any."""
    return given if isinstance(given, Mapping) else {}


def takes(operator: str) -> str:
    """How many values an operator takes: ``none``, ``one``, ``several`` or ``duration``."""
    if operator in words.TESTS:
        return "none"
    if operator in words.RELATIVE:
        return "duration"
    return "several" if operator in words.OF_MANY else "one"
