"""Opens workspaces: from ``personas.toml``, or with a notebook's own DuckDB handle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from personas_kit.config import Config, WarehouseSettings, find_file, load
from personas_kit.secret import Secret
from personas_kit.warehouses.base import Warehouse
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.workspace import Workspace

if TYPE_CHECKING:
    import duckdb


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


def open_warehouse(config: Config) -> Warehouse:
    """The adapter that ``[warehouse]`` asks for. Nothing is connected before the first query."""
    settings: WarehouseSettings = config.warehouse
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

        where = config.at("warehouse", "url")
        return Postgres(
            settings.connection,
            url=Secret.parse(settings.url, base=config.folder, where=where) if settings.url else None,
            role=settings.role,
            database=settings.database,
            schema=settings.schema_,
            timeout=settings.timeout,
        )
    if settings.files is not None:
        return DuckDB(files=settings.files, base=config.folder, timeout=settings.timeout)
    return DuckDB(config.folder / Path(settings.path or "").expanduser(), timeout=settings.timeout)


def starter_file(duckdb_file: Path | None, folder: Path) -> str:
    """The text of a first ``personas.toml``, for the DuckDB file if one is given."""
    path = duckdb_file.resolve() if duckdb_file is not None else Path("warehouse.duckdb")
    if path.is_relative_to(folder.resolve()):
        path = path.relative_to(folder.resolve())
    return _STARTER.replace("warehouse.duckdb", path.as_posix())


_STARTER = """\
# personas check says what is right and what is not.

[warehouse]
type = "duckdb"                  # or "snowflake", with connection = "<name in connections.toml>"
path = "warehouse.duckdb"

[source]                         # what lies where; traits are the other columns of users and accounts
users       = { table = "users", id = "user_id" }                                   # since = "created_at"
# accounts    = { table = "accounts", id = "account_id" }
# memberships = { table = "memberships", user = "user_id", account = "account_id" }  # valid_from, valid_to
# identities  = { table = "identifiers", user = "user_id", type = "id_type", value = "id_value" }
events      = { table = "events", name = "event", at = "timestamp", user = "user_id" }  # anonymous, account, id

# [destinations.analytics]
# type = "segment"
# write_key = { env = "SEGMENT_WRITE_KEY" }

[[audience]]
name  = "Active last 30 days"
where = "event('Signed In').within(30 days).count() >= 1"
# every = "1h"
# to    = [{ destination = "analytics" }]
"""
