"""The whole life of a sync as a state machine: hypothesis chooses the steps, and ``judged`` looks after each."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from personas_kit.activation.due import Asked
from personas_kit.errors import PersonasError, PlanBlocked, SyncBusy
from tests.activation.attack.campaign import LIKELY
from tests.activation.attack.judged import Judged, Made, known
from tests.activation.attack.memory import NOBODY_THERE, Trouble

MEMBERS = [f"u{n:02}" for n in range(12)]
HOUR, DAY = 3_600, 86_400

who = st.integers(0, 1)
some = st.frozensets(st.sampled_from(MEMBERS), min_size=1)
news = st.none() | st.dictionaries(st.sampled_from(MEMBERS), st.integers(0, 2), min_size=3)
"""Who is wanted from now on, with scores; None for as before."""
modes = st.sampled_from(["changes", "full", "adopt"])
faults = st.sampled_from([*(name for name, weight in LIKELY.items() for _ in range(weight)), NOBODY_THERE])
requests = st.integers(0, 4)
points = st.integers(0, 150)
troubles = {
    "faults": st.builds(
        Trouble,
        faults=st.dictionaries(requests, faults, min_size=1, max_size=4),
        lasting=st.none() | st.none() | faults,
        refused=st.just(frozenset()) | some,
        deadline=st.sampled_from([None, 1, 60]),
    ),
    "refused": st.builds(Trouble, refused=st.frozensets(st.sampled_from(MEMBERS), min_size=4)),
    "dies": st.builds(Trouble, faults=st.dictionaries(requests, faults, max_size=2), dies_at=points),
    "stopped": st.builds(
        Trouble,
        faults=st.dictionaries(requests, faults, max_size=1),
        pressed=st.tuples(st.integers(0, 4), st.sampled_from([1, 1, 2])),
    ),
}


class Life(Judged):
    """What people, destinations and machines do to a sync."""

    # --- what is wanted ----------------------------------------------------------------------------------------------

    @rule(scores=st.dictionaries(st.sampled_from(MEMBERS), st.integers(0, 2), min_size=1))
    def enter(self, scores: dict[str, int]) -> None:
        """Who is wanted, or another score."""
        self.scores |= scores
        self._want()

    @rule(members=some)
    def leave(self, members: frozenset[str]) -> None:
        """Who is not wanted any more."""
        self.scores = {name: score for name, score in self.scores.items() if name not in members}
        self._want()

    @rule(members=some, number=st.integers(0, 2))
    def move(self, members: frozenset[str], number: int) -> None:
        """Other addresses."""
        self.emails |= dict.fromkeys(members, f"moved{number}@example.com")
        self._want()

    @rule()
    def edit(self) -> None:
        """The condition is another one, or the old one again."""
        self.world.edit()
        self._want()

    @rule(seconds=st.sampled_from([-400 * DAY, -DAY, -HOUR, -60, 60, 2 * HOUR, 400 * DAY]))
    def turn_the_clock(self, seconds: int) -> None:
        """Ahead, or back."""
        self.world.clock.start += dt.timedelta(seconds=seconds)

    # --- looking -----------------------------------------------------------------------------------------------------

    @rule(runner=who, mode=modes)
    def plan(self, runner: int, mode: Asked) -> None:
        """For later."""
        self.plans = [*self.plans[-2:], self._plan(runner, mode)]

    @precondition(lambda self: not self.previewed)  # it takes long
    @rule(runner=who)
    def preview(self, runner: int) -> None:
        """I5: it sends nothing, and writes nothing."""
        self.world.act_as(runner)
        with self._nothing_happens():
            self.world.preview()
        self.previewed[runner] = self.world.clock.now(), self.world.wanted

    # --- pushing -----------------------------------------------------------------------------------------------------

    @rule(runner=who, mode=modes, trouble=st.just(Trouble()) | troubles["dies"])
    def push(self, runner: int, mode: Asked, trouble: Trouble) -> None:
        """All goes well, or the process dies: changes, a full re-sync, or an adoption."""
        self._push(self._plan(runner, mode), trouble)

    @rule(runner=who, scores=news, trouble=troubles["faults"])
    def push_amid_faults(self, runner: int, scores: dict[str, int] | None, trouble: Trouble) -> None:
        """Some requests go wrong, or all."""
        self._news(scores)
        self._push(self._plan(runner), trouble)

    @rule(runner=who, scores=news, trouble=troubles["refused"])
    def push_and_be_refused(self, runner: int, scores: dict[str, int] | None, trouble: Trouble) -> None:
        """Some members are refused."""
        self._news(scores)
        self._push(self._plan(runner), trouble)

    @rule(runner=who, scores=news, trouble=troubles["dies"])
    def push_and_die(self, runner: int, scores: dict[str, int] | None, trouble: Trouble) -> None:
        """The process dies at an operation on the disk or the network."""
        self._news(scores)
        self._push(self._plan(runner), trouble)

    @rule(runner=who, scores=news, trouble=troubles["stopped"])
    def push_and_stop(self, runner: int, scores: dict[str, int] | None, trouble: Trouble) -> None:
        """Somebody presses stop, once or twice."""
        self._news(scores)
        made = self._plan(runner)
        self._push(made, trouble)
        self.plans = [*self.plans[-2:], made]

    @rule(runner=who, trouble=st.just(Trouble()) | st.one_of(*troubles.values()))
    def go_on(self, runner: int, trouble: Trouble) -> None:
        """With what was stopped in good order."""
        self.world.act_as(runner)
        with self._nothing_happens():
            plan = self.world.unfinished()
        if plan is not None:
            self._push(Made(runner, plan, "changes", None), trouble)

    @precondition(lambda self: self.plans)
    @rule(at=st.integers(0, 2), trouble=st.just(Trouble()) | troubles["dies"])
    def push_an_old_plan(self, at: int, trouble: Trouble) -> None:
        """If anything was noted since it was made, nothing of it may be sent."""
        self._push(self.plans[at % len(self.plans)], trouble, fresh=False)

    # --- two runners -------------------------------------------------------------------------------------------------

    @rule(runner=who, held=st.booleans())
    def push_in_vain(self, runner: int, held: bool) -> None:
        """I7: somebody else holds the syncs. I5: a guard stops it. Nothing is sent, and nothing is written."""
        plan = self._plan(runner).plan
        stopped = any(guard.stops for guard in plan.guards)
        with ExitStack() as stack:
            if held:
                self.lived.runners += 1
                self.world.act_as(1 - runner)
                for sync in plan.syncs:
                    stack.enter_context(self.world.store.lock(sync.sync))
            if held or stopped:
                blocked = stopped if not held else self.paused
                with self._nothing_happens(), pytest.raises(PlanBlocked if blocked else SyncBusy):
                    plan.push(override=[guard.name for guard in plan.guards] if held else ())

    @rule(
        runner=who,
        scores=news,
        number=requests,
        does=st.sampled_from(["push", "pause"]) | st.sampled_from(MEMBERS),
    )
    def push_while_somebody(self, runner: int, scores: dict[str, int] | None, number: int, does: str) -> None:
        """I7: in the middle of a push, somebody else pushes, pauses, or forgets a user."""
        self._news(scores)
        made = self._plan(runner)
        self.receiver.meanwhile[number] = lambda: self._meanwhile(1 - runner, does)
        self._push(made, Trouble())
        self.receiver.meanwhile.clear()

    @rule(runner=who)
    def restart(self, runner: int) -> None:
        """As a new process; the plans of the old one are gone."""
        self.world.act_as(runner)
        self._restart()

    # --- by hand -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.states())
    @rule(runner=who)
    def pause_or_resume(self, runner: int) -> None:
        """What was stopped is given up by that."""
        self._touch(runner)
        act = self.world.workspace.resume if self.paused else self.world.workspace.pause
        act(self.world.key, to="there")
        self.paused = not self.paused

    @precondition(lambda self: self.world.states())
    @rule(runner=who, dies_at=st.none() | st.integers(0, 30))
    def reset(self, runner: int, dies_at: int | None) -> None:
        """A person says that the destination has nobody."""
        self._touch(runner)
        with self._nothing_happens(), pytest.raises(PersonasError, match="nothing was done"):
            self.world.workspace.reset(self.world.key, to="there", confirm="yes")
        with self._dying(Trouble(dies_at=dies_at)):
            self.world.workspace.reset(self.world.key, to="there", confirm=self.world.key)
        for call, state in self.world.states().items():
            if not (state.acknowledged.height or state.unknown.height):
                self.words |= dict.fromkeys(((call, member) for member in MEMBERS), None)
            else:
                assert dies_at is not None
                assert known(state) == known(self.before[call])

    @rule(runner=who, member=st.sampled_from(MEMBERS), trouble=st.just(Trouble()) | st.one_of(*troubles.values()))
    def forget(self, runner: int, member: str, trouble: Trouble) -> None:
        """From now on nobody is told of the user any more, but that the user is out."""
        self._touch(runner)
        report = None
        with self._dying(trouble) as lives:
            report = self.world.workspace.forget(member, confirm=member)
        if member in self.world.store.forgotten():
            self.world.forgotten.add(member)
            self.forgotten_at.setdefault(member, self.since)
        else:
            assert lives.happened
        self._want()
        if report is not None and report.complete:
            self._no_trace_of(member)
