"""How a frame becomes a table of Snowflake: by way of a Parquet file and a stage of its own.

(https://docs.snowflake.com/en/sql-reference/sql/copy-into-table, read 2026-11-27)
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

#: How a file of ours is read. Unless told otherwise Snowflake takes bytes for text and the text ``\N`` for a missing
#: one, and leaves what is missing out of a list.
#: (https://docs.snowflake.com/en/sql-reference/sql/create-file-format, "TYPE = PARQUET", read 2026-11-27)
PARQUET = "TYPE = PARQUET BINARY_AS_TEXT = FALSE USE_LOGICAL_TYPE = TRUE USE_VECTORIZED_SCANNER = TRUE NULL_IF = ()"
#: How the columns of a frame are declared when it is written; what is not here is text.
DECLARED: Mapping[type[pl.DataType], str] = {
    pl.Float32: "FLOAT",
    pl.Float64: "FLOAT",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Time: "TIME",
    pl.Binary: "BINARY",
    pl.List: "ARRAY",
    pl.Struct: "OBJECT",
}


@contextmanager
def loading(table: str, frame: pl.DataFrame) -> Iterator[tuple[list[str], list[str]]]:
    """The statements that make a new table of the frame, and those that clear up. They are run within the context.

    All of them in one session: a stage is known to the one that made it alone.

    Args:
        table: its name, part by part, each as Snowflake spells it.
        frame: what it holds.
    """
    *place, _ = (quoted(part) for part in table.split("."))
    fresh = ".".join(quoted(part) for part in table.split("."))
    mark = f"personas_kit_{secrets.token_hex(6)}"
    stage = ".".join([*place, mark])
    columns = ", ".join(f"{quoted(column)} {_declared(dtype)}" for column, dtype in frame.schema.items())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"{mark}.parquet")
        frame.write_parquet(file)
        put = file.as_posix().replace("'", "\\'")
        made = [
            f"CREATE TEMPORARY STAGE {stage}",
            f"PUT 'file://{put}' @{stage} AUTO_COMPRESS = FALSE",
            f"CREATE TRANSIENT TABLE {fresh} ({columns})",
            f"COPY INTO {fresh} FROM @{stage} FILE_FORMAT = ({PARQUET}) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE",
        ]
        yield made, [f"DROP STAGE IF EXISTS {stage}"]


def quoted(name: str) -> str:
    """A name in quotes, so that it means itself."""
    return '"' + name.replace('"', '""') + '"'


def _declared(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime):
        return "TIMESTAMP_NTZ" if dtype.time_zone is None else "TIMESTAMP_TZ"
    if isinstance(dtype, pl.Decimal):
        return f"NUMBER({dtype.precision or 38}, {dtype.scale})"
    return "NUMBER(38, 0)" if dtype.is_integer() else DECLARED.get(type(dtype), "TEXT")
