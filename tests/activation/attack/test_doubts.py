"""What the judge of a campaign makes of one member who is wanted one way and the other while nothing is heard of it."""

from __future__ import annotations

import dataclasses

import pytest

from tests.activation.attack.campaign import Doubts, repetitions
from tests.activation.attack.interposing import Died, Points
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.faults import FAULTS
from tests.hostile_receiver.ledger import Ledger
from tests.hostile_receiver.server import Receiver


@pytest.fixture
def receiver():
    with registered(hostile()), Receiver() as running:
        yield running


def live(world: World, receiver: Receiver, doubts: Doubts, *, wanted: list[str], dies: bool = False) -> list[str]:
    """One life; what the judge says of it. One that dies has noted what it was about to send, and sends nothing."""
    receiver.ledger.life += 1
    doubts.note(receiver.ledger.life, world.states())
    world.want(wanted)
    points = Points()
    if dies:
        points.fail_at("send: before the request", 0)
    try:
        with points.watching():
            world.push(deadline=50)
    except Died:
        world.reopen()
    assert points.happened == dies
    return repetitions(receiver.ledger, doubts)


def test_a_doubt_that_said_otherwise_is_a_reason_for_another_id_however_long_ago(tmp_path, receiver):
    # given: Ann's entry was applied, and nobody heard of it
    world, doubts = World(tmp_path, receiver.url), Doubts()
    receiver.fail(always=FAULTS["applied, then reset"])
    assert live(world, receiver, doubts, wanted=["ann"]) == []
    receiver.heal()

    # when: her exit is noted and never sent, and then an entry, neither
    assert live(world, receiver, doubts, wanted=[], dies=True) == []
    assert live(world, receiver, doubts, wanted=["ann"], dies=True) == []

    # then: she enters under another id, because for all that is known she left in between
    assert live(world, receiver, doubts, wanted=["ann"]) == []
    ids = {arrival.message_id for arrival in receiver.ledger.arrivals}
    assert len(ids) == 2


def test_a_doubt_that_said_the_same_is_none(tmp_path, receiver):
    # given: Ann's entry was applied, nobody heard of it, and it is sent again
    world, doubts = World(tmp_path, receiver.url), Doubts()
    receiver.fail(always=FAULTS["applied, then reset"])
    live(world, receiver, doubts, wanted=["ann"])
    receiver.heal()
    assert live(world, receiver, doubts, wanted=["ann"]) == []

    # when: it had gone under another id
    once, *_, again = receiver.ledger.arrivals
    assert once.message_id == again.message_id
    ledger = Ledger(life=again.life)
    ledger.arrivals = [once, dataclasses.replace(again, message_id="another", applied=True)]

    # then
    assert repetitions(ledger, doubts) == [f"R1: ann went as {once.message_id} and as another"]
