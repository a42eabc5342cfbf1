"""A run of many plans: made in order by one thread, pushed beside each other, reported in order."""

import os
import signal
import threading
import time
from dataclasses import dataclass, field

import pytest

from personas_kit.activation.running import Errand, Running
from personas_kit.errors import DestinationError, PlanBlocked
from personas_kit.sandbox import Sandbox
from tests import small


@dataclass
class MadeUp:
    """As much of a plan as a run looks at."""

    name: str
    pushes: object = None
    guards: tuple = ()
    syncs: tuple = ()
    seen: list = field(default_factory=list)

    def push(self, *, override, progress=None, stop=None):
        self.seen.append((self.name, threading.current_thread(), stop))
        if self.pushes:
            self.pushes(stop)
        return Pushed()


class Pushed:
    """As much of a report."""

    syncs = ()
    ended = "done"
    acknowledged = 1


def errands(*plans, planned=None):
    """``plans`` as (key, destination, MadeUp or an error)."""

    def make(plan):
        if planned is not None:
            planned.append(threading.current_thread())
        if isinstance(plan, Exception):
            raise plan
        return plan

    return [Errand(key, to, lambda p=plan: make(p), lambda: lambda line: line) for key, to, plan in plans]


def said(lines):
    return [(line.key, line.destination, line.did) for line in lines]


def test_plans_are_made_by_one_thread_and_pushed_to_different_destinations_at_once():
    meeting, planned = threading.Barrier(2, timeout=20), []
    first, second = (MadeUp(name, lambda _: meeting.wait()) for name in "ab")
    running = Running(errands(("a", "ads", first), ("a", "crm", second), planned=planned), (), "guards")

    assert said(running.beside()) == [("a", "ads", "pushed"), ("a", "crm", "pushed")]
    assert set(planned) == {threading.current_thread()}
    assert threading.current_thread() not in {thread for plan in (first, second) for _, thread, _ in plan.seen}


def test_one_destination_has_two_pushes_at_a_time_in_order_and_one_plan_ahead():
    begun, under_way, most, planned = [], [], [], []

    def push(name):
        def work(_):
            begun.append(name)
            under_way.append(name)
            most.append(len(under_way))
            time.sleep(0.02)
            under_way.remove(name)
            most.append(len(planned) - len(begun))

        return work

    plans = [(name, "ads", MadeUp(name, push(name))) for name in "abcdefgh"]
    lines = Running(errands(*plans, planned=planned), (), "guards").beside()

    assert [line.key for line in lines] == [*"abcdefgh"]
    assert begun == sorted(begun)
    assert max(most) <= 2


def test_a_failure_is_a_line_and_the_others_go_on():
    def refused(_):
        raise DestinationError("refused", where="ads")

    lines = Running(
        errands(
            ("a", "ads", MadeUp("a", refused)),
            ("b", "ads", PlanBlocked("columns are gone", guards=("columns_changed",))),
            ("c", "crm", DestinationError("no such list")),
            ("d", "ads", MadeUp("d")),
        ),
        (),
        "guards",
    ).beside()

    assert [(line.key, line.did) for line in lines] == [
        ("a", "failed"), ("b", "blocked"), ("c", "failed"), ("d", "pushed"),
    ]  # fmt: skip
    assert "refused" in lines[0].why


def test_without_approval_nothing_is_pushed():
    plan = MadeUp("a")

    assert said(Running(errands(("a", "ads", plan)), (), None).beside()) == [("a", "ads", "planned")]
    assert plan.seen == []


@pytest.fixture
def usual():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual")
def test_an_interrupt_ends_what_is_under_way_in_good_order_and_begins_nothing_more():
    def pressed(stop):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.event.wait(20)

    last = MadeUp("c")
    plans = [("a", "ads", MadeUp("a", pressed)), ("b", "ads", MadeUp("b")), ("c", "ads", last)]
    lines = Running(errands(*plans), (), "guards").beside()

    assert said(lines)[0] == ("a", "ads", "pushed")
    assert [(line.did, line.why, line.ended) for line in lines[1:]] == [("planned", "interrupted", "unfinished")] * 2
    assert last.seen == []


@pytest.mark.usefixtures("usual")
def test_two_interrupts_while_a_plan_is_made_leave_a_line_for_it_too():
    going, second = threading.Event(), MadeUp("b")

    def waits(stop):
        going.set()
        assert stop.hurried.wait(20)

    def pressed_twice():
        assert going.wait(20)
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        return second

    first, rest = errands(("a", "ads", MadeUp("a", waits)), ("c", "crm", MadeUp("c")))
    between = Errand("b", "crm", pressed_twice, lambda: lambda line: line)
    lines = Running([first, between, rest], (), "guards").beside()

    assert [(line.key, line.did) for line in lines] == [("a", "pushed"), ("b", "planned"), ("c", "planned")]
    assert [line.why for line in lines[1:]] == ["interrupted"] * 2
    assert second.seen == []


# ----------------------------------------------------------------------------------------------- a workspace, for real


def test_a_run_pushes_to_its_destinations_beside_each_other_and_says_what_became_of_each(tmp_path, capsys):
    with Sandbox() as sandbox:
        small.make(tmp_path, sandbox.url, [f"u{n}" for n in range(10)])
        workspace = small.opened(tmp_path)
        report = workspace.run(approve="guards", override=["first_sync"])

        assert [(line.destination, line.did, line.report.complete) for line in report.lines] == [
            ("analytics", "pushed", True), ("ads", "pushed", True),
        ]  # fmt: skip
        assert len(small.received(sandbox)) == small.on_the_list(sandbox) == 10
        assert {run["destination"] for run in workspace.store.runs()} == {"analytics", "ads"}
