"""Several plans in one run: made one after the other by the calling thread, and pushed beside each other meanwhile.

One destination has two pushes at a time, in the order of the run, and one more plan that waits for them: so much is in
memory. They share what the account allows, so that nothing of it is lost where one ends and another begins.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from personas_kit.activation.beside import INTERVAL
from personas_kit.activation.course import Progress, summed
from personas_kit.activation.plan import Plan
from personas_kit.activation.runs import RunLine, plan_one, push_one
from personas_kit.activation.stopping import INTERRUPTED, Stop, heard, stoppable
from personas_kit.display import progress_of, working

AT_A_TIME = 2
"""Pushes to one destination."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One definition for one destination.

    Attributes:
        make: makes the plan.
        note: called when it has begun, returns what to call with the line once it has ended, which gives that of the
            report.
        waits: why it is not due yet; empty if it is.
    """

    key: str
    destination: str
    make: Callable[[], Plan]
    note: Callable[[], Callable[[RunLine], RunLine]]
    waits: str = ""


@dataclass(slots=True)
class Running:
    """A run under way.

    Args:
        errands: in the order of the report.
        override: guards to override.
        approve: ``"guards"`` pushes what no guard stops; None only plans.
    """

    errands: Sequence[Errand]
    override: Sequence[str]
    approve: str | None
    _lines: dict[int, RunLine] = field(default_factory=dict)
    _notes: dict[int, Callable[[RunLine], RunLine]] = field(default_factory=dict)
    _stop: Stop = field(default_factory=Stop)

    def in_turn(self) -> list[RunLine]:
        """Each planned and pushed before the next begins."""
        for at, errand in enumerate(self.errands):
            with working(f"{errand.key} -> {errand.destination}"):
                line = self._planned(at)
                self._ended(at, push_one(line) if self._ready(line) else line)
        return self._report()

    def beside(self) -> list[RunLine]:
        """Each pushed beside those to other destinations. An interrupt ends those under way in good order."""
        names = dict.fromkeys(errand.destination for errand in self.errands)
        with contextlib.ExitStack() as stack:
            shown = _Shown(stack)
            pool = stack.enter_context(ThreadPoolExecutor(max(1, AT_A_TIME * len(names)), "push"))
            queue = _Queue(pool, lambda line: self._push(line, shown))
            left = [*range(len(self.errands))]
            stack.enter_context(stoppable(self._stop, heard, lambda: queue.busy))
            while left or queue.busy:
                try:
                    self._step(left, queue, shown)
                except KeyboardInterrupt:
                    self._stop.ask(INTERRUPTED)
                    self._stop.hurry()
                    if not queue.busy:
                        raise
                except BaseException:
                    self._stop.ask("an error")
                    raise
        return self._report()

    def _step(self, left: list[int], queue: _Queue, shown: _Shown) -> None:
        """Make the next plan that does not have to wait behind another one; where there is none, wait for a push."""
        for at, line in queue.ended():
            self._ended(at, line)
        if self._stop.event.is_set():
            for at, line in queue.dropped():
                self._ended(at, replace(line, why=INTERRUPTED))
            left.clear()
        following = next((at for at in left if self.errands[at].destination not in queue.ahead), None)
        if following is None:
            queue.wait()
            return
        left.remove(following)
        with working(f"{self.errands[following].key} -> {self.errands[following].destination}"):
            line = self._planned(following)
        if self._stop.event.is_set() and self._ready(line):
            self._ended(following, replace(line, why=INTERRUPTED))
        elif self._ready(line):
            shown.begins(line)
            queue.put(following, line)
        else:
            self._ended(following, line)

    def _planned(self, at: int) -> RunLine:
        errand = self.errands[at]
        self._notes[at] = errand.note()
        if errand.waits:
            return RunLine(errand.key, errand.destination, "not due", errand.waits)
        return plan_one(errand.key, errand.destination, errand.make, override=self.override)

    def _ready(self, line: RunLine) -> bool:
        return self.approve is not None and line.did == "planned"

    def _push(self, line: RunLine, shown: _Shown) -> RunLine:
        return push_one(line, progress=functools.partial(shown.tell, line), stop=self._stop.part())

    def _ended(self, at: int, line: RunLine) -> None:
        self._lines[at] = self._notes[at](line)

    def _report(self) -> list[RunLine]:
        """In the order of the run; what has no line was not begun any more, or not planned to its end."""
        for at, errand in enumerate(self.errands):
            if at not in self._lines:
                if at not in self._notes:
                    self._notes[at] = errand.note()
                self._ended(at, RunLine(errand.key, errand.destination, "planned", INTERRUPTED))
        return [self._lines[at] for at in range(len(self.errands))]


class _Queue:
    """The pushes under way, some for each destination, and the plans that wait behind them, one for each."""

    def __init__(self, pool: ThreadPoolExecutor, push: Callable[[RunLine], RunLine]) -> None:
        self._pool = pool
        self._push = push
        self._going: list[tuple[int, str, Future[RunLine]]] = []
        self._begun = 0
        self.ahead: dict[str, tuple[int, RunLine]] = {}

    @property
    def busy(self) -> bool:
        """Whether anything is under way, or about to be."""
        return self._begun > 0

    def put(self, at: int, line: RunLine) -> None:
        """Push it now, or after one of those that are under way there."""
        if sum(name == line.destination for _, name, _ in self._going) >= AT_A_TIME:
            self.ahead[line.destination] = (at, line)
        else:
            self._begun += 1
            push = functools.partial(contextvars.copy_context().run, self._push, line)
            self._going.append((at, line.destination, self._pool.submit(push)))

    def ended(self) -> list[tuple[int, RunLine]]:
        """What has ended since; what waited behind it begins."""
        found = []
        for one in [*self._going]:
            at, name, future = one
            if future.done():
                self._going.remove(one)
                self._begun -= 1
                if name in self.ahead:
                    self.put(*self.ahead.pop(name))
                found.append((at, future.result()))
        return found

    def dropped(self) -> list[tuple[int, RunLine]]:
        """What waits: it is not begun any more."""
        found, self.ahead = [*self.ahead.values()], {}
        return found

    def wait(self) -> None:
        """Until something ends, or for a moment."""
        wait([future for *_, future in self._going], INTERVAL, FIRST_COMPLETED)


class _Shown:
    """One display for all pushes of a run, from the first that sends anything until the run ends."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._tell: Callable[[Progress], None] | None = None
        self._parts: dict[str, Progress] = {}
        self._lock = threading.Lock()

    def begins(self, line: RunLine) -> None:
        """A plan that will be pushed. Called by the thread that has the display."""
        total = sum(sync.to_send for sync in line.plan.syncs) if line.plan is not None else 0
        if total and self._tell is None:
            self._tell = self._stack.enter_context(progress_of(total))

    def tell(self, line: RunLine, progress: Progress) -> None:
        """How far one of them is; from any thread."""
        with self._lock:
            name = f"{line.key} -> {line.destination}"
            self._parts.pop(name, None)
            self._parts[name] = progress
            if self._tell is not None:
                self._tell(summed([*self._parts.values()]))
