"""PURE: what a person does to a draft. Each function gives a new draft and leaves the one that it was given as it is.

What comes from a browser may be about a rule that is gone by now: then the draft stays the same.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from personas_kit.notebook.builder.menus import OF_TYPE
from personas_kit.notebook.builder.shape import is_draft
from personas_kit.notebook.builder.values import TRUTHS, takes

Plain = dict[str, Any]

ROOTS = ("where", "unless", "unless_user")
GROUPS = frozenset({"all", "any"})
_DURATION = {"type": "duration", "amount": "30", "unit": "days"}


@dataclass(frozen=True, slots=True)
class Found:
    """A node in a draft, and what it is in.

    Attributes:
        node: the node itself, to be changed only in a draft of one's own.
        group: the group that it is a part of; None for a group that is no part.
        above: the nodes around it, the outermost first.
    """

    node: Plain
    group: Plain | None
    above: tuple[Plain, ...]


def find(draft: Mapping[str, Any], id_: str) -> Found | None:
    """The node of an id."""
    return next((found for found in walk(draft) if found.node.get("id") == id_), None)


def put(draft: Plain, id_: str, path: Sequence[str | int], value: object) -> Plain:
    """Something else at a place in a node (or, without an id, in the draft): ``["window", "older", "amount"]``.

    What would not have the shape of a draft any more changes nothing.
    """
    if not all(isinstance(step, str | int) for step in path):
        return draft
    changed = copy.deepcopy(draft)
    found = find(changed, id_) if id_ else None
    at: Any = changed if not id_ else None if found is None else found.node
    *way, last = path or ("",)
    for step in way:
        at = _inside(at, step)
    if isinstance(at, dict) and last in at and last not in {"id", "parts"}:
        at[last] = value
    elif isinstance(at, list) and isinstance(last, int) and 0 <= last <= len(at):
        at[last : last + 1] = [value]
    else:
        return draft
    return changed if is_draft(changed) else draft


def without_value(draft: Plain, id_: str, at: int) -> Plain:
    """Without one of the values of a rule."""
    changed = copy.deepcopy(draft)
    found = find(changed, id_)
    if found is None or not 0 <= at < len(found.node.get("values", [])):
        return draft
    del found.node["values"][at]
    return changed


def added(draft: Plain, group: str, node: Plain) -> tuple[Plain, str]:
    """A node at the end of a group, and its id."""
    changed = copy.deepcopy(draft)
    found = find(changed, group)
    if found is None or "parts" not in found.node:
        return draft, ""
    new = _named(copy.deepcopy(node), _ids(changed))
    found.node["parts"].append(new)
    return changed, new["id"]


def removed(draft: Plain, id_: str) -> tuple[Plain, str]:
    """Without a node; and the id of what is next to it, or of the group that it was in."""
    changed = copy.deepcopy(draft)
    found = find(changed, id_)
    if found is None or found.group is None:
        return draft, ""
    parts = found.group["parts"]
    at = parts.index(found.node)
    del parts[at]
    near = parts[min(at, len(parts) - 1)] if parts else found.group
    return changed, near["id"]


def copied(draft: Plain, id_: str) -> tuple[Plain, str]:
    """A node twice, one after the other; and the id of the second."""
    changed = copy.deepcopy(draft)
    found = find(changed, id_)
    if found is None or found.group is None:
        return draft, ""
    new = _named(copy.deepcopy(found.node), _ids(changed))
    found.group["parts"].insert(found.group["parts"].index(found.node) + 1, new)
    return changed, new["id"]


def moved(draft: Plain, id_: str, by: int) -> Plain:
    """A node further up (-1) or down (1) in its group; beyond its ends out of it, where the group is itself a part."""
    changed = copy.deepcopy(draft)
    found = find(changed, id_)
    if found is None or found.group is None:
        return draft
    parts = found.group["parts"]
    at = parts.index(found.node)
    if 0 <= at + by < len(parts):
        parts.insert(at + by, parts.pop(at))
        return changed
    around = find(changed, found.group["id"])
    if around is None or around.group is None:
        return draft
    outer = around.group["parts"]
    outer.insert(outer.index(found.group) + (by > 0), parts.pop(at))
    return changed


def grouped(draft: Plain, id_: str) -> tuple[Plain, str]:
    """A node in a group of its own, which combines otherwise than the one around; and the group's id."""
    changed = copy.deepcopy(draft)
    found = find(changed, id_)
    if found is None or found.group is None:
        return draft, ""
    other = "any" if found.group["is"] == "all" else "all"
    new: Plain = {"id": _fresh(_ids(changed)), "is": other, "not": False, "parts": [found.node]}
    parts = found.group["parts"]
    parts[parts.index(found.node)] = new
    return changed, new["id"]


