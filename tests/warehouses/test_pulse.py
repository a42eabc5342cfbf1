"""What every warehouse says of the tables that a definition reads: lines, newest events, their usual pauses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from personas_kit.activation.cadence import NO_SCHEDULE, Cadence
from personas_kit.activation.figures import TableFigures
from personas_kit.definitions import AccountAudience, Audience, account_trait, any_user, event, trait
from personas_kit.errors import WarehouseError
from personas_kit.insight.pulse import Pulse
from personas_kit.workspace import Workspace
from tests.warehouses.test_data_lint import AS_OF, SHOP, opened, statements

if TYPE_CHECKING:
    from tests.warehouses.conftest import Backend

__all__ = ["statements"]
HOURLY, NEVER = Cadence(3_600), NO_SCHEDULE
buyers = Audience("Buyers", event("Order Completed").within(days=30).count() >= 1)
pros = AccountAudience("Pros", any_user(trait("plan") == "pro") & (account_trait("kind") == "company"))


@pytest.fixture
def workspace(backend: Backend, tmp_path: Path) -> Workspace:
    return opened(backend, tmp_path, SHOP)


def named(figures: Any) -> dict[str, TableFigures]:
    """By the last part of their names, whatever their case."""
    return {name.split(".")[-1].lower(): of for name, of in figures.tables.items()}


def asked(statements: list[str]) -> int:
    return sum('"key": "figures"' in tag for tag in statements)


def test_every_warehouse_counts_alike(workspace: Workspace, statements: list[str]) -> None:
    found = named(Pulse(workspace._reader).figures(buyers, ["name"], AS_OF, NEVER))

    assert {name: of.lines for name, of in found.items()} == {"users": 4, "events": 6}
    assert {name: of.events for name, of in found.items()} == {"users": False, "events": True}
    assert {column.lower(): kind for column, kind in found["users"].columns.items()} == {
        "user_id": "text",
        "name": "text",
    }
    assert (found["events"].newest, found["events"].pause) == (datetime(2026, 2, 28, 10, tzinfo=UTC), None)
    assert asked(statements) == 1


def test_only_where_events_are_late_their_rhythm_is_looked_at(workspace: Workspace, statements: list[str]) -> None:
    events = named(Pulse(workspace._reader).figures(buyers, [], AS_OF, HOURLY))["events"]

    assert (events.newest, events.pause) == (datetime(2026, 2, 28, 10, tzinfo=UTC), timedelta(days=5))
    assert asked(statements) == 2


def test_events_of_too_few_days_have_no_rhythm(workspace: Workspace) -> None:
    events = named(Pulse(workspace._reader).figures(buyers, [], datetime(2026, 2, 26, tzinfo=UTC), HOURLY))["events"]
    none = named(Pulse(workspace._reader).figures(buyers, [], datetime(2025, 6, 1, tzinfo=UTC), HOURLY))["events"]

    assert (events.newest, events.pause) == (datetime(2026, 2, 25, 10, tzinfo=UTC), None)
    assert (none.lines, none.newest, none.pause) == (6, None, None)


def test_one_run_counts_a_table_once(workspace: Workspace, statements: list[str]) -> None:
    pulse = Pulse(workspace._reader)
    first = named(pulse.figures(buyers, [], AS_OF, NEVER))
    second = named(pulse.figures(pros, [], AS_OF, NEVER))
    pulse.figures(buyers, [], AS_OF, NEVER)

    assert first["users"].lines == second["users"].lines == 4
    assert {name: of.lines for name, of in second.items()} == {"users": 4, "accounts": 2, "memberships": 3}
    assert asked(statements) == 2


def test_what_is_not_counted_is_said_and_the_columns_are_known_all_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise WarehouseError("the query took longer than 10 s")

    assert workspace.source.events  # looked up once
    monkeypatch.setattr(workspace.warehouse, "query", refuses)
    figures = Pulse(workspace._reader).figures(pros, [], AS_OF, NEVER)

    assert figures.unseen == "the tables were not counted: the query took longer than 10 s"
    assert {of.lines for of in figures.tables.values()} == {None}
    assert all(of.columns for of in figures.tables.values())
