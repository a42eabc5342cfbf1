"""Values as a few parts: every value is in exactly one of them, and their names say which."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.compiler.spread import EDGES
from personas_kit.insight.binning import (
    distribution,
    group_name,
    groups_of,
    range_name,
    sizes_of,
    value_name,
)


@pytest.mark.parametrize(
    ("low", "high", "whole", "name"),
    [
        (10, 20, True, "10 to 19"),
        (1, 2, True, "1"),
        (0, 1e-4, False, "0"),
        (0, 1, True, "0"),
        (-1, 0, True, "-1"),
        (10, 20, False, "10 to 20"),
        (0.1, 0.2, False, "0.1 to 0.2"),
        (1e9, float("inf"), True, "1,000,000,000 and more"),
        (float("-inf"), -1e9, False, "under -1,000,000,000"),
    ],
)
def test_a_range_is_named_by_what_lies_in_it(low: float, high: float, whole: bool, name: str) -> None:
    assert range_name(low, high, whole=whole) == name


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False), st.integers(-(10**9), 10**9)), max_size=40))
def test_every_number_is_in_one_range(numbers: list[float | None]) -> None:
    values = pl.Series("value", numbers, dtype=pl.Float64, strict=False)

    sizes = sizes_of(values)
    groups = groups_of(sizes, {}, "numbers")

    assert sum(sizes.values()) == len(numbers)
    assert sorted(str(value) for group in groups for value in group) == sorted(map(str, sizes))
    assert len(groups) <= 7
    for number in numbers:
        if number is not None:
            place = sum(number >= edge for edge in EDGES)
            assert str(place) in sizes


def test_of_texts_the_most_frequent_are_named_and_the_others_are_one() -> None:
    own = {"a": 5, "b": 4, "c": 3, "d": 2, "e": 1, "f": 1, "g": 1}

    assert groups_of(own, {"z": 9}, "values") == [["a"], ["b"], ["c"], ["d"], ["e"], ["f", "g", "z"]]
    assert groups_of({"a": 1}, {"b": 3}, "values") == [["a"], ["b"]]
    assert group_name("plan", ["f", "g"], "values") == "other"
    assert group_name("plan", [None], "values") == "no value"


@pytest.mark.parametrize(
    ("trait", "value", "name"),
    [
        ("plan", "pro", "pro"),
        ("consent", "true", "yes"),
        ("email", "zoe@example.com", "z•••@e•••.com"),
        ("first_name", "Zoe", "Z•••"),
        ("note", "call zoe@example.com", "call z•••@e•••.com"),
        ("note", "two\nlines", "two lines"),
        ("note", "  ", "empty text"),
        ("note", "x" * 100, "x" * 60 + "…"),
        ("plan", None, "no value"),
    ],
)
def test_a_value_stands_on_one_line_and_is_masked_where_it_is_personal(trait: str, value: object, name: str) -> None:
    assert value_name(trait, value) == name


def parts(values: pl.Series, trait: str = "value") -> dict[str, int]:
    found = distribution(trait, values)
    assert found is not None
    return {part.name: part.count for part in found.parts}


@pytest.mark.parametrize("values", [[0.0, 0.1, 0.7], [0.26, 0.0046, 0.049, 0.57, 0.015, 0.6], [-0.7, -0.1, 0.2]])
def test_every_member_is_in_a_bin_also_at_its_edge(values: list[float]) -> None:
    found = distribution("x", pl.Series(values))

    assert found is not None
    assert sum(part.count for part in found.parts) == len(values)


def test_numbers_get_round_bins_of_one_width() -> None:
    assert parts(pl.Series([1, 2, 2, 3, 12])) == {
        "1": 1, "2": 2, "3": 1, "4": 0, "5": 0, "6": 0, "7": 0, "8": 0, "9": 0, "10": 0, "11": 0, "12": 1,
    }  # fmt: skip
    assert parts(pl.Series([0.01, 0.3, 1.1])) == {
        f"{at / 10:g} to {(at + 1) / 10:g}": int(at in {0, 3, 11}) for at in range(12)
    }
    assert parts(pl.Series([7, 7])) == {"7": 2}


def test_what_lies_far_out_is_one_bin() -> None:
    found = parts(pl.Series([*range(1, 200), 10_000_000]))

    assert found["200 and more"] == 1
    assert sum(found.values()) == 200


def test_many_zeros_have_a_bin_of_their_own() -> None:
    assert parts(pl.Series([0] * 9 + [5, 15]))["0"] == 9
    assert parts(pl.Series([0.0] * 9 + [5.5]))["0"] == 9
    assert parts(pl.Series([0, 0])) == {"0": 2}


def test_money_is_a_number() -> None:
    assert parts(pl.Series([Decimal("1.50"), Decimal("1.50")])) == {"1 to 2": 2}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([dt.date(2026, 1, 30), dt.date(2026, 2, 1)], ["2026-01-30", "2026-01-31", "2026-02-01"]),
        ([dt.datetime(2025, 12, 1), dt.datetime(2026, 2, 1)], ["2025-12", "2026-01", "2026-02"]),  # noqa: DTZ001
        ([dt.date(2020, 5, 1), dt.date(2023, 1, 1)], ["2020", "2021", "2022", "2023"]),
    ],
)
def test_times_get_days_months_or_years(values: list[dt.date], names: list[str]) -> None:
    assert list(parts(pl.Series(values))) == names


def test_lists_are_counted_by_what_is_in_them() -> None:
    found = distribution("pages", pl.Series([["a", "b"], ["a"], []]))

    assert found is not None
    assert [(part.name, part.count) for part in found.parts][:2] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.Date, pl.String, pl.List(pl.String)])
def test_no_values_have_no_distribution(dtype: pl.DataType) -> None:
    assert distribution("value", pl.Series([], dtype=dtype)) is None


def test_what_is_no_number_is_left_out() -> None:
    assert parts(pl.Series([1.5, float("nan"), float("inf"), None])) == {"1 to 2": 1}
