"""Runs come often enough for every sync, and no more often than a cron has to say."""

import datetime as dt

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.activation.cadence import Cadence, Cron, zone_of
from personas_kit.schedulers.job import Need
from personas_kit.schedulers.ticks import deciding, ticks_of, uneven

MINUTE, HOUR, DAY = 60, 3_600, 86_400
NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def every(seconds, minimum=0, key="a"):
    return Need(key, "there", Cadence(seconds), minimum)


def at(text, zone="UTC", key="c"):
    return Need(key, "there", Cadence(cron=Cron(text, zone)))


@pytest.mark.parametrize(
    ("needs", "cron"),
    [
        ([every(15 * MINUTE)], "*/15 * * * *"),
        ([every(HOUR)], "0 * * * *"),
        ([every(6 * HOUR)], "0 */6 * * *"),
        ([every(DAY)], "0 0 * * *"),
        ([every(7 * DAY)], "0 0 * * *"),
        ([every(36 * HOUR)], "0 */12 * * *"),
        ([every(4 * HOUR), every(6 * HOUR)], "0 */2 * * *"),  # each counts from its own last push
        ([every(45 * MINUTE)], "*/15 * * * *"),  # three runs later it is due
        ([every(50 * MINUTE)], "*/10 * * * *"),
        ([every(7 * MINUTE)], "* * * * *"),
        ([every(90)], "* * * * *"),
        ([every(30)], "* * * * *"),
        ([every(HOUR, minimum=6 * HOUR)], "0 */6 * * *"),  # its destination takes it no more often
        ([every(4 * HOUR, minimum=6 * HOUR)], "0 */8 * * *"),
        ([every(0)], "0 * * * *"),  # nothing says how often
        ([every(0), every(DAY)], "0 0 * * *"),
        ([at("30 6 * * 1-5")], "30 6 * * *"),
        ([at("30 6 * * *"), every(HOUR)], "*/30 * * * *"),
        ([at("0 6 * * *", "Europe/Berlin")], "0 4,5 * * *"),  # summer, winter
        ([at("15 9 * * *", "Asia/Kathmandu")], "30 3 * * *"),
        ([at("0 0 1 1 *"), at("20 12 * * *")], "0,20 */12 * * *"),
    ],
)
def test_the_times_of_a_schedule(needs, cron):
    assert ticks_of(needs).cron == cron


def test_times_are_those_of_the_zone_that_the_scheduler_has():
    noon_in_berlin = at("0 12 * * *", "Europe/Berlin")

    assert ticks_of([noon_in_berlin], "Europe/Berlin").cron == "0 12 * * *"
    assert ticks_of([noon_in_berlin], "America/New_York").cron == "0 6,7 * * *"  # clocks change on other days


def test_a_scheduler_that_is_slow_gets_times_far_enough_apart():
    assert ticks_of([every(MINUTE)], apart=5).cron == "*/5 * * * *"
    assert ticks_of([at("2,3 6 * * *")], apart=5).cron == "5 6 * * *"
    assert ticks_of([at("58,59 6 * * *")], apart=5).cron == "0 7 * * *"
    assert ticks_of([at("2 6 * * *")], apart=5).cron == "2 6 * * *"


def test_all_runs_can_be_put_off():
    assert ticks_of([every(HOUR)], later=7).cron == "7 * * * *"
    assert ticks_of([at("55 23 * * *")], later=7).cron == "2 0 * * *"


def test_the_one_that_needs_it_so_often_is_named():
    often, seldom, other = every(15 * MINUTE, key="often"), every(HOUR, key="seldom"), every(20 * MINUTE)

    assert deciding([often, seldom], ticks_of([often, seldom])) == [often]
    assert deciding([often, other], ticks_of([often, other])) == []  # every 5 minutes, and nobody wants that alone


@pytest.mark.parametrize(
    ("need", "off"), [(every(90), True), (every(30), True), (every(7 * MINUTE), False), (every(36 * HOUR), False)]
)
def test_what_no_run_meets_exactly_is_known(need, off):
    assert uneven(need, ticks_of([need])) is off


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (30, "every 30 s"),
        (90, "every 90 s"),
        (60, "every 1 min"),
        (5_400, "every 90 min"),
        (21_600, "every 6 h"),
        (129_600, "every 1 d 12 h"),
    ],
)
def test_how_often_is_said_in_the_unit_that_it_has(seconds, said):
    assert every(seconds).words == said


def test_where_the_scheduler_is_too_slow_that_is_known_too():
    need = every(MINUTE)

    assert uneven(need, ticks_of([need], apart=5))


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
CRONS = st.builds(
    lambda minute, hour, days: f"{minute} {hour} * * {days}",
    st.one_of(st.integers(0, 59).map(str), st.sampled_from(["*/20", "5,35", "10-12"])),
    st.one_of(st.integers(4, 22).map(str), st.sampled_from(["*", "*/6", "8-10"])),
    st.sampled_from(["*", "1-5", "SUN"]),
)


@given(text=CRONS, own=ZONES, other=ZONES, start=st.integers(0, 500))
def test_at_every_tick_of_a_cron_there_is_a_run(text, own, other, start):
    """Hours at which no clock is put forward: one that is skipped has its tick a little earlier."""
    cron = Cron(text, own)
    runs = ticks_of([at(text, own)], other)
    tick = next(cron.after(NEW_YEAR + dt.timedelta(days=start)))
    local = tick.astimezone(zone_of(other))

    assert local.minute in runs.minutes
    assert local.hour in runs.hours


@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=4))
def test_every_interval_of_whole_minutes_is_a_multiple_of_the_time_between_runs(minutes):
    runs = ticks_of([every(each * MINUTE) for each in minutes])
    following = CronSim(runs.cron, NEW_YEAR)
    first, second = next(following), next(following)

    assert [each for each in minutes if dt.timedelta(minutes=each) % (second - first)] == []
