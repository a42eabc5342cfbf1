"""Opens workspaces: from ``personas.toml``, or with a notebook's own DuckDB handle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from personas_kit.config import FILE, Config, WarehouseSettings, expanded, find_file, load, read_sql
from personas_kit.errors import short_traceback
from personas_kit.secret import Secret
from personas_kit.warehouses.base import Warehouse
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.workspace import Workspace

if TYPE_CHECKING:
    import duckdb


@short_traceback
def open_workspace(path: str | Path = ".", *, connection: duckdb.DuckDBPyConnection | None = None) -> Workspace:
    """The workspace of ``personas.toml`` in a folder or above it.

    Args:
        path: the file, or a folder at or below it.
        connection: a DuckDB connection of yours to read from, instead of opening the warehouse's file; needed in a
            notebook that holds the file open itself. It is never closed here.

    Raises:
        ConfigError: there is no file, or something in it is wrong; with the key and a hint.
        DefinitionError: a definition in it cannot be read.
    """
    config = load(find_file(Path(path)))
    return Workspace(config, DuckDB(connection=connection) if connection is not None else open_warehouse(config))


@short_traceback
def sql_file(path: str | Path) -> str:
    """The text of a file of SQL, for ``pk.SqlAudience(name, pk.sql_file("sql/active.sql"))``.

    Raises:
        ConfigError: it cannot be read.
    """
    return read_sql(expanded(str(path), "the file of SQL"))


def open_warehouse(config: Config) -> Warehouse:
    """The adapter that ``[warehouse]`` asks for. Nothing is connected before the first query."""
    return warehouse_of(config.warehouse, config.folder)


def warehouse_of(settings: WarehouseSettings, folder: Path) -> Warehouse:
    """The adapter for some settings; relative paths start at the folder."""
    if settings.type == "snowflake":
        from personas_kit.warehouses.snowflake import Snowflake  # noqa: PLC0415  (an extra)

        return Snowflake(
            settings.connection or "",
            role=settings.role,
            warehouse=settings.warehouse,
            database=settings.database,
            schema=settings.schema_,
            timeout=settings.timeout,
        )
    if settings.type == "postgres":
        from personas_kit.warehouses.postgres import Postgres  # noqa: PLC0415  (as above)

        return Postgres(
            settings.connection,
            url=Secret.parse(settings.url, base=folder, where=f"{FILE}: warehouse.url") if settings.url else None,
            role=settings.role,
            database=settings.database,
            schema=settings.schema_,
            timeout=settings.timeout,
        )
    if settings.files is not None:
        at = {name: f"{FILE}: warehouse.files.{name}" for name in settings.files}
        files = {
            name: str(expanded(file, at[name])) if file[:1] == "~" else file for name, file in settings.files.items()
        }
        return DuckDB(files=files, base=folder, timeout=settings.timeout)
    return DuckDB(folder / expanded(settings.path or "", f"{FILE}: warehouse.path"), timeout=settings.timeout)
