"""Work that takes several requests, and what a destination leaves out of what it took."""

import dataclasses
import json

import pytest

from personas_kit.destinations import Outcome
from personas_kit.destinations.base import Pause
from personas_kit.destinations.outcomes import Outcomes
from tests.activation.scripted import INTERRUPT, NO_ANSWER, NOT_CONNECTED, OK, answer
from tests.activation.test_courier import NOTHING, SEGMENT, batch, deliver, users

FOUND, WRITTEN = answer(200, b'{"id":"7"}'), answer(200, b'{"success":true}')


def changed(*, outcomes=None, exchange=None):
    """Segment, with other outcomes or an exchange of its own."""
    kind = SEGMENT.destination
    post = dataclasses.replace(kind.posts["identify"], outcomes=outcomes, exchange=exchange)
    return dataclasses.replace(SEGMENT, destination=dataclasses.replace(kind, posts={**kind.posts, "identify": post}))


def look_up_then_write(connection, request, lines):
    found = yield connection.request("POST", "/search", {"users": lines["user_id"].to_list()})
    yield Pause(3)
    if found.at("id") is None:
        return connection.judge("identify", found, lines.height)
    written = yield request
    return connection.judge("identify", written, lines.height)


LOOKING_UP = changed(exchange=look_up_then_write)


def paths(transport):
    return [request.url.removeprefix("https://api.segment.io") for request in transport.sent]


def test_an_exchange_asks_waits_and_writes():
    tally, became, transport, clock = deliver(batch("ann", "bob"), FOUND, WRITTEN, connection=LOOKING_UP)

    assert (tally.stopped, became, clock.waits) == ("", NOTHING, [3])
    assert paths(transport) == ["/search", "/v1/batch"]
    assert json.loads(transport.sent[0].content) == {"users": ["ann", "bob"]}


@pytest.mark.parametrize("trouble", [answer(503), NO_ANSWER, NOT_CONNECTED])
@pytest.mark.parametrize("step", [0, 1])
def test_an_exchange_that_meets_trouble_begins_again(trouble, step):
    script = [FOUND, WRITTEN]
    script[step] = trouble
    tally, became, transport, _ = deliver(batch("ann"), *script[: step + 1], FOUND, WRITTEN, connection=LOOKING_UP)

    assert (tally.stopped, became) == ("", NOTHING)
    assert paths(transport)[-2:] == ["/search", "/v1/batch"]


def test_a_fatal_answer_to_a_look_up_stops():
    tally, became, transport, _ = deliver(batch("ann"), answer(401), connection=LOOKING_UP)

    assert (tally.fatal, became["unsent"], len(transport.sent)) == (True, ["ann"], 1)


def test_an_interrupt_between_the_steps_leaves_the_lines_unknown():
    tally, became, *_ = deliver(batch("ann"), FOUND, INTERRUPT, connection=LOOKING_UP)

    assert (tally.stopped, became["unknown"]) == ("interrupted", ["ann"])


def write_twice(connection, request, lines):
    first = yield connection.request("POST", "/v1/tags", {"users": lines["user_id"].to_list()})
    if first.status != 200:
        return connection.judge("identify", first, lines.height)
    return connection.judge("identify", (yield request), lines.height)


def read_then_write(connection, request, lines):
    yield connection.request("GET", "/v1/tags")
    return connection.judge("identify", (yield request), lines.height)


@pytest.mark.parametrize("trouble", [NOT_CONNECTED, answer(401), answer(429, retry_after="31536000")])
def test_what_one_of_two_writes_was_taken_of_is_unknown_if_the_other_never_gets_there(trouble):
    _, became, *_ = deliver(batch("ann"), *[OK, trouble] * 100, connection=changed(exchange=write_twice))

    assert became == {**NOTHING, "unknown": ["ann"]}


@pytest.mark.parametrize("trouble", [NOT_CONNECTED, answer(401), answer(429, retry_after="31536000")])
def test_what_was_only_looked_up_is_not_unknown(trouble):
    _, became, *_ = deliver(batch("ann"), *[OK, trouble] * 100, connection=changed(exchange=read_then_write))

    assert became == {**NOTHING, "unsent": ["ann"]}


def read_throttled(reply, _count):
    """``{"again": [0, 2], "bad": {"1": "why"}}``."""
    body = reply.json()
    if reply.status != 200 or not isinstance(body, dict):
        return None
    refused = {int(at): why for at, why in body.get("bad", {}).items()}
    return Outcome("acknowledged", "throttled", rejected=refused, again=frozenset(body.get("again", ())))


PARTLY = changed(outcomes=Outcomes(read=read_throttled))


def partly(**said):
    return answer(200, json.dumps(said).encode())


def test_what_a_destination_has_left_out_is_sent_again_after_a_wait_and_nothing_else_is():
    tally, became, transport, clock = deliver(
        batch("ann", "bob", "cem"), partly(again=[0, 2]), partly(again=[1]), partly(), connection=PARTLY
    )

    assert (tally.stopped, became) == ("", NOTHING)
    assert [users(request) for request in transport.sent] == [["ann", "bob", "cem"], ["ann", "cem"], ["cem"]]
    assert len(clock.waits) == 2


def test_good_ones_beside_a_bad_one_go_again_at_once():
    tally, became, transport, clock = deliver(
        batch("ann", "bob", "cem"), partly(again=[0, 2], bad={"1": "no"}), partly(), connection=PARTLY
    )

    assert (tally.stopped, became) == ("", {**NOTHING, "rejected": ["bob"]})
    assert [users(request) for request in transport.sent][1:] == [["ann", "cem"]]
    assert clock.waits == []


def test_what_is_left_out_again_and_again_is_not_sent_and_the_push_stops():
    tally, became, transport, _ = deliver(
        batch("ann", "bob"), partly(again=[0, 1]), *[partly(again=[0])] * 20, connection=PARTLY
    )

    assert (tally.stopped, tally.fatal, became) == ("throttled", False, {**NOTHING, "unsent": ["ann"]})
    assert len(transport.sent) == 9


def test_an_accepted_request_holds_only_what_it_took():
    def read(reply, count):
        outcome = read_throttled(reply, count)
        return dataclasses.replace(outcome, verdict="accepted", handle="job 1")

    said = changed(outcomes=Outcomes(read=read))
    tally, became, *_ = deliver(batch("ann", "bob"), partly(again=[1]), partly(), connection=said)

    assert (became, tally.accepted) == (NOTHING, {0: "job 1", 1: "job 1"})
