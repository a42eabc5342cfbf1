"""What may stand on the right of a comparison or inside quotes: checked when it is written, in Python and in text."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

from personas_kit.errors import DefinitionError

Constant = str | int | float | bool | dt.date | dt.datetime

_TEXTUAL = {"contains", "omits", "starts_with", "ends_with"}
_LONGEST = 100 * 31_557_600  # a hundred years in seconds
_SHOWN = 60
_DIGITS = 38  # the widest whole number that every warehouse can hold


def checked_name(function: str, name: object) -> str:
    """The name of an event, a trait or a property."""
    if not isinstance(name, str) or not name:
        raise DefinitionError(f"{function}() takes a name in quotes, not {name!r}", hint=f"write {function}('...')")
    return whole_characters(name)


def checked_constants(operator: str, values: Iterable[object]) -> tuple[Constant, ...]:
    """The constants that a value is compared with; at least one."""
    found = tuple(values)
    if not found:
        raise DefinitionError(f"{operator} needs at least one value")
    return tuple(_constant(operator, value) for value in found)


def checked_instant(value: object) -> dt.date | dt.datetime:
    """A date, or an aware instant in UTC, from either or from ISO text; a naive instant is UTC."""
    value = _plain(value)
    if isinstance(value, dt.date):
        return _utc(value) if isinstance(value, dt.datetime) else value
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass  # not a date alone
        try:
            return _utc(dt.datetime.fromisoformat(value))
        except ValueError:
            pass  # reported below, with what is not ISO text at all
    raise DefinitionError(f"{value!r} is not a date or an instant", hint="write '2026-01-31' or '2026-01-31T08:00:00Z'")


def seconds(method: str, days: float | None = None, hours: float | None = None, *, zero: bool = False) -> int:
    """A duration given as ``days=`` or ``hours=`` in whole seconds."""
    if (days is None) == (hours is None):
        raise DefinitionError(f"{method}() takes either days= or hours=", hint=f"write {method}(days=30)")
    amount = days if days is not None else hours
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise DefinitionError(
            f"{method}() takes a number of days or hours, not {amount!r}", hint=f"write {method}(days=30)"
        )
    return whole_seconds(amount, 86_400 if days is not None else 3_600, zero=zero)


def whole_seconds(amount: float, unit: int, *, zero: bool = False) -> int:
    """So many units of so many seconds; 1.1 hours are 3,960 seconds, whatever binary fractions make of it."""
    total = amount * unit
    fits = 0 < total <= _LONGEST or (zero and total == 0)
    if not fits or abs(total - round(total)) > 1e-6:  # noqa: PLR2004  (far below a second, far above rounding)
        raise DefinitionError(
            f"a duration is more than nothing, whole seconds, and at most 100 years, not {amount}",
            hint="write for example 30 days (days=30 in Python)",
        )
    return round(total)


def _constant(operator: str, given: object) -> Constant:
    value = _plain(given)
    if value is None:
        raise DefinitionError(f"nothing can be compared with None ({operator})", hint="use .exists() or .absent()")
    if isinstance(value, list | tuple | set | frozenset):
        raise DefinitionError(
            f"{operator} takes constants, not a {type(value).__name__}", hint="write .one_of('a', 'b')"
        )
    if not isinstance(value, str | int | float | bool | dt.date):
        raise DefinitionError(f"{operator} takes a text, number, truth value or date, not {type(value).__name__}")
    if operator in _TEXTUAL and (not isinstance(value, str) or not value):
        raise DefinitionError(f"{operator} takes a text that is not empty, not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise DefinitionError(f"{operator} takes a finite number, not {value!r}")
    if isinstance(value, int) and abs(value) >= 10**_DIGITS:
        raise DefinitionError(f"{operator} takes a whole number of at most {_DIGITS} digits")
    if isinstance(value, dt.datetime):
        return _utc(value)
    return whole_characters(value) if isinstance(value, str) else value


def _plain(value: object) -> object:
    """The value in Python's own type: scalars of numpy, timestamps of pandas and enumerations print differently."""
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    match value:
        case bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case dt.datetime():
            return dt.datetime.combine(value.date(), value.time(), value.tzinfo)
        case _:
            return value


def whole_characters(text: str) -> str:
    """The text, unless it holds half of a character, which no warehouse and no file can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DefinitionError(f"{text[:_SHOWN]!r} holds half a character (a lone surrogate)") from None
    return text


def _utc(instant: dt.datetime) -> dt.datetime:
    """Naive is UTC; the tree holds aware UTC instants only."""
    try:
        aware = instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)
    except OverflowError:
        raise DefinitionError(f"{instant} lies outside the years 1 to 9999 in UTC") from None
    return aware.replace(fold=0)  # which of two equal wall clocks it was means nothing in UTC
