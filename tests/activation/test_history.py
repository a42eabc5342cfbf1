"""What a person can see of past and coming pushes: every member in one step, the history, the status, what is new."""

import datetime as dt
import json
from dataclasses import replace

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas_kit.activation.attention import news
from personas_kit.activation.cadence import Cadence, Cron
from personas_kit.activation.courier import Tally
from personas_kit.activation.due import Occasion
from personas_kit.activation.history import TABLES, schema_of, tables_of, together
from personas_kit.activation.plan import SyncPlan
from personas_kit.activation.planning import Draft
from personas_kit.activation.report import STEPS, Report
from personas_kit.activation.standing import Standing, UnderWay
from personas_kit.activation.state import Batch, BatchResult, SyncState, reject_frame, unknown_frame
from personas_kit.activation.status import Expected, Registered, status_of
from personas_kit.activation.store import LocalStore
from personas_kit.activation.sync import Sync
from personas_kit.activation.tallies import Sent, sync_report, with_outcomes
from personas_kit.activation.transport import HttpTransport
from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.destinations import Computation, find
from personas_kit.errors import UnknownName, WarehouseError
from personas_kit.membership.changes import apply_changes
from personas_kit.notebook.status_card import status_card
from personas_kit.sandbox import Sandbox
from personas_kit.secret import Secret
from tests import small
from tests.activation.test_delivery import Ticking
from tests.activation.test_store import BUYERS, entering, head, lines, push

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
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


# --- the steps of a report -------------------------------------------------------------------------------------------

SEGMENT = find("segment").configure("analytics", {"write_key": Secret("env", "KEY")})
CHANGES = {"enter": "true", "exit": "false", "set": "7"}
OUTCOMES = ("acknowledged", "rejected", "unknown", "accepted", "unsent", "refused and unknown", "waiting")


def plan_of(changes, *, skipped=0, held=0):
    """A sync's plan of these changes, of members of their own."""
    members = [f"u{n}" for n in range(len(changes))]
    frame = pl.DataFrame(
        {
            "member": members,
            "change": changes,
            "value": [CHANGES[change] for change in changes],
            "cause": ["new data"] * len(changes),
            "message_id": members,
            "timestamp": pl.Series([NOON] * len(changes), dtype=pl.Datetime("us", "UTC")),
        },
        schema_overrides=dict.fromkeys(("member", "change", "value", "cause", "message_id"), pl.String),
    )
    nobody = SyncState(pl.DataFrame(), unknown_frame([], pl.String()), reject_frame([], pl.String()))
    kept = {"member": ["h"] * held, "change": ["enter"] * held, "value": ["true"] * held, "reason": ["gone"] * held}
    return SyncPlan(
        sync=BUYERS,
        connection=SEGMENT,
        computation=Computation("buyers", "audience", "Buyers"),
        fingerprint="f",
        lines=frame,
        state=nobody,
        wanted=len(changes) + held,
        skipped=pl.DataFrame({"user_id": [f"s{n}" for n in range(skipped)]}, schema={"user_id": pl.String}),
        guards=(),
        first=False,
        valued=False,
        held=pl.DataFrame(kept, schema_overrides=dict.fromkeys(kept, pl.String)).with_columns(
            times=pl.lit(5, pl.Int64)
        ),
    )


def tallied(outcomes, size):
    """What became of batches of a size: ``waiting`` at the end of them were never begun."""
    found = {}
    for start in range(0, len(outcomes), size):
        part = outcomes[start : start + size]
        if "waiting" in part:
            break
        tally = Tally()
        for at, outcome in enumerate(part):
            if outcome in {"rejected", "refused and unknown"}:
                tally.rejected[at] = f"reason {at % 2}"
            if outcome in {"unknown", "refused and unknown"}:
                tally.unknown.add(at)
            if outcome == "accepted":
                tally.accepted[at] = "job"
            if outcome == "unsent":
                tally.unsent.add(at)
        found[Batch(start, start + len(part))] = tally
    return found


def reported(plan, outcomes):
    part, frame = sync_report(plan, Sent(outcomes), finished=False), with_outcomes(plan, outcomes)
    return Report("buyers", "p1", NOON, (part,), lambda: frame)


