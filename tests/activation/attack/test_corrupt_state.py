"""State that is damaged: the kit refuses before the first request and says what to do, or it recovers.

It never takes damage for a state that knows nothing: that would send everybody again, and take nobody out.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from personas_kit.activation.store import sqlite
from tests.activation.attack.books import chance, disagreements
from tests.activation.attack.interposing import Died, Points
from tests.activation.attack.test_io_errors import as_nobody, refusal
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.server import Receiver

FIRST = [f"u{n:02}" for n in range(40)]
WANTED = [*FIRST[1:], "new", "newer"]
FEW = 12
"""More than this is everybody, and not the few changes that are due."""
PAGE = 4_096


@dataclass(frozen=True, slots=True)
class Stage:
    """Forty members are acknowledged, by two pushes; a third died before its last batch."""

    world: World
    receiver: Receiver

    @property
    def state(self) -> Path:
        return self.world.folder / ".personas"

    @property
    def database(self) -> Path:
        return self.state / "state.sqlite"

    def frames(self, folder: str, call: str = "identify") -> list[Path]:
        """The files of one call, oldest first."""
        found = (path for path in (self.state / folder).glob("*.parquet") if f"-{call}-" in path.name)
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    def pushes(self) -> str:
        """Push what is wanted; ``agreed`` if it went well, else what the kit said."""
        self.world.reopen()
        before = len(self.receiver.ledger.arrivals)
        said = refusal(self.world.push) or refusal(self.world.push)
        assert len(self.receiver.ledger.arrivals) - before <= FEW
        assert said or disagreements(self.world, self.receiver.ledger) == []
        return said or "agreed"


@pytest.fixture
def stage(quick_path: Path) -> Iterator[Stage]:
    with registered(hostile(items=2)), Receiver() as receiver:
        world = World(quick_path / "workspace", receiver.url, lines=2, send=("identify", "track"))
        for wanted in (FIRST[:38], FIRST):
            world.want(wanted)
            world.push()
        world.want(WANTED)
        points = Points()
        points.fail_at("send: before the request", 1)
        with points.watching(), pytest.raises(Died):
            world.push()
        yield Stage(world, receiver)


# ------------------------------------------------------------------------------------------------------------ damages


def cut_database(stage: Stage, part: float) -> None:
    content = stage.database.read_bytes()
    stage.database.write_bytes(content[: int(len(content) * part)])


def newer_database(stage: Stage) -> None:
    with contextlib.closing(sqlite3.connect(stage.database)) as db:
        db.execute("update meta set value = '99' where name = 'version'")
        db.commit()


def exchange(one: Path, other: Path) -> None:
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def leave_halves(stage: Stage) -> None:
    """What a crash in the middle of writing leaves."""
    for folder in ("members", "plans"):
        for path in stage.frames(folder):
            path.with_name(f".{path.name[:-14]}deadbeef.parquet").write_bytes(path.read_bytes()[:100])
    (stage.state / "state.sqlite-wal").write_bytes(b"\x00" * 100)


DAMAGES: dict[str, tuple[Callable[[Stage], object], str]] = {
    "the database is cut in half": (lambda s: cut_database(s, 0.5), "damaged|malformed|image"),
    "the database is cut to its first bytes": (lambda s: cut_database(s, 0.001), "database"),
    "the database is empty": (lambda s: s.database.write_bytes(b""), "gone or empty"),
    "the database is gone": (lambda s: s.database.unlink(), "gone or empty"),
    "the database is something else": (lambda s: s.database.write_bytes(b"not a database" * 999), "not a database"),
    "a newer version wrote the database": (newer_database, "newer version"),
    "the base is gone": (lambda s: s.frames("members")[0].unlink(), "missing or damaged"),
    "the base is empty": (lambda s: s.frames("members")[0].write_bytes(b""), "missing or damaged"),
    "the base is cut in half": (
        lambda s: s.frames("members")[0].write_bytes(s.frames("members")[0].read_bytes()[:-200]), "missing or damaged"
    ),
    "a base and its changes are exchanged": (lambda s: exchange(*s.frames("members")[:2]), "written as"),
    "the bases of two syncs are exchanged": (
        lambda s: exchange(s.frames("members")[0], s.frames("members", "track")[0]), "written as"
    ),
    "the frame of the plan is gone": (lambda s: s.frames("plans")[0].unlink(), "missing or damaged"),
    "the frame of the plan is cut": (lambda s: s.frames("plans")[0].write_bytes(b"PAR1"), "missing or damaged"),
    "halves of files lie about": (leave_halves, "agreed"),
    "the locks are gone": (lambda s: shutil.rmtree(s.state / "locks"), "agreed"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_refused_or_mended(stage: Stage, tmp_path: Path, damage: Callable[[Stage], object], words: str):
    shutil.copytree(stage.state, tmp_path / "backup")
    sent = len(stage.receiver.ledger.arrivals)
    damage(stage)

    answers = stage.pushes()
    assert any(word in answers for word in words.split("|")), answers
    assert answers == "agreed" or len(stage.receiver.ledger.arrivals) == sent, "it is said before anything is sent"

    shutil.rmtree(stage.state)
    shutil.copytree(tmp_path / "backup", stage.state)
    assert answers == "agreed" or stage.pushes() == "agreed", "the backup is put back"


@pytest.mark.parametrize("damage", [name for name, (_, words) in DAMAGES.items() if words == "missing or damaged"])
def test_starting_over_is_possible_as_the_refusal_says(stage: Stage, damage: str) -> None:
    DAMAGES[damage][0](stage)
    assert "personas reset" in stage.pushes()

    for sync in stage.world.workspace.reset(stage.world.key, to="there", confirm=stage.world.key):
        assert stage.world.store.load(sync).acknowledged.height == 0
    assert not refusal(stage.world.push)


def test_a_page_of_the_database_is_garbage(stage: Stage, quick_path: Path) -> None:
    """Every page in turn. What is not read is not noticed, and does no harm; nor is everybody sent again."""
    fillings = {"zeros": bytes(PAGE), "ones": b"\xff" * PAGE, "chance": chance().randbytes(PAGE)}
    shutil.copytree(stage.state, quick_path / "backup")
    ledger, refused = stage.receiver.ledger, 0
    pages = stage.database.stat().st_size // PAGE
    for page in range(pages):
        for name, filling in fillings.items():
            shutil.rmtree(stage.state)
            shutil.copytree(quick_path / "backup", stage.state)
            stage.receiver.ledger = ledger.copy()
            with stage.database.open("r+b") as file:
                file.seek(page * PAGE)
                file.write(filling)
            answers = stage.pushes()
            refused += answers != "agreed"
            assert answers == "agreed" or "backup" in answers, (page, name)
    assert refused > pages


def test_what_was_not_yet_moved_into_the_database_is_gone(stage: Stage, quick_path: Path) -> None:
    """The -wal of a process that was killed after any of its commits is lost: it had sent nothing since."""
    copies: list[Path] = []

    def copied() -> BaseException:
        copies.append(quick_path / f"copy{len(copies)}")
        shutil.copytree(stage.state, copies[-1])
        return Died()

    ledgers = []
    for nth in range(6):
        before = stage.receiver.ledger.copy()
        shutil.copytree(stage.state, quick_path / f"before{nth}")
        points = Points(raises=copied, forever=True)
        points.fail_at("advance: after its commit", nth % 3)
        stage.world.reopen()
        with points.watching(), contextlib.suppress(Died):
            stage.world.push()
        ledgers.append(stage.receiver.ledger.copy())
        shutil.rmtree(stage.state)
        shutil.copytree(quick_path / f"before{nth}", stage.state)
        stage.receiver.ledger = before

    for copy, ledger in zip(copies, ledgers, strict=True):
        assert (copy / "state.sqlite-wal").stat().st_size > 0
        (copy / "state.sqlite-wal").unlink()
        shutil.rmtree(stage.state)
        shutil.copytree(copy, stage.state)
        stage.receiver.ledger = ledger
        assert stage.pushes() == "agreed"


LOCKER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("begin exclusive")
print("locked", flush=True)
sys.stdin.read()
"""


def test_another_process_has_locked_the_database(stage: Stage) -> None:
    command = [sys.executable, "-c", LOCKER, stage.database]
    with (
        mock.patch.object(sqlite, "PATIENCE", 0.2),
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker,
    ):
        assert locker.stdout is not None
        assert locker.stdin is not None
        assert locker.stdout.readline() == "locked\n"
        assert "locked" in stage.pushes()
        locker.stdin.close()
    assert stage.pushes() == "agreed"


@pytest.mark.parametrize("which", ["state.sqlite", "members", "plans"])
def test_a_file_that_may_not_be_read(stage: Stage, which: str) -> None:
    path = stage.database if which == "state.sqlite" else stage.frames(which)[0]
    stage.world.plan()  # everything that is imported late is imported
    with as_nobody(stage.world.folder):
        path.chmod(0)
        assert stage.pushes() != "agreed"
        path.chmod(0o600)
        assert stage.pushes() == "agreed"
