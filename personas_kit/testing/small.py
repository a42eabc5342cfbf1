"""A workspace of a few literal lines. It is the real one: it compiles, compares and sends as yours will."""

from __future__ import annotations

import datetime as dt
import json
import math
import tempfile
import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypedDict, Unpack

import duckdb
import polars as pl

from personas_kit.activation.report import Report
from personas_kit.config import FILE, Config, Scheduled, WarehouseSettings, find_file, load
from personas_kit.definitions import Definition
from personas_kit.destinations import find
from personas_kit.destinations.base import Call
from personas_kit.membership.expansion import Combine
from personas_kit.routes import DestinationSettings
from personas_kit.sandbox import Sandbox
from personas_kit.secret import Secret
from personas_kit.testing.literal import Happened, Id, Literals, Membership, Traits, When, instant, source_like
from personas_kit.testing.written import check
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.workspace import Workspace

_EXPLAINED = 3
_SECRET = "made-up.txt"  # noqa: S105  (a file's name)
_PATHS = {"rudderstack": "/rudderstack"}


class How(TypedDict, total=False):
    """What ``plan`` takes besides the definition."""

    to: str | None
    send: Sequence[Call] | None
    ids: Mapping[str, str] | None
    list: str | None
    integrations: Sequence[str]
    combine: Combine | None


class StillClock:
    """A clock that stands until it is moved; waiting moves it."""

    def __init__(self, now: dt.datetime) -> None:
        self._now = now

    def now(self) -> dt.datetime:
        """The present of the test."""
        return self._now

    def monotonic(self) -> float:
        """Seconds of the same clock."""
        return self._now.timestamp()

    def sleep(self, seconds: float, unless: threading.Event | None = None) -> None:  # noqa: ARG002 - nobody waits
        """Let time pass."""
        self._now += dt.timedelta(seconds=seconds)


def workspace(
    *,
    as_of: When,
    users: Traits = (),
    accounts: Traits = (),
    memberships: Iterable[Membership] = (),
    events: Iterable[Happened] = (),
    definitions: Iterable[Definition] | str | Path = (),
    destinations: Mapping[str, str] | None = None,
) -> SmallWorkspace:
    """A workspace in memory, for a test.

    Args:
        as_of: the present. A date is midnight UTC.
        users: by id, the traits of each; or the ids alone.
        accounts: as above.
        memberships: ``(user, account)``, and from when and to when if that matters.
        events: what ``happened``.
        definitions: those that others refer to; or the path of ``personas.toml`` (or its folder), whose definitions,
            syncs and names of columns are then used. Nothing of its warehouse, destinations and secrets is touched.
        destinations: name -> type. They are a receiver in this process.

    Raises:
        DefinitionError: a column with values of two types, a membership of somebody who is not there.
        ConfigError: the file cannot be read.
    """
    literals = Literals()
    literals.change(users, accounts, memberships, events)
    return SmallWorkspace(literals, instant(as_of).replace(tzinfo=dt.UTC), definitions, destinations or {})


