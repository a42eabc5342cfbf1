"""A definition as Python that a person could have written; run, it makes an equal definition."""

from __future__ import annotations

import datetime as dt
import keyword
from collections.abc import Callable, Collection
from dataclasses import replace

from personas_kit.definitions import words
from personas_kit.definitions.definition import AccountAudience, Definition, default_key
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Expression,
    Not,
    OfUsers,
    Operand,
    Or,
    PropertyRef,
    Split,
    Top,
    TraitRef,
    Value,
)
from personas_kit.definitions.streams import Events, Reduced, Users, Window
from personas_kit.errors import DefinitionError

_NEVER = -1
"""For ``indent``: a line that is not broken."""
_AROUND, _WHERE = 4, 17
"""Characters beside a part in its line: a sign and parentheses; and beside all that is kept out or in."""
WIDTH = 100
"""Characters of a line, as far as there is a place to break one."""
_IN_WORDS = {"=": "equals", "!=": "differs"}
_SYMBOLS = {**{each: each for each in words.SYMBOLS.values()}, "=": "=="}


def python_of(definition: Definition, *, audiences: Collection[str] = ()) -> str:
    """Imports, and an assignment to a name that is made of the key.

    Args:
        definition: an audience.
        audiences: keys that are written as ``in_audience`` where somebody is in them.
    """
    writer = _Writer(frozenset(audiences))
    names = ("where", "unless", "unless_user")
    conditions = [(name, getattr(definition, name, None)) for name in names]
    said = [f"    {name}={writer.argument(node)},\n" for name, node in conditions if node is not None]
    if definition.key != _default(definition.name):
        said.append(f"    key={quoted(definition.key)},\n")
    kind = "AccountAudience" if isinstance(definition, AccountAudience) else "Audience"
    imported = sorted(writer.used)
    imports = ["import datetime as dt\n\n"] if writer.dates else []
    imports.append("import personas_kit as pk\n")
    imports += [f"from personas_kit import {', '.join(imported)}\n"] if imported else []
    known = {*imported, "pk", "dt"}
    variable = definition.key + "_" * (definition.key in known or keyword.iskeyword(definition.key))
    return f"{''.join(imports)}\n{variable} = pk.{kind}(\n    {quoted(definition.name)},\n{''.join(said)})\n"


def quoted(text: str) -> str:
    """A text in quotes, double ones where that needs no escapes; what is invisible is escaped."""
    said = repr(text)
    return f'"{said[1:-1]}"' if said.startswith("'") and '"' not in said else said


def _default(name: str) -> str:
    try:
        return default_key(name)
    except DefinitionError:  # nothing of the name is left
        return ""


