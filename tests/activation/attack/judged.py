"""The judge of a sync's life: a small model of what was said and done, and what has to be true after each step.

What is wanted, who is forgotten and whether it is paused are what they were last said to be. A person's word about the
destination counts until the destination has applied something about that member since: ``reset`` says that it has
nobody, ``adopt`` says that it has who is wanted, and no other. Where such a word stands the state has to say just that,
and the destination may have what it likes.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import polars as pl
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from personas_kit.activation import due
from personas_kit.activation.causes import AGAIN
from personas_kit.activation.due import Asked
from personas_kit.activation.plan import Plan
from personas_kit.activation.report import Report
from personas_kit.activation.state import SyncState
from personas_kit.activation.store import chain
from personas_kit.config import load
from personas_kit.errors import PlanBlocked, PlanStale, SyncBusy
from personas_kit.previewing import REUSE
from tests.activation.attack import world
from tests.activation.attack.books import acknowledged, disagreements, unreconciled, violations
from tests.activation.attack.campaign import KINDS, Doubts, newly_unknown, repetitions
from tests.activation.attack.company import Company
from tests.activation.attack.interposing import Died, Points
from tests.activation.attack.memory import InMemory, Trouble
from tests.activation.attack.world import hostile, registered
from tests.hostile_receiver.ledger import Ledger

NOTED_TOGETHER = 4
"""Changes that are noted together: two requests."""


@dataclass(slots=True)
class Lived:
    """What the machines did."""

    examples: int = 0
    steps: int = 0
    plans: int = 0
    pushes: int = 0
    kills: int = 0
    faults: int = 0
    rejects: int = 0
    runners: int = 0
    refused: int = 0
    found: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ("examples", "steps", "plans", "pushes", "kills", "faults", "rejects")
        said = ", ".join(f"{getattr(self, name):,} {name}" for name in counts)
        return f"{said}, {self.runners:,} second runners, {self.refused:,} stale plans, {len(self.found):,} violations"


@dataclass(frozen=True, slots=True)
class Made:
    """A plan that somebody made.

    Attributes:
        wanted: what was wanted then; None if that is not known, because the plan goes on.
    """

    runner: int
    plan: Plan
    mode: Asked
    wanted: Mapping[str, object] | None


class Judged(RuleBasedStateMachine):
    """One sync, or the two of one definition, from an empty state on."""

    folder: Path
    lived: Lived

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.receiver = InMemory()
        self.ledger, self.left = self.receiver.ledger, self.receiver.left
        self.scores: dict[str, int] = {}
        self.emails: dict[str, str] = {}
        self.plans: list[Made] = []
        self.words: dict[tuple[str, str], object] = {}
        self.words_before: set[tuple[str, str]] = set()
        self.forgotten_at: dict[str, int | None] = {}
        self.previewed: dict[int, tuple[dt.datetime, dict[str, object]]] = {}
        self.on_disk: tuple[list[str], list[str]] | None = None
        self.asked: set[str] = set()
        self.before: dict[str, SyncState] = {}
        self.doubts = Doubts()
        self.paused = self.touched = self.broken = False
        self.heard = self.since = 0

    @initialize(
        kind=st.sampled_from([*KINDS, KINDS[0], KINDS[2]]),
        share=st.sampled_from([chain.COMPACT_AT, 2.0]),
        patient=st.sampled_from([5, 2]),
    )
    def begin(self, kind: tuple[str, tuple[str, ...]], share: float, patient: int) -> None:
        """Though members and pushes are few: a share of 2 lets the chain of frames grow long, and patience ends."""
        (key, send), numbers = kind, itertools.count(1)
        home = Path(tempfile.mkdtemp(dir=self.folder))
        self.open.callback(shutil.rmtree, home)
        self.open.enter_context(registered(hostile()))
        self.open.enter_context(mock.patch.object(chain, "COMPACT_AT", share))
        self.open.enter_context(mock.patch.object(due, "PATIENT", patient))
        token = mock.patch.object(secrets, "token_hex", lambda size: f"{next(numbers):0{2 * size}x}")
        self.open.enter_context(token)  # so that an example repeats itself
        self.open.enter_context(mock.patch.object(world, "load", functools.cache(load)))
        self.world = Company(
            home, "http://127.0.0.1:9999", lines=NOTED_TOGETHER, send=send, key=key, connect=self.receiver.connect
        )

    # --- what has to be true -----------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_wrong(self) -> None:
        """After every step."""
        self.lived.steps += 1
        if self.touched:
            self._check()

    def _check(self) -> None:
        """I2, I3, I4 and R1, and that nobody hears of who is forgotten."""
        states = self.world.states()
        assert any(state.paused for state in states.values()) == self.paused
        left = self.left.arrivals[self.since :]
        self.asked |= {each.message_id for each in left if (each.call, each.member) in self.words_before}
        found = violations(self.world, self._told())
        found += [f"I3: {message_id} left with two contents" for message_id in self.left.conflicts]
        found += repetitions(self.ledger, self.doubts, self.asked)
        found += newly_unknown(self.before, states, NOTED_TOGETHER)
        found += [
            f"{each.member} left as {each.said}, and is forgotten"
            for at, each in enumerate(left, self.since)
            if self._is_forgotten(each.member, at) and each.said is not False and each.said is not None
        ]
        self.forgotten_at = {
            member: len(self.left.arrivals) if at is None else at for member, at in self.forgotten_at.items()
        }
        self._say(found)
        self.touched = self.broken = False

    def teardown(self) -> None:
        """I1: the troubles are over, and a push ends well. I8: then there is nothing to do."""
        try:
            if not self.broken and hasattr(self, "world"):
                self._end_well()
                self.lived.examples += 1
        finally:
            self.lived.faults += self.receiver.faults
            self.lived.rejects += self.receiver.refused
            self.open.close()

    def _end_well(self) -> None:
        for runner in (1, 0):
            self.world.act_as(runner)
            self._restart()
        if self.paused:
            self._touch(0)
            self.world.workspace.resume(self.world.key, to="there")
            self.paused = False
            self._check()
        held = 1
        for _ in range(2 * due.RAREST):  # what was refused often waits for so many pushes at most
            if not held:
                break
            made = self._plan(0)
            report = self._push(made, Trouble())
            assert report is not None
            assert report.complete
            self._check()
            held = sum(sync.held.height for sync in made.plan.syncs)
        self._say([*disagreements(self.world, self._told()), *(["I6: some are still held"] if held else [])])
        made = self._plan(1)
        assert made.plan.changes.height == 0, made.plan
        assert self._push(made, Trouble()) is not None
        assert len(self.left.arrivals) == self.since

    # --- inside ------------------------------------------------------------------------------------------------------

    def _news(self, scores: dict[str, int] | None) -> None:
        if scores is not None:
            self.scores = scores
            self._want()

    def _want(self) -> None:
        self.world.want(self.scores, self.emails)

    def _touch(self, runner: int) -> None:
        """A step begins that writes, or sends."""
        self.touched = self.broken = True
        self.world.act_as(runner)
        self.before = self.world.states()
        self.world.written()
        self.on_disk = None
        self.words_before = {*self.words}
        self.since = len(self.left.arrivals)
        self.ledger.life += 1
        self.left.life += 1
        self.doubts.note(self.ledger.life, self.before)

    def _plan(self, runner: int, mode: Asked = "changes") -> Made:
        self.world.act_as(runner)
        with self._nothing_happens():
            plan = self.world.plan(mode)
        self.lived.plans += 1
        return Made(runner, plan, mode, self._wanted_by(plan))

    def _push(self, made: Made, trouble: Trouble, *, fresh: bool = True) -> Report | None:
        """Push it, amid trouble. What was promised of this push alone is checked here."""
        plan, report = made.plan, None
        self._touch(made.runner)
        # what a person asked for once more keeps its id, also where a later plan repeats it in doubt
        self.asked |= {id_ for sync in plan.syncs for id_ in sync.lines.filter(pl.col("cause") == AGAIN)["message_id"]}
        why_not = "" if fresh else self._why_not(plan)
        try:
            with self._dying(trouble):
                report = self._approved(plan, trouble.deadline)
                self.lived.pushes += 1
        except PlanBlocked:
            assert self.paused or any(guard.name == "paused" for guard in plan.guards)
            return None
        except PlanStale:
            assert not fresh
            self.lived.refused += 1
            return None
        finally:
            sent = len(self.left.arrivals) - self.since
            assert not (sent and why_not), f"{sent} left, though {why_not}"
        if made.mode == "adopt":
            assert not sent
            self._adopted(plan)
        elif report is not None and not report.again:
            self._say(unreconciled(report, plan, self.world, self.ledger))
        held = any(sync.held.height for sync in plan.syncs)
        if fresh and report is not None and report.complete and not held and made.wanted == self.world.wanted:
            self._say(disagreements(self.world, self._told()))
        return report

    def _wanted_by(self, plan: Plan) -> Mapping[str, object]:
        """What is wanted, or was at a preview of the last minutes, by the clock: seldom, because it leaps."""
        if plan.members_from == "the warehouse":
            return self.world.wanted
        at, wanted = self.previewed[self.world.runner]
        assert dt.timedelta() <= self.world.clock.now() - at <= REUSE
        return {member: said for member, said in wanted.items() if member not in self.world.forgotten}

    def _approved(self, plan: Plan, deadline: float | None = None) -> Report:
        return plan.push(override=[guard.name for guard in plan.guards], deadline=deadline, progress=lambda _: None)

    @contextmanager
    def _dying(self, trouble: Trouble) -> Iterator[Points]:
        """Within the block the trouble is on; if the process dies there, another one is started."""
        where = Points(trouble.dies_at)
        self.receiver.suffers(trouble, where)
        try:
            with where.watching() if trouble.dies_at is not None else ExitStack():
                yield where
        except Died:
            self.lived.kills += 1
            self._restart()
        finally:
            self.receiver.suffers(Trouble())
            self.world.written()
            self.on_disk = None

    def _restart(self) -> None:
        self.world.reopen()
        self.plans = [made for made in self.plans if made.runner != self.world.runner]

    def _why_not(self, plan: Plan) -> str:
        """Why nothing of a plan may be sent; empty if it may."""
        if self.paused:
            return "it is paused"
        states = self.world.states()
        for sync in plan.syncs:
            over, going = sync.sync.id in plan.memory.concluded, self.world.store.holds(plan.id, sync.sync)
            if not over and not going and known(sync.state) != known(states.get(sync.sync.call)):
                return f"something was noted of {sync.sync} since"
        return ""

    def _meanwhile(self, runner: int, does: str) -> None:
        """What somebody else does while a request is under way."""
        self.lived.runners += 1
        own, left = self.world.runner, len(self.left.arrivals)
        self.world.act_as(runner)
        workspace = self.world.workspace
        if does == "push":
            made = self._plan(runner)
            with self._nothing_happens(), pytest.raises(SyncBusy):
                self._approved(made.plan)
            self.plans = [*self.plans[-2:], made]
        elif does == "pause":
            with self._nothing_happens(), pytest.raises(SyncBusy):
                workspace.pause(self.world.key, to="there")
        else:
            complete = workspace.forget(does, confirm=does).complete
            self.forgotten_at.setdefault(does, left if complete else None)
            self.world.forgotten.add(does)
            self._want()
        assert len(self.left.arrivals) == left
        self.world.act_as(own)

    @contextmanager
    def _nothing_happens(self) -> Iterator[None]:
        """I5: nothing is sent, and nothing is written."""
        before, left = self.on_disk or written(self.world.folder), len(self.left.arrivals)
        yield
        self.on_disk = written(self.world.folder)
        assert before == self.on_disk
        assert left == len(self.left.arrivals)

    def _told(self) -> Ledger:
        """What the destination has, and where a person's word stands, what that says."""
        for arrival in self.ledger.arrivals[self.heard :]:
            if arrival.applied:
                self.words.pop((arrival.call, arrival.member), None)
        self.heard = len(self.ledger.arrivals)
        return self.ledger.believing(self.words)

    def _adopted(self, plan: Plan) -> None:
        """All of a sync, or nothing."""
        for sync in plan.syncs:
            lines = sync.lines.select("member", pl.col("change").cast(pl.String), "value")
            words = {member: None if change == "exit" else json.loads(value) for member, change, value in lines.rows()}
            call, state = sync.sync.call, self.world.states().get(sync.sync.call)
            believed = {} if state is None else acknowledged(state)
            unknown = set() if state is None else set(state.unknown["member"])
            if not (words.keys() & unknown) and all(believed.get(member) == said for member, said in words.items()):
                self.words |= {(call, member): said for member, said in words.items()}
            else:
                assert known(state) == known(self.before.get(call))

    def _no_trace_of(self, member: str) -> None:
        """The destination does not have the user, but where a person's word was against it; and the state neither."""
        told = self._told()
        for call, state in self.world.states().items():
            frames = (state.acknowledged, state.unknown, state.rejects)
            assert not any(member in frame["member"] for frame in frames)
            assert member not in told.holds(call)

    def _is_forgotten(self, member: str, at: int) -> bool:
        """Whether nobody may be told of a user from that message on."""
        since = self.forgotten_at.get(member)
        return since is not None and at >= since

    def _say(self, found: list[str]) -> None:
        self.lived.found += found
        assert not found, "; ".join(found)


def known(state: SyncState | None) -> object:
    """What a plan depends on."""
    if state is None:
        return [], [], []
    rejects = state.rejects.select("member", "change", "value", "times")
    return sorted(acknowledged(state).items()), sorted(state.unknown.rows()), sorted(rejects.rows())


def written(folder: Path) -> tuple[list[str], list[str]]:
    """Everything that a state holds on the disk: the names of its frames, and its tables as text."""
    home = folder / ".personas"
    names = sorted(str(path) for kind in ("members", "plans") for path in (home / kind).glob("*"))
    if not (home / "state.sqlite").exists():
        return names, []
    with closing(sqlite3.connect(home / "state.sqlite")) as db:
        return names, list(db.iterdump())
