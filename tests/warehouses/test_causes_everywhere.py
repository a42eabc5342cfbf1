"""Why members change, asked of every warehouse: one statement, and the same causes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from personas_kit.config import load
from personas_kit.definitions import AccountAudience, Audience, Trait, event, in_audience, trait
from personas_kit.sandbox import Sandbox
from personas_kit.workspace import Workspace

if TYPE_CHECKING:
    from tests.warehouses.conftest import Backend

CONFIG = """
[warehouse]
path = "not-used.duckdb"

[source]
users       = {{ table = "users", id = "user_id", since = "created_at" }}
accounts    = {{ table = "accounts", id = "account_id" }}
memberships = {{ table = "memberships", user = "user_id", account = "account_id", valid_from = "valid_from", \
valid_to = "valid_to" }}
events      = {{ table = "events", name = "event", at = "sent_at", user = "user_id", id = "message_id" }}

[destinations.analytics]
type = "segment"
url = "{url}"
write_key = {{ env = "CAUSES_KEY" }}
"""
ORDER, WINTER, SPRING, SUMMER = "Order Completed", "2026-01-20", "2026-03-01", "2026-03-28"
orders = event(ORDER).within(days=30).count()
buyers = Audience("Buyers", orders >= 1)
pros = Audience("Pros", in_audience("often") & (trait("plan") == "pro"))
silent = Audience("Silent", event("Signed In").count() == 0, unless=event(ORDER).within(days=10).count() >= 1)
companies = AccountAudience("Companies", trait("kind") == "company")
paid = Trait("Paid", event(ORDER).within(days=30).sum("paid"))

#: What is referred to, before and after; what is pushed, as of when; what it means afterwards, when it is planned
#: again, and why who changes.
PAST = {
    "time passes, and new data comes": (
        [], buyers, SPRING, buyers, SUMMER, {"u1": "time passing", "u3": "new data"},
    ),
    "the definition is edited": (
        [], buyers, SPRING, Audience("Buyers", orders >= 3), "2026-03-02", {"u1": "definition edited"},
    ),
    "what it refers to is edited": (
        [Audience("Often", orders >= 2), Audience("Often", orders >= 3)], pros, SPRING, pros, "2026-03-02",
        {"u1": "upstream audience"},
    ),
    "somebody is kept out, and others do what is new": (
        [], silent, "2026-02-01", silent, SPRING,
        {"u1": "suppression or consent", "u2": "new data", "u3": "new data"},
    ),
    "a membership has ended": ([], companies, WINTER, companies, SPRING, {"u2": "membership moved"}),
    "a value is less by time, and another is new": (
        [], paid, SPRING, paid, "2026-03-24", {"u1": "time passing", "u3": "new data"},
    ),
    "nothing changes": ([], companies, SPRING, companies, SUMMER, {}),
}  # fmt: skip


@pytest.fixture
def workspace(backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("CAUSES_KEY", "made-up")
    with Sandbox() as sandbox:
        file = tmp_path / "personas.toml"
        file.write_text(CONFIG.format(url=sandbox.url), encoding="utf-8")
        yield Workspace(load(file), backend.warehouse)


@pytest.fixture
def statements(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that the warehouse runs from now on."""
    asked: list[str] = []
    query = backend.warehouse.query

    def seen(statement: str, params: Any, *, tag: str = "") -> Any:
        asked.append(statement)
        return query(statement, params, tag=tag)

    monkeypatch.setattr(backend.warehouse, "query", seen)
    return asked


@pytest.mark.parametrize("name", PAST)
def test_every_warehouse_tells_the_same_causes(workspace: Workspace, statements: list[str], name: str) -> None:
    referred, was, before, definition, now, expected = PAST[name]
    how = {"to": "analytics", "send": ["identify"]}
    workspace.add(*referred[:1], was)
    first = workspace.plan(was.key, as_of=before, **how)
    first.push(override=[guard.name for guard in first.guards])
    workspace.add(*referred[1:], definition)
    statements.clear()

    plan = workspace.plan(definition.key, as_of=now, **how)

    assert dict(plan.changes.select("member", "cause").iter_rows()) == expected
    assert plan.syncs[0].unasked == ""
    whys = [statement for statement in statements if " AS w1" in statement]
    assert len(whys) == bool(expected)
