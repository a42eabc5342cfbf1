"""One canonical text per value, so that values compare by type and exact value and travel without a second encoding.

The text is JSON: what is stored as acknowledged, compared, and put into a request as it stands. Numbers are numbers
(decimals without trailing zeros, floats in their shortest form that reads back equal), times RFC 3339 in UTC, lists
arrays in their order. A value that JSON cannot say (NaN, infinities) is missing.
"""

from __future__ import annotations

import polars as pl

_OPENING = len('{"v":')
_INSTANT = "%Y-%m-%dT%H:%M:%S%.fZ"


def as_json(values: pl.Series) -> pl.Series:
    """The canonical JSON text of each value; null stays null.

    Args:
        values: booleans, numbers, decimals, texts, dates, UTC instants, or lists of these.

    Returns:
        A text series of the same length, named ``value``.
    """
    frame = pl.DataFrame({"v": values})
    prepared = _json_ready(pl.col("v"), values.dtype)
    if _is_number_text(values.dtype):
        return frame.select(prepared.alias("value")).to_series()
    encoded = pl.struct(prepared.alias("v")).struct.json_encode()
    text = encoded.str.slice(_OPENING, encoded.str.len_chars() - _OPENING - 1)
    if isinstance(values.dtype, pl.List) and _is_number_text(values.dtype.inner):
        text = text.str.replace_all('"', "", literal=True)
    return frame.select(pl.when(text != "null").then(text).alias("value")).to_series()


def _json_ready(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The expression that ``json_encode`` writes the way this module promises."""
    if isinstance(dtype, pl.Datetime):
        in_utc = value.dt.convert_time_zone("UTC") if dtype.time_zone else value
        return in_utc.dt.strftime(_INSTANT)
    if isinstance(dtype, pl.Decimal):
        text = value.cast(pl.String)
        return (
            pl.when(text.str.contains(".", literal=True))
            .then(text.str.strip_chars_end("0").str.strip_chars_end("."))
            .otherwise(text)
        )
    if isinstance(dtype, pl.List):
        return value.list.eval(_json_ready(pl.element(), dtype.inner))  # type: ignore[arg-type]
    return value


def _is_number_text(dtype: object) -> bool:
    return isinstance(dtype, pl.Decimal)
