"""What a person does with a plan that is shown: tries it, approves it, watches it, stops it. One for every plan.

A plan that is displayed twice has one course: both displays show it. Long work runs in a thread, so that the kernel
stays free; whoever listens is called from that thread.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from personas_kit.activation.course import Progress
from personas_kit.activation.dry_run import DryRun
from personas_kit.activation.guards import RUNNING, still_standing
from personas_kit.activation.plan import Plan, SyncPlan
from personas_kit.activation.report import Report
from personas_kit.activation.stopping import INTERRUPTED, Stop
from personas_kit.errors import PersonasError, PlanError
from personas_kit.notebook.plan_card import guard_words

Step = Literal["idle", "trying", "confirm", "running", "done", "planning"]
OVERRIDE = f"override=[{RUNNING!r}]"
"""Stands in what is said of a push that stopped because too much was refused."""
SECONDS = 0.2
"""So often is progress told."""
RARELY = 20
"""Telling takes a twentieth of the time at most: of a very large plan there is much to add up."""
LEAST_SECONDS, LEAST_SHARE = 10.0, 0.05
"""Before this nothing can be said about how long the rest takes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A guard that a person has to override by name, or cannot.

    Attributes:
        saw: sentences.
    """

    name: str
    saw: tuple[str, ...]
    final: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """How far one call is: ``done`` of ``total`` changes, and what became of them so far."""

    where: str
    done: int
    total: int
    rejected: int = 0
    unknown: int = 0


class Pushing:
    """The course of one plan.

    Attributes:
        plan: what it is about.
        step: ``idle``; ``trying`` (a dry run); ``confirm`` (a person is asked); ``running``; ``done`` (there is a
            report, perhaps of a part); ``planning`` (anew).
        problem: why the last thing that was asked for did not happen.
        dry: the result of a dry run.
        stopping: somebody asked to stop, and what is under way finishes.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.step: Step = "idle"
        self.problem: PersonasError | None = None
        self.dry: DryRun | None = None
        self.stopping = False
        self._stop = Stop()
        self._busy = False
        self._thread: threading.Thread | None = None
        self._alone = threading.Lock()
        self._heard: list[Callable[[], None]] = []
        self._began = (0.0, 0)
        self._rest()

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def report(self) -> Report | None:
        """Of the last push of the plan, wherever it was pushed."""
        return self.plan.memory.report

    @property
    def calls(self) -> list[Call]:
        """How far every call is."""
        return [self._call(sync) for sync in self.plan.syncs]

    @property
    def left(self) -> int:
        """How many changes a push would send now."""
        concluded = self.plan.memory.concluded
        return sum(call.total - call.done for call, sync in self._with_calls() if sync.sync.id not in concluded)

    @property
    def goes_on(self) -> bool:
        """It was pushed and has stopped, and the same plan can go on."""
        memory = self.plan.memory
        return memory.report is not None and any(sync.sync.id not in memory.concluded for sync in self.plan.syncs)

    @property
    def standing(self) -> list[Standing]:
        """What a person has to override; also that too much was refused, if that has stopped it before."""
        guards = still_standing(self.plan.guards, ())
        found = {
            guard.name: Standing(
                guard.name,
                tuple(guard_words(self.plan, guard.name)),
                any(other.final for other in guards if other.name == guard.name),
            )
            for guard in guards
        }
        parts = self.report.syncs if self.report else ()
        tripped = tuple(dict.fromkeys(part.why for part in parts if OVERRIDE in part.why))
        return [*found.values(), *([Standing(RUNNING, tripped)] if tripped and self.goes_on else [])]

    def seconds_left(self) -> float | None:
        """How long the rest takes at the rate so far; None while nobody can say."""
        start, before = self._began
        passed, calls = time.monotonic() - start, self.calls
        done, total = sum(call.done for call in calls), sum(call.total for call in calls)
        through = done - before
        if self.step != "running" or passed < LEAST_SECONDS or through < LEAST_SHARE * max(total - before, 1):
            return None
        return passed / through * (total - done)

    # --- what a person does ------------------------------------------------------------------------------------------

    def listen(self, heard: Callable[[], None]) -> None:
        """Call this whenever something is different; from any thread."""
        self._heard.append(heard)

    def deafen(self, heard: Callable[[], None]) -> None:
        """Call it no more."""
        self._heard.remove(heard)

    def try_it(self) -> None:
        """Go through the plan without sending."""
        self._work("trying", self._try)

    def ask(self) -> None:
        """Ask for the approval."""
        if not self._busy:
            self._rest()
            if self.step == "idle" or self.goes_on:
                self.step = "confirm"
            self._tell()

    def cancel(self) -> None:
        """There is no approval."""
        if self.step == "confirm":
            self._rest()
            self._tell()

    def push(self, typed: str, overridden: Collection[str], why: str = "") -> None:
        """Push the plan, in a thread.

        Args:
            typed: the name or the key of the definition, as a person has typed it.
            overridden: guards that the person has ticked.
            why: kept in the history.

        Raises:
            PlanError: nobody is asked at the moment, that is not the name, or a guard stands.
        """
        if self.step != "confirm":
            raise PlanError("nothing was sent: this plan waits for no approval", where=self.plan.key)
        if typed.strip() not in {self.plan.name, self.plan.key}:
            raise PlanError(
                f"nothing was sent: {typed.strip()!r} is not the name",
                where=self.plan.key,
                hint=f"type {self.plan.key}",
            )
        final = [guard.name for guard in self.standing if guard.final]
        if final:
            raise PlanError(f"nothing was sent: {', '.join(final)} cannot be overridden", where=self.plan.key)
        open_ones = [guard.name for guard in self.standing if guard.name not in overridden]
        if open_ones:
            raise PlanError(
                f"nothing was sent: {', '.join(open_ones)} would have to be overridden",
                where=self.plan.key,
                hint="look at what they saw, and tick them if it is right",
            )
        override = {guard.name: why for guard in self.standing}
        self._stop, self.stopping = Stop(), False
        self._began = (time.monotonic(), sum(call.done for call in self.calls))
        self._work("running", lambda: self._push(override))

    def stop(self) -> None:
        """Start nothing more; what is under way finishes, and the plan can go on where it was."""
        if self.step == "running":
            self._stop.ask(INTERRUPTED)
            self.stopping = True
            self._tell()

    def plan_again(self, then: Callable[[Plan], None]) -> None:
        """Make a new plan, in a thread, and hand it over. Nothing is sent."""
        self._work("planning", lambda: then(self.plan.again()))

    def join(self) -> None:
        """Wait until the thread is through with what was asked for last."""
        if self._thread is not None:
            self._thread.join()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _try(self) -> None:
        self.dry = self.plan.dry_run()

    def _push(self, override: Mapping[str, str]) -> None:
        due = [0.0]

        def tell(_: Progress) -> None:
            now = time.monotonic()
            if now >= due[0]:
                self._tell()
                due[0] = now + max(SECONDS, RARELY * (time.monotonic() - now))

        self.plan.push(override=override, progress=tell, stop=self._stop)

    def _work(self, step: Step, what: Callable[[], None]) -> None:
        """Do one thing at a time, in a thread; what goes wrong is said in words."""

        def work() -> None:
            try:
                what()
            except PersonasError as problem:
                self.problem = problem
            except Exception as broken:
                self.problem = PersonasError(
                    f"it broke off: {type(broken).__name__}",
                    where=self.plan.key,
                    hint="ws.status() says how far it came",
                )
                raise
            finally:
                self._busy = False
                self._rest(keep=True)
                self._tell()

        with self._alone:
            if self._busy:
                return
            self._busy, self.step, self.problem = True, step, None
            self._thread = thread = threading.Thread(target=work, name=f"personas {step} {self.plan.key}", daemon=True)
        self._tell()
        thread.start()

    def _rest(self, *, keep: bool = False) -> None:
        """Back to where nothing is under way."""
        self.step = "done" if self.report is not None else "idle"
        self.stopping = False
        if not keep:
            self.problem = None

    def _tell(self) -> None:
        for heard in [*self._heard]:
            heard()

    def _with_calls(self) -> list[tuple[Call, SyncPlan]]:
        return [(self._call(sync), sync) for sync in self.plan.syncs]

    def _call(self, sync: SyncPlan) -> Call:
        memory, where = self.plan.memory, f"{sync.sync.destination} {sync.sync.call}"
        part = memory.concluded.get(sync.sync.id)
        if part is not None:
            done = sync.to_send - part.unsent
            return Call(where, done, sync.to_send, part.rejected, part.unknown)
        tallies = dict(memory.outcomes.get(sync.sync.id, {}))
        done = sum(batch.stop - batch.start - len(tally.unsent) for batch, tally in tallies.items())
        rejected = sum(len(tally.rejected) for tally in tallies.values())
        unknown = sum(len(tally.unknown - set(tally.rejected)) for tally in tallies.values())
        return Call(where, done, sync.to_send, rejected, unknown)


_courses: weakref.WeakValueDictionary[str, Pushing] = weakref.WeakValueDictionary()


def pushing_of(plan: Plan) -> Pushing:
    """The course of a plan: the same for every display of it, as long as there is one."""
    found = _courses.get(plan.id)
    if found is None or found.plan is not plan:
        found = _courses[plan.id] = Pushing(plan)
    return found
