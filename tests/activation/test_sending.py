"""One sync under way: lanes beside each other, the circuit, and what stops a push."""

import datetime as dt
import json
import math
import threading
from dataclasses import replace

import polars as pl
import pytest

from personas_kit.activation.courier import Courier, Tally
from personas_kit.activation.pacing import Pacer
from personas_kit.activation.plan import SyncPlan
from personas_kit.activation.sending import Sending
from personas_kit.activation.state import Batch, PlanHead, SyncState
from personas_kit.activation.stopping import Stop
from personas_kit.activation.store import LocalStore
from personas_kit.activation.sync import Sync
from personas_kit.activation.tallies import Sent, sync_report
from personas_kit.clock import SystemClock
from personas_kit.destinations import Computation, find
from personas_kit.destinations.base import Limits
from personas_kit.destinations.outcomes import Outcome
from personas_kit.errors import SyncBusy
from personas_kit.secret import Secret
from tests.activation.scripted import OK, ScriptedTransport, answer

BUYERS = Sync("buyers", "analytics", "identify")
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def segment(*, parallel=1, items=10):
    destination = replace(find("segment"), parallel=parallel, limits=Limits(items=items, bytes=475_000))
    return destination.configure("analytics", {"write_key": Secret("env", "KEY")})


def lines(members, change="enter"):
    count = len(members)
    return pl.DataFrame(
        {
            "member": members,
            "user_id": members,
            "account_id": pl.Series([None] * count, dtype=pl.String),
            "change": pl.Series([change] * count, dtype=pl.String),
            "value": ["false" if change == "exit" else "true"] * count,
            "cause": ["new data"] * count,
            "message_id": [f"m-{member}" for member in members],
            "timestamp": pl.Series([NOON] * count, dtype=pl.Datetime("us", "UTC")),
            "was_unknown": [False] * count,
        }
    )


class Push:
    """A sync that is about to be sent by a scripted network."""

    def __init__(self, folder, frame, transport, *, connection=None, circuit=True, most=10):
        self.store = LocalStore(folder / "state")
        self.store.batch_lines = most
        self.transport, self.stop = transport, Stop()
        clock = SystemClock()
        nothing = SyncState(*(pl.DataFrame(schema={"member": pl.String}) for _ in range(3)))
        self.sync = SyncPlan(
            BUYERS, connection or segment(), Computation("buyers", "audience", "Buyers"), "f1", frame, nothing,
            frame.height, pl.DataFrame(), (), first=True, valued=False,
        )  # fmt: skip
        self.store.begin(PlanHead("p1", BUYERS, NOON, NOON, "f1", "account 1", frame.height, valued=False), frame)
        self.held = lambda: None
        courier = Courier(
            self.sync.connection, "identify", self.sync.computation, transport, clock, Pacer((), None, clock),
            self.stop.part(), self._still_held, math.inf, patience=0.0,
        )  # fmt: skip
        self.seen = []
        self.sent = Sent()
        self.sending = Sending("p1", self.sync, self.store, courier, circuit, self.seen.append, self.sent)

    def _still_held(self):
        self.held()

    def run(self):
        self.sending.run()
        self.store.fold("p1", BUYERS, finished=False)
        state = self.store.load(BUYERS)
        return sorted(state.acknowledged["member"]), sorted(state.unknown["member"])

    @property
    def report(self):
        return sync_report(self.sync, self.sent, finished=False)


def users(request):
    return [message["userId"] for message in json.loads(request.content)["batch"]]


FORTY = [f"u{n:02}" for n in range(40)]


def test_batches_go_one_after_another_unless_the_destination_allows_more(tmp_path):
    push = Push(tmp_path, lines(FORTY), ScriptedTransport())

    assert push.run() == (FORTY, [])
    assert [users(request) for request in push.transport.sent] == [FORTY[n : n + 10] for n in range(0, 40, 10)]
    assert push.seen == [10, 20, 30, 40]


class Meeting(ScriptedTransport):
    """Answers nobody until so many requests are under way."""

    def __init__(self, count):
        super().__init__()
        self.barrier = threading.Barrier(count, timeout=10)

    def send(self, request):
        self.barrier.wait()
        return super().send(request)


def test_as_many_batches_are_under_way_as_the_destination_allows(tmp_path):
    push = Push(tmp_path, lines(FORTY), Meeting(4), connection=segment(parallel=4))

    assert push.run() == (FORTY, [])


def test_entries_wait_for_the_exits_that_are_under_way(tmp_path):
    frame = pl.concat([lines(FORTY[:15], "exit"), lines(FORTY[15:])])
    push = Push(tmp_path, frame, ScriptedTransport(), connection=segment(parallel=4))
    push.run()

    order = [users(request)[0] in FORTY[:15] for request in push.transport.sent]
    assert order == sorted(order, reverse=True)