def fitted(draft: Plain, id_: str, kind: str, *, newly: bool = False) -> Plain:
    """The comparison of a rule as its type wants it: an operator that fits, and values of the type, or none yet.

    Args:
        draft: as it is.
        id_: of the rule.
        kind: ``string``, ``number``, ``boolean``, ``date`` or ``list``; empty if nobody knows, and all stays.
        newly: what is compared has just been chosen: without values yet, it is compared as is likeliest.
    """
    changed = copy.deepcopy(draft)
    found = find(changed, id_)
    if found is None or "op" not in found.node:
        return draft
    node = found.node
    said = [each for each in (_fitting(value, kind) for value in node["values"]) if _is_said(each)]
    fitting = OF_TYPE.get(kind, OF_TYPE[""])
    if node["op"] not in fitting or (newly and kind and not said):
        node["op"] = fitting[0]
    match takes(node["op"]):
        case "duration":
            node["values"] = [each for each in node["values"] if each.get("type") == "duration"][:1] or [
                dict(_DURATION)
            ]
        case "one":
            node["values"] = (said or ([{"type": "boolean", "text": "true"}] if kind == "boolean" else []))[:1]
        case "several":
            node["values"] = said
    return changed


def _is_said(value: Plain) -> bool:
    return bool(value["text"]) or value["type"] == "empty"


def _fitting(value: Plain, kind: str) -> Plain:
    """A value of a type. What was typed stays, as far as it can be one."""
    if value.get("type") == "value" or (value.get("type") == "empty" and kind in {"string", "list", ""}):
        return value
    was = value.get("type", "string")
    type_ = {"": was if was != "duration" else "string", "list": "string"}.get(kind, kind)
    text = value.get("text", "")
    if (type_ == "boolean" and text not in TRUTHS) or (was != type_ and type_ in {"number", "date"}):
        text = ""
    return {"type": type_, "text": text}


# --- ids and the tree -------------------------------------------------------------------------------------------------


def walk(draft: Mapping[str, Any]) -> Iterator[Found]:
    """Every node, each before those in it."""
    for root in ROOTS:
        if isinstance(draft.get(root), dict):
            yield from _below(draft[root], None, ())


def _below(node: Plain, group: Plain | None, above: tuple[Plain, ...]) -> Iterator[Found]:
    yield Found(node, group, above)
    around = (*above, node)
    for part in node.get("parts", []):
        yield from _below(part, node, around)
    for inner in ("where", "of"):
        if isinstance(node.get(inner), dict):
            yield from _below(node[inner], None, around)


def _inside(at: object, step: str | int) -> object:
    if isinstance(at, dict):
        return at.get(step)
    return at[step] if isinstance(at, list) and isinstance(step, int) and 0 <= step < len(at) else None


def _ids(draft: Mapping[str, Any]) -> set[str]:
    return {str(found.node.get("id")) for found in walk(draft)}


def _named(node: Plain, taken: set[str]) -> Plain:
    """The node with ids of its own, in it and below; these are taken from now on."""
    for found in _below(node, None, ()):
        found.node["id"] = _fresh(taken)
        taken.add(found.node["id"])
    return node


def _fresh(taken: set[str]) -> str:
    return next(f"n{at}" for at in range(1, len(taken) + 2) if f"n{at}" not in taken)
