"""The contract of every store: what was acknowledged survives finished plans, and plans cut short at any point.

``place`` is a place where state can be kept, of every kind; opening it again is what another process would do.
"""

import datetime as dt

import polars as pl
import pytest

from personas_kit.activation.state import Batch, BatchResult, PlanHead
from personas_kit.activation.sync import Sync
from personas_kit.errors import StateError, SyncBusy

BUYERS = Sync("buyers", "analytics", "identify")
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def store(place):
    return place()


def head(plan_id="p1", wanted=0, target="account 1", valued=False):
    return PlanHead(plan_id, BUYERS, NOON, NOON, "f1", target, wanted, valued)


def lines(*changes, value="true"):
    """Lines such as ``("enter", "ann")``; exits have the value false."""
    return pl.DataFrame(
        {
            "member": pl.Series([member for _, member in changes], dtype=pl.String),
            "change": [change for change, _ in changes],
            "value": ["false" if change == "exit" else value for change, _ in changes],
            "message_id": [f"m-{member}" for _, member in changes],
            "timestamp": pl.Series([NOON] * len(changes), dtype=pl.Datetime("us", "UTC")),
        },
        schema_overrides={"change": pl.String, "value": pl.String, "message_id": pl.String},
    )


def entering(*members):
    return lines(*(("enter", member) for member in members))


def whole(frame):
    return Batch(0, frame.height)


def push(store, frame, result=None, *, plan_id="p1", **about):
    """Begin, send and settle everything as one batch, and fold."""
    batch = whole(frame)
    with store.lock(BUYERS):
        store.begin(head(plan_id, **about), frame)
        store.advance(plan_id, BUYERS, sending={batch: "digest"})
        store.advance(plan_id, BUYERS, settled=[(batch, frame, result or BatchResult())])
        store.fold(plan_id, BUYERS, finished=True)


def acknowledged(store):
    return sorted(store.load(BUYERS).acknowledged["member"])


def unknown(store):
    return sorted(store.load(BUYERS).unknown["member"])


def test_nothing_is_known_about_a_sync_that_was_never_pushed(store):
    state = store.load(BUYERS)

    assert state.acknowledged.height == 0
    assert state.last_as_of is None
    assert (store.syncs(), store.runs(), store.begun(BUYERS)) == ([], [], None)


def test_what_a_channel_was_told_last_is_remembered_for_each_sync(store, place):
    store.note_told("slack", {"a": "failed", "b": "blocked removals,total_change"})
    store.note_told("webhook", {"a": "failed"})
    store.note_told("slack", {"a": "ok"})

    other = place()

    assert other.told("slack") == {"a": "ok", "b": "blocked removals,total_change"}
    assert other.told("webhook") == {"a": "failed"}
    assert other.told("sla") == {}


def test_a_finished_plan_is_acknowledged(store):
    push(store, entering("ann", "bob"), wanted=2)

    state = store.load(BUYERS)
    assert acknowledged(store) == ["ann", "bob"]
    assert (state.members, state.last_as_of, state.fingerprint, state.target) == (2, NOON, "f1", "account 1")
    assert state.pushes == 1


def test_changes_add_up_over_many_plans(store, plenty):
    push(store, entering(*(f"u{n}" for n in range(200))), plan_id="p0")
    for n in range(plenty):
        push(store, lines(("exit", f"u{n}"), ("enter", f"v{n}")), plan_id=f"p{n + 1}")

    assert acknowledged(store) == sorted([f"u{n}" for n in range(plenty, 200)] + [f"v{n}" for n in range(plenty)])


def test_values_are_kept_and_a_null_forgets_the_member(store):
    push(store, lines(("set", "ann"), ("set", "bob"), value="3"), valued=True)
    push(store, lines(("set", "bob"), value="null"), plan_id="p2", valued=True)

    assert store.load(BUYERS).acknowledged.rows() == [("ann", "3")]


