"""What was acknowledged survives: finished plans, plans cut short at any point, and damage."""

import datetime as dt
import sqlite3

import polars as pl
import pytest

from personas_kit.activation.state import BatchResult, PlanHead
from personas_kit.activation.store import LocalStore
from personas_kit.activation.sync import Sync
from personas_kit.errors import StateError, SyncBusy

BUYERS = Sync("buyers", "analytics", "identify")
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "state")


def head(plan_id="p1", wanted=0, target="account 1", valued=False):
    return PlanHead(plan_id, BUYERS, NOON, "f1", target, wanted, valued)


def lines(*changes, number=1, value="true"):
    """Lines such as ``("enter", "ann")``; exits have the value false."""
    return pl.DataFrame(
        {
            "number": pl.Series([number] * len(changes), dtype=pl.UInt32),
            "member": pl.Series([member for _, member in changes], dtype=pl.String),
            "change": [change for change, _ in changes],
            "value": ["false" if change == "exit" else value for change, _ in changes],
            "message_id": [f"m-{member}" for _, member in changes],
            "timestamp": pl.Series([NOON] * len(changes), dtype=pl.Datetime("us", "UTC")),
        },
        schema_overrides={"change": pl.String, "value": pl.String, "message_id": pl.String},
    )


def push(store, batches, results=None, *, plan_id="p1", **about):
    """Begin, send and settle every batch, and fold."""
    store.begin(head(plan_id, **about), pl.concat(batches))
    for batch in batches:
        number = batch["number"][0]
        store.sending(plan_id, BUYERS, number, "digest")
        store.settle(plan_id, BUYERS, number, batch, (results or {}).get(number, BatchResult()))
    store.fold(plan_id, BUYERS, finished=True)


def acknowledged(store):
    return sorted(store.load(BUYERS).acknowledged["member"])


def test_nothing_is_known_about_a_sync_that_was_never_pushed(store):
    state = store.load(BUYERS)

    assert state.acknowledged.height == 0
    assert state.last_as_of is None
    assert not store.path.exists()


def test_a_finished_plan_is_acknowledged(store):
    push(store, [lines(("enter", "ann"), ("enter", "bob"))], wanted=2)

    state = store.load(BUYERS)
    assert acknowledged(store) == ["ann", "bob"]
    assert (state.members, state.last_as_of, state.fingerprint, state.target) == (2, NOON, "f1", "account 1")


def test_changes_add_up_over_many_plans_and_the_chain_stays_short(store):
    everyone = [("enter", f"u{n}") for n in range(200)]
    push(store, [lines(*everyone)], plan_id="p0")
    for n in range(60):
        push(store, [lines(("exit", f"u{n}"), ("enter", f"v{n}"))], plan_id=f"p{n + 1}")

    assert acknowledged(store) == sorted([f"u{n}" for n in range(60, 200)] + [f"v{n}" for n in range(60)])
    assert len(list((store.path / "members").glob("*.parquet"))) < 25
    assert list((store.path / "plans").glob("*")) == []


def test_values_are_kept_and_a_null_forgets_the_member(store):
    first = lines(("set", "ann"), ("set", "bob"), value="3")
    push(store, [first], valued=True)
    push(store, [lines(("set", "bob"), value="null")], plan_id="p2", valued=True)

    assert store.load(BUYERS).acknowledged.rows() == [("ann", "3")]


def test_a_batch_in_flight_when_the_process_died_is_unknown_and_the_rest_is_dropped(store):
    sent, flying, waiting = (
        lines(("enter", "ann")),
        lines(("enter", "bob"), number=2),
        lines(("enter", "cid"), number=3),
    )
    store.begin(head(), pl.concat([sent, flying, waiting]))
    store.sending("p1", BUYERS, 1, "d")
    store.settle("p1", BUYERS, 1, sent, BatchResult())
    store.sending("p1", BUYERS, 2, "d")

    seen_before = store.load(BUYERS)
    assert LocalStore(store.path).recover(BUYERS)

    state = store.load(BUYERS)
    assert acknowledged(store) == ["ann"]
    assert state.unknown.select("member", "change", "message_id", "timestamp").rows() == [
        ("bob", "enter", "m-bob", NOON)
    ]
    assert (sorted(seen_before.acknowledged["member"]), seen_before.unknown.rows()) == (["ann"], state.unknown.rows())
    assert seen_before.version == state.version
    assert state.last_as_of is None


