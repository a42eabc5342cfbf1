"""Members in a file, for a person or a program: part by part, so that there may be more of them than memory holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from personas_kit.errors import PersonasError

_OPENINGS = ("=", "+", "-", "@", "\t", "\r")


def export(parts: Iterable[pl.DataFrame], file: Path) -> int:
    """Write frames of the same columns: ``.csv`` for people, ``.parquet`` or ``.ndjson`` for programs.

    The file is there when all of it is written, and not before. In a CSV, lists become texts joined by ``;``, and a
    text that a spreadsheet would run as a formula gets a leading apostrophe.

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
    unfinished = file.with_name(f".{file.name}.part")
    try:
        with unfinished.open("wb") as opened:
            lines = write(parts, opened)
        unfinished.replace(file)
    except OSError as problem:
        raise PersonasError(f"the file cannot be written: {problem.strerror}", where=str(file)) from None
    finally:
        unfinished.unlink(missing_ok=True)
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
    flat = members.with_columns(
        pl.col(name).cast(pl.List(pl.String)).list.join(";")
        for name, dtype in members.schema.items()
        if isinstance(dtype, pl.List)
    )
    texts = [name for name, dtype in flat.schema.items() if dtype == pl.String]
    dangerous = [pl.col(name).str.head(1).is_in(_OPENINGS) for name in texts]
    return flat.with_columns(
        pl.when(danger).then(pl.lit("'") + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name, danger in zip(texts, dangerous, strict=True)
    )


_WRITERS: dict[str, Callable[[Iterable[pl.DataFrame], IO[bytes]], int]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".ndjson": _write_ndjson,
}
