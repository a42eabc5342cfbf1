"""Conditions as SQL that is true or false and never missing, with the types checked.

A comparison with a missing value is false, so every comparison of something that may be missing is wrapped; NOT
around it is then true negation. (Semantics: B2, B3, B4.)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from sqlglot import exp

from personas_kit.compiler.nodes import constant, falsy, given, instant, missing, naive, op, sortable
from personas_kit.compiler.source import NUMBERS, TIMES, ColumnType
from personas_kit.definitions.expressions import And, Compare, Condition, Constant, Not, Operator, Or, Value
from personas_kit.errors import DefinitionError

Class = Literal["text", "number", "truth value", "time"]
_COMPARISONS: dict[str, type[exp.Binary]] = {
    "=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
    "before_date": exp.LT, "after_date": exp.GT,
}  # fmt: skip
_FLOORED: dict[type[exp.Binary], type[exp.Binary]] = {exp.LT: exp.LTE, exp.GTE: exp.GT}
_RELATIVE = {"within_last", "within_next", "before_last", "after_next"}
_TEXTUAL = {"contains", "starts_with", "ends_with"}
_ORDERED = {"<", "<=", ">", ">="}
_NEGATIONS: dict[str, Operator] = {"omits": "contains", "none_of": "one_of"}


@dataclass(frozen=True, slots=True)
class Typed:
    """SQL with its type.

    ``label`` is what messages call it, ``missing`` whether it can be missing, ``free`` whether nobody said its type:
    then it is read as what it is compared with.
    """

    sql: exp.Expr
    type: ColumnType
    label: str
    missing: bool = True
    free: bool = False


class Place(Protocol):
    """Where a condition stands: an event, a user, an account, or a member of an account."""

    @property
    def zone(self) -> str:
        """The time zone of days."""
        ...

    def value(self, node: Value, wanted: Class | None) -> Typed:
        """The value's SQL. ``wanted`` is what it is compared with, for values that carry no type of their own."""
        ...

    def group(self, node: Condition) -> exp.Expr:
        """A condition that is about more than the line at hand: on the users of an account, a rank; never missing."""
        ...


def condition(node: Condition, place: Place) -> exp.Expr:
    """The condition as SQL that is never missing."""
    match node:
        case And(parts):
            return exp.and_(*(condition(part, place) for part in parts))
        case Or(parts):
            return exp.paren(exp.or_(*(condition(part, place) for part in parts)))
        case Not(part):
            return negated(condition(part, place))
        case Compare():
            return _compared(node, place)
        case _:
            return place.group(node)


def _compared(node: Compare, place: Place) -> exp.Expr:
    operator, where = node.operator, str(node)
    positive = _NEGATIONS.get(operator)
    if positive is not None:
        return negated(_compared(replace(node, operator=positive), place))
    plain = tuple(each for each in node.right if not isinstance(each, Value))
    others = [each for each in node.right if isinstance(each, Value)]
    made: list[exp.Expr] = []
    if plain or not others:
        left = place.value(node.left, _wanted(operator, plain))
        made.append(_compare(left, operator, plain, place.zone, where, ignore_case=node.ignore_case))
    for other in others:
        pair = _read_alike(node.left, other, operator, place, where)
        made.append(compare_values(*pair, operator, place.zone, where, ignore_case=node.ignore_case))
    return exp.paren(exp.or_(*made)) if len(made) > 1 else made[0]


def sides(node: Compare, place: Place) -> list[Typed]:
    """What is compared, as it is read for it; constants left out."""
    plain = tuple(each for each in node.right if not isinstance(each, Value))
    others = [place.value(each, None) for each in node.right if isinstance(each, Value)]
    return [place.value(node.left, _wanted(node.operator, plain)), *others]


def _read_alike(left: Value, right: Value, operator: str, place: Place, where: str) -> tuple[Typed, Typed]:
    """Two values, where one of which nobody said the type is read as the other."""
    one, other = place.value(left, None), place.value(right, None)
    if one.free and not other.free:
        one = place.value(left, class_of(other.type))
    elif other.free and not one.free:
        other = place.value(right, class_of(one.type))
    elif one.free and operator in _ORDERED:
        raise DefinitionError(
            f"nobody says how to read {one.label} and {other.label}, and texts are ordered otherwise than numbers",
            where=where,
            hint="say it of one: prop('...', 'number'), in text property('...') as number",
        )
    return one, other


