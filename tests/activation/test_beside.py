"""Accounts are pushed beside each other: what happens to one does not touch another, and all end before it is over."""

import os
import signal
import threading
import time

import pytest

from personas_kit.activation.beside import beside
from personas_kit.activation.lanes import Lanes
from personas_kit.activation.stopping import Stop, stoppable
from personas_kit.errors import PlanStale, SyncBusy


def test_they_are_under_way_at_once_and_returned_in_their_order():
    meeting = threading.Barrier(3, timeout=10)

    def work(name):
        def meet(_):
            meeting.wait()
            return name

        return meet

    assert beside([work("a"), work("b"), work("c")], Stop()) == ["a", "b", "c"]


def test_what_they_post_is_called_by_the_thread_that_waits():
    heard = []

    def work(post):
        post(lambda: heard.append(threading.current_thread()))
        post(lambda: heard.append(threading.current_thread()))

    beside([work, work], Stop())

    assert heard == [threading.current_thread()] * 4


def test_an_error_of_one_lets_the_others_end_and_the_first_is_raised(capsys):
    ended = []

    def slow(_):
        time.sleep(0.05)
        ended.append("slow")

    def lost(_):
        raise SyncBusy("taken over", where="a")

    def stale(_):
        raise PlanStale("too old", where="b")

    with pytest.raises(SyncBusy, match="taken over"):
        beside([slow, lost, stale], Stop())
    assert ended == ["slow"]
    assert "too old" in capsys.readouterr().err


def test_an_error_of_what_was_posted_asks_for_an_end_in_good_order():
    stop = Stop()

    def broken():
        raise ZeroDivisionError

    def work(post):
        post(broken)
        assert stop.event.wait(10)

    with pytest.raises(ZeroDivisionError):
        beside([work], stop)


@pytest.fixture
def usual():
    """The handler that a terminal's processes have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual")
def test_the_second_interrupt_is_heard_by_lanes_in_other_threads():
    stop, never, going = Stop(), threading.Event(), threading.Barrier(3, timeout=10)

    def account(_):
        lanes = Lanes(1, stop.part().hurried)
        lanes.start("a batch", lambda: never.wait(30))
        going.wait()
        try:
            lanes.finished()
        except KeyboardInterrupt:
            return lanes.busy
        finally:
            lanes.close()

    def press():
        going.wait()
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)

    threading.Thread(target=press).start()
    start = time.monotonic()
    with stoppable(stop, lambda: None):
        left = beside([account, account], stop)
    never.set()

    assert left == [["a batch"]] * 2
    assert stop.why == "interrupted"
    assert time.monotonic() - start < 25, "nobody waited for what was under way"
