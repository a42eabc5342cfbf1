"""Definitions as blocks of ``personas.toml``: what ``x.to_toml()`` gives is read back as an equal definition.

The key is always written, so that another name later is no other key.
"""

from __future__ import annotations

import json
from typing import Final

from personas_kit.definitions.definition import AccountAudience, Audience, Definition, SqlDefinition
from personas_kit.definitions.expressions import Expression, SqlMembers, SqlValue, walk
from personas_kit.errors import DefinitionError

BLOCKS: Final = ("audience", "account_audience", "trait", "account_trait", "sql_audience", "sql_trait")
"""The names of the blocks."""
FIELDS: Final = (
    "name", "key", "where", "unless", "unless_user", "value", "scope", "membership", "of", "dialect", "sql", "file",
)  # fmt: skip
"""What a block says of the definition itself; the rest is when and where to it goes."""


def to_toml(definition: Definition) -> str:
    """The block of a definition, as it stands in ``personas.toml``.

    Raises:
        DefinitionError: it has a part that only Python can say.
    """
    fields = fields_of(definition)
    widest = max(map(len, fields))
    lines = [f"{name:{widest}} = {said}" for name, said in fields.items()]
    return "\n".join([f"[[{block_of(definition)}]]", *lines, ""])


def block_of(definition: Definition) -> str:
    """The name of its block."""
    if isinstance(definition, SqlDefinition):
        return "sql_audience" if definition.is_audience else "sql_trait"
    return definition.kind


def fields_of(definition: Definition) -> dict[str, str]:
    """What its block says, each value as TOML writes it.

    Raises:
        DefinitionError: it has a part that only Python can say.
    """
    return {name: long_text(said) if name == "sql" else text(said) for name, said in _said(definition).items()}


def text(value: str) -> str:
    """A text in TOML. What JSON escapes, TOML escapes alike, but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def long_text(value: str) -> str:
    """The same, its lines one below the other."""
    if "\n" not in value:
        return text(value)
    lines = "\n".join(text(line)[1:-1] for line in value.split("\n"))
    plain = lines.replace('\\"', '"')  # quotes need no escape there, unless they could be the end
    ends_early = '"""' in plain or plain.endswith('"')
    return '"""\n' + (lines if ends_early else plain) + '"""'


def _said(definition: Definition) -> dict[str, str]:
    """Scope and membership are not among it: they stand in the text of the events."""
    said = {"name": definition.name, "key": definition.key}
    if isinstance(definition, SqlDefinition):
        more = {"of": definition.of if definition.of != "user" else "", "dialect": definition.dialect}
        return {**said, **{name: value for name, value in more.items() if value}, "sql": definition.sql}
    if not isinstance(definition, Audience | AccountAudience):
        return {**said, "value": _language(definition, definition.expression)}
    said["where"] = _language(definition, definition.where)
    if definition.unless is not None:
        said["unless"] = _language(definition, definition.unless)
    if isinstance(definition, AccountAudience) and definition.unless_user is not None:
        said["unless_user"] = _language(definition, definition.unless_user)
    return said


def _language(definition: Definition, expression: Expression) -> str:
    """An expression as text that can be read."""
    if any(isinstance(node, SqlMembers | SqlValue) for node in walk(expression)):
        raise DefinitionError(
            "SQL of your own cannot stand inside a condition of personas.toml",
            where=repr(definition.name),
            hint="make it a definition of its own, and refer to it: in_audience(key), trait(key)",
        )
    return str(expression)
