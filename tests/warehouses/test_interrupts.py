"""A query that takes long says so, with a number; one that takes too long is stopped; Ctrl-C stops any."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from rich.console import Console

from personas_kit import display
from personas_kit.cli import terminal
from personas_kit.warehouses import interrupts
from personas_kit.warehouses.interrupts import NobodyWaitsError, Watch, interruptible, watched


@pytest.fixture(autouse=True)
def no_display() -> Iterator[None]:
    """Whatever is registered is registered again afterwards."""
    before = [*display._working]
    display._working.clear()
    yield
    display._working[:] = before


def test_in_a_terminal_it_says_what_it_does_and_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(terminal, "people", Console(file=written, force_terminal=True, width=80))
    monkeypatch.setattr(display, "LONG", 0.3)
    monkeypatch.setattr(terminal, "LONG", 0.3)
    display.shows_working(terminal.working)

    found = interruptible(lambda: time.sleep(1.5) or 7, lambda: None, where="shop", doing=lambda: "queued")

    assert found == 7
    assert "shop: queued, 1 s" in written.getvalue()


def test_a_quick_query_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(terminal, "people", Console(file=written, force_terminal=True, width=80))
    display.shows_working(terminal.working)

    assert interruptible(lambda: 7, lambda: None, where="shop") == 7
    assert written.getvalue() == ""


def test_what_takes_too_long_is_cancelled_and_waited_for() -> None:
    ended, stop = [], threading.Event()

    def work() -> None:
        stop.wait(30)
        ended.append(True)
        raise ValueError("cancelled")

    with pytest.raises(TimeoutError, match=r"longer than 1 s and was cancelled"):
        interruptible(work, stop.set, where="shop", timeout=1)
    assert ended == [True]


def test_an_answer_of_the_last_moment_is_an_answer() -> None:
    stop = threading.Event()

    assert interruptible(lambda: stop.wait(30), stop.set, where="shop", timeout=0.1) is True


def test_an_error_of_the_work_is_the_error() -> None:
    def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        interruptible(work, lambda: None, where="shop")


def test_a_watch_is_told_instead_of_a_display_and_ends_a_query_of_another_thread() -> None:
    told: list[str] = []
    began, stop = threading.Event(), threading.Event()

    def tell(_: float, doing: object) -> None:
        told.append("told")
        began.set()

    watch, outcome = Watch(tell), []

    def ask() -> None:
        with watched(watch):
            try:
                interruptible(lambda: stop.wait(30), stop.set, where="shop")
            except NobodyWaitsError:
                outcome.append("ended")

    asking = threading.Thread(target=ask)
    asking.start()
    began.wait(30)
    watch.end()
    watch.end()
    asking.join(30)

    assert outcome == ["ended"]
    assert stop.is_set()
    assert told


def test_cancelling_is_said_until_the_query_has_heard_of_it() -> None:
    said: list[int] = []
    heard = threading.Event()

    def cancel() -> None:
        said.append(1)
        if len(said) == 2:
            heard.set()

    watch = Watch(lambda _, __: None)
    watch.end()

    with pytest.raises(NobodyWaitsError), watched(watch):
        interruptible(lambda: heard.wait(30), cancel, where="shop")
    assert len(said) == 2


class Deaf:
    """A query that hears only the second time that it is to end; after five seconds it ends by itself."""

    def __init__(self) -> None:
        self.said = 0
        self.heard = threading.Event()

    def work(self) -> None:
        if not self.heard.wait(5):
            raise AssertionError("nobody said it again")
        raise ValueError("cancelled")

    def cancel(self) -> None:
        self.said += 1
        if self.said == 2:
            self.heard.set()


def test_what_takes_too_long_is_cancelled_until_it_has_heard_of_it() -> None:
    query = Deaf()

    with pytest.raises(TimeoutError) as late:
        interruptible(query.work, query.cancel, where="shop", timeout=0.01)
    assert isinstance(late.value.__cause__, ValueError)


def test_an_interrupt_is_said_until_the_query_has_heard_of_it() -> None:
    query = Deaf()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), watched(Watch(interrupted)):
        interruptible(query.work, query.cancel, where="shop")
    assert query.heard.is_set()


class Interrupted(ThreadPoolExecutor):
    """Ctrl-C comes as the work is handed over: before that, or when it has begun."""

    begun: threading.Event | None = None

    def submit(self, *work: Any, **more: Any) -> Any:
        """As it says."""
        if self.begun is not None:
            super().submit(*work, **more)
            assert self.begun.wait(30)
        raise KeyboardInterrupt


def test_an_interrupt_as_a_query_begins_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, stop = threading.Event(), threading.Event()
    ended: list[bool] = []
    monkeypatch.setattr(interrupts, "ThreadPoolExecutor", Interrupted)
    monkeypatch.setattr(Interrupted, "begun", begun)

    with pytest.raises(KeyboardInterrupt):
        interruptible(lambda: begun.set() or ended.append(stop.wait(5)), stop.set, where="shop")
    assert ended == [True]


def test_an_interrupt_before_a_query_begins_leaves_nothing_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(interrupts, "ThreadPoolExecutor", Interrupted)

    with pytest.raises(KeyboardInterrupt):
        interruptible(lambda: said.append("begun"), lambda: said.append("cancelled"), where="shop")
    assert said == []


def test_what_is_asked_later_is_not_watched() -> None:
    watch = Watch(lambda _, __: None)
    with watched(watch):
        pass
    watch.end()

    assert interruptible(lambda: 7, lambda: None, where="shop") == 7
