"""The text of a file of definitions, with one block of it changed or added: every other character stays.

The text is known to be TOML. A statement of a block that says the same already stays as the person wrote it, and so do
comments, ``every`` and ``to``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from personas_kit.definitions import Definition, parse
from personas_kit.definitions.definition import default_key
from personas_kit.definitions.toml import BLOCKS, FIELDS, block_of, fields_of
from personas_kit.errors import ConfigError

_LANGUAGE = frozenset({"where", "unless", "unless_user", "value"})
_TOKEN = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"""(?:"{0,2})'
    r"|'''[\s\S]*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|(?P<comment>\#[^\n]*)"
    r"|(?P<newline>\n)"
    r"|(?P<opens>[\[{])|(?P<closes>[\]}])|(?P<equals>=)"
    r"|(?P<space>[ \t\r]+)"
    r"|[^\s\"'\#\[\]{}=]+"
)


@dataclass(frozen=True, slots=True)
class _Statement:
    """``name = value``: where the name begins, where the value does, and where it ends."""

    name: str
    start: int
    value: int
    end: int


@dataclass(slots=True)
class _Block:
    """``[[name]]``: where the name stands, and what is said right below it.

    Attributes:
        start, end: of the header.
        divided: tables such as ``[[audience.to]]`` follow, which bear its name.
    """

    name: str
    start: int
    end: int
    statements: list[_Statement] = field(default_factory=list)
    divided: bool = False


@dataclass(frozen=True, slots=True)
class _Edit:
    """Puts a text in the place of another."""

    start: int
    end: int
    text: str


def keys_in(text: str) -> dict[str, str]:
    """The keys that are defined in a text -> the name of their block."""
    return {_key(said): name for name, said in _entries(tomllib.loads(text))}


def with_definition(text: str, definition: Definition) -> str:
    """The text with the block of a definition: in the place of the one with its key, else at the end.

    Raises:
        ConfigError: the block stands in a way that cannot be changed without touching something else.
        DefinitionError: the definition has a part that only Python can say.
    """
    line = "\r\n" if "\r\n" in text else "\n"
    if definition.key in keys_in(text):
        new = _changed(text, definition, line)
    else:
        gap = "" if text.endswith(2 * line) or not text else line if text.endswith(line) else 2 * line
        new = text + gap + definition.to_toml().replace("\n", line)
    _check_the_rest(text, new, definition.key)
    return new


def _changed(text: str, definition: Definition, line: str) -> str:
    """The text with another block of this key."""
    block, said = _find(text, definition.key)
    fields = fields_of(definition)
    if "file" in said:  # the SQL stands there
        fields.pop("sql", None)
    if "key" not in said and default_key(definition.name) == definition.key:
        del fields["key"]
    edits = [*_header(block, block_of(definition))]
    for statement in block.statements:
        if statement.name not in FIELDS or (statement.name == "file" and "sql" not in fields):
            continue
        if statement.name not in fields:
            edits.append(_without(text, statement))
        elif not _same(statement.name, said[statement.name], fields[statement.name]):
            edits.append(_Edit(statement.value, statement.end, fields[statement.name].replace("\n", line)))
    missing = {name: value for name, value in fields.items() if name not in said}
    if missing:
        edits.append(_added(text, block, missing, line))
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _find(text: str, key: str) -> tuple[_Block, dict[str, Any]]:
    blocks = [*_blocks(text)]
    for name, entries in _of_kinds(tomllib.loads(text)).items():
        of_kind = [block for block in blocks if block.name == name]
        for at, said in enumerate(entries):
            if _key(said) == key:
                if len(of_kind) != len(entries):
                    raise ConfigError(
                        f"{key} stands in {name} = [...], which cannot be changed by itself",
                        hint=f"write it as a block of its own, below [[{name}]]",
                    )
                return of_kind[at], said
    raise AssertionError(key)  # the caller has looked


def _header(block: _Block, name: str) -> Iterator[_Edit]:
    """The block's other name, if its kind is written otherwise now."""
    if block.name == name:
        return
    if block.divided:
        raise ConfigError(
            f"the block is to become [[{name}]], and others below it bear its name",
            hint=f"write what is below it as to = [...] first, instead of [[{block.name}.to]]",
        )
    yield _Edit(block.start, block.end, f"[[{name}]]")


