"""What the data says of definitions, asked of every warehouse: one statement for each table, and none for a preview."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from personas_kit.config import load
from personas_kit.definitions import AccountAudience, Audience, account_trait, any_user, event, prop, trait
from personas_kit.insight.counting import compile_counts
from personas_kit.testing.small import StillClock
from personas_kit.warehouses.base import Estimate
from personas_kit.workspace import Workspace
from tests.warehouses.texts import TEXTS

if TYPE_CHECKING:
    from tests.warehouses.conftest import Backend

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOP = """
[source]
users = { table = "users", id = "user_id" }
accounts = { table = "accounts", id = "account_id" }
memberships = { table = "memberships", user = "user_id", account = "account_id" }
events = { table = "events", name = "event", at = "sent_at", user = "user_id", id = "message_id" }
"""
READINGS = """
[source]
timezone = "UTC"
users = { table = "readers", id = "user_id" }
events = { table = "readings", name = "event", at = "sent_at", user = "user_id", properties = "document" }
"""
LIMITED = '[warehouse]\ntype = "snowflake"\nconnection = "emulator"\nmax_bytes = "1 GB"\n'
SERVERS = [pytest.param("snowflake", marks=pytest.mark.emulator), pytest.param("postgres", marks=pytest.mark.postgres)]

paid = Audience("Paid", event("Order Completed").sum("paid") > 10)
paid_late = Audience("Paid late", event("Signed In").where(prop("paid") > 1).count() >= 1)
adults = Audience("Adults", (trait("age") >= 18) & trait("name").contains("O'") & (account_trait("kind") == "company"))
pros = AccountAudience("Pros", any_user(trait("plan") == "pro"))
nobody = Audience("Nobody", trait("plan") != "pro")


def opened(backend: Backend, folder: Path, source: str) -> Workspace:
    """A workspace of one of these sources, at the same instant in every warehouse."""
    file = folder / "personas.toml"
    warehouse = {"duckdb": 'path = "unused"', "postgres": 'connection = "shop"', "snowflake": 'connection = "emulator"'}
    kind = backend.warehouse.dialect
    file.write_text(f'[warehouse]\ntype = "{kind}"\n{warehouse[kind]}\n{source}', encoding="utf-8")
    return Workspace(load(file), backend.warehouse, clock=StillClock(AS_OF))


@pytest.fixture
def statements(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that the warehouse runs from now on, by its tag."""
    tags: list[str] = []
    query = backend.warehouse.query

    def seen(statement: str, params: Any, *, tag: str = "") -> Any:
        tags.append(tag)
        return query(statement, params, tag=tag)

    monkeypatch.setattr(backend.warehouse, "query", seen)
    return tags


def looks(statements: list[str]) -> int:
    """How many of them looked at data for these rules."""
    return sum('"key": "lint"' in tag for tag in statements)


def test_every_warehouse_counts_alike(backend: Backend, tmp_path: Path) -> None:
    workspace = opened(backend, tmp_path, SHOP)
    lines: dict[tuple[str, str], int] = {}
    filled: dict[tuple[str, str, str], int] = {}

    for counting in compile_counts([paid, paid_late, adults, pros], workspace.source):
        found = counting.counts(backend.warehouse.query(*counting.query.bound(backend.warehouse.dialect, AS_OF)))
        lines |= {(table.split(".")[-1].lower(), name): count for (table, name), count in found.lines.items()}
        filled |= {
            (spot.of.table.parts[-1].lower(), spot.event, spot.column.name.lower()): count
            for spot, count in found.filled.items()
        }

    assert lines == {
        ("users", ""): 4,
        ("accounts", ""): 2,
        ("events", "Order Completed"): 2,  # a third one is of January, and one is to come
        ("events", "Signed In"): 2,
    }
    assert filled == {
        ("users", "", "age"): 3,
        ("users", "", "name"): 4,
        ("users", "", "plan"): 3,
        ("accounts", "", "kind"): 2,
        ("events", "Order Completed", "paid"): 2,
        ("events", "Signed In", "paid"): 0,
    }


