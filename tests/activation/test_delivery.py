"""Pushes against a real receiver: what was promised holds, whatever the network does.

The names I1 ... I8 are those of the invariants in the reliability notes: after any trouble and a rerun that ends well,
what the destination has, what is wanted and what is acknowledged are the same.
"""

import datetime as dt

import duckdb
import pytest

from personas_kit.activation.transport import HttpTransport
from personas_kit.errors import ConfigError, PlanBlocked, PlanError, PlanStale, SyncBusy
from personas_kit.sandbox import Fault, Sandbox
from tests import small
from tests.activation.scripted import FakeClock

TEN = [f"u{n}" for n in range(10)]
TOMORROW = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, TEN)
    return tmp_path


class Ticking(FakeClock):
    """Does not wait, and is a day later for each plan, so that no interval stands in the way."""

    def __init__(self):
        super().__init__()
        self.day = 0

    def now(self):
        return super().now() + dt.timedelta(days=self.day)


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def workspace(folder, clock):
    return small.opened(folder, clock)


def assert_the_same_everywhere(workspace, sandbox, wanted):
    """Destination, warehouse and state agree (I1, I2)."""
    assert small.received(sandbox) == set(wanted) == set(workspace.members("vips")["user_id"])
    assert small.on_the_list(sandbox) == len(wanted)
    for sync, state in workspace.store.syncs():
        assert state.acknowledged.height == len(wanted), sync
        assert state.unknown.height == 0, sync


def test_first_everyone_then_only_the_changes(workspace, sandbox, folder, clock):
    first = workspace.plan("vips").push()
    clock.day += 1
    small.set_vips(folder, [*TEN[2:], "new"])
    plan = workspace.plan("vips")
    second = plan.push()

    assert (first.acknowledged, second.acknowledged) == (30, 9)
    identified = plan.changes.filter(plan.changes["call"] == "identify").select("member", "change", "value")
    assert sorted(identified.rows()) == [
        ("new", "enter", "true"),
        ("u0", "exit", "false"),
        ("u1", "exit", "false"),
    ]
    assert_the_same_everywhere(workspace, sandbox, [*TEN[2:], "new"])
    assert [event["event"] for event in sandbox.events()].count("Audience Exited") == 2


def test_i8_nothing_changed_means_no_request(workspace, sandbox, clock):
    workspace.plan("vips").push()
    before = len(sandbox.requests)
    clock.day += 1
    plan = workspace.plan("vips")

    assert plan.changes.height == 0
    assert plan.push().complete
    assert len(sandbox.requests) == before


def test_i5_planning_and_previewing_send_nothing_and_write_nothing(workspace, sandbox, folder):
    workspace.preview("vips")
    workspace.plan("vips")

    assert list(sandbox.requests) == []
    assert not (folder / ".personas").exists()


def test_a_second_push_of_a_finished_plan_does_nothing_and_says_so(workspace, sandbox):
    plan = workspace.plan("vips")
    plan.push()
    before = len(sandbox.requests)
    again = plan.push()

    assert again.again
    assert "pushed already; nothing was sent" in repr(again)
    assert len(sandbox.requests) == before


def test_a_plan_made_stale_by_another_push_is_refused(workspace, folder, sandbox, clock):
    seen = workspace.plan("vips")
    small.opened(folder, clock).plan("vips").push()
    before = len(sandbox.requests)

    with pytest.raises(PlanStale, match="plan again"):
        seen.push()
    assert len(sandbox.requests) == before


def test_i7_two_runners_of_one_sync_one_sends(workspace, folder, sandbox):
    plan = workspace.plan("vips")
    holder = plan.syncs[0].sync

    with small.opened(folder).store.lock(holder), pytest.raises(SyncBusy):
        plan.push()
    assert list(sandbox.requests) == []
    assert plan.push().complete


