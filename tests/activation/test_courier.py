"""What a courier makes of every kind of answer: what is acknowledged, refused, unknown, and not sent."""

import datetime as dt
import json
from dataclasses import replace

import polars as pl
import pytest

from personas_kit.activation.courier import Courier
from personas_kit.activation.pacing import Pacer
from personas_kit.activation.preparing import prepare
from personas_kit.activation.stopping import Stop
from personas_kit.destinations import Computation, find
from personas_kit.destinations.base import Limits
from personas_kit.secret import Secret
from tests.activation.scripted import INTERRUPT, NO_ANSWER, NOT_CONNECTED, OK, FakeClock, ScriptedTransport, answer

BUYERS = Computation("buyers", "audience", "Buyers")
SEGMENT = find("segment").configure("analytics", {"write_key": Secret("env", "KEY")})


def batch(*members, unknown=()):
    return pl.DataFrame(
        {
            "member": members,
            "user_id": members,
            "account_id": [None] * len(members),
            "change": ["enter"] * len(members),
            "value": ["true"] * len(members),
            "message_id": [f"m-{member}" for member in members],
            "timestamp": [dt.datetime(2026, 11, 1, tzinfo=dt.UTC)] * len(members),
            "was_unknown": [member in unknown for member in members],
        },
        schema_overrides={"account_id": pl.String, "timestamp": pl.Datetime("us", "UTC")},
    )


def deliver(lines, *script, deadline=float("inf"), connection=SEGMENT):
    """The tally, the members by what became of them, the network and the clock."""
    transport, clock = ScriptedTransport(*script), FakeClock()
    made = prepare(connection, "identify", lines, BUYERS)
    courier = Courier(
        connection, "identify", BUYERS, transport, clock, Pacer((), None, clock), Stop(), deadline=deadline
    )
    tally = courier.deliver(made.lines, made.requests, made.positions)
    tally.rejected.update(made.too_large)
    names = lines["member"].to_list()
    became = {
        "rejected": [names[at] for at in sorted(tally.rejected)],
        "unknown": [names[at] for at in sorted(tally.unknown)],
        "unsent": [names[at] for at in sorted(tally.unsent)],
    }
    return tally, became, transport, clock


def users(request):
    return [message["userId"] for message in json.loads(request.content)["batch"]]


NOTHING = {"rejected": [], "unknown": [], "unsent": []}


def test_an_acknowledged_batch_leaves_nothing_open():
    tally, became, transport, clock = deliver(batch("ann", "bob"))

    assert (tally.stopped, became, len(transport.sent), clock.waits) == ("", NOTHING, 1, [])


@pytest.mark.parametrize("after", ["7", "0", "2.5"])
def test_retry_after_is_obeyed_to_the_second(after):
    _, became, transport, clock = deliver(batch("ann"), answer(429, retry_after=after))

    assert (became, len(transport.sent), sum(clock.waits)) == (NOTHING, 2, float(after))


def test_a_date_in_retry_after_counts_from_the_answers_own_date():
    dates = {"date": "Sun, 01 Nov 2026 12:00:00 GMT", "retry_after": "Sun, 01 Nov 2026 12:00:30 GMT"}
    *_, clock = deliver(batch("ann"), answer(503, **dates))

    assert clock.waits == [30.0]


def test_an_absurd_retry_after_stops_and_leaves_everything_to_be_sent_later():
    tally, became, transport, clock = deliver(batch("ann"), answer(429, retry_after="31536000"))

    assert tally.stopped
    assert not tally.fatal
    assert (became, len(transport.sent), clock.waits) == ({**NOTHING, "unsent": ["ann"]}, 1, [])


@pytest.mark.parametrize("doubt", [answer(500), answer(503), NO_ANSWER, answer(200, b"<html>"), answer(200, b'{"suc')])
def test_an_ambiguous_attempt_is_repeated_with_the_same_bytes(doubt):
    _, became, transport, clock = deliver(batch("ann"), doubt)

    assert became == NOTHING
    assert transport.sent[0].content == transport.sent[1].content
    assert len(clock.waits) == 1
    assert clock.waits[0] >= 0.5


