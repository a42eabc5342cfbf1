"""Whether data has the shape of a draft (``draft.py`` says it), whatever it means: what is drawn can rely on that.

What a browser says of a draft is only taken over if it still has its shape afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Check = Callable[[object], bool]

_DEEPEST: Final = 200
"""Levels of a draft: far from where Python gives up, and more than can be meant."""


def is_draft(data: object) -> bool:
    """Whether every field is there and of its type, and every id is there once."""
    found = _fields(data, {"kind": _text, "name": _text, "key": _text, "where": _dict, "unless": _dict})
    if not found or not isinstance(data, dict) or not data.keys() <= _FIELDS:
        return False
    ids: list[str] = []
    roots = [data[name] for name in ("where", "unless", "unless_user") if name in data]
    return all(_is_node(root, ids, 0, group=True) for root in roots) and len(set(ids)) == len(ids)


def _is_node(data: object, ids: list[str], level: int, *, group: bool = False) -> bool:
    """Whether this is a node, and all that is in it; its ids are added to those that are known."""
    if not isinstance(data, dict) or level > _DEEPEST:
        return False
    kind = data.get("is")
    wanted = _KINDS.get(kind) if isinstance(kind, str) else None
    if wanted is None or (group and "parts" not in wanted) or not _fields(data, _EVERY | wanted):
        return False
    ids.append(data["id"])
    return all(_is_node(each, ids, level + 1, group=inner) for each, inner in _inside(data))


def _inside(node: Mapping[str, Any]) -> Iterator[tuple[object, bool]]:
    """The nodes right in a node, and whether each has to be a group."""
    yield from ((part, False) for part in node.get("parts", ()))
    if node["is"] == "event":
        yield node["where"], True
    if node["is"] == "users":
        yield node["of"], True


def _fields(data: object, wanted: Mapping[str, Check]) -> bool:
    return isinstance(data, dict) and all(name in data and check(data[name]) for name, check in wanted.items())


def _text(data: object) -> bool:
    """A text of whole characters: half of one cannot be sent anywhere."""
    return isinstance(data, str) and data.encode(errors="replace").decode() == data


def _flag(data: object) -> bool:
    return isinstance(data, bool)


def _dict(data: object) -> bool:
    return isinstance(data, dict)


def _list(data: object) -> bool:
    return isinstance(data, list)


def _maybe(check: Check) -> Check:
    return lambda data: data is None or check(data)


def _duration(data: object) -> bool:
    return _fields(data, {"amount": _text, "unit": _text})


def _values(data: object) -> bool:
    return isinstance(data, list) and all(
        _fields(each, {"type": _text}) and (_duration(each) if each["type"] == "duration" else _text(each.get("text")))
        for each in data
    )


def _window(data: object) -> bool:
    return _fields(data, {"older": _duration, "newer": _maybe(_duration), "parent": _flag})


def _measure(data: Any) -> bool:  # noqa: ANN401 - it is not looked into before it is known
    of = {"property": _text, "as": _maybe(_text), "at_least": _text}
    return _fields(data, {"of": _text}) and (len(data) == 1 or _fields(data, of))


_FIELDS: Final = frozenset({"kind", "name", "key", "where", "unless", "unless_user"})
_EVERY: Final[dict[str, Check]] = {"id": _text, "not": _flag}
_COMPARED: Final[dict[str, Check]] = {"op": _text, "values": _values, "ignore_case": _flag}
_KINDS: Final[dict[str, dict[str, Check]]] = {
    "all": {"parts": _list},
    "any": {"parts": _list},
    "event": {"event": _text, "where": _dict, "window": _maybe(_window), "measure": _measure, "counted": _text}
    | _COMPARED,
    "trait": {"trait": _text, "of": _text} | _COMPARED,
    "property": {"property": _text, "as": _maybe(_text), "parent": _flag} | _COMPARED,
    "in_audience": {"audience": _text},
    "users": {"quantifier": _text, "of": _dict} | _COMPARED,
    "split": {"name": _text, "low": _text, "high": _text, "by": _text, "holdout": _flag},
    "text": {"text": _text},
}
