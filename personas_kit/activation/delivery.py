"""Pushes a plan: commits it, sends it batch by batch, notes every outcome, and folds what was acknowledged.

The protocol: a plan is committed before anything is sent; a batch is marked *sending* before its first byte and
settled in one transaction after its last answer; what was in flight when a process died is unknown, and due again
with the same message id. At least once, never silently twice with another id.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from personas_kit.activation.courier import Courier, Tally, digest_of, prepare
from personas_kit.activation.guards import Guard
from personas_kit.activation.plan import Plan, SyncPlan
from personas_kit.activation.report import Report, State, SyncReport
from personas_kit.activation.state import PlanHead
from personas_kit.activation.store import LocalStore
from personas_kit.activation.transport import HttpTransport, Transport
from personas_kit.clock import Clock, SystemClock
from personas_kit.destinations.base import Connection
from personas_kit.display import progress_of
from personas_kit.errors import PlanBlocked, PlanError, PlanStale

RESUMABLE = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a push is: ``done`` of ``total`` changes, over all its syncs, and which sync is under way."""

    done: int
    total: int
    sync: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Pushes plans with a store, a clock and a network.

    Attributes:
        store: what was acknowledged.
        clock: for waiting and for the history.
        connect: opens the network for a destination.
    """

    store: LocalStore
    clock: Clock = SystemClock()  # noqa: RUF009  (has no state)
    connect: Callable[[Connection], Transport] = HttpTransport

    def push(
        self,
        plan: Plan,
        *,
        override: Sequence[str],
        deadline: float | None,
        progress: Callable[[Progress], None] | None,
    ) -> Report:
        """Send the plan; see ``Plan.push``."""
        todo = [sync for sync in plan.syncs if sync.sync.id not in plan.memory.concluded]
        if not todo:
            return Report(plan.key, plan.id, plan.as_of, (), plan.changes.clear(), again=True)
        _check_guards(plan, override)
        _check_secrets(todo)
        limit = math.inf if deadline is None else self.clock.monotonic() + deadline
        total = sum(sync.lines.height for sync in plan.syncs)
        with contextlib.ExitStack() as stack:
            for sync in todo:
                stack.enter_context(self.store.lock(sync.sync))
            for sync in todo:
                self._check_fresh(plan, sync)
            tell = progress or stack.enter_context(progress_of(total))
            for sync in todo:
                self._begin(plan, sync, override)
            plan.memory.pushed = True
            return self._send_all(plan, override, limit, lambda done, sync: tell(Progress(done, total, str(sync.sync))))

    def _check_fresh(self, plan: Plan, sync: SyncPlan) -> None:
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
        if self.store.load(sync.sync).version != sync.state.version:
            raise PlanStale(
                "something was pushed since this plan was made, so it may be wrong by now",
                where=str(sync.sync),
                hint="plan again",
            )

    def _begin(self, plan: Plan, sync: SyncPlan, override: Sequence[str]) -> None:
        if self.store.holds(plan.id, sync.sync):
            self.store.settle_in_flight(plan.id, sync.sync)
            return
        head = PlanHead(
            plan_id=plan.id,
            sync=sync.sync,
            as_of=plan.as_of,
            fingerprint=sync.fingerprint,
            target=sync.connection.target,
            wanted=sync.wanted,
            valued=sync.valued,
            overrides=override,
        )
        self.store.begin(head, sync.lines)

    def _send_all(
        self, plan: Plan, override: Sequence[str], limit: float, tell: Callable[[int, SyncPlan], None]
    ) -> Report:
        parts: list[tuple[SyncReport, pl.DataFrame]] = []
        before, why = 0, ""
        for sync in plan.syncs:
            known = plan.memory.concluded.get(sync.sync.id)
            part = known or self._send(plan, sync, limit, functools.partial(_tell_sync, tell, before, sync), why)
            parts.append(part)
            before += sync.lines.height
            if known is None:
                why = why or part[0].why
                self._note(plan, sync, part[0], override)
        return Report(
            plan.key,
            plan.id,
            plan.as_of,
            tuple(report for report, _ in parts),
            pl.concat(changes for _, changes in parts),
        )

    def _send(
        self, plan: Plan, sync: SyncPlan, limit: float, tell: Callable[[int], None], why: str
    ) -> tuple[SyncReport, pl.DataFrame]:
        """Send one sync's batches until they are through or something stops them; ``why`` stopped the sync before."""
        outcomes = plan.memory.outcomes.setdefault(sync.sync.id, {})
        batches = _batches(sync.lines)
        done = sum(stop - start for number, (start, stop) in batches.items() if number in outcomes)
        fatal = False
        with contextlib.closing(self.connect(sync.connection)) as transport:
            courier = Courier(sync.connection, sync.sync.call, sync.computation, transport, self.clock, limit)
            for number in self.store.ready_batches(plan.id, sync.sync):
                if not why and self.clock.monotonic() >= limit:
                    why = "the deadline was reached"
                if why:
                    break
                start, stop = batches[number]
                tally = outcomes[number] = self._send_batch(plan, sync, number, sync.lines[start:stop], courier)
                done += stop - start
                tell(done)
                why, fatal = tally.stopped, tally.fatal
        unsent = self.store.ready_batches(plan.id, sync.sync)
        finished = not unsent and not why
        part = _report(sync, outcomes, why, finished=finished, fatal=fatal)
        if finished or fatal or not unsent:
            self.store.fold(plan.id, sync.sync, finished=finished)
            plan.memory.concluded[sync.sync.id] = part
        return part

    def _send_batch(self, plan: Plan, sync: SyncPlan, number: int, batch: pl.DataFrame, courier: Courier) -> Tally:
        requests, fitting, positions, too_large = prepare(sync.connection, sync.sync.call, batch, sync.computation)
        self.store.sending(plan.id, sync.sync, number, digest_of(requests))
        tally = courier.deliver(fitting, requests, positions)
        tally.rejected.update(too_large)
        self.store.settle(plan.id, sync.sync, number, batch, tally.result())
        return tally

    def _note(self, plan: Plan, sync: SyncPlan, report: SyncReport, override: Sequence[str]) -> None:
        self.store.note_run(
            plan.id,
            sync.sync,
            {
                "finished_at": self.clock.now(),
                "as_of": plan.as_of,
                "state": report.state,
                "wanted": sync.wanted,
                "acknowledged": report.acknowledged,
                "rejected": report.rejected,
                "unknown": report.unknown,
                "skipped": report.skipped,
                "unsent": report.unsent,
                "overrides": json.dumps([*override]),
            },
        )


