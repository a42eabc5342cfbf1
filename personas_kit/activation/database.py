"""The transactional part of the local state: one SQLite file, all or nothing, on the disk when it says so."""

from __future__ import annotations

import contextlib
import importlib.resources
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from personas_kit.errors import StateError

VERSION = 1


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, made when it is not there, closed at the end.

    Raises:
        StateError: it cannot be read or written, or another version wrote it.
    """
    try:
        path.touch(mode=0o600)
        with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = full")
            _migrate(db)
            yield db
    except (sqlite3.DatabaseError, OSError) as problem:
        raise StateError(
            f"the state database cannot be used: {problem}",
            where=str(path),
            hint="if the disk is full, make room; if the file is damaged, restore it from a backup",
        ) from None


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and on the disk when it returns."""
    db.execute("begin immediate")
    try:
        yield
    except BaseException:
        db.execute("rollback")
        raise
    db.execute("commit")


def _migrate(db: sqlite3.Connection) -> None:
    """Make the tables of a new database; refuse one that a newer version wrote."""
    if db.execute("select 1 from sqlite_master where name = 'meta'").fetchone() is None:
        schema = importlib.resources.files("personas_kit.activation").joinpath("schema.sql").read_text(encoding="utf-8")
        db.executescript(f"begin immediate; {schema} insert into meta values ({VERSION}); commit;")  # noqa: S608  (ours)
        return
    (version,) = db.execute("select version from meta").fetchone()
    if version != VERSION:
        raise StateError(
            f"the state was written by another version of the kit (format {version}, this one reads {VERSION})",
            hint="update personas-kit",
        )