def test_what_was_rejected_is_not_acknowledged_and_counts_its_times(store):
    batch = lines(("enter", "ann"), ("enter", "bob"))
    push(store, [batch], {1: BatchResult(rejected={1: "invalid"})})
    push(store, [lines(("enter", "bob"))], {1: BatchResult(rejected={0: "invalid"})}, plan_id="p2")

    assert acknowledged(store) == ["ann"]
    assert store.load(BUYERS).rejects.select("member", "reason", "times").rows() == [("bob", "invalid", 2)]

    push(store, [lines(("enter", "bob"))], plan_id="p3")
    assert acknowledged(store) == ["ann", "bob"]
    assert store.load(BUYERS).rejects.height == 0


def test_an_unknown_member_is_known_again_once_acknowledged(store):
    push(store, [lines(("enter", "ann"))], {1: BatchResult(unknown={0})})
    assert (acknowledged(store), store.load(BUYERS).unknown["member"].to_list()) == ([], ["ann"])

    push(store, [lines(("enter", "ann"))], plan_id="p2")
    assert (acknowledged(store), store.load(BUYERS).unknown.height) == (["ann"], 0)


def test_what_was_never_sent_stays_as_it_was(store):
    push(store, [lines(("enter", "ann"))])
    push(store, [lines(("exit", "ann"), ("enter", "bob"))], {1: BatchResult(unsent={0, 1})}, plan_id="p2")

    assert acknowledged(store) == ["ann"]


def test_every_step_that_can_change_the_state_makes_older_plans_stale(store):
    versions = [store.load(BUYERS).version]
    batch = lines(("enter", "ann"))
    store.begin(head(), batch)
    store.sending("p1", BUYERS, 1, "d")
    versions.append(store.load(BUYERS).version)
    store.settle("p1", BUYERS, 1, batch, BatchResult())
    versions.append(store.load(BUYERS).version)
    store.reset(BUYERS)
    versions.append(store.load(BUYERS).version)

    assert versions == sorted(set(versions))


def test_a_batch_cannot_be_sent_twice(store):
    store.begin(head(), lines(("enter", "ann")))
    store.sending("p1", BUYERS, 1, "d")

    with pytest.raises(StateError, match="sent twice"):
        store.sending("p1", BUYERS, 1, "d")


def test_another_account_starts_from_nothing(store):
    push(store, [lines(("enter", "ann"))])
    push(store, [lines(("enter", "bob"))], plan_id="p2", target="account 2")

    assert acknowledged(store) == ["bob"]


def test_two_runners_cannot_hold_one_sync(store):
    with store.lock(BUYERS), pytest.raises(SyncBusy, match="somebody else"), LocalStore(store.path).lock(BUYERS):
        pytest.fail("the lock was given twice")


def test_reset_forgets_what_was_acknowledged_even_of_a_plan_cut_short(store):
    push(store, [lines(("enter", "ann"))])
    store.begin(head("p2"), lines(("enter", "bob")))
    store.sending("p2", BUYERS, 1, "d")
    store.reset(BUYERS)

    assert store.load(BUYERS).acknowledged.height == 0
    assert not store.recover(BUYERS)
    assert list((store.path / "plans").glob("*.parquet")) == []


def test_integer_ids_stay_integers(store):
    batch = lines(("enter", "1"), ("enter", "2")).cast({"member": pl.Int64})
    push(store, [batch], {1: BatchResult(unknown={1})})

    state = store.load(BUYERS)
    assert state.acknowledged["member"].to_list() == [1]
    assert state.unknown["member"].to_list() == [2]


def test_damage_is_said_and_never_taken_for_nothing(store):
    push(store, [lines(("enter", "ann"))])
    for file in (store.path / "members").glob("*.parquet"):
        file.write_bytes(b"not parquet")

    with pytest.raises(StateError, match="missing or damaged"):
        store.load(BUYERS)


def test_a_database_of_a_newer_version_is_refused(store):
    push(store, [lines(("enter", "ann"))])
    db = sqlite3.connect(store.path / "state.sqlite")
    db.execute("update meta set version = 99")
    db.commit()
    db.close()

    with pytest.raises(StateError, match="another version"):
        store.load(BUYERS)


def test_the_state_is_for_its_owner_alone(store):
    push(store, [lines(("enter", "ann"))])

    modes = {path.name: path.stat().st_mode & 0o777 for path in [store.path, *store.path.rglob("*")]}
    assert all(mode in {0o700, 0o600} for name, mode in modes.items() if not name.endswith((".lock", "-wal", "-shm")))
