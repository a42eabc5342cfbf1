"""Every way in which the network or a destination can fail, at the first, the middle and the last batch.

Afterwards, and after at most two more pushes, the destination, the warehouse and the state agree, although what is
wanted has changed meanwhile; and the report of the push that met the fault was right.
"""

import itertools
import time
import tracemalloc

import pytest

from personas_kit.activation.transport import HttpTransport
from tests.activation.attack.books import chance, disagreements, times, unreconciled, violations
from tests.activation.attack.detours import DETOURS, OPENSSL, Crowded, detour
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.faults import FAULTS, Fault, Told
from tests.hostile_receiver.server import Receiver

SIX = [f"u{n}" for n in range(6)]
POSITIONS = {"first": 0, "middle": 1, "last": 2}
#: The faults that take as long as the time-out; and how long any push may take then, in seconds.
LONGEST = 5.0
#: For so many seconds a push meets a fault that does not go away: long enough for a first batch on a busy machine.
LASTING = 2.0


@pytest.fixture(scope="module", autouse=True)
def destination():
    with registered(hostile()):
        yield


@pytest.fixture
def trap():
    """Another server, to which nothing may ever be sent."""
    with Receiver() as server:
        yield server
        assert server.paths == []


@pytest.fixture
def receiver(trap):
    with Receiver(trap.url) as server:
        yield server


@pytest.fixture
def world(tmp_path, receiver):
    made = World(tmp_path, receiver.url)
    made.want(SIX)
    return made


def push_through(world, receiver, *, deadline=None):
    """A push that meets what was prepared; then somebody leaves and somebody comes, and it is pushed again.

    Returns:
        The report of the first.
    """
    plan = world.plan()
    start = time.monotonic()
    report = world.push(plan, deadline=deadline)
    assert time.monotonic() - start < LONGEST
    assert violations(world, receiver.ledger) == []
    assert unreconciled(report, plan, world, receiver.ledger) == []

    receiver.heal()
    world.connect = HttpTransport
    world.want([*SIX[1:5], "new"])
    for _ in range(2):
        world.push()
        if not disagreements(world, receiver.ledger):
            break
    assert disagreements(world, receiver.ledger) == []
    return report


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_once(world, receiver, fault, position):
    receiver.fail(*[None] * position, fault)
    report = push_through(world, receiver)

    assert (report.syncs[0].state == "failed") == fault.fatal


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_that_lasts(world, receiver, fault):
    receiver.fail(None, always=fault)
    report = push_through(world, receiver, deadline=LASTING)

    assert report.acknowledged >= 2, "the first batch went well"


@pytest.mark.parametrize("lasts", [1, 1_000], ids=["once", "that lasts"])
@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
@pytest.mark.parametrize("name", DETOURS)
def test_no_connection(world, receiver, tmp_path, name, position, lasts):
    if name == "a certificate that nobody vouches for" and OPENSSL is None:
        pytest.skip("there is no openssl here to make a certificate with")
    with DETOURS[name](tmp_path) as home:
        world.connect = detour(home, range(position, position + lasts))
        report = push_through(world, receiver, deadline=LASTING if lasts > 1 else None)

    if lasts > 1:
        assert (report.unknown, report.unsent) == (0, 6 - 2 * position), "without a connection nothing is in doubt"


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
def test_no_connection_free_in_the_pool(world, receiver, position):
    world.connect = lambda there: Crowded(there, range(position, position + 1))
    push_through(world, receiver)


def test_a_receiver_that_reads_nothing_cannot_hold_a_push(tmp_path, receiver):
    many = [f"user-{n}-{'x' * 200}" for n in range(1_200)]
    with registered(hostile(items=2_500)):
        world = World(tmp_path, receiver.url, lines=2_500)
        world.want(many)
        receiver.fail(Fault(reads="head", ends="silence"))
        start = time.monotonic()
        world.push()

        assert time.monotonic() - start < LONGEST
        assert disagreements(world, receiver.ledger) == []


@pytest.mark.parametrize("name", ["a bomb of gzip", "a bomb of gzip in gzip"])
def test_a_bomb_does_not_go_off(world, receiver, name):
    fault = FAULTS[name]
    fault.says(Told(0))  # made once, outside of what is measured
    receiver.fail(fault)
    tracemalloc.start()
    try:
        world.push()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 48 << 20, "64 MB were packed"


def pairs():
    """Two faults, one after the other; all of them in the long run, else a few by chance."""
    every = [*itertools.product(FAULTS, FAULTS)]
    return chance().sample(every, times("pairs") or len(every))


def test_two_faults_one_after_the_other(tmp_path, trap, record_campaign):
    chosen = pairs()
    for number, (one, other) in enumerate(chosen):
        with Receiver(trap.url) as receiver:
            world = World(tmp_path / str(number), receiver.url)
            world.want(SIX)
            receiver.fail(None, FAULTS[one], FAULTS[other])
            try:
                push_through(world, receiver)
            except AssertionError as problem:
                raise AssertionError(f"{one!r}, then {other!r}") from problem

    record_campaign(f"faults: {len(chosen):,} pairs")
