"""The one encoder: columns of a frame to one JSON text per line, in polars from end to end.

``obj(userId=c.user_id, traits=obj(...), email=optional(...))`` is an expression. Plain columns are encoded together by
polars' own JSON writer; what is JSON text already (a nested object, a canonical value) is put in as it stands. A
missing plain value becomes an explicit ``null``; ``optional`` leaves the field out instead, which is what most vendors
want: a null overwrites a good value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Json:
    """An expression whose text is JSON already. Null means missing."""

    text: pl.Expr


@dataclass(frozen=True, slots=True)
class Optional:
    """A field that is left out where it is missing."""

    value: pl.Expr | Json


Field = pl.Expr | Json | Optional | str | int | bool | None


def raw(text: pl.Expr) -> Json:
    """A column that holds JSON text, such as a canonical value."""
    return Json(text)


def optional(value: pl.Expr | Json) -> Optional:
    """Leave the field out where the value is missing."""
    return Optional(value)


def constant(value: object) -> Json:
    """The same JSON for every line: dicts, lists, texts, numbers."""
    return Json(pl.lit(json.dumps(value, ensure_ascii=False, separators=(",", ":"))))


def obj(fields: Mapping[str, Field] | None = None, /, **more: Field) -> Json:
    """An object with these fields. Names that are no Python names, or only known at run time, come in a mapping.

    Args:
        fields: name -> column, JSON, or constant.
        **more: the same, by keyword.
    """
    together: dict[str, pl.Expr] = {}
    pieces: list[pl.Expr] = []
    for name, value in {**(fields or {}), **more}.items():
        if isinstance(value, pl.Expr):
            together[name] = value
        else:
            pieces.append(_piece(name, value))
    if together:
        plain = pl.struct(value.alias(name) for name, value in together.items()).struct.json_encode()
        pieces.insert(0, plain.str.strip_prefix("{").str.strip_suffix("}"))
    inside = pl.concat_str(pieces, separator=",", ignore_nulls=True) if pieces else pl.lit("")
    return Json(pl.concat_str(pl.lit("{"), inside, pl.lit("}")))


def array(cells: list[pl.Expr]) -> Json:
    """An array of texts; a missing one is an empty text."""
    texts = [text(cell.fill_null("")) for cell in cells]
    return Json(pl.concat_str(pl.lit("["), pl.concat_str(texts, separator=","), pl.lit("]")))


def _piece(name: str, value: Field) -> pl.Expr:
    """``"name":value`` as text; null where an optional value is missing."""
    head = pl.lit(f"{json.dumps(name, ensure_ascii=False)}:")
    if isinstance(value, Optional):
        inner = value.value
        return pl.concat_str(head, inner.text if isinstance(inner, Json) else text(inner))
    if isinstance(value, Json):
        return pl.concat_str(head, value.text.fill_null("null"))
    return pl.concat_str(head, constant(value).text)


def text(value: pl.Expr) -> pl.Expr:
    """A column of texts or numbers as JSON; null stays null."""
    encoded = pl.struct(value.alias("v")).struct.json_encode().str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(value.is_not_null()).then(encoded)
