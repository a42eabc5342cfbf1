"""What a person sees of data: personal data made unreadable, hidden characters made visible.

A column or a key is personal if its name says so; e-mail addresses and telephone numbers are found anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

import polars as pl

HIDDEN = "•••"

# Each part starts where a word starts, so that a text is read once, however long it is.
_EMAIL = re.compile(
    r"(?<![^\s@\"'<>,;:()\[\]{}|=&?/\\])(?P<one>[^\s@\"'<>,;:()\[\]{}|=&?/\\])[^\s@\"'<>,;:()\[\]{}|=&?/\\]*"
    r"@(?P<two>[^\s@\"'<>,;:()\[\]{}|=&?/\\.])[^\s@\"'<>,;:()\[\]{}|=&?/\\]*(?P<end>\.(?:xn--[a-z0-9-]+|[^\W\d_]{2,}))\b"
)
_PHONE = re.compile(r"(?<![\w+])\+\d[\d ().\-/]{6,18}\d(?!\w)")
_PRIVATE = re.compile(
    r"e?mail|phone|mobile|(?:^|_)(?:tel|fax|fn|ln)(?:_|$)|name|address|street|zip|post(?:al)?_?code|birth|dob\b|ssn"
    r"|passport|iban|(?:^|_)ip(?:_|$)|ip_?addr|latitude|longitude|token|secret|password|api_?key|credential",
    re.IGNORECASE,
)
_PUBLIC = re.compile(r"(plan|product|event|company|account|domain|project|campaign)_?name|name_of", re.IGNORECASE)
#: What a number or a date is that says who somebody is; ``emails_opened`` and ``phone_calls`` are counts.
_PRIVATE_NUMBER = re.compile(
    r"(?:phone|mobile|(?:^|_)tel|fax|ssn|passport|iban|birth(?:_?da(?:y|te))?|dob|zip|post(?:al)?_?code|latitude"
    r"|longitude|(?:^|_)(?:lat|lon|lng)|(?:^|_)ip)(?:s|_?(?:number|no|nr|num|code)s?)?\W*$",
    re.IGNORECASE,
)
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that count as printable and show nothing."""


def visible(text: str) -> str:
    """The text with every character written out that hides, turns text around, or moves a cursor.

    Line ends and tabs stay.
    """
    if text.isprintable() and _FILLERS.isdisjoint(text):
        return text
    return "".join(one if one in "\n\t" or (one.isprintable() and one not in _FILLERS) else _code(one) for one in text)


def masked(
    frame: pl.DataFrame, keep: tuple[str, ...] = ("user_id", "account_id"), called: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """The frame with personal data made unreadable: columns whose name says so, and addresses anywhere.

    Args:
        frame: what is to be shown.
        keep: columns whose name says nothing: ids, and the ``name`` of an account. Addresses go from them, too.
        called: what a column is of, where its name does not tell: ``{"value": "main_phone"}``.
    """
    names = called or {}
    return frame.select(_masked(frame[name], "" if name in keep else names.get(name, name)) for name in frame.columns)


def masked_changes(changes: pl.DataFrame, key: str) -> pl.DataFrame:
    """Changes of a definition, whose members may be identifiers and whose values are JSON."""
    return changes.with_columns(
        pl.Series(name, [None if text is None else mask_json(of, text) for text in changes[name]], dtype=pl.String)
        for name, of in (("member", ""), ("value", key))
        if name in changes.columns
    )


def mask_text(text: str) -> str:
    """Addresses inside a text become ``j•••@e•••.com``, telephone numbers with a country ``+•••``."""
    return _PHONE.sub(f"+{HIDDEN}", _EMAIL.sub(rf"\g<one>{HIDDEN}@\g<two>{HIDDEN}\g<end>", text))


def mask_value(name: str, value: object) -> object:
    """A value of a column, or under a key, made unreadable where it is personal; lists and documents part by part."""
    match value:
        case str():
            return _mask_private(value) if _is_private(name) else mask_text(value)
        case Mapping():
            return {key: mask_value(name if _is_private(name) else str(key), each) for key, each in value.items()}
        case list() | tuple():
            return [mask_value(name, each) for each in value]
        case pl.Series():
            return mask_value(name, value.to_list())
        case None | bool():
            return value
        case _:
            return HIDDEN if _PRIVATE_NUMBER.search(name) else value


def mask_json(name: str, text: str) -> str:
    """A text that may be JSON, under a name."""
    if text[:1] not in {"{", "[", '"'}:
        return str(mask_value(name, text))
    try:
        return json.dumps(mask_value(name, json.loads(text)), ensure_ascii=False)
    except ValueError:
        return str(mask_value(name, text))


def mask_body(text: str) -> str:
    """The body of a request as people read it: JSON, or a form with JSON in its fields; personal data masked."""
    try:
        body: object = json.loads(text)
    except ValueError:
        fields = parse_qsl(text)
        if not fields:
            return mask_text(text)
        body = {name: _loaded(value) for name, value in fields}
    return json.dumps(mask_value("", body), indent=2, ensure_ascii=False)


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _masked(column: pl.Series, name: str) -> pl.Series:
    """A column with its values masked; as text, where what was masked was none."""
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        return _masked(column.cast(pl.String), name)
    if column.dtype != pl.String and not column.dtype.is_nested() and not _PRIVATE_NUMBER.search(name):
        return column
    before = column.to_list()
    values = [mask_value(name, value) for value in before]
    if values == before:
        return column
    texts = [
        each if each is None or isinstance(each, str) else json.dumps(each, default=str, ensure_ascii=False)
        for each in values
    ]
    return pl.Series(column.name, texts, dtype=pl.String)


def _is_private(name: str) -> bool:
    return bool(_PRIVATE.search(name)) and not _PUBLIC.search(name)


def _mask_private(text: str) -> str:
    """An address or a number keeps its shape if it is all there is: a name may stand beside it."""
    alone = _EMAIL.fullmatch(text) or _PHONE.fullmatch(text)
    return mask_text(text) if alone else f"{text[:1]}{HIDDEN}"


def _code(one: str) -> str:
    number = ord(one)
    return f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004