@given(
    st.lists(st.tuples(st.sampled_from([*CHANGES]), st.sampled_from(OUTCOMES)), max_size=30),
    st.integers(1, 7),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_every_change_is_in_one_step_whatever_became_of_it(members, size, skipped, held):
    changes, outcomes = [change for change, _ in members], [outcome for _, outcome in members]
    report = reported(plan_of(changes, skipped=skipped, held=held), tallied(outcomes, size))

    assert report.reconciles()
    (part,) = report.syncs
    after = ("acknowledged", "rejected", "unknown", "accepted", "unsent")
    steps = [set(report.step(name)["member"]) for name in after]
    assert sum(map(len, steps)) == len(members) == len(set().union(*steps))
    assert sum(part.steps[kind] for kind in ("entered", "left", "set")) == len(members)
    assert part.steps["sent"] == len(members) - part.unsent
    refused = report.steps.filter(pl.col("step") == "rejected", pl.col("count") > 0)
    assert dict(refused.select("reason", "count").iter_rows()) == dict(part.reasons)
    if members:
        lost = replace(part, acknowledged=part.acknowledged + 1)
        assert not replace(report, syncs=(lost,)).reconciles()


def test_a_step_is_a_frame():
    plan = plan_of(["enter", "exit", "enter"], skipped=1, held=2)
    report = reported(plan, tallied(["acknowledged", "rejected", "unsent"], 3))

    assert report.step("rejected").select("member", "change", "reason").rows() == [("u1", "exit", "reason 1")]
    assert report.step("entered")["member"].to_list() == ["u0", "u2"]
    assert report.step("skipped").rows() == [("s0", "analytics", "identify")]
    assert report.step("held").select("member", "reason", "times").rows() == [("h", "gone", 5)] * 2
    assert report.step("wanted").rows() == [(5, "analytics", "identify")]
    assert set(report.steps["step"]) == set(STEPS)
    with pytest.raises(UnknownName, match="did you mean 'rejected'"):
        report.step("reject")


def test_a_plan_that_was_pushed_already_has_nobody_in_any_step(workspace):
    plan = workspace.plan("vips", to="analytics", send=["identify"])
    first, again = plan.push(), plan.push()

    assert (first.reconciles(), again.reconciles()) == (True, True)
    assert {name: again.step(name).height for name in STEPS} == dict.fromkeys(STEPS, 0)
    assert first.step("acknowledged").height == 10


# --- the history -----------------------------------------------------------------------------------------------------


def states(workspace):
    return [(run["call"], run["state"]) for run in workspace.history().to_dicts()]


def test_a_run_of_a_schedule_leaves_a_line_where_nothing_was_sent(workspace, clock, folder):
    blocked = workspace.run(approve="guards")
    clock.day += 1
    workspace.run(override=["first_sync"])
    clock.day += 1
    (folder / "key.txt").unlink()
    failed = workspace.run(approve="guards", override=["first_sync"])

    assert [line.did for line in (*blocked.lines, *failed.lines)] == ["blocked"] * 2 + ["failed"] * 2
    assert sorted({state for _, state in states(workspace)}) == ["blocked", "failed", "planned"]
    lines = workspace.history().to_dicts()
    assert len(lines) == 9
    assert json.loads(lines[-1]["guards"]) == {"first_sync": "a first push of 10 changes that nobody has looked at"}
    assert all(line["unsent"] == 10 and line["acknowledged"] == 0 for line in lines)
    assert "missing or empty" in lines[0]["why"]


def test_what_is_not_due_leaves_no_line(workspace):
    workspace.plan("vips").push()
    report = workspace.run(approve="guards")

    assert {line.destination: line.did for line in report.lines} == {"analytics": "pushed", "ads": "not due"}
    assert sorted(states(workspace)) == [
        ("identify", "done"),
        ("identify", "done"),
        ("list", "done"),
        ("track", "done"),
        ("track", "done"),
    ]


def test_one_call_of_a_plan_that_is_stopped_stops_the_others_and_the_history_says_so(workspace, folder, clock):
    workspace.plan("vips", to="analytics", send=["identify"]).push()
    clock.day += 1
    workspace.run(approve="guards")

    said = {line["call"]: line["why"] for line in workspace.history().filter(pl.col("state") == "blocked").to_dicts()}
    assert said["identify"] == "another call of the same plan is stopped by first_sync"
    assert said["track"] == "a first push of 10 changes that nobody has looked at"


def test_overrides_are_kept_with_who_and_why(workspace, folder, clock):
    workspace.plan("vips").push()
    clock.day += 1
    small.set_vips(folder, [])
    workspace.plan("vips").push(override={"empty_result": "the club is closed"})

    last = workspace.history(1).row(0, named=True)
    assert json.loads(last["overrides"])["empty_result"]["why"] == "the club is closed"
    assert json.loads(last["guards"]) == {"empty_result": "nobody is wanted, where 10 were before"}


def test_a_guard_speaks_of_the_pushes_before(workspace, folder, clock):
    workspace.plan("vips").push()
    for day in range(1, 4):
        clock.day = day
        small.set_vips(folder, TEN[:-day])
        workspace.plan("vips").push()
    clock.day += 1
    small.set_vips(folder, [])

    assert {guard.saw for guard in workspace.plan("vips").guards} == {
        "nobody is wanted, where 7 were before; in the last 3 pushes at least 7 were wanted"
    }


def test_the_history_is_written_into_the_warehouse_as_often_as_one_likes(workspace, folder, sandbox, clock):
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create schema personas")
    sandbox.fail(*[400] * 5)
    workspace.plan("vips", to="analytics", send=["identify"]).push()
    first = workspace.write_history()
    again = workspace.write_history()
    clock.day += 1
    workspace.run(approve="guards")
    later = workspace.write_history()

    assert first == again == {"runs": 1, "run_reasons": 1, "run_guards": 0}
    assert later["runs"] == 4
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        runs = connection.sql("select * from personas.runs order by finished_at, call").pl()
        reasons = connection.sql("select reason, changes from personas.run_reasons").fetchall()
        guards = connection.sql("select guard, overridden_by from personas.run_guards").fetchall()
    assert runs.columns == [*TABLES["runs"]]
    assert runs["rejected"].to_list()[0] == 2
    assert [count for _, count in reasons] == [2]
    assert {name for name, _ in guards} == {"first_sync"}


def test_the_schema_of_the_state_holds_nothing_else(workspace, folder, clock):
    with (folder / "personas.toml").open("a", encoding="utf-8") as file:
        file.write('\n[state]\nstore = "warehouse"\n')

    with pytest.raises(WarehouseError, match="'Personas' holds the state, and nothing else"):
        small.opened(folder, clock).write_history("Personas")


def test_a_schema_that_is_not_there_is_said(workspace):
    workspace.plan("vips").push()

    with pytest.raises(WarehouseError) as raised:
        workspace.write_history("nowhere")
    assert raised.value.hint.endswith('CREATE SCHEMA "nowhere"')
    with pytest.raises(WarehouseError) as raised:
        workspace.write_history("shop.nowhere")
    assert raised.value.hint.endswith('CREATE SCHEMA "shop"."nowhere"')


def test_a_table_of_another_kind_is_left_alone(workspace, folder):
    workspace.plan("vips").push()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create table runs as select 7 as number")

    with pytest.raises(WarehouseError, match=r"main\.runs is there already, and is no history"):
        workspace.write_history("main")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        assert connection.sql("from runs").fetchall() == [(7,)]
        connection.execute("drop table runs")
    assert workspace.write_history("main") == workspace.write_history("main")


def test_what_the_warehouse_has_stays_when_it_is_gone_here():
    run = {
        "plan_id": "p1", "key": "vips", "destination": "analytics", "call": "list", "place": "1",
        "started_at": NOON, "finished_at": NOON, "as_of": NOON, "state": "partial", "why": "",
        **dict.fromkeys(
            ("wanted", "enters", "exits", "sets", "acknowledged", "rejected", "unknown", "accepted", "unsent",
             "skipped", "suppressed", "held"), 3,
        ),
        "reasons": {"gone": 3}, "guards": {"removals": "many"}, "overrides": {"removals": {"who": "ann", "why": "ok"}},
    }  # fmt: skip
    own = tables_of([run])
    later = tables_of([{**run, "plan_id": "p2", "finished_at": NOON + HOUR, "reasons": {}, "guards": {}}])

    assert own["run_reasons"].row(0, named=True)["changes"] == 3
    assert own["run_guards"].select("guard", "overridden_by", "because").rows() == [("removals", "ann", "ok")]
    for name in TABLES:
        kept = together(name, own[name], later[name])
        assert kept.schema == schema_of(name)
        assert together(name, kept, own[name]).equals(kept)
        assert kept.head(1).equals(own[name])
    older = own["runs"].drop("held").with_columns(pl.col("wanted").cast(pl.Float64))
    assert together("runs", older, later["runs"])["held"].to_list() == [None, 3]


def test_the_history_is_kept_for_as_long_as_the_file_says(folder, clock):
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    (folder / "personas.toml").write_text(f'{text}\n[state]\nkeep = "2d"\n', encoding="utf-8")
    workspace = small.opened(folder, clock)
    for _ in range(5):
        workspace.plan("vips", to="analytics", send=["identify"]).push()
        clock.day += 1

    assert workspace.history().height == 3
    assert workspace.status().frame["acknowledged"].to_list()[1] == 10


def test_without_a_word_everything_is_kept(workspace, clock):
    for _ in range(5):
        workspace.plan("vips", to="analytics", send=["identify"]).push()
        clock.day += 400

    assert workspace.history().height == 5


# --- what is new -----------------------------------------------------------------------------------------------------


def line(state="done", *, rejected=None, guards=(), why="", held=0):
    reasons = rejected or {}
    return {
        "state": state, "reasons": reasons, "rejected": sum(reasons.values()), "held": held, "why": why,
        "guards": dict.fromkeys(guards, "many would leave"),
    }  # fmt: skip


NEWS = {
    "a first push that is well": ([], line(), []),
    "well, as before": ([line()], line(), []),
    "refused for the first time": (
        [line()],
        line("partial", rejected={"gone": 3}),
        ["refused for the first time: 3 gone"],
    ),
    "refused at the first push": ([], line("partial", rejected={"gone": 3}), ["refused for the first time: 3 gone"]),
    "refused as before": ([line("partial", rejected={"gone": 3})], line("partial", rejected={"gone": 9}), []),
    "refused as before, with a stop between": (
        [line("blocked", guards=["removals"]), line("partial", rejected={"gone": 3})],
        line("partial", rejected={"gone": 3}),
        ["goes again; it was stopped by removals last time"],
    ),
    "refused for another reason": (
        [line("partial", rejected={"gone": 3})],
        line("partial", rejected={"gone": 3, "too long": 1}),
        ["refused for a reason that is new: 1 too long"],
    ),
    "refused no more": (
        [line("partial", rejected={"gone": 3})],
        line(),
        ["nothing is refused any more, where 3 were"],
    ),
    "refused no more because it was not tried": ([line("partial", rejected={"gone": 3})], line(held=3), []),
    "stopped by a guard": ([line()], line("blocked", guards=["removals"]), ["stopped by removals: many would leave"]),
    "stopped by the same guard": ([line("blocked", guards=["removals"])], line("blocked", guards=["removals"]), []),
    "stopped by one more guard": (
        [line("blocked", guards=["removals"])],
        line("blocked", guards=["removals", "source_stale"]),
        ["stopped by source_stale: many would leave"],
    ),
    "stopped with another call": (
        [line()],
        line("blocked", why="another call is stopped"),
        ["another call is stopped"],
    ),
    "failed": ([line()], line("failed", why="no key"), ["failed: no key"]),
    "failed as before": ([line("failed", why="no key")], line("failed", why="no key"), []),
    "failed in another way": ([line("failed", why="no key")], line("failed", why="no net"), ["failed: no net"]),
    "goes again": ([line("failed", why="no key")], line(), ["goes again; it failed last time"]),
    "interrupted": (
        [line()],
        line("interrupted", why="the deadline was reached"),
        ["interrupted: the deadline was reached; push again to go on"],
    ),
    "goes on": ([line("interrupted")], line(), ["goes again; it was interrupted last time"]),
    "only planned": ([line()], line("planned"), []),
    "planned between": ([line("planned"), line("failed", why="x")], line("failed", why="x"), []),
}


@pytest.mark.parametrize(("before", "now", "said"), NEWS.values(), ids=NEWS)
def test_what_is_new_is_said_once(before, now, said):
    assert news(before, now) == said


def test_a_report_says_what_is_new_since_the_run_before(workspace, sandbox, clock):
    sandbox.fail(*[400] * 5)
    first = workspace.plan("vips", to="analytics", send=["identify"]).push()
    clock.day += 1
    second = workspace.plan("vips", to="analytics", send=["identify"]).push()
    clock.day += 1
    third = workspace.plan("vips", to="analytics", send=["identify"]).push()

    assert first.attention == ["analytics identify: refused for the first time: 2 status 400"]
    assert second.attention == ["analytics identify: nothing is refused any more, where 2 were"]
    assert third.attention == []
    assert first.to_dict()["attention"] == first.attention


def test_a_schedule_says_that_it_is_stopped_once_and_that_it_goes_again(workspace, clock):
    said = []
    for _ in range(2):
        said.append(workspace.run(approve="guards").attention)
        clock.day += 1
    said.append(workspace.run(approve="guards", override=["first_sync"]).attention)

    assert said[0][0] == (
        "vips -> analytics identify: stopped by first_sync: a first push of 10 changes that nobody has looked at"
    )
    assert (len(said[0]), said[1]) == (3, [])
    assert set(said[2]) == {
        "vips -> analytics identify: goes again; it was stopped by first_sync last time",
        "vips -> analytics track: goes again; it was stopped by first_sync last time",
        "vips -> ads list: goes again; it was stopped by first_sync last time",
    }


# --- the status ------------------------------------------------------------------------------------------------------

VIPS = Sync("vips", "analytics", "identify")
HERE = Registered(frozenset({"vips"}), frozenset({"analytics"}), [Expected(VIPS, Cadence(3_600))])
PUSHED = Standing(VIPS, acknowledged=10, members=10, last_as_of=NOON, last_push=NOON)


def ran(state="done", ago=0, **about):
    counts = {"acknowledged": 100, "rejected": 0, "unknown": 0, "unsent": 0, "held": 0}
    finished = {"finished_at": NOON - ago * HOUR, "why": "", "reasons": {}, "guards": {}}
    return {"plan_id": "p", "state": state, **counts, **finished, **about}


WAITS = {
    "all is well": (PUSHED, [ran()], HERE, []),
    "it was never pushed": (
        Standing(VIPS),
        [],
        HERE,
        [("first push", "personas push vips --to analytics")],
    ),
    "it is not of the file": (Standing(VIPS), [], replace(HERE, expected=[]), []),
    "somebody paused it": (
        replace(PUSHED, paused=True),
        [ran()],
        HERE,
        [("paused", "personas resume vips --to analytics")],
    ),
    "guards stopped it": (
        PUSHED,
        [ran("blocked", guards={"removals": "900 would leave", "empty_result": "nobody"}), ran(ago=1)],
        HERE,
        [("blocked", "personas push vips --to analytics --override empty_result,removals")],
    ),
    "guards stopped it, and it went since": (
        PUSHED,
        [ran(), ran("blocked", ago=1, guards={"removals": "900 would leave"})],
        HERE,
        [],
    ),
    "guards stopped it, and it was planned since": (
        PUSHED,
        [ran("planned"), ran("blocked", ago=1, guards={"removals": "900 would leave"})],
        HERE,
        [("blocked", "personas push vips --to analytics --override removals")],
    ),
    "a guard that nobody can override stopped it": (
        PUSHED,
        [ran("blocked", guards={"removals": "900 would leave", "duplicate_members": "2 stand there twice"})],
        HERE,
        [("blocked", "personas push vips --to analytics")],
    ),
    "it failed": (PUSHED, [ran("failed", why="the key is missing")], HERE, [("failed", "")]),
    "a plan was stopped, and may go on": (
        replace(PUSHED, under_way=UnderWay(NOON - HOUR / 2, 30, 10, stopped=True)),
        [ran("interrupted")],
        HERE,
        [("stopped", "personas push vips --to analytics --unfinished")],
    ),
    "a plan was stopped, and is too old": (
        replace(PUSHED, under_way=UnderWay(NOON - 2 * HOUR, 30, 10, stopped=True)),
        [ran("interrupted")],
        HERE,
        [("stopped", "personas push vips --to analytics")],
    ),
    "a push is under way, or died": (
        replace(PUSHED, under_way=UnderWay(NOON - HOUR, 30, 10, stopped=False)),
        [ran()],
        HERE,
        [("under way", "")],
    ),
    "something was accepted only": (
        replace(PUSHED, unknown=4, accepted=4, accepted_since=NOON - HOUR),
        [ran()],
        HERE,
        [("accepted", "")],
    ),
    "its definition is gone": (
        PUSHED,
        [ran()],
        Registered(frozenset({"others"}), frozenset({"analytics"})),
        [("no definition", "personas remove vips")],
    ),
    "its destination is gone": (
        PUSHED,
        [ran()],
        Registered(frozenset({"vips"}), frozenset({"others"})),
        [("no destination", "")],
    ),
    "less is accepted than before": (
        PUSHED,
        [ran("partial", acknowledged=60, rejected=40, reasons={"gone": 40}), *[ran(ago=1)] * 3],
        HERE,
        [("accepts less", "")],
    ),
    "a little less is accepted": (PUSHED, [ran("partial", acknowledged=91, rejected=9), ran(ago=1)], HERE, []),
    "less of a few is accepted": (PUSHED, [ran("partial", acknowledged=1, rejected=9), ran(ago=1)], HERE, []),
}


@pytest.mark.parametrize(("standing", "runs", "registered", "waits"), WAITS.values(), ids=WAITS)
def test_what_waits_for_a_person(standing, runs, registered, waits):
    status = status_of(registered, [standing], {VIPS.id: runs}, NOON)

    assert [(each.what, each.command) for each in status.waiting] == waits
    (told,) = status.frame["waits"]
    assert all(f"{each.what}: {each.said}" in told for each in status.waiting)


def test_what_is_due_next():
    ads = Sync("vips", "ads", "list", "1")
    here = replace(HERE, destinations=frozenset({"analytics", "ads"}))
    here = replace(here, expected=[Expected(VIPS, Cadence(3_600)), Expected(ads, Cadence(4 * 3_600), 6 * 3_600)])
    both = [PUSHED, replace(PUSHED, sync=ads)]

    later = status_of(here, both, {}, NOON)
    now = status_of(here, both, {}, NOON + 2 * HOUR)
    paused = status_of(here, [replace(each, paused=True) for each in both], {}, NOON)

    assert dict(later.frame.select("destination", "due").iter_rows()) == {
        "analytics": NOON + HOUR,
        "ads": NOON + 8 * HOUR,
    }
    assert later.next == "vips -> analytics is due at 2026-11-01 13:00 UTC (every 1 h)"
    assert now.next == "vips -> analytics is due now (every 1 h)"
    assert paused.next == ""


def test_what_is_due_next_by_a_cron():
    here = replace(HERE, expected=[Expected(VIPS, Cadence(cron=Cron("30 6 * * 1-5")))])

    sunday = status_of(here, [PUSHED], {}, NOON)

    assert sunday.next == ("vips -> analytics is due at 2026-11-02 06:30 UTC (at 06:30 on Monday through Friday, UTC)")


def test_a_status_in_one_line_and_as_data(workspace, clock):
    before = workspace.status()
    workspace.plan("vips", to="analytics").push()
    status = workspace.status()

    assert repr(before).startswith("3 syncs, 0 acknowledged, 3 wait for a person")
    assert repr(status).startswith("3 syncs, 20 acknowledged, 1 waits for a person")
    assert [where for where, _ in before.asks] == ["vips -> ads (list)", "vips -> analytics (identify, track)"]
    assert status.to_polars().filter(pl.col("call") == "track").row(0, named=True)["last_run"] == "done"
    assert {each["what"] for each in status.to_dict()["waiting"]} == {"first push"}
    assert "personas push vips" not in status_card(status)
    assert "ws.plan(&#x27;vips&#x27;, to=&#x27;ads&#x27;).push()" in status_card(status)


def test_a_push_that_died_is_in_the_status_with_what_it_had_acknowledged(folder, workspace, clock):
    class Dies(HttpTransport):
        requests = 0

        def send(self, request):
            Dies.requests += 1
            if Dies.requests > 1:
                raise SystemExit
            return super().send(request)

    with pytest.raises(SystemExit):
        small.opened(folder, clock, Dies).plan("vips", to="analytics").push()

    frame = workspace.status().frame.filter(pl.col("destination") == "analytics")
    assert frame.select("call", "acknowledged", "unknown").rows() == [("identify", 10, 0), ("track", 0, 10)]
    assert "under way" in frame["waits"][1]


def test_a_push_killed_at_a_tenth_does_not_stop_its_own_resume(folder, sandbox, clock):
    """Against the few who have arrived, all the others would be a flood."""
    everyone = [f"v{n:05}" for n in range(25_000)]
    small.set_vips(folder, everyone)
    requests = []

    class Dies(HttpTransport):
        def send(self, request):
            requests.append(request)
            if len(requests) > 4:
                raise SystemExit
            return super().send(request)

    killed = small.opened(folder, clock, Dies)
    plan = killed.plan("vips", to="analytics", send=["identify"])
    with pytest.raises(SystemExit):
        plan.push()
    clock.day += 1
    again = small.opened(folder, clock).plan("vips", to="analytics", send=["identify"])

    arrived = again.syncs[0].state.acknowledged.height
    assert 0 < arrived <= 5_000
    assert again.changes.height == 25_000 - arrived
    assert again.guards == ()
    assert again.push().complete
    assert small.received(sandbox) == set(everyone)


# --- without opening the members -------------------------------------------------------------------------------------

STEPS_OF_A_SYNC = st.lists(
    st.tuples(st.sampled_from(["enter", "exit"]), st.sampled_from("abcdefgh"), st.sampled_from("-rua")), max_size=8
)


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS_OF_A_SYNC, min_size=1, max_size=6), st.booleans())
def test_members_are_counted_without_being_opened(tmp_path_factory, plans, known):
    """Whatever is pushed, refused, unknown or accepted: the count is that of the members."""
    store = LocalStore(tmp_path_factory.mktemp("state"))
    push(store, entering(*(f"x{n}" for n in range(90))), plan_id="p")
    for number, changes in enumerate(plans):
        unique = list({member: (change, member, end) for change, member, end in changes}.values())
        frame = lines(*((change, member) for change, member, _ in unique))
        there = set(store.load(BUYERS).acknowledged["member"])
        if known:
            grows = [(change == "enter") - (member in there) for change, member, _ in unique]
            frame = frame.with_columns(grows=pl.Series(grows, dtype=pl.Int8))
        ends = {at: end for at, (_, _, end) in enumerate(unique)}
        result = BatchResult(
            rejected={at: "no" for at, end in ends.items() if end == "r"},
            unknown={at for at, end in ends.items() if end == "u"},
            accepted={at: "job" for at, end in ends.items() if end == "a"},
        )
        push(store, frame, result, plan_id=f"p{number}")
        for job in store.load(BUYERS).jobs:
            with store.lock(BUYERS):
                store.conclude(job, BUYERS, {})

        (standing,) = store.standings()
        state = store.load(BUYERS)
        assert standing.acknowledged == state.acknowledged.height
        assert standing.unknown == state.unknown.height
        assert standing.rejected == state.rejects.height


