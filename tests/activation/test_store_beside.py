"""One store, several threads: syncs that are pushed beside each other do not meet in the state, wherever it lies."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from personas_kit.activation.state import Batch, BatchResult
from personas_kit.activation.sync import Sync
from tests.activation.test_store import entering, head

THREADS, MEMBERS = 4, 6


@pytest.fixture
def store(place):
    return place()


def pushed(store, number):
    """A plan of some batches from beginning to end; what is acknowledged then."""
    sync = Sync(f"audience_{number}", "analytics", "identify")
    frame = entering(*(f"{number}_{member}" for member in range(MEMBERS)))
    plan = replace(head(f"p{number}"), sync=sync)
    with store.lock(sync):
        store.recover(sync)
        store.begin(plan, frame)
        before = []
        for at in range(0, MEMBERS, 2):
            batch = Batch(at, at + 2)
            store.advance(plan.plan_id, sync, settled=before, sending={batch: "d"})
            store.still_held(sync)
            before = [(batch, frame[at : at + 2], BatchResult())]
        store.advance(plan.plan_id, sync, settled=before)
        store.fold(plan.plan_id, sync, finished=True)
    state = store.load(sync)
    return sorted(state.acknowledged["member"]), state.unknown.height


def test_syncs_are_pushed_beside_each_other(store):
    with ThreadPoolExecutor(THREADS) as pool:
        found = [*pool.map(lambda number: pushed(store, number), range(THREADS))]

    assert found == [(sorted(f"{n}_{m}" for m in range(MEMBERS)), 0) for n in range(THREADS)]
    assert len(store.syncs()) == THREADS
