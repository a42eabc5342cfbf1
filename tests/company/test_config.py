"""The demo's personas.toml: it is right about the warehouse, and its audiences have the sizes that the story needs."""

from __future__ import annotations

import datetime as dt
import tomllib
from itertools import pairwise
from typing import Any

import duckdb
import pytest

from personas_kit.company.config import SECRETS, config_text
from personas_kit.company.generate import DEMO_AS_OF

AS_OF = DEMO_AS_OF.replace(tzinfo=None)
Members = set[tuple[Any, ...]]


def test_paths_and_addresses_are_quoted() -> None:
    awkward = 'C:\\data "mine"\\\u00fc\x7f.duckdb'
    parsed = tomllib.loads(config_text(warehouse=awkward, url="http://127.0.0.1:1"))
    assert parsed["warehouse"] == {"type": "duckdb", "path": awkward}
    assert {name: one["url"] for name, one in parsed["destinations"].items()} == {
        "analytics": "http://127.0.0.1:1",
        "meta": "http://127.0.0.1:1",
    }


def test_secrets_are_references_to_what_the_demo_sets() -> None:
    destinations = tomllib.loads(config_text())["destinations"]
    assert destinations["analytics"]["write_key"] == {"file": "segment_write_key.txt"}
    assert destinations["meta"]["access_token"] == {"file": "meta_access_token.txt"}
    assert all(name in config_text() for name in SECRETS)
    assert not any(value in config_text() for value in SECRETS.values())


def test_the_source_names_columns_that_exist(connection: duckdb.DuckDBPyConnection) -> None:
    source = tomllib.loads(config_text())["source"]
    assert source.pop("timezone") == "UTC"
    for part, names in source.items():
        columns = connection.table(names.pop("table")).columns
        assert set(names.values()) <= set(columns), part


def members(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Members]:
    """What a query finds at as_of, and one and two days later."""
    days = (AS_OF + dt.timedelta(days=days) for days in range(3))
    return [set(connection.execute(sql, {"t": day}).fetchall()) for day in days]


@pytest.fixture
def buyers(connection: duckdb.DuckDBPyConnection) -> list[Members]:
    return members(
        connection,
        """select distinct user_id from events join users using (user_id) where event = 'Order Completed'
           and created_at <= $t and timestamp > $t - interval 30 day and timestamp <= $t""",
    )


@pytest.fixture
def active(connection: duckdb.DuckDBPyConnection) -> list[Members]:
    return members(
        connection,
        """with able as (
             select user_id from events where event = 'Feature Used'
             and timestamp > $t - interval 14 day and timestamp <= $t
             group by user_id having count(distinct message_id) >= 3)
           select distinct account_id from able join memberships using (user_id) join accounts using (account_id)
           where kind = 'company' and valid_from <= $t and (valid_to is null or valid_to > $t)""",
    )


def test_about_a_thousand_buyers_and_tens_come_and_go_in_a_day(buyers: list[Members]) -> None:
    assert 800 < len(buyers[0]) < 1_500
    for before, after in pairwise(buyers):
        assert 10 <= len(after - before) < 100
        assert 10 <= len(before - after) < 100


def test_some_of_the_accounts_are_active_and_a_few_come_and_go_in_a_day(active: list[Members]) -> None:
    assert 100 < len(active[0]) < 300
    for before, after in pairwise(active):
        assert 1 <= len(after - before) < 30
        assert 1 <= len(before - after) < 30
