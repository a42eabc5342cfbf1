"""What Snowflake answers, as frames: batches of Arrow in the types and under the names of the answer's description.

What is odd: a number's Arrow type depends on its batch, an empty answer has no batch at all, and an empty decimal
claims to be whole. A timestamp in nanoseconds ends in 2262, so microseconds are asked for: ``9999-12-31`` is a usual
end of validity. (Behaviour checked with connector 5.2.0 against an emulator.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from personas_kit.warehouses.frames import tidy

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor

#: The connector's codes of types in the description of an answer; what is not here arrives as text.
#: (https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api, "Type Codes", read 2026-11-23)
FIXED, ARRAY = 0, 10
DTYPES: Mapping[int, pl.DataType] = {
    1: pl.Float64(),
    3: pl.Date(),
    4: pl.Datetime("us", "UTC"),
    6: pl.Datetime("us", "UTC"),
    7: pl.Datetime("us", "UTC"),
    8: pl.Datetime("us", "UTC"),
    ARRAY: pl.List(pl.String()),
    11: pl.Binary(),
    12: pl.Time(),
    13: pl.Boolean(),
}


def frames(cursor: SnowflakeCursor) -> Iterator[pl.DataFrame]:
    """The parts of an answer as they come, in the types and under the names of its description; at least one."""
    described = cursor.description or []
    names = _names([column.name for column in described])
    arrays = [name for name, column in zip(names, described, strict=True) if column.type_code == ARRAY]
    empty = pl.DataFrame(schema={name: _dtype(column) for name, column in zip(names, described, strict=True)})
    some = False
    for part in _batches(cursor, names):
        some = True
        frame = tidy(part)
        yield frame.with_columns(listed(frame[name]) for name in arrays)
    if not some:
        yield empty


def joined(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The parts as one frame; a number may be whole in one of them and not in another."""
    return pl.concat(parts, how="vertical_relaxed")


def _batches(cursor: SnowflakeCursor, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    for batch in cursor.fetch_arrow_batches(force_microsecond_precision=True):
        if batch.num_rows:  # the types of an empty one mean nothing
            yield pl.DataFrame(batch.rename_columns(list(names)))


def _names(described: Sequence[str]) -> list[str]:
    """Unquoted names come back in upper case: lower them, unless that makes two the same."""
    lowered = [name.lower() if name == name.upper() else name for name in described]
    return lowered if len(set(lowered)) == len(lowered) else list(described)


def _dtype(column: Any) -> pl.DataType:  # noqa: ANN401 - one of the connector's ResultMetadata
    if column.type_code == FIXED:
        return pl.Decimal(column.precision, column.scale) if column.scale else pl.Int64()
    return DTYPES.get(column.type_code, pl.String())


def listed(texts: pl.Series) -> pl.Series:
    """An ``ARRAY``, which arrives as the text of a JSON array, as a list: of text where its elements differ in type."""
    if texts.dtype != pl.String:
        return texts
    lists = texts.str.json_decode(infer_schema_length=None)
    return lists.cast(pl.List(pl.String)) if lists.dtype in (pl.Null, pl.List(pl.Null)) else lists