def compare_values(
    left: Typed, right: Typed, operator: str, zone: str, where: str, *, ignore_case: bool = False
) -> exp.Expr:
    """One value compared with another; false if one is missing."""
    if operator in _TEXTUAL:
        for each in (left, right):
            if each.type != "text":
                raise mismatch(each, "a text", where)
        return falsy(op(operator, _cased(left.sql.copy(), ignore_case), _cased(right.sql, ignore_case)))  # type: ignore[arg-type]
    if class_of(left.type) is None or class_of(left.type) != class_of(right.type):
        raise mismatch(left, f"{right.label}, which is {right.type}", where)
    comparison = _COMPARISONS["=" if operator == "one_of" else operator]
    if left.type in TIMES and left.type != right.type:
        one, other = naive(left.sql, left.type, zone), naive(right.sql, right.type, zone)
        return falsy(comparison(this=one, expression=other))
    one, other = _cased(left.sql.copy(), ignore_case), _cased(right.sql, ignore_case)
    if comparison not in {exp.EQ, exp.NEQ}:
        if left.type == "boolean":
            raise _no_order(left, where)
        one, other = sortable(one, left.type), sortable(other, right.type)
    return falsy(comparison(this=one, expression=other))


def _cased(text: exp.Expr, ignore_case: bool) -> exp.Expr:
    return exp.Lower(this=text) if ignore_case else text


def negated(holds: exp.Expr) -> exp.Expr:
    """NOT of what is never missing; ``IS NOT NULL`` becomes ``IS NULL``, which reads better."""
    match holds:
        case exp.Is(this=value, expression=exp.Not()):
            return missing(value)
        case exp.Is(this=value, expression=exp.Null()):
            return given(value)
        case _:
            return exp.Not(this=exp.paren(holds))


def class_of(kind: ColumnType) -> Class | None:
    """What a column type compares with."""
    if kind in NUMBERS:
        return "number"
    if kind in TIMES:
        return "time"
    plain: dict[ColumnType, Class] = {"text": "text", "boolean": "truth value"}
    return plain.get(kind)


def class_of_constant(value: Constant) -> Class:
    """What a constant compares with."""
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "time"


def _wanted(operator: str, right: Sequence[object]) -> Class | None:
    if operator in _RELATIVE:
        return "time"
    return class_of_constant(right[0]) if right else None  # type: ignore[arg-type]


def _compare(
    left: Typed, operator: str, right: tuple[Constant, ...], zone: str, where: str, *, ignore_case: bool
) -> exp.Expr:
    if operator in {"exists", "absent"}:
        return missing(left.sql) if operator == "absent" else given(left.sql)
    if ignore_case and left.type != "text":
        raise mismatch(left, "a text, whatever its case", where)
    if operator in _RELATIVE:
        made = _relative(left, operator, int(right[0]), zone, where)  # type: ignore[arg-type]
    elif operator == "contains" and left.type == "list":
        made = exp.or_(*(op("list_contains", left.sql.copy(), constant(each, "text")) for each in right))
    elif operator in _TEXTUAL:
        made = _textual(left, operator, right, where, ignore_case=ignore_case)
    elif ignore_case:
        made = _whatever_case(left, operator, right)
    elif operator == "one_of":
        made = _one_of(left, right, zone, where)
    else:
        made = _binary(left, operator, right[0], zone, where)
    return falsy(made) if left.missing else made


def _relative(left: Typed, operator: str, seconds: int, zone: str, where: str) -> exp.Expr:
    if left.type not in TIMES:
        raise mismatch(left, "a time", where)

    def at(comparison: type[exp.Binary], shift: int) -> exp.Expr:
        return comparison(this=left.sql.copy(), expression=instant(shift, left.type, zone))

    made: dict[str, Callable[[], exp.Expr]] = {
        "within_last": lambda: exp.and_(at(exp.GT, -seconds), at(exp.LTE, 0)),
        "within_next": lambda: exp.and_(at(exp.GT, 0), at(exp.LTE, seconds)),
        "before_last": lambda: at(exp.LTE, -seconds),
        "after_next": lambda: at(exp.GT, seconds),
    }
    return made[operator]()