def test_what_stops_one_lane_stops_the_others_after_what_they_have_in_flight(tmp_path):
    transport = Meeting(2)
    push = Push(tmp_path, lines(FORTY), transport, connection=segment(parallel=2))

    def later(_):
        push.sending.courier.stop.event.wait(10)
        return OK

    transport.script.extend([answer(401), later])
    acknowledged, unknown = push.run()

    assert (len(acknowledged), unknown, len(transport.sent)) == (10, [], 2)
    assert "credentials" in push.sent.why
    assert push.sent.fatal
    assert push.report.unsent == 30


def test_a_stop_lets_what_is_in_flight_finish(tmp_path):
    push = Push(tmp_path, lines(FORTY), ScriptedTransport())

    def asked(_):
        push.stop.ask("interrupted")
        return OK

    push.transport.script.extend([OK, asked])
    acknowledged, unknown = push.run()

    assert (acknowledged, unknown, push.sent.why) == (FORTY[:20], [], "interrupted")
    assert (push.report.unsent, push.report.acknowledged) == (20, 20)


def test_a_stop_that_comes_when_everything_has_left_stops_nothing(tmp_path):
    push = Push(tmp_path, lines(FORTY[:20]), ScriptedTransport())

    def asked(_):
        push.stop.ask("interrupted")
        return OK

    push.transport.script.extend([OK, asked])
    acknowledged, unknown = push.run()

    assert (acknowledged, unknown, push.sent.why) == (FORTY[:20], [], "")


def test_an_interrupt_beside_lanes_leaves_what_is_in_flight_unknown(tmp_path, monkeypatch):
    push = Push(tmp_path, lines(FORTY), ScriptedTransport(), connection=segment(parallel=2))
    going = threading.Event()

    def never(_):
        going.wait(10)
        return OK

    def pressed(*_, **__):
        raise KeyboardInterrupt

    push.transport.script.extend([never, never])
    monkeypatch.setattr("personas_kit.activation.lanes.wait", pressed)
    acknowledged, unknown = push.run()
    going.set()

    assert (acknowledged, unknown, push.report.unsent) == ([], FORTY[:20], 20)


MANY = [f"u{n:03}" for n in range(400)]


def refusing(share):
    """Refuses the first changes of every batch of a hundred, one by one."""

    def reply(request):
        names = users(request)
        return answer(400) if any(int(name[1:]) % 100 < share for name in names) else OK

    transport = ScriptedTransport()
    transport.script.extend([reply] * 10_000)
    return transport


def test_the_circuit_opens_when_more_than_a_tenth_is_refused(tmp_path):
    push = Push(tmp_path, lines(MANY), refusing(11), connection=segment(items=100), most=100)
    acknowledged, _ = push.run()

    assert len(acknowledged) == 178
    assert push.sent.why.startswith("22 of 200 changes were refused (status 400)")
    assert "override=['rejects']" in push.sent.why
    assert push.report.state == "interrupted"
    assert push.report.unsent == 200


def test_the_circuit_stays_closed_below_that_and_when_it_is_overridden(tmp_path):
    below = Push(tmp_path / "below", lines(MANY), refusing(10), connection=segment(items=100), most=100)
    over = Push(tmp_path / "over", lines(MANY), refusing(50), connection=segment(items=100), most=100, circuit=False)

    assert (len(below.run()[0]), len(over.run()[0])) == (360, 200)


def test_of_reasons_as_frequent_the_circuit_names_the_one_that_came_first(tmp_path):
    push = Push(tmp_path, lines(MANY), ScriptedTransport())
    reasons = [f"status {400 + n % 20}" for n in range(100)]
    push.sent.note(Batch(0, 200), Tally(rejected=dict(enumerate(reasons))))

    assert push.sending._tripped().startswith("100 of 200 changes were refused (status 400)")


def test_the_circuit_does_not_judge_by_a_few(tmp_path):
    push = Push(tmp_path, lines(MANY[:100]), refusing(90), connection=segment(items=100), most=100)

    assert len(push.run()[0]) == 10


@pytest.mark.parametrize("parallel", [1, 3])
def test_whoever_lost_the_sync_sends_nothing_more(tmp_path, parallel):
    push = Push(tmp_path, lines(FORTY), ScriptedTransport(), connection=segment(parallel=parallel))

    def lost():
        raise SyncBusy("taken over", where=str(BUYERS))

    push.held = lost
    with pytest.raises(SyncBusy):
        push.sending.run()
    assert push.transport.sent == []


def test_what_the_destination_accepts_is_unknown_until_it_says_more(tmp_path):
    frame = lines(FORTY[:10])
    connection = segment()
    read = connection.destination.outcomes
    accepting = replace(connection.destination, outcomes=replace(read, read=_accepted))
    push = Push(tmp_path, frame, ScriptedTransport(), connection=replace(connection, destination=accepting))
    acknowledged, unknown = push.run()

    assert (acknowledged, unknown) == ([], FORTY[:10])
    assert (push.report.accepted, [job.handle for job in push.store.load(BUYERS).jobs]) == (10, ["job-7"])


def _accepted(answer, count):
    return Outcome("accepted", handle="job-7")
