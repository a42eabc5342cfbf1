"""A plan: the frozen changes of one definition for one destination, and everything a person decides by.

``push`` sends this plan and no other. What is shown and what is sent are the same frames.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from personas_kit.activation.asking import FieldStage
from personas_kit.activation.cadence import NO_SCHEDULE, Cadence
from personas_kit.activation.courier import Tally
from personas_kit.activation.dry_run import DryRun, dry_run_of
from personas_kit.activation.guards import Guard, still_standing
from personas_kit.activation.moved import Moved
from personas_kit.activation.preparing import prepare
from personas_kit.activation.report import HELD, Report, SyncReport
from personas_kit.activation.state import Batch, SyncState
from personas_kit.activation.stopping import Stop
from personas_kit.activation.sync import Sync
from personas_kit.destinations.base import Computation, Connection
from personas_kit.display import Tabular, open_tool, size_words
from personas_kit.errors import PlanBlocked, PlanError, short_tracebacks


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """The changes of one sync. Its repr shows nobody.

    Attributes:
        lines: one per change, in the order in which they are sent: ``member``, ``change``, ``value`` (JSON text),
            ``cause``, ``message_id``, ``timestamp``, ``was_unknown``, ``user_id``, ``account_id``, ``id_*``, and
            ``accounts`` or ``users`` (who brought the member in).
        state: the acknowledged state it was computed against.
        wanted: how many members are wanted.
        skipped: ``user_id`` of users without an identifier that the destination needs.
        first: everyone goes, because there has been no finished push.
        valued: members have values.
        cadence: how often it is computed.
        meaning: the definition, and what it refers to, as JSON text.
        figures: what the source looks like, as JSON text.
        held: refused so often that they are not tried this time: ``member``, ``change``, ``value``, ``reason``,
            ``times``.
        suppressed: members that are left out because they were forgotten.
        silent: how many changes, at the end of ``lines``, are noted as acknowledged and not sent.
        full: afterwards the destination has been told of everyone.
        unasked: why some causes are known from the state alone; empty if the warehouse was asked as far as needed.
        aside: it is about some members only: what the state says of the last push stays as it is.
        stage: the field that has to be there first; None where none has.
        derived: the message ids of what was not sent before are those of ``fresh_ids``.
    """

    sync: Sync
    connection: Connection
    computation: Computation
    fingerprint: str
    lines: pl.DataFrame = field(repr=False)
    state: SyncState = field(repr=False)
    wanted: int
    skipped: pl.DataFrame = field(repr=False)
    guards: tuple[Guard, ...]
    first: bool
    valued: bool
    cadence: Cadence = NO_SCHEDULE
    meaning: str = ""
    figures: str = ""
    held: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HELD), repr=False)
    suppressed: int = 0
    silent: int = 0
    full: bool = False
    unasked: str = ""
    aside: bool = False
    stage: FieldStage | None = None
    derived: bool = False

    @property
    def to_send(self) -> int:
        """How many changes are sent."""
        return self.lines.height - self.silent

    @property
    def way(self) -> str:
        """``native``, or the gateway that it goes through."""
        through = self.connection.through
        if through is None:
            return "native"
        return (
            f"through {self.connection.name} ({self.connection.destination.name}), as {', '.join(through.integrations)}"
        )

    @property
    def due(self) -> dt.datetime | None:
        """From when on a schedule pushes it again; None if there is no schedule, or if it was never pushed."""
        return self.due_after(self.state.last_as_of)

    def due_after(self, last_tick: dt.datetime | None) -> dt.datetime | None:
        """From when on a schedule pushes it again that was pushed for this tick; None as above."""
        return self.cadence.due(last_tick, self._minimum) if self.often else None

    @property
    def often(self) -> str:
        """How often a schedule pushes it, in words; empty if there is no schedule."""
        return self.cadence.words(self._minimum)

    @property
    def _minimum(self) -> int:
        return self.connection.destination.minimum_interval

    @property
    def repeated(self) -> int:
        """How many changes were sent before, with an outcome that is not known: they go again, by the same ids."""
        return int(self.lines["was_unknown"].sum())

    def count(self, change: str) -> int:
        """How many changes of a kind: ``enter``, ``exit`` or ``set``."""
        return int((self.lines["change"] == change).sum())

    @property
    def causes(self) -> dict[str, int]:
        """How many changes have which cause, the most frequent first."""
        counted = self.lines["cause"].value_counts().sort("count", "cause", descending=[True, False])
        return {cause: int(count) for cause, count in counted.iter_rows()}

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "destination": self.sync.destination,
            "call": self.sync.call,
            "way": self.way,
            "wanted": self.wanted,
            "enter": self.count("enter"),
            "exit": self.count("exit"),
            "set": self.count("set"),
            "causes": self.causes,
            "silent": self.silent,
            "skipped": self.skipped.height,
            "suppressed": self.suppressed,
            "held": self.held.height,
            "first": self.first,
            "field": self.stage.to_dict() if self.stage is not None else None,
            "guards": [guard.to_dict() for guard in self.guards],
        }


@dataclass(slots=True, repr=False)
class Memory:
    """What became of a plan in this process.

    Attributes:
        outcomes: by sync and batch, of what this process sent.
        concluded: the syncs that are folded, with what became of them.
        pushed: it was tried before.
        report: of the last push of it.
    """

    outcomes: dict[str, dict[Batch, Tally]] = field(default_factory=dict)
    concluded: dict[str, SyncReport] = field(default_factory=dict)
    pushed: bool = False
    report: Report | None = None


@short_tracebacks
@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Plan(Tabular):
    """What would be sent, for a person to decide. Nothing has been sent, and only ``push`` will."""

    id: str
    key: str
    name: str
    as_of: dt.datetime
    made_at: dt.datetime
    syncs: tuple[SyncPlan, ...]
    members_from: str = "the warehouse"
    """Where the members came from: the warehouse, or a preview of some minutes ago."""
    _deliver: Callable[..., Report] | None = None
    memory: Memory = field(default_factory=Memory)
    """What happened when it was pushed."""
    _again: Callable[[], Plan] | None = None
    moved: Moved | None = None
    """What came over to make it."""

    @property
    def origin(self) -> str:
        """Where the members came from, and how much came over."""
        return self.members_from if self.moved is None else f"{self.members_from}, {size_words(self.moved.bytes)} read"

    @property
    def guards(self) -> tuple[Guard, ...]:
        """The guards that fired, over all syncs; what they saw alike is said once."""
        return tuple(dict.fromkeys(guard for sync in self.syncs for guard in sync.guards))

    @property
    def changes(self) -> pl.DataFrame:
        """Every change: ``member``, ``change``, ``value``, ``cause``; and its ``destination`` and ``call``."""
        frames = [
            sync.lines.select(
                pl.col("member").cast(pl.String), pl.col("change").cast(pl.String), "value", "cause",
                destination=pl.lit(sync.sync.destination), call=pl.lit(sync.sync.call),
            )
            for sync in self.syncs
        ]  # fmt: skip
        return pl.concat(frames)

    @property
    def skipped(self) -> pl.DataFrame:
        """Users that cannot be sent for want of an identifier: ``user_id``, ``destination``."""
        frames = [
            sync.skipped.select(pl.col("user_id").cast(pl.String), destination=pl.lit(sync.sync.destination))
            for sync in self.syncs
        ]
        return pl.concat(frames).unique(maintain_order=True)

    def payloads(self, limit: int = 3) -> list[dict[str, str]]:
        """The first requests as they would be sent, at most ``limit`` changes of each sync.

        Returns:
            ``destination``, ``call``, ``method``, ``path`` (below the destination's url) and ``body``, without any
            secret.
        """
        return [sample for sync in self.syncs for sample in _payloads(sync, limit)]

    def dry_run(self) -> DryRun:
        """Make every request as it would be sent, and count them: how many, how large, what none can hold.

        Nothing is sent, and nothing is noted.
        """
        return dry_run_of(self.key, self.syncs)

    def again(self) -> Plan:
        """A new plan, asked for as this one was: what is due now, what failed before included. Nothing is sent.

        Raises:
            PlanError: this one was not asked for by ``ws.plan``.
        """
        if self._again is None:
            raise PlanError("this plan was not asked for by ws.plan", where=self.key, hint="plan again by hand")
        return self._again()

    def push(
        self,
        *,
        override: Sequence[str] | Mapping[str, str] = (),
        deadline: float | None = None,
        progress: Callable[[Any], None] | None = None,
        stop: Stop | None = None,
    ) -> Report:
        """Send this plan. Calling it is the approval, unless a guard fired.

        Calling it again sends nothing if the plan is finished, and goes on where it stopped if it was interrupted
        less than an hour ago.

        Args:
            override: names of guards that you have looked at and override for this plan; or name -> why, which the
                history keeps beside who you are.
            deadline: seconds after which nothing more is started.
            progress: called with a ``Progress`` several times a second, instead of the progress bar.
            stop: by which another thread can ask to start nothing more; what is under way finishes.

        Raises:
            PlanBlocked: a guard fired that is not overridden; carries the exact override.
            PlanStale: something was pushed since the plan was made, or a person paused the sync, or forgot a user.
            SyncBusy: somebody else is pushing the same sync.
        """
        if self._deliver is None:
            raise PlanBlocked("this plan cannot be pushed: it has no destination", guards=())
        return self._deliver(self, override=override, deadline=deadline, progress=progress, stop=stop)

    def to_polars(self) -> pl.DataFrame:
        """The changes."""
        return self.changes

    def _display_(self) -> object:
        """The card with its push bar, for marimo, which asks for what to show by this name."""
        return open_tool("push bar", self)

    def to_dict(self) -> dict[str, object]:
        """As plain data: counts and guards, no members."""
        return {
            "key": self.key,
            "as_of": self.as_of.isoformat().replace("+00:00", "Z"),
            "plan": self.id,
            "syncs": [sync.to_dict() for sync in self.syncs],
        }

    def __repr__(self) -> str:
        """One line with the same numbers as the card."""
        parts = []
        for sync in self.syncs:
            counts = [
                f"{sign}{sync.count(change):,}"
                for change, sign in (("enter", "+"), ("exit", "-"), ("set", "="))
                if sync.count(change)
            ]
            words = " ".join(counts) or "no change"
            words += f" ({cause_words(sync.causes)})" if counts and not sync.first else ""
            parts.append(f"{sync.sync.destination} {sync.sync.call}: {words}{', first push' if sync.first else ''}")
        standing = dict.fromkeys(guard.name for guard in still_standing(self.guards, ()))
        blocked = f"  BLOCKED by {', '.join(standing)}" if standing else ""
        return f"plan of {self.key}, as of {self.as_of:%Y-%m-%d %H:%M} UTC: {'; '.join(parts)}{blocked}"


def cause_words(causes: Mapping[str, int]) -> str:
    """``12 time passing, 3 new data``; without the number if there is one cause only."""
    if len(causes) == 1:
        return next(iter(causes))
    return ", ".join(f"{count:,} {cause}" for cause, count in causes.items())


def notes_of(plan: Plan) -> list[str]:
    """What a person should know: by which way it goes, what is made first, what is noted only, what nobody asked."""
    ways = {sync.sync.destination: sync.way for sync in plan.syncs if sync.way != "native"}
    notes = [*_moved_words(plan.moved)] if plan.moved is not None else []
    notes += [f"{destination} is reached {way}" for destination, way in ways.items()]
    notes += [
        f"{sync.sync.destination} {sync.sync.call}: {_replacement_words(sync)}"
        for sync in plan.syncs
        if sync.connection.replaces
    ]
    notes += [
        f"{sync.sync.destination} {sync.sync.call}: {sync.stage.words()}"
        for sync in plan.syncs
        if sync.stage is not None and sync.stage.words() and not sync.stage.stops
    ]
    notes += [
        f"{sync.sync.destination} {sync.sync.call}: {sync.silent:,} changes of merged users are noted, and not sent"
        for sync in plan.syncs
        if sync.silent and "identity merged" in sync.causes
    ]
    unasked = dict.fromkeys(sync.unasked for sync in plan.syncs if sync.unasked)
    return [*notes, *(f"not every cause is known: {why}" for why in unasked)]


def _replacement_words(sync: SyncPlan) -> str:
    """What becomes of those whom nobody here put there: nothing, where nobody takes their place."""
    if sync.count("enter"):
        return "whoever else is there is taken out, by whatever way they came"
    return "nobody is wanted, and whoever came there by another way stays"


def _moved_words(moved: Moved) -> Iterator[str]:
    """Where members were compared, where that is worth a word."""
    if moved.stayed:
        came, stayed = size_words(moved.bytes), size_words(moved.stayed)
        yield f"compared in the warehouse: {came} came over, and about {stayed} stayed there"
    elif moved.why:
        yield f"{size_words(moved.bytes)} came over to be compared here: {moved.why}"


def _payloads(sync: SyncPlan, limit: int) -> list[dict[str, str]]:
    """The requests for the first changes of each kind."""
    samples = []
    for (_,), some in sync.lines.head(sync.to_send).group_by("change", maintain_order=True):
        made = prepare(sync.connection, sync.sync.call, some.head(limit), sync.computation)
        for request in made.requests:
            path = request.url.removeprefix(sync.connection.home).partition("?")[0] or "/"
            body = request.content.decode("utf-8", errors="replace")
            samples.append(
                {
                    "destination": sync.sync.destination,
                    "call": sync.sync.call,
                    "method": request.method,
                    "path": path,
                    "body": body,
                }
            )
    return samples
