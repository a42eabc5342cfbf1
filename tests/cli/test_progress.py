"""What takes long in a terminal, and where standard error is a file."""

import io
import threading

import pytest
from rich.console import Console

from personas_kit import display
from personas_kit.activation.course import Progress
from personas_kit.cli import terminal


@pytest.fixture
def written(monkeypatch):
    """What is written for people; ``terminal`` says whether there is one."""
    text = io.StringIO()

    def opened(*, is_terminal):
        monkeypatch.setattr(terminal, "people", Console(file=text, force_terminal=is_terminal, width=120))
        return text

    monkeypatch.setattr(display, "_working", [terminal.working])
    monkeypatch.setattr(display, "_progress", [terminal.progress_bar])
    monkeypatch.setattr(terminal, "SECONDS", 0.01)
    monkeypatch.setattr(terminal, "LONG", 0)
    return opened


def until(text, said):
    for _ in range(3_000):
        if said in text.getvalue():
            return
        threading.Event().wait(0.01)
    raise AssertionError(text.getvalue())


def test_the_bar_of_a_push_has_the_place_of_the_run_around_it(written):
    text = written(is_terminal=True)
    with display.working("run [1]"):
        until(text, "run [1]: 0 s")
        with display.progress_of(1_130) as tell:
            tell(Progress(400, 1_130, "ads [list]"))
            until(text, "400 of 1,130 changes")
            tell(Progress(1_130, 1_130, "ads [list]"))
        before = len(text.getvalue())
        for _ in range(3_000):
            if "run [1]" in text.getvalue()[before:]:
                break
            threading.Event().wait(0.01)

    assert "ads [list]" in text.getvalue()
    assert "100%" in text.getvalue()
    assert "1,130 of 1,130 changes" in text.getvalue()
    assert "run [1]" in text.getvalue()[before:]


def test_without_a_terminal_there_are_lines_now_and_then(written, monkeypatch):
    text = written(is_terminal=False)
    with display.working("members"), display.progress_of(10) as tell:
        tell(Progress(1, 10, "a list"))
    assert text.getvalue() == ""

    monkeypatch.setattr(terminal, "LINES", 0)
    with display.progress_of(10) as tell:
        tell(Progress(3, 10, "a list"))
    monkeypatch.setattr(terminal, "LINES", 0.01)
    with display.working("members"):
        until(text, "members: 0 s")

    assert text.getvalue().startswith("3 of 10 changes (30%): a list\n")