def test_waits_grow_and_it_gives_up_only_after_three_attempts_and_the_time():
    tally, became, transport, clock = deliver(batch("ann"), *[answer(503)] * 100)

    assert became == {**NOTHING, "unknown": ["ann"]}
    assert "503" in tally.stopped
    assert len(transport.sent) >= 3
    assert 60 < clock.time <= 121
    assert clock.waits[-1] > clock.waits[0]


def test_without_a_connection_nothing_is_unknown():
    tally, became, *_ = deliver(batch("ann"), *[NOT_CONNECTED] * 100)

    assert tally.stopped == "no connection"
    assert became == {**NOTHING, "unsent": ["ann"]}


def test_a_deadline_ends_the_attempts_but_not_before_the_third():
    _, became, transport, _ = deliver(batch("ann"), *[answer(503)] * 100, deadline=0.1)

    assert len(transport.sent) == 3
    assert became["unknown"] == ["ann"]


def test_a_batch_that_is_refused_is_halved_until_the_bad_one_stands_alone():
    def refuse_bob(request):
        return answer(400) if "bob" in users(request) else OK

    lines = batch("ann", "bob", "cid", "dan", "eve")
    tally, became, transport, _ = deliver(lines, *[refuse_bob] * 50)

    assert became == {**NOTHING, "rejected": ["bob"]}
    assert tally.rejected == {1: "status 400"}
    assert sorted(name for request in transport.sent if "bob" not in users(request) for name in users(request)) == [
        "ann", "cid", "dan", "eve",
    ]  # fmt: skip


def test_halves_keep_the_message_ids():
    def too_large(request):
        return answer(413) if len(users(request)) > 1 else OK

    *_, transport, _ = deliver(batch("ann", "bob"), *[too_large] * 3)

    ids = [message["messageId"] for request in transport.sent[1:] for message in json.loads(request.content)["batch"]]
    assert ids == ["m-ann", "m-bob"]


def test_a_refusal_after_an_ambiguous_attempt_proves_nothing():
    _, became, *_ = deliver(batch("ann"), NO_ANSWER, answer(400))

    assert became == {"rejected": ["ann"], "unknown": ["ann"], "unsent": []}


def test_a_refusal_of_a_member_that_was_unknown_before_proves_nothing():
    _, became, *_ = deliver(batch("ann", unknown=["ann"]), answer(400))

    assert became == {"rejected": ["ann"], "unknown": ["ann"], "unsent": []}


@pytest.mark.parametrize("status", [401, 403, 404, 301, 308])
def test_a_fatal_answer_stops_and_says_why(status):
    tally, became, transport, _ = deliver(batch("ann"), answer(status))

    assert tally.fatal
    assert str(status) in tally.stopped
    assert (became, len(transport.sent)) == ({**NOTHING, "unsent": ["ann"]}, 1)


def test_an_interrupt_in_flight_leaves_that_request_unknown_and_the_rest_unsent():
    large = batch(*[f"user-{n}-{'x' * 400}" for n in range(1_200)])
    tally, became, transport, _ = deliver(large, OK, INTERRUPT)

    first, second, *_ = (request.lines for request in SEGMENT.requests("identify", large, BUYERS))
    assert tally.stopped == "interrupted"
    assert len(transport.sent) == 2
    assert len(became["unknown"]) == second[1] - second[0]
    assert len(became["unsent"]) == 1_200 - first[1] - len(became["unknown"])


def test_a_line_that_no_request_can_hold_is_refused_without_sending():
    huge = "x" * 40_000
    _, became, transport, _ = deliver(batch("ann", huge, "bob"))

    assert became == {**NOTHING, "rejected": [huge]}
    assert [users(request) for request in transport.sent] == [["ann", "bob"]]


def test_a_part_of_what_was_made_together_is_what_would_have_been_made_alone():
    single = replace(SEGMENT.destination, limits=Limits(items=1, bytes=1_000))
    connection = single.configure("analytics", {"write_key": Secret("env", "KEY")})
    lines = batch("a", "b" * 900, "c", "d", "e" * 900, "f")
    made = prepare(connection, "identify", lines, BUYERS)
    assert set(made.too_large) == {1, 4}

    for start in range(6):
        for stop in range(start + 1, 7):
            alone, part = prepare(connection, "identify", lines[start:stop], BUYERS), made.part(start, stop)
            assert part.lines.equals(alone.lines)
            assert replace(part, lines=alone.lines) == alone
