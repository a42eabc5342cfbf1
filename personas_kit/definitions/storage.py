"""Definitions as plain data and back: what may be kept as JSON. ``from_dict(x.to_dict())`` means the same as ``x``.

Every node is ``{"node": <its class>, <its fields>}``. A date is ``{"date": ...}`` and an instant ``{"instant": ...}``,
since a text is only a text; fields that have their usual value are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Final, cast

from personas_kit.definitions import expressions, streams
from personas_kit.definitions.definition import (
    AccountAudience,
    AccountTrait,
    Audience,
    Definition,
    SqlAudience,
    SqlTrait,
    Trait,
)
from personas_kit.errors import DefinitionError, UnknownName

VERSION: Final = 1
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
    if not isinstance(data, Mapping) or data.get("version") != VERSION:
        version = data.get("version") if isinstance(data, Mapping) else None
        raise DefinitionError(
            f"a definition of version {VERSION} is expected, not of {version!r}", hint="give what to_dict() gave"
        )
    kind = _DEFINITIONS.get(str(data.get("type")))
    if kind is None:
        raise UnknownName("type of definition", str(data.get("type")), _DEFINITIONS)
    said = {name: value for name, value in data.items() if name not in {"version", "type"}}
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
    return item.default is not MISSING and type(found) is type(item.default) and found is item.default


def _read(value: object) -> object:
    match value:
        case {"date": str() as day}:
            return dt.date.fromisoformat(day)
        case {"instant": str() as moment}:
            return dt.datetime.fromisoformat(moment)
        case {"node": str() as name}:
            kind = _NODES.get(name)
            if kind is None:
                raise UnknownName("node", name, _NODES)
            return _made(kind, {str(field): inner for field, inner in value.items() if field != "node"})  # type: ignore[attr-defined]
        case list():
            return tuple(_read(each) for each in value)
        case _:
            return value


def _made(kind: type[Any], said: Mapping[str, Any]) -> object:
    try:
        return kind(**{name: _read(value) for name, value in said.items()})
    except TypeError:
        known = ", ".join(item.name for item in fields(kind))
        raise DefinitionError(f"{kind.__name__} has other fields", hint=f"these: {known}") from None
