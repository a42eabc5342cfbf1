"""A file and what it includes: found, read, checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personas_kit.compiler import SourceSettings
from personas_kit.config.checking import check_syncs, checked_destination, checked_warehouse, state_schema
from personas_kit.config.config import Config
from personas_kit.config.definitions import definitions
from personas_kit.config.notify import checked_notify
from personas_kit.config.paths import FILE, expanded
from personas_kit.config.tables import File
from personas_kit.config.validating import validated
from personas_kit.errors import ConfigError


def find_file(start: Path) -> Path:
    """``personas.toml`` in the folder or above it.

    Raises:
        ConfigError: there is none.
    """
    if start.is_file():
        return start.absolute()
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise ConfigError(
        f"there is no {FILE} in this folder or above it",
        where=str(start.absolute()),
        hint="personas init writes one; personas demo shows one at work",
    )


def load(path: Path, *, instead: Mapping[Path, str] | None = None) -> Config:
    """Read and check a file.

    Args:
        path: the file.
        instead: what files shall be taken to say that say something else yet, by their resolved paths.

    Raises:
        ConfigError: with the file, the key and a hint.
        DefinitionError: a definition in it cannot be read; with its place.
    """
    new = instead or {}
    raw = _read(path, new)
    parsed = validated(File, raw, path.name)
    scheduled = [*definitions(parsed, path)]
    for pattern in parsed.include:
        for file in _included(path, pattern):
            more = validated(File, _only_definitions(_read(file, new), file.name), file.name)
            scheduled.extend(definitions(more, file))
    destinations = {name: checked_destination(name, table, path) for name, table in parsed.destinations.items()}
    config = Config(
        path=path,
        warehouse=checked_warehouse(parsed.warehouse, path.name),
        state=path.parent / expanded(parsed.state.path or ".personas", f"{path.name}: state.path"),
        source=validated(SourceSettings, parsed.source, path.name, "source"),
        destinations=destinations,
        scheduled=tuple(scheduled),
        keep=parsed.state.keep,
        state_schema=state_schema(parsed, path.name),
        read_up_to=parsed.state.read_up_to,
        notify=checked_notify(parsed.notify, path),
    )
    check_syncs(config)
    return config


def files_of(path: Path) -> list[Path]:
    """A file that can be loaded, and those that it includes."""
    patterns = validated(File, _read(path, {}), path.name).include
    return [path, *(file for pattern in patterns for file in _included(path, pattern))]


def _read(path: Path, instead: Mapping[Path, str]) -> dict[str, Any]:
    try:
        text = instead.get(path.resolve()) if instead else None
        if text is not None:
            return tomllib.loads(text)
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as problem:
        raise ConfigError(f"the file cannot be read: {problem.strerror}", where=str(path)) from None
    except RecursionError:
        raise ConfigError("not valid TOML: nested too deep", where=str(path)) from None
    except ValueError as problem:  # no TOML, no UTF-8, or a number of thousands of digits
        raise ConfigError(f"not valid TOML: {problem}", where=str(path)) from None


def _included(path: Path, pattern: str) -> list[Path]:
    try:
        files = sorted(path.parent.glob(pattern))
    except (NotImplementedError, ValueError):  # it begins at the root, or is no path at all
        files = []
    if not files:
        raise ConfigError(
            f"include names no file: {pattern!r}", where=f"{path.name}: include", hint='as in "audiences/*.toml"'
        )
    return files


def _only_definitions(data: dict[str, Any], file: str) -> dict[str, Any]:
    allowed = {"audience", "account_audience", "trait", "account_trait", "sql_audience", "sql_trait"}
    for key in data:
        if key not in allowed:
            raise ConfigError(
                f"an included file holds definitions only, not [{key}]",
                where=file,
                hint=f"move it to {FILE}; here go {', '.join(sorted(allowed))}",
            )
    return data