FAULTS = {
    "busy for a moment": [503, 503],
    "too many requests": [Fault(kind="status", status=429, headers={"Retry-After": "1"})],
    "connection dropped before anything was applied": [Fault(kind="drop")],
    "applied, then the connection dropped": [Fault(kind="drop", applied=True)],
    "applied, then the answer cut short": [Fault(kind="truncate", applied=True)],
    "applied, then a page instead of an answer": [Fault(kind="html", applied=True)],
    "everything at once": [
        Fault(kind="drop", applied=True),
        503,
        Fault(kind="html", applied=True),
        429,
        Fault(kind="drop"),
    ],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_i1_after_trouble_everything_agrees_and_ids_repeat_with_the_same_content(workspace, sandbox, faults, skip):
    sandbox.fail(*[None] * skip, *faults)

    report = workspace.plan("vips").push()

    assert report.complete
    assert_the_same_everywhere(workspace, sandbox, TEN)
    assert sandbox.summary()["conflicts"] == 0  # I3


def test_when_the_destination_is_gone_the_same_plan_goes_on_later(workspace, sandbox):
    plan = workspace.plan("vips")
    sandbox.fail(*[503] * 60)
    report = plan.push(deadline=30)

    assert [sync.state for sync in report.syncs] == ["interrupted"] * 3
    assert report.acknowledged + report.rejected + report.unknown + report.unsent == plan.changes.height

    sandbox.heal()
    plan.push()
    assert_the_same_everywhere_after_a_rerun(workspace, sandbox)


def assert_the_same_everywhere_after_a_rerun(workspace, sandbox):
    """What was left unknown goes again with the next plan."""
    workspace._clock.day += 1
    workspace.plan("vips").push()
    assert_the_same_everywhere(workspace, sandbox, TEN)
    assert sandbox.summary()["conflicts"] == 0


def test_i4_an_unknown_change_keeps_its_id_and_its_time(workspace, sandbox, clock):
    sandbox.fail(*[Fault(kind="drop", applied=True)] * 60)
    first = workspace.plan("vips", to="analytics", send=["identify"])
    first.push(deadline=3)
    clock.day += 1
    second = workspace.plan("vips", to="analytics", send=["identify"])

    ids = ["member", "message_id", "timestamp"]
    assert (
        second.syncs[0].lines.select(ids).sort("member").rows()
        == first.syncs[0].lines.select(ids).sort("member").rows()
    )
    assert set(second.changes["cause"]) == {"outcome was unknown"}

    sandbox.heal()
    second.push()
    assert small.received(sandbox) == set(TEN)
    assert sandbox.summary()["conflicts"] == 0


def test_an_unknown_change_that_is_not_wanted_any_more_is_taken_back_under_a_new_id(workspace, sandbox, folder, clock):
    sandbox.fail(*[Fault(kind="drop", applied=True)] * 60)
    first = workspace.plan("vips", to="analytics", send=["identify"])
    first.push(deadline=3)
    sandbox.heal()
    clock.day += 1
    small.set_vips(folder, TEN[1:])
    second = workspace.plan("vips", to="analytics", send=["identify"])
    second.push(override=[guard.name for guard in second.guards])

    exits = second.syncs[0].lines.filter(second.syncs[0].lines["member"] == "u0")
    assert exits["change"].to_list() == ["exit"]
    assert exits["message_id"][0] not in set(first.syncs[0].lines["message_id"])
    assert small.received(sandbox) == set(TEN[1:])


def test_i6_what_is_refused_does_not_block_the_rest_and_is_due_again(workspace, sandbox, clock):
    sandbox.fail(*[400] * 5)  # the batch of ten, its halves, ... until somebody stands alone

    report = workspace.plan("vips", to="analytics", send=["identify"]).push()
    clock.day += 1
    again = workspace.plan("vips", to="analytics", send=["identify"])

    assert report.rejected >= 1
    assert report.rejected + report.acknowledged == 10
    assert sorted(again.changes["member"]) == sorted(report.failed["member"])
    assert again.push().complete
    assert small.received(sandbox) == set(TEN)


def test_a_fatal_answer_fails_the_destination_and_leaves_the_others_alone(workspace, sandbox):
    sandbox.fail(401)
    report = workspace.plan("vips").push()

    assert [(sync.sync.call, sync.state) for sync in report.syncs] == [
        ("identify", "failed"),
        ("track", "interrupted"),
        ("list", "done"),
    ]
    assert "credentials" in report.syncs[0].why
    assert (report.unsent, report.acknowledged) == (20, 10)
    assert len(sandbox.requests) == 2


def test_a_missing_secret_is_said_before_anything_is_committed(workspace, folder, sandbox):
    (folder / "key.txt").unlink()
    plan = workspace.plan("vips")

    with pytest.raises(ConfigError, match="missing or empty"):
        plan.push()
    assert not (folder / ".personas" / "state.sqlite").exists()
    assert list(sandbox.requests) == []


def test_guards_stop_before_the_first_request_until_overridden_by_name(workspace, sandbox, folder, clock):
    workspace.plan("vips").push()
    before = len(sandbox.requests)
    clock.day += 1
    small.set_vips(folder, [])
    plan = workspace.plan("vips")

    with pytest.raises(PlanBlocked, match=r"nobody is wanted, where 10 were before") as blocked:
        plan.push()
    assert blocked.value.guards == ("empty_result",)
    assert "plan.push(override=['empty_result'])" in str(blocked.value)
    assert len(sandbox.requests) == before

    assert plan.push(override=["empty_result"]).complete
    assert_the_same_everywhere(workspace, sandbox, [])


def test_an_override_that_names_nothing_is_a_mistake(workspace):
    with pytest.raises(PlanError, match="no guard named removals fired"):
        workspace.plan("vips").push(override=["removals"])


def test_another_account_is_a_first_push_that_a_person_has_to_agree_to(workspace, folder, clock):
    workspace.plan("vips", to="analytics").push()
    clock.day += 1
    with Sandbox() as other:
        text = (folder / "personas.toml").read_text(encoding="utf-8")
        old = workspace.config.destinations["analytics"].url
        (folder / "personas.toml").write_text(
            text.replace(f'url  = "{old}"', f'url  = "{other.url}"', 1), encoding="utf-8"
        )
        moved = small.opened(folder, clock)
        plan = moved.plan("vips", to="analytics")

        assert [guard.name for guard in plan.guards] == ["destination_changed"]
        assert plan.changes.height == 20
        assert plan.push(override=["destination_changed"]).complete
        assert small.received(other) == set(TEN)


def test_another_account_that_has_everybody_already_is_adopted_without_a_word(workspace, sandbox, folder, clock):
    workspace.plan("vips", to="analytics").push()
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    (folder / "other.txt").write_text("made-up", encoding="utf-8")
    (folder / "personas.toml").write_text(text.replace("key.txt", "other.txt", 1), encoding="utf-8")
    clock.day += 1
    moved, before = small.opened(folder, clock), len(sandbox.requests)
    plan = moved.plan("vips", to="analytics", mode="adopt")

    assert [(guard.name, guard.stops) for guard in plan.guards] == [("destination_changed", False)]
    assert "would be sent again" not in plan.guards[0].saw
    assert plan.push().complete
    assert len(sandbox.requests) == before
    small.set_vips(folder, TEN[1:])
    assert moved.plan("vips", to="analytics").changes["change"].to_list() == ["exit", "exit"]


def test_a_paused_sync_is_planned_and_not_pushed(workspace, sandbox, clock):
    workspace.plan("vips").push()
    workspace.pause("vips", to="analytics")
    clock.day += 1

    with pytest.raises(PlanBlocked, match="paused") as blocked:
        workspace.plan("vips", to="analytics").push(override=["paused"])
    assert "cannot be overridden" in str(blocked.value)
    workspace.resume("vips", to="analytics")
    assert workspace.plan("vips", to="analytics").push().complete


def test_after_a_reset_everyone_goes_again(workspace, sandbox, clock):
    workspace.plan("vips").push()
    workspace.reset("vips", to="ads", confirm="vips")
    clock.day += 1
    plan = workspace.plan("vips", to="ads")

    assert plan.syncs[0].first
    assert plan.changes.height == 10


def test_progress_counts_to_the_total(workspace):
    seen = []
    workspace.plan("vips").push(progress=seen.append)

    assert [(p.done, p.total) for p in seen] == [(10, 30), (20, 30), (30, 30)]


def test_an_interrupt_stops_and_the_same_plan_goes_on(folder, sandbox, clock):
    interrupts = iter([True])

    class Interrupted(HttpTransport):
        def send(self, request):
            answer = super().send(request)
            if next(interrupts, False):
                raise KeyboardInterrupt
            return answer

    workspace = small.opened(folder, clock, Interrupted)
    plan = workspace.plan("vips")
    report = plan.push()

    assert [sync.state for sync in report.syncs] == ["interrupted"] * 3
    assert (report.unknown, report.unsent) == (10, 20)
    plan.push()
    assert_the_same_everywhere_after_a_rerun(workspace, sandbox)


def test_the_history_tells_what_happened(workspace):
    workspace.plan("vips").push()

    runs = workspace.store.runs()
    assert {(run["destination"], run["call"], run["state"], run["acknowledged"]) for run in runs} == {
        ("analytics", "identify", "done", 10),
        ("analytics", "track", "done", 10),
        ("ads", "list", "done", 10),
    }


def test_integer_ids_are_kept_as_integers_and_sent_as_texts(folder, sandbox, clock):
    def wanted(*ids):
        with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
            connection.execute(
                """create or replace table users as
                   select i as user_id, i || '@example.com' as email, list_contains($ids, i) as vip
                   from range(1, 13) as r(i)""",
                {"ids": list(ids)},
            )

    wanted(*range(1, 11))
    workspace = small.opened(folder, clock)
    sandbox.fail(*[Fault(kind="drop", applied=True)] * 60)
    workspace.plan("vips").push(deadline=3)
    sandbox.heal()
    clock.day += 1
    wanted(*range(3, 13))
    plan = workspace.plan("vips")
    plan.push(override=[guard.name for guard in plan.guards])

    assert small.received(sandbox) == {str(n) for n in range(3, 13)}
    states = {sync.call: state for sync, state in workspace.store.syncs()}
    assert states["identify"].acknowledged["member"].sort().to_list() == list(range(3, 13))
    assert sandbox.summary()["conflicts"] == 0
