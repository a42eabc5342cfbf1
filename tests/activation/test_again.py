"""What is sent once more, noted without being sent, or not tried this time."""

import contextlib

import polars as pl
import pytest

from personas_kit import display
from personas_kit.errors import PlanStale
from personas_kit.sandbox import Fault, Sandbox
from tests import small
from tests.activation.test_delivery import Ticking, assert_the_same_everywhere

TEN = [f"u{n}" for n in range(10)]


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, TEN)
    return tmp_path


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def workspace(folder, clock):
    return small.opened(folder, clock)


def identify(workspace, **how):
    return workspace.plan("vips", to="analytics", send=["identify"], **how)


# ----------------------------------------------------------------------------------------------------- full and adopt


def test_a_full_re_sync_sends_everyone_again_and_says_why(workspace, sandbox, folder, clock):
    workspace.plan("vips").push()
    clock.day += 1
    small.set_vips(folder, [*TEN[1:], "new"])
    plan = workspace.plan("vips", mode="full")

    causes = plan.changes.filter(pl.col("call") == "identify").select("member", "change", "cause").sort("member")
    assert [line for line in causes.rows() if line[0] in {"new", "u0", "u1"}] == [
        ("new", "enter", "new data"),
        ("u0", "exit", "new data"),
        ("u1", "enter", "full re-sync"),
    ]
    assert plan.push().complete
    assert_the_same_everywhere(workspace, sandbox, [*TEN[1:], "new"])


def test_a_full_re_sync_trips_no_guard_by_its_size(workspace, folder, clock):
    many = [f"u{n}" for n in range(2_000)]
    small.set_vips(folder, many)
    identify(workspace).push()
    clock.day += 1

    assert identify(workspace, mode="full").guards == ()


def test_what_is_only_noted_is_not_counted_by_the_bar(workspace, monkeypatch):
    totals = []
    bar = contextlib.nullcontext(lambda _: None)
    monkeypatch.setattr(display, "_progress", [lambda total: totals.append(total) or bar])

    workspace.plan("vips", mode="adopt").push()  # a bar that stays at none of 30 would be alarming
    workspace.plan("vips", mode="full").push(override=["interval"])

    assert totals == [0, 30]


def test_adopting_notes_everyone_and_sends_nothing(workspace, sandbox, folder, clock):
    plan = workspace.plan("vips", mode="adopt")
    report = plan.push()

    assert (report.acknowledged, set(plan.changes["cause"]), list(sandbox.requests)) == (30, {"adopted"}, [])
    clock.day += 1
    small.set_vips(folder, TEN[1:])
    after = identify(workspace)
    assert after.changes.select("member", "change").rows() == [("u0", "exit")]


def test_on_a_schedule_everyone_goes_again_before_the_destination_forgets_them(workspace, folder, clock):
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    (folder / "personas.toml").write_text(text.replace('destination = "ads"', 'destination = "ads", refresh = "10d"'))
    workspace = small.opened(folder, clock)

    first = workspace.run(approve="guards", override=["first_sync"])
    counts = []
    for day in range(1, 22):
        clock.day = day
        done = workspace.run(approve="guards")
        (line,) = (line for line in done.lines if line.destination == "ads")
        counts.append(line.report.acknowledged)
    assert [line.did for line in first.lines] == ["pushed", "pushed"]
    assert [day for day, count in enumerate(counts, 1) if count] == [10, 20]


# ----------------------------------------------------------------------------------------------- refused, and held back


def refused_days(workspace, sandbox, clock, days):
    """On which days the one member whom the destination refuses was tried."""
    tried = []
    for day in range(1, days + 1):
        clock.day = day
        plan = identify(workspace)
        if plan.changes.height:
            tried.append(day)
        sandbox.fail(*[400] * plan.changes.height)
        plan.push()
        sandbox.heal()
    return tried


def test_what_is_refused_again_and_again_is_tried_less_and_less(workspace, sandbox, folder, clock):
    small.set_vips(folder, ["u0"])

    assert refused_days(workspace, sandbox, clock, 32) == [1, 2, 3, 4, 5, 7, 11, 19]
    held = identify(workspace).syncs[0].held
    assert held.select("member", "change", "times").rows() == [("u0", "enter", 8)]


def test_what_was_refused_and_is_due_no_more_is_forgotten(workspace, sandbox, folder, clock):
    small.set_vips(folder, ["u0", "u1"])
    sandbox.fail(400, 400, 400)
    assert identify(workspace).push().rejected == 2
    clock.day += 1
    small.set_vips(folder, ["u1", "u2"])
    sandbox.fail(400, 400, 400)
    identify(workspace).push()

    assert {member for _, state in workspace.store.syncs() for member in state.rejects["member"]} == {"u1", "u2"}


def test_what_is_held_back_is_tried_by_a_full_re_sync(workspace, sandbox, folder, clock):
    small.set_vips(folder, ["u0"])
    refused_days(workspace, sandbox, clock, 5)
    clock.day += 1

    assert identify(workspace).changes.height == 0
    assert identify(workspace, mode="full").changes["member"].to_list() == ["u0"]
    small.set_vips(folder, [])
    assert identify(workspace).changes.height == 0


# ------------------------------------------------------------------------------------------------- going on elsewhere


def stopped(workspace, sandbox, clock):
    """A plan that ended at its deadline, in good order, after the first call."""
    plan = workspace.plan("vips")
    sandbox.fail(None, *[Fault(kind="status", status=429, headers={"Retry-After": "3600"})])
    report = plan.push(deadline=30)
    sandbox.heal()
    return plan, report


def test_a_plan_that_was_stopped_goes_on_in_another_process(workspace, sandbox, folder, clock):
    plan, report = stopped(workspace, sandbox, clock)
    assert (report.acknowledged, report.unsent) == (20, 10)

    other = small.opened(folder, clock)
    going_on = other.unfinished("vips")

    assert (going_on.id, [sync.sync.call for sync in going_on.syncs]) == (plan.id, ["track"])
    assert going_on.push().complete
    assert_the_same_everywhere(other, sandbox, TEN)


def test_it_does_not_go_on_after_an_hour_nor_once_the_definition_means_something_else(
    workspace, sandbox, folder, clock
):
    stopped(workspace, sandbox, clock)
    clock.time += 3_700
    assert small.opened(folder, clock).unfinished("vips") is None

    clock.time -= 3_700
    assert small.opened(folder, clock).unfinished("vips") is not None
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    (folder / "personas.toml").write_text(text.replace("trait('vip') = true", "trait('vip').exists()"))
    assert small.opened(folder, clock).unfinished("vips") is None


def test_what_was_finished_or_never_begun_does_not_go_on(workspace):
    assert workspace.unfinished("vips") is None
    workspace.plan("vips").push()
    assert workspace.unfinished("vips") is None


def test_a_new_plan_takes_over_from_one_that_was_stopped(workspace, sandbox, folder, clock):
    plan, _ = stopped(workspace, sandbox, clock)
    clock.day += 1
    assert small.opened(folder, clock).plan("vips").push().complete

    assert_the_same_everywhere(workspace, sandbox, TEN)
    with pytest.raises(PlanStale, match="plan again"):
        plan.push()
