"""How often a sync is pushed: the smallest multiple of the definition's interval that satisfies the destination."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.activation.cadence import due_from, early_enough, effective_interval
from personas_kit.activation.watching import time_guards

HOUR = 3_600
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("every", "minimum", "pushed_every"),
    [
        (1, 6, 6),  # hourly, with a minimum of six hours
        (4, 6, 8),  # every four hours, with a minimum of six hours
        (2, 6, 6), (3, 6, 6), (6, 6, 6), (5, 6, 10), (8, 6, 8), (24, 6, 24),
        (1, 1, 1), (4, 0, 4), (0, 6, 6), (0, 0, 0),
    ],
)  # fmt: skip
def test_the_interval(every, minimum, pushed_every):
    assert effective_interval(every * HOUR, minimum * HOUR) == pushed_every * HOUR


@given(st.integers(1, 10**7), st.integers(0, 10**7))
def test_it_is_the_smallest_multiple_that_is_enough(every, minimum):
    interval = effective_interval(every, minimum)

    assert interval % every == 0
    assert interval >= minimum
    assert interval - every < minimum or interval == every


def test_a_first_push_is_due_at_once():
    assert due_from(None, HOUR, 6 * HOUR) is None


def test_it_counts_from_the_tick_and_not_from_the_end_of_the_push():
    assert due_from(NOON, HOUR, 6 * HOUR) == NOON + dt.timedelta(hours=6)


@pytest.mark.parametrize(
    ("every", "seconds_early", "waits"),
    [
        (HOUR, 0, False), (HOUR, 2, False), (HOUR, 300, False), (HOUR, 301, True), (HOUR, HOUR, True),
        (60, 30, False), (60, 31, True),
        (0, 1, True),  # by hand there is no tick that could be early
    ],
)  # fmt: skip
def test_a_tick_may_be_a_little_early_and_the_tick_before_is_not(every, seconds_early, waits):
    due = due_from(NOON, every, 6 * HOUR)
    at = due - dt.timedelta(seconds=seconds_early)

    assert bool(time_guards(as_of=at, last_as_of=NOON, due=due, early=early_enough(every))) is waits


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 100))
def test_no_tick_before_the_due_one_counts_as_it(every, minimum, before):
    interval = effective_interval(every, minimum)
    ticks = interval // every
    earlier = NOON + dt.timedelta(seconds=every * max(ticks - 1 - before, 0))

    assert earlier + early_enough(every) < due_from(NOON, every, minimum)
