"""What differs between two meanings of a definition, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from personas_kit.definitions.definition import Definition
from personas_kit.definitions.meaning import read_meaning
from personas_kit.errors import PersonasError

#: What a definition is called, and by whom it is known, is not what it means.
_NAMES = frozenset({"name", "key"})


def edits(before: str, now: str) -> list[str]:
    """What is different now, one sentence each; none if both mean the same.

    Args:
        before: the meaning that was pushed last, as JSON text; empty where it was not kept.
        now: the meaning now.
    """
    try:
        then, here = read_meaning(before), read_meaning(now)
    except PersonasError:
        return ["what was pushed was kept by a later version of the kit"]
    if then is None or here is None:
        return ["what was pushed was not kept as text"]
    found = _between("", then.definition, here.definition)
    for key in sorted({*then.refers, *here.refers}):
        found += _referred(key, then.refers, here.refers)
    return found


def _referred(key: str, then: Mapping[str, Definition], here: Mapping[str, Definition]) -> list[str]:
    if key not in here:
        return [f"{key!r} is not referred to any more"]
    if key not in then:
        return [f"{key!r} is referred to now: {here[key].expression}"]
    return _between(f"of {key!r}, ", then[key], here[key])


def _between(of: str, then: Definition, here: Definition) -> list[str]:
    if type(then) is not type(here):
        return [f"{of}it was {_kind(then)}, and is {_kind(here)}"]
    names = [item.name for item in fields(here) if item.name not in _NAMES]
    pairs = ((name, getattr(then, name), getattr(here, name)) for name in names)
    return [f"{of}{name} was {_said(old)}, and is {_said(new)}" for name, old, new in pairs if str(old) != str(new)]


def _kind(of: Definition) -> str:
    name = of.kind.replace("_", " ")
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _said(value: object) -> str:
    return "not given" if value is None else str(value)