class SmallWorkspace(Workspace):
    """A workspace over literal lines, with assertions. ``workspace`` makes it.

    Attributes:
        sandbox: what received the pushes: ``ws.sandbox.users()``, ``.lists()``, ``.events()``.
    """

    def __init__(
        self,
        literals: Literals,
        as_of: dt.datetime,
        definitions: Iterable[Definition] | str | Path,
        destinations: Mapping[str, str],
    ) -> None:
        self._literals, self._moving = literals, StillClock(as_of)
        self._handle, self.sandbox = duckdb.connect(), Sandbox()
        self._folder = tempfile.TemporaryDirectory(prefix="personas-test-", ignore_cleanup_errors=True)
        self._started = False
        self._stop = weakref.finalize(self, _stopped, self._handle, self.sandbox, self._folder)
        config = _config(Path(self._folder.name), definitions, destinations, self.sandbox.url)
        literals.load(self._handle, config.source)
        super().__init__(config, DuckDB(connection=self._handle), clock=self._moving)

    def later(
        self,
        *,
        days: float = 0,
        hours: float = 0,
        users: Traits = (),
        accounts: Traits = (),
        memberships: Iterable[Membership] | None = None,
        events: Iterable[Happened] = (),
    ) -> None:
        """Let time pass, and let things change: further users, traits that are set, events, other memberships."""
        self._moving.sleep(dt.timedelta(days=days, hours=hours).total_seconds())
        self._literals.change(users, accounts, memberships, events)
        self._literals.load(self._handle, self.config.source)
        self._reader.forget()
        self._previewed.clear()

    def push(self, definition: Definition | str, **how: Unpack[How]) -> Report:
        """Plan and push, whatever guards say that a person could override. ``how`` is as for ``plan``.

        Raises:
            AssertionError: not everything was acknowledged.
        """
        if not self._started:
            self._started = True
            self.sandbox.start()
        plan = self.plan(definition, **how)
        report = plan.push(override=[guard.name for guard in plan.guards if not guard.final], progress=_silence)
        check(report.rejected + report.unknown + report.unsent == 0, f"{plan.name}: {report!r}")
        return report

    # --- assertions --------------------------------------------------------------------------------------------------

    def assert_members(self, definition: Definition | str, expected: Collection[Id]) -> None:
        """These are in, and nobody else; of accounts for an account audience.

        Raises:
            AssertionError: with why, for the first few that are wrong.
        """
        meant = self._definition(definition)
        found = set(self.members(meant)[f"{meant.subject}_id"])
        self._compared(meant, "members", found, set(expected))

    def assert_users(self, definition: Definition | str, expected: Collection[Id]) -> None:
        """These are the users of an account audience's accounts, and nobody else."""
        meant = self._definition(definition)
        found = set(self.members(meant, expand="users")["user_id"])
        check(found == set(expected), _differing(f"users of {meant.name!r}", found, set(expected)))

    def assert_values(self, definition: Definition | str, expected: Mapping[Id, object]) -> None:
        """These have these values (None: a missing one); nobody else has one, but for the 0 of counts and sums."""
        meant = self._definition(definition)
        found = dict(self.members(meant).iter_rows())
        wrong = [
            f"  {one}: {found.get(one)!r}, expected {value!r}"
            for one, value in expected.items()
            if not _same(found.get(one), value)
        ]
        wrong += [f"  {one}: {value!r}, not expected" for one, value in found.items() if one not in expected and value]
        check(not wrong, "\n".join([f"values of {meant.name!r} differ:", *wrong]))

    def assert_changes(
        self,
        definition: Definition | str,
        *,
        enter: Collection[Id] = (),
        leave: Collection[Id] = (),
        set: Mapping[Id, object] | None = None,  # noqa: A002  (the word for it)
        **how: Unpack[How],
    ) -> None:
        """A push now would send these changes and no others, in each of its calls. ``how`` is as for ``plan``."""
        plan = self.plan(definition, **how)
        for sync in plan.syncs:
            said = f"{plan.name}, {sync.sync.destination} {sync.sync.call}"
            for change, expected in (("enter", enter), ("exit", leave)):
                found = {*sync.lines.filter(pl.col("change") == change)["member"]}
                check(found == {*expected}, _differing(f"{said}: {change}", found, {*expected}))
            lines = sync.lines.filter(pl.col("change") == "set").select("member", "value").iter_rows()
            values = {member: json.loads(value) for member, value in lines}
            wanted = {**(set or {})}
            same = values.keys() == wanted.keys() and all(_same(values[one], wanted[one]) for one in wanted)
            check(same, f"{said}: set {values!r}, expected {wanted!r}")

    def payloads(self, definition: Definition | str, **how: Unpack[How]) -> list[Any]:
        """The bodies of the requests that a push now would send, read from JSON. ``how`` is as for ``plan``."""
        plan = self.plan(definition, **how)
        most = max((sync.lines.height for sync in plan.syncs), default=0)
        return [json.loads(sample["body"]) for sample in plan.payloads(most)]

    def assert_payloads(self, definition: Definition | str, expected: Sequence[object], **how: Unpack[How]) -> None:
        """A push now would send these bodies, in this order.

        Of an object only the named keys are compared, so that a test may leave out ids and times; lists are as long
        as they are written.
        """
        found = self.payloads(definition, **how)
        check(_contains(found, list(expected)), f"payloads differ:\n{json.dumps(found, indent=2, ensure_ascii=False)}")

    def _compared(self, meant: Definition, what: str, found: set[Id], expected: set[Id]) -> None:
        if found == expected:
            return
        known = self._literals.users if meant.subject == "user" else self._literals.accounts
        wrong = [one for one in sorted(found ^ expected, key=str) if one in known]
        reasons = [repr(self.explain(meant, one)) for one in wrong[:_EXPLAINED]]
        reasons += [f"{one} is not among the {meant.subject}s" for one in sorted(expected - known.keys(), key=str)]
        raise AssertionError("\n".join([_differing(f"{what} of {meant.name!r}", found, expected), *reasons]))

    def close(self) -> None:
        """Let go of everything."""
        super().close()
        self._stop()


