"""Charts: every value is where it belongs, no text of others gets into a picture, and the page keeps all of it."""

import base64
import datetime as dt
import re

import pytest

from personas_kit.notebook import charts, html
from tests.notebook.pictures import areas, bars, paths, pictures
from tests.notebooks.sanitizer import problems
from tests.security.payloads import PAYLOADS

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
AWKWARD = {
    "one": [5],
    "equal": [7, 7, 7],
    "zeros": [0, 0, 0],
    "negative": [-5, -1, -3],
    "both": [-5, 0, 12],
    "huge": [0, 10**15, 10**18],
    "tiny": [0.0001, 0.0003],
    "far from 0": [1_000_001, 1_000_002],
    "no numbers": [float("nan"), float("inf")],
    "a gap": [1, float("nan"), 3],
}


def days(values):
    return [(START + dt.timedelta(days=at), value) for at, value in enumerate(values)]


def test_a_small_line_goes_from_the_smallest_to_the_largest():
    shown = charts.line(days([10, 30, 20]), colour=html.BLUE, words="30 days", width=108, height=48, mark=START)

    ((line, *_), *_) = paths(shown, stroke=html.BLUE)
    assert line == [(4, 44), (54, 4), (104, 24)]
    assert '<circle cx="104" cy="24" r="3"' in pictures(shown)[0]
    assert 'd="M4 0V48"' in pictures(shown)[0]
    assert 'alt="30 days" title="30 days"' in shown


def test_the_place_of_a_point_is_its_time_and_a_mark_outside_is_left_out():
    points = [(START + dt.timedelta(days=3), 2.0), (START, 0.0), (START + dt.timedelta(days=4), 1.0)]
    shown = charts.line(points, colour=html.BLUE, words="", width=108, mark=START - dt.timedelta(days=1))

    ((line, *_), *_) = paths(shown, stroke=html.BLUE)
    assert [x for x, _ in line] == [4, 79, 104]
    assert "dasharray" not in pictures(shown)[0]


def test_an_area_and_its_axis_begin_at_0():
    at = [point for point, _ in days(range(5))]
    shown = charts.chart(at, [charts.Series("members", [80, 100, 90, 110, 140], html.BLUE, "area")], words="sizes")

    assert areas(shown, top=150) == [[80, 100, 90, 110, 140]]
    assert axis(shown) == ["0", "50", "100", "150"]
    assert re.findall(r'title="([^"]+)" style="flex:1"', shown)[1] == "2026-11-02 00:00: members 100"
    dates = ["2026-11-01", "2026-11-03", "2026-11-05"]
    assert re.findall(r">(\d{4}-\d\d-\d\d)<", shown) == dates


@pytest.mark.parametrize(
    ("many", "numbers"),
    [(1, [1]), (2, [1, 2]), (4, [1, 2, 3, 4]), (6, [1, 6]), (7, [1, 3, 5, 7]), (14, [1, 5, 10, 14])],
)
def test_dates_do_not_come_too_near_to_each_other(many, numbers):
    at = [point for point, _ in days(range(many))]
    shown = charts.chart(at, [charts.Series("n", [1] * many, html.BLUE)], words="")

    assert re.findall(r">2026-11-(\d\d)<", shown) == [f"{number:02}" for number in numbers]


def test_a_line_far_from_0_has_an_axis_of_its_own():
    at = [point for point, _ in days(range(3))]
    shown = charts.chart(at, [charts.Series("members", [1000, 1010, 1030], html.BLUE)], words="sizes")

    assert axis(shown) == ["1,000", "1,010", "1,020", "1,030"]


def test_bars_go_up_and_down_from_0():
    at = [point for point, _ in days(range(3))]
    both = [
        charts.Series("entered", [None, 40, 0], html.GREEN, "bars"),
        charts.Series("left", [None, -10, -20], html.RED, "bars"),
    ]
    shown = charts.chart(at, both, words="changes")

    assert axis(shown) == ["\N{MINUS SIGN}20", "0", "20", "40"]
    assert bars(shown, html.GREEN, low=-20, top=40) == [(0, 40)]
    assert bars(shown, html.RED, low=-20, top=40) == [(-10, 0), (-20, 0)]
    assert "</span> entered</span>" in shown
    assert "2026-11-02 00:00: entered 40, left \N{MINUS SIGN}10" in shown