def _same(name: str, old: object, new: str) -> bool:
    """Whether a value says the same: of the language, whatever its spaces and quotes."""
    value = tomllib.loads(f"new = {new}")["new"]
    if name in _LANGUAGE and isinstance(old, str):
        return str(parse(old)) == str(parse(value))
    return bool(old == value)


def _without(text: str, statement: _Statement) -> _Edit:
    """A statement goes: with its line, unless there is a comment on it."""
    start, end = text.rfind("\n", 0, statement.start) + 1, text.find("\n", statement.end)
    end = len(text) if end < 0 else end + 1
    if text[statement.end : end].strip():
        return _Edit(statement.start, statement.end, "")
    return _Edit(start, end, "")


def _added(text: str, block: _Block, fields: Mapping[str, str], line: str) -> _Edit:
    """New statements, below the last one that is about the definition; written like it."""
    last = [statement for statement in block.statements if statement.name in FIELDS][-1]
    at, indent = text.find("\n", last.end), text[text.rfind("\n", 0, last.start) + 1 : last.start]
    widest = len(text[last.start : last.value].split("=", maxsplit=1)[0])
    lines = [f"{indent}{name:{widest}}= {value}" for name, value in fields.items()]
    if widest <= max(map(len, fields)):
        lines = [f"{indent}{name} = {value}" for name, value in fields.items()]
    added = "\n".join(lines).replace("\n", line)
    return _Edit(len(text), len(text), line + added) if at < 0 else _Edit(at + 1, at + 1, added + line)


def _check_the_rest(old: str, new: str, key: str) -> None:
    """What is said besides the definition of this key is what was said before."""
    try:
        same = _rest(old, key) == _rest(new, key)
    except ValueError:  # it is no TOML any more
        same = False
    if not same:
        raise ConfigError(f"the block of {key} cannot be written without changing others", hint="write it by hand")


def _rest(text: str, key: str) -> object:
    data = tomllib.loads(text)
    others = [(name, said) for name, said in _entries(data) if _key(said) != key]
    own = [
        {name: value for name, value in said.items() if name not in FIELDS}
        for _, said in _entries(data)
        if _key(said) == key
    ]
    return {name: said for name, said in data.items() if name not in BLOCKS}, others, own or [{}]


def _of_kinds(data: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {name: data[name] for name in BLOCKS if name in data}


def _entries(data: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, entries in _of_kinds(data).items():
        yield from ((name, said) for said in entries)


def _key(said: Mapping[str, Any]) -> str:
    return str(said.get("key") or default_key(str(said["name"])))


# ------------------------------------------------------------------------------------------------------------- reading


def _blocks(text: str) -> Iterator[_Block]:
    """The blocks of definitions, each with its own statements."""
    current: _Block | None = None
    for start, equals, end in _lines(text):
        said = text[start:end]
        if equals is None:
            head = tomllib.loads(said)
            (name, below), *_ = head.items()
            if name in BLOCKS and isinstance(below, list):
                current = _Block(name, start, end)
                yield current
            elif current is not None and name == current.name:
                current.divided, current = True, None
            else:
                current = None
        elif current is not None:
            value = equals + 1 + len(text[equals + 1 : end]) - len(text[equals + 1 : end].lstrip())
            (name,) = tomllib.loads(f"{text[start:equals]}=0")
            current.statements.append(_Statement(name, start, value, end))


def _lines(text: str) -> Iterator[tuple[int, int | None, int]]:
    """Where a header or a statement starts, where its ``=`` is (None for a header), and where it ends."""
    start: int | None = None
    equals: int | None = None
    end = depth = 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "space" or (kind in {"comment", "newline"} and (start is None or depth)):
            continue
        if kind in {"comment", "newline"}:
            if start is not None:
                yield start, equals, end
            start = equals = None
            continue
        start = token.start() if start is None else start
        depth += {"opens": 1, "closes": -1}.get(kind or "", 0)
        equals = token.start() if kind == "equals" and equals is None and not depth else equals
        end = token.end()
    if start is not None:
        yield start, equals, end