MEMBERS = st.sets(st.sampled_from("abcdefgh"))
MODES = st.sampled_from(["changes", "full", "exits", "adopt"])


def drafted(known, wanted, unknown, mode, *, valued):
    """The plan for so many members, of which some are known, and some were told of with an outcome nobody knows."""
    values = {"value": pl.Series(["1"] * len(known), dtype=pl.String)} if valued else {}
    before = pl.DataFrame({"member": pl.Series(sorted(known), dtype=pl.String), **values})
    sent = [
        {"member": member, "change": "set" if valued else "exit", "value": "7", "message_id": member, "job": None,
         "timestamp": 0}
        for member in sorted(unknown)
    ]  # fmt: skip
    state = SyncState(before, unknown_frame(sent, pl.String()), reject_frame([], pl.String()), last_as_of=NOON)
    people = {"user_id": pl.Series(sorted(wanted), dtype=pl.String)}
    people |= {"value": pl.Series([ord(each) % 3 for each in sorted(wanted)], dtype=pl.Int64)} if valued else {}
    found = Members(pl.DataFrame(people), zero_is_empty=valued)
    about = (SEGMENT, Computation("buyers", "trait" if valued else "audience", "Buyers"), "f", "")
    return Draft(BUYERS, *about, wanted_by("identify", found, SEGMENT, {}), state, Occasion("p", NOON, mode=mode))


