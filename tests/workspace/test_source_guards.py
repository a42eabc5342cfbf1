"""A source that changes under a schedule: late, half loaded, of another type, gone; it is said, and nothing is sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from personas_kit.config import load
from personas_kit.errors import PlanBlocked
from personas_kit.opening import open_warehouse
from personas_kit.sandbox import Sandbox
from personas_kit.workspace import Workspace

CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users  = {{ table = "users", id = "user_id" }}
events = {{ table = "events", name = "event", at = "sent_at", user = "user_id" }}

[destinations.analytics]
type = "segment"
url  = "{url}"
write_key = {{ file = "key.txt" }}

[[audience]]
name  = "Buyers"
where = "event('Order Completed').within(30 days).count() >= {least} AND trait('plan') = 'gold'"
every = "1h"
to    = [{{ destination = "analytics", send = ["identify"], ids = {{ email = "email" }} }}]
"""
START = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
USERS = 1_000


class Company:
    """A warehouse that is loaded every hour, and a workspace over it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.hour = folder, url, 0
        (folder / "key.txt").write_text("made-up", encoding="utf-8")
        self.define(least=1)
        self.change(
            f"""
            create table users as
              select 'u' || i as user_id, 'u' || i || '@example.com' as email, 'gold' as plan, i as age
              from range({USERS}) as r(i);
            create table events as
              select 'Order Completed' as event, timestamp '2026-10-02 12:00:00' + interval (i) hours as sent_at,
                'u' || (i % {USERS}) as user_id
              from range(720) as r(i);
            """
        )

    def define(self, least: int) -> None:
        (self.folder / "personas.toml").write_text(CONFIG.format(url=self.url, least=least), encoding="utf-8")

    def change(self, statements: str) -> None:
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as connection:
            connection.execute(statements)

    def load(self, hours: int) -> None:
        """So many hours pass, in each of which somebody orders."""
        at = START + dt.timedelta(hours=self.hour)
        self.change(
            f"""insert into events select 'Order Completed', timestamp '{at:%Y-%m-%d %H:%M:%S}' + interval (i) hours,
                'u' || (i % {USERS}) from range({hours}) as r(i)"""
        )
        self.hour += hours

    def open(self) -> Workspace:
        config = load(self.folder / "personas.toml")
        return Workspace(config, open_warehouse(config))

    def run(self, **more: object) -> tuple[str, str]:
        """What the schedule does now, and why."""
        as_of = START + dt.timedelta(hours=self.hour)
        (line,) = self.open().run(approve="guards", as_of=as_of, **more).lines  # type: ignore[arg-type]
        return line.did, line.why


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Sandbox() as sandbox:
        made = Company(tmp_path, sandbox.url)
        assert made.run(override=["first_sync"])[0] == "pushed"
        made.load(hours=1)
        yield made


def test_a_source_that_is_as_always_goes(company: Company) -> None:
    assert company.run() == ("pushed", "")


def test_events_that_stop_stop_the_schedule_and_are_told_by_hand(company: Company) -> None:
    company.hour += 4

    did, why = company.run()
    plan = company.open().plan("buyers", as_of=START + dt.timedelta(hours=company.hour))

    assert did == "blocked"
    assert why == (
        "the newest event of events is 5 h old (2026-11-01 12:00 UTC); in the 30 days before, the longest pause was 1 h"
    )
    assert [(guard.name, guard.stops) for guard in plan.guards] == [("source_stale", False)]
    assert company.run(override=["source_stale"])[0] == "pushed"


def test_a_table_that_is_half_loaded_stops(company: Company) -> None:
    company.change("delete from users where age >= 500")

    did, why = company.run()

    assert did == "blocked"
    assert "users has 500 lines, and had 1,000 at the last push (50% fewer)" in why
    assert company.open().status().waiting[0].command.endswith("--override removals,source_shrank")


def test_a_column_of_another_type_stops_until_somebody_agrees(company: Company) -> None:
    company.change("alter table events alter sent_at type timestamptz using sent_at at time zone 'UTC'")

    assert company.run() == ("blocked", "events.sent_at was timestamp, and is timestamp_tz")
    assert company.run(override=["columns_changed"]) == ("pushed", "")
    company.load(hours=1)
    assert company.run() == ("pushed", "")


def test_a_column_that_is_gone_cannot_be_overridden(company: Company) -> None:
    company.change("alter table users drop plan")
    workspace = company.open()

    with pytest.raises(PlanBlocked, match=r"users\.plan, which was text, is gone, and so: there is no trait"):
        workspace.plan("buyers")
    did, why = company.run(override=["columns_changed"])
    last = workspace.history(1).row(0, named=True)
    assert (did, last["state"], last["call"]) == ("blocked", "blocked", "identify")
    assert "users.plan, which was text, is gone" in why
    assert "columns_changed" in last["guards"]
    assert {each.command for each in workspace.status().waiting} == {"personas push buyers --to analytics"}


def test_a_column_that_is_gone_and_not_read_any_more_is_no_matter(company: Company) -> None:
    company.change("alter table users drop age")

    assert company.run() == ("pushed", "")


def test_a_definition_that_was_edited_waits_for_a_person_on_a_schedule(company: Company) -> None:
    company.define(least=2)

    did, why = company.run()
    assert did == "blocked"
    assert "and 718 changes come from it" in why  # one order is too old by now, whatever the definition
    assert ">= 1" in why
    assert ">= 2" in why
    with pytest.raises(PlanBlocked, match="definition_edited"):
        company.open().plan("buyers").push(override=["removals", "empty_result"])
