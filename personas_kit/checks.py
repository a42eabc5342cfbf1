"""Looks at everything a push needs, without sending: the file, the warehouse, the definitions, the destinations."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from personas_kit.activation.wanted import calls_for
from personas_kit.config import DestinationSettings, SyncSettings
from personas_kit.definitions import Definition
from personas_kit.errors import PersonasError
from personas_kit.opening import open_workspace
from personas_kit.secret import Secret
from personas_kit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, whether it is right, and what to know or do."""

    what: str
    ok: bool
    message: str

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {"what": self.what, "ok": self.ok, "message": self.message}


def check_workspace(path: Path) -> list[Finding]:
    """Every finding, in the order in which a person would mend them."""
    try:
        workspace = open_workspace(path)
    except PersonasError as problem:
        return [Finding("personas.toml", ok=False, message=str(problem))]
    try:
        return [Finding("personas.toml", ok=True, message=str(workspace.config.path)), *_findings(workspace)]
    finally:
        workspace.close()


def _findings(workspace: Workspace) -> Iterator[Finding]:
    source = _tried("source", functools.partial(_source, workspace))
    yield source
    if source.ok:
        for key, definition in workspace.definitions.items():
            yield _tried(f"{definition.kind} {key}", functools.partial(_compiles, workspace, definition))
    for name, settings in workspace.config.destinations.items():
        yield _tried(f"destination {name}", functools.partial(_secrets, settings))
    for scheduled in workspace.config.scheduled:
        for sync in scheduled.to:
            what = f"sync {scheduled.definition.key} -> {sync.destination}"
            yield _tried(what, functools.partial(_calls, workspace, scheduled.definition, sync))


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, message=look())
    except PersonasError as problem:
        return Finding(what, ok=False, message=str(problem))


def _source(workspace: Workspace) -> str:
    source = workspace.source
    parts = [f"users in {source.users.table.name}"]
    parts += [f"accounts in {source.accounts.table.name}"] if source.accounts else []
    parts += [f"{len(source.event_names):,} kinds of events"] if source.event_names is not None else []
    return f"{workspace.warehouse.describe()}: {', '.join(parts)}"


def _compiles(workspace: Workspace, definition: Definition) -> str:
    return f"{len(workspace.sql(definition).splitlines())} lines of SQL"


def _secrets(settings: DestinationSettings) -> str:
    for value in settings.values.values():
        if isinstance(value, Secret):
            value.reveal()
    return f"{settings.type}, settings and secrets are there (nothing was sent)"


def _calls(workspace: Workspace, definition: Definition, sync: SyncSettings) -> str:
    settings = workspace.config.destinations[sync.destination]
    connection = settings.connect(sync.list, workspace.config.at("destinations", settings.name))
    return f"by {', '.join(calls_for(definition, connection, sync.send))}"
