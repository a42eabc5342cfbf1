"""What every warehouse does, in the same words. A gap is marked with the error that it gives; a mended one fails."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from personas_kit.errors import WarehouseError
from personas_kit.warehouses.interrupts import NobodyWaitsError, Watch, watched

if TYPE_CHECKING:
    from tests.warehouses.conftest import Backend

INSTANT = pl.Datetime("us", "UTC")

MANY = 1_000_000

laxer_emulator = "the emulator has no ARRAY: it declares and sends VARIANT"


# ------------------------------------------------------------------------------------------------------------- schema


def test_a_table_is_found_by_its_bare_and_by_its_full_name(backend: Backend) -> None:
    schema = backend.warehouse.schema()
    people = backend.table("people")

    assert schema[people.name] == people
    assert schema[people.parts[-1]] == people
    assert [column.name.casefold() for column in people.columns][:3] == ["user_id", "text_", "integer_"]


@pytest.mark.parametrize(
    "kind", ["text", "integer", "float", "decimal", "boolean", "timestamp", "timestamp_tz", "date", "json"]
)
def test_a_column_has_the_kits_type(backend: Backend, kind: str) -> None:
    types = {column.name.casefold(): column.type for column in backend.table("people").columns}

    assert types[f"{kind}_"] == kind


@pytest.mark.gap("snowflake", raises=AssertionError, reason=laxer_emulator)
def test_a_list_has_the_kits_type(backend: Backend) -> None:
    types = {column.name.casefold(): column.type for column in backend.table("people").columns}

    assert types["list_"] == "list"


def test_names_of_any_case_and_keywords_stay_as_they_are(backend: Backend) -> None:
    columns = [column.name for column in backend.table("order").columns]

    assert backend.table("order").parts[-1] == "Order"
    assert columns[:2] == ["Line No", "select"]
    assert columns[2].casefold() == "plain"


# ------------------------------------------------------------------------------------------------------------- values


def test_values_come_in_the_kits_types(backend: Backend) -> None:
    frame = backend.query("SELECT * FROM {people}").drop("list_")

    assert frame.schema == {
        "user_id": pl.String,
        "text_": pl.String,
        "integer_": pl.Int64,
        "float_": pl.Float64,
        "decimal_": pl.Decimal(10, 2),
        "boolean_": pl.Boolean,
        "timestamp_": INSTANT,
        "timestamp_tz_": INSTANT,
        "date_": pl.Date,
        "json_": pl.String,
    }


def test_a_usual_member_arrives_as_it_is(backend: Backend) -> None:
    (found,) = backend.query("SELECT * FROM {people} WHERE user_id = 'u1'").drop("list_").to_dicts()

    assert json.loads(found.pop("json_")) == {"plan": "pro"}
    assert found == {
        "user_id": "u1",
        "text_": "Zoë \U0001f389 O'Neill",
        "integer_": 7,
        "float_": 0.1,
        "decimal_": Decimal("12.50"),
        "boolean_": True,
        "timestamp_": datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
        "timestamp_tz_": datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC),
        "date_": date(2026, 1, 2),
    }


def test_values_at_the_edges_arrive_as_they_are(backend: Backend) -> None:
    (found,) = backend.query("SELECT * FROM {people} WHERE user_id = 'u3'").drop("list_", "json_").to_dicts()

    assert found == {
        "user_id": "u3",
        "text_": "",
        "integer_": -2_147_483_648,
        "float_": 1e300,
        "decimal_": Decimal("-99999999.99"),
        "boolean_": False,
        "timestamp_": datetime(9999, 12, 31, tzinfo=UTC),
        "timestamp_tz_": datetime(1900, 1, 1, tzinfo=UTC),
        "date_": date(1, 1, 1),
    }


def test_missing_stays_missing_in_every_type(backend: Backend) -> None:
    (found,) = backend.query("SELECT * FROM {people} WHERE user_id = 'u2'").to_dicts()

    assert {name for name, value in found.items() if value is not None} == {"user_id"}


@pytest.mark.gap("snowflake", raises=AssertionError, reason=laxer_emulator)
def test_a_list_arrives_as_a_list(backend: Backend) -> None:
    found = backend.query("SELECT user_id, list_ FROM {people} ORDER BY user_id")

    assert found["list_"].to_list() == [["a", None], None, []]


def test_a_time_without_a_zone_is_utc(backend: Backend) -> None:
    later = backend.query("SELECT user_id FROM {people} WHERE timestamp_ > timestamp_tz_ AND user_id = 'u1'")

    assert later["user_id"].to_list() == ["u1"]


def test_an_empty_answer_has_its_columns_and_types(backend: Backend) -> None:
    everybody = backend.query("SELECT * FROM {people}")
    nobody = backend.query("SELECT * FROM {people} WHERE user_id = 'nobody'")

    assert nobody.height == 0
    assert nobody.schema == everybody.schema


def test_counts_are_whole_numbers(backend: Backend) -> None:
    found = backend.query("SELECT COUNT(*) AS size, COUNT(DISTINCT text_) AS names FROM {people}")

    assert found.schema == {"size": pl.Int64, "names": pl.Int64}
    assert found.rows() == [(3, 2)]


def test_output_names_that_are_not_quoted_are_lower_case(backend: Backend) -> None:
    found = backend.query('SELECT user_id, integer_ AS value, text_ AS "First Name" FROM {people}')

    assert found.columns == ["user_id", "value", "First Name"]


def test_names_that_need_quotes_can_be_asked_for(backend: Backend) -> None:
    found = backend.query('SELECT "Line No", "select", plain FROM {order}')

    assert found.rows() == [(1, "keyword", 2)]
    assert found.columns == ["Line No", "select", "plain"]


def test_a_million_members_arrive_whole(backend: Backend) -> None:
    found = backend.query("SELECT user_id, orders FROM {many}")

    assert found.height == MANY
    assert found["user_id"].n_unique() == MANY
    assert found["orders"].sum() == (MANY - 1) * MANY // 2


def test_parts_are_the_whole_answer(backend: Backend) -> None:
    statement = f"SELECT user_id, orders FROM {backend.quoted('many')}"
    heights, total = [], 0
    for part in backend.warehouse.batches(statement, backend.none):
        assert part.schema == {"user_id": pl.String, "orders": pl.Int64}
        heights.append(part.height)
        total += part["orders"].sum()

    assert sum(heights) == MANY
    assert total == (MANY - 1) * MANY // 2


def test_the_parts_of_an_empty_answer_have_its_columns_and_types(backend: Backend) -> None:
    statement = f"SELECT * FROM {backend.quoted('people')}"
    everybody = backend.warehouse.query(statement, backend.none)
    nobody = pl.concat(backend.warehouse.batches(f"{statement} WHERE user_id = 'nobody'", backend.none))

    assert nobody.schema == everybody.schema
    assert nobody.height == 0


def test_parts_that_nobody_takes_leave_nothing_open(backend: Backend) -> None:
    parts = backend.warehouse.batches(f"SELECT user_id FROM {backend.quoted('many')}", backend.none)
    next(parts)
    parts.close()

    assert backend.query("SELECT 1 AS one")["one"].to_list() == [1]


# ------------------------------------------------------------------------------------------------------- bound values


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("text_", "Zoë \U0001f389 O'Neill"),
        ("integer_", 7),
        ("float_", 0.1),
        ("decimal_", Decimal("12.50")),
        ("boolean_", True),
        ("timestamp_", datetime(2026, 1, 2, 3, 4, 5, 678_901)),  # noqa: DTZ001 - the column has no zone
        ("timestamp_tz_", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))),
        ("date_", date(2026, 1, 2)),
    ],
)
def test_a_bound_value_equals_the_stored_one(backend: Backend, column: str, value: object) -> None:
    found = backend.query(f"SELECT user_id FROM {{people}} WHERE {column} = {{value}}", value=value)

    assert found["user_id"].to_list() == ["u1"]


def test_a_bound_value_is_never_read_as_sql(backend: Backend) -> None:
    hostile = "x' OR 1=1; DROP TABLE people; --"

    assert backend.query("SELECT user_id FROM {people} WHERE text_ = {value}", value=hostile).height == 0
    assert backend.query("SELECT {value} AS echo", value=hostile)["echo"].to_list() == [hostile]


def test_several_values_are_bound_each_in_its_place(backend: Backend) -> None:
    found = backend.query(
        "SELECT user_id FROM {people} WHERE integer_ < {most} AND text_ <> {name} AND integer_ > {least}",
        name="Zoë",
        least=0,
        most=8,
    )

    assert found["user_id"].to_list() == ["u1"]


# ------------------------------------------------------------------------------------------------------------ writing

FRAME = pl.DataFrame(
    {
        "user_id": ["u1", "Zoë \U0001f389 O'Neill", None],
        "Line No": [1, None, -(2**62)],
        "ratio": [0.1, None, 1e300],
        "member": [True, False, None],
        "at": [datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC), None, datetime(1900, 1, 1, tzinfo=UTC)],
        "day": [date(2026, 1, 2), None, date(9999, 12, 31)],
    },
    schema_overrides={"at": INSTANT},
)


@pytest.mark.gap("duckdb_files", raises=WarehouseError, reason="views of files that others write")
def test_what_is_written_is_read_again(backend: Backend) -> None:
    backend.warehouse.write("Written", FRAME)

    found = backend.query("SELECT * FROM {written}")

    assert found.sort("Line No", nulls_last=True).equals(FRAME.sort("Line No", nulls_last=True))


@pytest.mark.gap("duckdb_files", raises=WarehouseError, reason="views of files that others write")
def test_a_table_is_written_anew_or_not_at_all(backend: Backend) -> None:
    backend.warehouse.write("Written", FRAME)
    backend.warehouse.write("Written", FRAME.select("user_id").head(0))

    assert backend.query("SELECT * FROM {written}").to_dict(as_series=False) == {"user_id": []}
    with pytest.raises(WarehouseError, match="refused"):
        backend.warehouse.write("no_such_schema.written", FRAME)


@pytest.mark.gap("duckdb_files", raises=WarehouseError, reason="views of files that others write")
def test_a_hundred_thousand_lines_are_written(backend: Backend) -> None:
    numbers = pl.select(number=pl.int_range(100_000))
    backend.warehouse.write("Written", numbers)

    assert backend.query("SELECT SUM(number) AS total FROM {written}")["total"].to_list() == [99_999 * 50_000]


# ------------------------------------------------------------------------------------------------- interrupts, limits


def test_an_interrupt_ends_a_query_and_leaves_the_warehouse_usable(backend: Backend) -> None:
    with pytest.raises(KeyboardInterrupt), backend.interrupted():
        backend.warehouse.query(backend.slow, backend.none)

    assert backend.query("SELECT 1 AS one")["one"].to_list() == [1]


def test_a_query_that_nobody_waits_for_is_ended_and_leaves_the_warehouse_usable(backend: Backend) -> None:
    watch = Watch(lambda _, __: watch.end())

    with pytest.raises(NobodyWaitsError), watched(watch):
        backend.warehouse.query(backend.slow, backend.none)

    assert backend.query("SELECT 1 AS one")["one"].to_list() == [1]


def test_a_query_that_takes_too_long_is_stopped(backend: Backend) -> None:
    with pytest.raises(WarehouseError) as raised:
        backend.hurried.query(backend.slow, backend.none)

    assert "longer than 1 s" in raised.value.what
    assert "timeout" in raised.value.hint
    assert backend.hurried.query("SELECT 1 AS one", backend.none)["one"].to_list() == [1]


# ------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM no_such_table", "SELECT no_such_column FROM {people}", "SELEC user_id FROM {people}"],
)
def test_a_refused_query_says_so_in_one_line_without_values(backend: Backend, statement: str) -> None:
    with pytest.raises(WarehouseError) as raised:
        backend.query(f"{statement} WHERE text_ = {{value}}", value="jane@example.com")

    early = statement.startswith("SELEC ")  # PostgreSQL and Snowflake are not asked: it is no SELECT
    assert "refused the query: " in raised.value.what or (early and "exactly one SELECT" in raised.value.what)
    assert "\n" not in raised.value.what
    assert raised.value.where == backend.warehouse.describe()
    assert "jane@example.com" not in str(raised.value)


def test_a_warehouse_works_on_after_an_error_and_after_it_was_closed(backend: Backend) -> None:
    with pytest.raises(WarehouseError):
        backend.query("SELECT * FROM no_such_table")
    backend.warehouse.close()
    backend.warehouse.close()

    assert backend.query("SELECT 1 AS one")["one"].to_list() == [1]
