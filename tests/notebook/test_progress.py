"""What takes long shows a number while it does, and leaves the right one behind."""

import contextlib
import threading

import pytest

from personas_kit import display
from personas_kit.activation.course import Progress
from personas_kit.notebook import progress
from tests.notebooks.sanitizer import problems


@pytest.fixture
def shown(monkeypatch):
    """What a cell shows, one after the other; in a kernel that somebody watches."""
    seen = []

    class Handle:
        def update(self, data, *, raw):
            assert raw
            seen.append(data)

    def handle(first):
        seen.append(first)
        return Handle()

    monkeypatch.setattr(progress, "kernel", object)
    monkeypatch.setattr(progress, "_handle", handle)
    monkeypatch.setattr(progress, "watched", lambda: True)
    monkeypatch.setattr(progress, "SECONDS", 0.01)
    monkeypatch.setattr(display, "_working", [progress.notebook_working])
    monkeypatch.setattr(display, "_progress", [progress.notebook_progress])
    return seen


def until(found, seen):
    """Wait until something of that kind was shown."""
    waiting = threading.Event()
    for _ in range(3_000):
        if any(map(found, words(seen))):
            return
        waiting.wait(0.01)
    raise AssertionError(words(seen))


def words(seen):
    return [data["text/plain"] for data in [*seen]]


def test_a_push_shows_how_far_it_is_and_leaves_the_last_number(shown):
    with display.progress_of(1_130) as tell:
        tell(Progress(400, 1_130, "analytics identify"))
        until(lambda said: said.startswith("400 of 1,130 changes (35%), analytics identify, "), shown)
        tell(Progress(1_130, 1_130, "analytics track"))

    assert words(shown)[-1] == "1,130 of 1,130 changes (100%)"
    assert [problem for data in shown for problem in problems(data["text/html"])] == []
    assert all(data["text/plain"] in data["text/html"] for data in shown)


def test_a_push_that_breaks_off_says_where_and_all_but_one_is_not_all(shown):
    with contextlib.suppress(ConnectionError), display.progress_of(1_000) as tell:
        tell(Progress(999, 1_000, "analytics identify"))
        raise ConnectionError

    assert words(shown)[-1] == "999 of 1,000 changes (99%), when it stopped"


def test_of_several_pushes_each_says_which_it_was(shown):
    with display.working("run"):
        for name in ("vips -> ads", "vips -> analytics"):
            with display.working(name), display.progress_of(3) as tell:
                tell(Progress(3, 3, "a call"))

    assert "3 of 3 changes (100%), vips -> ads" in words(shown)
    assert "3 of 3 changes (100%), vips -> analytics" in words(shown)


def test_where_nothing_is_sent_nothing_is_shown(shown):
    with display.progress_of(0) as tell:
        tell(Progress(0, 0, ""))

    assert shown == []


def test_what_takes_long_says_what_it_does_and_for_how_long_and_then_how_long_it_took(shown, monkeypatch):
    monkeypatch.setattr(progress, "LONG", 0)
    with display.working("plan"), display.working("reading members"):
        until(lambda said: said.startswith("plan: reading members, ") and said.endswith(" s"), shown)
        with display.waiting_for("snowflake · prod") as tell:
            tell(3.0, lambda: "queued")
            until(lambda said: "snowflake · prod queued, " in said, shown)

    assert words(shown)[-1].startswith("plan: done in ")
    assert [problem for data in shown for problem in problems(data["text/html"])] == []


def test_what_fails_after_long_says_so(shown, monkeypatch):
    monkeypatch.setattr(progress, "LONG", 0)
    with contextlib.suppress(ValueError), display.working("preview"):
        until(lambda said: said.startswith("preview: "), shown)
        raise ValueError

    assert words(shown)[-1].startswith("preview: stopped after ")


def test_what_is_quick_shows_nothing(shown):
    with display.working("members"):
        pass

    assert shown == []


def test_a_push_inside_of_a_run_is_shown_by_its_own_number_only(shown, monkeypatch):
    monkeypatch.setattr(progress, "LONG", 0)
    with display.working("run"):
        until(lambda said: said.startswith("run: "), shown)
        before = len(shown)
        with display.progress_of(10) as tell:
            tell(Progress(5, 10, "ads list"))
            until(lambda said: said.startswith("5 of 10"), shown)
            inside = words(shown)[before:]

    assert len([said for said in inside if said.startswith("run:")]) <= 1  # one may have been under way


def test_a_thread_of_a_widget_shows_nothing_in_a_cell(shown, monkeypatch):
    monkeypatch.setattr(progress, "LONG", 0)

    def beside():
        with display.working("count"), display.progress_of(3) as tell:
            tell(Progress(3, 3, ""))

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()

    assert shown == []


def test_where_nobody_watches_lines_go_to_the_log_and_the_end_is_an_output(shown, monkeypatch, capsys):
    monkeypatch.setattr(progress, "watched", lambda: False)
    monkeypatch.setattr(progress, "LINES", 0.02)
    with display.progress_of(10) as tell:
        tell(Progress(3, 10, "analytics identify"))
        printed = ""
        for _ in range(3_000):
            printed += capsys.readouterr().out
            if printed:
                break
            threading.Event().wait(0.01)
        tell(Progress(10, 10, "analytics identify"))

    assert printed.startswith("3 of 10 changes (30%), analytics identify, ")
    assert words(shown) == ["10 of 10 changes (100%)"]


def test_without_a_kernel_there_is_nothing_to_update(monkeypatch):
    monkeypatch.setattr(display, "_working", [progress.notebook_working])
    monkeypatch.setattr(display, "_progress", [progress.notebook_progress])
    with display.working("members"), display.progress_of(5) as tell:
        tell(Progress(5, 5, ""))
