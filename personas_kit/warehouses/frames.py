"""What every adapter does to frames, schemas and messages, so that two warehouses answer alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import polars as pl

from personas_kit.compiler.source import Schema, Table
from personas_kit.errors import WarehouseError

#: The longest piece of an engine's message that an error of the kit repeats.
MESSAGE_LENGTH = 240


def tidy(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame in the types that the rest of the kit knows, whatever the engine sent.

    - times: ``Datetime("us", "UTC")``; a time without a zone is read as UTC, as the sessions are set to UTC;
    - whole numbers, decimals without a fraction among them: ``Int64`` where every value fits, else unchanged;
    - categories and enums: text;
    - structs: JSON text;
    - lists of whole numbers: lists of ``Int64``.
    """
    return frame.select(_tidy(column) for column in frame.iter_columns())


def _tidy(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        aware = column.dt.replace_time_zone("UTC") if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        return aware.cast(pl.Datetime("us", "UTC"))
    if dtype.is_integer() or (isinstance(dtype, pl.Decimal) and dtype.scale == 0):
        whole = column.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == column.null_count() else column
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if isinstance(dtype, pl.List) and pl.Series(dtype=dtype.inner).dtype.is_integer():
        return column.cast(pl.List(pl.Int64))
    if isinstance(dtype, pl.Struct):
        return pl.select(pl.when(column.is_not_null()).then(column.struct.json_encode()).alias(column.name)).to_series()
    return column


def by_name(tables: Iterable[tuple[tuple[str, ...], Table]]) -> Schema:
    """Tables by every way to name them that is unique.

    Args:
        tables: each with its full path (database, schema, name), of which ``Table.parts`` may be the end only.

    Returns:
        Each table by its own ``Table.name`` first of all, then by every ending of its full path that no other
        table shares (``prod.users``, ``users``).
    """
    listed = list(tables)
    endings = Counter(ending for path, _ in listed for ending in _endings(path))
    named = {ending: table for path, table in listed for ending in _endings(path) if endings[ending] == 1}
    return named | {table.name: table for _, table in listed}


def _endings(path: tuple[str, ...]) -> Iterator[str]:
    return (".".join(path[start:]) for start in range(len(path)))


def only_select(statement: str, where: str) -> None:
    """Refuse what does not begin as a SELECT does: a last look, for the compiler writes nothing else.

    Raises:
        WarehouseError: it begins otherwise.
    """
    if statement.lstrip("( \n")[:6].upper().split(maxsplit=1)[:1] not in (["SELECT"], ["WITH"]):
        raise WarehouseError("a query is exactly one SELECT", where=where)


#: Something in quotes; a doubled quote inside does not end it.
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")


def without_values(words: str) -> str:
    """The words with whatever stands in quotes left out: where a value could not be read, the message quotes it."""
    return _QUOTED.sub("'...'", words)


def first_line(error: BaseException) -> str:
    """The first line of an engine's message, cut short. What follows it may quote the statement and its values."""
    lines = str(error).strip().splitlines()
    return lines[0][:MESSAGE_LENGTH].rstrip() if lines else type(error).__name__
