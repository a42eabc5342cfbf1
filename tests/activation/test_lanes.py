"""Lanes: what is under way, what waits, and when it is said that something is finished."""

import threading

import pytest

from personas_kit.activation.lanes import DEPTH, Lanes


@pytest.fixture
def gates():
    """Work ends when its gate is opened."""
    made = [threading.Event() for _ in range(8)]
    yield made
    for gate in made:
        gate.set()


def started(count, gates):
    lanes = Lanes(count)
    for at, gate in enumerate(gates[: lanes.free]):
        lanes.start(at, lambda at=at, gate=gate: gate.wait(10) and at * 10)
    return lanes


def test_one_lane_works_when_its_result_is_asked_for():
    lanes, done = Lanes(1), []
    lanes.start("a", lambda: done.append("a") or 1)

    assert (lanes.busy, lanes.free, done) == (["a"], 0, [])
    assert (lanes.finished(), lanes.free, done) == ([("a", 1)], 1, ["a"])


def test_several_have_their_next_work_waiting(gates):
    lanes = started(2, gates)
    assert (lanes.busy, lanes.free) == ([0, 1, 2, 3], 0)

    gates[1].set()
    assert lanes.finished() == [(1, 10)]
    assert (lanes.busy, lanes.free) == ([0, 2, 3], 1)
    lanes.close()


def test_it_is_said_together_what_ends_while_every_lane_has_work(gates):
    lanes = started(4, gates)
    assert len(lanes.busy) == 4 * DEPTH
    gates[0].set()
    opened = threading.Timer(0.3, gates[1].set)
    opened.start()

    assert sorted(lanes.finished()) == [(0, 0), (1, 10)]
    opened.join()
    lanes.close()


def test_what_no_lane_has_begun_is_taken_back(gates):
    lanes = started(2, gates)

    assert (lanes.withdrawn(), lanes.busy) == ([2, 3], [0, 1])
    for gate in gates:
        gate.set()
    assert sorted(lanes.rest()) == [(0, 0), (1, 10)]
    lanes.close()


def test_what_the_work_raises_is_raised():
    lanes = Lanes(2)
    lanes.start("a", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        lanes.finished()
    lanes.close()


@pytest.mark.parametrize("count", [1, 2])
def test_work_that_ended_with_an_error_is_among_the_rest(count):
    lanes = Lanes(count)
    lanes.start("a", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        lanes.finished()
    assert (lanes.busy, lanes.rest()) == (["a"], [("a", None)])
    lanes.close()


def test_what_ended_well_beside_an_error_is_not_lost():
    lanes = Lanes(2)
    lanes.start("good", lambda: 1)
    lanes.start("bad", lambda: 1 / 0)
    lanes.rest()  # both have ended

    with pytest.raises(ZeroDivisionError):
        lanes.finished()
    assert sorted(lanes.rest()) == [("bad", None), ("good", 1)]
    lanes.close()
