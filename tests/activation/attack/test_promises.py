"""Promises around a push that a campaign does not see: its report, what a reader sees, ids and their contents."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from personas_kit.activation.courier import Tally
from personas_kit.activation.state import Batch, SyncState
from personas_kit.activation.store import LocalStore, sqlite
from personas_kit.activation.tallies import Sent, sync_report
from tests.activation.attack.books import disagreements, unreconciled
from tests.activation.attack.interposing import Died, Points
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.faults import FAULTS, Fault
from tests.hostile_receiver.server import Receiver

SIXTEEN = [f"u{n:02}" for n in range(16)]


@pytest.fixture(scope="module", autouse=True)
def destination() -> Iterator[None]:
    with registered(hostile()):
        yield


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


STOPS: dict[str, list[Fault | None]] = {
    "in the middle of a batch": [None, None, FAULTS["429, wait a year"]],
    "at the start of a batch": [*[None] * 4, FAULTS["429, wait a year"]],
    "in doubt": [None, FAULTS["the first refused"], *[FAULTS["applied, then reset"]] * 9],
}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another process"])
@pytest.mark.parametrize("stops", STOPS.values(), ids=STOPS)
def test_the_report_of_a_push_that_goes_on_counts_every_change_once(
    quick_path: Path, receiver: Receiver, stops: list[Fault | None], elsewhere: bool
) -> None:
    """Eight changes are noted together, two are sent together: a stop leaves a part of a batch unsent."""
    world = World(quick_path, receiver.url, lines=8)
    world.want(SIXTEEN)
    plan = world.plan()
    receiver.fail(*stops)
    stopped = world.push(plan, deadline=3)
    assert stopped.unsent > 0
    assert unreconciled(stopped, plan, world, receiver.ledger) == []

    receiver.heal()
    if elsewhere:
        world.reopen()
        found = world.unfinished()
        assert found is not None
        plan = found
    report = world.push(plan)
    assert report.unsent == 0
    assert unreconciled(report, plan, world, receiver.ledger) == []


def test_a_push_that_left_something_out_is_not_done(quick_path: Path, receiver: Receiver) -> None:
    """What no request can hold is refused at once; behind it, what was not sent has to wait for the next plan."""
    world = World(quick_path, receiver.url)
    world.want(SIXTEEN)
    (sync,) = world.plan().syncs
    report = sync_report(sync, Sent({Batch(0, 16): Tally(unsent={13, 14}, rejected={15: "too large"})}), finished=True)

    assert (report.acknowledged, report.unsent, report.rejected, report.state) == (13, 2, 1, "partial")


def test_a_change_whose_outcome_is_unknown_gets_another_id_when_it_says_more(
    quick_path: Path, receiver: Receiver
) -> None:
    """An address goes with the value: one that changed meanwhile is other content, and may not bear the old id."""
    world = World(quick_path, receiver.url)
    world.want(["ann", "bob"])
    receiver.fail(always=FAULTS["applied, then reset"])
    world.push(deadline=3)
    receiver.heal()
    world.want(["ann", "bob"], {"ann": "ann@example.org"})
    world.push()

    assert disagreements(world, receiver.ledger) == []
    ids = {name: {a.message_id for a in receiver.ledger.arrivals if a.member == name} for name in ("ann", "bob")}
    assert (len(ids["ann"]), len(ids["bob"])) == (2, 1)


# ------------------------------------------------------------------------------------------- a reader beside a writer


def cut_short(world: World, receiver: Receiver) -> None:
    """A plan whose first batch is in flight."""
    world.want(SIXTEEN)
    world.push()
    world.want([*SIXTEEN[2:], "new", "newer"])
    points = Points()
    points.fail_at("send: the answer is there", 0)
    with points.watching(), pytest.raises(Died):
        world.push()


def seen(state: SyncState) -> tuple[list[str], list[str], int]:
    return sorted(state.acknowledged["member"]), sorted(state.unknown["member"]), state.version


def test_a_reader_sees_one_moment_whatever_another_process_does_between_two_looks(
    quick_path: Path, receiver: Receiver
) -> None:
    """Another process settles a plan that was cut short, after each of the statements of a reader in turn."""
    world = World(quick_path / "workspace", receiver.url)
    cut_short(world, receiver)
    state = world.folder / ".personas"
    ((sync, before),) = world.store.syncs()
    shutil.copytree(state, quick_path / "kept")
    rows, at, passed = sqlite.SqliteTables.rows, 0, 1

    while passed > at:
        shutil.rmtree(state)
        shutil.copytree(quick_path / "kept", state)
        other, passed = LocalStore(state, world.clock), 0

        def between(self: Any, *args: Any, other: LocalStore = other, at: int = at) -> Any:
            nonlocal passed
            passed += 1
            if passed == at + 1:
                with mock.patch.object(sqlite.SqliteTables, "rows", rows), other.lock(sync):
                    assert other.recover(sync)
            return rows(self, *args)

        with mock.patch.object(sqlite.SqliteTables, "rows", between):
            assert seen(LocalStore(state, world.clock).load(sync)) == seen(before), f"after {at} statements"
        at += 1
    assert at > 5
