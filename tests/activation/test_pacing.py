"""What a destination allows is kept to: its rates in every window, the waits it asks for, the budget it tells of."""

import datetime as dt
import math
import os
import random
import threading
from bisect import bisect_left
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas_kit.activation.pacing import AT_ONCE, EVENLY, LONGEST_BUDGET_WAIT, LOST, Pacer
from personas_kit.activation.stopping import Stop
from personas_kit.clock import SystemClock
from personas_kit.destinations.base import Rate
from personas_kit.destinations.outcomes import Budget
from tests.activation.scripted import OK, FakeClock, answer

CASES = 5_000 if os.environ.get("PERSONAS_LONG") else 200
BUDGET = Budget("x-ratelimit-remaining", "x-ratelimit-reset")


def leave(pacer, clock, sizes):
    """When each request left; each is answered at once."""
    left = []
    for size in sizes:
        found = pacer.turn(size, Stop(), math.inf)
        assert found
        left.append((clock.monotonic(), size))
        pacer.over(found, OK)
    return left


@pytest.mark.parametrize(("count", "seconds", "requests", "took"), [(10, 60.0, 25, 120.0), (3, 10.0, 9, 20.0)])
def test_requests_leave_no_faster_than_the_rate(count, seconds, requests, took):
    clock = FakeClock()
    left = leave(Pacer((Rate(count, seconds),), None, clock), clock, [1] * requests)

    assert left[-1][0] == pytest.approx(took)


@pytest.mark.parametrize("rate", [Rate(2, 1), Rate(1, 0.5), Rate(20, 1), Rate(300, 3)], ids=str)
def test_where_the_window_is_short_a_bucket_that_holds_a_fifth_is_enough(rate):
    clock = FakeClock()
    left = [at for at, _ in leave(Pacer((rate,), None, clock), clock, [1] * 5 * rate.count)]

    assert refused_by_a_bucket(left, rate, holds=max(1, rate.count * AT_ONCE) + 0.01) == 0
    assert left[-1] <= 5 * rate.seconds / EVENLY


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


def said(pacer, what):
    """A request is answered so."""
    found = pacer.turn(1, Stop(), math.inf)
    assert found
    pacer.over(found, what)


def test_an_empty_budget_is_waited_for_and_one_that_claims_a_year_is_not():
    clock = FakeClock()
    pacer = Pacer((), BUDGET, clock)
    said(pacer, answer(200, x_ratelimit_remaining="3", x_ratelimit_reset="30"))
    assert leave(pacer, clock, [1]) == [(0.0, 1)]

    said(pacer, answer(200, x_ratelimit_remaining="0", x_ratelimit_reset="30"))
    assert leave(pacer, clock, [1]) == [(30.0, 1)]

    said(pacer, answer(200, x_ratelimit_remaining="0", x_ratelimit_reset="31536000"))
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


# ------------------------------------------------------------------------ as a destination counts, over a real network


@dataclass
class Way(FakeClock):
    """A network with lanes: requests and answers take a while, some of them longer than others, and so does waking up.

    Attributes:
        base: seconds that an answer takes at least; half of it there.
        jitter: seconds that a request, and an answer, may be held up in addition: one in four is not.
    """

    some: random.Random
    lanes: int
    base: float
    jitter: float

    def __post_init__(self):
        super().__init__()
        self.pacer = None
        self.under_way, self.arrivals, self.numbers = [], [], count()

    def sleep(self, seconds, unless=None):
        self.pass_to(self.time + seconds + self.some.uniform(0, 0.0005))

    def pass_to(self, time):
        while self.under_way and self.under_way[0][0] <= time:
            self.time, _, leave = heappop(self.under_way)
            self.pacer.over(leave, OK)
        self.time = time

    def held_up(self):
        return 0.0 if self.some.random() < 0.25 else self.some.uniform(0, self.jitter)

    def send(self, pacer, changes=1):
        self.pacer = pacer
        if len(self.under_way) == self.lanes:
            self.pass_to(self.under_way[0][0])
        leave = pacer.turn(changes, Stop(), math.inf)
        arrives = self.time + self.base / 2 + self.held_up()
        self.arrivals.append(arrives)
        heappush(self.under_way, (arrives + self.base / 2 + self.held_up(), next(self.numbers), leave))


