"""When a sync is due: at an interval, the smallest multiple that satisfies the destination; by a cron, on its ticks."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.activation.cadence import NO_SCHEDULE, Cadence, Cron, effective_interval, longest_gap
from personas_kit.activation.watching import patience_of, time_guards

MINUTE, HOUR = 60, 3_600
DAY = 24 * HOUR
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
WEEKDAYS = Cadence(cron=Cron("0 6 * * 1-5"))
SIX_HOURS = Cadence(cron=Cron("0 */6 * * *"))


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def is_due(cadence, last, minimum, at):
    """Whether a run at an instant pushes, after a push that was for another one."""
    due = cadence.due(utc(last), minimum)
    return not time_guards(as_of=utc(at), last_as_of=utc(last), due=due, early=cadence.early)


# --- at an interval ---------------------------------------------------------------------------------------------------


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
    assert interval < minimum + every or interval == every


@pytest.mark.parametrize("cadence", [NO_SCHEDULE, Cadence(HOUR), WEEKDAYS])
def test_a_first_push_is_due_at_once(cadence):
    assert cadence.due(None, 6 * HOUR) is None


def test_it_counts_from_the_tick_and_not_from_the_end_of_the_push():
    assert Cadence(HOUR).due(NOON, 6 * HOUR) == NOON + dt.timedelta(hours=6)


def test_without_a_schedule_only_the_destination_says_how_often():
    assert NO_SCHEDULE.due(NOON, 6 * HOUR) == NOON + dt.timedelta(hours=6)
    assert NO_SCHEDULE.due(NOON, 0) == NOON


def test_another_interval_counts_from_the_last_push_at_once():
    last = NOON - dt.timedelta(hours=3)

    assert Cadence(DAY).due(last, HOUR) > NOON
    assert Cadence(2 * HOUR).due(last, HOUR) < NOON


@pytest.mark.parametrize(
    ("every", "seconds_early", "waits"),
    [
        (HOUR, 0, False), (HOUR, 2, False), (HOUR, 300, False), (HOUR, 301, True), (HOUR, HOUR, True),
        (60, 30, False), (60, 31, True),
        (0, 1, True),  # by hand there is no tick that could be early
    ],
)  # fmt: skip
def test_a_tick_may_be_a_little_early_and_the_tick_before_is_not(every, seconds_early, waits):
    cadence = Cadence(every)
    due = cadence.due(NOON, 6 * HOUR)
    at = due - dt.timedelta(seconds=seconds_early)

    assert bool(time_guards(as_of=at, last_as_of=NOON, due=due, early=cadence.early)) is waits


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 100))
def test_no_tick_before_the_due_one_counts_as_it(every, minimum, before):
    cadence = Cadence(every)
    ticks = effective_interval(every, minimum) // every
    earlier = NOON + dt.timedelta(seconds=every * max(ticks - 1 - before, 0))

    assert earlier + cadence.early < cadence.due(NOON, minimum)


# --- by a cron --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "at", "due"),
    [
        ("2026-11-25 06:00", "2026-11-25 06:00:40", False),  # Wednesday
        ("2026-11-25 06:00", "2026-11-26 05:59", False),
        ("2026-11-25 06:00", "2026-11-26 06:00", True),
        ("2026-11-27 06:00", "2026-11-28 06:00", False),  # Friday, and the weekend comes
        ("2026-11-27 06:00", "2026-11-29 23:00", False),
        ("2026-11-27 06:00", "2026-11-30 06:00", True),
        ("2026-11-28 15:30", "2026-11-30 06:00", True),  # by hand, on Saturday
    ],
)
def test_weekdays_at_six(last, at, due):
    assert is_due(WEEKDAYS, last, HOUR, at) is due


@pytest.mark.parametrize(
    ("last", "at", "due"),
    [
        ("2026-11-25 06:03", "2026-11-26 06:01", True),  # the ticks are a day apart, the runs two minutes less
        ("2026-11-25 06:59", "2026-11-26 06:00", True),  # runs come within the hour after
        ("2026-11-25 05:59:40", "2026-11-26 05:59:35", True),  # seconds early
        ("2026-11-25 06:00", "2026-11-26 05:58", False),  # the data may not be there yet
    ],
)
def test_the_minimum_counts_between_ticks_and_not_between_runs(last, at, due):
    assert is_due(WEEKDAYS, last, DAY, at) is due


def test_a_tick_within_the_minimum_is_left_out():
    every_four_hours = Cadence(cron=Cron("0 */4 * * *"))

    ticks = [f"2026-11-25 {hour:02}:00" for hour in range(1, 9)]
    assert [is_due(every_four_hours, "2026-11-25 00:00", 6 * HOUR, at) for at in ticks] == [False] * 7 + [True]


def test_irregular_ticks_are_each_held_against_the_minimum():
    cadence = Cadence(cron=Cron("0 6,8,18 * * *"))

    assert cadence.due(utc("2026-11-25 06:00"), 6 * HOUR) == utc("2026-11-25 18:00")
    assert cadence.due(utc("2026-11-25 18:00"), 6 * HOUR) == utc("2026-11-26 06:00")
    assert cadence.due(utc("2026-11-25 06:00"), 0) == utc("2026-11-25 08:00")


def test_missed_ticks_are_caught_up_once_and_then_the_minimum_counts_from_there():
    caught_up = "2026-11-25 11:30"  # the tick of six o'clock was missed, and the one before it

    assert is_due(SIX_HOURS, "2026-11-24 18:00", 6 * HOUR, caught_up)
    assert SIX_HOURS.due(utc(caught_up), 6 * HOUR) == utc("2026-11-25 18:00")
    assert SIX_HOURS.due(utc(caught_up), 0) == utc("2026-11-25 12:00")


@given(st.integers(0, 365 * DAY), st.integers(0, 3 * DAY))
def test_what_is_due_is_a_tick_after_the_last_push_and_never_much_sooner_than_the_minimum(seconds, minimum):
    last = NOON + dt.timedelta(seconds=seconds)
    due = WEEKDAYS.due(last, minimum)

    assert (due.hour, due.minute, due.weekday() < 5) == (6, 0, True)
    assert due > last
    assert due - last > dt.timedelta(seconds=minimum) - dt.timedelta(hours=1)
    assert due <= last + dt.timedelta(seconds=minimum) + dt.timedelta(days=3)


def test_a_cron_may_mean_the_clock_of_a_place():
    berlin = Cadence(cron=Cron("0 6 * * *", "Europe/Berlin"))

    assert berlin.due(utc("2026-10-23 04:00"), DAY) == utc("2026-10-24 04:00")  # summer
    assert berlin.due(utc("2026-10-24 04:00"), DAY) == utc("2026-10-25 05:00")  # the night of 25 hours
    assert berlin.due(utc("2026-03-28 05:00"), 0) == utc("2026-03-29 04:00")  # the night of 23


def test_a_night_of_23_hours_does_not_cost_a_day_where_the_destination_wants_24():
    berlin = Cadence(cron=Cron("0 6 * * *", "Europe/Berlin"))

    assert berlin.due(utc("2026-03-28 05:00"), 23 * HOUR) == utc("2026-03-29 04:00")
    assert berlin.due(utc("2026-03-28 05:00"), DAY) == utc("2026-03-30 04:00")  # 23 hours are less than 24


def test_an_hour_that_comes_twice_is_one_tick_and_one_that_does_not_come_is_one_too():
    berlin = Cron("30 2 * * *", "Europe/Berlin")

    autumn, spring = berlin.after(utc("2026-10-24 12:00")), berlin.after(utc("2026-03-28 12:00"))
    assert [next(autumn), next(autumn)] == [utc("2026-10-25 00:30"), utc("2026-10-26 01:30")]
    assert [next(spring), next(spring)] == [utc("2026-03-29 01:00"), utc("2026-03-30 00:30")]
    within = berlin.after(utc("2026-10-25 01:10"))  # between the two half past twos
    assert next(within) == utc("2026-10-26 01:30")


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("0 6 * * *", 24), ("0 6 * * 1-5", 72), ("*/5 * * * *", 1 / 12), ("*/10 8-17 * * 1-5", 62 + 1 / 6),
        ("0 6 1 * *", 31 * 24), ("0 0 1 1 *", 365 * 24),
        ("*/30 6-7 29 2 *", 4 * 365 * 24 + 22 + 1 / 2),
    ],
)  # fmt: skip
def test_the_longest_gap_says_when_a_source_is_stale(text, hours):
    assert longest_gap(Cron(text)) == hours * HOUR
    assert patience_of(Cadence(cron=Cron(text))) == dt.timedelta(hours=2 * hours)


@pytest.mark.parametrize(
    ("cadence", "minimum", "words"),
    [
        (NO_SCHEDULE, 0, ""),
        (NO_SCHEDULE, 6 * HOUR, "every 6 h"),
        (Cadence(4 * HOUR), 6 * HOUR, "every 8 h"),
        (WEEKDAYS, 0, "at 06:00 on Monday through Friday, UTC"),
        (
            Cadence(cron=Cron("0 6 * * *", "Europe/Berlin")),
            DAY,
            "at 06:00 every day, Europe/Berlin, at most every 1 d",
        ),
    ],
)
def test_it_is_said_in_words(cadence, minimum, words):
    assert cadence.words(minimum) == words


@pytest.mark.parametrize(
    ("text", "timezone", "said"),
    [
        ("0 25 * * *", "UTC", "its hour is '25'"),
        ("61 * * * *", "UTC", "its minute is '61'"),
        ("0 6 * * 1-9", "UTC", "its day-of-week is '1-9'"),
        ("0 6 * * mo", "UTC", "its day-of-week is 'mo'"),
        ("0 6 31 2 *", "UTC", "its day-of-month is '31'"),
        ("0 6 */31 2 1#5", "UTC", "never comes"),
        ("0 6 * *", "UTC", "has 4 fields and a cron has five: minute, hour, day-of-month, month, day-of-week"),
        ("0 0 6 * * 1-5", "UTC", "has 6 fields"),
        ("@daily", "UTC", "has 1 fields"),
        ("", "UTC", "has 0 fields"),
        ("0 6 * * *", "Europe/Berln", "there is no timezone 'Europe/Berln' here: did you mean 'Europe/Berlin'?"),
        ("0 6 * * *", "../etc/passwd", "there is no timezone"),
        ("0 6 * * *", "Europe", "there is no timezone"),
        ("0 6 * * *", "", "there is no timezone"),
        ("0 6 * * *", "\0", "there is no timezone"),
    ],
)
def test_what_is_wrong_is_said(text, timezone, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        Cron(text, timezone)


@given(st.lists(st.text("0123456789*/,-#LWMONJAN ", max_size=6), min_size=4, max_size=6).map(" ".join))
def test_any_text_is_a_cron_or_an_error(text):
    try:
        cron = Cron(text)
    except ValueError:
        return
    assert cron.words
    assert longest_gap(cron) > 0
