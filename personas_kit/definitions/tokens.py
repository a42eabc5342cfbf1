"""Cuts text of the query language into tokens that know where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from personas_kit.errors import SyntaxProblem, nearest

Kind = Literal["name", "number", "string", "symbol", "end"]

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>-?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
      | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<symbol>==|!=|<>|<=|>=|[=<>().,:{}\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_CURLY = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text, what it means, and the position of its first character."""

    kind: Kind
    text: str
    at: int

    @property
    def shown(self) -> str:
        """For messages."""
        return "the end" if self.kind == "end" else self.text


def tokens_of(text: str) -> list[Token]:
    """The tokens of the text, the last of kind ``end``.

    Raises:
        SyntaxProblem: a character that starts nothing, or a quote that is not closed.
    """
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            _refuse(text, at)
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup, match.group(), at))  # type: ignore[arg-type]
        at = match.end()
    return [*found, Token("end", "", len(text.rstrip()))]


def unquoted(token: Token) -> str:
    """The text that a string token stands for."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), token.text[1:-1], flags=re.DOTALL)


def problem(text: str, at: int, what: str, *, hint: str = "") -> SyntaxProblem:
    """An error that shows the line and a caret under the character."""
    start = text.rfind("\n", 0, at) + 1
    stop = text.find("\n", at)
    line = text[start : stop if stop >= 0 else len(text)]
    first = max(0, at - start - 60)
    shown = line[first : first + 100]
    return SyntaxProblem(what, where=f"{shown}\n         {' ' * (at - start - first)}^", hint=hint)


def meant(word: str, known: tuple[str, ...] | list[str]) -> str:
    """``did you mean 'count'?``, or nothing."""
    near = nearest(word, known, limit=1)
    return f"did you mean {near[0]!r}?" if near else ""


def _refuse(text: str, at: int) -> NoReturn:
    character = text[at]
    if character in "'\"":
        raise problem(text, at, "this text is not closed", hint=f"end it with {character}")
    if character.translate(_CURLY) != character:
        raise problem(text, at, "a typographic quote starts no text", hint="write ' or \"")
    hints = {"&": "write AND", "|": "write OR", "~": "write NOT", "!": "write NOT"}
    raise problem(text, at, f"{character!r} means nothing here", hint=hints.get(character, ""))