def test_a_batch_in_flight_when_the_process_died_is_unknown_and_the_rest_is_dropped(store, place):
    frame = entering("ann", "bob", "cid")
    with store.lock(BUYERS):
        store.begin(head(), frame)
        store.advance("p1", BUYERS, sending={Batch(0, 1): "d"})
        store.advance("p1", BUYERS, settled=[(Batch(0, 1), frame[:1], BatchResult())], sending={Batch(1, 2): "d"})

    seen_before = store.load(BUYERS)
    survivor = place()
    with survivor.lock(BUYERS):
        assert survivor.recover(BUYERS)

    state = store.load(BUYERS)
    assert acknowledged(store) == ["ann"]
    assert state.unknown.select("member", "change", "message_id", "timestamp").rows() == [
        ("bob", "enter", "m-bob", NOON)
    ]
    assert (sorted(seen_before.acknowledged["member"]), seen_before.unknown.rows()) == (["ann"], state.unknown.rows())
    assert seen_before.version == state.version
    assert state.last_as_of is None


def test_batches_beside_each_other_settle_in_any_order(store):
    frame = entering("ann", "bob", "cid", "dan")
    first, second = Batch(0, 2), Batch(2, 4)
    with store.lock(BUYERS):
        store.begin(head(), frame)
        store.advance("p1", BUYERS, sending={first: "d", second: "d"})
        store.advance("p1", BUYERS, settled=[(second, frame[2:4], BatchResult(rejected={0: "invalid"}))])
        store.advance("p1", BUYERS, settled=[(first, frame[:2], BatchResult(unknown={1}))])
        store.fold("p1", BUYERS, finished=True)

    assert (acknowledged(store), unknown(store)) == (["ann", "dan"], ["bob"])


def test_what_was_rejected_is_not_acknowledged_and_counts_its_times(store):
    push(store, entering("ann", "bob"), BatchResult(rejected={1: "invalid"}))
    push(store, entering("bob"), BatchResult(rejected={0: "invalid"}), plan_id="p2")
    push(store, entering("cid"), plan_id="p3")

    assert acknowledged(store) == ["ann", "cid"]
    assert store.load(BUYERS).rejects.select("member", "reason", "times", "since").rows() == [("bob", "invalid", 2, 2)]

    push(store, entering("bob"), plan_id="p4")
    assert acknowledged(store) == ["ann", "bob", "cid"]
    assert store.load(BUYERS).rejects.height == 0


def test_an_unknown_member_is_known_again_once_acknowledged(store):
    push(store, entering("ann"), BatchResult(unknown={0}))
    assert (acknowledged(store), unknown(store)) == ([], ["ann"])

    push(store, entering("ann"), plan_id="p2")
    assert (acknowledged(store), unknown(store)) == (["ann"], [])


def test_what_was_never_sent_stays_as_it_was(store):
    push(store, entering("ann"))
    push(store, lines(("exit", "ann"), ("enter", "bob")), BatchResult(unsent={0, 1}), plan_id="p2")

    assert acknowledged(store) == ["ann"]


def test_what_was_not_sent_at_the_end_of_a_batch_waits_and_goes_with_a_later_one(store, place):
    frame = entering("ann", "bob", "cid", "dan")
    with store.lock(BUYERS):
        store.begin(head(), frame)
        store.advance("p1", BUYERS, sending={Batch(0, 3): "d"})
        store.advance("p1", BUYERS, settled=[(Batch(0, 3), frame[:3], BatchResult(unsent={1, 2}))])
        store.stop("p1", BUYERS)

    later = place()
    begun = later.begun(BUYERS)
    assert (begun.waiting, begun.stopped, begun.lines["member"].to_list()) == (
        (Batch(1, 4),), True, ["ann", "bob", "cid", "dan"],
    )  # fmt: skip
    assert later.waiting("p1", BUYERS) == [Batch(1, 4)]
    with later.lock(BUYERS):
        later.advance("p1", BUYERS, sending={Batch(1, 4): "d"})
        later.advance("p1", BUYERS, settled=[(Batch(1, 4), frame[1:4], BatchResult())])
        later.fold("p1", BUYERS, finished=True)
    assert acknowledged(store) == ["ann", "bob", "cid", "dan"]


