"""Looking things up beside the kernel's own thread: the newest first, and a mistake stops nothing for good."""

import threading

import pytest

from personas_kit.notebook.looking import Lookups


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_look_that_breaks_off_is_a_problem_and_what_is_asked_for_next_is_looked_up() -> None:
    found: list[str] = []

    def breaks() -> None:
        raise RuntimeError("a mistake of ours")

    lookups = Lookups(lambda: None)
    lookups.ask({"broken": breaks})
    lookups.wait()

    assert lookups.shown["problems"] == {"broken": {"what": "it could not be looked up", "where": "", "hint": ""}}
    assert lookups.shown["asked"] == []
    lookups.ask({"fine": lambda: found.append("fine")})
    lookups.wait()
    assert found == ["fine"]


def test_what_is_asked_for_last_comes_first_but_for_what_is_under_way() -> None:
    found: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(60)
        found.append("slow")

    lookups = Lookups(lambda: None)
    lookups.ask({"slow": slow})
    assert begun.wait(60)
    lookups.ask({"one": lambda: found.append("one"), "two": lambda: found.append("two")})
    lookups.ask({"last": lambda: found.append("last")})
    go_on.set()
    lookups.wait()

    assert found == ["slow", "last", "one", "two"]
