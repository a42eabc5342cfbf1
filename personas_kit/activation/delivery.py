"""Pushes a plan: commits it, sends it batch by batch, notes every outcome, and folds what was acknowledged.

The protocol: a plan is committed before anything is sent; a batch is marked *sending* before its first byte and
settled in one transaction after its last answer; what was in flight when a process died is unknown, and due again
with the same message id. At least once, never silently twice with another id.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from personas_kit.activation.asking import FieldStage, field_needed, make_field
from personas_kit.activation.attention import LOOKED_AT, news
from personas_kit.activation.beside import Post, beside
from personas_kit.activation.courier import Courier, Tally
from personas_kit.activation.course import Course, Progress
from personas_kit.activation.forgetting import tells_of
from personas_kit.activation.guards import RUNNING, Override, for_history, overridden
from personas_kit.activation.jobs import settle_jobs
from personas_kit.activation.pacing import Pacer
from personas_kit.activation.plan import Plan, SyncPlan
from personas_kit.activation.report import Report, SyncReport
from personas_kit.activation.sending import Sending
from personas_kit.activation.state import Batch, PlanHead
from personas_kit.activation.stopping import INTERRUPTED, Stop, heard, stoppable
from personas_kit.activation.store import Store
from personas_kit.activation.sync import Sync
from personas_kit.activation.tallies import Sent, sync_report, with_outcomes
from personas_kit.activation.transport import HttpTransport, Transport
from personas_kit.clock import Clock, SystemClock, is_real
from personas_kit.destinations.base import Connection, FieldType
from personas_kit.display import progress_of
from personas_kit.errors import DestinationError, PlanStale

_FIELD_TYPES: Mapping[bool, FieldType] = {True: "text", False: "boolean"}
RESUMABLE = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Push:
    """One call of ``push``.

    Attributes:
        overrides: guards that were overridden -> who did, and why.
        limit: on the clock's monotonic time: nothing is started after it.
        stop: asked by the person.
        tell: called with the sync under way, and how many of its changes are through.
    """

    plan: Plan
    overrides: Mapping[str, Override]
    limit: float
    stop: Stop
    tell: Callable[[SyncPlan, int], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Pushes plans with a store, a clock and a network.

    Attributes:
        store: what was acknowledged.
        clock: for waiting and for the history.
        connect: opens the network for a destination.
        keep: how long lines of the history are kept; None for always.
    """

    store: Store
    clock: Clock = SystemClock()  # noqa: RUF009  (has no state)
    connect: Callable[[Connection], Transport] = HttpTransport
    keep: dt.timedelta | None = None
    _pacers: dict[str, Pacer] = field(default_factory=dict)

    def push(
        self,
        plan: Plan,
        *,
        override: Sequence[str] | Mapping[str, str],
        deadline: float | None,
        progress: Callable[[Progress], None] | None,
        stop: Stop | None = None,
    ) -> Report:
        """Send the plan; see ``Plan.push``."""
        todo = [sync for sync in plan.syncs if sync.sync.id not in plan.memory.concluded]
        if not todo:
            return Report(plan.key, plan.id, plan.as_of, (), lambda: _changes(plan, {}).clear(), again=True)
        overrides = overridden(plan.guards, override, where=plan.key)
        _check_secrets(todo)
        limit = math.inf if deadline is None else self.clock.monotonic() + deadline
        stop, course = stop or Stop(), Course(plan.syncs, self.clock)
        for sync in plan.syncs:
            if sync not in todo:
                course.through(sync)
        with contextlib.ExitStack() as stack:
            for sync in todo:
                stack.enter_context(self.store.lock(sync.sync))
            for sync in todo:
                self._check_fresh(plan, sync)
            tell = progress or stack.enter_context(progress_of(sum(sync.to_send for sync in plan.syncs)))
            for sync in todo:
                self._begin(plan, sync, overrides)
            plan.memory.pushed = True
            stack.enter_context(stoppable(stop, heard))
            push = _Push(plan, overrides, limit, stop, lambda sync, done: tell(course.saw(sync, done)))
            report = plan.memory.report = self._send_all(push)
            if self.keep is not None:
                self.store.prune(self.clock.now() - self.keep)
            return report

    def sent_before(self, sync: SyncPlan) -> dict[Batch, Tally]:
        """What became of a plan's batches that another process sent, as far as the state tells."""
        begun, state = self.store.begun(sync.sync), self.store.outline(sync.sync).state
        if begun is None:
            return {}
        refused = dict(state.rejects.select(pl.col("member").cast(pl.String), "reason").iter_rows())
        accepted = dict(
            state.unknown.filter(pl.col("job").is_not_null())
            .select(pl.col("member").cast(pl.String), "job")
            .iter_rows()
        )
        return {
            batch: _tally_of(begun.lines[batch.start : batch.stop], excluded, refused, accepted)
            for batch, excluded in begun.done.items()
        }

    def settle_jobs(self, sync: Sync, connection: Connection) -> None:
        """Ask a destination what became of work that it had accepted; see ``jobs``."""
        settle_jobs(self.store, self.clock, self.connect, sync, connection)

    def _check_fresh(self, plan: Plan, sync: SyncPlan) -> None:
        if tells_of(sync.lines, self.store.forgotten()):
            raise PlanStale(
                "somebody whom this plan is about was forgotten since it was made",
                where=str(sync.sync),
                hint="plan again",
            )
        if self.store.holds(plan.id, sync.sync):
            if self.clock.now() - plan.made_at > RESUMABLE:
                raise PlanStale(
                    "this plan was interrupted more than an hour ago", where=str(sync.sync), hint="plan again"
                )
            return
        if plan.memory.pushed:
            raise PlanStale(
                "another plan has taken over since this one was interrupted", where=str(sync.sync), hint="plan again"
            )
        self.store.recover(sync.sync)
        if self.store.outline(sync.sync).state.version != sync.state.version:
            raise PlanStale(
                "something was pushed, or a person stepped in, since this plan was made: it may be wrong by now",
                where=str(sync.sync),
                hint="plan again",
            )

    def _begin(self, plan: Plan, sync: SyncPlan, overrides: Mapping[str, Override]) -> None:
        if self.store.holds(plan.id, sync.sync):
            self.store.settle_in_flight(plan.id, sync.sync)
            return
        head = PlanHead(
            plan_id=plan.id,
            sync=sync.sync,
            as_of=plan.as_of,
            made_at=plan.made_at,
            fingerprint=sync.fingerprint,
            target=sync.connection.target,
            wanted=sync.wanted,
            valued=sync.valued,
            meaning=sync.meaning,
            figures=sync.figures,
            full=sync.full,
            replaces=sync.connection.replaces,
            overrides={name: each.to_dict() for name, each in overrides.items()},
            derived=sync.derived,
        )
        silent = Batch(sync.to_send, sync.lines.height)
        adopted = [silent] if silent.start < silent.stop else []
        self.store.begin(head, sync.lines, adopted=adopted, moot=_moot(sync))

    def _send_all(self, push: _Push) -> Report:
        """Every account beside the others: each has a pace of its own. Where time is made up, so is the order."""
        plan, accounts = push.plan, dict[str, list[SyncPlan]]()
        for sync in plan.syncs:
            if sync.sync.id not in plan.memory.concluded:
                accounts.setdefault(sync.connection.account, []).append(sync)
        parts = dict(plan.memory.concluded)
        if len(accounts) > 1 and is_real(self.clock):
            works = [functools.partial(self._send_beside, push, syncs) for syncs in accounts.values()]
            for part in beside(works, push.stop):
                parts |= part
        else:
            for syncs in accounts.values():
                parts |= self._send_account(push, syncs)
        outcomes = {name: dict(each) for name, each in plan.memory.outcomes.items()}
        changes = functools.cache(functools.partial(_changes, plan, outcomes))
        return Report(plan.key, plan.id, plan.as_of, tuple(parts[sync.sync.id] for sync in plan.syncs), changes)

    def _send_beside(self, push: _Push, syncs: Sequence[SyncPlan], post: Post) -> dict[str, SyncReport]:
        """The same, in a thread of its own: what is told is told by the thread that waits."""

        def tell(sync: SyncPlan, done: int) -> None:
            post(functools.partial(push.tell, sync, done))

        return self._send_account(replace(push, tell=tell), syncs)

    def _send_account(self, push: _Push, syncs: Sequence[SyncPlan]) -> dict[str, SyncReport]:
        """The syncs of one account in turn. What it refuses as a whole stops the calls that would meet the same."""
        parts, closed = dict[str, SyncReport](), dict[str, str]()
        for sync in syncs:
            why = push.stop.why or closed.get(sync.connection.target, "")
            part = parts[sync.sync.id] = self._send_sync(push, sync, why, functools.partial(push.tell, sync))
            if part.why == INTERRUPTED:
                push.stop.ask(INTERRUPTED)
            if part.why:
                closed[sync.connection.target] = part.why
        return parts

    def _send_sync(self, push: _Push, sync: SyncPlan, why: str, tell: Callable[[int], None]) -> SyncReport:
        """Send one sync's changes until they are through or something stops them; ``why`` stopped it before."""
        plan, started = push.plan, self.clock.now()
        sent = Sent(plan.memory.outcomes.setdefault(sync.sync.id, {}), why)
        if not why:
            sync, sent.why = self._with_field(sync)
        if not sent.why:
            with contextlib.closing(self.connect(sync.connection)) as transport:
                courier = self._courier(push, sync, transport)
                circuit = RUNNING not in push.overrides
                elsewhere = threading.current_thread() is not threading.main_thread()
                hurried = push.stop.hurried if elsewhere and is_real(self.clock) else None
                Sending(plan.id, sync, self.store, courier, circuit, tell, sent, hurried).run()
        through = not self.store.waiting(plan.id, sync.sync)
        finished = through and not sent.why
        part = sync_report(sync, sent, finished=finished)
        line = run_line(plan, sync, part, started, self.clock.now(), push.overrides)
        told = replace(part, attention=tuple(news(self.store.runs(LOOKED_AT, sync.sync), line)))
        if through or sync.aside or sent.fatal:
            self.store.fold(plan.id, sync.sync, finished=finished and not sync.aside, lines=sync.lines)
            plan.memory.concluded[sync.sync.id] = told
        else:
            self.store.stop(plan.id, sync.sync)
        self.store.note_run(line)
        return told

    def _with_field(self, sync: SyncPlan) -> tuple[SyncPlan, str]:
        """The plan with what the destination calls the field that it needs; or why there is none."""
        about, kind = sync.computation, _FIELD_TYPES[sync.valued]
        needed = field_needed(sync.connection, sync.sync.call, about.key, about.name, kind)
        if needed is None or not sync.to_send:
            return sync, ""
        try:
            handle = make_field(sync.connection, sync.stage or FieldStage(needed), self.connect)
        except DestinationError as problem:
            return sync, f"{problem.what}; {problem.hint}" if problem.hint else problem.what
        return replace(sync, computation=replace(about, field=handle)), ""

    def _courier(self, push: _Push, sync: SyncPlan, transport: Transport) -> Courier:
        connection = sync.connection
        there = connection.destination
        pacer = self._pacers.setdefault(
            connection.account, Pacer(there.rates, there.budget, self.clock, there.parallel)
        )
        return Courier(
            connection,
            sync.sync.call,
            sync.computation,
            transport,
            self.clock,
            pacer,
            push.stop.part(),
            functools.partial(self.store.still_held, sync.sync),
            push.limit,
        )