def test_a_plan_that_began_knows_what_it_is_for(store, place):
    with store.lock(BUYERS):
        store.begin(head(wanted=7), entering("ann"))

    begun = place().begun(BUYERS)
    assert (begun.head, begun.stopped) == (head(wanted=7), False)


def test_what_is_adopted_is_acknowledged_without_being_sent(store):
    frame = entering("ann", "bob")
    with store.lock(BUYERS):
        store.begin(head(), frame, adopted=[Batch(1, 2)])
        assert store.waiting("p1", BUYERS) == [Batch(0, 1)]
        store.fold("p1", BUYERS, finished=True)

    assert acknowledged(store) == ["bob"]


def test_every_step_that_can_change_the_state_makes_older_plans_stale(store):
    versions = [store.load(BUYERS).version]
    frame = entering("ann")
    with store.lock(BUYERS):
        store.begin(head(), frame)
        store.advance("p1", BUYERS, sending={whole(frame): "d"})
        versions.append(store.load(BUYERS).version)
        store.advance("p1", BUYERS, settled=[(whole(frame), frame, BatchResult())])
        versions.append(store.load(BUYERS).version)
        store.reset(BUYERS)
        versions.append(store.load(BUYERS).version)

    assert versions == sorted(set(versions))


@pytest.mark.parametrize("again", [Batch(0, 2), Batch(1, 3), Batch(0, 3), Batch(1, 2)])
def test_no_change_can_be_sent_twice(store, again):
    with store.lock(BUYERS):
        store.begin(head(), entering("ann", "bob", "cid"))
        store.advance("p1", BUYERS, sending={Batch(0, 2): "d"})

        with pytest.raises(StateError, match="sent twice"):
            store.advance("p1", BUYERS, sending={again: "d"})


def test_nothing_can_be_sent_of_a_plan_that_is_gone(store):
    push(store, entering("ann"))
    with store.lock(BUYERS), pytest.raises(StateError, match="plan again"):
        store.advance("p1", BUYERS, sending={Batch(0, 1): "d"})


def test_a_refused_step_leaves_nothing_behind(store):
    frame = entering("ann", "bob")
    with store.lock(BUYERS):
        store.begin(head(), frame)
        store.advance("p1", BUYERS, sending={Batch(0, 1): "d"})
        before = store.load(BUYERS)
        with pytest.raises(StateError, match="sent twice"):
            store.advance(
                "p1", BUYERS,
                settled=[(Batch(0, 1), frame[:1], BatchResult(rejected={0: "invalid"}))],
                sending={Batch(0, 2): "d"},
            )  # fmt: skip

    after = store.load(BUYERS)
    assert (after.version, after.rejects.height, unknown(store)) == (before.version, 0, ["ann"])


def test_another_account_starts_from_nothing(store):
    push(store, entering("ann"))
    push(store, entering("bob"), plan_id="p2", target="account 2")

    assert acknowledged(store) == ["bob"]


def test_two_runners_cannot_hold_one_sync(store, place):
    with store.lock(BUYERS), pytest.raises(SyncBusy, match="somebody else"), place().lock(BUYERS):
        pytest.fail("the lock was given twice")


def test_a_lock_is_free_again_afterwards(store, place):
    with store.lock(BUYERS):
        pass
    with place().lock(BUYERS):
        pass


def test_reset_forgets_what_was_acknowledged_even_of_a_plan_cut_short(store):
    push(store, entering("ann"))
    with store.lock(BUYERS):
        store.begin(head("p2"), entering("bob"))
        store.advance("p2", BUYERS, sending={Batch(0, 1): "d"})
        store.reset(BUYERS)

        assert store.load(BUYERS).acknowledged.height == 0
        assert not store.recover(BUYERS)


