"""The one encoder: columns of a frame to one JSON text per line, in polars from end to end.

``obj(userId=c.user_id, traits=obj(...), email=optional(...))`` is an expression. Plain columns are encoded together by
polars' own JSON writer; what is JSON text already (a nested object, a canonical value) is put in as it stands. A
missing plain value becomes an explicit ``null``; ``optional`` leaves the field out instead, which is what most vendors
want: a null overwrites a good value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import polars as pl

Parts = tuple[pl.Expr | str, ...]
"""A text in pieces; a piece that is a text is the same for all lines."""


@dataclass(frozen=True, slots=True)
class Json:
    """An expression whose text is JSON already. Null means missing.

    Attributes:
        parts: what the text is put together from, if it is never missing. What it stands in takes these instead, so
            that an object in an object is written once.
    """

    text: pl.Expr
    parts: Parts = ()


@dataclass(frozen=True, slots=True)
class Optional:
    """A field that is left out where it is missing."""

    value: pl.Expr | Json


Known = Json | Optional | str | int | bool | None
Field = pl.Expr | Known


def raw(text: pl.Expr) -> Json:
    """A column that holds JSON text, such as a canonical value."""
    return Json(text)


def optional(value: pl.Expr | Json) -> Optional:
    """Leave the field out where the value is missing."""
    return Optional(value)


def constant(value: object) -> Json:
    """The same JSON for every line: dicts, lists, texts, numbers."""
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Json(pl.lit(said), (said,))


def obj(fields: Mapping[str, Field] | None = None, /, **more: Field) -> Json:
    """An object with these fields. Names that are no Python names, or only known at run time, come in a mapping.

    Args:
        fields: name -> column, JSON, or constant.
        **more: the same, by keyword.
    """
    given = {**(fields or {}), **more}
    plain = [value.alias(name) for name, value in given.items() if isinstance(value, pl.Expr)]
    pieces: list[Parts] = [(_inside(pl.struct(plain)),)] if plain else []
    pieces += [_piece(name, value) for name, value in given.items() if not isinstance(value, pl.Expr)]
    if any(isinstance(value, Optional) for value in given.values()):
        inside: Parts = (pl.concat_str(map(_together, pieces), separator=",", ignore_nulls=True),)
    else:
        inside = tuple(part for piece in pieces for part in (",", *piece))[1:]
    parts: Parts = ("{", *inside, "}")
    return Json(_together(parts), parts)


def array(cells: list[pl.Expr]) -> Json:
    """An array of texts; a missing one is an empty text."""
    texts = [text(cell.fill_null("")) for cell in cells]
    return Json(pl.concat_str(pl.lit("["), pl.concat_str(texts, separator=","), pl.lit("]")))


def text(value: pl.Expr) -> pl.Expr:
    """A column of texts or numbers as JSON; null stays null."""
    return pl.when(value.is_not_null()).then(_inside(pl.struct(value.alias("v"))).str.slice(len('"v":')))


def percent_encoded(texts: pl.Series, *, space: str = "%20") -> pl.Series:
    """Texts as they stand in an address; with ``+`` for a space, as they stand in a form."""
    strange = texts.filter(texts.str.len_bytes() != texts.str.len_chars()).str.extract_all(r"[^\x00-\x7F]")
    beyond = {char: quote(char) for char in strange.explode().unique().drop_nulls()}
    return texts.str.replace_many(_CODES | beyond | {" ": space})


_CODES = {char: code for char in map(chr, range(128)) if (code := quote(char, safe="")) != char}


def _piece(name: str, value: Known) -> Parts:
    """``"name":value`` in parts; a null where an optional value is missing."""
    head = f"{json.dumps(name, ensure_ascii=False)}:"
    match value:
        case Optional(Json() as found):
            return (pl.concat_str(pl.lit(head), found.text),)
        case Optional(pl.Expr() as found):
            return (pl.when(found.is_not_null()).then(_inside(pl.struct(found.alias(name)))),)
        case Json():
            return (head, *(value.parts or (value.text.fill_null("null"),)))
        case _:
            return (head, *constant(value).parts)


def _together(parts: Iterable[pl.Expr | str]) -> pl.Expr:
    """One text. What is the same for all lines and stands side by side is put together first, not for each line."""
    runs: list[pl.Expr | str] = []
    for part in parts:
        last = runs[-1] if runs else None
        if isinstance(part, str) and isinstance(last, str):
            runs[-1] = last + part
        else:
            runs.append(part)
    return pl.concat_str(pl.lit(run) if isinstance(run, str) else run for run in runs)


def _inside(whole: pl.Expr) -> pl.Expr:
    """The fields of a struct as JSON, without the braces around them."""
    return whole.struct.json_encode().str.slice(1).str.head(-1)
