"""The one encoder: columns of a frame to one JSON text per line, in polars from end to end.

``obj(userId=c.user_id, traits=obj(...), email=optional(...))`` is an expression. Its text is put together in one pass:
columns, and between them what is the same for all lines. What is JSON text already (a canonical value) is put in as it
stands; so is a text in which JSON escapes nothing, in quotes. Only columns in which it does go through polars' own JSON
writer. A missing plain value becomes an explicit ``null``; ``optional`` leaves the field out instead, which is what
most vendors want: a null overwrites a good value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, quote_plus

import polars as pl
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Cell:
    """What may be different on every line.

    Attributes:
        value: JSON text, or a plain value.
        plain: it is a plain value, to be encoded.
    """

    value: pl.Expr
    plain: bool


@dataclass(frozen=True, slots=True)
class Maybe:
    """A field that is left out where its cell is missing: ``"name":``, and the cell."""

    head: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Members:
    """What stands in an object of which some fields may be left out."""

    fields: tuple[Parts | Maybe, ...]


Parts = tuple[str | Cell | Members, ...]
"""A text in pieces; a piece that is a text is the same for all lines."""


@dataclass(frozen=True, slots=True)
class Json:
    """An expression whose text is JSON already. Null means missing.

    Attributes:
        written: the text, where it is nothing that is put together here.
        parts: what the text is put together from; it is never missing then. What it stands in takes these instead, so
            that an object in an object is written once.
    """

    written: pl.Expr | None
    parts: Parts = ()

    @property
    def text(self) -> pl.Expr:
        """The expression."""
        return _text(self.parts) if self.written is None else self.written


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
    return Json(None, (said,))


def obj(fields: Mapping[str, Field] | None = None, /, **more: Field) -> Json:
    """An object with these fields; plain columns stand before the others.

    Args:
        fields: name -> column, JSON, or constant. Names that are no Python names, or only known at run time.
        **more: the same, by keyword.
    """
    given = {**(fields or {}), **more}
    ordered = sorted(given.items(), key=lambda field: not isinstance(field[1], pl.Expr))
    members = tuple(_member(name, value) for name, value in ordered)
    certain = [member for member in members if not isinstance(member, Maybe)]
    inside = _separated(certain) if len(certain) == len(members) else (Members(members),)
    return Json(None, ("{", *inside, "}"))


def array(cells: list[pl.Expr]) -> Json:
    """An array of texts; a missing one is an empty text."""
    inside = _separated((Cell(cell.fill_null(""), plain=True),) for cell in cells)
    return Json(None, ("[", *inside, "]"))


def text(value: pl.Expr) -> pl.Expr:
    """A column of texts or numbers as JSON; null stays null."""
    cell = Cell(value, plain=True)
    return _mapped([value], lambda columns: pl.select(_format(_of_cell(cell, columns[0]))).to_series())


def item(each: Json, separator: str, *, form: bool = False) -> pl.Expr:
    """A text as it stands in a body, and after it what separates it from the next; null where it is missing.

    Args:
        each: one change.
        separator: before it is encoded.
        form: the body is a form: everything is percent-encoded.
    """
    if each.written is None:
        return _text((*each.parts, separator), form=form)
    whole = _mapped([each.text], lambda columns: percent_encoded(columns[0], space="+")) if form else each.text
    return _format([whole, quote_plus(separator) if form else separator])


def percent_encoded(texts: pl.Series, *, space: str = "%20") -> pl.Series:
    """Texts as they stand in an address; with ``+`` for a space, as they stand in a form."""
    strange = texts.filter(texts.str.len_bytes() != texts.str.len_chars()).str.extract_all(r"[^\x00-\x7F]")
    beyond = {char: quote(char) for char in strange.explode().unique().drop_nulls()}
    return texts.str.replace_many(_CODES | beyond | {" ": space})


_CODES = {char: code for char in map(chr, range(128)) if (code := quote(char, safe="")) != char}
_FIRST_NOT_ESCAPED = 0x20


def _member(name: str, value: Field) -> Parts | Maybe:
    """``"name":value``."""
    head = f"{json.dumps(name, ensure_ascii=False)}:"
    match value:
        case Optional(Json() as found):
            return Maybe(head, Cell(found.text, plain=False))
        case Optional(pl.Expr() as found):
            return Maybe(head, Cell(found, plain=True))
        case pl.Expr():
            return (head, Cell(value, plain=True))
        case Json():
            return (head, *(value.parts if value.written is None else (Cell(value.written, plain=False),)))
        case _:
            return (head, *constant(value).parts)


def _separated(pieces: Iterable[Parts]) -> Parts:
    return tuple(part for parts in pieces for part in (",", *parts))[1:]


def _text(parts: Parts, *, form: bool = False) -> pl.Expr:
    """The parts as one text. How a column is put in depends on what is in it, so this is decided with the columns."""
    cells = [cell.value for cell in _cells(parts)]
    if not cells:
        said = "".join(map(str, parts))
        return pl.lit(quote_plus(said) if form else said)
    return _mapped(cells, partial(_written, parts, form=form))


def _mapped(values: Sequence[pl.Expr], function: Callable[[Sequence[pl.Series]], pl.Series]) -> pl.Expr:
    return pl.map_batches(values, function, return_dtype=pl.String, is_elementwise=True)


def _cells(parts: Parts) -> Iterator[Cell]:
    """The cells in the order in which they are written."""
    for part in parts:
        match part:
            case Cell():
                yield part
            case Members():
                for field in part.fields:
                    yield from (field.cell,) if isinstance(field, Maybe) else _cells(field)
            case str():
                pass


def _written(parts: Parts, columns: Sequence[pl.Series], *, form: bool) -> pl.Series:
    pieces = _pieces(parts, iter(columns))
    if form:  # most of a text is the same on every line: encoding its pieces, and not the whole, is 3 times as quick
        pieces = [quote_plus(piece) if isinstance(piece, str) else _in_form(piece) for piece in pieces]
    return pl.select(_format(pieces)).to_series()


def _in_form(value: pl.Expr) -> pl.Expr:
    return pl.lit(percent_encoded(pl.select(value.cast(pl.String)).to_series(), space="+"))


Pieces = list[str | pl.Expr]


def _pieces(parts: Parts, columns: Iterator[pl.Series]) -> Pieces:
    """What a text is made of, for these columns; none is missing."""
    pieces: Pieces = []
    for part in parts:
        match part:
            case Cell():
                column = next(columns)
                found = _of_cell(part, column)
                pieces += [_format(found).fill_null("null")] if column.null_count() else found
            case Members():
                pieces += _of_members(part, columns)
            case str():
                pieces.append(part)
    return pieces


def _of_cell(cell: Cell, column: pl.Series) -> Pieces:
    """The column as JSON; null where it is missing."""
    if not cell.plain or column.dtype.is_integer() or column.dtype == pl.Boolean:  # JSON writes these as polars does
        return [pl.lit(column)]
    if column.dtype == pl.String and not _escaped(column):
        return ['"', pl.lit(column), '"']
    whole = pl.struct(pl.lit(column).alias("v")).struct.json_encode()
    return [pl.when(pl.lit(column).is_not_null()).then(whole.str.slice(len('{"v":')).str.head(-1))]


def _of_members(members: Members, columns: Iterator[pl.Series]) -> Pieces:
    """The fields that are there, with commas between them."""
    fields: list[tuple[Pieces, bool]] = []
    for field in members.fields:
        if isinstance(field, Maybe):
            column = next(columns)
            fields.append(([field.head, *_of_cell(field.cell, column)], bool(column.null_count())))
        else:
            fields.append((_pieces(field, columns), False))
    (found, may_miss), *others = fields
    if may_miss:
        return [pl.concat_str([_format(pieces) for pieces, _ in fields], separator=",", ignore_nulls=True)]
    for pieces, may_miss in others:  # after a field that is there, a comma goes with each: twice as quick
        found += [_format([",", *pieces]).fill_null("")] if may_miss else [",", *pieces]
    return found


def _escaped(texts: pl.Series) -> bool:
    """Whether JSON escapes anything in these texts: looked at as one run of bytes, a tenth of the time of a pattern."""
    data = texts.to_arrow().buffers()[-1]
    if not data:
        return False
    codes = pl.Series(_Handed(pa.UInt8Array.from_buffers(pa.uint8(), data.size, [None, data])))
    said = data.to_pybytes()
    return b'"' in said or b"\\" in said or (codes < _FIRST_NOT_ESCAPED).any()


@dataclass(frozen=True, slots=True)
class _Handed:
    """An array as polars takes anybody's. One of pyarrow's own would make it import ``pyarrow.compute``, for 40 ms."""

    array: pa.Array

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        exported: tuple[object, object] = self.array.__arrow_c_array__(requested_schema)
        return exported


def _format(pieces: Iterable[str | pl.Expr]) -> pl.Expr:
    """One text; null where a piece is. ``pl.format`` takes half the time of ``pl.concat_str``."""
    pieces = list(pieces)
    said = (piece.replace("{", "{{").replace("}", "}}") if isinstance(piece, str) else "{}" for piece in pieces)
    return pl.format("".join(said), *(piece for piece in pieces if isinstance(piece, pl.Expr)))
