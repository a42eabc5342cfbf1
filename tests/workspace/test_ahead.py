"""Who withdraws consent leaves before the sync is due again; everybody else waits until it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from personas_kit.config import load
from personas_kit.opening import open_warehouse
from personas_kit.sandbox import Sandbox
from personas_kit.workspace import RunReport, Workspace
from tests import small

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
AUDIENCE = """name  = "Vips"
unless = "trait('suppressed') = true"
every = "6h"
"""
USERS = [f"u{n}" for n in range(1_000)]


class Company:
    """Users of whom some are vips, and some withdraw; a schedule runs every hour, the audience goes every six hours."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox
        small.make(folder, sandbox.url, USERS)
        file = folder / "personas.toml"
        file.write_text(file.read_text(encoding="utf-8").replace('name  = "Vips"\n', AUDIENCE), encoding="utf-8")
        self.change("alter table users add column suppressed boolean default false")
        self.run(0, override=["first_sync"])

    def change(self, statement: str) -> None:
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as connection:
            connection.execute(statement)

    def open(self) -> Workspace:
        config = load(self.folder / "personas.toml")
        return Workspace(config, open_warehouse(config))

    def run(self, hour: int, override: list[str] | None = None) -> RunReport:
        workspace = self.open()
        try:
            at = START + dt.timedelta(hours=hour)
            return workspace.run(approve="guards", override=override or [], as_of=at)
        finally:
            workspace.close()


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Sandbox() as sandbox:
        yield Company(tmp_path, sandbox)


def test_who_withdrew_leaves_before_the_sync_is_due_and_the_rest_waits(company: Company) -> None:
    company.change("update users set suppressed = true where user_id in ('u1', 'u2')")
    company.change("update users set vip = false where user_id in ('u3', 'u4', 'u5')")
    early = company.run(1)

    assert [line.did for line in early.lines] == ["pushed", "pushed"]
    assert small.received(company.sandbox) == {*USERS} - {"u1", "u2"}
    assert small.on_the_list(company.sandbox) == len(USERS) - 2

    assert [line.did for line in company.run(2).lines] == ["not due", "not due"]
    assert [line.did for line in company.run(5).lines] == ["not due", "not due"]

    due = company.run(6)  # six hours after the first push, as if nothing had come between
    assert [line.did for line in due.lines] == ["pushed", "pushed"]
    assert small.received(company.sandbox) == {*USERS} - {"u1", "u2", "u3", "u4", "u5"}


def test_the_number_of_those_who_wait_holds_nobody_up_who_withdrew(company: Company) -> None:
    company.change("update users set vip = false where user_id > 'u5'")
    company.change("update users set suppressed = true where user_id = 'u1'")
    workspace = company.open()
    plan = workspace.plan("vips", to="analytics", as_of=START + dt.timedelta(hours=1))
    workspace.close()
    removals = [guard.name for guard in plan.guards if guard.stops]
    early = company.run(1)

    assert set(removals) == {"removals"}  # by hand all of it may go at any time
    assert [line.did for line in early.lines] == ["pushed", "pushed"]
    assert small.received(company.sandbox) == {*USERS} - {"u1"}
    assert {line.did for line in company.run(6).lines} == {"blocked"}


def test_what_the_plan_says(company: Company) -> None:
    company.change("update users set suppressed = true where user_id = 'u1'")
    company.change("update users set vip = false where user_id = 'u2'")
    report = company.run(1)

    for line in report.lines:
        assert line.plan is not None
        for part in line.plan.syncs:
            (guard,) = part.guards
            assert (guard.name, guard.stops) == ("interval", False)
            assert guard.saw.endswith("; who withdrew leaves now; other changes that wait: 1")
            assert part.causes == {"suppression or consent": 1}


def test_a_list_whose_vendor_wants_hours_between_updates_is_told_at_once_by_hand_too(company: Company) -> None:
    """The interval of the vendor is for whoever is added; that a person withdrew is said when it is known."""
    company.change("update users set suppressed = true where user_id = 'u1'")
    workspace = company.open()
    plan = workspace.plan("vips", to="ads", as_of=START + dt.timedelta(minutes=30))
    assert plan.push().complete
    workspace.close()

    assert small.on_the_list(company.sandbox) == len(USERS) - 1


def test_a_full_re_sync_that_somebody_asks_for_stays_whole(company: Company) -> None:
    company.change("update users set suppressed = true where user_id = 'u1'")
    workspace = company.open()
    plan = workspace.plan("vips", to="ads", mode="full", as_of=START + dt.timedelta(minutes=30))
    workspace.close()

    assert [guard.name for guard in plan.guards if guard.stops] == ["interval"]
    assert plan.changes.height == len(USERS)
