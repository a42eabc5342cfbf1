"""Definitions as plain data and back: what may be kept as JSON. ``from_dict(x.to_dict())`` means the same as ``x``.

Every node is ``{"node": <its class>, <its fields>}``. A date is ``{"date": ...}`` and an instant ``{"instant": ...}``,
since a text is only a text; fields that have their usual value are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Final, Literal, cast, get_args, get_origin, get_type_hints

from personas_kit.definitions import expressions, streams, words
from personas_kit.definitions.definition import (
    AccountAudience,
    AccountTrait,
    Audience,
    Definition,
    SqlAudience,
    SqlTrait,
    Trait,
)
from personas_kit.definitions.language import parse
from personas_kit.errors import DefinitionError, UnknownName

VERSION: Final = 1
_GAVE: Final = "give what to_dict() gave"
_DEEPEST: Final = 170
"""Levels of data: two for each level that a definition may have, and far from where Python gives up."""
_NODES: Final[dict[str, type[Any]]] = {
    kind.__name__: kind
    for kind in (
        expressions.Compare, expressions.And, expressions.Or, expressions.Not, expressions.OfUsers, expressions.Top,
        expressions.Split, expressions.TraitRef, expressions.PropertyRef, streams.Window, streams.Events,
        streams.Users, streams.Reduced,
    )
}  # fmt: skip
_DEFINITIONS: Final[dict[str, type[Definition]]] = {
    kind.__name__: kind for kind in (Audience, AccountAudience, Trait, AccountTrait, SqlAudience, SqlTrait)
}


def to_dict(definition: Definition) -> dict[str, Any]:
    """The definition as plain data."""
    own = {item.name: getattr(definition, item.name) for item in fields(definition)}
    said = {name: _plain(value) for name, value in own.items() if value is not None}
    return {"version": VERSION, "type": type(definition).__name__, **said}


def from_dict(data: Mapping[str, Any]) -> Definition:
    """The definition that plain data means.

    Raises:
        DefinitionError: it is not one, or was kept by a later version.
    """
    version = data.get("version") if isinstance(data, Mapping) else None
    if version != VERSION:
        other = repr(version) if isinstance(version, str | int | None) else type(version).__name__
        raise DefinitionError(f"a definition of version {VERSION} is expected, not of {other}", hint=_GAVE)
    name = data.get("type")
    kind = _DEFINITIONS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise UnknownName("type of definition", name if isinstance(name, str) else type(name).__name__, _DEFINITIONS)
    said = {field: _meant(_read(value)) for field, value in data.items() if field not in {"version", "type"}}
    return cast("Definition", _made(kind, said))


def _plain(value: object) -> object:
    match value:
        case dt.datetime():
            return {"instant": value.isoformat()}
        case dt.date():
            return {"date": value.isoformat()}
        case tuple():
            return [_plain(each) for each in value]
        case expressions.Expression() | streams.Window():
            said = {item.name: getattr(value, item.name) for item in fields(value) if not _is_usual(item, value)}  # type: ignore[arg-type]
            return {"node": type(value).__name__} | {name: _plain(each) for name, each in said.items()}
        case _:
            return value


def _is_usual(item: Field[Any], value: object) -> bool:
    found = getattr(value, item.name)
    return item.default is not MISSING and type(found) is type(item.default) and bool(found == item.default)


def _read(value: object, level: int = 0) -> object:
    """The value, or the node as it was kept, its fields of the right types."""
    if level > _DEEPEST:
        raise DefinitionError("the definition is nested too deep", hint="split it into several audiences")
    match value:
        case {"date": str() as day}:
            return _time(dt.date.fromisoformat, day)
        case {"instant": str() as moment}:
            return _time(dt.datetime.fromisoformat, moment)
        case {"node": str() as name}:
            kind = _NODES.get(name)
            if kind is None:
                raise UnknownName("node", name, _NODES)
            return _node(kind, {field: _read(inner, level + 1) for field, inner in value.items() if field != "node"})  # type: ignore[attr-defined]
        case Mapping():
            raise DefinitionError("a node says which it is", hint=_GAVE)
        case list() | tuple():
            return tuple(_read(each, level + 1) for each in value)
        case _:
            return value


def _meant(value: object) -> object:
    """A tree as its text is read: so nothing can be kept that could not be written."""
    if not isinstance(value, expressions.Expression):
        return value
    try:
        return parse(str(value))
    except ValueError:  # no number where there has to be one
        raise DefinitionError("the fields of a node do not go together", hint=_GAVE) from None


def _time(read: Callable[[str], dt.date], said: str) -> dt.date:
    try:
        return read(said)
    except ValueError:
        raise DefinitionError(f"{said!r} is not a date or an instant", hint="as in 2026-01-31T08:00:00+00:00") from None


def _node(kind: type[Any], said: Mapping[str, object]) -> object:
    made, wanted = _made(kind, said), get_type_hints(kind)
    for item in fields(kind):
        if not _fits(getattr(made, item.name), wanted[item.name]):
            raise DefinitionError(f"{kind.__name__} has another {item.name}", hint=_GAVE)
    if isinstance(made, expressions.Compare):
        several = len(made.right) >= 1 if made.operator in words.OF_MANY else len(made.right) == 1
        if not (not made.right if made.operator in words.TESTS.values() else several):
            raise DefinitionError(f"{made.operator} takes another number of values", hint=_GAVE)
    return made


def _fits(value: object, wanted: Any) -> bool:  # noqa: ANN401 - an annotation
    """Whether a value is of the type that an annotation says, as far as nodes are annotated."""
    inside = get_args(wanted)
    if get_origin(wanted) is Literal:
        return isinstance(value, str) and value in inside
    if get_origin(wanted) is tuple:
        return isinstance(value, tuple) and all(_fits(each, inside[0]) for each in value)
    if inside:
        return any(_fits(value, each) for each in inside)
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, (int, float) if wanted is float else wanted)


def _made(kind: type[Any], said: Mapping[str, Any]) -> object:
    try:
        return kind(**said)
    except TypeError:
        known = ", ".join(item.name for item in fields(kind))
        raise DefinitionError(f"{kind.__name__} has other fields", hint=f"these: {known}") from None
