"""What is likely not meant as it is written: nothing here is wrong, and everything is worth a look.

Rules that need the tree alone; those that need the warehouse's tables are in ``personas_kit.insight.data_rules``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from personas_kit.definitions.definition import Definition
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Constant,
    Expression,
    Not,
    OfUsers,
    Or,
    PropertyRef,
    Value,
    parts_of,
    walk,
)
from personas_kit.definitions.streams import Events, Reduced
from personas_kit.definitions.uses import Use, roots_of, uses_of

Code = Literal[
    "not_and", "differs_missing", "all_empty", "always_true", "always_false", "redundant", "windows_touch",
    "mixed_types", "not_seen", "rarely_there", "unknown_property", "slow_like", "naive_time", "renamed_key",
    "not_looked",
]  # fmt: skip
"""Every rule, those on data included; ``docs/language.md`` has the table."""
_NEGATED = {
    "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "exists": "absent", "absent": "exists",
}  # fmt: skip
_ORDERED = frozenset({"<", "<=", ">", ">=", "="})
_OF_TIMES = frozenset({"before_date", "after_date", "within_last", "within_next", "before_last", "after_next"})


@dataclass(frozen=True, slots=True)
class Warned:
    """One thing to know about a definition.

    Attributes:
        code: the rule, such as ``not_and``.
        part: which part of the definition, as text.
        what: what it means as it stands.
        hint: what to write if something else is meant.
    """

    code: Code
    part: str
    what: str
    hint: str

    def __str__(self) -> str:
        """Two lines for a person."""
        return f"{self.what}: {self.part}\n{self.hint}"

    def to_dict(self) -> dict[str, str]:
        """As plain data."""
        return {"code": self.code, "part": self.part, "what": self.what, "hint": self.hint}


def lint(definition: Definition) -> list[Warned]:
    """Everything worth a look in a definition, each once, from left to right."""
    found: dict[Warned, None] = {}
    for root, _ in roots_of(definition):
        if isinstance(root, Compare):
            found |= dict.fromkeys(_differs(Not(root)))
        for node in walk(root):
            for rule in RULES:
                found |= dict.fromkeys(rule(node))
    found |= dict.fromkeys(_read_both_ways(definition))
    return list(found)


def read_as(use: Use) -> str:
    """As what a property is read of which nobody says the type: ``texts``, ``numbers`` or ``truth values``.

    Empty where somebody says it, where it does not matter, and where it is compared with several kinds.
    """
    if not isinstance(use.value, PropertyRef) or use.value.as_type is not None:
        return ""
    if use.reducer in _OF_NUMBERS:
        return "numbers"
    if use.compare is None or use.reducer not in _AS_THEY_ARE or use.compare.operator in _OF_TIMES:
        return ""
    kinds = {_kind(each) for each in use.compare.right if not isinstance(each, Value)}
    return kinds.pop() if len(kinds) == 1 and kinds <= {"texts", "numbers", "truth values"} else ""


def say_type(of: PropertyRef) -> str:
    """What to write so that a property is read alike everywhere."""
    return f"say which it is wherever it stands: prop({of.name!r}, 'number'), in text {PropertyRef(of.name, 'number')}"


def _not_and(node: Expression) -> Iterator[Warned]:
    match node:
        case Not(And()):
            yield Warned(
                "not_and",
                str(node),
                "true as soon as one of them does not hold",
                "if neither may hold, write (~a) & (~b), in text NOT a AND NOT b",
            )


def _differs(node: Expression) -> Iterator[Warned]:
    """A comparison by != beside no word about missing values."""
    for part in parts_of(node):
        if not isinstance(part, Compare) or part.operator != "!=" or _counts(part.left):
            continue
        said = (
            isinstance(other, Compare) and other.operator in {"exists", "absent"} and _same(other.left, part.left)
            for other in parts_of(node)
        )
        if not any(said):
            yield _differs_warning(part)


def _differs_warning(part: Compare) -> Warned:
    return Warned(
        "differs_missing",
        str(part),
        "who has no value does not differ",
        f"to count them as well, write NOT {part.left} = ..., or add OR {part.left}.absent()",
    )


def _all_users(node: Expression) -> Iterator[Warned]:
    if isinstance(node, OfUsers) and node.quantifier == "all":
        yield Warned(
            "all_empty",
            str(node),
            "an account without users does not satisfy ALL",
            "to let it in, write no_user(~(...)), in text NOT ANY NOT (...)",
        )


def _constant(node: Expression) -> Iterator[Warned]:
    """Comparisons of a count that every number satisfies, or none."""
    match node:
        case Compare(Reduced(_, reducer), operator, (int() | float() as number,)) if reducer in _COUNTING:
            if isinstance(number, bool):
                return
            always = (operator == ">=" and number <= 0) or (operator == ">" and number < 0)
            never = (operator == "<" and number <= 0) or (operator in {"<=", "="} and number < 0)
            if always:
                yield Warned("always_true", str(node), "everybody satisfies it", "compare it with 1 or more")
            if never:
                yield Warned("always_false", str(node), "nobody satisfies it", "a count is 0 or more")


def _branches(node: Expression) -> Iterator[Warned]:
    """Parts that repeat, contradict or swallow each other."""
    if not isinstance(node, And | Or):
        return
    said: dict[str, Condition] = {}
    for part in node.parts:
        text = str(part)
        if text in said:
            yield Warned("redundant", text, "it is there twice", "leave one out")
        said[text] = part
    for one, other in combinations(said.values(), 2):
        yield from _opposed(node, one, other)
        inner: type[And | Or] = Or if isinstance(node, And) else And
        for small, large in ((one, other), (other, one)):
            if isinstance(large, inner) and any(str(part) == str(small) for part in large.parts):
                yield Warned("redundant", str(large), f"it changes nothing beside {small}", "leave it out")


def _opposed(node: And | Or, one: Condition, other: Condition) -> Iterator[Warned]:
    """Two parts of which only one can hold, or of which one always does."""
    opposite = str(_opposite(one)) == str(other) or str(one) == str(_opposite(other))
    if isinstance(node, And) and (opposite or _contradict(one, other)):
        yield Warned("always_false", f"{one} AND {other}", "nobody satisfies both", "leave one out, or write OR")
    elif isinstance(node, Or) and opposite and not (_can_miss(one) and _can_miss(other)):
        yield Warned("always_true", f"{one} OR {other}", "everybody satisfies one", "leave both out")


def _windows(node: Expression) -> Iterator[Warned]:
    """Two windows of one event that meet at an instant."""
    if not isinstance(node, And | Or):
        return
    seen = [part for each in node.parts for part in walk(each) if isinstance(part, Events) and part.window]
    for one, other in combinations(seen, 2):
        if one.name != other.name or one.window is None or other.window is None:
            continue
        if one.window.parent or other.window.parent:
            continue
        newer, older = sorted((one.window, other.window), key=lambda window: window.older)
        if newer.older == older.newer:
            yield Warned(
                "windows_touch",
                f"{one} and {other}",
                "the windows meet: an event exactly there is in the older one",
                "nothing is counted twice and nothing is lost; this is only to know",
            )


def _mixed(node: Expression) -> Iterator[Warned]:
    """Texts and numbers among the values of one comparison."""
    if isinstance(node, Compare) and node.operator in {"one_of", "none_of"}:
        kinds = {_kind(each) for each in node.right if not isinstance(each, Value)}
        if len(kinds) > 1:
            yield Warned(
                "mixed_types", str(node), f"it compares with {' and '.join(sorted(kinds))}", "keep values of one type"
            )


def _read_both_ways(definition: Definition) -> Iterator[Warned]:
    """A property of which nobody says the type, read as one thing here and as another there.

    A column has a type, and comparing it with another is an error; a key of a document is read as it is compared.
    """
    read: dict[tuple[str, str], dict[str, str]] = {}
    for use in uses_of(definition):
        kind = read_as(use)
        if kind and use.events is not None and isinstance(use.value, PropertyRef):
            read.setdefault((use.events.name, use.value.name), {}).setdefault(kind, str(use.part))
    for (event, name), kinds in read.items():
        if len(kinds) > 1:
            yield Warned(
                "mixed_types",
                " and ".join(kinds.values()),
                f"{name!r} of {event!r} is read as {' and as '.join(sorted(kinds))}",
                say_type(PropertyRef(name)),
            )


RULES: tuple[Callable[[Expression], Iterator[Warned]], ...] = (
    _not_and, _differs, _all_users, _constant, _branches, _windows, _mixed,
)  # fmt: skip
_COUNTING = frozenset({"count", "unique_count"})
_OF_NUMBERS = frozenset({"sum", "avg", "min", "max"})
_AS_THEY_ARE = frozenset({None, "first", "last", "most_frequent"})


def _counts(value: Value) -> bool:
    """Whether the value is never missing."""
    return isinstance(value, Reduced) and value.reducer in {"count", "sum", "unique_count"}


def _same(one: Expression, other: Expression) -> bool:
    return str(one) == str(other)


def _opposite(node: Condition) -> Condition:
    """What holds where this does not, as people write it."""
    match node:
        case Not(part):
            return part
        case Compare(left, operator, right, ignore_case) if operator in _NEGATED:
            return Compare(left, _NEGATED[operator], right, ignore_case)  # type: ignore[arg-type]
        case _:
            return Not(node)


def _can_miss(node: Condition) -> bool:
    """Whether it is a comparison that is false for want of a value. NOT is true negation: it is true then."""
    return isinstance(node, Compare) and node.operator not in {"exists", "absent"} and not _counts(node.left)


def _contradict(one: Condition, other: Condition) -> bool:
    """Whether no value satisfies two comparisons with constants."""
    if not (isinstance(one, Compare) and isinstance(other, Compare)) or not _same(one.left, other.left):
        return False
    if one.operator == "absent" or other.operator == "absent":
        positive = {"exists", "!=", "contains", "starts_with", "ends_with", "one_of"} | _ORDERED
        return {one.operator, other.operator} & positive != set() and one.operator != other.operator
    if one.operator not in _ORDERED or other.operator not in _ORDERED:
        return False
    left, right = one.right[0], other.right[0]
    if isinstance(left, Value | bool) or isinstance(right, Value | bool) or not _have_an_order(left, right):
        return False
    if one.ignore_case or other.ignore_case:
        return one.operator == "=" == other.operator and str(left).casefold() != str(right).casefold()
    return _empty(one.operator, left, other.operator, right)


def _have_an_order(left: Constant, right: Constant) -> bool:
    """A date and an instant have none: when a day begins in the source's time zone is not known here."""
    return _kind(left) == _kind(right) and isinstance(left, dt.datetime) == isinstance(right, dt.datetime)


def _empty(one: str, left: Constant, other: str, right: Constant) -> bool:
    """Whether nothing is both ``one left`` and ``other right``."""
    if one == "=" == other:
        return left != right
    if one in {"<", "<="} and other in {">", ">=", "="}:
        return _empty(other, right, one, left)
    if one in {">", ">=", "="} and other in {"<", "<="}:
        return right < left or (right == left and (one == ">" or other == "<"))  # type: ignore[operator]
    if one == "=" or other == "=":
        equal, bound, operator = (left, right, other) if one == "=" else (right, left, one)
        return not {"<": equal < bound, "<=": equal <= bound, ">": equal > bound, ">=": equal >= bound}[operator]  # type: ignore[operator]
    return False


def _kind(value: Constant) -> str:
    if isinstance(value, bool):
        return "truth values"
    if isinstance(value, int | float):
        return "numbers"
    return "texts" if isinstance(value, str) else "times"
