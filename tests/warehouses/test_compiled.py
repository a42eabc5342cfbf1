"""What the compiler writes, run by every warehouse: the same definitions have the same members everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from pydantic import TypeAdapter

from personas_kit.compiler import (
    Source,
    SourceSettings,
    bind,
    compile_definition,
    compile_event_names,
    compile_lookup,
    compile_memberships,
    compile_population,
)
from personas_kit.definitions import (
    AccountAudience,
    AccountTrait,
    Audience,
    Trait,
    account_trait,
    any_user,
    event,
    trait,
)

if TYPE_CHECKING:
    from tests.warehouses.conftest import Backend

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = {
    "users": {"table": "users", "id": "user_id", "since": "created_at"},
    "accounts": {"table": "accounts", "id": "account_id"},
    "memberships": {
        "table": "memberships",
        "user": "user_id",
        "account": "account_id",
        "valid_from": "valid_from",
        "valid_to": "valid_to",
    },
    "events": {
        "table": "events",
        "name": "event",
        "at": "sent_at",
        "user": "user_id",
        "account": "group_id",
        "id": "message_id",
    },
}
orders = event("Order Completed")
sign_ins = event("Signed In")


def run(backend: Backend, query: Any) -> pl.DataFrame:
    """Run a compiled query as the workspace does."""
    statement, params = query.bound(backend.warehouse.dialect, AS_OF)
    return backend.warehouse.query(statement, params)


@pytest.fixture
def source(backend: Backend) -> Source:
    return bind(TypeAdapter(SourceSettings).validate_python(SETTINGS), backend.warehouse.schema())


@pytest.mark.parametrize(
    ("where", "members"),
    [
        (orders.within(days=30).count() >= 1, {"u1"}),
        (orders.within(days=30).count() == 0, {"u2", "u3"}),
        (orders.within(days=90).sum("paid") > 20.25, {"u1"}),
        (trait("age") >= 18, {"u1"}),
        (trait("plan").exists(), {"u1", "u2"}),
        (trait("plan").absent(), {"u3"}),
        ((trait("plan") == "pro") | trait("plan").absent(), {"u1", "u3"}),
        (trait("name").contains("O'"), {"u1"}),
        (trait("created_at").within_last(days=90), {"u3"}),
    ],
    ids=str,
)
def test_an_audience_has_the_same_members(backend: Backend, source: Source, where: Any, members: set[str]) -> None:
    found = run(backend, compile_definition(Audience("An audience", where), source, {}))

    assert found.columns == ["user_id"]
    assert sorted(found["user_id"]) == sorted(members)


@pytest.mark.parametrize(
    ("value", "values"),
    [
        (orders.count(), {"u1": 2, "u2": 1, "u3": 0}),
        (orders.max("paid"), {"u1": Decimal(20), "u2": Decimal(5)}),
        (orders.first("message_id"), {"u1": "e1", "u2": "e3"}),
        (orders.last("message_id"), {"u1": "e2", "u2": "e3"}),
        (sign_ins.unique("group_id").count(), {"u1": 0, "u2": 1, "u3": 1}),
    ],
    ids=str,
)
def test_a_trait_has_the_same_values(backend: Backend, source: Source, value: Any, values: dict[str, object]) -> None:
    found = run(backend, compile_definition(Trait("A trait", value), source, {}))

    assert found.columns == ["user_id", "value"]
    assert dict(found.rows()) == values


def test_an_account_audience_has_the_same_accounts_and_users(backend: Backend, source: Source) -> None:
    active = AccountAudience("Active", any_user(sign_ins.within(days=30).count() >= 1))
    companies = AccountAudience("Companies", account_trait("kind") == "company")

    assert run(backend, compile_definition(active, source, {}))["account_id"].to_list() == ["a2"]
    assert run(backend, compile_definition(companies, source, {}))["account_id"].to_list() == ["a1"]
    assert run(backend, compile_definition(active, source, {}, expand=True)).rows() == [("u3", "a2")]


def test_an_account_trait_counts_for_its_members_of_that_instant(backend: Backend, source: Source) -> None:
    spend = AccountTrait("Spend", orders.count())

    found = run(backend, compile_definition(spend, source, {}))

    assert dict(found.rows()) == {"a1": 2, "a2": 0}  # u2, who ordered too, has left a1


def test_what_surrounds_a_definition_is_the_same(backend: Backend, source: Source) -> None:
    assert run(backend, compile_population(source, "user"))["size"].to_list() == [3]
    assert run(backend, compile_population(source, "account"))["size"].to_list() == [2]
    assert run(backend, compile_event_names(source))["event"].to_list() == ["Order Completed", "Signed In"]
    assert sorted(run(backend, compile_memberships(source)).rows()) == [("u1", "a1"), ("u3", "a2")]


def test_the_traits_of_some_users_can_be_looked_up(backend: Backend, source: Source) -> None:
    found = run(backend, compile_lookup(source, "user", ["u1", "nobody"]))

    (line,) = found.to_dicts()
    assert {name.lower(): value for name, value in line.items()} == {
        "user_id": "u1",
        "name": "Zoë O'Neill",
        "plan": "pro",
        "age": 30,
        "created_at": datetime(2025, 1, 1, tzinfo=UTC),
    }
