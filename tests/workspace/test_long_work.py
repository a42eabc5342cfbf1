"""Everything of a workspace that may take more than a second is work that is shown."""

import contextlib

import pytest

import personas_kit as pk
from personas_kit import display

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


def test_a_preview_says_what_it_knows_while_it_finds_out_the_rest(demo, monkeypatch):
    demo.preview(KEY)  # the first one chooses a trait to break members down by, and asks for more
    said, ask = [], demo.warehouse.query

    def query(statement, params, *, tag=""):
        said.append(display.stage())
        return ask(statement, params, tag=tag)

    monkeypatch.setattr(demo.warehouse, "query", query)
    demo.preview(KEY)

    size = f"{KEY}: 1,143 of 7,955 users"
    everybody, members, lint, sample, past = said
    assert (everybody, members, lint) == ("", "", size)
    assert sample == past
    assert sample.startswith(f"{size}, +1,143 -0 at analytics (identify, first push)")
