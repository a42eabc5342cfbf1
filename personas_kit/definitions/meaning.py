"""What a definition meant when it was pushed: itself and everything that it refers to, as JSON text and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from personas_kit.definitions.definition import Definition
from personas_kit.definitions.storage import from_dict, to_dict
from personas_kit.definitions.uses import referred


@dataclass(frozen=True, slots=True)
class Meaning:
    """A definition, and by key those that it refers to, directly or not."""

    definition: Definition
    refers: Mapping[str, Definition]

    def to_text(self) -> str:
        """As JSON text."""
        refers = {key: to_dict(each) for key, each in sorted(self.refers.items())}
        return json.dumps({"definition": to_dict(self.definition), "refers": refers}, ensure_ascii=False)


def meaning_of(definition: Definition, registry: Mapping[str, Definition]) -> Meaning:
    """What a definition means now."""
    refers = referred([definition], registry)
    return Meaning(definition, {key: each for key, each in refers.items() if key != definition.key})


def read_meaning(text: str) -> Meaning | None:
    """The meaning that was kept; None where none was.

    Raises:
        DefinitionError: a later version kept it.
    """
    if not text:
        return None
    data = json.loads(text)
    return Meaning(from_dict(data["definition"]), {key: from_dict(each) for key, each in data["refers"].items()})
