"""Progress is a number: how much is through, how fast lately, how long the rest takes, and by destination."""

from dataclasses import dataclass

import pytest

from personas_kit.activation.course import LATELY, Course, Place, Progress, summed
from personas_kit.activation.sync import Sync
from tests.activation.scripted import FakeClock


@dataclass(frozen=True)
class Part:
    """As much of a sync's plan as a course looks at."""

    sync: Sync
    to_send: int


IDENTIFY = Part(Sync("vips", "analytics", "identify"), 600)
TRACK = Part(Sync("vips", "analytics", "track"), 400)
LIST = Part(Sync("vips", "ads", "list"), 1_000)


@pytest.fixture
def clock():
    return FakeClock()


def test_done_and_total_are_over_all_syncs_and_by_destination(clock):
    course = Course([IDENTIFY, TRACK, LIST], clock)
    course.saw(IDENTIFY, 600)
    course.saw(LIST, 30)
    now = course.saw(TRACK, 100)

    assert (now.done, now.total, now.sync) == (730, 2_000, str(TRACK.sync))
    assert now.places == (Place("analytics", 700, 1_000), Place("ads", 30, 1_000))
    assert now.about == "analytics 700 of 1,000, ads 30 of 1,000"


def test_of_one_destination_it_says_which_call(clock):
    assert Course([IDENTIFY, TRACK], clock).saw(TRACK, 1).about == str(TRACK.sync)


def test_the_pace_is_that_of_the_last_seconds(clock):
    course = Course([LIST], clock)
    for second in range(1, 40):
        clock.time = float(second)
        now = course.saw(LIST, second if second <= 20 else 20 + 10 * (second - 20))

    assert now.rate == pytest.approx(10)
    assert now.left == pytest.approx((1_000 - now.done) / 10)
    assert now.pace == "10/s, 79 s left"


def test_what_went_before_counts_as_done_and_not_as_pace(clock):
    course = Course([IDENTIFY, TRACK], clock)
    clock.time = 100.0
    course.through(IDENTIFY)
    clock.time = 100.0 + LATELY / 2
    now = course.saw(TRACK, 100)

    assert (now.done, now.rate) == (700, pytest.approx(20))


def test_before_anything_is_known_of_the_pace_nothing_is_said_of_it(clock):
    assert Course([LIST], clock).saw(LIST, 0).pace == ""
    assert Progress(10, 10, "x", rate=5.0).pace == "", "nor when nothing is left"


@pytest.mark.parametrize(
    ("done", "rate", "said"),
    [
        (0, 100.0, "100/s, 10 s left"),
        (0, 5.0, "5/s, 3 min left"),
        (0, 0.05, "5.6 h left"),
        (900, 1_234.0, "1,234/s, 0 s left"),
    ],
)
def test_the_time_left_is_in_the_unit_that_reads_best(done, rate, said):
    assert Progress(done, 1_000, "x", rate).pace == said


def test_several_pushes_are_one_progress():
    ended = Progress(10, 10, "a", 5.0, (Place("ads", 10, 10),))
    going = Progress(5, 20, "b", 2.0, (Place("ads", 2, 10), Place("crm", 3, 10)))

    assert summed([ended, going]) == Progress(15, 30, "b", 2.0, (Place("ads", 12, 20), Place("crm", 3, 10)))
