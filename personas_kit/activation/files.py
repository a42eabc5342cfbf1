"""The columnar part of the state: Parquet files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

import polars as pl
import polars_hash

from personas_kit.errors import StateError
from personas_kit.membership.changes import apply_changes

COMPACT_AT = 0.1
"""The chain is rewritten as one base when its changes exceed this share of the base."""


@dataclass(frozen=True, slots=True)
class Part:
    """One link of a sync's chain: the base, or changes on top of what comes before it."""

    kind: Literal["base", "changes"]
    file: str
    lines: int


class FileChain:
    """The files of a state folder. A name is written once and never changed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def folder(self, name: str) -> Path:
        """A subfolder, made when needed, for the owner alone."""
        folder = self._path / name
        try:
            self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as problem:
            raise StateError(
                f"the state folder cannot be written: {problem.strerror}",
                where=str(self._path),
                hint="set [state] path to a folder of yours",
            ) from None
        return folder

    def write(self, folder: str, name: str, frame: pl.DataFrame) -> str:
        """Write a frame under a new name: to a temporary file, to the disk, then renamed. Returns the file's name."""
        file = f"{name}-{uuid4().hex[:8]}.parquet"
        temporary = self.folder(folder) / f".{file}"
        try:
            with open(temporary, "wb", opener=_private) as out:
                frame.write_parquet(out, compression="zstd", compression_level=1)
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(self._path / folder / file)
            _sync_folder(self._path / folder)
        except OSError as problem:
            temporary.unlink(missing_ok=True)
            raise StateError(
                f"the state cannot be written: {problem.strerror}",
                where=str(self._path / folder),
                hint="make room or fix the permissions, then push again",
            ) from None
        return file

    def read(self, folder: str, file: str) -> pl.DataFrame:
        """Read a file of the state.

        Raises:
            StateError: it is missing or damaged. Nothing is ever assumed in its place: that would send everyone again.
        """
        path = self._path / folder / file
        try:
            return pl.read_parquet(path, memory_map=False)
        except (OSError, pl.exceptions.PolarsError):
            raise StateError(
                "a file of the state is missing or damaged",
                where=str(path),
                hint="restore it from a backup, or start over with: personas reset KEY --to NAME",
            ) from None

    def remove(self, folder: str, file: str) -> None:
        """Remove a file, if it is there."""
        (self._path / folder / file).unlink(missing_ok=True)

    def members(self, chain: Sequence[Part]) -> pl.DataFrame | None:
        """The acknowledged members at the end of a chain; None for an empty one."""
        if not chain:
            return None
        current = self.read("members", chain[0].file)
        for part in chain[1:]:
            current = apply_changes(current, self.read("members", part.file))
        return current

    def fold(self, sync_id: str, chain: Sequence[Part], changes: pl.DataFrame, *, values: bool) -> list[Part]:
        """The chain with the changes at its end: one more file, or one new base if the chain has grown long.

        Args:
            sync_id: names the files.
            chain: what there is.
            changes: ``member``, ``change``, ``value``.
            values: members have values.
        """
        if not changes.height and chain:
            return list(chain)
        columns = ["member", "value"] if values else ["member"]
        if not chain:
            base = changes.filter(pl.col("change") != "exit").filter(pl.col("value") != "null").select(columns)
            return [self._part(sync_id, "base", base)]
        longer = [*chain, self._part(sync_id, "changes", changes.select("member", "change", "value"))]
        if sum(part.lines for part in longer[1:]) <= COMPACT_AT * longer[0].lines:
            return longer
        whole = self.members(longer)
        self.remove("members", longer[-1].file)
        return [self._part(sync_id, "base", whole if whole is not None else changes.select(columns).clear())]

    def keep_only(self, folder: str, pattern: str, names: Collection[str]) -> None:
        """Remove the files of a pattern that nothing points to any more, such as those of a crash while writing."""
        for path in self.folder(folder).glob(f"{pattern}.parquet"):
            if path.name not in names:
                path.unlink(missing_ok=True)

    def _part(self, sync_id: str, kind: Literal["base", "changes"], frame: pl.DataFrame) -> Part:
        return Part(kind, self.write("members", sync_id, frame.sort(_order(frame))), frame.height)


def _order(frame: pl.DataFrame) -> pl.Expr:
    """Texts in the order of a hash that never changes, so that two files merge in one pass; numbers by value."""
    if frame.schema["member"] == pl.String:
        return polars_hash.col("member").nchash.xxh3_64()
    return pl.col("member")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system lets a folder be opened (not on Windows)."""
    opener: Callable[..., int] | None = getattr(os, "open", None) if hasattr(os, "O_DIRECTORY") else None
    if opener is None:
        return
    handle = opener(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
