"""A machine that is made up: its clock moves when somebody waits, its network is memory, and chance rules both.

The network lies below the kit's own transport, so requests and answers are the bytes that would cross a wire, and what
goes wrong is what the hostile receiver's table of faults says; with two more things that only a simulation can do at
once: what arrives after its sender has given up, and what happens elsewhere while a request is under way.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import types
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import httpcore

from personas_kit import planner
from personas_kit.activation import courier, sending
from personas_kit.activation.store import files, local, settling
from personas_kit.activation.transport import HttpTransport
from personas_kit.destinations import Connection
from tests.activation.attack.campaign import LIKELY
from tests.activation.attack.world import START
from tests.hostile_receiver.faults import FAULTS, Fault, Told, good
from tests.hostile_receiver.ledger import Ledger
from tests.hostile_receiver.wire import messages

URL = "http://127.0.0.1:65000"
ELSEWHERE = "http://127.0.0.1:65001"
TIMEOUT = 1.0
"""Seconds, of each step of a request; all of it may take twice that."""
PAUSE = 0.02
"""Seconds between two bytes of a slow answer."""

#: Faults that are left to other attacks, because they are about the sender's memory.
HEAVY = {"a bomb of gzip", "a bomb of gzip in gzip", "100 Continue for ever", "absurd headers"}
NOBODY, LATE = "nobody listens", "applied later"
WEIGHTS = {name: LIKELY.get(name, 1) for name in FAULTS if name not in HEAVY} | {NOBODY: 5, LATE: 5}
_FINE = Fault(applies=True, says=good)
_LATE = Fault(ends="silence")


class MadeUpClock:
    """Waits take no time. The time of day can be set, and the machine can sleep."""

    def __init__(self) -> None:
        self.passed, self.wall = 0.0, START

    def now(self) -> dt.datetime:
        return self.wall + dt.timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float, unless: object = None) -> None:
        self.passed += seconds

    def to_day(self, number: int) -> None:
        """The morning of that day; not back."""
        ahead = START + dt.timedelta(days=number) - self.now()
        self.passed += max(ahead.total_seconds(), 60.0)

    def __str__(self) -> str:
        return f"{self.now().isoformat()} {self.passed:.6f}"


@dataclass(slots=True)
class Internet:
    """All that is outside of the machine: the receiver, and the way there.

    Attributes:
        some: chance.
        clock: moves as requests take their time.
        diary: a line is added for whatever crosses the network.
        ledgers: what the receiver applied, by the key of a definition.
        share: of the requests, how many are treated badly.
        meanwhile: happens while a request is under way, when it has arrived and is not answered.
        left: when requests left: who sent it, when, and how many changes it held.
        faults: how many were treated badly.
    """

    some: random.Random
    clock: MadeUpClock
    diary: list[str]
    ledgers: dict[str, Ledger]
    share: float = 0.0
    meanwhile: Callable[[str], None] = lambda _: None
    left: list[tuple[str, float, int]] = field(default_factory=list)
    faults: int = 0
    _late: list[tuple[float, list[dict[str, Any]]]] = field(default_factory=list)

    def as_seen_by(self, runner: str) -> Callable[[Connection], HttpTransport]:
        """Connects a runner."""
        return lambda there: HttpTransport(there, clock=self.clock, sockets=_Backend(self, runner))

    def fault(self) -> str:
        """What will happen to the next request; empty if it is treated well."""
        if self.some.random() >= self.share:
            return ""
        self.faults += 1
        return self.some.choices([*WEIGHTS], [*WEIGHTS.values()])[0]

    def apply_late(self, sent: list[dict[str, Any]]) -> None:
        """It arrives when its sender has given up; before everything of it is over."""
        self._late.append((self.clock.passed + self.some.uniform(TIMEOUT, 2 * TIMEOUT), sent))

    def arrived(self) -> None:
        """What was late has arrived by now, if it is its time."""
        for at, sent in [*self._late]:
            if at <= self.clock.passed:
                self._late.remove((at, sent))
                self.diary.append(f"{self.clock} late: {[message['messageId'] for message in sent]}")
                self.ledger(sent).take(sent, applies=True)

    def ledger(self, sent: Iterable[dict[str, Any]]) -> Ledger:
        """The book that these messages go into."""
        return self.ledgers[next(iter(sent))["context"]["personas"]["computation_key"]]


class _Backend(httpcore.NetworkBackend):
    """Opens connections that last for one request."""

    def __init__(self, internet: Internet, runner: str) -> None:
        self._internet, self._runner = internet, runner

    def connect_tcp(self, *_: object, **__: object) -> httpcore.NetworkStream:
        internet = self._internet
        internet.arrived()
        name = internet.fault()
        internet.left.append((self._runner, internet.clock.passed, 0))
        internet.clock.passed += internet.some.choice([0.0, 0.001, 0.02])
        if name == NOBODY:
            internet.diary.append(f"{internet.clock} {self._runner}: nobody listens")
            raise httpcore.ConnectError
        return _Line(internet, self._runner, name)


class _Line(httpcore.NetworkStream):
    """A connection: the sender's socket and stream, and at its other end what treats the request."""

    def __init__(self, internet: Internet, runner: str, name: str) -> None:
        self._internet, self._runner, self._name = internet, runner, name
        self._fault = _LATE if name == LATE else FAULTS.get(name, _FINE)
        self._sent, self._answer, self._treated = b"", b"", False

    # --- the sender's side -------------------------------------------------------------------------------------------

    def get_extra_info(self, info: str) -> object:
        return {"socket": self, "is_readable": True}.get(info)  # an idle one that can be read is over: none is kept

    def settimeout(self, seconds: float) -> None:
        """As of a socket: there is always room."""

    def send(self, data: bytes) -> int:
        """As of a socket."""
        self._sent += bytes(data)
        if self._fault.reads != "whole":
            raise ConnectionResetError
        return len(data)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._treated:
            self._treat()
        match self._fault.ends:
            case "reset":
                raise httpcore.ReadError
            case "silence":
                self._pass(timeout or TIMEOUT)
                raise httpcore.ReadTimeout
            case "drip":
                self._pass(PAUSE)
                max_bytes = 1
        found, self._answer = self._answer[:max_bytes], self._answer[max_bytes:]
        return found

    def close(self) -> None:
        """Nothing is held."""

    # --- the other end -----------------------------------------------------------------------------------------------

    def _treat(self) -> None:
        internet, self._treated = self._internet, True
        said = f"{internet.clock} {self._runner}: {self._sent!r}"
        told = Told(0, ELSEWHERE)
        if self._fault.reads == "whole":
            sent = messages(self._sent.partition(b"\r\n\r\n")[2])
            told = Told(len(sent), ELSEWHERE)
            runner, at, _ = internet.left.pop()
            internet.left.append((runner, at, len(sent)))
            internet.ledger(sent).take(sent, applies=self._fault.applies, refused=self._fault.refuses(len(sent)))
            if self._name == LATE:
                internet.apply_late(sent)
        self._answer = self._ended(self._fault.says(told))
        internet.diary.append(f"{said} -> {self._name}: {self._fault.ends} {self._answer!r}")
        self._pass(internet.some.choice([0.005, 0.05, 0.3]))
        internet.meanwhile(self._runner)

    def _ended(self, answer: bytes) -> bytes:
        match self._fault.ends:
            case "answer" | "drip":
                return answer
            case "cut":
                return answer[: -max(1, len(answer) // 8)]
        return b""

    def _pass(self, seconds: float) -> None:
        self._internet.clock.passed += seconds


@contextlib.contextmanager
def certain(seed: int) -> Iterator[None]:
    """Within the block, what the kit leaves to chance follows the seed: ids of plans, names of files, jitter of waits.

    Who runs it is always the same. And one threshold, without which a push would have to be large for its circuit to
    open.
    """
    some = random.Random(f"{seed} kit")  # noqa: S311  (chance, not secrecy)

    def token(size: int) -> str:
        return some.randbytes(size).hex()

    def unique() -> uuid.UUID:
        return uuid.UUID(int=some.getrandbits(128))

    with contextlib.ExitStack() as stack:
        for owner, name, instead in (
            (planner, "secrets", types.SimpleNamespace(token_hex=token)),
            (files, "uuid4", unique),
            (settling, "uuid4", unique),
            (local, "this_process", lambda: "somebody@somewhere, process 1"),
            (courier, "random", some),
            (sending, "LEAST_SETTLED", some.choice([6, 200])),
        ):
            stack.enter_context(mock.patch.object(owner, name, instead))
        yield
