"""The push bar, from the kernel's side: what the browser says goes in, what it would draw comes out. HTTP is real."""

import contextlib
import json

import pytest

import personas_kit.notebook
from personas_kit import event
from personas_kit.company import open_demo
from personas_kit.notebook import push_tool
from tests.notebooks.sanitizer import problems

pytest.importorskip("anywidget")
from personas_kit.notebook.widgets.push_bar import PushBar

BUYERS = "order_completed_last_30days"


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """The generated warehouse, once."""
    folder = tmp_path_factory.mktemp("company")
    open_demo(folder).close()
    return folder


@pytest.fixture
def demo(company, tmp_path):
    """A workspace of its own: nothing was pushed."""
    (tmp_path / "warehouse.duckdb").symlink_to(company / "warehouse.duckdb")
    with contextlib.closing(open_demo(tmp_path)) as opened:
        yield opened


class Output:
    """An output of a cell that can be updated."""

    def __init__(self):
        self.saved = []

    def update(self, data, *, raw):
        self.saved.append((data, raw))


def say(bar, do, **rest):
    """What the browser would send; done when the kernel is through with it."""
    pushing = bar.pushing
    bar._heard(bar, {"do": do, **rest}, [])
    pushing.join()
    return bar.shown


def pushed(bar, **rest):
    say(bar, "ask")
    return say(bar, "push", typed=bar.shown["key"], **rest)


def test_a_plan_is_pushed_once_its_name_is_typed(demo):
    bar = PushBar(demo.plan(BUYERS))
    output = bar._handle = Output()
    assert (bar.shown["step"], bar.shown["left"]) == ("idle", 3_401)

    assert say(bar, "ask")["step"] == "confirm"
    shown = say(bar, "push", typed=" Order Completed last 30days ")

    assert (shown["step"], shown["complete"], shown["goes_on"], shown["left"]) == ("done", True, False, 0)
    assert [(call["done"], call["total"]) for call in shown["calls"]] == [
        (1_143, 1_143),
        (1_143, 1_143),
        (1_115, 1_115),
    ]
    assert "3,401 acknowledged" in shown["said"]
    assert len(demo.sandbox.users()) == 1_143
    data, raw = output.saved[-1]
    assert raw
    assert "3,401 acknowledged" in data["text/plain"]
    assert ">3,401<" in data["text/html"]
    assert problems(data["text/html"]) == []


@pytest.mark.parametrize("typed", ["", "order_completed", "ORDER_COMPLETED_LAST_30DAYS", None, 7, ["x"]])
def test_nothing_is_sent_for_another_name(demo, typed):
    bar = PushBar(demo.plan(BUYERS))
    say(bar, "ask")

    shown = say(bar, "push", typed=typed)

    assert shown["step"] == "confirm"
    assert "is not the name" in shown["problem"]["what"]
    assert demo.sandbox.requests == []


def test_nothing_is_sent_before_anybody_was_asked(demo):
    bar = PushBar(demo.plan(BUYERS))

    shown = say(bar, "push", typed=BUYERS)

    assert "waits for no approval" in shown["problem"]["what"]
    assert say(bar, "cancel")["step"] == "idle"
    assert demo.sandbox.requests == []


@pytest.mark.parametrize("do", ["_follow", "show", "display", "card", "nothing", "", None])
def test_the_browser_can_call_nothing_else(demo, do):
    bar = PushBar(demo.plan(BUYERS))
    before = bar.shown

    say(bar, do)

    assert bar.shown == before


def test_a_dry_run_counts_and_sends_nothing(demo):
    bar = PushBar(demo.plan(BUYERS))

    shown = say(bar, "dry_run")

    assert shown["step"] == "idle"
    assert shown["dry"].count("request") == 3
    assert demo.sandbox.requests == []
    assert demo.history().height == 0


@pytest.fixture
def edited(demo):
    """A plan that two guards stop: the definition was edited since, and most would leave."""
    demo.plan(BUYERS).push()
    demo.clock.move(days=1)
    narrow = personas_kit.Audience("Order Completed last 30days", event("Order Completed").within(days=7).count() >= 1)
    return demo.plan(narrow)


def test_every_guard_has_to_be_ticked_by_its_name(demo, edited):
    bar, before = PushBar(edited), len(demo.sandbox.requests)
    assert [guard["name"] for guard in bar.shown["guards"]] == ["removals", "definition_edited"]

    shown = pushed(bar, override=["removals", "rejects"])
    assert "definition_edited would have to be overridden" in shown["problem"]["what"]
    assert len(demo.sandbox.requests) == before

    shown = say(bar, "push", typed=BUYERS, override=["removals", "definition_edited"], why="spring cleaning")
    assert (shown["step"], shown["complete"]) == ("done", True)
    assert "spring cleaning" in json.dumps(demo.history()["overrides"].to_list(), default=str)


def test_what_cannot_be_overridden_cannot_be_pushed(demo):
    demo.plan(BUYERS).push()
    for place in ("analytics", "meta"):
        demo.pause(BUYERS, to=place)
    demo.clock.move(days=1)
    bar, before = PushBar(demo.plan(BUYERS)), len(demo.sandbox.requests)

    shown = pushed(bar, override=["paused"])

    assert shown["guards"][0]["final"]
    assert "paused cannot be overridden" in shown["problem"]["what"]
    assert len(demo.sandbox.requests) == before


