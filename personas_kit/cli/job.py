"""What a schedule has to know of a workspace and of this machine."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from personas_kit.activation.cadence import zone_of
from personas_kit.activation.who import user_name
from personas_kit.config import Config
from personas_kit.destinations import find
from personas_kit.saving import repository_of
from personas_kit.schedulers import Job, Need
from personas_kit.secret import Secret

_LOCAL_TIME = Path("/etc/localtime")
_ZONES = "zoneinfo/"
_AWS = "amazon-"
"""So the types begin whose requests the extra ``aws`` signs."""


def job_of(config: Config) -> Job:
    """The workspace, as a scheduler of this machine would run it.

    Raises:
        ConfigError: no schedule can be made of it.
    """
    secrets = list(_secrets(config))
    settings = config.warehouse
    kind = "" if settings.type == "duckdb" else settings.type
    return Job(
        file=str(config.path),
        within=_in_repository(config.path),
        command=_command(),
        user=user_name(),
        zone=machine_zone(),
        needs=needs_of(config),
        state="" if config.state_schema else str(config.state),
        warehouse=kind,
        connection=settings.connection or "",
        variables=tuple(dict.fromkeys(each.name for each in secrets if each.place == "env")),
        elsewhere=tuple(dict.fromkeys(each.reference for each in secrets if each.place != "env")),
        extras=tuple(filter(None, (kind, "aws" if _aws(config) else ""))),
        version=version("personas-kit"),
    )


def needs_of(config: Config) -> tuple[Need, ...]:
    """How often each sync of the file wants to be run."""
    return tuple(
        Need(
            each.definition.key,
            sync.destination,
            each.cadence_of(sync),
            find(config.route(sync).settings.type).minimum_interval,
        )
        for each in config.scheduled
        for sync in each.to
    )


def machine_zone() -> str:
    """The name of this machine's timezone; UTC where none can be found.

    It is what ``TZ`` says, as a name or the path of a file; else the file that ``/etc/localtime`` links to.
    """
    said = os.environ.get("TZ", "").removeprefix(":") or str(_LOCAL_TIME)
    name = str(Path(said).resolve()).partition(_ZONES)[2] if said.startswith("/") else said
    try:
        zone_of(name)
    except ValueError:
        return "UTC"
    return "UTC" if name.removeprefix("Etc/") in {"UTC", "Universal", "Zulu"} else name


def _command() -> tuple[str, ...]:
    """``personas`` of the environment that runs this, by its absolute path."""
    program = Path(sys.executable).with_name("personas")
    return (str(program),) if program.is_file() else (sys.executable, "-m", "personas_kit.cli")


def _in_repository(file: Path) -> str:
    return file.relative_to(repository_of(file) or file.parent).as_posix()


def _aws(config: Config) -> bool:
    return any(settings.type.startswith(_AWS) for settings in config.destinations.values())


def _secrets(config: Config) -> Iterator[Secret]:
    """Every reference to a secret in the file, whatever it is for: a name, never what it says."""
    said = tomllib.loads(config.path.read_text(encoding="utf-8"))
    said.get("warehouse", {}).pop("files", None)
    for name in ("source", "audience", "account_audience", "trait", "account_trait", "sql_audience", "sql_trait"):
        said.pop(name, None)
    return _references(said, config.folder)


def _references(said: object, folder: Path) -> Iterator[Secret]:
    if isinstance(said, Mapping) and len(said) == 1 and {*said} <= {"env", "file", "keyring"}:
        if all(isinstance(value, str) for value in said.values()):
            yield Secret.parse(said, base=folder)
        return
    if isinstance(said, Mapping):
        for value in said.values():
            yield from _references(value, folder)
    elif isinstance(said, list):
        for value in said:
            yield from _references(value, folder)
