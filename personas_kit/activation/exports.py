"""Members in a file, for a person or a program."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from personas_kit.errors import PersonasError

_OPENINGS = ("=", "+", "-", "@", "\t", "\r")


def export(members: pl.DataFrame, file: Path) -> None:
    """Write a frame: ``.csv`` for people, ``.parquet`` or ``.ndjson`` for programs, by the file's ending.

    In a CSV, lists become texts joined by ``;``, and a text that a spreadsheet would run as a formula gets a leading
    apostrophe.

    Raises:
        PersonasError: another ending, or the file cannot be written.
    """
    writers = {".csv": _write_csv, ".parquet": pl.DataFrame.write_parquet, ".ndjson": pl.DataFrame.write_ndjson}
    write = writers.get(file.suffix.lower())
    if write is None:
        raise PersonasError(
            f"cannot write {file.suffix or 'a file without an ending'}",
            where=str(file),
            hint=f"use {', '.join(writers)}",
        )
    try:
        write(members, file)  # type: ignore[operator]
    except OSError as problem:
        raise PersonasError(f"the file cannot be written: {problem.strerror}", where=str(file)) from None


def _write_csv(members: pl.DataFrame, file: Path) -> None:
    flat = members.with_columns(
        pl.col(name).cast(pl.List(pl.String)).list.join(";")
        for name, dtype in members.schema.items()
        if isinstance(dtype, pl.List)
    )
    texts = [name for name, dtype in flat.schema.items() if dtype == pl.String]
    dangerous = [pl.col(name).str.head(1).is_in(_OPENINGS) for name in texts]
    flat.with_columns(
        pl.when(danger).then(pl.lit("'") + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name, danger in zip(texts, dangerous, strict=True)
    ).write_csv(file)