class _Writer:
    """Writes nodes, and keeps in mind what has to be imported for them.

    ``indent`` is how far in the line begins that something stands in: what does not fit is broken, outermost first.
    """

    def __init__(self, audiences: frozenset[str]) -> None:
        self._audiences = audiences
        self.used: set[str] = set()
        self.dates = False

    def condition(self, node: Condition, indent: int) -> str:
        """A condition that stands between parentheses, or where it needs none; broken if it does not fit."""
        return self.said(node, indent if self.is_broken(node, indent) else _NEVER)

    def said(self, node: Condition, indent: int) -> str:
        match node:
            case And(parts) | Or(parts):
                sign = "&" if isinstance(node, And) else "|"
                between = f" {sign} " if indent == _NEVER else f"\n{' ' * indent}{sign} "
                return between.join(self.part(part, indent) for part in parts)
            case Not(OfUsers("any", part)):
                return self.call("no_user", self.inside(part, indent))
            case Not(part):
                return f"~{self.part(part, indent)}"
            case OfUsers(quantifier, part):
                return self.call("any_user" if quantifier == "any" else "all_users", self.inside(part, indent))
            case Top():
                return self.top(node, indent)
            case Split():
                return self.split(node)
            case Compare():
                return self.comparison(node, indent)
            case _:
                raise TypeError(f"nobody writes a {type(node).__name__}")

    def inside(self, node: Condition, indent: int) -> str:
        """A condition as all that is between two parentheses."""
        return _between(indent, lambda margin: self.condition(node, margin))

    def argument(self, node: Condition) -> str:
        """A condition after ``where=``."""
        line = self.said(node, _NEVER)
        if len(line) + _WHERE <= WIDTH:
            return line
        return f"({self.inside(node, 4)})" if isinstance(node, And | Or) else self.said(node, 4)

    def part(self, node: Condition, indent: int) -> str:
        """In parentheses, unless it is a call or a negation."""
        if isinstance(node, And | Or):
            return f"({self.inside(node, indent if self.is_broken(node, indent) else _NEVER)})"
        symbols = isinstance(node, Compare) and node.operator in _SYMBOLS and not node.ignore_case
        line = self.condition(node, indent)
        return f"({line})" if symbols and not self._is_member(node) else line

    def is_broken(self, node: Condition, indent: int) -> bool:
        """Whether a condition does not fit in its line."""
        return indent != _NEVER and len(self.said(node, _NEVER)) + indent + _AROUND > WIDTH

    def call(self, name: str, *arguments: str) -> str:
        self.used.add(name)
        return f"{name}({', '.join(arguments)})"

    def top(self, node: Top, indent: int) -> str:
        def said(margin: int) -> str:
            between = ", " if margin == _NEVER else f",\n{' ' * margin}"
            by, of = self.value(node.by, _NEVER), self.condition(node.part, margin)
            return between.join(
                [str(node.count), f"by={by}", f"of={of}", *(["smallest=True"] if node.smallest else [])]
            )

        return self.call("top", _between(indent, said))

    def split(self, node: Split) -> str:
        last = ['by="account"'] if node.by == "account" else []
        if node.holdout:
            return self.call("holdout", quoted(node.name), self.constant(node.high), *last)
        return self.call("split", quoted(node.name), f"({self.constant(node.low)}, {self.constant(node.high)})", *last)

    def _is_member(self, node: Condition) -> bool:
        match node:
            case Compare(TraitRef(key, "subject"), "=", (right,), False):
                return right is True and key in self._audiences
            case _:
                return False

    def comparison(self, node: Compare, indent: int) -> str:
        if isinstance(node.left, TraitRef) and self._is_member(node):
            return self.call("in_audience", quoted(node.left.key))
        left, operator, right = self.value(node.left, indent), node.operator, node.right
        if operator in _SYMBOLS and not node.ignore_case:
            return f"{left} {_SYMBOLS[operator]} {self.operand(right[0], indent)}"
        if operator in words.RELATIVE:
            return f"{left}.{operator}({_duration(int(str(right[0])))})"
        if operator in words.DATES:
            return f"{left}.{words.DATES[operator]}({self.moment(right[0], indent)})"
        said = [self.operand(each, indent) for each in right]
        said += ["ignore_case=True"] if node.ignore_case else []
        return f"{left}.{_IN_WORDS.get(operator, operator)}({', '.join(said)})"

    # --- values ------------------------------------------------------------------------------------------------------

    def value(self, node: Expression, indent: int) -> str:
        match node:
            case TraitRef(key, of):
                return self.call("account_trait" if of == "account" else "trait", quoted(key))
            case PropertyRef(name, as_type, parent):
                kind = [f"as_type={quoted(as_type)}"] if as_type else []
                return self.call("prop", f"parent={quoted(name)}" if parent else quoted(name), *kind)
            case Reduced():
                return f"{self.stream(node.stream, indent)}.{self.reducer(node, indent)}"
            case _:
                raise TypeError(f"nobody writes a {type(node).__name__}")

    def stream(self, node: Expression, indent: int) -> str:
        match node:
            case Events(name, condition, window, counted):
                where = "" if condition is None else self.narrowed(condition, indent)
                return f"{self.call('event', quoted(name))}{where}{_window(window)}{_COUNTED[counted]}"
            case Users(condition):
                where = "" if condition is None else f".where({self.inside(condition, indent)})"
                return self.call("users") + where
            case _:
                raise TypeError(f"nobody writes a {type(node).__name__}")

    def narrowed(self, condition: Condition, indent: int) -> str:
        """``where``, and last what follows, or does not."""
        parts = condition.parts if isinstance(condition, And) else (condition,)
        *others, last = parts
        step, happened = _step(last)
        if step is None or (others and _continues(others[-1])):
            return f".where({self.inside(condition, indent)})"
        narrow = ""
        if others:
            narrow = f".where({self.inside(others[0] if len(others) == 1 else And(tuple(others)), indent)})"
        following = replace(step, window=step.window and replace(step.window, parent=False))
        then = _between(
            indent,
            lambda margin: self.stream(
                following, _NEVER if len(self.stream(following, _NEVER)) + margin <= WIDTH else margin
            ),
        )
        return f"{narrow}.{'then' if happened else 'not_then'}({then})"

    def reducer(self, node: Reduced, indent: int) -> str:
        if node.of is None:
            return "count()"
        of = self.inside(node.of, indent) if isinstance(node.of, Condition) else self.reduced(node.of, indent)
        match node.reducer:
            case "most_frequent":
                times = "" if node.at_least == 2 else f", at_least={node.at_least}"  # noqa: PLR2004  (the usual)
                return f"most_frequent({of}{times})"
            case "unique_count":
                return f"unique({of}).count()"
            case _:
                return f"{node.reducer}({of})"

    def reduced(self, of: Expression, indent: int) -> str:
        """A property or a trait by its name alone, where nothing else is said of it."""
        match of:
            case PropertyRef(name, None, False) | TraitRef(name, "subject"):
                return quoted(name)
            case _:
                return self.value(of, indent)

    def operand(self, node: Operand, indent: int) -> str:
        return self.value(node, indent) if isinstance(node, Value) else self.constant(node)

    def moment(self, node: Operand, indent: int) -> str:
        """A date or instant, where nothing else can be meant."""
        if isinstance(node, dt.date):
            return quoted(node.isoformat().replace("+00:00", "Z"))
        return self.operand(node, indent)

    def constant(self, value: object) -> str:
        match value:
            case dt.datetime():
                self.dates = True
                return f"dt.datetime.fromisoformat({quoted(value.isoformat())})"
            case dt.date():
                self.dates = True
                return f"dt.date({value.year}, {value.month}, {value.day})"
            case str():
                return quoted(value)
            case _:
                return repr(value)


