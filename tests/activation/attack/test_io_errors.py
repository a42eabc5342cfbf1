"""The disk is full, or broken, or not ours: nothing is lost, the message says what to do, the next push finishes."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from personas_kit.activation.plan import Plan
from personas_kit.errors import PlanStale, StateError
from tests.activation.attack.books import LONG, disagreements, violations
from tests.activation.attack.interposing import Points
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.faults import FAULTS
from tests.hostile_receiver.server import Receiver

BEFORE, WANTED = ["u0", "u1", "u2", "u3"], ["u1", "u2", "new", "newer", "newest"]
NOBODY = 65_534


def full_disk() -> BaseException:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def broken_disk() -> BaseException:
    return OSError(errno.EIO, os.strerror(errno.EIO))


def full_database() -> BaseException:
    return sqlite3.OperationalError("database or disk is full")


FAILURES: dict[str, tuple[Callable[[], BaseException], tuple[str, ...]]] = {
    "the disk is full": (full_disk, ("disk",)),
    "the database is full": (full_database, ("table",)),
}
if LONG:  # handled alike, but who knows
    FAILURES["the disk is broken"] = (broken_disk, ("disk",))
    FAILURES["the database's disk is broken"] = (lambda: sqlite3.OperationalError("disk I/O error"), ("table",))


@pytest.fixture(scope="module", autouse=True)
def destination() -> Iterator[None]:
    with registered(hostile()):
        yield


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def world(quick_path: Path, receiver: Receiver) -> World:
    made = World(quick_path / "workspace", receiver.url)
    made.want(BEFORE)
    made.push()
    made.want(WANTED)
    return made


def refusal(work: Callable[[], object]) -> str:
    """What the kit said when it could not, and that says where and what to do; empty if it could."""
    try:
        work()
    except StateError as problem:
        said = problem
    else:
        return ""
    assert said.hint
    assert said.where
    return str(said)


def assert_goes_on(world: World, receiver: Receiver, plan: Plan | None) -> None:
    """Nothing is wrong now; the same plan goes on, if it may, and the next one finishes."""
    assert violations(world, receiver.ledger) == []
    if plan is not None:
        with contextlib.suppress(PlanStale):  # it was folded already, and only the word of it was lost
            world.push(plan)
    world.push()
    assert disagreements(world, receiver.ledger) == []


@pytest.mark.parametrize("lasts", [False, True], ids=["once", "for the rest of the push"])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_the_kth_operation_fails(
    world: World,
    receiver: Receiver,
    quick_path: Path,
    failure: tuple,
    lasts: bool,
    record_campaign: Callable[[str], None],
) -> None:
    raises, only = failure
    shutil.copytree(world.folder / ".personas", quick_path / "kept")
    ledger = receiver.ledger.copy()
    at, went_through = 0, False
    while not went_through:
        receiver.ledger = ledger.copy()
        shutil.rmtree(world.folder / ".personas")
        shutil.copytree(quick_path / "kept", world.folder / ".personas")
        world.reopen()
        plans: list[Plan] = []

        def push(plans: list[Plan] = plans) -> None:
            plans.append(world.plan())
            world.push(plans[0])

        points = Points(at, raises, forever=lasts, only=only)
        with points.watching():
            said = refusal(push)
        assert not said or any(word in said for word in ("room", "permissions", "backup")), points.name
        went_through = not points.happened
        assert_goes_on(world, receiver, plans[0] if plans and at % 2 else None)
        at += 1 if LONG or not lasts else 3

    record_campaign(f"disks: {at:,} operations, {'from one on' if lasts else 'one'} fails with: {raises()}")
    assert at > 10, "the loop went through the operations"


def test_the_database_may_grow_no_more(quick_path: Path, receiver: Receiver) -> None:
    """SQLite's own word for a full disk: it may have some more pages, up to as many as it wants."""
    connect, failed = sqlite3.connect, 0

    def limited(*args: object, **more: object) -> sqlite3.Connection:
        db = connect(*args, **more)
        db.execute(f"pragma max_page_count = {pages + room}")
        return db

    with registered(hostile(items=60)):
        world = World(quick_path / "workspace", receiver.url, lines=60)
        world.want(BEFORE)
        world.push()
        with contextlib.closing(connect(world.folder / ".personas" / "state.sqlite")) as db:
            (pages,) = db.execute("pragma page_count").fetchone()
        receiver.fail(always=FAULTS["applied, then reset"])  # what is unknown is written into the database
        for room in range(0, 30, 2):
            world.want([*BEFORE, *(f"u{room}-{n}-{'x' * 400}" for n in range(40))])
            plan = world.plan()
            with mock.patch.object(sqlite3, "connect", limited):
                said = refusal(functools.partial(world.push, plan, deadline=1))
            failed += bool(said)
            assert not said or "make room" in said
            assert violations(world, receiver.ledger) == []
        receiver.heal()
        assert_goes_on(world, receiver, None)
    assert 0 < failed < 15


@contextlib.contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """As a user who may do only what the permissions say; root may do anything."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder.parent, folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are otherwise on this system")
@pytest.mark.parametrize("place", ["the folder", "members", "plans", "locks", "state.sqlite"])
def test_what_may_not_be_written(world: World, receiver: Receiver, place: str) -> None:
    state = world.folder / ".personas"
    path = state if place == "the folder" else state / place
    for lock in (state / "locks").iterdir():
        lock.unlink()
    world.plan()  # everything that is imported late is imported
    with as_nobody(world.folder):
        usual = stat.S_IMODE(path.stat().st_mode)
        path.chmod(usual & 0o500)  # whatever SQLite then makes beside its file may not be written either
        try:
            assert "permission" in refusal(world.push).lower()
        finally:
            for each in (path, *state.glob("state.sqlite-*")):
                each.chmod(usual)
        assert_goes_on(world, receiver, None)


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A disk of its own for the folder, if this process may mount one."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("there is no mount here")
    folder.mkdir(exist_ok=True, parents=True)
    command = [mount, "-t", "tmpfs", "-o", f"size={kilobytes}k", "personas", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run([umount, str(folder)], check=True)


def test_a_disk_that_is_really_full(quick_path: Path, receiver: Receiver) -> None:
    """Between one page and a hundred are free: it is full at another moment each time."""
    failed = 0
    with small_disk(quick_path / "workspace" / ".personas", 2_048):
        world = World(quick_path / "workspace", receiver.url, lines=10)
        world.want(BEFORE)
        world.push()
        for pages in [0, 1, 2, 4, 6, 8, 12, 16, 20, 24, 28, 32, 40, 48, 64, 80, 100]:
            world.want([f"u{pages}-{n}-{'x' * 200}" for n in range(40)])
            plan = world.plan()
            ballast = world.folder / ".personas" / "ballast"
            with contextlib.suppress(OSError), ballast.open("wb") as file:
                while os.statvfs(world.folder / ".personas").f_bavail > pages:
                    file.write(b"x" * 4_096)
                    file.flush()
            said = refusal(functools.partial(world.push, plan))
            failed += bool(said)
            assert not said or "make room" in said
            ballast.unlink()  # there has to be room to look
            assert violations(world, receiver.ledger) == []
        assert_goes_on(world, receiver, None)
    assert failed > 3
