"""State in a folder of this machine, for one person or one scheduler."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from personas_kit.activation.store.files import FileFrames
from personas_kit.activation.store.lease import runner
from personas_kit.activation.store.migrations import migrate
from personas_kit.activation.store.sqlite import SqliteJournal
from personas_kit.activation.store.store import Store
from personas_kit.activation.store.tables import Tables
from personas_kit.activation.sync import Sync
from personas_kit.clock import Clock, SystemClock
from personas_kit.errors import StateError, SyncBusy


class LocalStore(Store):
    """``state.sqlite``, ``members/``, ``plans/`` and ``locks/`` in a folder; made when something is first written."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.path = path
        frames = FileFrames(path)

        journal = SqliteJournal(
            path / "state.sqlite",
            make_folder=lambda: frames.folder("members"),
            migrate=lambda db, version: migrate(db, version, frames),
            was_used=frames.has_members,
        )
        clock = clock or SystemClock()
        super().__init__(journal, frames, FileLocks(frames, clock), clock)


class FileLocks:
    """A lock of the operating system per sync: the kernel frees it when the process dies."""

    lasting = True

    def __init__(self, frames: FileFrames, clock: Clock) -> None:
        self._frames = frames
        self._clock = clock

    @contextlib.contextmanager
    def hold(self, sync: Sync) -> Iterator[None]:
        """Hold the sync; nobody waits.

        Raises:
            SyncBusy: somebody else holds it: who, and since when.
        """
        file = self._frames.folder("locks") / f"{sync.id}.lock"
        held = filelock.FileLock(file, timeout=0, mode=0o600, is_singleton=False)
        try:
            held.acquire()
        except filelock.Timeout:
            raise SyncBusy(
                f"somebody else is pushing this sync{_who(file)}",
                where=str(sync),
                hint="wait until they are done, then plan again",
            ) from None
        except OSError as problem:
            raise StateError(
                f"the sync cannot be locked: {problem.strerror}",
                where=str(file),
                hint="make room or fix the permissions, then push again",
            ) from None
        try:
            self._say_who(file)
            yield
        finally:
            held.release()

    def _say_who(self, lock: Path) -> None:
        """Leave beside the lock who holds it, for those who find it held."""
        said = f"{this_process()}, since {self._clock.now():%Y-%m-%d %H:%M} UTC"
        with contextlib.suppress(OSError):  # it is only said to people
            file = os.open(lock.with_suffix(".by"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as out:
                out.write(said)

    def assert_held(self, tables: Tables, sync_id: str) -> None:
        """The kernel sees to it."""

    def lost(self, tables: Tables, sync: Sync) -> bool:  # noqa: ARG002  (as above)
        """Never."""
        return False

    def still_held(self, sync: Sync) -> None:
        """The kernel sees to it."""


def this_process() -> str:
    """``user@host, process 812``, for people."""
    return f"{runner()}, process {os.getpid()}"


def _who(lock: Path) -> str:
    """``: ann@laptop, process 812, since 2026-11-01 12:00 UTC``; empty where that cannot be read."""
    try:
        said = lock.with_suffix(".by").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return f": {said}" if said else ""
