"""What a scheduled run did: one line per definition and destination."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from personas_kit.activation.delivery import run_line
from personas_kit.activation.guards import for_history, still_standing
from personas_kit.activation.plan import Plan, SyncPlan
from personas_kit.activation.report import COUNTS, Ended, Report, State, Step
from personas_kit.activation.stopping import INTERRUPTED
from personas_kit.activation.sync import Sync
from personas_kit.activation.tallies import Sent, sync_report
from personas_kit.display import Displayed
from personas_kit.errors import (
    PersonasError,
    PlanBlocked,
    PlanStale,
    RunElsewhere,
    RunError,
    RunRejected,
    RunUnfinished,
    SyncBusy,
)

Did = Literal["pushed", "planned", "blocked", "not due", "elsewhere", "failed"]
_OUTCOMES: tuple[Step, ...] = ("acknowledged", "rejected", "unknown", "accepted", "unsent")
_ENDED: Mapping[Did, Ended] = {"failed": "failed", "blocked": "blocked", "elsewhere": "elsewhere"}
_STATES: Mapping[Did, State] = {"planned": "planned", "blocked": "blocked", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class RunLine:
    """One definition at one destination.

    Attributes:
        did: ``pushed``; ``planned`` (nobody approved); ``blocked`` (a guard fired); ``not due``; ``elsewhere``
            (another run has it, or has just pushed it); ``failed``.
        why: what a person should know; empty if all is well.
        plan: None where it failed, and where nobody had to be asked to know that it is not due.
        guards: that stopped it, where there is no plan to ask: their names -> what they saw.
        attention: what is new since the run before, a sentence each.
    """

    key: str
    destination: str
    did: Did
    why: str = ""
    plan: Plan | None = None
    report: Report | None = None
    guards: Mapping[str, str] = field(default_factory=dict)
    attention: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What to write once a person has looked, if guards blocked it that can be overridden; else empty."""
        standing = still_standing(self.plan.guards, ()) if self.did == "blocked" and self.plan else []
        if not standing or any(guard.final for guard in standing):
            return ""
        names = ",".join(sorted({guard.name for guard in standing}))
        return f"personas push {self.key} --to {self.destination} --override {names}"

    @property
    def ended(self) -> Ended:
        """How this part of the run ended; what is only planned, or not due, is done, unless somebody interrupted it."""
        if self.report is not None:
            return self.report.ended
        if self.why == INTERRUPTED:
            return "unfinished"
        return _ENDED.get(self.did, "done")

    @property
    def due(self) -> dt.datetime | None:
        """When a schedule pushes it again; None where nothing says how often, and where it was not pushed this time."""
        if self.plan is None or self.report is None or self.report.ended not in {"done", "rejected"}:
            return None
        return min(filter(None, (part.due_after(self.plan.as_of) for part in self.plan.syncs)), default=None)

    def __str__(self) -> str:
        """One line: what was done, how much of it was acknowledged, when it is due next, why."""
        counts = f": {_counted(self.report)}" if self.report else ""
        due = f", due next {self.due:%Y-%m-%d %H:%M} UTC" if self.due else ""
        return f"{self.did:9} {self.key} -> {self.destination}{counts}{due}{f'  ({self.why})' if self.why else ''}"

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "key": self.key,
            "destination": self.destination,
            "did": self.did,
            "why": self.why,
            **({"due": _instant(self.due)} if self.due else {}),
            **({"command": self.command} if self.command else {}),
            **({"attention": list(self.attention)} if self.attention else {}),
            **({"plan": self.plan.to_dict()} if self.plan else {}),
            **({"report": self.report.to_dict()} if self.report else {}),
        }


@dataclass(frozen=True, slots=True, repr=False)
class RunReport(Displayed):
    """What a run did.

    Attributes:
        notified: who was told what, or was not, a sentence each.
    """

    as_of: dt.datetime
    lines: tuple[RunLine, ...]
    notified: tuple[str, ...] = ()

    @property
    def attention(self) -> list[str]:
        """What is new since the runs before, one sentence for each change of state."""
        return [f"{line.key} -> {line.destination} {said}" for line in self.lines for said in line.attention]

    @property
    def ended(self) -> Ended:
        """How the worst of its parts ended."""
        return max((line.ended for line in self.lines), key=get_args(Ended).index, default="done")

    def check(self) -> None:
        """Nothing, if all of it went well: the last line of a notebook that runs on a schedule.

        Raises:
            RunError: a part failed.
            RunUnfinished: something was interrupted, or is unknown: run again.
            PlanBlocked: a guard fired, and somebody has to look.
            RunRejected: some changes were refused.
            RunElsewhere: another run has some of the syncs.
        """
        ended = self.ended
        if ended == "done":
            return
        lines = [line for line in self.lines if line.ended == ended]
        where = "\n         ".join(map(str, lines))
        commands = "\n         ".join(dict.fromkeys(line.command for line in lines if line.command))
        if ended == "blocked":
            guards = [guard.name for line in lines if line.plan for guard in still_standing(line.plan.guards, ())]
            names = dict.fromkeys([*guards, *(name for line in lines for name in line.guards)])
            hint = f"if it is right: {commands}" if commands else ""
            raise PlanBlocked(f"a guard fired, {_SAYS[ended]}", guards=tuple(names), where=where, hint=hint)
        raise _RAISES[ended](f"{self!r}; {_SAYS[ended]}", where=where, hint=_HINTS[ended])

    def to_dict(self) -> dict[str, object]:
        """As plain data, the way ``personas run --json`` prints it."""
        return {
            "as_of": _instant(self.as_of),
            "lines": [line.to_dict() for line in self.lines],
            "attention": self.attention,
            **({"notified": list(self.notified)} if self.notified else {}),
        }

    def __repr__(self) -> str:
        """How many did what."""
        counts = {did: sum(line.did == did for line in self.lines) for did in get_args(Did)}
        words = ", ".join(f"{count} {did}" for did, count in counts.items() if count)
        return f"run of {self.as_of:%Y-%m-%d %H:%M} UTC: {words or 'nothing is scheduled'}"


