"""A person steps in (adopts, pauses, forgets somebody) while plans are lying about, under way, or in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from personas_kit.activation.state import SyncState
from personas_kit.errors import PlanStale
from personas_kit.leaving import ForgetReport
from tests.activation.attack.books import disagreements
from tests.activation.attack.interposing import Died, Points
from tests.activation.attack.memory import InMemory, Trouble
from tests.activation.attack.world import LeapingClock, World, hostile, registered

NAMES = [f"u{n}" for n in range(6)]
IN_DOUBT = Trouble(lasting="applied, then reset")


@pytest.fixture(autouse=True)
def destination() -> Iterator[None]:
    with registered(hostile()):
        yield


@pytest.fixture
def receiver() -> InMemory:
    return InMemory()


@pytest.fixture
def world(tmp_path: Path, receiver: InMemory) -> World:
    return World(tmp_path, "http://127.0.0.1:9999", connect=receiver.connect)


def state_of(world: World) -> SyncState:
    return world.states()["identify"]


def left(receiver: InMemory) -> list[tuple[str, object]]:
    return [(arrival.member, arrival.said) for arrival in receiver.left.arrivals]


def in_doubt(world: World, receiver: InMemory) -> None:
    """The outcome of the first two entries is not known."""
    world.want(NAMES)
    receiver.suffers(IN_DOUBT)
    world.push(deadline=3)
    receiver.suffers(Trouble())
    assert state_of(world).unknown.height == 2


# ------------------------------------------------------------------------------------------------------------ adopting


def test_who_is_adopted_is_neither_unknown_nor_refused_any_more(world, receiver):
    in_doubt(world, receiver)
    receiver.suffers(Trouble(refused=frozenset({"u0", "u5"})))
    world.push()
    receiver.suffers(Trouble())
    assert (state_of(world).unknown["member"].to_list(), state_of(world).rejects.height) == (["u0"], 2)
    world.push(world.plan("adopt"))

    assert (state_of(world).unknown.height, state_of(world).rejects.height) == (0, 0)
    assert world.plan().changes.height == 0


def test_what_was_in_doubt_before_an_adoption_is_not_sent_again(world, receiver):
    in_doubt(world, receiver)
    world.push(world.plan("adopt"))
    before = left(receiver)
    world.push()

    assert left(receiver) == before
    assert state_of(world).unknown.height == 0


def test_a_plan_is_stale_once_an_adoption_was_committed_even_if_it_died_there(world, receiver):
    world.want(NAMES[:3])
    world.push()
    world.want(NAMES)
    earlier, adoption, points = world.plan(), world.plan("adopt"), Points()
    points.fail_at("begin: after its commit", 0)
    with points.watching(), pytest.raises(Died):
        world.push(adoption)
    before = left(receiver)

    with pytest.raises(PlanStale):
        world.push(earlier)
    assert left(receiver) == before


# ------------------------------------------------------------------------------------------------------------- pausing


def test_a_plan_made_before_a_pause_is_not_sent(world, receiver):
    world.want(NAMES[:3])
    world.push()
    world.want(NAMES)
    earlier, before = world.plan(), left(receiver)
    world.workspace.pause("vips", to="there")

    with pytest.raises(PlanStale, match="a person stepped in"):
        world.push(earlier)
    assert left(receiver) == before


# ---------------------------------------------------------------------------------------------------------- forgetting


def test_a_plan_made_before_somebody_was_forgotten_is_not_sent(world, receiver):
    world.want(NAMES)
    earlier = world.plan()
    assert world.workspace.forget("u3", confirm="u3").complete

    with pytest.raises(PlanStale, match="was forgotten since"):
        world.push(earlier)
    assert left(receiver) == []
    world.push()
    assert sorted(receiver.ledger.holds("identify")) == [name for name in NAMES if name != "u3"]


def test_what_was_stopped_does_not_go_on_once_somebody_in_it_is_forgotten(world, receiver):
    world.want(NAMES)
    plan = world.plan()
    receiver.suffers(Trouble(pressed=(0, 1)))
    assert world.push(plan).unsent == 4
    receiver.suffers(Trouble())
    assert world.workspace.forget("u5", confirm="u5").complete

    assert world.unfinished() is None
    with pytest.raises(PlanStale):
        world.push(plan)
    assert ("u5", True) not in left(receiver)


def test_who_is_forgotten_while_a_push_is_under_way_is_not_said_to_be_out(world, receiver):
    reports: list[ForgetReport] = []
    other = World(world.folder, "http://127.0.0.1:9999", connect=receiver.connect)
    receiver.meanwhile[0] = lambda: reports.append(other.workspace.forget("u5", confirm="u5"))
    world.want(NAMES)
    world.push()

    assert [line.state for report in reports for line in report.lines] == ["not yet"]
    assert other.workspace.forget("u5", confirm="u5").complete
    assert sorted(receiver.ledger.holds("identify")) == NAMES[:5]


def test_an_exit_that_was_refused_often_is_tried_all_the_same_when_the_user_is_forgotten(world, receiver):
    world.want(NAMES)
    world.push()
    world.want(NAMES[1:])
    receiver.suffers(Trouble(refused=frozenset({"u0"})))
    for _ in range(5):
        world.push()
    receiver.suffers(Trouble())
    assert world.plan().syncs[0].held.height == 1

    assert world.workspace.forget("u0", confirm="u0").complete
    assert sorted(receiver.ledger.holds("identify")) == NAMES[1:]


def test_an_exit_in_doubt_keeps_its_id_whichever_plan_repeats_it(world, receiver):
    world.want(NAMES)
    world.push()
    receiver.suffers(Trouble(lasting="applied, then reset"))
    assert not world.workspace.forget("u0", confirm="u0").complete
    receiver.suffers(Trouble())
    world.push()

    exits = [arrival for arrival in receiver.left.arrivals if (arrival.member, arrival.said) == ("u0", False)]
    assert len(exits) > 1
    assert len({(arrival.message_id, arrival.content) for arrival in exits}) == 1


# ------------------------------------------------------------------------------------------------------------- looking


def test_a_preview_is_not_used_once_the_clock_was_set_back(world, receiver):
    world.want(NAMES[:2])
    world.plan()  # puts the users in
    world.workspace.preview("vips")
    assert isinstance(world.clock, LeapingClock)
    world.clock.day -= 3
    world.want(NAMES)
    world.push()

    assert disagreements(world, receiver.ledger) == []
