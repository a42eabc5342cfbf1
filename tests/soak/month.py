"""A month of a company that pushes on a schedule, hour by hour, from one seed.

Each hour time passes at the company, the weather of its vendors changes, somebody may edit ``personas.toml``, and the
schedule runs: a workspace is opened on the file, ``ws.run(approve="guards")`` pushes what no guard stops, and the books
are compared. A person looks at what was stopped, at once or a day later. Runs are left out, cut short, meet each other,
or find the clock set back. In the end nothing goes wrong any more, and the runs go on until all is quiet.

``python -m tests.soak.month SEED DAYS STEP`` prints the diary of a month.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

from personas_kit import scheduling
from personas_kit.activation.delivery import Delivery
from personas_kit.activation.runs import RunReport
from personas_kit.destinations import find
from personas_kit.destinations.base import Limits
from personas_kit.errors import PersonasError
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.workspace import Workspace
from tests.activation.attack.interposing import Died, Points
from tests.activation.attack.simulated import certain
from tests.activation.attack.world import _NoPulse, registered
from tests.soak.books import Books
from tests.soak.company import BEGIN, Company
from tests.soak.definitions import at_first
from tests.soak.file import read, write
from tests.soak.internet import Clock, Internet, Weather
from tests.soak.team import Act, Team
from tests.soak.vendors import MAKES

HOUR = dt.timedelta(hours=1)
USERS = 400
QUIET = 48
"""Hours after the last fault, at most."""
ASKED = 0.08
"""Of the runs, how many ask the warehouse everything."""


@dataclass(frozen=True, slots=True)
class Story:
    """A kind of month.

    Attributes:
        days: with things going wrong; some quiet ones follow.
        step: hours between two runs of the schedule.
        keys: of the definitions that there are at first; none for all.
        calm: nothing goes wrong at all.
    """

    days: int = 30
    step: int = 1
    keys: tuple[str, ...] = ()
    calm: bool = False


@dataclass(slots=True)
class Summary:
    """What months did, and what they found."""

    seeds: int = 0
    hours: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(self.counts.items()))
        faults = ", ".join(f"{count:,} {name}" for name, count in sorted(self.faults.items()))
        return f"{self.seeds:,} seeds, {self.hours:,} hours; {counts}; faults: {faults}; {len(self.found):,} violations"

    def add(self, other: Summary) -> None:
        """What others did as well."""
        self.seeds += other.seeds
        self.hours += other.hours
        self.counts += other.counts
        self.faults += other.faults
        self.found += other.found


class Month:
    """The month of one seed.

    Args:
        seed: of everything.
        folder: for the file and the state; an empty one.
        summary: is added to.
        story: what kind of month.
    """

    def __init__(self, seed: int, folder: Path, summary: Summary, story: Story) -> None:
        self.some, self.summary, self.folder, self.calm = _chance(seed, "story"), summary, folder, story.calm
        self.days, self.hour, self.step, self.run = story.days, 0, story.step, 0
        self.clock = Clock(BEGIN)
        self.company = Company(_chance(seed, "company"), USERS)
        self.vendors = {name: make(name) for name, make in MAKES.items()}
        self.internet = Internet(_chance(seed, "network"), self.clock, self.vendors)
        self.meant, self.diary = at_first(story.keys), list[str]()
        self.team = Team(_chance(seed, "team"), self.meant, self._counts)
        self.books = Books(self.company, self.vendors)
        self._gap = 0
        write(folder, self.meant)

    def go(self) -> None:
        """All hours, and then quiet ones."""
        slow = replace(find("facebook-custom-audiences"), slug="slow-ads", minimum_interval=6 * 3_600)
        with registered(replace(slow, limits=Limits(items=25, bytes=8_000_000))):
            for hour in range(0, self.days * 24, self.step):
                self.hour = hour
                self._an_hour()
                if self.books.found:
                    break
            else:
                self._until_quiet()
        self.summary.seeds += 1
        self.summary.hours += self.hour + 1
        self.summary.counts["requests"] += self.internet.requests
        self.summary.faults += self.internet.faults
        self.summary.found += self.books.found

    def _an_hour(self) -> None:
        self._time_passes()
        if not self.calm:
            if self.hour > 5 and self.some.random() < min(0.035 * self.step, 0.15) and self.team.edits(self.hour):
                write(self.folder, self.meant)
            self._weather()
            self._leaves_out()
        if self.hour < self._gap:
            self._say("no run")
            return
        with self._odd_clock():
            self._scheduled()
            self._person()
            self._look()

    def _until_quiet(self) -> None:
        """Nothing goes wrong any more: run until every place is as the company says."""
        self.internet.weather.clear()
        for vendor in self.vendors.values():
            vendor.refuses.clear()
        self.calm, start = True, self.clock.real()
        for _ in range(0, QUIET, self.step):
            self.hour += self.step
            self._time_passes()
            self._scheduled()
            self._person()
            self._look()
            left = self.books.open_ends(self._workspace(), self.meant, start)
            if self.books.found or not left:
                break
        else:
            self._found(f"not quiet after {QUIET} hours: {each}" for each in left)
        self._found(self.books.history_adds_up(self._workspace()))

    # --- what happens ------------------------------------------------------------------------------------------------

    def _time_passes(self) -> None:
        self.clock.to(BEGIN + self.hour * HOUR)
        self.internet.arrived()
        self.company.arrive(self.clock.real())
        for what in self.company.live(self.clock.real()):
            self._say(what)

    def _weather(self) -> None:
        for name, vendor in self.vendors.items():
            now = self.internet.weather.setdefault(name, Weather())
            if now.until > self.hour:
                continue
            vendor.refuses.clear()
            kind = self.some.choices(["fine", "flaky", "out", "token", "refuses"], [70, 16, 4, 1, 9])[0]
            lasts = {"fine": 6, "flaky": 6, "out": 8, "token": 24, "refuses": 12}[kind]
            self.internet.weather[name] = Weather(kind, self.hour + self.some.randint(1, lasts))
            if kind == "refuses":
                there = sorted({said.member for said in vendor.said})
                vendor.refuses = set(self.some.sample(there, len(there) // 4))
            if kind != "fine":
                self._counts(f"times {kind}", f"{name} is {kind} until hour {self.internet.weather[name].until}")

    def _leaves_out(self) -> None:
        """Nobody runs the schedule for some hours."""
        if self.some.random() < 0.03 and self.hour:
            self._gap = self.hour + self.some.randint(1, 9)
            self.summary.counts["gaps"] += 1

    @contextmanager
    def _odd_clock(self) -> Iterator[None]:
        """The clock is wrong for this hour, now and then."""
        if not self.calm and self.some.random() < 0.02:
            self.clock.off = dt.timedelta(hours=-1)
            self._counts("clocks set back", "the clock is set back by an hour")
        try:
            yield
        finally:
            self.clock.off = dt.timedelta()

    # --- the schedule ------------------------------------------------------------------------------------------------

    def _scheduled(self) -> None:
        """One run of the schedule, which may be cut short."""
        self.summary.counts["runs"] += 1
        ill = "" if self.calm else self.some.choices(["", "dies", "interrupt", "beside"], [86, 6, 4, 4])[0]
        self._begun()
        whole = self._hurried()
        if ill in {"interrupt", "beside"}:
            self._after(self.some.randrange(6), self._interrupt if ill == "interrupt" else self._beside)
        try:
            with whole, Points(self.some.randrange(500)).watching() if ill == "dies" else contextlib.nullcontext():
                report = self._workspace().run(approve="guards", override=["first_sync"])
        except Died:
            self.books.died(self.run)
            self._counts("deaths", "the machine died")
        except KeyboardInterrupt:
            self.books.died(self.run)
            self._say("interrupted")
        else:
            self._reported(report)
        finally:
            self.internet.meanwhile = lambda: None

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        """Most runs meet a warehouse that does not say why members change, nor what is normal: asking takes long."""
        if self.some.random() < ASKED:
            self.summary.counts["runs with causes"] += 1
            yield
            return
        with mock.patch.multiple(scheduling, Otherwise=lambda _: None, Pulse=_NoPulse):
            yield

    def _reported(self, report: RunReport) -> None:
        for line in report.lines:
            if line.did != "not due":
                self._say(f"  {line}")
            self.summary.counts[f"lines {line.did}"] += 1
            if line.report:
                self.summary.counts["changes"] += line.report.changes.height
        self.team.hears(report, self.hour, soon=self.calm)
        self.books.ran(report)

    def _begun(self, *, by_hand: bool = False) -> None:
        """Another run: vendors and books know."""
        self.run += 1
        tick = self.clock.now().replace(microsecond=0)
        for vendor in self.vendors.values():
            vendor.hour, vendor.run, vendor.tick = self.hour, self.run, tick
        self.books.begun(self.meant, tick, by_hand=by_hand)

    def _after(self, requests: int, happens: Callable[[], None]) -> None:
        """At one of the next requests."""
        left = [requests]

        def meanwhile() -> None:
            left[0] -= 1
            if left[0] == -1:
                happens()

        self.internet.meanwhile = meanwhile

    def _interrupt(self) -> None:
        self._counts("interrupts", "somebody presses Ctrl-C")
        raise KeyboardInterrupt

    def _beside(self) -> None:
        """Another run of the schedule begins while one is under way, and ends before it: in a process of its own."""
        self.summary.counts["runs beside"] += 1
        gone: list[BaseException] = []

        def work() -> None:
            try:
                report = self._workspace().run(approve="guards", as_of=self.books.tick)
                self._say(f"beside: {report!r}")
                self.books.ran(report)
            except BaseException as problem:  # noqa: BLE001  (it is raised below)
                gone.append(problem)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if gone:
            raise gone[0]

    def _person(self) -> None:
        """Somebody looks at what was stopped, and at what is not in the file any more."""
        for key, destination in self.team.looks(self.hour):
            if not self.calm and self.team.takes_back(key, self.hour):
                write(self.folder, self.meant)
            else:
                self._by_hand(f"somebody pushes {key} to {destination}", self.team.overrides(key, destination))
        for key, hour in self.team.removed.items():
            if hour <= self.hour and any(self.books.at_place(key)):
                self._by_hand(f"somebody removes {key}", self.team.removes(key))

    def _by_hand(self, what: str, act: Act) -> None:
        self._begun(by_hand=True)
        try:
            report = act(self._workspace())
        except PersonasError as problem:
            self._say(f"{what}: {problem}")
        else:
            self._say(f"{what}: {report!r}")
            if report is not None:
                self.books.pushed(report)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        self._found(self.books.look(self._workspace()))

    def _found(self, wrong: Iterable[str]) -> None:
        for each in wrong:
            self._say(f"WRONG: {each}")
            self.books.found.append(f"hour {self.hour}: {each}")

    def _workspace(self) -> Workspace:
        """As another process opens it."""
        config = read(self.folder)
        warehouse = DuckDB(connection=self.company.tables)
        store = Workspace(config, warehouse, clock=self.clock).store
        delivery = Delivery(store, self.clock, self.internet.connect)
        return Workspace(config, warehouse, clock=self.clock, delivery=delivery)

    def _counts(self, kind: str, what: str) -> None:
        self.summary.counts[kind] += 1
        self._say(what)

    def _say(self, what: str) -> None:
        self.diary.append(f"{self.hour} {self.clock.now():%d %H:%M:%S} {what}")


def _chance(seed: int, what: str) -> random.Random:
    return random.Random(f"{seed} {what}")  # noqa: S311  (chance, not secrecy)


def live(seed: int, folder: Path, summary: Summary, story: Story) -> list[str]:
    """The month of a seed: its diary. What was wrong is added to the summary."""
    before = len(summary.found)
    with certain(seed), tempfile.TemporaryDirectory(dir=folder) as own:
        month = Month(seed, Path(own), summary, story)
        month.go()
    summary.found[before:] = [f"PERSONAS_SEED={seed}: {each}" for each in summary.found[before:]]
    return month.diary


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        told, numbers = Summary(), [int(each) for each in sys.argv[1:4]]
        diary = live(numbers[0], Path(elsewhere), told, Story(*numbers[1:], keys=tuple(sys.argv[4:])))
        print("\n".join(diary), told, *told.found[:20], sep="\n")  # noqa: T201  (the diary)