def test_a_check_asks_one_statement_for_each_table_of_all_definitions(
    backend: Backend, tmp_path: Path, statements: list[str]
) -> None:
    workspace = opened(backend, tmp_path, SHOP)
    workspace.add(paid, paid_late, adults, pros, nobody)

    worth = workspace.worth_a_look()

    assert looks(statements) == 3  # events, users, accounts
    said = {key: [(warned.code, warned.what) for warned in found] for key, found in worth.of.items() if found}
    rare = "'paid' of 'Signed In' is there in 0 of 2 events of the last 30 days"
    assert said == {"paid_late": [("rarely_there", rare)]}
    assert Counter(warned.code for warned in worth.beside) == {"naive_time": 1}
    (times,) = worth.beside
    assert times.part.lower().endswith("events.sent_at")


def test_a_key_that_no_document_has_is_told_the_nearest(
    backend: Backend, tmp_path: Path, statements: list[str]
) -> None:
    workspace = opened(backend, tmp_path, READINGS)
    workspace.add(Audience("Typo", event("Read").where(prop("texts") == "5").count() >= 1))
    workspace.add(Audience("Right", event("Read").where(prop("text") == "5").count() >= 1))
    workspace.add(Audience("Number", event("Read").where(prop("text") > 5).count() >= 1))

    worth = workspace.worth_a_look()

    assert looks(statements) == 1
    (typo,) = worth.of["typo"]
    assert (typo.code, typo.hint) == ("unknown_property", "did you mean 'text'?")
    assert typo.what == f"'texts' of 'Read' is in none of {len(TEXTS)} events of the last 30 days"
    (right,) = worth.of["right"]
    assert (right.code, right.what) == ("mixed_types", "'text' of 'Read' is read as texts, and as numbers in 'number'")
    assert worth.beside == ()


def test_a_preview_asks_only_the_embedded_warehouse(backend: Backend, tmp_path: Path, statements: list[str]) -> None:
    workspace = opened(backend, tmp_path, SHOP)

    cards = workspace.preview([paid_late, pros])

    embedded = backend.warehouse.dialect == "duckdb"
    assert looks(statements) == (2 if embedded else 0)  # events and users
    assert [warned.code for warned in cards["paid_late"].warnings] == (["rarely_there"] if embedded else [])


@pytest.mark.parametrize("backend", SERVERS, indirect=True)
def test_other_previews_say_what_the_catalogues_know(backend: Backend, tmp_path: Path, statements: list[str]) -> None:
    workspace = opened(backend, tmp_path, SHOP)
    list(workspace.events), list(workspace.traits)
    asked = len(statements)
    late = datetime(2026, 4, 15, tzinfo=UTC)
    workspace.preview(paid, as_of=late)
    before = len(statements) - asked

    card = workspace.preview(Audience("Late", event("Signed In").count() >= 1), as_of=late)

    assert [warned.code for warned in card.warnings] == ["not_seen"]
    assert looks(statements) == 0
    assert len(statements) - asked == 2 * before


@pytest.mark.emulator
def test_a_look_that_would_read_too_much_is_not_taken_and_said(
    snowflake_backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "personas.toml"
    file.write_text(LIMITED + SHOP, encoding="utf-8")
    workspace = Workspace(load(file), snowflake_backend.warehouse, clock=StillClock(AS_OF))
    workspace.add(paid_late, nobody)
    assert workspace.source  # the names of events are known

    def estimate(statement: str, _: object) -> Estimate:
        return Estimate(2_500_000_000 if "EVENTS" in statement else 1_000_000)

    monkeypatch.setattr(snowflake_backend.warehouse, "estimate", estimate)

    worth = workspace.worth_a_look()

    refused, *_ = worth.beside
    assert (refused.code, refused.part.split(".")[-1]) == ("not_looked", "EVENTS")
    assert refused.hint == (
        "the query of 'lint' would read 2.5 GB, more than 1.0 GB (personas.toml: warehouse.max_bytes)"
    )
    assert worth.of == {"paid_late": (), "nobody": ()}