def _between(indent: int, said: Callable[[int], str]) -> str:
    """What is between two parentheses, on lines of its own unless nothing is broken here."""
    if indent == _NEVER:
        return said(_NEVER)
    margin = indent + 4
    return f"\n{' ' * margin}{said(margin)}\n{' ' * indent}"


def _continues(condition: Condition) -> bool:
    """Whether ``then`` would go on from the event in this condition, instead of the event around it."""
    part = condition.part if isinstance(condition, Not) else condition
    return isinstance(part, Compare) and isinstance(part.left, Reduced) and isinstance(part.left.stream, Events)


def _step(condition: Condition) -> tuple[Events | None, bool]:
    """The event that has to follow, or must not, where a condition is as ``then`` and ``not_then`` write it."""
    match condition:
        case Compare(Reduced(Events(_, _, window) as step, "count"), ">=", (1,), False):
            return (step, True) if _is_one(condition) and (window is None or window.parent) else (None, True)
        case Not(Compare() as part):
            return _step(part)[0], False
        case _:
            return None, True


def _is_one(node: Compare) -> bool:
    """Not ``True`` and not ``1.0``, which equal it."""
    return type(node.right[0]) is int


_COUNTED = {"member": "", "event": '.scope("event")', "at_event": '.membership("at_event")'}


def _window(window: Window | None) -> str:
    if window is None:
        return ""
    parent = ", parent=True" if window.parent else ""
    if not window.newer:
        return f".within({_duration(window.older)}{parent})"
    unit, size = _unit(window.older, window.newer)
    return f".between({unit}=({_amount(window.older, size)}, {_amount(window.newer, size)}){parent})"


def _duration(seconds: int) -> str:
    unit, size = _unit(seconds)
    return f"{unit}={_amount(seconds, size)}"


def _unit(*seconds: int) -> tuple[str, int]:
    """The largest unit in which all are whole, else hours."""
    return ("days", 86_400) if all(each % 86_400 == 0 for each in seconds) else ("hours", 3_600)


def _amount(seconds: int, size: int) -> str:
    return str(seconds // size) if seconds % size == 0 else repr(seconds / size)