def test_integer_ids_stay_integers(store):
    batch = entering("1", "2", "3").cast({"member": pl.Int64})
    push(store, batch, BatchResult(unknown={1}, rejected={2: "invalid"}))

    state = store.load(BUYERS)
    assert (state.acknowledged["member"].to_list(), state.unknown["member"].to_list()) == ([1], [2])
    assert state.rejects["member"].to_list() == [3]


def test_ids_that_were_numbers_may_become_texts(store):
    push(store, entering("1", "2").cast({"member": pl.Int64}), BatchResult(unknown={1}))
    push(store, entering("x3"), plan_id="p2")

    assert (sorted(map(str, store.load(BUYERS).acknowledged["member"])), unknown(store)) == (["1", "x3"], ["2"])


def test_accepted_work_is_unknown_until_the_destination_says_what_became_of_it(store):
    push(store, entering("ann", "bob", "cid"), BatchResult(accepted={0: "job-7", 1: "job-7"}))
    state = store.load(BUYERS)
    (job,) = state.jobs
    assert (job.handle, acknowledged(store), unknown(store)) == ("job-7", ["cid"], ["ann", "bob"])
    assert state.unknown["job"].to_list() == [job.id, job.id]

    with store.lock(BUYERS):
        store.conclude(job, BUYERS, {"bob": "no such user"})

    after = store.load(BUYERS)
    assert (acknowledged(store), unknown(store), after.jobs) == (["ann", "cid"], [], ())
    assert after.rejects.select("member", "reason").rows() == [("bob", "no such user")]
    assert after.version > state.version


def test_work_of_which_the_destination_knows_nothing_any_more_is_due_again(store):
    push(store, entering("ann"), BatchResult(accepted={0: "job-7"}))
    (job,) = store.load(BUYERS).jobs
    with store.lock(BUYERS):
        store.conclude(job, BUYERS, {}, unknown=True)

    state = store.load(BUYERS)
    assert (acknowledged(store), state.unknown.select("member", "job").rows(), state.jobs) == ([], [("ann", None)], ())


def test_a_paused_sync_says_so(store):
    assert not store.pause(BUYERS, paused=True)
    push(store, entering("ann"))

    assert store.pause(BUYERS, paused=True)
    assert store.load(BUYERS).paused
    store.pause(BUYERS, paused=False)
    assert not store.load(BUYERS).paused


def run(plan_id="p1", minute=0, **about):
    counts = dict.fromkeys(
        ("wanted", "enters", "exits", "sets", "acknowledged", "rejected", "unknown", "accepted", "unsent", "skipped",
         "suppressed", "held"),
        0,
    )  # fmt: skip
    at = NOON + dt.timedelta(minutes=minute)
    return {
        "plan_id": plan_id, "sync_id": BUYERS.id, "definition": "buyers", "destination": "analytics",
        "call": "identify", "place": "", "started_at": at, "finished_at": at, "as_of": NOON, "state": "done", "why": "",
        **counts, "reasons": {}, "guards": {}, "overrides": {}, **about,
    }  # fmt: skip


def test_the_history_keeps_what_was_written_newest_first(store):
    store.note_run(run("p1", acknowledged=3, reasons={"é": 1}))
    store.note_run(run("p2", minute=1, overrides={"removals": {"who": "ann", "why": "the sale is over"}}))

    newest, oldest = store.runs()
    assert (newest["plan_id"], newest["overrides"]) == (
        "p2", {"removals": {"who": "ann", "why": "the sale is over"}},
    )  # fmt: skip
    assert (oldest["acknowledged"], oldest["reasons"], oldest["finished_at"]) == (3, {"é": 1}, NOON)
    assert [line["plan_id"] for line in store.runs(limit=1)] == ["p2"]
    assert store.runs(sync=Sync("others", "analytics", "identify")) == []
