"""Members in a file, for a person or a program: part by part, so that there may be more of them than memory holds.

A spreadsheet runs a text as a formula by how it opens. Source: OWASP's ASVS 1.2.10 (``= + - @``, tab, NUL) and its page
on CSV injection (carriage return, line feed, and the same signs in full width), read 2026-11-26.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from personas_kit.errors import PersonasError

_OPENINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def export(parts: Iterable[pl.DataFrame], file: Path) -> int:
    """Write frames of the same columns: ``.csv`` for people, ``.parquet`` or ``.ndjson`` for programs.

    The file is there when all of it is written, and not before, and its owner alone can read it. In a CSV, lists become
    texts joined by ``;``, and a text that a spreadsheet would run as a formula gets a leading apostrophe.

    Args:
        parts: at least one; it may be empty.
        file: its ending says the kind.

    Returns:
        How many lines were written.

    Raises:
        PersonasError: another ending, or the file cannot be written.
    """
    write = _WRITERS.get(file.suffix.lower())
    if write is None:
        raise PersonasError(
            f"cannot write {file.suffix or 'a file without an ending'}",
            where=str(file),
            hint=f"use {', '.join(_WRITERS)}",
        )
    with contextlib.ExitStack() as left:
        try:
            # A new file under a name that nobody can foresee, so that no link lies in wait there; for the owner alone.
            opened = tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False)  # noqa: SIM115
            unfinished = Path(opened.name)
            left.callback(unfinished.unlink, missing_ok=True)
            with opened:
                lines = write(parts, opened)
            unfinished.replace(file)
        except OSError as problem:
            raise PersonasError(
                f"the file cannot be written: {problem.strerror}",
                where=str(file),
                hint="make room, or name another folder",
            ) from None
    return lines


def _write_csv(parts: Iterable[pl.DataFrame], file: IO[bytes]) -> int:
    lines = 0
    for at, part in enumerate(parts):
        _harmless(part).write_csv(file, include_header=not at)
        lines += part.height
    return lines


def _write_ndjson(parts: Iterable[pl.DataFrame], file: IO[bytes]) -> int:
    lines = 0
    for part in parts:
        part.write_ndjson(file)
        lines += part.height
    return lines


def _write_parquet(parts: Iterable[pl.DataFrame], file: IO[bytes]) -> int:
    writer: pq.ParquetWriter | None = None
    lines = 0
    for part in parts:
        table: pa.Table = part.to_arrow()
        writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table.cast(writer.schema))
        lines += part.height
    if writer is not None:
        writer.close()
    return lines


def _harmless(members: pl.DataFrame) -> pl.DataFrame:
    """The same with every text a text to a spreadsheet, too; numbers stay numbers."""
    return members.select(_harmless_column(pl.col(name), dtype).alias(name) for name, dtype in members.schema.items())


def _harmless_column(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.List):  # ``;`` separates cells where a comma separates decimals
        return column.cast(pl.List(pl.String)).list.eval(_harmless_text(pl.element())).list.join(";")
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return _harmless_text(column.cast(pl.String))
    return column


def _harmless_text(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.head(1).is_in(_OPENINGS)).then(pl.lit("'") + text).otherwise(text)


_WRITERS: dict[str, Callable[[Iterable[pl.DataFrame], IO[bytes]], int]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".ndjson": _write_ndjson,
}