def check_overrides(guards: Sequence[Guard], override: Sequence[str]) -> list[Guard]:
    """The guards that still stand."""
    return [guard for guard in guards if guard.final or guard.name not in override]


def _check_guards(plan: Plan, override: Sequence[str]) -> None:
    standing = check_overrides(plan.guards, override)
    fired = {guard.name for guard in plan.guards}
    if not standing:
        mistaken = sorted(set(override) - fired)
        if mistaken:
            hint = f"those that fired: {', '.join(sorted(fired)) or 'none'}"
            raise PlanError(f"no guard named {', '.join(mistaken)} fired for this plan", where=plan.key, hint=hint)
        return
    final = sorted({guard.name for guard in standing if guard.final})
    names = sorted({*(guard.name for guard in standing), *(set(override) & fired)})
    hint = (
        f"{', '.join(final)} cannot be overridden: correct the data or the setting, then plan again"
        if final
        else f"look at the plan; if it is right: plan.push(override={names!r})"
    )
    wording = "; ".join(dict.fromkeys(guard.saw for guard in standing))
    stopped = [*dict.fromkeys(guard.name for guard in standing)]
    raise PlanBlocked(f"nothing was sent: {wording}", guards=stopped, where=plan.key, hint=hint)


def _check_secrets(syncs: Sequence[SyncPlan]) -> None:
    """Read every secret once: a missing one is said before anything is committed."""
    for sync in syncs:
        for secret in sync.connection.secrets:
            secret.reveal()


def _report(
    sync: SyncPlan, outcomes: dict[int, Tally], why: str, *, finished: bool, fatal: bool
) -> tuple[SyncReport, pl.DataFrame]:
    changes = _with_outcomes(sync, outcomes)
    counts = dict(changes["outcome"].value_counts().iter_rows())
    rejected, unknown, unsent = (int(counts.get(word, 0)) for word in ("rejected", "unknown", "unsent"))
    state = _state(finished=finished, fatal=fatal, complete=not rejected and not unknown)
    report = SyncReport(
        sync.sync, state, int(counts.get("acknowledged", 0)), rejected, unknown, sync.skipped.height, unsent, why
    )
    return report, changes


def _state(*, finished: bool, fatal: bool, complete: bool) -> State:
    if finished:
        return "done" if complete else "partial"
    return "failed" if fatal else "interrupted"


def _with_outcomes(sync: SyncPlan, outcomes: dict[int, Tally]) -> pl.DataFrame:
    """Every change of the plan with ``outcome`` (acknowledged | rejected | unknown | unsent) and ``reason``."""
    number = sync.lines.schema["number"]
    exceptions = pl.DataFrame(
        [(batch, *line) for batch, tally in outcomes.items() for line in _exceptions(tally)],
        schema={"number": number, "at": pl.Int64, "outcome": pl.String, "reason": pl.String},
        orient="row",
    )
    settled = pl.col("number").is_in(pl.Series([*outcomes], dtype=number).implode())
    usual = pl.when(settled).then(pl.lit("acknowledged")).otherwise(pl.lit("unsent"))
    return (
        sync.lines.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64).over("number"))
        .join(exceptions, on=["number", "at"], how="left", maintain_order="left")
        .select(
            pl.col("member").cast(pl.String),
            pl.col("change").cast(pl.String),
            "value",
            "cause",
            destination=pl.lit(sync.sync.destination),
            call=pl.lit(sync.sync.call),
            outcome=pl.coalesce("outcome", usual),
            reason="reason",
        )
    )


def _batches(lines: pl.DataFrame) -> dict[int, tuple[int, int]]:
    """Where each batch starts and stops: numbers ascend, so a batch is a slice."""
    counts = lines.group_by("number", maintain_order=True).len()
    stops = counts.select("number", stop=pl.col("len").cast(pl.Int64).cum_sum(), size="len")
    return {number: (stop - size, stop) for number, stop, size in stops.iter_rows()}


def _exceptions(tally: Tally) -> Iterator[tuple[int, str, str | None]]:
    """The positions of a batch that were not acknowledged; one that is both rejected and unknown counts as rejected."""
    for at in tally.unsent:
        yield at, "unsent", None
    for at, reason in tally.rejected.items():
        yield at, "rejected", reason
    for at in tally.unknown - set(tally.rejected):
        yield at, "unknown", None


def _tell_sync(tell: Callable[[int, SyncPlan], None], before: int, sync: SyncPlan, done: int) -> None:
    """Progress of one sync as progress of the plan."""
    tell(before + done, sync)
