"""How often a sync is pushed: the smallest multiple of the definition's interval that satisfies the destination."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.activation.cadence import due_from, effective_interval

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