_SAYS: Mapping[Ended, str] = {
    "failed": "a part of it failed",
    "elsewhere": "another run has some of its syncs",
    "unfinished": "not everything is acknowledged yet",
    "blocked": "and nothing was sent for it",
    "rejected": "some changes were refused",
}
_RAISES: Mapping[Ended, type[RunError]] = {
    "failed": RunError, "unfinished": RunUnfinished, "rejected": RunRejected, "elsewhere": RunElsewhere,
}  # fmt: skip
_HINTS: Mapping[Ended, str] = {
    "failed": "correct it, then run again: what is acknowledged already is not sent again",
    "unfinished": "run again: it goes on, and what is acknowledged already is not sent again",
    "rejected": "personas status shows the reasons; they are tried again",
    "elsewhere": "that run says how it ends; the next one looks again",
}


def plan_one(key: str, destination: str, make: Callable[[], Plan], *, override: Sequence[str]) -> RunLine:
    """Plan one definition for one destination; ``planned`` if nothing stands against a push.

    A failure is a line of the report, so that the others go on.

    Args:
        key: of the definition.
        destination: the configured name.
        make: makes the plan.
        override: guards to override.
    """
    try:
        plan = make()
    except PersonasError as problem:
        return _failed(RunLine(key, destination, "failed"), problem)
    standing = still_standing(plan.guards, override)
    if standing:
        waits = any(guard.name == "interval" for guard in standing)
        saw = "; ".join(guard.saw for guard in standing)
        return RunLine(key, destination, "not due" if waits else "blocked", saw, plan)
    return RunLine(key, destination, "planned", "", plan)


def push_one(line: RunLine, **how: Any) -> RunLine:  # noqa: ANN401  (as ``Plan.push`` takes it)
    """Push what was planned. A failure is a line of the report as well."""
    plan = line.plan
    if plan is None:
        return line
    try:
        report = plan.push(override=[guard.name for guard in plan.guards if guard.stops], **how)
    except (SyncBusy, PlanStale) as problem:  # two runs at a time: the other one has it, or has had it since we looked
        return replace(line, did="elsewhere", why=problem.what)
    except PersonasError as problem:
        return _failed(line, problem)
    why = next((sync.why for sync in report.syncs if sync.why), "")
    news = tuple(f"{part.sync.call}: {said}" for part in report.syncs for said in part.attention)
    return replace(line, did="pushed", why=why, report=report, attention=news)


def _counted(report: Report) -> str:
    """``20 acknowledged, 3 rejected``: what there is of each outcome."""
    counts = {name: sum(part.steps[name] for part in report.syncs) for name in _OUTCOMES}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count or name == "acknowledged")


def _instant(when: dt.datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def _failed(line: RunLine, problem: PersonasError) -> RunLine:
    if isinstance(problem, PlanBlocked):
        guards = dict.fromkeys(problem.guards, problem.what)
        return RunLine(line.key, line.destination, "blocked", problem.what, guards=guards)
    return replace(line, did="failed", why=str(problem))


def lines_of(
    line: RunLine, syncs: Sequence[Sync], as_of: dt.datetime, started: dt.datetime, finished: dt.datetime
) -> Iterator[tuple[Sync, dict[str, Any]]]:
    """The lines of the history for what was not pushed; a push has left its own, and what is not due leaves none.

    Args:
        line: what a run did.
        syncs: those that it is about, where there is no plan to say so.
        as_of: the instant that the run was for.
        started: when it began with this.
        finished: when it was done with it.
    """
    state = _STATES.get(line.did)
    if state is None:
        return
    if line.plan is None:
        for sync in syncs:
            yield sync, _unplanned(line, sync, state, as_of, started, finished)
        return
    for part in line.plan.syncs:
        if part.sync.id not in line.plan.memory.concluded:
            yield part.sync, _untried(line, line.plan, part, state, started, finished)


def _untried(
    line: RunLine, plan: Plan, part: SyncPlan, state: State, started: dt.datetime, finished: dt.datetime
) -> dict[str, Any]:
    """A sync of a plan that was not pushed."""
    guards = for_history(still_standing(part.guards, ())) if state == "blocked" else {}
    others = ", ".join(dict.fromkeys(guard.name for guard in still_standing(plan.guards, ())))
    why = line.why if state == "failed" else "; ".join(guards.values())
    if state == "blocked" and not guards:
        why = f"another call of the same plan is stopped by {others}"
    report = replace(sync_report(part, Sent(why=why), finished=False), state=state)
    return {**run_line(plan, part, report, started, finished, {}), "guards": guards}


def _unplanned(
    line: RunLine, sync: Sync, state: State, as_of: dt.datetime, started: dt.datetime, finished: dt.datetime
) -> dict[str, Any]:
    return {
        "plan_id": "", "sync_id": sync.id, "definition": sync.key, "destination": sync.destination, "call": sync.call,
        "place": sync.place, "started_at": started, "finished_at": finished, "as_of": as_of, "state": state,
        "why": line.why, **dict.fromkeys(COUNTS, 0), "reasons": {}, "guards": line.guards, "overrides": {},
    }  # fmt: skip
