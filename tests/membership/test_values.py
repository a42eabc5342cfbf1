"""One canonical JSON text per value."""

import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.membership import as_json

CASES = [
    (pl.Series([True, False, None]), ["true", "false", None]),
    (pl.Series([2**63 - 1, -1, None]), ["9223372036854775807", "-1", None]),
    (pl.Series([1.0, 0.1, float("nan"), float("inf"), None]), ["1.0", "0.1", None, None, None]),
    (pl.Series([Decimal("10.50"), Decimal("100.00"), Decimal("-0.10"), None]), ["10.5", "100", "-0.1", None]),
    (pl.Series(['say "hi"', "zürich\n", "", None]), ['"say \\"hi\\""', '"zürich\\n"', '""', None]),
    (pl.Series([dt.date(2026, 1, 31), None]), ['"2026-01-31"', None]),
    (
        pl.Series(
            [dt.datetime(2026, 1, 31, 8, tzinfo=dt.UTC), dt.datetime(2026, 1, 31, 8, 0, 0, 500_000, tzinfo=dt.UTC)]
        ),
        ['"2026-01-31T08:00:00Z"', '"2026-01-31T08:00:00.500Z"'],
    ),
    (pl.Series([["a", 'b"'], [], None]), ['["a","b\\""]', "[]", None]),
    (pl.Series([[Decimal("1.50"), Decimal("2.00")], None]), ["[1.5,2]", None]),
    (pl.Series([[dt.datetime(2026, 1, 31, tzinfo=dt.UTC)]]), ['["2026-01-31T00:00:00Z"]']),
]


@pytest.mark.parametrize(("values", "texts"), CASES)
def test_the_text_of_a_value(values, texts):
    assert as_json(values).to_list() == texts


@given(st.lists(st.text()))
def test_any_text_reads_back_equal(texts):
    encoded = as_json(pl.Series(texts, dtype=pl.String))

    assert [json.loads(text) for text in encoded] == texts


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_any_number_reads_back_equal(numbers):
    encoded = as_json(pl.Series(numbers, dtype=pl.Float64))

    assert [json.loads(text) for text in encoded] == numbers
