"""What no single table knows: which settings belong together, and whether every sync has somewhere to go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personas_kit.config.config import Config
from personas_kit.config.paths import FILE
from personas_kit.config.tables import File, WarehouseSettings
from personas_kit.config.units import duration
from personas_kit.destinations import find
from personas_kit.errors import ConfigError, PersonasError, UnknownName
from personas_kit.routes import ANY_LIST, DestinationSettings
from personas_kit.secret import Secret


def checked_destination(name: str, table: Mapping[str, Any], path: Path) -> DestinationSettings:
    """``[destinations.<name>]``; secrets become references.

    Raises:
        ConfigError: there is no such type, or a setting is wrong.
        DestinationError: what the destination itself says is missing.
    """
    where = f"{path.name}: destinations.{name}"
    values = dict(table)
    kind = values.pop("type", None)
    if not isinstance(kind, str):
        raise ConfigError(
            "a destination needs a type", where=where, hint='add type = "segment", or see: personas destinations'
        )
    url = values.pop("url", None)
    timeout = values.pop("timeout", "30s")
    private = values.pop("allow_private", False)
    if not isinstance(private, bool):
        raise ConfigError("it is true or false", where=f"{where}.allow_private", hint="add allow_private = true")
    try:
        find(kind)
        seconds = float(duration(timeout))
    except UnknownName as problem:
        raise ConfigError(problem.what, where=where, hint=problem.hint) from None
    except ValueError as problem:
        raise ConfigError(str(problem), where=f"{where}.timeout") from None
    references = {
        key: Secret.parse(value, base=path.parent, where=f"{where}.{key}") if isinstance(value, Mapping) else value
        for key, value in values.items()
    }
    settings = DestinationSettings(name, kind, references, url, seconds, private)
    settings.connect(ANY_LIST if find(kind).list_setting else None, where)  # wrong settings are said at once
    return settings


#: What ``[warehouse]`` may say for each type besides ``type`` and ``timeout``, and of which group one is needed.
_WAREHOUSES: Mapping[str, tuple[frozenset[str], tuple[str, ...], str]] = {
    "duckdb": (frozenset({"path", "files"}), ("path", "files"), 'path = "warehouse.duckdb"'),
    "snowflake": (
        frozenset({"connection", "role", "warehouse", "database", "schema", "max_bytes"}),
        ("connection",),
        'connection = "<name in connections.toml>"',
    ),
    "postgres": (
        frozenset({"connection", "url", "role", "database", "schema"}),
        ("connection", "url"),
        'connection = "<service in pg_service.conf>", or url = { env = "DATABASE_URL" }',
    ),
}


def checked_warehouse(settings: WarehouseSettings, file: str = FILE) -> WarehouseSettings:
    """The settings, of which each belongs to the type, and one says where it is.

    Raises:
        ConfigError: one means nothing for the type, or the one that is needed is missing.
    """
    known, needed, example = _WAREHOUSES[settings.type]
    said = {name: value for name, value in settings.model_dump(by_alias=True).items() if value not in (None, {})}
    for name in said.keys() - known - {"type", "timeout"}:
        raise ConfigError(
            f"{name!r} means nothing for a {settings.type} warehouse",
            where=f"{file}: warehouse.{name}",
            hint=f"known there: {', '.join(sorted(known | {'timeout'}))}",
        )
    if sum(name in said for name in needed) != 1:
        what = " or ".join(needed)
        raise ConfigError(
            f"a {settings.type} warehouse needs {'either ' if len(needed) > 1 else ''}{what}",
            where=f"{file}: warehouse",
            hint=f"add {example}",
        )
    return settings


#: What may be the name of a schema of the kit's own: every warehouse takes it without quotes.
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def state_schema(parsed: File, file: str) -> str | None:
    """The schema of the warehouse that keeps the state; None where a folder does.

    Raises:
        ConfigError: a key means nothing for this store, or this warehouse can keep nothing.
    """
    state = parsed.state
    wrong = {"local": ("schema", state.schema_), "warehouse": ("path", state.path)}[state.store]
    if wrong[1] is not None:
        other = 'store = "warehouse"' if state.store == "local" else 'store = "local"'
        raise ConfigError(
            f'{wrong[0]!r} means nothing for store = "{state.store}"',
            where=f"{file}: state.{wrong[0]}",
            hint=f"leave it out, or say {other}",
        )
    if state.store == "local":
        return None
    if parsed.warehouse.files is not None:
        raise ConfigError(
            "the tables are files here, and no state can be kept beside them",
            where=f"{file}: state.store",
            hint='use [warehouse] path = "warehouse.duckdb" instead of files, or store = "local"',
        )
    schema = state.schema_ or "personas"
    if not _SCHEMA.fullmatch(schema):
        raise ConfigError(
            f"{schema!r} cannot be the name of a schema",
            where=f"{file}: state.schema",
            hint='letters, digits and _, not a digit first: schema = "personas"',
        )
    return schema


def check_syncs(config: Config) -> None:
    """Every key is there once, and every sync can be reached.

    Raises:
        ConfigError: two definitions have one key.
        PersonasError: a sync cannot be reached, with its place.
    """
    keys: dict[str, str] = {}
    for scheduled in config.scheduled:
        key = scheduled.definition.key
        if key in keys:
            raise ConfigError(
                f"two definitions have the key {key!r}: {keys[key]!r} and {scheduled.definition.name!r}",
                where=config.at(key),
                hint="give one of them another key",
            )
        keys[key] = scheduled.definition.name
        for sync in scheduled.to:
            try:
                config.route(sync)
            except PersonasError as problem:
                raise problem.at(config.at(key, "to")) from None
