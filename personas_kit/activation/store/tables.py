"""What a place has to offer so that state can be kept there: small tables, large frames, and one runner at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import polars as pl

from personas_kit.activation.sync import Sync

Folder = Literal["members", "plans"]
Row = Mapping[str, Any]


class Tables(Protocol):
    """The tables of ``schema.sql``. Statements have ``?`` for values, and are such as every place understands."""

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """What a SELECT gives, each line by the names of its columns."""
        ...

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Change something. Returns how many lines were changed."""
        ...

    def many(self, statement: str, lines: Iterable[Sequence[object]]) -> None:
        """The same statement for many lines."""
        ...


class Journal(Protocol):
    """Opens the tables."""

    def present(self) -> bool:
        """Whether there is anything yet; finding that out makes nothing."""
        ...

    def reading(self) -> contextlib.AbstractContextManager[Tables]:
        """To look."""
        ...

    def writing(self) -> contextlib.AbstractContextManager[Tables]:
        """A transaction: all of it, on the disk when the block ends, or nothing of it when the block raises."""
        ...

    def check(self) -> str:
        """Where it is, in words for people; whether it can be written is tried, and leaves nothing behind.

        Raises:
            StateError: it cannot.
        """
        ...


class Frames(Protocol):
    """Large things, each written once under a name of its own and never changed."""

    def write(self, folder: Folder, name: str, frame: pl.DataFrame | Iterable[pl.DataFrame]) -> str:
        """Write a frame, which is there whole or not at all. Returns the name that it got, for ``read``.

        Args:
            folder: what it is.
            name: ends with the sync's id, by which ``keep_only`` knows it.
            frame: or pieces of one, at least one, each asked for when the one before is written; of texts and numbers.
        """
        ...

    def scan(self, folder: Folder, file: str) -> pl.LazyFrame:
        """A frame to be read when it is collected: of a file no more than is asked for.

        Raises:
            StateError: it is missing or damaged.
        """
        ...

    def read(self, folder: Folder, file: str) -> pl.DataFrame:
        """Read a frame.

        Raises:
            StateError: it is missing or damaged. Nothing is ever assumed in its place: that would send everyone again.
        """
        ...

    def folded(
        self, sync_id: str, files: Sequence[str], changes: pl.DataFrame, *, values: bool, integers: bool
    ) -> tuple[str, int] | None:
        """Make one frame of members out of a chain of them and changes, where that can be done without reading them.

        Args:
            sync_id: names it.
            files: the base, and the changes after it, in order.
            changes: those after these: ``member``, ``change``, ``value``.
            values: members have values.
            integers: they are whole numbers.

        Returns:
            The name that it got, and how many lines it has; None where the frames have to be read.
        """
        ...

    def keep_only(self, folder: Folder, sync_id: str, files: Collection[str]) -> None:
        """Remove the frames of a sync that nothing points to any more, such as those of a crash while writing."""
        ...


class Locks(Protocol):
    """Sees to it that at most one runner sends a sync."""

    @property
    def lasting(self) -> bool:
        """Whether nobody can take over what is held, however long its holder is away."""
        ...

    def hold(self, sync: Sync) -> contextlib.AbstractContextManager[None]:
        """Hold the sync. Nobody waits.

        Raises:
            SyncBusy: somebody else holds it; says who and since when, where that is known.
        """
        ...

    def assert_held(self, tables: Tables, sync_id: str) -> None:
        """Within a transaction: whoever has lost the sync to somebody else may change nothing any more.

        Raises:
            SyncBusy: it was taken over.
        """
        ...

    def lost(self, tables: Tables, sync: Sync) -> bool:
        """Within a transaction: whether it was taken over. Its holder changes nothing until the transaction ends."""
        ...

    def still_held(self, sync: Sync) -> None:
        """Before a request leaves: the same, if a while has passed since it was looked at.

        Raises:
            SyncBusy: it was taken over.
        """
        ...
