"""The first interrupt lets what is in flight finish; the second one does not wait."""

import os
import signal
import threading
import time

import pytest

from personas_kit.activation.stopping import Stop, stoppable


@pytest.fixture(autouse=True)
def usual():
    """The handler that a terminal's processes have; those that a shell has put aside are deaf to interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)  # the handler runs between two instructions of the main thread


def test_the_first_interrupt_asks_and_the_second_one_interrupts():
    stop, told = Stop(), []
    with stoppable(stop, lambda: told.append(1)):
        press()
        assert (stop.event.is_set(), stop.why, told) == (True, "interrupted", [1])
        with pytest.raises(KeyboardInterrupt):
            press()


def test_afterwards_an_interrupt_is_as_usual():
    with stoppable(Stop(), lambda: None):
        pass
    with pytest.raises(KeyboardInterrupt):
        press()


def test_beside_the_main_thread_nothing_changes():
    usual = []

    def elsewhere():
        with stoppable(Stop(), lambda: None):
            usual.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert usual == [signal.getsignal(signal.SIGINT)]


def test_parts_stop_with_the_whole_and_by_themselves():
    stop = Stop()
    first, second = stop.part(), stop.part()
    first.ask("refused")
    assert (first.why, second.event.is_set(), stop.event.is_set()) == ("refused", False, False)

    stop.ask("interrupted")
    assert (first.why, second.why, stop.part().why) == ("refused", "interrupted", "interrupted")


def test_where_something_that_is_no_python_hears_of_interrupts_nothing_changes(monkeypatch):
    monkeypatch.setattr(signal, "getsignal", lambda _: None)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    with stoppable(Stop(), lambda: None):
        assert signal.signal(signal.SIGINT, before) is signal.default_int_handler
