"""Accepted is not acknowledged: a destination that only takes work is asked what became of it before the next plan."""

import json
from dataclasses import replace

import pytest

from personas_kit.activation.cadence import Cadence
from personas_kit.destinations import find
from personas_kit.destinations.base import Poll
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Outcome
from personas_kit.planner import Planner
from tests import small
from tests.activation.scripted import NO_ANSWER, answer
from tests.activation.test_delivery import Ticking

TEN = [f"u{n}" for n in range(10)]
JOB = {"done": ACKNOWLEDGED, "failed": Outcome("rejected", "the job failed"), "gone": Outcome("unknown")}


def read_job(reply):
    body = reply.json()
    return JOB.get(body.get("state")) if isinstance(body, dict) else None


class Jobs:
    """A receiver that takes everything, and says later what became of it."""

    def __init__(self):
        self.posted, self.asked, self.says = [], [], "working"

    def send(self, request):
        if request.method == "GET":
            self.asked.append(request.url)
            if isinstance(self.says, BaseException):
                raise self.says
            return answer(200, json.dumps({"state": self.says}).encode())
        self.posted.append(json.loads(request.content))
        return answer(202, json.dumps({"job": f"j{len(self.posted)}"}).encode())

    def close(self):
        pass


@pytest.fixture
def jobs():
    return Jobs()


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def workspace(tmp_path, jobs, clock, monkeypatch):
    def accepted(reply, count):
        body = reply.json()
        return Outcome("accepted", handle=body["job"]) if reply.status == 202 else None

    segment = find("segment")
    taking_jobs = replace(
        segment, outcomes=replace(segment.outcomes, read=accepted), poll=Poll("/jobs/{handle}", read_job)
    )
    usual = Planner.connection

    def connection(planner, settings):
        made = usual(planner, settings)
        return replace(made, destination=taking_jobs) if settings.destination == "analytics" else made

    monkeypatch.setattr(Planner, "connection", connection)
    small.make(tmp_path, "http://127.0.0.1:9999", TEN)
    return small.opened(tmp_path, clock, lambda _: jobs)


def plan(workspace):
    return workspace.plan("vips", to="analytics", send=["identify"])


def state(workspace):
    ((_, known),) = workspace.store.syncs()
    return known


def test_what_was_accepted_is_not_sent_again_while_the_destination_is_at_it(workspace, jobs, clock):
    report = plan(workspace).push()
    assert (report.accepted, report.complete) == (10, False)
    clock.day += 1
    again = plan(workspace)

    assert (again.changes.height, again.syncs[0].held.height) == (0, 10)
    assert set(again.syncs[0].held["reason"]) == {"accepted, not acknowledged yet"}
    assert [url.rsplit("/", 1)[1] for url in jobs.asked] == ["j1"]


def test_a_schedule_asks_about_it_before_the_sync_is_due_again(workspace, jobs, clock):
    workspace._scheduled["vips"] = replace(workspace._scheduled["vips"], cadence=Cadence(every=86_400))
    run = {"to": ["analytics"], "approve": "guards"}
    workspace.run(["vips"], override=["first_sync"], **run)
    sent, jobs.says = len(jobs.posted), "done"

    clock.day += 0.5
    (line,) = workspace.run(["vips"], **run).lines
    assert (line.did, len(jobs.posted), jobs.asked != []) == ("not due", sent, True)
    assert {known.unknown.height for _, known in workspace.store.syncs()} == {0}


def test_once_it_says_so_the_members_are_acknowledged(workspace, jobs, clock):
    plan(workspace).push()
    jobs.says = "done"
    clock.day += 1
    again = plan(workspace)

    assert (again.changes.height, again.syncs[0].held.height) == (0, 0)
    assert (state(workspace).acknowledged.height, state(workspace).unknown.height, state(workspace).jobs) == (10, 0, ())


def test_what_failed_is_refused_and_due_again(workspace, jobs, clock):
    plan(workspace).push()
    jobs.says = "failed"
    clock.day += 1
    again = plan(workspace)

    assert again.changes.height == 10
    assert set(state(workspace).rejects["reason"]) == {"the job failed"}


def test_what_it_knows_nothing_of_any_more_is_due_again_with_the_same_ids(workspace, jobs, clock):
    plan(workspace).push()
    jobs.says = "gone"
    clock.day += 1
    again = plan(workspace)

    first = {message["userId"]: message["messageId"] for message in jobs.posted[0]["batch"]}
    assert dict(again.syncs[0].lines.select("member", "message_id").rows()) == first
    assert set(again.changes["cause"]) == {"outcome was unknown"}


@pytest.mark.parametrize("says", ["working", NO_ANSWER])
def test_after_two_days_without_a_word_it_is_due_again(workspace, jobs, clock, says):
    plan(workspace).push()
    jobs.says = says
    clock.day += 2
    assert plan(workspace).changes.height == 0
    clock.day += 1
    assert plan(workspace).changes.height == 10


def test_a_preview_asks_nobody(workspace, jobs, clock):
    plan(workspace).push()
    workspace.preview("vips")

    assert jobs.asked == []


def test_a_member_that_leaves_meanwhile_is_taken_out_once_that_is_known(workspace, jobs, clock, tmp_path):
    plan(workspace).push()
    small.set_vips(tmp_path, TEN[1:])
    clock.day += 1
    assert plan(workspace).changes.height == 0

    jobs.says = "done"
    assert plan(workspace).changes.select("member", "change").rows() == [("u0", "exit")]


def test_somebody_whom_it_still_puts_there_is_not_forgotten_yet(workspace, jobs, clock):
    plan(workspace).push()
    early = workspace.forget("u0", confirm="u0")
    assert [(line.state, line.why) for line in early.lines] == [("not yet", "accepted, not acknowledged yet")]

    jobs.says = "done"
    assert [line.state for line in workspace.forget("u0", confirm="u0").lines] == ["not yet"]  # an exit is work, too
    assert jobs.posted[-1]["batch"][0]["traits"] == {"vips": False}

    assert workspace.forget("u0", confirm="u0").complete
    assert "u0" not in state(workspace).acknowledged["member"]


def test_taking_everybody_out_asks_about_it_first(workspace, jobs, clock):
    plan(workspace).push()
    jobs.says = "done"

    assert workspace.remove("vips").changes["change"].to_list() == ["exit"] * 10
