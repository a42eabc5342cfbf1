"""One sync, several machines: a lease that runs out, and a fence that keeps out whoever has lost it."""

import contextlib
import datetime as dt
import getpass
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from personas_kit.activation.state import Batch, BatchResult
from personas_kit.activation.store import lease
from personas_kit.activation.sync import Sync
from personas_kit.errors import StateError, SyncBusy
from tests.activation.conftest import POSTGRES
from tests.activation.test_store import BUYERS, acknowledged, entering, head, lines, push, unknown, whole

START = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
ROUNDS = 500 if os.environ.get("PERSONAS_LONG") else 20
ROOT = Path(__file__).parents[2]
OTHERS = Sync("others", "analytics", "identify")


class TwoClocks:
    """A wall clock and a monotonic one that are moved by hand, each by itself where that is asked for."""

    def __init__(self, wall=0.0):
        self.wall, self.steady = wall, 0.0

    def now(self):
        return START + dt.timedelta(seconds=self.wall)

    def monotonic(self):
        return self.steady

    def sleep(self, seconds, unless=None):
        self.pass_(seconds)

    def pass_(self, seconds):
        self.wall += seconds
        self.steady += seconds


@pytest.fixture(params=["duckdb", POSTGRES])
def shared_place(request):
    """Each store that several machines can share; the emulator is slow, and has a test of its own."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
def clock():
    return TwoClocks()


@pytest.fixture
def ann(shared_place, clock):
    return shared_place(clock=clock, owner="ann@laptop")


@pytest.fixture
def bob(shared_place, clock):
    return shared_place(clock=clock, owner="bob@desk")


@contextlib.contextmanager
def counted(store):
    """How many transactions begin meanwhile."""
    journal, begun = store._journal, []
    plain = journal._keeper.changing
    journal._keeper.changing = lambda: begun.append(1) or plain()
    yield begun
    journal._keeper.changing = plain


# ------------------------------------------------------------------------------------------------------ who holds what


def test_the_loser_is_told_who_holds_it_since_when_and_until_when(ann, bob, clock):
    with ann.lock(BUYERS):
        clock.pass_(60)
        with pytest.raises(SyncBusy) as raised, bob.lock(BUYERS):
            pytest.fail("the sync was given twice")

    assert raised.value.what == "somebody else is pushing this sync: ann@laptop, since 2026-11-01 12:00 UTC"
    assert raised.value.where == str(BUYERS)
    assert "plan again" in raised.value.hint
    assert "the sync is free at 2026-11-01 12:10:00 UTC" in raised.value.hint


def test_a_sync_that_was_given_back_is_free_at_once(ann, bob):
    with ann.lock(BUYERS):
        pass
    with bob.lock(BUYERS):
        pass
    with ann.lock(BUYERS):
        pass


def test_other_syncs_are_not_held(ann, bob):
    with ann.lock(BUYERS), bob.lock(OTHERS):
        pass


def test_who_could_not_see_a_line_that_was_just_added_takes_its_own_back(duckdb_place, clock, monkeypatch):
    """Snowflake enforces no key, and one session may see late what another has committed."""
    ann, bob = duckdb_place(clock=clock, owner="ann@laptop"), duckdb_place(clock=clock, owner="bob@desk")
    ann.pause(BUYERS, paused=False)
    with ann._journal.writing() as tables:
        tables.run("create or replace table lease as select * from lease")  # without its key
    monkeypatch.setattr(bob._locks, "_taken", lambda tables, sync: _added(tables, sync, "bob@desk"))

    with ann.lock(BUYERS):
        clock.pass_(1)
        with pytest.raises(SyncBusy, match="just taken"), bob.lock(BUYERS):
            pytest.fail("the sync was given twice")
        ann.begin(head(), entering("ann"))

    assert ann.holds("p1", BUYERS)


def _added(tables, sync, owner):
    """What is done by who finds no line."""
    tables.run("insert into lease values (?, ?, 1, 7, 4000000000000000)", (sync.id, owner))
    return 1, 7


def test_what_the_loser_tried_changes_nothing_for_the_holder(ann, bob):
    frame = entering("ann")
    with ann.lock(BUYERS):
        with pytest.raises(SyncBusy), bob.lock(BUYERS):
            pass
        ann.begin(head(), frame)
        ann.still_held(BUYERS)

    assert ann.holds("p1", BUYERS)


def test_nothing_of_a_sync_can_be_changed_without_holding_it(ann):
    with pytest.raises(SyncBusy, match="not held"):
        ann.begin(head(), entering("ann"))


def test_a_lease_that_ran_out_is_taken_over(ann, bob, clock):
    with ann.lock(BUYERS):
        clock.pass_(599)
        with pytest.raises(SyncBusy), bob.lock(BUYERS):
            pass
        clock.pass_(1)
        with bob.lock(BUYERS), pytest.raises(SyncBusy, match=r"taken over by bob@desk at 2026-11-01 12:10 UTC"):
            ann.begin(head(), entering("ann"))


def test_every_step_of_a_push_renews_the_lease(ann, bob, clock):
    frame = entering("ann")
    with ann.lock(BUYERS):
        clock.pass_(500)
        ann.begin(head(), frame)
        clock.pass_(500)
        ann.advance("p1", BUYERS, sending={whole(frame): "d"})
        clock.pass_(500)
        ann.advance("p1", BUYERS, settled=[(whole(frame), frame, BatchResult())])
        clock.pass_(500)
        with pytest.raises(SyncBusy), bob.lock(BUYERS):
            pass
        ann.fold("p1", BUYERS, finished=True)

    assert acknowledged(bob) == ["ann"]


def test_syncs_whose_turn_it_is_not_yet_are_renewed_with_the_one_under_way(ann, bob, clock):
    frame = entering(*"abcdef")
    with ann.lock(BUYERS), ann.lock(OTHERS):
        ann.begin(head(), frame)
        for at in range(frame.height):
            clock.pass_(400)
            ann.advance("p1", BUYERS, sending={Batch(at, at + 1): "d"})
        with pytest.raises(SyncBusy, match="ann@laptop"), bob.lock(OTHERS):
            pass
        ann.still_held(OTHERS)
        ann.fold("p1", BUYERS, finished=True)


# --------------------------------------------------------------------------------------------------------- the fence


@pytest.fixture
def overtaken(ann, bob, clock):
    """Ann has begun, and sent a batch, when her machine falls asleep for an hour; Bob pushes meanwhile."""
    frame = entering("ann", "bob", "cid")
    with contextlib.ExitStack() as holding:
        holding.enter_context(ann.lock(BUYERS))
        ann.begin(head(), frame)
        ann.advance("p1", BUYERS, sending={whole(frame): "d"})
        clock.wall += 3_600
        with bob.lock(BUYERS):
            bob.recover(BUYERS)
            bob.begin(head("p2"), frame[:1])
            bob.advance("p2", BUYERS, sending={whole(frame[:1]): "d"})
            bob.advance("p2", BUYERS, settled=[(whole(frame[:1]), frame[:1], BatchResult())])
            yield frame
            bob.fold("p2", BUYERS, finished=True)
    assert (acknowledged(bob), unknown(bob)) == (["ann"], ["bob", "cid"])


STEPS = {
    "mark": lambda store, frame: store.advance("p2", BUYERS, sending={whole(frame): "d"}),
    "acknowledge": lambda store, frame: store.advance("p1", BUYERS, settled=[(whole(frame), frame, BatchResult())]),
    "begin": lambda store, frame: store.begin(head("p3"), frame),
    "fold": lambda store, frame: store.fold("p2", BUYERS, finished=True),
    "fold what is gone": lambda store, frame: store.fold("p1", BUYERS, finished=True),
    "recover": lambda store, frame: store.recover(BUYERS),
    "stop": lambda store, frame: store.stop("p2", BUYERS),
    "reset": lambda store, frame: store.reset(BUYERS),
    "drop frames": lambda store, frame: store._frames.keep_only("plans", BUYERS.id, ()),
    "send": lambda store, frame: store.still_held(BUYERS),
}


@pytest.mark.parametrize("step", STEPS)
def test_who_was_taken_over_can_change_nothing_and_send_nothing(ann, bob, overtaken, step):
    before = (acknowledged(bob), unknown(bob), bob.load(BUYERS).version)

    with pytest.raises(SyncBusy, match="taken over by bob@desk"):
        STEPS[step](ann, overtaken)

    assert (acknowledged(bob), unknown(bob), bob.load(BUYERS).version) == before


@pytest.mark.emulator
def test_on_snowflake_too_who_was_taken_over_can_neither_mark_nor_acknowledge_nor_send(snowflake_place, clock):
    frame = entering("ann")
    ann, bob = snowflake_place(clock=clock, owner="ann@laptop"), snowflake_place(clock=clock, owner="bob@desk")
    with ann.lock(BUYERS):
        ann.begin(head("p1"), frame)
        ann.advance("p1", BUYERS, sending={whole(frame): "d"})
        with pytest.raises(SyncBusy, match="ann@laptop"), bob.lock(BUYERS):
            pass
        clock.wall += 601
        with bob.lock(BUYERS):
            for step in ("mark", "acknowledge", "send"):
                with pytest.raises(SyncBusy, match="taken over by bob@desk"):
                    STEPS[step](ann, frame)
            bob.recover(BUYERS)

    assert (acknowledged(bob), unknown(bob)) == ([], ["ann"])


def test_once_the_sync_is_lost_no_lane_sends_anything_more(ann, overtaken):
    for _ in range(2):
        with pytest.raises(SyncBusy, match="nothing more is sent"):
            ann.still_held(BUYERS)


def test_who_was_taken_over_does_not_give_back_what_is_not_theirs(ann, bob, clock):
    with bob.lock(OTHERS):
        pass
    with contextlib.ExitStack() as later:
        with ann.lock(BUYERS):
            clock.pass_(601)
            later.enter_context(bob.lock(BUYERS))
        bob.begin(head(), entering("ann"))

        with pytest.raises(SyncBusy, match="bob@desk"), ann.lock(BUYERS):
            pass


def test_a_sync_that_was_taken_over_and_given_back_is_lost_all_the_same(ann, bob, clock):
    with ann.lock(BUYERS):
        clock.pass_(601)
        with bob.lock(BUYERS):
            pass
        with pytest.raises(SyncBusy, match="taken over at"):
            ann.begin(head(), entering("ann"))


# ----------------------------------------------------------------------------------------------------------- the clocks

#: What happens to the clocks between two requests -> whether the lease is looked at before the second one leaves.
JUMPS = {
    "a moment": (lambda clock: clock.pass_(20), False),
    "half a minute": (lambda clock: clock.pass_(31), True),
    "a machine that slept": (lambda clock: setattr(clock, "wall", clock.wall + 31), True),
    "a wall clock that was set back": (lambda clock: setattr(clock, "wall", clock.wall - 3_600), True),
    "a wall clock that stands still": (lambda clock: setattr(clock, "steady", clock.steady + 31), True),
}


@pytest.mark.parametrize("jump", JUMPS)
def test_before_a_request_the_lease_is_looked_at_if_a_while_has_passed_on_either_clock(ann, clock, jump):
    move, looked = JUMPS[jump]
    with ann.lock(BUYERS), counted(ann) as transactions:
        move(clock)
        ann.still_held(BUYERS)
        ann.still_held(BUYERS)

        assert len(transactions) == int(looked)


@pytest.mark.parametrize("seconds", [-3_600, 3_600, -86_400 * 365, 86_400 * 365])
def test_a_clock_that_jumps_does_not_stop_who_still_holds_the_sync(ann, bob, clock, seconds):
    frame = entering("ann")
    with ann.lock(BUYERS):
        ann.begin(head(), frame)
        clock.wall += seconds
        ann.still_held(BUYERS)
        ann.advance("p1", BUYERS, sending={whole(frame): "d"})
        ann.advance("p1", BUYERS, settled=[(whole(frame), frame, BatchResult())])
        ann.fold("p1", BUYERS, finished=True)
    with bob.lock(BUYERS):
        pass

    assert acknowledged(bob) == ["ann"]


def test_a_machine_whose_clock_is_ahead_takes_what_is_held_and_the_fence_holds(shared_place, ann):
    ahead = shared_place(clock=TwoClocks(wall=3_600), owner="bob@ahead")
    with ann.lock(BUYERS), ahead.lock(BUYERS):
        ann.still_held(BUYERS)  # too early for another look
        for step in (lambda: ann.begin(head(), entering("ann")), lambda: ann.still_held(BUYERS)):
            with pytest.raises(SyncBusy, match="bob@ahead"):
                step()
        ahead.begin(head("p2"), entering("bob"))


# ---------------------------------------------------------------------------------------------------------- the names


@pytest.mark.parametrize(
    ("machine", "shown"),
    [
        ("laptop", "ann@laptop"),
        ("laptop.corp.example.com", "ann@laptop"),
        ("10.1.2.3", "ann@an unnamed machine"),
        ("ip-10-1-2-3.ec2.internal", "ann@an unnamed machine"),
        ("fe80::1:2", "ann@an unnamed machine"),
        ("", "ann@an unnamed machine"),
    ],
)
def test_a_runner_is_called_by_user_and_machine_and_never_by_an_address(monkeypatch, machine, shown):
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    monkeypatch.setattr(lease.platform, "node", lambda: machine)

    assert lease.runner() == shown


def test_a_number_without_a_name_is_somebody(monkeypatch):
    def unknown_user():
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", unknown_user)
    monkeypatch.setattr(lease.platform, "node", lambda: "pod")

    assert lease.runner() == "somebody@pod"


def test_a_lease_that_cannot_be_given_back_is_said_and_spoils_nothing(ann, capsys, monkeypatch):
    def unreachable():
        raise StateError("the state cannot be used: the connection was lost")

    with ann.lock(BUYERS):
        monkeypatch.setattr(ann._journal, "writing", unreachable)

    said = capsys.readouterr().err
    assert "buyers -> analytics (identify) could not be given back" in said
    assert "it is free at 12:10 UTC" in said


# ------------------------------------------------------------------------------------------------- beside each other


@pytest.mark.parametrize("kind", ["duckdb", "duckdb_lent", POSTGRES])
def test_of_runners_in_threads_one_at_a_time_holds_the_sync(request, kind):
    place = request.getfixturevalue(f"{kind}_place")
    stores = [place(owner=f"runner{n}@here") for n in range(3)]
    with stores[0].lock(OTHERS):  # the tables are there
        pass
    inside, together = [], []

    def run(at):
        for _ in range(ROUNDS // 3 + 1):
            with held_in_the_end(stores[at]):
                inside.append(at)
                time.sleep(0.002)
                together.append(len(inside))
                inside.remove(at)

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert together == [1] * (ROUNDS // 3 + 1) * len(stores)


@contextlib.contextmanager
def held_in_the_end(store):
    """Hold the sync as soon as it is free."""
    until = time.monotonic() + 120
    with contextlib.ExitStack() as holding:
        while True:
            try:
                holding.enter_context(store.lock(BUYERS))
                break
            except SyncBusy:
                assert time.monotonic() < until
                time.sleep(0.001)
        yield


@pytest.mark.postgres
@pytest.mark.timeout(1_800)
def test_of_runners_in_processes_one_at_a_time_holds_the_sync(postgres_place, tmp_path):
    """Whoever holds it makes a file that must not be there, and removes it."""
    store = postgres_place()
    command = [
        sys.executable,
        "-m",
        "tests.activation.holder",
        store._journal._keeper.schema,
        str(tmp_path / "inside"),
    ]
    holders = [
        subprocess.Popen([*command, str(ROUNDS // 3 + 1)], cwd=ROOT, stderr=subprocess.PIPE, text=True, env=here())
        for _ in range(3)
    ]

    for holder in holders:
        _, errors = holder.communicate(timeout=1_700)
        assert holder.returncode == 0, errors
    with store._journal.reading() as tables:
        (line,) = tables.rows("select * from lease")
    assert (line["owner"], line["generation"]) == ("", (ROUNDS // 3 + 1) * len(holders))


def here():
    """The environment of a process that imports the tests."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


