"""One plan, two accounts, real time: each is sent beside the other, and each has an outcome of its own."""

import threading
import time

import pytest

from personas_kit.activation.stopping import Stop
from personas_kit.activation.store import Store
from personas_kit.activation.transport import HttpTransport
from personas_kit.errors import SyncBusy
from personas_kit.sandbox import Sandbox
from tests import small
from tests.activation.scripted import answer

TEN = [f"u{n}" for n in range(10)]


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path, sandbox):
    small.make(tmp_path, sandbox.url, TEN)
    return tmp_path


class Watched:
    """The network; something happens before requests to a destination leave."""

    def __init__(self, connection, before):
        self._inner, self._before = HttpTransport(connection), before

    def send(self, request):
        return self._before() or self._inner.send(request)

    def close(self):
        self._inner.close()


def opened(folder, **before):
    """The workspace; what is to happen before requests, by the configured name of their destination."""
    return small.opened(folder, connect=lambda there: Watched(there, before.get(there.name, lambda: None)))


def overridden(plan, **more):
    return plan.push(override=[guard.name for guard in plan.guards], **more)


def test_accounts_are_under_way_at_once_and_reported_in_the_order_of_the_plan(folder, sandbox):
    meeting, met = threading.Barrier(2, timeout=20), set()

    def meet(name):
        def once():
            if name not in met:
                met.add(name)
                meeting.wait()

        return once

    told = []
    workspace = opened(folder, analytics=meet("analytics"), ads=meet("ads"))
    plan = workspace.plan("vips")
    report = overridden(plan, progress=lambda now: told.append((threading.current_thread(), now)))

    assert report.complete
    assert [part.sync for part in report.syncs] == [sync.sync for sync in plan.syncs]
    assert small.received(sandbox) == set(TEN)
    assert small.on_the_list(sandbox) == len(TEN)
    assert {thread for thread, _ in told} == {threading.current_thread()}
    assert (told[-1][1].done, told[-1][1].total) == (30, 30)


def test_what_one_refuses_stops_its_other_calls_and_not_the_other_account(folder, sandbox):
    workspace = opened(folder, analytics=lambda: answer(401))
    report = overridden(workspace.plan("vips"))

    assert [(part.sync.destination, part.acknowledged, bool(part.why)) for part in report.syncs] == [
        ("analytics", 0, True), ("analytics", 0, True), ("ads", 10, False),
    ]  # fmt: skip
    assert small.on_the_list(sandbox) == len(TEN)


def test_an_error_of_one_sync_is_raised_and_what_the_other_account_took_is_known(folder, sandbox, monkeypatch):
    workspace = opened(folder, ads=lambda: time.sleep(0.1))
    plain = Store.advance

    def advance(self, plan_id, sync, **about):
        if sync.destination == "analytics":
            raise SyncBusy("taken over", where=str(sync))
        plain(self, plan_id, sync, **about)

    monkeypatch.setattr(Store, "advance", advance)
    plan = workspace.plan("vips")
    with pytest.raises(SyncBusy, match="taken over"):
        overridden(plan)

    acknowledged = {sync.destination: state.acknowledged.height for sync, state in workspace.store.syncs()}
    assert acknowledged == {"analytics": 0, "ads": 10}
    assert [run["destination"] for run in workspace.store.runs()] == ["ads"]


def test_a_stop_is_heard_by_all_of_them(folder, sandbox):
    stop = Stop()
    workspace = opened(folder, analytics=lambda: stop.ask("interrupted"), ads=lambda: stop.event.wait(20) and None)
    plan = workspace.plan("vips")
    report = overridden(plan, stop=stop)

    assert not report.complete
    assert report.unknown == 0, "what was under way came to an end"
    assert {part.why for part in report.syncs} <= {"interrupted", ""}
    assert overridden(plan).complete
    assert small.received(sandbox) == set(TEN)
    assert sandbox.conflicts == []