def _config(
    folder: Path, definitions: Iterable[Definition] | str | Path, destinations: Mapping[str, str], url: str
) -> Config:
    """What ``personas.toml`` would say."""
    (folder / _SECRET).write_text("made-up", encoding="utf-8")
    base, scheduled = None, tuple[Scheduled, ...]()
    if isinstance(definitions, str | Path):
        base = load(find_file(Path(definitions)))
        scheduled = base.scheduled
    else:
        scheduled = tuple(map(Scheduled, definitions))
    settings = dict(base.destinations) if base else {}
    settings |= {name: DestinationSettings(name, kind, {}) for name, kind in destinations.items()}
    return Config(
        path=folder / FILE,
        warehouse=WarehouseSettings(),
        state=folder / ".personas",
        source=source_like(base.source if base else None),
        destinations={name: _received_here(one, folder, url) for name, one in settings.items()},
        scheduled=scheduled,
    )


def _received_here(settings: DestinationSettings, folder: Path, url: str) -> DestinationSettings:
    """The destination at the receiver of this process; what it needs and nobody said is made up."""
    made_up = Secret.parse({"file": _SECRET}, base=folder, where="a test")
    values = dict(settings.values)
    destination = find(settings.type)
    for setting in destination.settings:
        if setting.secret:
            values[setting.name] = made_up
        elif setting.default is None and not setting.optional and setting.name != destination.list_setting:
            values.setdefault(setting.name, setting.example or (setting.choices or ("made-up",))[0])
    return replace(settings, values=values, url=url + _PATHS.get(settings.type, ""))


def _stopped(handle: duckdb.DuckDBPyConnection, sandbox: Sandbox, folder: tempfile.TemporaryDirectory[str]) -> None:
    handle.close()
    sandbox.close()
    folder.cleanup()


def _differing(what: str, found: Collection[object], expected: Collection[object]) -> str:
    lines = [f"{what} differ:"]
    for words, some in (("missing", {*expected} - {*found}), ("not expected", {*found} - {*expected})):
        if some:
            lines.append(f"  {words}: {', '.join(sorted(map(str, some)))}")
    return "\n".join(lines)


def _same(found: object, expected: object) -> bool:
    if isinstance(found, list) or isinstance(expected, list):
        return _listed(found) == _listed(expected)
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, int | float | Decimal) and isinstance(expected, int | float | Decimal):
        return math.isclose(found, expected)
    if isinstance(expected, dt.datetime) and isinstance(found, dt.datetime):
        return instant(found) == instant(expected)
    return found == expected


def _listed(value: object) -> object:
    return list(value) if isinstance(value, list | tuple | pl.Series) else value


def _contains(found: object, expected: object) -> bool:
    match found, expected:
        case dict(), dict():
            return all(key in found and _contains(found[key], value) for key, value in expected.items())
        case list(), list():
            return len(found) == len(expected) and all(map(_contains, found, expected))
        case _:
            return _same(found, expected)


def _silence(_: Callable[..., object]) -> None:
    """No bar in a test."""
