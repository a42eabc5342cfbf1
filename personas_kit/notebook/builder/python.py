"""A definition as Python that a person could have written; run, it makes an equal definition."""

from __future__ import annotations

import datetime as dt
import keyword
from collections.abc import Collection

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
    said = [f"    {name}={writer.argument(node, 8)},\n" for name, node in conditions if node is not None]
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
    """Writes nodes, and keeps in mind what has to be imported for them."""

    def __init__(self, audiences: frozenset[str]) -> None:
        self._audiences = audiences
        self.used: set[str] = set()
        self.dates = False

    def argument(self, node: Condition, indent: int) -> str:
        """A condition; where it is long, its parts on lines of their own."""
        line = self.condition(node)
        if not isinstance(node, And | Or) or len(line) + indent <= WIDTH:
            return line
        sign = "& " if isinstance(node, And) else "| "
        margin = " " * indent
        first, *others = (self.part(part) for part in node.parts)
        lines = [first, *(f"{sign}{part}" for part in others)]
        return "(\n" + "".join(f"{margin}{line}\n" for line in lines) + f"{margin[:-4]})"

    def condition(self, node: Condition) -> str:
        match node:
            case And(parts):
                return " & ".join(map(self.part, parts))
            case Or(parts):
                return " | ".join(map(self.part, parts))
            case Not(OfUsers("any", part)):
                return self.call("no_user", self.condition(part))
            case Not(part):
                return f"~{self.part(part)}"
            case OfUsers(quantifier, part):
                return self.call("any_user" if quantifier == "any" else "all_users", self.condition(part))
            case Top(count, by, part, smallest):
                last = ["smallest=True"] if smallest else []
                return self.call("top", str(count), f"by={self.value(by)}", f"of={self.condition(part)}", *last)
            case Split(name, low, high, by, held):
                last = ['by="account"'] if by == "account" else []
                said = self.constant(high) if held else f"({self.constant(low)}, {self.constant(high)})"
                return self.call("holdout" if held else "split", quoted(name), said, *last)
            case Compare():
                return self.comparison(node)
            case _:
                raise TypeError(f"nobody writes a {type(node).__name__}")

    def part(self, node: Condition) -> str:
        """In parentheses, unless it is a call or a negation."""
        text = self.condition(node)
        symbols = isinstance(node, Compare) and node.operator in _SYMBOLS and not node.ignore_case
        bare = isinstance(node, Not | OfUsers | Top | Split) or (isinstance(node, Compare) and not symbols)
        return text if bare or self._is_member(node) else f"({text})"

    def call(self, name: str, *arguments: str) -> str:
        self.used.add(name)
        return f"{name}({', '.join(arguments)})"

    def _is_member(self, node: Condition) -> bool:
        match node:
            case Compare(TraitRef(key, "subject"), "=", (True,), False):
                return key in self._audiences and node.right[0] is True
            case _:
                return False

    def comparison(self, node: Compare) -> str:
        if isinstance(node.left, TraitRef) and self._is_member(node):
            return self.call("in_audience", quoted(node.left.key))
        left, operator, right = self.value(node.left), node.operator, node.right
        if operator in _SYMBOLS and not node.ignore_case:
            return f"{left} {_SYMBOLS[operator]} {self.operand(right[0])}"
        if operator in words.RELATIVE:
            return f"{left}.{operator}({_duration(int(str(right[0])))})"
        if operator in words.DATES:
            return f"{left}.{words.DATES[operator]}({self.moment(right[0])})"
        said = [*map(self.operand, right), *(["ignore_case=True"] if node.ignore_case else [])]
        return f"{left}.{_IN_WORDS.get(operator, operator)}({', '.join(said)})"

    # --- values ------------------------------------------------------------------------------------------------------

    def value(self, node: Expression) -> str:
        match node:
            case TraitRef(key, of):
                return self.call("account_trait" if of == "account" else "trait", quoted(key))
            case PropertyRef(name, as_type, parent):
                kind = [f"as_type={quoted(as_type)}"] if as_type else []
                return self.call("prop", f"parent={quoted(name)}" if parent else quoted(name), *kind)
            case Reduced():
                return f"{self.stream(node.stream)}.{self.reducer(node)}"
            case _:
                raise TypeError(f"nobody writes a {type(node).__name__}")

    def stream(self, node: Expression) -> str:
        match node:
            case Events(name, condition, window, counted):
                where = "" if condition is None else f".where({self.condition(condition)})"
                return f"{self.call('event', quoted(name))}{where}{_window(window)}{_COUNTED[counted]}"
            case Users(condition):
                return self.call("users") + ("" if condition is None else f".where({self.condition(condition)})")
            case _:
                raise TypeError(f"nobody writes a {type(node).__name__}")

    def reducer(self, node: Reduced) -> str:
        if node.of is None:
            return "count()"
        inside = self.condition(node.of) if isinstance(node.of, Condition) else self.reduced(node.of)
        match node.reducer:
            case "most_frequent":
                times = "" if node.at_least == 2 else f", at_least={node.at_least}"  # noqa: PLR2004  (the usual)
                return f"most_frequent({inside}{times})"
            case "unique_count":
                return f"unique({inside}).count()"
            case _:
                return f"{node.reducer}({inside})"

    def reduced(self, of: Expression) -> str:
        """A property or a trait by its name alone, where nothing else is said of it."""
        match of:
            case PropertyRef(name, None, False) | TraitRef(name, "subject"):
                return quoted(name)
            case _:
                return self.value(of)

    def operand(self, node: Operand) -> str:
        return self.value(node) if isinstance(node, Value) else self.constant(node)

    def moment(self, node: Operand) -> str:
        """A date or instant, where nothing else can be meant."""
        if isinstance(node, dt.date):
            return quoted(node.isoformat().replace("+00:00", "Z"))
        return self.operand(node)

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
