"""Everything of a workspace that may take more than a second is work that is shown."""

import contextlib
import itertools
import json

import pytest

import personas_kit as pk
from personas_kit import display
from personas_kit.insight import breakdown

KEY = "order_completed_last_30days"
OTHER = pk.Audience("Other", pk.trait("country") == "US")
CALLS = {
    "members": lambda ws, folder: ws.members(KEY),
    "preview": lambda ws, folder: ws.preview(KEY),
    "plan": lambda ws, folder: ws.plan(KEY),
    "backtest": lambda ws, folder: ws.backtest(KEY, "2026-10-30", "2026-11-01"),
    "forecast": lambda ws, folder: ws.forecast_exits(KEY, 2),
    "comparison": lambda ws, folder: ws.compare(KEY, KEY),
    "overlap": lambda ws, folder: ws.overlap([KEY, OTHER]),
    "explanation": lambda ws, folder: ws.explain(KEY, "u_00001"),
    "profile": lambda ws, folder: ws.profile("u_00001"),
    "export": lambda ws, folder: ws.export(KEY, folder / "x.csv"),
    "run": lambda ws, folder: ws.run([KEY], to=["meta"]),
    "evidence": lambda ws, folder: ws.evidence(),
    "worth a look": lambda ws, folder: ws.worth_a_look(),
}


@pytest.mark.parametrize("what", CALLS)
def test_it_is_shown_as_one_piece_of_work(demo, tmp_path, monkeypatch, what):
    shown = []

    @contextlib.contextmanager
    def show(work):
        yield
        shown.append(work)

    monkeypatch.setattr(display, "_working", [show])
    CALLS[what](demo, tmp_path)

    assert [work.what for work in shown] == [what]
    assert shown[0].ended().startswith(f"{what}: done in ")


@pytest.fixture
def asked(demo, monkeypatch):
    """What was being said while the warehouse was asked, and what for."""
    said, ask = [], demo.warehouse.query

    def query(statement, params, *, tag=""):
        said.append((json.loads(tag)["key"], display.stage()))
        return ask(statement, params, tag=tag)

    demo.preview(KEY)  # the first one chooses a trait to break members down by, and asks for more
    monkeypatch.setattr(demo.warehouse, "query", query)
    return said


def test_a_preview_says_what_it_knows_while_it_finds_out_the_rest(demo, asked):
    demo.preview(KEY)

    size = f"{KEY}: 1,143 of 7,955 users"
    everybody, members, lint, sample, past = asked
    assert everybody == ("population", "")
    assert members == (KEY, "")
    assert lint == ("lint", size)
    assert sample == past
    assert sample[1].startswith(f"{size}, +1,143 -0 at analytics (identify, first push)")


def test_of_many_the_size_is_said_before_anything_else_is_asked(demo, asked, monkeypatch):
    monkeypatch.setattr(breakdown, "SOME", 500)
    for known in (demo._previewing.seen, demo._previewing.beside):
        known.clear()
    demo.preview(KEY)

    size, whole = f"{KEY}: 1,143 users", f"{KEY}: 1,143 of 7,955 users"
    glance, members, *later = asked
    assert glance == ("population", "")
    assert members == (KEY, "")
    assert [each for each in later if each[1] == size] == [("population", size), ("active_accounts", size)]
    assert [said.removeprefix(whole) != said for _, said in later[2:]] == [True] * 3


def test_of_many_the_trait_that_is_chosen_first_does_not_make_members_wait(demo, asked, monkeypatch):
    monkeypatch.setattr(breakdown, "SOME", 500)
    demo._previewing.chosen.clear()
    demo.preview([KEY, "revenue_90d"], by=None)

    before = list(itertools.takewhile(lambda each: not each[1], asked))
    assert [key for key, _ in before] == ["population", "population", "2 definitions"]
    assert asked[len(before)] == ("population", f"{KEY}: 1,143 users; revenue_90d: 7,955 users")