def test_a_histogram_says_its_numbers_also_beside_the_picture():
    shown = charts.histogram([("0", 5), ("1 to 9", 50), ("10 and more", 0)], colour=html.BLUE, words="orders")

    assert bars(shown, html.BLUE, low=0, top=60) == [(0, 5), (0, 50)]
    for words in (">5<", ">50<", ">0<", ">1 to 9<", ">10 and more<"):
        assert words in shown
    many = charts.histogram([(f"{at} or so", at) for at in range(30)], colour=html.BLUE, words="orders")
    assert len(bars(many, html.BLUE, low=0, top=30)) == 29
    assert ">29 or so<" in many


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_values_are_drawn_within_the_picture(name):
    points = days(AWKWARD[name])
    at, values = [point for point, _ in points], AWKWARD[name]
    made = [charts.line(points, colour=html.BLUE, words="w", mark=START)]
    made += [
        charts.chart(at, [charts.Series("n", values, html.BLUE, kind)], words="w") for kind in ("area", "line", "bars")
    ]

    for each in made:
        assert problems(each) == []
        for picture in pictures(each):
            assert not re.search(r"nan|inf|e\+|-\d", picture.replace("stroke-", "").replace("fill-", "")), picture
            side = float(picture.split('viewBox="0 0 ')[1].split()[0])
            found = [float(x) for path in re.findall(r' d="([^"]+)"', picture) for x in re.findall(r"[\d.]+", path)]
            assert all(0 <= x <= side for x in found)


def test_nothing_is_the_words_alone():
    for shown in (
        charts.line([], colour=html.BLUE, words="No <trend>"),
        charts.chart([], [charts.Series("n", [], html.BLUE)], words="No <trend>"),
        charts.histogram([], colour=html.BLUE, words="No <trend>"),
    ):
        assert "<img" not in shown
        assert "No &lt;trend&gt;" in shown
    assert html.share_bars([]) == '<div style="font-size:12px"></div>'


@pytest.mark.parametrize("text", PAYLOADS, ids=range(len(PAYLOADS)))
def test_texts_of_others_stay_text_and_out_of_the_picture(text):
    at = [point for point, _ in days([1, 2])]
    made = [
        charts.line(days([1, 2]), colour=html.BLUE, words=text),
        charts.chart(at, [charts.Series(text, [1, 2], html.BLUE), charts.Series(text, [1, 2], html.RED)], words=text),
        charts.histogram([(text, 1)], colour=html.BLUE, words=text),
        charts.histogram([(text, 1)] * 20, colour=html.BLUE, words=text),
        html.share_bars([(text, 0.5, 1, 0.2)]),
    ]

    for each in made:
        assert problems(each) == []
    pictured = charts.chart(at, [charts.Series("n", [1, 2], html.BLUE), charts.Series("n", [1, 2], html.RED)], words="")
    assert pictures(made[1]) == pictures(pictured)


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 0, [0, 1]),
        (0, 1, [0, 1]),
        (0, 7, [0, 2, 4, 6, 8]),
        (0, 1130, [0, 500, 1000, 1500]),
        (-3, 40, [-20, 0, 20, 40]),
        (5, 5, [0, 2, 4, 6]),
        (-9, -9, [-10, -5, 0]),
    ],
)
def test_the_ticks_are_round_and_hold_all_values(low, high, marks):
    assert charts.ticks(low, high, whole=True) == marks


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (1200, "1,200"),
        (12_000, "12k"),
        (1.5e6, "1.5M"),
        (-2e9, "\N{MINUS SIGN}2B"),
        (0.25, "0.25"),
        (1e18, "1,000,000T"),
    ],
)
def test_the_numbers_of_an_axis_are_short(value, said):
    assert charts.short(value) == said


def test_shares_are_bars_with_a_tick_at_the_usual_share():
    shown = html.share_bars([("DE", 0.4, 4967, 0.3), ("GB", 0.034, 422, None), ("none", 0.0, 0, 0.0)])

    assert re.findall(r'"width:([\d.]+)%', shown) == ["28", "40", "28", "3.4", "28", "0"]
    assert re.findall(r"left:([\d.]+)%", shown) == ["30", "0"]
    for words in (">40%<", ">4,967<", ">3.4%<", ">0%<", 'title="40.0%; of everybody 30.0%"'):
        assert words in shown
    assert problems(shown) == []
    full = html.share_bars([("DE", 0.4, 4967, 0.3)], whole=0.4)
    assert "width:100%" in full
    assert "left:75%" in full


def test_shares_of_people_are_masked():
    assert "jane" not in html.share_bars([("jane@example.com", 0.5, 1, None)])


def axis(shown):
    return re.findall(r"line-height:16px;[^>]*>([^<]+)<", shown)


def test_a_picture_is_data_in_the_page():
    shown = charts.line(days([1, 2]), colour=html.BLUE, words="w")

    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown)
    assert base64.b64decode(data).startswith(b'<svg xmlns="http://www.w3.org/2000/svg"')