def run_line(
    plan: Plan,
    sync: SyncPlan,
    report: SyncReport,
    started: dt.datetime,
    finished: dt.datetime,
    overrides: Mapping[str, Override],
) -> dict[str, object]:
    """The line of the history that a push leaves."""
    about = sync.sync
    return {
        "plan_id": plan.id, "sync_id": about.id, "definition": about.key, "destination": about.destination,
        "call": about.call, "place": about.place, "started_at": started, "finished_at": finished, "as_of": plan.as_of,
        "state": report.state, "why": report.why, **report.counts(),
        "reasons": report.reasons, "guards": for_history(sync.guards),
        "overrides": {name: each.to_dict() for name, each in overrides.items()},
    }  # fmt: skip


def _changes(plan: Plan, outcomes: Mapping[str, Mapping[Batch, Tally]]) -> pl.DataFrame:
    return pl.concat([with_outcomes(sync, outcomes.get(sync.sync.id, {})) for sync in plan.syncs])


def _tally_of(
    lines: pl.DataFrame, excluded: Sequence[int], refused: Mapping[str, str], accepted: Mapping[str, str]
) -> Tally:
    members, tally = lines["member"].cast(pl.String), Tally()
    for at in excluded:
        if members[at] in refused:
            tally.rejected[at] = refused[members[at]]
        elif members[at] in accepted:
            tally.accepted[at] = accepted[members[at]]
        else:
            tally.unknown.add(at)
    return tally


def _moot(sync: SyncPlan) -> list[str]:
    """Who was refused once, and of whom nothing is due any more; nobody, where the plan is about some only."""
    if sync.aside:
        return []
    refused = sync.state.rejects["member"].cast(pl.String)
    due = pl.concat([sync.lines["member"].cast(pl.String), sync.held["member"]])
    return refused.filter(~refused.is_in(due.implode())).to_list()


def _check_secrets(syncs: Sequence[SyncPlan]) -> None:
    """Read every secret once: a missing one is said before anything is committed."""
    for sync in syncs:
        for secret in sync.connection.secrets:
            secret.reveal()
