"""What was applied, one row per request, in one SQLite file: the state is what these rows, replayed in order, make."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from personas_kit.errors import StateError

VERSION = 1
_CREATE = """
create table if not exists journal (
    seq integer primary key, at text not null, method text not null, path text not null, account text not null,
    status integer not null, items integer not null, size integer not null, fault text not null, detail text not null
)
"""
_COLUMNS = ("at", "method", "path", "account", "status", "items", "size", "fault", "detail")


class Journal:
    """An append-only file of requests. One process writes it; others may read it meanwhile.

    Raises:
        StateError: the file is no journal of a sandbox, or was written by a newer version, or cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.touch(mode=0o600)  # it holds what was sent: addresses, identifiers
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError) as error:
            what = f"the journal cannot be opened: {getattr(error, 'strerror', None) or error}"
            raise StateError(what, where=str(path), hint="name a file in a folder of yours") from None
        try:
            self._connection.execute("pragma journal_mode=wal")
            self._connection.execute("pragma synchronous=normal")
            _check_version(self._connection, path)
            self._connection.execute(_CREATE)
            self._connection.execute(f"pragma user_version={VERSION}")
        except (sqlite3.DatabaseError, StateError) as error:
            self._connection.close()
            raise _not_ours(path, error) from None

    def append(self, row: dict[str, Any]) -> None:
        """Write one request, durably against the end of this process, before it is answered."""
        values = [json.dumps(row[name], separators=(",", ":")) if name == "detail" else row[name] for name in _COLUMNS]
        marks = ", ".join("?" * len(_COLUMNS))
        self._connection.execute(f"insert into journal ({', '.join(_COLUMNS)}) values ({marks})", values)  # noqa: S608  (constants)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every request so far, oldest first."""
        return _rows(self._connection)

    def close(self) -> None:
        """Close the file; it is whole in itself then."""
        self._connection.close()


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Every request that a sandbox wrote to ``path``, oldest first; the sandbox may be running.

    Raises:
        StateError: there is no such file, or it is no journal of a sandbox.
    """
    if not path.is_file():
        raise StateError("there is no journal of a sandbox", where=path.name)
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            _check_version(connection, path)
            return list(_rows(connection))
    except sqlite3.DatabaseError as error:
        raise _not_ours(path, error) from None


def _rows(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    for values in connection.execute(f"select {', '.join(_COLUMNS)} from journal order by seq"):  # noqa: S608  (constants)
        row = dict(zip(_COLUMNS, values, strict=True))
        yield {**row, "detail": json.loads(row["detail"])}


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("pragma user_version").fetchone()[0] > VERSION:
        raise StateError("the journal was written by a newer version", where=path.name, hint="upgrade personas_kit")


def _not_ours(path: Path, error: Exception) -> StateError:
    if isinstance(error, StateError):
        return error
    return StateError("the file is no journal of a sandbox", where=path.name, hint="give another --path")