# ---------------------------------------------------------------------------------------------- what may have left late


def sent(store, frame, plan_id="p1"):
    """Begin a plan, and have all of it under way."""
    store.begin(head(plan_id), frame)
    store.advance(plan_id, BUYERS, sending={whole(frame): "d"})


def settled(store, frame, plan_id):
    """It came back, and was taken as a whole."""
    store.advance(plan_id, BUYERS, settled=[(whole(frame), frame, BatchResult())])
    store.fold(plan_id, BUYERS, finished=True)


def bob_takes_over(bob, frame, **about):
    """And pushes, from beginning to end."""
    with bob.lock(BUYERS):
        bob.recover(BUYERS)
        bob.begin(head("p2", **about), frame)
        bob.advance("p2", BUYERS, sending={whole(frame): "d"})
        settled(bob, frame, "p2")


def test_what_left_late_is_due_again_under_an_id_of_its_own(ann, bob, clock):
    late, then = entering("eve", "sue"), lines(("exit", "eve"), ("enter", "sue"))
    with ann.lock(BUYERS):
        sent(ann, late)
        clock.pass_(600)
        bob_takes_over(bob, then)
        before = bob.load(BUYERS)
        assert ann.doubt(BUYERS, late) == 1, "sue is in whichever came last"

    state = bob.load(BUYERS)
    assert unknown(bob) == ["eve"]
    assert state.unknown["value"].to_list() == [None]
    assert state.version > before.version, "a plan that was made meanwhile does not know of it"

    push(bob, lines(("exit", "eve")), plan_id="p3")
    assert (unknown(bob), acknowledged(bob)) == ([], ["sue"])


