"""What PostgreSQL answers, as frames in the types of the answer's description; and its columns in the kit's types.

What is odd: a sum or a mean of decimals has no scale, so it arrives as a float; columns with a scale stay decimals.
``infinity`` is a time there, and a usual end of validity. It arrives as the last instant that there is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from personas_kit.compiler.source import Column, ColumnType
from personas_kit.errors import WarehouseError
from personas_kit.warehouses.frames import tidy

if TYPE_CHECKING:
    import psycopg

#: PostgreSQL's names of types. What is not here, and no enum, array or NUMERIC, is ``other``.
#: (https://www.postgresql.org/docs/current/datatype.html, read 2026-11-23)
TYPES: Mapping[str, ColumnType] = {
    "text": "text",
    "varchar": "text",
    "bpchar": "text",
    "citext": "text",
    "name": "text",
    "uuid": "text",
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "float4": "float",
    "float8": "float",
    "bool": "boolean",
    "timestamp": "timestamp",
    "timestamptz": "timestamp_tz",
    "date": "date",
    "json": "json",
    "jsonb": "json",
}
#: The same for the columns of an answer; what is not here arrives as text.
DTYPES: Mapping[str, pl.DataType] = {
    "int2": pl.Int64(),
    "int4": pl.Int64(),
    "int8": pl.Int64(),
    "oid": pl.Int64(),
    "float4": pl.Float64(),
    "float8": pl.Float64(),
    "bool": pl.Boolean(),
    "timestamp": pl.Datetime("us", "UTC"),
    "timestamptz": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
    "time": pl.Time(),
    "bytea": pl.Binary(),
}


def frame_of(cursor: psycopg.Cursor[Any], lines: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    """Lines of an answer in the types of its description."""
    types = cursor.connection.adapters.types
    schema: dict[str, pl.DataType | None] = {}
    for column in cursor.description or ():
        known = types.get(column.type_code)
        schema[column.name] = _dtype(known.name if known else "", column)
        if known is not None and column.type_code == known.array_oid:
            schema[column.name] = pl.List(_dtype(known.name, column))
    if len(schema) < len(cursor.description or ()):
        raise WarehouseError("two columns of the answer have one name", hint="give one of them another: ... AS name")
    return tidy(pl.DataFrame(lines, schema=schema, orient="row", strict=False))


def _dtype(name: str, column: Any) -> pl.DataType:  # noqa: ANN401 - one of psycopg's columns
    if name == "numeric":
        has_scale = column.scale is not None and column.precision is not None
        return pl.Decimal(column.precision, column.scale) if has_scale else pl.Float64()
    return DTYPES.get(name, pl.String())


def column_of(name: str, kind: str, enum: bool, array: bool, modifier: int, declared: str) -> Column:
    """A column of a table, by what the catalogue of the server says of its type."""
    if array:
        return Column(name, "list", declared)
    if kind == "numeric":
        whole = modifier >= 4 and (modifier - 4) & 0xFFFF == 0  # noqa: PLR2004 - as the server packs precision and scale
        return Column(name, "integer" if whole else "decimal", declared)
    return Column(name, "text" if enum else TYPES.get(kind, "other"), declared)


def load_as_the_kit_does(connection: psycopg.Connection[Any]) -> None:
    """Documents and ids as text; times that Python does not know as the first or the last that it does."""
    from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader  # noqa: PLC0415 - an extra
    from psycopg.types.string import TextLoader  # noqa: PLC0415

    for name in ("json", "jsonb", "uuid", "interval", "inet", "cidr"):
        connection.adapters.register_loader(name, TextLoader)
    edges = (dt.datetime.min, dt.datetime(9999, 12, 31))  # noqa: DTZ001, DTZ901 - the column has no zone
    connection.adapters.register_loader("timestamp", _within(TimestampLoader, *edges))
    aware = tuple(edge.replace(tzinfo=dt.UTC) for edge in edges)
    connection.adapters.register_loader("timestamptz", _within(TimestamptzLoader, *aware))
    connection.adapters.register_loader("date", _within(DateLoader, *(edge.date() for edge in edges)))


def _within(base: Any, first: object, last: object) -> Any:  # noqa: ANN401 - psycopg's loaders
    """A loader that gives an edge for what is beyond it."""
    from psycopg import DataError  # noqa: PLC0415 - an extra

    class Loader(base):  # type: ignore[misc]
        def load(self, data: Any) -> object:  # noqa: ANN401 - bytes of some kind
            try:
                return super().load(data)
            except DataError:
                early = bytes(data).startswith(b"-") or bytes(data).endswith(b"BC")
                return first if early else last

    return Loader
