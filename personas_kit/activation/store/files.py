"""Frames as Parquet files in a folder, for its owner alone, that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import polars as pl

from personas_kit.activation.store.tables import Folder
from personas_kit.errors import StateError

#: Under which key a file says what it is called, so that files that were exchanged are noticed.
_NAME = "personas_frame"


class FileFrames:
    """The files of a state folder. A name is written once and never changed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def folder(self, name: str) -> Path:
        """A subfolder, made when needed, for the owner alone.

        Raises:
            StateError: it cannot be made.
        """
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

    def write(self, folder: Folder, name: str, frame: pl.DataFrame | Iterable[pl.DataFrame]) -> str:
        """Write a frame under a new name: to a temporary file, to the disk, then renamed. Returns the file's name.

        Raises:
            StateError: it cannot be written; nothing of it is left, or the next push removes it.
        """
        file = f"{name}-{uuid4().hex[:8]}.parquet"
        temporary = self.folder(folder) / f".{file}"
        try:
            with open(temporary, "wb", opener=_private) as out:
                _write(frame, out, file)
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(self._path / folder / file)
            _sync_folder(self._path / folder)
        except OSError as problem:
            with contextlib.suppress(OSError):  # what cannot be removed now is removed by the next push
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
            StateError: it is missing or damaged, or it is another one under this name.
        """
        path = self._path / folder / file
        with _whole(path):
            frame = pl.read_parquet(path, memory_map=False)
            _check_name(path)
        return frame

    def scan(self, folder: Folder, file: str) -> pl.LazyFrame:
        """A file of the state, of which no more is read than is asked for.

        Raises:
            StateError: it is missing, or another one under this name.
        """
        path = self._path / folder / file
        with _whole(path):
            _check_name(path)
            return pl.scan_parquet(path)

    def folded(self, *_: object, **__: object) -> None:
        """Files of this machine are read."""

    def keep_only(self, folder: Folder, sync_id: str, files: Collection[str]) -> None:
        """Remove the files of a sync that nothing points to any more; half-written ones too.

        Raises:
            StateError: one of them cannot be removed.
        """
        for path in self.folder(folder).glob(f"*{sync_id}-*.parquet"):
            if path.name in files:
                continue
            try:
                path.unlink(missing_ok=True)
            except OSError as problem:
                raise StateError(
                    f"a file of the state that is needed no more cannot be removed: {problem.strerror}",
                    where=str(path),
                    hint="fix the permissions, then push again; nothing is lost",
                ) from None

    def has_members(self) -> bool:
        """Whether members of any sync lie here."""
        return any((self._path / "members").glob("[!.]*.parquet"))


def _write(frame: pl.DataFrame | Iterable[pl.DataFrame], out: IO[bytes], file: str) -> None:
    """As Parquet; pieces one after the other."""
    if isinstance(frame, pl.DataFrame):
        frame.write_parquet(out, compression="zstd", compression_level=1, statistics=False, metadata={_NAME: file})
        return
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415  (most of what reads a state writes none)

    with contextlib.ExitStack() as left:
        writer = None
        for piece in frame:
            table = piece.to_arrow().replace_schema_metadata({_NAME: file})
            if writer is None:
                how: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "use_dictionary": ["value"]}
                writer = left.enter_context(ParquetWriter(out, table.schema, write_statistics=False, **how))
            writer.write_table(table)


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError):
        raise _damaged("a file of the state is missing or damaged", path) from None


def _check_name(path: Path) -> None:
    written_as = pl.read_parquet_metadata(path).get(_NAME, path.name)
    if written_as != path.name:
        raise _damaged(f"a file of the state is not the one it is called; it was written as {written_as}", path)


def _damaged(what: str, path: Path) -> StateError:
    hint = "restore it from a backup, or start over with: personas reset KEY --to NAME"
    return StateError(what, where=str(path), hint=hint)


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