def _textual(left: Typed, operator: str, right: tuple[Constant, ...], where: str, *, ignore_case: bool) -> exp.Expr:
    if left.type != "text":
        raise mismatch(left, "a text", where)
    own = _cased(left.sql, ignore_case)
    return exp.or_(*(op(operator, own.copy(), _cased(constant(part, "text"), ignore_case)) for part in right))  # type: ignore[arg-type]


def _whatever_case(left: Typed, operator: str, right: tuple[Constant, ...]) -> exp.Expr:
    """Equality of texts with their letters lowered by the warehouse."""
    lowered = [exp.Lower(this=constant(each, "text")) for each in right]
    if operator == "one_of":
        return exp.In(this=exp.Lower(this=left.sql), expressions=lowered)
    return _COMPARISONS[operator](this=exp.Lower(this=left.sql.copy()), expression=lowered[0])


def _one_of(left: Typed, right: tuple[Constant, ...], zone: str, where: str) -> exp.Expr:
    if left.type in TIMES:
        return exp.or_(*(_binary(left, "=", value, zone, where) for value in right))
    return exp.In(this=left.sql, expressions=[_same_type(left, value, where) for value in right])


def _binary(left: Typed, operator: str, value: Constant, zone: str, where: str) -> exp.Expr:
    comparison = _COMPARISONS[operator]
    if left.type in TIMES:
        return _time(left, comparison, value, zone, where)
    if operator in {"before_date", "after_date"}:
        raise mismatch(left, "a time", where)
    if left.type == "boolean" and operator not in {"=", "!="}:
        raise _no_order(left, where)
    own = left.sql.copy() if operator in {"=", "!="} else sortable(left.sql.copy(), left.type)
    return comparison(this=own, expression=_same_type(left, value, where))


def _same_type(left: Typed, value: Constant, where: str) -> exp.Expr:
    if class_of(left.type) != class_of_constant(value):
        raise mismatch(left, f"a {class_of_constant(value)} ({value!r})", where)
    if left.type == "decimal" and isinstance(value, float):
        return constant(Decimal(repr(value)), "decimal")  # 9.99 means 9.99, not the float nearest to it
    if left.type == "float" and isinstance(value, int) and abs(value) > 2**53:
        return constant(float(value), "float")
    return constant(value, left.type)


def _time(left: Typed, comparison: type[exp.Binary], value: Constant, zone: str, where: str) -> exp.Expr:
    try:
        moment = _instant(left, value, zone, where)
        local = moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        raise DefinitionError(f"{value} in {zone} lies outside the years 1 to 9999", where=where) from None
    if left.type != "date":
        bound = moment if left.type == "timestamp_tz" else moment.replace(tzinfo=None)
        return comparison(this=left.sql.copy(), expression=constant(bound, left.type))
    midnight = local.time() == dt.time()
    if midnight:
        return comparison(this=left.sql.copy(), expression=constant(local.date(), "date"))
    if comparison is exp.EQ:  # no day begins at that instant
        return exp.false()
    if comparison is exp.NEQ:
        return given(left.sql.copy())
    return _FLOORED.get(comparison, comparison)(this=left.sql.copy(), expression=constant(local.date(), "date"))


def _instant(left: Typed, value: Constant, zone: str, where: str) -> dt.datetime:
    """The constant as an aware instant; a date is midnight in the source's time zone, a naive instant is UTC."""
    if isinstance(value, str):
        try:
            value = (
                dt.date.fromisoformat(value) if len(value) == len("2026-01-31") else dt.datetime.fromisoformat(value)
            )
        except ValueError:
            raise mismatch(left, f"a text ({value!r})", where, "write a date as '2026-01-31'") from None
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)
    raise mismatch(left, f"a {class_of_constant(value)} ({value!r})", where)


def _no_order(left: Typed, where: str) -> DefinitionError:
    return DefinitionError(
        f"{left.label} is a truth value, which has no order", where=where, hint="compare it with = true or = false"
    )


def mismatch(left: Typed, other: str, where: str, hint: str = "") -> DefinitionError:
    """A value that cannot be compared with another thing."""
    said = class_of(left.type) or left.type
    return DefinitionError(
        f"{left.label} is a {said} ({left.type}), and this compares it with {other}",
        where=where,
        hint=hint or f"compare it with a {said}, or change its type in a view of the warehouse",
    )
