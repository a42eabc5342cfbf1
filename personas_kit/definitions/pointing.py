"""Says of an error where in a definition it is: the definition by its name, its text, and the part underlined."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from personas_kit.definitions.definition import Definition, SqlDefinition
from personas_kit.definitions.tokens import excerpt
from personas_kit.definitions.uses import referred, roots_of
from personas_kit.errors import DefinitionError

THE_SQL = "the SQL"
"""The part of a definition that is SQL of the person's own; its errors show the line themselves, below this."""
_MADE = re.compile(r"\b(?:OWNER|SOME ACCOUNT) ")
"""What resolving adds to a text and nobody wrote."""


@contextmanager
def pointing(definition: Definition, registry: Mapping[str, Definition]) -> Iterator[None]:
    """Errors raised inside say where in the definition, or in one that it refers to, they are.

    An error's ``where`` is the text of the part until then; one that has been pointed at stays as it is.
    """
    try:
        yield
    except DefinitionError as error:
        if not error.definition:
            error.definition = definition.name
            error.where = _place(error.where, definition, registry)
        raise


def _place(part: str, definition: Definition, registry: Mapping[str, Definition]) -> str:
    searched = _MADE.sub("", part)
    for owner in referred([definition], registry).values():
        named = _named(definition) if owner is definition else f"{_named(definition)}, which refers to {_named(owner)}"
        if part.startswith(THE_SQL) and isinstance(owner, SqlDefinition):
            return f"{named}: {part}"
        for text in (str(root) for root, _ in roots_of(owner)):
            at = text.find(searched) if searched else -1
            if at >= 0:
                first = at - len(_letters_before(text, at))
                return f"{named}\n         {excerpt(text, first, at - first + len(searched))}"
    return f"{_named(definition)}: {searched}" if searched else _named(definition)


def _letters_before(text: str, at: int) -> str:
    """What makes ``trait('k')`` an ``account_trait('k')``: resolving leaves it out."""
    found = re.search(r"[a-z_]*$", text[:at])
    return found[0] if found else ""


def _named(definition: Definition) -> str:
    return f"{definition.kind.replace('_', ' ')} {definition.name!r}"
