"""Frames as Parquet files in a folder, for its owner alone, that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from uuid import uuid4

import polars as pl

from personas_kit.activation.store.tables import Folder
from personas_kit.errors import StateError


class FileFrames:
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

    def write(self, folder: Folder, name: str, frame: pl.DataFrame) -> str:
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

    def read(self, folder: Folder, file: str) -> pl.DataFrame:
        """Read a file of the state.

        Raises:
            StateError: it is missing or damaged.
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

    def keep_only(self, folder: Folder, sync_id: str, files: Collection[str]) -> None:
        """Remove the files of a sync that nothing points to any more; half-written ones too."""
        for path in self.folder(folder).glob(f"*{sync_id}-*.parquet"):
            if path.name not in files:
                path.unlink(missing_ok=True)


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
