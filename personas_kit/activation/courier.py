"""Sends one batch until its outcome is known, or until there is no more time to find out.

Three words decide what a failed attempt means. *Not connected*: nothing arrived, nothing is unknown. *Ambiguous*: it
may have arrived (time-out, reset, 5xx, an answer that cannot be read); a later refusal does not take that back.
*Known*: the destination said what it did. Too large or refused as a whole is halved until the one bad item stands
alone.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from personas_kit.activation.pacing import Leave, Pacer
from personas_kit.activation.state import BatchResult
from personas_kit.activation.stopping import INTERRUPTED, Stop
from personas_kit.activation.transport import NoAnswerError, NotAllowedError, NotConnectedError, Transport
from personas_kit.clock import Clock
from personas_kit.destinations.base import Call, Computation, Connection, Pause, Request
from personas_kit.destinations.outcomes import Answer, Outcome
from personas_kit.errors import SyncBusy

LEAST_ATTEMPTS = 3
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
TOO_MANY_REQUESTS = 429
MOST_TRIES = 8
"""So often are the lines tried again that a destination has left out of what it took."""
_OVER = "the deadline was reached"


@dataclass(slots=True)
class _Work:
    """A request and the positions of its lines in the batch."""

    request: Request
    frame: pl.DataFrame
    positions: list[int]
    ambiguous: bool = False
    tries: int = 0


@dataclass(slots=True)
class Tally:
    """What is known so far about the positions of a batch, and why sending stopped, if it did.

    Attributes:
        lost: another runner has taken the sync over: nothing of this may be noted as an outcome.
    """

    rejected: dict[int, str] = field(default_factory=dict)
    unknown: set[int] = field(default_factory=set)
    accepted: dict[int, str] = field(default_factory=dict)
    unsent: set[int] = field(default_factory=set)
    stopped: str = ""
    fatal: bool = False
    lost: SyncBusy | None = None

    def result(self) -> BatchResult:
        """For the store."""
        return BatchResult(self.rejected, self.unknown, self.accepted, self.unsent)


@dataclass(frozen=True, slots=True)
class Courier:
    """Sends batches of one call to one destination.

    Attributes:
        connection: where to.
        call: which call.
        computation: what was computed.
        transport: the network.
        clock: for waiting.
        pacer: says when a request may leave.
        stop: asked by a person, or by another lane, to start nothing more.
        still_held: raises if another runner has taken the sync over.
        deadline: of the run, on the clock's monotonic time; after it nothing is started.
        patience: seconds that one request may take with all its attempts.
    """

    connection: Connection
    call: Call
    computation: Computation
    transport: Transport
    clock: Clock
    pacer: Pacer
    stop: Stop
    still_held: Callable[[], None] = lambda: None
    deadline: float = math.inf
    patience: float = 120.0

    def deliver(self, batch: pl.DataFrame, requests: list[Request], positions: list[int]) -> Tally:
        """Send the requests of a batch, one after another.

        Args:
            batch: the lines that the requests were made of.
            requests: of ``prepare``.
            positions: of these lines in the whole batch.
        """
        tally = Tally()
        queue = deque(_Work(request, batch, positions) for request in requests)
        doubtful = {positions[at] for at in batch["was_unknown"].arg_true()}
        while queue:
            work = queue.popleft()
            lines = _lines(work)
            try:
                outcome, ambiguous = self._attempt(work)
            except KeyboardInterrupt:
                tally.stopped = INTERRUPTED
                tally.unknown.update(lines)
            except SyncBusy as problem:
                tally.stopped, tally.lost = problem.what, problem
                (tally.unknown if work.ambiguous else tally.unsent).update(lines)
            else:
                if outcome.verdict == "split" and len(lines) > 1:
                    queue.extendleft(reversed(self._halves(work, ambiguous=ambiguous)))
                    continue
                if outcome.again and work.tries < MOST_TRIES:
                    queue.extendleft(reversed(self._again(work, outcome, ambiguous=ambiguous)))
                self._note(tally, work, outcome, ambiguous=ambiguous, doubtful=doubtful)
            if tally.stopped:
                for rest in queue:
                    (tally.unknown if rest.ambiguous else tally.unsent).update(_lines(rest))
                break
        return tally

    def _attempt(self, work: _Work) -> tuple[Outcome, bool]:
        """Try until the outcome is known or time is up. Returns it, and whether an earlier attempt may have arrived."""
        ambiguous, attempts = work.ambiguous, 0
        limit = min(self.deadline, self.clock.monotonic() + self.patience)
        start, stop = work.request.lines
        outcome = Outcome("retry", reason=_OVER)
        while self.clock.monotonic() < self.deadline or 0 < attempts < LEAST_ATTEMPTS:
            leave = self.pacer.turn(stop - start, self.stop, math.inf if attempts else self.deadline)
            if leave is None:
                return replace(outcome, reason=self.stop.why or outcome.reason), ambiguous
            attempts += 1
            outcome, doubt = self._once(work, leave)
            ambiguous = work.ambiguous = ambiguous or doubt
            if outcome.verdict not in {"retry", "unknown"}:
                return outcome, ambiguous
            wait = _wait(outcome.after, attempts)
            late = self.clock.monotonic() + wait > limit
            if late and (attempts >= LEAST_ATTEMPTS or outcome.after is not None):
                return outcome, ambiguous
            if outcome.after is not None:
                self.pacer.hold(wait)  # what the destination asks for holds for every lane, a wait of ours for this one
            else:
                self.clock.sleep(wait if not late else _backoff(1), self.stop.event)
        return outcome, ambiguous

    def _once(self, work: _Work, leave: Leave) -> tuple[Outcome, bool]:
        """Run the work's exchange once. Returns what became of it, and whether that is in doubt."""
        start, stop = work.request.lines
        exchange = self.connection.exchange(self.call, work.request, work.frame.slice(start, stop - start))
        answer, outcome, leaves, answered = Answer(0), Outcome("unknown"), [leave], list[str]()
        try:
            step = next(exchange)
            while True:
                answer = self._step(step, leaves)
                if isinstance(step, Request):
                    answered.append(step.method)
                step = exchange.send(answer)
        except StopIteration as done:
            outcome = done.value
        except NotAllowedError as problem:
            return Outcome("fatal", reason=problem.reason), _wrote(answered)
        except NotConnectedError as problem:
            return Outcome("retry", reason=problem.reason), _wrote(answered)
        except NoAnswerError:
            return Outcome("unknown", reason="no answer"), True
        except SyncBusy:
            work.ambiguous = work.ambiguous or _wrote(answered)
            raise
        finally:
            exchange.close()
            for unused in leaves:
                self.pacer.over(unused)
        return outcome, _in_doubt(outcome, answer, answered)

    def _step(self, step: Request | Pause, leaves: list[Leave]) -> Answer:
        """One step of an exchange. Its first request has had its turn; the others wait for theirs."""
        if isinstance(step, Pause):
            self.clock.sleep(step.seconds, self.stop.event)
            return Answer(0)
        leave = leaves.pop() if leaves else self.pacer.turn(0, self.stop, math.inf)
        if leave is None:
            raise NoAnswerError
        answer = None
        try:
            self.still_held()
            answer = self.transport.send(step)
        finally:
            self.pacer.over(leave, answer)
        return answer

    def _note(self, tally: Tally, work: _Work, outcome: Outcome, *, ambiguous: bool, doubtful: set[int]) -> None:
        lines = _lines(work)
        again = {lines[at] for at in outcome.again}
        match outcome.verdict:
            case "acknowledged":
                refused = {lines[at]: reason for at, reason in outcome.rejected.items()}
            case "accepted":
                refused = {lines[at]: reason for at, reason in outcome.rejected.items()}
                tally.accepted.update((at, outcome.handle) for at in lines if at not in refused and at not in again)
            case "rejected" | "split":
                refused = dict.fromkeys(lines, outcome.reason)
            case _:
                tally.stopped, tally.fatal = outcome.reason or outcome.verdict, outcome.verdict == "fatal"
                (tally.unknown if ambiguous else tally.unsent).update(lines)
                return
        if again and work.tries >= MOST_TRIES:
            tally.stopped = outcome.reason or "throttled"
            (tally.unknown if ambiguous else tally.unsent).update(again)
        tally.rejected.update(refused)
        tally.unknown.update(at for at in refused if ambiguous or at in doubtful)

    def _again(self, work: _Work, outcome: Outcome, *, ambiguous: bool) -> list[_Work]:
        """Work for the lines that were not applied; after a wait, unless it was for the sake of others."""
        if not outcome.rejected:
            wait = _wait(outcome.after, work.tries + 1)
            self.clock.sleep(wait, self.stop.event)
        start, _ = work.request.lines
        chosen = [start + at for at in sorted(outcome.again)]
        frame, positions = work.frame[chosen], [work.positions[at] for at in chosen]
        tries = work.tries + 1
        requests = self.connection.requests(self.call, frame, self.computation)
        return [_Work(request, frame, positions, ambiguous, tries) for request in requests]

    def _halves(self, work: _Work, *, ambiguous: bool) -> list[_Work]:
        start, stop = work.request.lines
        middle = (start + stop) // 2
        halves = []
        for low, high in ((start, middle), (middle, stop)):
            frame, positions = work.frame[low:high], work.positions[low:high]
            for request in self.connection.requests(self.call, frame, self.computation):
                halves.append(_Work(request, frame, positions, ambiguous))  # noqa: PERF401  (the loop reads better)
        return halves


def _in_doubt(outcome: Outcome, answer: Answer, answered: Sequence[str]) -> bool:
    """Whether what an exchange was about may be applied although its outcome does not say so."""
    if outcome.verdict in {"acknowledged", "accepted", "rejected", "split"}:
        return False
    if outcome.verdict == "fatal" or answer.status == TOO_MANY_REQUESTS:  # its last request was not applied
        return _wrote(answered[:-1])
    return True


def _wrote(answered: Iterable[str]) -> bool:
    """Whether a part of an exchange may be applied, by the methods of its requests that were answered."""
    return any(method != "GET" for method in answered)


def _lines(work: _Work) -> list[int]:
    start, stop = work.request.lines
    return work.positions[start:stop]


def _wait(asked: float | None, attempts: int) -> float:
    """What was asked for; longer if that did not help the first time, so that nobody is hammered who asks for 0."""
    return _backoff(attempts) if asked is None else max(asked, _backoff(attempts) if attempts > 1 else 0.0)


def _backoff(attempts: int) -> float:
    """Doubling, with jitter, never under the first wait."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempts - 1))
    return max(FIRST_WAIT, random.uniform(longest / 2, longest))  # noqa: S311  (spreads load, hides nothing)
