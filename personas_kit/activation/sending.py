"""Sends the changes of one sync: cuts batches, keeps the lanes busy, notes every outcome before the next ones leave."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from personas_kit.activation.courier import Courier, Tally
from personas_kit.activation.cutting import Cutter
from personas_kit.activation.lanes import Lanes
from personas_kit.activation.making import Made, Maker
from personas_kit.activation.plan import SyncPlan
from personas_kit.activation.preparing import Prepared
from personas_kit.activation.state import Batch, BatchResult
from personas_kit.activation.stopping import INTERRUPTED
from personas_kit.activation.store import Store
from personas_kit.activation.tallies import Sent
from personas_kit.display import say
from personas_kit.errors import StateError, SyncBusy

LEAST_SETTLED, MOST_REJECTED = 200, 0.10
"""The circuit: a push stops when more than a tenth of at least so many changes were refused."""


@dataclass(slots=True)
class Sending:
    """One sync under way.

    Attributes:
        plan_id: of the plan.
        sync: what is sent.
        store: notes it.
        courier: sends a batch.
        circuit: stop when too many are refused.
        tell: called with how many changes are through.
        sent: what became of the batches so far.
        hurried: set by the thread that hears the interrupts, where that is another one.
    """

    plan_id: str
    sync: SyncPlan
    store: Store
    courier: Courier
    circuit: bool
    tell: Callable[[int], None]
    sent: Sent
    hurried: threading.Event | None = None
    _settled: list[tuple[Batch, pl.DataFrame, BatchResult]] = field(default_factory=list)
    _maker: Maker = field(init=False)

    def __post_init__(self) -> None:
        self._maker = Maker(self.sync)

    def run(self) -> None:
        """Send until everything is through or something stops it; what that was stands in ``sent``.

        Raises:
            SyncBusy: another runner has taken the sync over: nothing more may be noted.
            StateError: the state cannot be read or written; what is in flight then is unknown to the next plan.
        """
        limits = self.sync.connection.limits(self.sync.sync.call)
        waiting = self.store.waiting(self.plan_id, self.sync.sync)
        count = self.sync.connection.destination.parallel
        changes, most = self.sync.lines["change"], self.store.batch_lines
        cutter = Cutter(waiting, changes, items=limits.items, most=most, lanes=count)
        lanes: Lanes[Batch, tuple[Tally, float]] = Lanes(count, self.hurried)
        try:
            self._through(cutter, lanes)
        except (SyncBusy, StateError):
            self._doubt(lanes)
            raise
        finally:
            self.courier.stop.ask(self.sent.why or "an error")
            lanes.close()
            self._maker.close()

    def _through(self, cutter: Cutter, lanes: Lanes[Batch, tuple[Tally, float]]) -> None:
        try:
            while self._started(cutter, lanes):
                self._finished(cutter, lanes)
        except KeyboardInterrupt:  # pressed twice: nobody waits for what is under way
            self._abandoned(lanes)

    def _started(self, cutter: Cutter, lanes: Lanes[Batch, tuple[Tally, float]]) -> bool:
        """Note what was settled, and give the free lanes something to do. Whether anything is under way."""
        made = self._made(cutter, lanes)
        if self._settled or made:
            digests = {batch: each.digest for batch, each in made.items()}
            self.store.advance(self.plan_id, self.sync.sync, settled=self._settled, sending=digests)
            self._settled.clear()
        for batch, each in made.items():
            lanes.start(batch, functools.partial(self._work, each.prepared))
        if made and lanes.alone and self.sent.outcomes:  # how long a batch takes is known by then
            self._maker.begin_next(cutter)
        return bool(lanes.busy)

    def _made(self, cutter: Cutter, lanes: Lanes[Batch, tuple[Tally, float]]) -> dict[Batch, Made]:
        """What can leave now."""
        if self._maker.ahead and not self._stopped() and (made := self._maker.take_next(cutter)):
            return made
        going: list[Batch] = []
        while len(going) < lanes.free and cutter.more and not self._stopped():  # where all has left, nothing is stopped
            batch = cutter.next([*lanes.busy, *going])
            if batch is None:
                break
            going.append(batch)
        return self._maker.make(going)

    def _stopped(self) -> bool:
        if not self.sent.why and self.courier.stop.event.is_set():
            self.sent.why = self.courier.stop.why
        if not self.sent.why and self.courier.clock.monotonic() >= self.courier.deadline:
            self.sent.why = "the deadline was reached"
        return bool(self.sent.why)

    def _work(self, made: Prepared) -> tuple[Tally, float]:
        """Send what was made. Returns what became of it, and the seconds that it took."""
        start = self.courier.clock.monotonic()
        tally = self.courier.deliver(made.lines, made.requests, made.positions)
        if tally.stopped:  # said here, so that what waits for a lane does not begin
            self.courier.stop.ask(tally.stopped)
        tally.rejected.update(made.too_large)
        return tally, self.courier.clock.monotonic() - start

    def _finished(self, cutter: Cutter, lanes: Lanes[Batch, tuple[Tally, float]]) -> None:
        lost: SyncBusy | None = None
        for batch, (tally, seconds) in lanes.finished():
            self._note(batch, tally)
            cutter.took(batch.stop - batch.start, seconds)
            lost = lost or tally.lost
        if lost:
            raise lost
        self.tell(self.sent.settled)
        if self.circuit and not self.sent.why:
            self.sent.why = self._tripped()

    def _note(self, batch: Batch, tally: Tally) -> None:
        self.sent.note(batch, tally)
        self._settled.append((batch, self.sync.lines[batch.start : batch.stop], tally.result()))
        self.sent.why = self.sent.why or tally.stopped
        self.sent.fatal = self.sent.fatal or (tally.fatal and self.sent.why == tally.stopped)

    def _doubt(self, lanes: Lanes[Batch, tuple[Tally, float]]) -> None:
        """If another runner has taken the sync over: what may have left since is due again. It is waited for.

        Where the state failed for another reason the sync is ours still, and the next plan finds out by itself.
        """
        self.courier.stop.ask("an error")
        unsent = {batch: set(result.unsent) for batch, _, result in self._settled}
        unsent |= {batch: done[0].unsent if done else set() for batch, done in lanes.rest()}
        may_have_left = [
            self.sync.lines[[at for at in range(*batch) if at - batch.start not in out]]
            for batch, out in unsent.items()
        ]
        try:
            if may_have_left:
                self.store.doubt(self.sync.sync, pl.concat(may_have_left))
        except StateError as problem:
            say(
                f"{self.sync.sync}: what may have left late could not be noted ({problem.what}); to be sure of it, "
                'send everyone again: mode="full"'
            )

    def _tripped(self) -> str:
        """Why the circuit opens; empty while few are refused."""
        settled = self.sent.settled
        refused = self.sent.refused
        if settled < LEAST_SETTLED or refused.total() <= MOST_REJECTED * settled:
            return ""
        usual = max(refused, key=refused.__getitem__)  # of two, the one that came first
        return (
            f"{refused.total():,} of {settled:,} changes were refused ({usual}); if that is right: "
            "plan.push(override=['rejects'])"
        )

    def _abandoned(self, lanes: Lanes[Batch, tuple[Tally, float]]) -> None:
        for batch in lanes.withdrawn():
            self._note(batch, Tally(unsent=set(range(batch.stop - batch.start)), stopped=INTERRUPTED))
        for batch in lanes.busy:
            self._note(batch, Tally(unknown=set(range(batch.stop - batch.start)), stopped=INTERRUPTED))
        if self._settled:
            self.store.advance(self.plan_id, self.sync.sync, settled=self._settled)
