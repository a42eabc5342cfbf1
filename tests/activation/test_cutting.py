"""A plan is cut into batches of about a second, which never mix exits with entries."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.activation.cutting import Cutter, runs
from personas_kit.activation.state import Batch, gaps


def cutter(changes, *, items=1, most=1_000, waiting=None, lanes=1):
    series = pl.Series("change", changes, dtype=pl.String)
    return Cutter(waiting or [Batch(0, series.len())], series, items=items, most=most, lanes=lanes)


def everything(cutting):
    found = []
    while (batch := cutting.next([])) is not None:
        found.append(tuple(batch))
    return found


def test_batches_hold_as_many_whole_requests_as_are_noted_together():
    assert everything(cutter(["enter"] * 10, items=3, most=7)) == [(0, 6), (6, 10)]


def test_one_request_that_holds_more_is_a_batch_of_its_own():
    assert everything(cutter(["enter"] * 10, items=4, most=2)) == [(0, 4), (4, 8), (8, 10)]


def test_exits_and_entries_never_share_a_batch_and_entries_wait_for_exits_under_way():
    cutting = cutter(["exit"] * 3 + ["enter"] * 2, most=2)

    first, second = cutting.next([]), cutting.next([Batch(0, 2)])
    assert (first, second) == ((0, 2), (2, 3))
    assert cutting.next([first, second]) is None
    assert cutting.next([]) == (3, 5)


def test_the_first_batches_are_small_so_that_every_lane_has_one():
    assert everything(cutter(["enter"] * 45)) == [(0, 20), (20, 40), (40, 45)]
    assert everything(cutter(["enter"] * 45, items=8)) == [(0, 16), (16, 32), (32, 45)]
    assert everything(cutter(["enter"] * 45, items=30)) == [(0, 30), (30, 45)]


def test_batches_become_as_long_as_a_second_and_never_shorter_than_a_request():
    cutting = cutter(["enter"] * 1_000, items=10, most=500)
    assert cutting.next([]) == (0, 20)
    cutting.took(20, 0.01)
    assert cutting.next([]) == (20, 520)
    cutting.took(500, 10.0)
    assert cutting.next([]) == (520, 570)
    cutting.took(50, 100.0)
    assert cutting.next([]) == (570, 580)
    cutting.took(10, 0.001)
    assert cutting.next([]) == (580, 1_000)


def test_what_is_left_is_shared_out_so_that_all_lanes_end_together():
    cutting = cutter(["enter"] * 200, lanes=4)
    sizes = [stop - start for start, stop in everything(cutting)]

    assert sizes[:5] == [20, 20, 20, 17, 15]
    assert sizes[-4:] == [5, 5, 5, 4]


def test_beside_others_a_batch_is_half_as_long_because_a_lane_has_two():
    alone, beside = cutter(["enter"] * 1_000), cutter(["enter"] * 1_000, lanes=2)
    for cutting in (alone, beside):
        cutting.next([])
        cutting.took(20, 0.5)

    assert (alone.next([]), beside.next([])) == ((20, 60), (20, 40))


def test_batches_without_a_gap_between_them_are_one_run():
    assert runs([Batch(0, 2), Batch(2, 3), Batch(5, 6), Batch(6, 9)]) == [[(0, 2), (2, 3)], [(5, 6), (6, 9)]]
    assert runs([]) == []


@given(
    changes=st.lists(st.sampled_from(["exit", "enter", "set"]), max_size=60),
    sent=st.lists(st.tuples(st.integers(0, 59), st.integers(1, 9)), max_size=5),
    items=st.integers(1, 9),
    most=st.integers(1, 30),
    lanes=st.integers(1, 4),
)
def test_everything_that_waits_is_cut_once_and_in_order(changes, sent, items, most, lanes):
    done, at = [], 0
    for start, length in sorted(sent):
        if at <= start and start + length <= len(changes):
            done.append(Batch(start, start + length))
            at = start + length
    waiting = gaps(done, len(changes))
    batches = everything(cutter(changes, items=items, most=most, waiting=waiting or [Batch(0, 0)], lanes=lanes))

    covered = [line for start, stop in batches for line in range(start, stop)]
    assert covered == [line for start, stop in waiting for line in range(start, stop)]
    assert all(len({changes[line] for line in range(start, stop)}) == 1 for start, stop in batches)
    assert all(stop - start <= max(items, most) for start, stop in batches)


@given(st.lists(st.sampled_from(["exit", "enter"]), max_size=60), st.lists(st.tuples(st.booleans(), st.integers(1, 9))))
def test_a_batch_that_is_taken_back_is_handed_out_again(changes, pace):
    changes, found = sorted(changes, reverse=True), []
    cutting = cutter(changes, most=20)
    steps = iter(pace)
    while (batch := cutting.next([])) is not None:
        back, seconds = next(steps, (False, 1))
        if back:
            cutting.took(batch.stop - batch.start, seconds)
            cutting.back(batch)
            assert cutting.more
        else:
            found.append(batch)

    assert gaps(found, len(changes)) == []
    assert found == sorted(found)
    assert all(len(set(changes[start:stop])) == 1 and stop - start <= 20 for start, stop in found)
