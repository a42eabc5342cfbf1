"""The main job on every warehouse: preview, plan, push, and on a later day only the changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from personas_kit.config import load
from personas_kit.sandbox import Sandbox
from personas_kit.workspace import Workspace

if TYPE_CHECKING:
    import pytest

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
write_key = {{ env = "MAIN_JOB_KEY" }}

[destinations.ads]
type = "facebook-custom-audiences"
url = "{url}"
access_token = {{ env = "MAIN_JOB_KEY" }}

[[audience]]
name = "Buyers"
where = "event('Order Completed').within(30 days).count() >= 1"
to = [
    {{ destination = "analytics" }},
    {{ destination = "ads", list = "1", ids = {{ extern_id = "user_id", first_name = "name" }} }},
]

[[trait]]
name = "Revenue"
value = "event('Order Completed').sum(property('paid'))"
to = [{{ destination = "analytics" }}]

[[account_audience]]
name = "Buying accounts"
where = "ANY event('Order Completed').within(30 days).count() >= 1"
to = [{{ destination = "analytics", send = ["group", "identify"] }}]
"""


def test_from_preview_to_what_the_receiver_holds(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIN_JOB_KEY", "made-up")
    with Sandbox() as sandbox:
        file = tmp_path / "personas.toml"
        file.write_text(CONFIG.format(url=sandbox.url), encoding="utf-8")
        workspace = Workspace(load(file), backend.warehouse)
        for as_of in ("2026-02-01", "2026-03-01", "2026-04-15"):
            for key in workspace.definitions:
                card = workspace.preview(key, as_of=as_of)
                plan = workspace.plan(key, as_of=as_of)
                assert f"{card.size:,} of" in repr(card)
                assert plan.push(override=[guard.name for guard in plan.guards]).complete

            buyers = set(workspace.members("buyers", as_of=as_of)["user_id"])
            accounts = set(workspace.members("buying_accounts", as_of=as_of)["account_id"])
            users = sandbox.users()
            assert {user for user, traits in users.items() if traits.get("buyers") is True} == buyers
            assert {dict(row)["EXTERN_ID"] for row in sandbox.lists().get("1", set())} == buyers
            groups = sandbox.accounts()
            assert {name for name, traits in groups.items() if traits.get("buying_accounts") is True} == accounts
            values = workspace.members("revenue", as_of=as_of).filter(pl.col("value") > 0)
            assert {user: float(value) for user, value in values.iter_rows()} == {
                user: traits["revenue"] for user, traits in users.items() if traits.get("revenue")
            }
