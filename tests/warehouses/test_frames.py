"""What every adapter does to frames, schemas and messages."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest

from personas_kit.compiler.source import Table
from personas_kit.warehouses.frames import MESSAGE_LENGTH, by_name, first_line, tidy

NOON = datetime(2026, 1, 2, 12)  # noqa: DTZ001 - a time as a column without a zone has it


@pytest.mark.parametrize(
    ("column", "dtype", "value"),
    [
        (pl.Series([NOON], dtype=pl.Datetime("ns")), pl.Datetime("us", "UTC"), NOON.replace(tzinfo=UTC)),
        (
            pl.Series([NOON]).dt.replace_time_zone("Asia/Tokyo"),
            pl.Datetime("us", "UTC"),
            datetime(2026, 1, 2, 3, tzinfo=UTC),
        ),
        (pl.Series([7], dtype=pl.UInt8), pl.Int64(), 7),
        (pl.Series([Decimal(7)], dtype=pl.Decimal(38, 0)), pl.Int64(), 7),
        (pl.Series([2**64 - 1], dtype=pl.UInt64), pl.UInt64(), 2**64 - 1),
        (pl.Series([Decimal(10**30)], dtype=pl.Decimal(38, 0)), pl.Decimal(38, 0), Decimal(10**30)),
        (pl.Series([Decimal("7.50")], dtype=pl.Decimal(10, 2)), pl.Decimal(10, 2), Decimal("7.50")),
        (pl.Series(["pro"], dtype=pl.Categorical), pl.String(), "pro"),
        (pl.Series(["pro"], dtype=pl.Enum(["free", "pro"])), pl.String(), "pro"),
        (pl.Series([{"plan": "pro"}]), pl.String(), '{"plan":"pro"}'),
        (pl.Series([None], dtype=pl.Struct({"plan": pl.String})), pl.String(), None),
        (pl.Series([[1, None]], dtype=pl.List(pl.Int16)), pl.List(pl.Int64), [1, None]),
        (pl.Series([["a"]]), pl.List(pl.String), ["a"]),
    ],
)
def test_a_column_gets_the_kits_type_and_keeps_its_values(column: pl.Series, dtype: pl.DataType, value: object) -> None:
    frame = tidy(column.alias("value").to_frame())

    assert frame.schema == {"value": dtype}
    assert frame["value"].to_list() == [value]


def test_a_missing_value_is_never_taken_for_one_that_does_not_fit() -> None:
    column = pl.Series("value", [None, 2**63], dtype=pl.UInt64)

    assert tidy(column.to_frame())["value"].to_list() == [None, 2**63]


def test_a_name_that_two_tables_share_means_neither_unless_it_is_ones_own() -> None:
    crm, prod, own = Table(("crm", "users"), ()), Table(("prod", "users"), ()), Table(("events",), ())
    full = [(("db", *table.parts), table) for table in (crm, prod)]

    schema = by_name([*full, (("db", "main", "events"), own), (("db", "old", "events"), Table(("old", "events"), ()))])

    assert "users" not in schema
    assert schema["crm.users"] is crm
    assert schema["db.prod.users"] is prod
    assert schema["events"] is own
    assert schema["main.events"] is own


def test_a_message_is_its_first_line_cut_short() -> None:
    assert first_line(ValueError("no such column\nLINE 1: SELECT 'jane@example.com'")) == "no such column"
    assert len(first_line(ValueError("x" * 10_000))) == MESSAGE_LENGTH
    assert first_line(ValueError()) == "ValueError"
