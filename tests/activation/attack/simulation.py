"""A few days of a team that pushes, in one process and from one seed: the same seed gives the same bytes.

Two runners share one state on a real disk (``LocalStore``) and push an audience, by one or two calls, and a trait, with
the kit's own planning, delivery and HTTP. Everything around these is made up and follows the seed: the clock, the
network and all that goes wrong there, what is wanted, who pushes when, for how long, and at which operation on the disk
or the network the machine dies. While a request is under way another runner may come: it has to find the sync busy, or
it pushes another one from end to end; somebody may look, press Ctrl-C, or set the clock.

After each push nothing may be wrong (``violations`` and the other books); in the end one push that nothing disturbs
makes all sides agree. ``python -m tests.activation.attack.simulation SEED`` prints the diary of a run.

What the kit leaves to chance follows the seed (``simulated.certain``), and DuckDB has one thread, since several hand
over the members in any order. Threads are the one thing that a simulation does not run: there is one lane, and a runner
that comes in the middle runs to its end.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import functools
import random
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from personas_kit.activation.plan import Plan
from personas_kit.activation.report import Report
from personas_kit.config import load
from personas_kit.destinations.base import Rate
from personas_kit.errors import PersonasError, PlanStale, SyncBusy
from tests.activation.attack import world as world_module
from tests.activation.attack.books import acknowledged, disagreements, unreconciled, violations
from tests.activation.attack.campaign import Doubts, newly_unknown, repetitions, scores
from tests.activation.attack.interposing import Died, Points
from tests.activation.attack.simulated import TIMEOUT, URL, Internet, MadeUpClock, certain
from tests.activation.attack.test_pace import overdone
from tests.activation.attack.world import World, hostile, registered
from tests.hostile_receiver.ledger import Ledger

KINDS = [("vips",), ("score",), ("vips", "score")]
"""The definitions that are pushed: an audience, a trait, or both."""
NAMES = ("ann", "bob")
LINES, ITEMS = 4, 2
RATES = [(), (Rate(2, 1.0),), (Rate(1, 0.25), Rate(12, 60.0, "changes"))]


@dataclass(slots=True)
class Summary:
    """What simulations did, and what they found."""

    seeds: int = 0
    days: int = 0
    pushes: int = 0
    requests: int = 0
    kills: int = 0
    faults: int = 0
    busy: int = 0
    stale: int = 0
    changes: int = 0
    found: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ("seeds", "days", "pushes", "requests", "kills", "faults", "busy", "stale", "changes")
        return f"{', '.join(f'{getattr(self, name):,} {name}' for name in counts)}, {len(self.found):,} violations"

    def add(self, other: Summary) -> None:
        """What others did as well."""
        for each in dataclasses.fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(slots=True)
class Runner:
    """Somebody who pushes: a workspace of their own on the state that all share.

    Attributes:
        life: how often it was started.
        kept: a plan of this life that was not pushed at once, or not to its end, by key.
    """

    name: str
    world: World
    life: int = 0
    kept: dict[str, Plan] = field(default_factory=dict)

    def side(self, key: str) -> World:
        """The same workspace, about one definition."""
        side = copy.copy(self.world)
        side.key = key
        side.calls = self.world.calls if key == "vips" else ("identify",)
        side.wanted = dict.fromkeys(self.world.wanted, True) if key == "vips" else {**self.world.wanted}
        return side

    def seen(self, keys: Iterable[str]) -> dict[str, World]:
        """The same, about each definition, with the state as it is now: read once, since many books look at it."""
        states, sides = self.world.store.syncs(), {key: self.side(key) for key in keys}
        for key, side in sides.items():
            own = {sync.call: state for sync, state in states if sync.key == key}
            side.states = lambda own=own: own  # type: ignore[method-assign]
        return sides


class Simulation:
    """The run of one seed.

    Args:
        seed: of everything.
        folder: for the state; an empty one.
        summary: is added to.
    """

    def __init__(self, seed: int, folder: Path, summary: Summary) -> None:
        self.some, self.summary = random.Random(f"{seed} story"), summary  # noqa: S311  (chance, not secrecy)
        self.diary: list[str] = []
        self.clock = MadeUpClock()
        self.keys, forgets = self.some.choice(KINDS), self.some.random() < 0.2
        self.ledgers = {key: Ledger(forgets=forgets) for key in self.keys}
        self.doubts = {key: Doubts() for key in self.keys}
        network = random.Random(f"{seed} network")  # noqa: S311  (as above)
        self.internet = Internet(network, self.clock, self.diary, self.ledgers, meanwhile=self.meanwhile)
        self.members = [f"u{n}" for n in range(self.some.choice([4, 7, 12]))]
        self.rates = self.some.choice(RATES)
        self.runners: list[Runner] = []
        self._folder = folder
        self._pushing: tuple[Runner, str] | None = None

    def run(self) -> None:
        """All days, and the push in the end. What was wrong is in the summary."""
        destination = dataclasses.replace(hostile(items=ITEMS), rates=self.rates)
        with registered(destination), mock.patch.object(world_module, "load", functools.cache(load)):  # it takes long
            send = self.some.choice([("identify",), ("identify", "track")])
            self.runners = [Runner(name, self._world(name, send)) for name in NAMES]
            for number in range(1, self.some.choice([3, 4])):
                self.clock.to_day(number)
                self.summary.days += 1
                self._want()
                for _ in range(self.some.choice([1, 1, 2])):
                    self._visit(self.some.choice(self.runners), self.some.choice(self.keys))
            self._end()
        self.summary.requests += len(self.internet.left)
        self.summary.faults += self.internet.faults

    # --- what happens ------------------------------------------------------------------------------------------------

    def _want(self) -> None:
        wanted = scores(self.some, self.members)
        moved = self.some.sample(self.members, 2) if self.some.random() < 0.3 else []
        for runner in self.runners:
            runner.world.want(wanted, dict.fromkeys(moved, "moved@example.com"))
        self._say(f"wanted: {wanted}")

    def _visit(self, runner: Runner, key: str) -> None:
        """One push, which may be cut short; and what is wrong afterwards."""
        if self.some.random() < 0.5:
            self._restart(runner)
        before = runner.seen(self.keys)
        for each, ledger in self.ledgers.items():
            ledger.life += 1
            self.doubts[each].note(ledger.life, before[each].states())
        self.internet.share = self.some.choice([0.0, 0.1, 0.4, 0.8])
        try:
            with Points(self.some.randrange(250) if self.some.random() < 0.4 else None).watching():
                self._push(runner, key)
        except Died:
            self.summary.kills += 1
            self._say("the machine died")
            for each in self.runners:
                self._restart(each)
        self._pushing = None
        self._a_while()
        for each, after in self._look(runner).items():
            self._found(repetitions(self.ledgers[each], self.doubts[each]))
            self._found(newly_unknown(before[each].states(), after.states(), LINES))
        self._pace()

    def _push(self, runner: Runner, key: str) -> None:
        side, self._pushing = runner.side(key), (runner, key)
        plan = self._plan(runner, key)
        self.summary.changes += plan.changes.height
        self._say(f"{runner.name} pushes {plan!r}")
        try:
            report = side.push(plan, deadline=self.some.choice([2, 60, 1_000]))
        except PlanStale as problem:
            self.summary.stale += 1
            self._say(f"{runner.name}: {problem.what}")
            return
        self._said(report, plan, runner, key)
        if not report.complete:
            runner.kept[key] = plan

    def _plan(self, runner: Runner, key: str) -> Plan:
        """The one that was kept, the one that somebody stopped, or a new one."""
        kept = runner.kept.pop(key, None) if self.some.random() < 0.7 else None
        unfinished = runner.side(key).unfinished() if self.some.random() < 0.4 else None
        return kept or unfinished or runner.side(key).plan()

    def meanwhile(self, name: str) -> None:
        """A request has arrived and is not answered yet."""
        if self._pushing is None or not name.startswith(self._pushing[0].name) or self.some.random() > 0.3:
            return
        runner, key = self._pushing
        other = next(each for each in self.runners if each is not runner)
        match self.some.choice(["busy", "beside", "look", "plan", "interrupt", "clock"]):
            case "busy":
                self._elsewhere(lambda: self._finds_it_busy(other, key))
            case "beside":
                for beside in set(self.keys) - {key}:
                    self._elsewhere(functools.partial(self._pushes_beside, other, beside))
            case "look":
                self._elsewhere(lambda: self._look(other))
            case "plan":
                self._elsewhere(lambda: other.kept.update({key: other.side(key).plan()}))
            case "interrupt":
                self._say("interrupted")
                raise KeyboardInterrupt
            case "clock":
                self._jump()

    def _finds_it_busy(self, other: Runner, key: str) -> None:
        """I7: who comes in the middle changes nothing."""
        before, sent = _known(other.seen(self.keys)), len(self.internet.left)
        plan = other.side(key).plan()
        try:
            other.side(key).push(plan)
        except SyncBusy as problem:
            self.summary.busy += 1
            self._say(f"{other.name}: {problem.what}")
        else:
            self._found([f"I7: {other.name} pushed {key}, and so did somebody else"])
        if (_known(other.seen(self.keys)), len(self.internet.left)) != (before, sent):
            self._found([f"I7: {other.name} changed something of {key}, which somebody else was pushing"])

    def _pushes_beside(self, other: Runner, key: str) -> None:
        plan = other.side(key).plan()
        self.summary.changes += plan.changes.height
        self._said(other.side(key).push(plan, deadline=60), plan, other, key)

    def _jump(self) -> None:
        """The time of day is set, or the machine sleeps for a while."""
        seconds = self.some.choice([-3_600.0, 3_600.0, -86_400.0, 31.0, 1_200.0])
        if seconds > 0 and self.some.random() < 0.5:
            self.clock.passed += seconds
        else:
            self.clock.wall += dt.timedelta(seconds=seconds)
        self._say(f"the clock jumped by {seconds}")

    def _end(self) -> None:
        """No more faults: one push of each, and all sides agree. Whoever was refused often has to wait for a second."""
        self.internet.share = 0.0
        for runner in self.runners:
            self._restart(runner)
        last = self.runners[0]
        for key in self.keys:
            held = True
            while held:
                plan = last.side(key).plan()
                self._said(last.side(key).push(plan), plan, last, key)
                held = any(sync.held.height for sync in plan.syncs)
        for key, side in self._look(last).items():
            self._found(disagreements(side, self.ledgers[key]))

    # --- the books ---------------------------------------------------------------------------------------------------

    def _said(self, report: Report, plan: Plan, runner: Runner, key: str) -> None:
        self.summary.pushes += 1
        self._say(f"{report!r} {[line.to_dict() for line in report.syncs]}")
        if not report.again:
            self._found(unreconciled(report, plan, runner.seen(self.keys)[key], self.ledgers[key]))

    def _look(self, runner: Runner) -> dict[str, World]:
        """What is wrong at this moment; and what the state says."""
        seen = runner.seen(self.keys)
        for key, side in seen.items():
            self._found(violations(side, self.ledgers[key]))
        self._say(str(_known(seen)))
        return seen

    def _pace(self) -> None:
        for who in sorted({name for name, _, _ in self.internet.left}):
            came = [(at, changes) for name, at, changes in self.internet.left if name == who]
            for rate in self.rates:
                self._found([f"pace: {who} was too fast at {at}" for at in overdone(came, rate)])

    def _found(self, wrong: list[str]) -> None:
        self.summary.found += wrong
        self.diary += [f"WRONG: {each}" for each in wrong]

    def _say(self, what: str) -> None:
        self.diary.append(f"{self.clock} {what}")

    # --- inside ------------------------------------------------------------------------------------------------------

    def _world(self, name: str, send: tuple[str, ...]) -> World:
        connect = self.internet.as_seen_by(name)
        return World(
            self._folder, URL, lines=LINES, send=send, key="score", clock=self.clock, connect=connect, shorter=TIMEOUT
        )

    def _restart(self, runner: Runner) -> None:
        """As another process."""
        runner.life += 1
        runner.kept.clear()
        runner.world.connect = self.internet.as_seen_by(f"{runner.name} {runner.life}")
        runner.world.reopen()

    def _a_while(self) -> None:
        """So long that nothing of what was sent is under way any more."""
        self.clock.passed += self.some.choice([5.0, 60.0, 2_000.0, 4_000.0])
        self.internet.arrived()

    def _elsewhere(self, work: Callable[[], None]) -> None:
        """As another process would: with a stack and a deadline of its own. It is waited for."""
        gone: list[BaseException] = []

        def guarded() -> None:
            try:
                work()
            except BaseException as problem:  # noqa: BLE001  (it is raised below)
                gone.append(problem)

        thread = threading.Thread(target=guarded)
        thread.start()
        thread.join()
        if gone and isinstance(gone[0], PersonasError):
            self._found([f"somebody else failed: {gone[0]!r}"])
        elif gone:
            raise gone[0]


def _known(seen: dict[str, World]) -> list[object]:
    """What the state says."""
    return [
        (key, call, state.version, state.pushes, acknowledged(state), state.unknown.rows(), state.rejects.rows())
        for key, side in seen.items()
        for call, state in side.states().items()
    ]


def simulate(seed: int, folder: Path, summary: Summary) -> list[str]:
    """The run of a seed: its diary. What was wrong is added to the summary."""
    before = len(summary.found)
    summary.seeds += 1
    with certain(seed), tempfile.TemporaryDirectory(dir=folder) as own:
        simulation = Simulation(seed, Path(own), summary)
        try:
            simulation.run()
        except Exception as problem:  # noqa: BLE001  (a push failed in a way that nothing here foresees)
            summary.found.append(f"{problem!r}\n{traceback.format_exc()}")
    summary.found[before:] = [f"PERSONAS_SEED={seed}: {each}" for each in summary.found[before:]]
    return simulation.diary


def stretch(seeds: range, folder: Path) -> Summary:
    """The runs of some seeds."""
    summary = Summary()
    for seed in seeds:
        simulate(seed, folder, summary)
    return summary


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as elsewhere:
        print("\n".join(simulate(int(sys.argv[1]), Path(elsewhere), Summary())))  # noqa: T201  (the diary)