def refused_by_a_window(arrivals, rate):
    """How many a destination refuses that counts those of the last so many seconds."""
    taken, refused = [], 0
    for at in sorted(arrivals):
        if len(taken) - bisect_left(taken, at - rate.seconds + 1e-9) >= rate.count:
            refused += 1
        else:
            taken.append(at)
    return refused


def refused_by_a_bucket(arrivals, rate, holds):
    """How many a destination refuses whose bucket is filled evenly, and holds so many."""
    tokens, before, refused = float(holds), 0.0, 0
    for at in sorted(arrivals):
        tokens, before = min(holds, tokens + (at - before) * rate.count / rate.seconds), at
        if tokens < 1:
            refused += 1
        else:
            tokens -= 1
    return refused


@pytest.mark.parametrize("lanes", [1, 4, 16])
@pytest.mark.parametrize("rate", [Rate(100, 1), Rate(75, 1), Rate(3_000, 3), Rate(300, 10)], ids=str)
@pytest.mark.parametrize("base", [0.004, 0.05])
def test_nearly_all_of_a_rate_is_reached_and_nothing_is_refused(rate, lanes, base):
    quick = 1.0 if lanes > 1 else 0.2
    way = Way(random.Random(7), lanes, base=base * quick, jitter=0.006 * quick)  # noqa: S311  (chance, not secrecy)
    pacer = Pacer((rate,), None, way)
    windows = 5
    for _ in range(windows * rate.count + 1):
        way.send(pacer)
    arrivals = sorted(way.arrivals)

    assert refused_by_a_window(arrivals, rate) == 0
    if rate.seconds <= 3:
        assert refused_by_a_bucket(arrivals, rate, holds=rate.count / 4) == 0
    share = windows * rate.seconds / (arrivals[-1] - arrivals[0])
    assert share <= 1
    if lanes / (way.base + 2 * way.jitter) > rate.count / rate.seconds:  # else the lanes are slower than the rate
        assert share >= 0.98


@settings(max_examples=CASES // 4)
@given(
    seed=st.integers(0, 2**32),
    lanes=st.integers(1, 8),
    base=st.sampled_from([0.0, 0.01, 0.2, 3.0]),
    jitter=st.sampled_from([0.0, 0.005, 0.1, 1.0]),
    rate=st.builds(Rate, st.integers(1, 30), st.sampled_from([1, 10])),
)
def test_whatever_is_held_up_no_window_holds_too_many(seed, lanes, base, jitter, rate):
    way = Way(random.Random(seed), lanes, base, jitter=0.0)  # noqa: S311  (as above)
    pacer = Pacer((rate,), None, way)
    for _ in range(4 * lanes + 12):  # the quickest answer is known
        way.send(pacer)
    way.jitter = jitter
    for _ in range(100):
        way.send(pacer)

    assert refused_by_a_window(way.arrivals, rate) == 0


def test_no_more_are_under_way_than_an_account_allows_however_many_lanes_ask():
    pacer, under_way, most, lock = Pacer((), None, SystemClock(), most=2), [], [], threading.Lock()

    def lane():
        for _ in range(20):
            leave = pacer.turn(1, Stop(), math.inf)
            with lock:
                under_way.append(leave)
                most.append(len(under_way))
            with lock:
                under_way.remove(leave)
            pacer.over(leave, OK)

    lanes = [threading.Thread(target=lane) for _ in range(6)]
    for each in lanes:
        each.start()
    for each in lanes:
        each.join(30)

    assert len(most) == 120
    assert max(most) <= 2


def test_a_leave_that_nobody_gave_back_is_not_in_use_for_ever():
    clock = FakeClock()
    pacer = Pacer((Rate(1, 1),), None, clock)
    assert pacer.turn(1, Stop(), math.inf)

    assert leave(pacer, clock, [1])[0][0] == pytest.approx(LOST + 1, abs=0.1)
