"""Frames as tables of the warehouse: acknowledged members as SQL can read them, plans as Parquet in a table."""

from __future__ import annotations

import io
import re
import secrets
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import polars as pl

from personas_kit.activation.state import microseconds
from personas_kit.activation.store.tables import Folder, Locks
from personas_kit.clock import Clock
from personas_kit.compiler.differing import Known, members_statement
from personas_kit.errors import StateError, WarehouseError
from personas_kit.warehouses.keeping import Keeper, Session

CHUNK = 4_000_000
"""Bytes of Parquet in one line: Snowflake's BINARY holds 8 MB."""
REMEMBERED = 200_000_000
"""Bytes of frames that are kept in memory, so that they do not travel again."""
READABLE = 24
"""So much of a frame's name is kept in its table's name, which PostgreSQL limits to 63 with what it adds."""
_PLAIN = {pl.String(), pl.Int64()}


class _Journal(Protocol):
    """The tables beside the frames, in the same schema."""

    def present(self) -> bool: ...
    def writing(self) -> AbstractContextManager[Session]: ...


class WarehouseFrames:
    """Tables named ``members_...`` and ``plans_...``. Each is in the table ``frame`` from before it is made.

    So whatever a crash leaves is known, and dropped when the sync is next tidied up.
    """

    def __init__(self, keeper: Keeper, dialect: str, journal: _Journal, locks: Locks, clock: Clock) -> None:
        self._keeper = keeper
        self._dialect = dialect
        self._journal = journal
        self._locks = locks
        self._clock = clock
        self._recent: dict[str, pl.DataFrame] = {}
        self._alone = threading.Lock()

    def write(self, folder: Folder, name: str, frame: pl.DataFrame | Iterable[pl.DataFrame]) -> str:
        """Write a frame. Its table is called after the beginning of ``name``, and something random.

        Raises:
            StateError: the warehouse does not take it.
        """
        frame = frame if isinstance(frame, pl.DataFrame) else pl.concat(frame)
        file = self._noted(folder, name)
        try:
            self._keeper.put(file, packed(frame))
        except WarehouseError as problem:
            raise StateError(
                f"the state cannot be written: {problem.what}", where=self._keeper.describe(), hint=problem.hint
            ) from None
        if folder == "plans":  # the push that has just written it reads it back when it folds
            self._remember(file, frame)
        return file

    def folded(
        self, sync_id: str, files: Sequence[str], changes: pl.DataFrame, *, values: bool, integers: bool
    ) -> tuple[str, int] | None:
        """See ``Frames.folded``: one statement, so that members do not travel. The changes go there first.

        Raises:
            StateError: as ``write``.
        """
        small = changes if integers else changes.cast({"member": pl.String})
        later = [*files[1:], *([self.write("members", sync_id, small)] if small.height else [])]
        place = self._keeper.place
        known = Known(place(files[0]), tuple(place(each) for each in later))
        statement = members_statement(known, self._dialect, integers=integers, values=values)
        file = self._noted("members", sync_id)
        try:
            return file, self._keeper.derive(file, statement)
        except WarehouseError as problem:
            raise StateError(
                f"the state cannot be written: {problem.what}", where=self._keeper.describe(), hint=problem.hint
            ) from None

    def _noted(self, folder: Folder, name: str) -> str:
        """A new name for a table, which is noted before there is one."""
        readable = re.sub(r"\W+", "_", name, flags=re.ASCII)[:READABLE].strip("_").lower()
        file = f"{folder}_{readable}_{secrets.token_hex(4)}"
        with self._journal.writing() as tables:
            tables.run("insert into frame values (?, ?, ?, ?)", (file, folder, name, microseconds(self._clock.now())))
        return file

    def read(self, folder: Folder, file: str) -> pl.DataFrame:  # noqa: ARG002  (all are in one schema)
        """Read a frame.

        Raises:
            StateError: it is missing or damaged, or the warehouse does not answer.
        """
        with self._alone:
            found = self._recent.get(file)
        if found is not None:
            return found
        try:
            frame = unpacked(self._keeper.get(file))
        except (pl.exceptions.PolarsError, WarehouseError) as problem:
            raise self._unread(file, problem) from None
        self._remember(file, frame)
        return frame

    def scan(self, folder: Folder, file: str) -> pl.LazyFrame:
        """The frame, which is read at once: there is nothing to gain.

        Raises:
            StateError: as ``read``.
        """
        return self.read(folder, file).lazy()

    def _remember(self, file: str, frame: pl.DataFrame) -> None:
        """Keep the last frames: none ever changes, and a push reads the same ones again and again."""
        with self._alone:  # accounts are pushed beside each other
            self._recent[file] = frame
            while len(self._recent) > 1 and sum(each.estimated_size() for each in self._recent.values()) > REMEMBERED:
                self._recent.pop(next(iter(self._recent)))

    def _unread(self, file: str, problem: Exception) -> StateError:
        where = f"{file} in {self._keeper.describe()}"
        if isinstance(problem, WarehouseError) and self._there(file):
            return StateError(f"the state cannot be read: {problem.what}", where=where, hint=problem.hint)
        return StateError(
            "a table of the state is missing or damaged",
            where=where,
            hint="restore it from a backup, or start over with: personas reset KEY --to NAME",
        )

    def _there(self, file: str) -> bool:
        """Whether there is such a table, or nobody can say."""
        try:
            return file in self._keeper.tables()
        except WarehouseError:
            return True

    def keep_only(self, folder: Folder, sync_id: str, files: Collection[str]) -> None:
        """Drop the frames of a sync that nothing points to any more; those of crashes, too.

        One that somebody is reading, perhaps a machine that sleeps, is left for the next time.

        Raises:
            SyncBusy: the sync was taken over: what nothing pointed to here may be what the other one has just written.
        """
        if not self._journal.present():
            return
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync_id)
            known = tables.rows("select file, name from frame where folder = ?", (folder,))
            needless = [row["file"] for row in known if row["name"].endswith(sync_id) and row["file"] not in files]
            # First of all the tables: a line without its table does no harm.
            gone = [file for file in needless if tables.drop(file)]
            tables.many("delete from frame where file = ?", [(file,) for file in gone])
        with self._alone:
            for file in gone:
                self._recent.pop(file, None)


def packed(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as it stands, if it holds texts and whole numbers only; else its Parquet in lines of some megabytes.

    Every warehouse has those two types, and no two of them the same others.
    """
    if set(frame.dtypes) <= _PLAIN:
        return frame
    out = io.BytesIO()
    frame.write_parquet(out, compression="zstd", compression_level=1, statistics=False)
    content = out.getvalue()
    parts = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]
    return pl.DataFrame({"chunk": range(len(parts)), "parquet": parts}, schema=_PACKED)


def unpacked(table: pl.DataFrame) -> pl.DataFrame:
    """The frame that was packed.

    Raises:
        PolarsError: a line of it is missing.
    """
    if table.schema != _PACKED:
        return table
    return pl.read_parquet(io.BytesIO(b"".join(table.sort("chunk")["parquet"])))


_PACKED = pl.Schema({"chunk": pl.Int64(), "parquet": pl.Binary()})
