"""The tables in one SQLite file, all or nothing, on the disk when it says so."""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from personas_kit.activation.store.mounts import network_type
from personas_kit.activation.store.schema import VERSION, statements
from personas_kit.activation.store.tables import Row
from personas_kit.display import say
from personas_kit.errors import StateError

#: Seconds to wait for another process that is writing.
PATIENCE = 30


class SqliteJournal:
    """A database file, made when something is first written.

    Args:
        path: of the file.
        make_folder: makes the folder that it lies in.
        migrate: brings the tables of an older version up to date, within a transaction.
        was_used: whether something lies beside it that only a database could have led to.
    """

    def __init__(
        self,
        path: Path,
        make_folder: Callable[[], object],
        migrate: Callable[[sqlite3.Connection, int], None],
        was_used: Callable[[], bool],
    ) -> None:
        self.path = path
        self._make_folder = make_folder
        self._migrate = migrate
        self._was_used = was_used

    def present(self) -> bool:
        """Whether the file is there.

        Raises:
            StateError: it was there, and is gone.
        """
        if not self.path.exists() and self._was_used() and not self.path.exists():  # it may just have been made
            raise self._gone()
        return self.path.exists()

    def check(self) -> str:
        """Where the state is; whether it can be written is tried: by a transaction that changes nothing.

        Raises:
            StateError: it cannot.
        """
        folder = self.path.parent
        if self.present():
            with self.writing():
                return f"in the folder {folder}, which can be written"
        there = next(above for above in (folder, *folder.absolute().parents) if above.exists())
        if not os.access(there, os.W_OK):
            raise StateError(
                "the state folder cannot be made", where=str(folder), hint="set [state] path to a folder of yours"
            )
        return f"in the folder {folder}: nothing yet, the first push makes it"

    @contextlib.contextmanager
    def reading(self) -> Iterator[SqliteTables]:
        """To look.

        Raises:
            StateError: it cannot be read, or a newer version wrote it.
        """
        with self._opened() as db:
            db.execute("begin")  # whatever others write meanwhile, all that is read is of one moment
            yield SqliteTables(db)

    @contextlib.contextmanager
    def writing(self) -> Iterator[SqliteTables]:
        """A transaction.

        Raises:
            StateError: it cannot be written, or a newer version wrote it.
        """
        with self._opened() as db, transaction(db):
            yield SqliteTables(db)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self._make_folder()
        try:
            self.path.touch(mode=0o600)
            with contextlib.closing(sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)) as db:
                db.row_factory = sqlite3.Row
                db.execute(f"pragma journal_mode = {_journal_mode(self.path.parent)}")
                db.execute("pragma synchronous = full")
                db.execute("pragma secure_delete = on")  # who is forgotten is not left in pages that became free
                self._brought_up(db)
                yield db
        except (sqlite3.Error, OSError) as problem:
            raise StateError(
                f"the state database cannot be used: {problem}",
                where=str(self.path),
                hint="if the disk is full, make room; if it may not be written, fix the permissions, of the files "
                "beside it too; if it is damaged, restore it from a backup",
            ) from None

    def _brought_up(self, db: sqlite3.Connection) -> None:
        """Make the tables of a new database, bring an older one up to date, refuse a newer one."""
        if _version(db) == VERSION:
            return
        with transaction(db):  # another process may have been quicker
            version = _version(db)
            if version is None and self._was_used():
                raise self._gone()
            if version is None:
                for statement in (*statements(), *statements("local.sql")):
                    db.execute(statement)
                db.execute("insert into meta values ('version', ?)", (str(VERSION),))
            elif version > VERSION:
                raise StateError(
                    f"a newer version of the kit wrote this state (format {version}, this one reads {VERSION})",
                    where=str(self.path),
                    hint="update personas-kit",
                )
            elif version < VERSION:
                self._migrate(db, version)

    def _gone(self) -> StateError:
        """Never taken for a state that is new: everybody would be sent again, and nobody taken out."""
        return StateError(
            "the state database is gone or empty, but members of earlier pushes lie beside it",
            where=str(self.path),
            hint="restore it from a backup, together with the file that ends in -wal; to start over and send everyone "
            f"again, remove the folder {self.path.parent}",
        )


class SqliteTables:
    """An open database."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """What a SELECT gives."""
        return [dict(row) for row in self._db.execute(statement, values)]

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Change something."""
        return self._db.execute(statement, values).rowcount

    def many(self, statement: str, lines: Iterable[Sequence[object]]) -> None:
        """The same statement for many lines."""
        self._db.executemany(statement, lines)


@functools.cache
def _journal_mode(folder: Path) -> str:
    """``wal``; on a network file system, where that cannot work, the older and slower way, and a word about it once."""
    kind = network_type(folder)
    if kind is None:
        return "wal"
    say(
        f"the state in {folder} is on a network file system ({kind}): it is kept more slowly there, and by one machine "
        'at a time; set [state] path to a local folder, or store = "warehouse" for several machines'
    )
    return "delete"


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and on the disk when it returns."""
    db.execute("begin immediate")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # some errors end it by themselves, as that of a full disk does
            db.execute("rollback")
        raise
    db.execute("commit")


def _version(db: sqlite3.Connection) -> int | None:
    """The format of the tables; None where there are none. The first format had one column, later ones have names."""
    columns = [row["name"] for row in db.execute("pragma table_info(meta)")]
    if not columns:
        return None
    if columns == ["version"]:
        return int(db.execute("select version from meta").fetchone()["version"])
    return int(db.execute("select value from meta where name = 'version'").fetchone()["value"])
