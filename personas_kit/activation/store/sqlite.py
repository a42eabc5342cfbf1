"""The tables in one SQLite file, all or nothing, on the disk when it says so."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from personas_kit.activation.store.schema import VERSION, statements
from personas_kit.activation.store.tables import Row
from personas_kit.errors import StateError

#: Seconds to wait for another process that is writing.
PATIENCE = 30


class SqliteJournal:
    """A database file, made when something is first written.

    Args:
        path: of the file.
        make_folder: makes the folder that it lies in.
        migrate: brings the tables of an older version up to date, within a transaction.
    """

    def __init__(
        self, path: Path, make_folder: Callable[[], object], migrate: Callable[[sqlite3.Connection, int], None]
    ) -> None:
        self.path = path
        self._make_folder = make_folder
        self._migrate = migrate

    def present(self) -> bool:
        """Whether the file is there."""
        return self.path.exists()

    @contextlib.contextmanager
    def reading(self) -> Iterator[SqliteTables]:
        """To look.

        Raises:
            StateError: it cannot be read, or a newer version wrote it.
        """
        with self._opened() as db:
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
                db.execute("pragma journal_mode = wal")
                db.execute("pragma synchronous = full")
                self._brought_up(db)
                yield db
        except (sqlite3.Error, OSError) as problem:
            raise StateError(
                f"the state database cannot be used: {problem}",
                where=str(self.path),
                hint="if the disk is full, make room; if the file is damaged, restore it from a backup",
            ) from None

    def _brought_up(self, db: sqlite3.Connection) -> None:
        """Make the tables of a new database, bring an older one up to date, refuse a newer one."""
        if _version(db) == VERSION:
            return
        with transaction(db):  # another process may have been quicker
            version = _version(db)
            if version is None:
                for statement in statements():
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


def _version(db: sqlite3.Connection) -> int | None:
    """The format of the tables; None where there are none. The first format had one column, later ones have names."""
    columns = [row["name"] for row in db.execute("pragma table_info(meta)")]
    if not columns:
        return None
    if columns == ["version"]:
        return int(db.execute("select version from meta").fetchone()["version"])
    return int(db.execute("select value from meta where name = 'version'").fetchone()["value"])