def test_a_doubt_outlives_what_was_under_way_when_it_was_noted(ann, bob, clock):
    late, then = entering("eve"), lines(("exit", "eve"), ("enter", "kim"))
    with ann.lock(BUYERS):
        sent(ann, late)
        clock.pass_(600)
        with bob.lock(BUYERS):
            bob.recover(BUYERS)
            sent(bob, then, "p2")
            assert ann.doubt(BUYERS, late) == 1
            assert bob.load(BUYERS).unknown.filter(member="eve")["value"].to_list() == [None], "also if Bob dies now"
            settled(bob, then, "p2")

    assert (unknown(bob), acknowledged(bob)) == (["eve"], ["kim"])
    assert bob.load(BUYERS).unknown["value"].to_list() == [None]


def test_a_doubt_ends_with_what_left_after_it_was_noted(ann, bob, clock):
    late, then = entering("eve"), lines(("exit", "eve"))
    with ann.lock(BUYERS):
        sent(ann, late)
        clock.pass_(600)
        with bob.lock(BUYERS):
            bob.recover(BUYERS)
            bob.begin(head("p2"), then)
            ann.doubt(BUYERS, late)
            bob.advance("p2", BUYERS, sending={whole(then): "d"})
            settled(bob, then, "p2")

    assert (unknown(bob), acknowledged(bob)) == ([], [])


