"""A definition becomes a draft. What cannot be clicked is kept as text of the query language."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from personas_kit.definitions.definition import AccountAudience, Audience, Definition
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Not,
    OfUsers,
    Or,
    PropertyRef,
    Split,
    TraitRef,
)
from personas_kit.definitions.streams import Events, Reduced, Users, Window
from personas_kit.errors import DefinitionError
from personas_kit.notebook.builder.values import Plain, plain_duration, plain_value, takes

DEEPEST = 24
"""Levels of a draft. What lies deeper is text: nobody finds the way through so many groups."""

_AT_LEAST_ONE: Final = {"op": ">=", "values": [{"type": "number", "text": "1"}], "ignore_case": False}
"""For users that are not counted, so that a person can turn to counting them."""


def opened(definition: Definition, audiences: Collection[str] = ()) -> dict[str, Any]:
    """The definition as a draft.

    Args:
        definition: an audience.
        audiences: keys of the audiences that are known; a trait of such a key is one that somebody is in.

    Raises:
        DefinitionError: it is a trait, or SQL of a person's own: there is nothing in it to click.
    """
    if not isinstance(definition, Audience | AccountAudience):
        raise DefinitionError(
            "audiences can be opened in the builder, and this is not one that is made of conditions",
            where=repr(definition.name),
            hint="change it where it is written",
        )
    opener = _Opener(frozenset(audiences))
    found = {
        "kind": definition.kind,
        "name": definition.name,
        "key": definition.key,
        "where": opener.group(definition.where, "all", 0),
        "unless": opener.group(definition.unless, "any", 0),
    }
    if isinstance(definition, AccountAudience):
        found["unless_user"] = opener.group(definition.unless_user, "any", 0)
    return found


@dataclass(frozen=True, slots=True)
class _Opener:
    audiences: frozenset[str]
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def node(self, kind: str, **said: object) -> Plain:
        return {"id": f"r{next(self._ids)}", "is": kind, "not": False, **said}

    def group(self, condition: Condition | None, usual: str, level: int) -> Plain:
        """A group, whatever the condition is; empty without one."""
        if isinstance(condition, And | Or) and level < DEEPEST:
            return self.condition(condition, level)
        found = self.node(usual)
        return found | {"parts": [] if condition is None else [self.condition(condition, level + 1)]}

    def condition(self, node: Condition, level: int) -> Plain:
        found = self.clickable(node, level) if level < DEEPEST else None
        return self.node("text", text=str(node)) if found is None else found

    def clickable(self, node: Condition, level: int) -> Plain | None:
        match node:
            case And(parts) | Or(parts):
                found = self.node("all" if isinstance(node, And) else "any")
                return found | {"parts": [self.condition(part, level + 1) for part in parts]}
            case Not(OfUsers("any", part)):
                return self.users("none", part, level, deepcopy(_AT_LEAST_ONE))
            case Not(Not()):
                return self.node("all") | {"not": True, "parts": [self.condition(node.part, level + 1)]}
            case Not(part):
                return self.condition(part, level) | {"not": True}
            case OfUsers(quantifier, part):
                return self.users(quantifier, part, level, deepcopy(_AT_LEAST_ONE))
            case Split(name, low, high, by, holdout):
                return self.node("split", name=name, low=repr(low), high=repr(high), by=by, holdout=holdout)
            case Compare():
                return self.comparison(node, level)
            case _:
                return None

    def comparison(self, node: Compare, level: int) -> Plain | None:
        if takes(node.operator) == "one" and len(node.right) != 1:
            return None
        compared = _compared(node)
        match node.left:
            case TraitRef(key, "subject") if key in self.audiences and _is_true(node):
                return self.node("in_audience", audience=key)
            case TraitRef(key, of):
                return self.node("trait", trait=key, of=of) | compared
            case PropertyRef(name, as_type, parent):
                return self.node("property", property=name, parent=parent) | {"as": as_type} | compared
            case Reduced(Events() as stream) as reduced:
                measure = _measure(reduced)
                return None if measure is None else self.event(stream, level) | {"measure": measure} | compared
            case Reduced(Users(condition), "count"):
                return self.users("count", condition, level, compared)
            case Reduced(Users(None), "share", Condition() as condition):
                return self.users("share", condition, level, compared)
            case _:
                return None

    def users(self, quantifier: str, of: Condition | None, level: int, compared: Plain) -> Plain:
        found = self.node("users", quantifier=quantifier)
        return found | {"of": self.group(of, "all", level + 1)} | compared

    def event(self, stream: Events, level: int) -> Plain:
        found = self.node("event", event=stream.name, counted=stream.counted, window=_window(stream.window))
        return found | {"where": self.group(stream.condition, "all", level + 1)}


def _compared(node: Compare) -> Plain:
    if takes(node.operator) == "duration":
        values = [{"type": "duration", **plain_duration(int(str(each)))} for each in node.right]
    else:
        values = list(map(plain_value, node.right))
    return {"op": node.operator, "values": values, "ignore_case": node.ignore_case}


def _is_true(node: Compare) -> bool:
    return node.operator == "=" and node.right[0] is True and not node.ignore_case


def _measure(node: Reduced) -> Plain | None:
    match node.of:
        case None:
            return {"of": "count"}
        case PropertyRef(name, as_type, False):
            return {"of": node.reducer, "property": name, "as": as_type, "at_least": str(node.at_least)}
        case _:
            return None


def _window(window: Window | None) -> Plain | None:
    if window is None:
        return None
    newer = plain_duration(window.newer) if window.newer else None
    return {"older": plain_duration(window.older), "newer": newer, "parent": window.parent}