@given(MEMBERS, MEMBERS, MEMBERS, MODES, st.booleans(), st.integers(0, 7))
def test_a_plan_knows_of_each_change_how_many_members_more_there_will_be(known, wanted, unknown, mode, valued, done):
    """Whichever of the changes are acknowledged in the end."""
    draft = drafted(known, wanted, unknown, mode, valued=valued)

    before, taken = draft.state.acknowledged, draft.plan().lines.head(done)
    assert before.height + taken["grows"].sum() == apply_changes(before, taken).height


@given(MEMBERS, MEMBERS, MEMBERS, MODES, st.booleans())
def test_what_is_foreseen_is_what_is_planned(known, wanted, unknown, mode, valued):
    foreseen = drafted(known, wanted, unknown, mode, valued=valued).foreseen()
    plan = drafted(known, wanted, unknown, mode, valued=valued).plan()

    for change in ("enter", "exit", "set"):
        assert foreseen.count(change) == plan.count(change)
    first = plan.lines.group_by("change", maintain_order=True).head(1).select(plan.lines.columns)
    assert foreseen.plan.lines.equals(first)
    assert (foreseen.plan.first, foreseen.plan.valued) == (plan.first, plan.valued)


def test_every_store_tells_how_its_syncs_stand(place):
    store = place()
    push(store, entering("ann", "bob", "cid", "dan"), BatchResult({0: "no"}, {1}, {2: "job"}), wanted=4)
    run = {
        "plan_id": "p1", "sync_id": BUYERS.id, "definition": "buyers", "destination": "analytics", "call": "identify",
        "place": "", "started_at": NOON, "as_of": NOON, "why": "", "wanted": 4, "enters": 4, "exits": 0, "sets": 0,
        "acknowledged": 1, "rejected": 1, "unknown": 1, "accepted": 1, "unsent": 0, "skipped": 0, "suppressed": 0,
        "held": 0, "reasons": {"no": 1}, "guards": {}, "overrides": {},
    }  # fmt: skip
    for hour, state in enumerate(["done", "blocked", "partial"]):
        store.note_run({**run, "state": state, "finished_at": NOON + hour * HOUR})

    (standing,) = store.standings()
    assert (standing.acknowledged, standing.unknown, standing.accepted, standing.rejected) == (1, 2, 1, 1)
    assert (standing.members, standing.last_as_of) == (4, NOON)
    assert standing.accepted_since is not None
    assert [run["state"] for run in store.latest(2)[BUYERS.id]] == ["partial", "blocked"]
    assert [run["state"] for run in store.runs(states=["done", "partial"])] == ["partial", "done"]
    store.prune(NOON + HOUR)
    assert [run["state"] for run in store.runs()] == ["partial", "blocked"]

    with store.lock(BUYERS):
        store.begin(head("p2"), entering("eve", "fay"))
        store.advance("p2", BUYERS, sending={Batch(0, 1): "digest"})
    (standing,) = store.standings()
    assert (standing.acknowledged, standing.unknown) == (1, 3)
    assert (standing.under_way.lines, standing.under_way.sent, standing.under_way.stopped) == (2, 1, False)
