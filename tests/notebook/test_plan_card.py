"""The cards of plans, pushes and runs: a line for each call, and everything that a person decides by."""

import datetime as dt
import re
from contextlib import contextmanager
from dataclasses import replace
from html import unescape

import polars as pl
import pytest

import personas_kit as pk
from personas_kit import event
from personas_kit.activation.asking import FieldStage
from personas_kit.activation.guards import Guard
from personas_kit.activation.report import HELD, Report, SyncReport
from personas_kit.activation.runs import RunLine, RunReport
from personas_kit.activation.sync import Sync
from personas_kit.company import open_demo
from personas_kit.destinations.base import FieldNeeded
from personas_kit.display import size_words
from personas_kit.notebook.report_card import what_is_left
from tests.notebooks.sanitizer import problems

BUYERS = "order_completed_last_30days"
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
NARROW = pk.Audience("Order Completed last 30days", event("Order Completed").within(days=7).count() >= 1)


@contextmanager
def the_day_after(folder):
    """A workspace on the day after a first push."""
    opened = open_demo(folder)
    opened.plan(BUYERS).push()
    opened.clock.move(days=1)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """For tests that leave it as it is."""
    with the_day_after(tmp_path_factory.mktemp("demo")) as opened:
        yield opened


@pytest.fixture
def own(tmp_path):
    """For a test that pushes, or plans another way to a destination, which a workspace remembers."""
    with the_day_after(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def plan(demo):
    return demo.plan(BUYERS)


def words(html):
    """The text of a card, on one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def shown(result):
    html = result._repr_html_()
    assert problems(html) == []
    return words(html)


def with_sync(plan, **more):
    """The plan with other facts about its first sync."""
    first, *rest = plan.syncs
    return replace(plan, syncs=(replace(first, **more), *rest))


def test_every_call_has_its_counts_its_way_and_when_it_is_due(plan):
    said = shown(plan)

    for call in ("identify", "track", "list"):
        assert f"{call} +16 enter \N{MINUS SIGN}29 exit" in said
    assert "analytics Segment, native · every 1 h, due since 2026-11-01 01:00 UTC" in said
    assert "1,130 wanted, 1,143 acknowledged" in said
    assert "why: 29 time passing, 16 new data" in said
    assert "28 users skipped: no usable identifier" in said


def test_the_counts_are_the_largest_figures_and_nothing_is_never_coloured(demo):
    html = demo.plan(BUYERS, mode="full")._repr_html_()
    figures = re.findall(r'<span style="([^"]*font-size:20px[^"]*)">([^<]+)</span>', html)

    assert max(map(int, re.findall(r"font-size:(\d+)px", html))) == 20
    assert all(("color:" in style) == (number != "0") for style, number in figures)


def test_a_value_is_set_and_nobody_enters(demo):
    said = shown(demo.plan("revenue_90d"))

    assert "identify 1,991 set" in said
    assert "enter" not in said
    assert "first push: everyone" in said


def test_a_gateway_is_named(own):
    said = shown(own.plan(BUYERS, to="analytics", integrations=("Adobe Analytics",), send=("track",)))

    assert "through analytics (Segment), as Adobe Analytics" in said


def test_what_is_repeated_held_forgotten_and_only_noted_is_said(plan):
    held = pl.DataFrame({"member": ["u1"], "change": ["enter"], "value": ["true"], "reason": ["bad"], "times": [6]})
    lines = plan.syncs[0].lines.with_columns(was_unknown=pl.int_range(pl.len()) < 7)

    said = shown(with_sync(plan, lines=lines, held=held.cast(HELD), suppressed=3, silent=2))

    assert "7 of unknown outcome are repeated, with the message ids they had" in said
    assert "1 not tried this time: 1 bad" in said
    assert "3 left out: they were forgotten" in said
    assert "2 are noted as acknowledged, and not sent" in said


def test_a_field_that_is_made_first_is_said(plan):
    needed = FieldNeeded("buyers", "Buyers", "boolean", "identify")
    stage = FieldStage(needed, made=True, how="before the first change the push creates the field 'buyers'")

    assert "the push creates the field 'buyers'" in shown(with_sync(plan, stage=stage))


def test_each_guard_stands_there_once_with_the_exact_override(demo):
    said = shown(demo.plan(NARROW))

    assert said.count("override=['removals'] ") == 1
    assert said.count("definition_edited override=") == 1
    assert "meta list: " in said
    assert "plan.push(override=['removals', 'definition_edited']) sends exactly this" in said


def test_an_address_that_a_guard_saw_is_masked(plan):
    guard = Guard("duplicate_members", "2 ids occur more than once, such as ann@example.com", final=True)
    said = shown(with_sync(plan, guards=(guard,)))

    assert "duplicate_members cannot be overridden 2 ids occur more than once, such as a•••@e•••.com" in said
    assert "Nothing can be sent before this is corrected" in said


def test_the_exact_requests_unfold_and_are_masked(plan):
    html = plan._repr_html_()

    assert html.count("<details") == 4
    assert "POST /v1/batch" in html
    assert "example.com" not in html


def test_nothing_to_send_says_so(own):
    plan = own.plan("active_seats_30d")
    plan.push()

    assert "Nothing to send" in shown(own.plan("active_seats_30d", as_of=own.clock.now()))


def test_a_dry_run_is_a_result(plan):
    dry = plan.dry_run()

    assert [part.changes for part in dry.syncs] == [45, 45, 45]
    assert dry.requests == sum(part.requests for part in dry.syncs) == 6
    assert dry.bytes == sum(part["bytes"] for part in dry.to_dict()["syncs"])
    assert "dry run of order_completed_last_30days: 135 changes in 6 requests" in repr(dry)
    assert "identify 2 requests 45 changes" in shown(dry)


def test_a_dry_run_says_what_no_request_can_hold(plan):
    lines = plan.syncs[0].lines.with_columns(
        user_id=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("x" * 600_000)).otherwise("user_id")
    )
    dry = with_sync(plan, lines=lines).dry_run()

    assert dry.syncs[0].refused == {"too large to send": 1}
    assert "1 could not be sent" in repr(dry)
    assert "1 would not be sent: too large to send" in shown(dry)


@pytest.mark.parametrize(("size", "said"), [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (12_345_678, "12.3 MB")])
def test_sizes_are_said_as_people_read_them(size, said):
    assert size_words(size) == said


def report(**counts):
    part = SyncReport(
        Sync("buyers", "analytics", "identify"), "interrupted", wanted=100, enters=100, why="no answer", **counts
    )
    return Report("buyers", "p1", NOON, (part,), lambda: pl.DataFrame({"outcome": ["acknowledged"]}))


def test_a_report_says_why_and_what_is_left_to_do():
    said = shown(report(acknowledged=60, rejected=12, unknown=8, unsent=20, reasons={"bad e-mail": 10, "too long": 2}))

    assert "identify 60 acknowledged 12 rejected 8 unknown 20 not sent" in said
    assert "stopped: 100 enter, 100 wanted" in said
    assert "no answer 10 rejected: bad e-mail 2 rejected: too long" in said
    assert "20 not sent: plan.push() goes on with this plan within an hour" in said
    assert "8 with an outcome that is not known: the next plan repeats them with the same message id." in said


def test_nothing_is_left_where_all_is_acknowledged():
    assert what_is_left(report(acknowledged=100)) == []


def test_many_reasons_are_not_all_listed():
    said = shown(report(rejected=45, reasons={f"reason {number}": number for number in range(10)}))

    assert "9 rejected: reason 9" in said
    assert "5 further reasons" in said
    assert "rejected: reason 4" not in said


def test_a_run_says_of_every_line_what_was_done_what_came_of_it_and_why(own):
    blocked = own.run(approve="guards")
    pushed = RunLine("buyers", "analytics", "pushed", "no answer", None, report(acknowledged=90, rejected=10))
    failed = RunLine("spend", "mail", "failed", "the warehouse is locked by ann@example.com")
    said = shown(replace(blocked, lines=(*blocked.lines, pushed, failed)))

    assert "Failed 1 Blocked" in said
    assert f"pushed {BUYERS} → analytics identify 45 acknowledged done: 16 enter, 29 exit" in said
    assert "blocked active_accounts → analytics a first push of 3,692 changes" in said
    assert "personas push active_accounts --to analytics --override first_sync" in said
    assert "It would send, and has not sent: identify +3,692 enter 0 exit" in said
    assert "buyers → analytics no answer identify 90 acknowledged 10 rejected" in said
    assert "10 rejected, due again" in said
    assert "failed spend → mail the warehouse is locked by a•••@e•••.com" in said


def test_a_run_of_nothing_says_so():
    assert "Nothing is scheduled" in shown(RunReport(NOON, ()))
