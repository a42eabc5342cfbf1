"""Looks at everything a push needs, without sending: the file, the warehouse, the definitions, the destinations."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from personas_kit.activation.wanted import calls_for
from personas_kit.config import Notify, SyncSettings
from personas_kit.definitions import Definition
from personas_kit.definitions.lint import Code, lint
from personas_kit.errors import ConfigError, PersonasError
from personas_kit.evidence import some
from personas_kit.insight.data_lint import Worth
from personas_kit.notifying import connection_to
from personas_kit.onboarding.recognise import recognise
from personas_kit.opening import open_workspace
from personas_kit.routes import DestinationSettings
from personas_kit.secret import Secret
from personas_kit.warehouses.snowflake import Snowflake
from personas_kit.warehouses.snowflake_live import live_checks
from personas_kit.workspace import Workspace

Level = Literal["right", "warning", "wrong"]
#: How many names a finding lists.
LISTED = 5
#: What a warning is about that is about no definition.
BESIDE: Mapping[Code, str] = {"not_looked": "data", "naive_time": "times", "renamed_key": "state"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, whether it is right, and what to know or do.

    Attributes:
        level: ``right``, ``warning`` (it works, and a person should know), ``wrong`` (something does not work).
    """

    what: str
    level: Level
    message: str

    @property
    def ok(self) -> bool:
        """Nothing about it fails."""
        return self.level != "wrong"

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {"what": self.what, "level": self.level, "ok": self.ok, "message": self.message}


def check_workspace(path: Path) -> list[Finding]:
    """Every finding, in the order in which a person would mend them."""
    try:
        workspace = open_workspace(path)
    except PersonasError as problem:
        return [Finding("personas.toml", "wrong", str(problem))]
    try:
        return [Finding("personas.toml", "right", str(workspace.config.path)), *_findings(workspace)]
    finally:
        workspace.close()


def check_live(path: Path) -> list[Finding]:
    """What can only be seen on a live account: the parts of the Snowflake adapter that no emulator proves.

    Raises:
        ConfigError: the warehouse is another; everything about those is proved by the tests.
    """
    workspace = open_workspace(path)
    try:
        if not isinstance(workspace.warehouse, Snowflake):
            raise ConfigError(
                f"--live is for Snowflake, and this warehouse is {workspace.warehouse.describe()}",
                hint="leave --live out: personas check looks at everything there is",
            )
        return [
            Finding(each.what, "right" if each.ok else "wrong", f"{each.message} ({each.seconds:.1f} s)")
            for each in live_checks(workspace.warehouse)
        ]
    finally:
        workspace.close()


def _findings(workspace: Workspace) -> Iterator[Finding]:
    source = _tried("source", functools.partial(_source, workspace))
    yield source
    state = _tried("state", workspace.store.check)
    yield state
    if source.ok:
        yield from _evidence(workspace)
        yield from _new_events(workspace)
        yield from _definitions(workspace, state)
    for name, settings in workspace.config.destinations.items():
        yield _tried(f"destination {name}", functools.partial(_destination, workspace, settings))
    for scheduled in workspace.config.scheduled:
        for sync in scheduled.to:
            what = f"sync {scheduled.definition.key} -> {sync.destination}"
            yield _tried(what, functools.partial(_calls, workspace, scheduled.definition, sync))
    notify = workspace.config.notify
    if notify is not None:
        for channel in notify.channels:
            yield _tried(f"notify {channel}", functools.partial(_channel, notify, channel))


def _definitions(workspace: Workspace, state: Finding) -> Iterator[Finding]:
    """What is wrong with definitions, and what is worth a look: in their text, in the data, and in what was pushed."""
    worth = Worth({}, ())
    try:
        if state.ok:
            worth = workspace.worth_a_look()
    except PersonasError as problem:
        yield Finding("state", "wrong", str(problem))
    for key, definition in workspace.definitions.items():
        what = f"{definition.kind} {key}"
        yield _tried(what, functools.partial(_compiles, workspace, definition))
        yield from (Finding(what, "warning", str(each)) for each in (*lint(definition), *worth.of.get(key, ())))
    yield from (Finding(BESIDE[each.code], "warning", str(each)) for each in worth.beside)


def _evidence(workspace: Workspace) -> Iterator[Finding]:
    """What the tables hold; one that is refused ends the looking, not the check."""
    try:
        for each in workspace.evidence():
            level: Level = "wrong" if each.fatal else "warning" if each.problems else "right"
            yield Finding(each.part, level, "\n".join([f"{each.place}: {each.found}", *each.problems]))
    except PersonasError as problem:
        too_dear = problem.where == workspace.config.at("warehouse", "max_bytes")
        yield Finding("evidence", "warning" if too_dear else "wrong", str(problem))


def _new_events(workspace: Workspace) -> Iterator[Finding]:
    """Events that got a table of their own since the file was written."""
    known = {of.table.parts for of in workspace.source.events}
    if not any(of.event is not None for of in workspace.source.events):
        return
    place = next(of.table.parts[:-1] for of in workspace.source.events if of.event is not None)
    layouts = [layout for layout in recognise(workspace.schema) if layout.place == place]
    names = sorted(of.name for layout in layouts for of in layout.beside.values() if of.parts not in known)
    if names:
        listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
        words = f"{some(len(names), 'table')} of events not in [source.events.tables]: {listed}"
        yield Finding("events", "warning", words)


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, "right", look())
    except PersonasError as problem:
        return Finding(what, "wrong", str(problem))


def _source(workspace: Workspace) -> str:
    source = workspace.source
    parts = [f"users in {source.users.table.name}"]
    parts += [f"accounts in {source.accounts.table.name}"] if source.accounts else []
    parts += [f"{len(source.event_names):,} kinds of events"] if source.event_names is not None else []
    return f"{workspace.warehouse.describe()}: {', '.join(parts)}"


def _compiles(workspace: Workspace, definition: Definition) -> str:
    return f"{len(workspace.sql(definition).splitlines())} lines of SQL"


def _channel(notify: Notify, channel: str) -> str:
    """Its address is there and allowed. Nothing is sent: somebody would read it."""
    connection_to(notify, channel)
    return "its address is there, and was not tried"


def _destination(workspace: Workspace, settings: DestinationSettings) -> str:
    """Its secrets are there; and where a call proves the credentials and changes nothing, that was asked."""
    for value in settings.values.values():
        if isinstance(value, Secret):
            value.reveal()
    if workspace.proves(settings):
        return f"{settings.type}, settings and secrets are there, and it takes the credentials"
    return f"{settings.type}, settings and secrets are there (it has no call that proves them; nothing was sent)"


def _calls(workspace: Workspace, definition: Definition, sync: SyncSettings) -> str:
    where = workspace.config.at("destinations", sync.destination)
    connection = workspace.config.route(sync).connect(sync.list, where)
    way = f" to {connection.title}" if connection.through else ""
    if sync.list is not None and workspace.proves(workspace.config.route(sync).settings, sync.list):
        way += ", and the list is there"
    return f"by {', '.join(calls_for(definition, connection, sync.send))}{way}"
