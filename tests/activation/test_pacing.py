"""What a destination allows is kept to: its rates in every window, the waits it asks for, the budget it tells of."""

import datetime as dt
import math
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas_kit.activation.pacing import LONGEST_BUDGET_WAIT, Pacer
from personas_kit.activation.stopping import Stop
from personas_kit.clock import SystemClock
from personas_kit.destinations.base import Rate
from personas_kit.destinations.outcomes import Budget
from tests.activation.scripted import FakeClock, answer

CASES = 5_000 if os.environ.get("PERSONAS_LONG") else 200
BUDGET = Budget("x-ratelimit-remaining", "x-ratelimit-reset")


def leave(pacer, clock, sizes):
    """When each request left."""
    left = []
    for size in sizes:
        assert pacer.turn(size, Stop(), math.inf)
        left.append((clock.monotonic(), size))
    return left


@pytest.mark.parametrize(
    ("count", "seconds", "requests", "took"), [(2, 1.0, 6, 2.0), (10, 60.0, 25, 120.0), (1, 0.5, 4, 1.5)]
)
def test_requests_leave_no_faster_than_the_rate(count, seconds, requests, took):
    clock = FakeClock()
    left = leave(Pacer((Rate(count, seconds),), None, clock), clock, [1] * requests)

    assert left[-1][0] == pytest.approx(took)


@settings(max_examples=CASES)
@given(
    rates=st.lists(
        st.builds(
            Rate, st.integers(1, 50), st.sampled_from([1.0, 2.5, 60.0]), st.sampled_from(["requests", "changes"])
        ),
        min_size=1, max_size=3,
    ),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=60),
)  # fmt: skip
def test_in_no_window_do_more_leave_than_any_rate_allows(rates, sizes):
    clock = FakeClock()
    left = leave(Pacer(rates, None, clock), clock, sizes)

    for rate in rates:
        for start, first in left:
            window = [size if rate.of == "changes" else 1 for at, size in left if start <= at < start + rate.seconds]
            alone = rate.of == "changes" and first > rate.count
            assert sum(window) <= rate.count or (alone and len(window) == 1)


def test_nobody_sends_before_the_wait_is_over_that_the_destination_asked_for():
    clock = FakeClock()
    pacer = Pacer((), None, clock)
    pacer.hold(7.5)
    pacer.hold(2)

    assert leave(pacer, clock, [1, 1]) == [(7.5, 1), (7.5, 1)]


def test_an_empty_budget_is_waited_for_and_one_that_claims_a_year_is_not():
    clock = FakeClock()
    pacer = Pacer((), BUDGET, clock)
    pacer.heard(answer(200, x_ratelimit_remaining="3", x_ratelimit_reset="30"))
    assert leave(pacer, clock, [1]) == [(0.0, 1)]

    pacer.heard(answer(200, x_ratelimit_remaining="0", x_ratelimit_reset="30"))
    assert leave(pacer, clock, [1]) == [(30.0, 1)]

    pacer.heard(answer(200, x_ratelimit_remaining="0", x_ratelimit_reset="31536000"))
    assert leave(pacer, clock, [1]) == [(30.0 + LONGEST_BUDGET_WAIT, 1)]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"x_ratelimit_remaining": "0"}, None),
        ({"x_ratelimit_remaining": "many", "x_ratelimit_reset": "1"}, None),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "inf"}, None),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "-5"}, 0.0),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "2.5"}, 2.5),
    ],
)
def test_a_budget_is_read_from_the_headers(headers, wait):
    assert BUDGET.wait(answer(200, **headers), dt.datetime(2026, 11, 1, tzinfo=dt.UTC)) == wait


def test_a_budget_may_name_the_instant():
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    budget = Budget("left", "until", epoch=True)

    assert budget.wait(answer(200, left="0", until=str(now.timestamp() + 12)), now) == 12.0


def test_whoever_waits_is_woken_by_a_stop_and_does_not_send():
    pacer, stop = Pacer((), None, SystemClock()), Stop()
    pacer.hold(60)
    threading.Timer(0.05, stop.ask, ["interrupted"]).start()

    assert not pacer.turn(1, stop, math.inf)


def test_nobody_waits_past_the_deadline():
    clock = FakeClock()
    pacer = Pacer((), None, clock)
    pacer.hold(60)

    assert not pacer.turn(1, Stop(), 59.0)
    assert clock.waits == []
