"""A workspace small enough for thousands of pushes: users in memory, one destination, a clock that waits for nobody."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import duckdb
import polars as pl

from personas_kit import workspace
from personas_kit.activation.delivery import Delivery
from personas_kit.activation.due import Asked
from personas_kit.activation.figures import NOTHING, Figures
from personas_kit.activation.plan import Plan
from personas_kit.activation.report import Report
from personas_kit.activation.state import SyncState
from personas_kit.activation.transport import HttpTransport, Transport
from personas_kit.clock import Clock
from personas_kit.config import load
from personas_kit.destinations import DESTINATIONS, Answer, Connection, Outcome, find
from personas_kit.destinations.base import Destination, Limits
from personas_kit.destinations.outcomes import Outcomes, json_says
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.workspace import Workspace

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
CONFIG = """
[warehouse]
files = {{ users = "users.parquet" }}

[source]
users = {{ table = "users", id = "user_id" }}

[destinations.there]
type = "hostile"
url  = "{url}"
write_key = {{ file = "key.txt" }}
timeout = "1s"

[[audience]]
name  = "Vips"
where = "trait('vip') = true"
to    = [{{ destination = "there", send = {send}, ids = {{ email = "email" }} }}]

[[trait]]
name  = "Score"
value = "trait('points')"
to    = [{{ destination = "there", send = ["identify"] }}]
"""

_says_success = json_says("success", value=True)


def _read(answer: Answer, count: int) -> Outcome | None:
    """Segment's answer, with what was refused beside it: ``{"success": true, "rejected": [{"index": 0, ...}]}``."""
    outcome = _says_success(answer, count)
    body = answer.json()
    if outcome is None or not isinstance(body, dict):
        return outcome
    return Outcome("acknowledged", rejected={item["index"]: item["reason"] for item in body.get("rejected", ())})


def hostile(*, items: int = 2, parallel: int = 1) -> Destination:
    """Segment, in small requests, with an outcome for each item."""
    limits = Limits(items=items, bytes=475_000, item_bytes=32 * 1024)
    return dataclasses.replace(
        find("segment"), slug="hostile", limits=limits, parallel=parallel, outcomes=Outcomes(read=_read)
    )


@contextmanager
def registered(destination: Destination) -> Iterator[None]:
    """The destination is known to configurations within the block."""
    before = DESTINATIONS.get(destination.slug)  # one of this name may be known already
    DESTINATIONS[destination.slug] = destination
    try:
        yield
    finally:
        if before is None:
            del DESTINATIONS[destination.slug]
        else:
            DESTINATIONS[destination.slug] = before


class LeapingClock:
    """Real enough for sockets, which keep their own time; waits take none, and every plan is a day later."""

    def __init__(self, start: dt.datetime = START) -> None:
        self.start, self.passed, self.day = start, 0.0, 0
        self.waits: list[float] = []

    def now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self.passed, days=self.day)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float, unless: object = None) -> None:
        self.waits.append(seconds)
        self.passed += seconds


def write_files(folder: Path, url: str, send: Iterable[str] = ("identify",)) -> None:
    """The configuration of a workspace."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key.txt").write_text("made-up", encoding="utf-8")
    (folder / "personas.toml").write_text(CONFIG.format(url=url, send=[*send]), encoding="utf-8")


def people(scores: Mapping[str, int], everybody: Iterable[str], emails: Mapping[str, str]) -> pl.DataFrame:
    """The table of users. Whoever has a score is wanted."""
    names = sorted({*scores, *everybody})
    lines = [(name, emails.get(name, f"{name}@example.com"), name in scores, scores.get(name)) for name in names]
    schema = {"user_id": pl.String, "email": pl.String, "vip": pl.Boolean, "points": pl.Int64}
    return pl.DataFrame(lines, schema=schema, orient="row")


class World:
    """One workspace in one process, opened anew for each life.

    Args:
        folder: for its state.
        url: of the receiver.
        lines: how many changes are noted together: what may be unknown after a crash, for each lane.
        send: the calls.
        key: of the definition: ``vips``, an audience, or ``score``, a trait.
        connect: opens the network.
        shorter: the time-out of a request in seconds, which a configuration could only give in whole ones.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        lines: int = 2,
        send: Iterable[str] = ("identify",),
        key: str = "vips",
        connect: Callable[[Connection], Transport] = HttpTransport,
        shorter: float = 0.2,
        clock: Clock | None = None,
    ) -> None:
        self.folder, self.lines, self.connect, self.shorter = folder, lines, connect, shorter
        self.clock = clock or LeapingClock()
        self.key, self.calls = key, tuple(send)
        self.everybody: set[str] = set()
        self.wanted: dict[str, object] = {}
        write_files(folder, url, send)
        self.want([])
        self.reopen()

    def want(self, members: Iterable[str] | Mapping[str, int], emails: Mapping[str, str] | None = None) -> None:
        """These users are wanted from now on, with these scores; whoever was before stays a user."""
        scores = dict(members) if isinstance(members, Mapping) else dict.fromkeys(members, 1)
        self.wanted = {**scores} if self.key == "score" else dict.fromkeys(scores, True)
        self.everybody |= scores.keys()
        self._users = people(scores, self.everybody, emails or {})

    def reopen(self) -> None:
        """As another process would."""
        config = load(self.folder / "personas.toml")
        users = DuckDB(connection=_memory())
        self.store = Workspace(config, users, clock=self.clock).store
        self.store.batch_lines = self.lines
        delivery = Delivery(self.store, self.clock, self._connected)
        self.workspace = Workspace(config, users, clock=self.clock, delivery=delivery)

    def plan(self, mode: Asked = "changes") -> Plan:
        """A plan, a day later than the one before."""
        if isinstance(self.clock, LeapingClock):
            self.clock.day += 1
        self._put_in()
        with mock.patch.multiple(workspace, Otherwise=lambda _: None, Pulse=_NoPulse):
            return self.workspace.plan(self.key, mode=mode)

    def unfinished(self) -> Plan | None:
        """The plan that an earlier life stopped in good order."""
        self._put_in()
        return self.workspace.unfinished(self.key)

    def push(self, plan: Plan | None = None, *, deadline: float | None = None) -> Report:
        """Push it, or a new one; no guard is in the way."""
        plan = plan or self.plan()
        return plan.push(override=[guard.name for guard in plan.guards], deadline=deadline, progress=lambda _: None)

    def states(self) -> dict[str, SyncState]:
        """What is known of the definition, by call."""
        return {sync.call: state for sync, state in self.store.syncs() if sync.key == self.key}

    def _put_in(self) -> None:
        _memory().register("frame", self._users)
        _memory().execute("create or replace table users as from frame")

    def _connected(self, there: Connection) -> Transport:
        return self.connect(dataclasses.replace(there, timeout=self.shorter))


class _NoPulse:
    """A plan asks why members change, and how many usually do: nothing of that is sent, so nothing of it is asked."""

    def __init__(self, reader: object) -> None:
        """As the one that asks."""

    def figures(self, *_: object) -> Figures:
        """Nothing is known."""
        return NOTHING


@functools.cache
def _memory() -> duckdb.DuckDBPyConnection:
    """One for all worlds, because making it takes longer than a push; a world puts its users in before it plans."""
    return duckdb.connect(config={"threads": 1})  # several hand over the members in an order of chance