def test_what_the_new_holder_had_under_way_and_nobody_doubts_is_settled(ann, bob, clock):
    late, then = entering("eve"), entering("kim")
    with ann.lock(BUYERS):
        sent(ann, late)
        clock.pass_(600)
        with bob.lock(BUYERS):
            bob.recover(BUYERS)
            sent(bob, then, "p2")
            ann.doubt(BUYERS, late)
            settled(bob, then, "p2")

    assert (unknown(bob), acknowledged(bob)) == (["eve"], ["kim"])


def test_a_value_that_came_late_is_in_doubt_unless_it_is_the_one_that_is_known(ann, bob, clock):
    late = pl.concat([lines(("set", "eve"), value="1"), lines(("set", "sue"), value="2")])
    with ann.lock(BUYERS):
        ann.begin(head(valued=True), late)
        ann.advance("p1", BUYERS, sending={whole(late): "d"})
        clock.pass_(600)
        bob_takes_over(bob, lines(("set", "eve"), ("set", "sue"), value="2"), valued=True)
        assert ann.doubt(BUYERS, late) == 1

    assert unknown(bob) == ["eve"]


def test_who_still_holds_the_sync_has_no_doubts(ann):
    frame = entering("eve")
    with ann.lock(BUYERS):
        sent(ann, frame)
        version = ann.load(BUYERS).version
        assert ann.doubt(BUYERS, frame) == 0
        assert ann.load(BUYERS).version == version
