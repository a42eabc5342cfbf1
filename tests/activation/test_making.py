"""The next batch is made while the present one is under way, and leaves as if it had been made in its turn."""

import threading

from personas_kit.activation import making
from personas_kit.activation.cutting import Cutter
from personas_kit.activation.making import Maker
from personas_kit.activation.state import Batch
from tests.activation.scripted import ScriptedTransport
from tests.activation.test_sending import FORTY, Push, lines, users

REAL = making.prepare


class Watching(ScriptedTransport):
    """From the second request on, answers once the batch after it has been made."""

    def __init__(self, monkeypatch, batches):
        super().__init__()
        self.batches, self.made, self.changed = batches, 0, threading.Condition()
        monkeypatch.setattr(making, "prepare", self.prepare)

    def prepare(self, *about):
        made = REAL(*about)
        with self.changed:
            self.made += 1
            self.changed.notify_all()
        return made

    def send(self, request):
        with self.changed:
            wanted = min(len(self.sent) + 2, self.batches) if self.sent else 1
            assert self.changed.wait_for(lambda: self.made >= wanted, timeout=10)
        return super().send(request)


def test_the_next_batch_is_made_while_the_present_one_is_under_way(tmp_path, monkeypatch):
    push = Push(tmp_path, lines(FORTY), Watching(monkeypatch, 4))

    assert push.run() == (FORTY, [])
    assert [users(request) for request in push.transport.sent] == [FORTY[n : n + 10] for n in range(0, 40, 10)]
    assert push.seen == [10, 20, 30, 40]


def test_what_is_made_ahead_is_not_noted_before_its_turn(tmp_path, monkeypatch):
    push = Push(tmp_path, lines(FORTY), Watching(monkeypatch, 4))
    noted, waiting = [], push.transport.send

    def send(request):
        left = {line for start, stop in push.store.waiting("p1", push.sync.sync) for line in range(start, stop)}
        noted.append(40 - len(left))
        return waiting(request)

    push.transport.send = send
    push.run()

    assert noted == [10, 20, 30, 40]


def test_what_was_made_ahead_does_not_leave_once_a_push_is_stopped(tmp_path, monkeypatch):
    push = Push(tmp_path, lines(FORTY), Watching(monkeypatch, 4))
    push.sending.tell = lambda done: push.stop.ask("enough") if done == 20 else None

    assert push.run() == (FORTY[:20], [])
    assert push.report.unsent == 20


def test_a_batch_that_was_made_ahead_and_is_too_long_by_now_is_cut_anew(tmp_path):
    sync = Push(tmp_path, lines(FORTY), ScriptedTransport()).sync
    cutter, maker = Cutter([Batch(0, 40)], sync.lines["change"], items=10, most=20), Maker(sync)
    maker.begin_next(cutter)
    cutter.took(20, 2.0)

    assert maker.ahead
    assert maker.take_next(cutter) == {}
    assert (cutter.next(()), cutter.next(())) == (Batch(0, 10), Batch(10, 20))
    maker.close()
