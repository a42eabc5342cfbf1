"""Cuts text of the query language into tokens that know where they stand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NoReturn

from personas_kit.errors import SyntaxProblem, nearest

Kind = Literal["name", "number", "instant", "string", "symbol", "end"]

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<instant>[0-9]{4}(?:-[0-9]{2}){2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9:]+)?)?)
      | (?P<number>-?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<string>'(?:[^'\\\r\n]|\\[^\r\n])*'|"(?:[^"\\\r\n]|\\[^\r\n])*")
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<symbol>==|!=|<>|<=|>=|[=<>().,:{}\[\]])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:([nrt'\"\\])|u([0-9A-Fa-f]{4})|.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_BEFORE, _SHOWN = 60, 100
"""How many characters of a line are shown before a place, and in all."""
_CURLY = "\u2018\u2019\u201a\u201c\u201d\u201e"
_INSTEAD = {
    "&": "write AND", "|": "write OR", "~": "write NOT", "!": "write NOT",
    "\u2265": "write >=", "\u2264": "write <=", "\u2260": "write !=",
}  # fmt: skip


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
        SyntaxProblem: a character that starts nothing, or a quote that is not closed in its line.
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


def unquoted(text: str, token: Token) -> str:
    """What a string token stands for.

    Raises:
        SyntaxProblem: a backslash before what it does not escape.
    """

    def meaning(found: re.Match[str]) -> str:
        if found[1]:
            return _ESCAPES.get(found[1], found[1])
        if found[2]:
            return chr(int(found[2], 16))
        raise problem(text, token.at + 1 + found.start(), "this backslash escapes nothing", hint="write \\\\ for one")

    return _ESCAPE.sub(meaning, token.text[1:-1])


def problem(text: str, at: int, what: str, *, hint: str = "") -> SyntaxProblem:
    """An error that shows the line and a caret under the character."""
    return SyntaxProblem(what, where=excerpt(text, at), hint=hint)


def excerpt(text: str, at: int, length: int = 1) -> str:
    """The line around a place, and below it carets under so many characters, as far as they are shown.

    What is invisible, or would move the cursor, is shown as U+FFFD.
    """
    start = text.rfind("\n", 0, at) + 1
    stop = text.find("\n", at)
    line = text[start : stop if stop >= 0 else len(text)].replace("\t", " ").rstrip("\r")
    first = max(0, at - start - _BEFORE)
    shown = "".join(each if each.isprintable() else "\ufffd" for each in line[first : first + _SHOWN])
    place = at - start - first
    before = sum(map(_width, shown[:place].ljust(place)))
    under = sum(map(_width, shown[place:][:length]))
    return f"{shown}\n         {' ' * before}{'^' * max(1, under)}"


def meant(word: str, known: Iterable[str]) -> str:
    """``did you mean 'count'?``, or nothing."""
    near = nearest(word, known, limit=1)
    return f"did you mean {near[0]!r}?" if near else ""


def _width(character: str) -> int:
    """How many columns a character takes where letters have one width."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _refuse(text: str, at: int) -> NoReturn:
    character = text[at]
    if character in "'\"":
        raise problem(text, at, "this text is not closed", hint=f"end it with {character} in the same line")
    if character in _CURLY:
        raise problem(text, at, "a typographic quote starts no text", hint="write ' or \"")
    raise problem(text, at, f"{character!r} means nothing here", hint=_INSTEAD.get(character, ""))