def test_what_was_refused_is_planned_again_and_pushed_once_it_is_approved(demo):
    bar = PushBar(demo.plan(BUYERS))
    output = bar._handle = Output()
    demo.sandbox.fail(*[400] * 11)  # so often is a request halved until one change is alone
    shown = pushed(bar)
    assert (shown["complete"], shown["goes_on"]) == (False, False)
    assert "1 rejected" in shown["said"]
    for words in ("1 rejected: ", "1 rejected, due again"):
        assert words in output.saved[-1][0]["text/html"]
    before = len(demo.sandbox.requests)

    shown = say(bar, "plan_again")
    assert (shown["step"], shown["left"], shown["said"]) == ("idle", 1, "")
    assert ">3,400<" in bar.card()
    assert len(demo.sandbox.requests) == before

    shown = pushed(bar, override=["interval"])
    assert shown["complete"]
    assert ">3,400<" in output.saved[-1][0]["text/html"]
    assert ">1<" in output.saved[-1][0]["text/html"]
    assert len(demo.sandbox.users()) == 1_143


def test_a_push_that_was_stopped_goes_on_where_it_was(demo):
    bar, pressed = PushBar(demo.plan(BUYERS)), []

    def press(change):
        if change["new"]["step"] == "running" and change["new"]["calls"][0]["done"] and not pressed:
            pressed.append(change["new"]["stopping"])
            bar._heard(bar, {"do": "stop"}, [])

    bar.observe(press, "shown")
    shown = pushed(bar)
    assert pressed == [False]
    assert (shown["step"], shown["goes_on"], shown["complete"]) == ("done", True, False)
    assert "interrupted" in shown["said"]
    assert shown["left"] == 3_401 - len(demo.sandbox.users())

    shown = pushed(bar)
    assert (shown["goes_on"], shown["complete"], shown["left"]) == (False, True, 0)
    assert not demo.sandbox.duplicates


def test_a_push_that_stopped_because_too_much_was_refused_goes_on_once_that_is_overridden(demo):
    bar = PushBar(demo.plan(BUYERS, to="analytics"))
    demo.sandbox.fail(*[400] * (2 * 1_143 - 1))  # every change of the first call, and every request that it is in
    shown = pushed(bar)
    assert (shown["goes_on"], shown["left"]) == (True, 1_143)
    assert [guard["name"] for guard in shown["guards"]] == ["rejects"]

    shown = pushed(bar)
    assert "rejects would have to be overridden" in shown["problem"]["what"]
    shown = say(bar, "push", typed=BUYERS, override=["rejects"])

    assert (shown["goes_on"], shown["left"], shown["complete"]) == (False, 0, False)
    assert "1,143 acknowledged, 1,143 rejected" in shown["said"]


def test_a_plan_that_was_pushed_elsewhere_shows_what_became_of_it(demo):
    plan = demo.plan(BUYERS)
    bar, plain = PushBar(plan), plan._repr_html_()
    plan.push()

    shown = say(bar, "ask")

    assert (shown["step"], shown["complete"]) == ("done", True)
    assert "Nothing has been sent" in plain
    assert "It was pushed" in plan._repr_html_()
    assert PushBar(plan).shown["step"] == "done"


def test_two_bars_of_a_plan_show_the_same(demo):
    plan = demo.plan(BUYERS)
    one, two = PushBar(plan), PushBar(plan)

    pushed(one)

    assert (two.shown["step"], two.shown["said"]) == ("done", one.shown["said"])
    assert two.pushing is one.pushing


def test_a_stale_plan_is_said_in_words_and_planned_again(demo):
    old, new = PushBar(demo.plan(BUYERS)), demo.plan(BUYERS)
    new.push()
    before = len(demo.sandbox.requests)

    shown = pushed(old)
    assert shown["step"] == "idle"
    assert "since this plan was made" in shown["problem"]["what"]
    assert len(demo.sandbox.requests) == before

    shown = say(old, "plan_again")
    assert (shown["step"], shown["left"], shown["problem"]) == ("idle", 0, None)


def test_a_sync_that_somebody_else_pushes_is_said_in_words(demo):
    plan = demo.plan(BUYERS)
    bar = PushBar(plan)
    with demo.store.lock(plan.syncs[1].sync):
        shown = pushed(bar)

    assert shown["step"] == "idle"
    assert shown["problem"]["what"]
    assert demo.sandbox.requests == []
    assert pushed(bar)["complete"]


def test_what_is_saved_is_masked(demo):
    bar = PushBar(demo.plan(BUYERS, to="analytics", ids={"email": "email"}))
    pushed(bar)

    assert "@example" not in json.dumps(bar.shown)
    assert "example.com" not in json.dumps(bar.shown)


def test_a_plan_without_a_workspace_says_so(demo):
    plan = demo.remove(BUYERS)
    assert plan is None
    demo.plan("revenue_90d").push()
    bar = PushBar(demo.remove("revenue_90d"))

    shown = say(bar, "plan_again")

    assert "not asked for by ws.plan" in shown["problem"]["what"]


def test_nobody_is_shown_a_bar_who_could_not_click(demo, monkeypatch):
    monkeypatch.setenv("PERSONAS_WIDGETS", "0")
    plan = demo.plan(BUYERS)

    assert push_tool.show_push_bar(plan) is False
    with pytest.raises(NotImplementedError):  # which lets IPython ask for the bundle
        plan._ipython_display_()


def test_in_a_live_notebook_the_plan_is_shown_with_its_bar(demo, monkeypatch):
    display = pytest.importorskip("IPython.display")
    monkeypatch.setenv("PERSONAS_WIDGETS", "1")
    shown, output = [], Output()
    monkeypatch.setattr(display, "display", lambda data, **how: shown.append((data, how)) or output)

    assert demo.plan(BUYERS)._ipython_display_() is None

    (card, how), (bar, _) = shown
    assert how == {"raw": True, "display_id": True}
    assert set(card) == {"text/plain", "text/html"}
    assert set(bar) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
