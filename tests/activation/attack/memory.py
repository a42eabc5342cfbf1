"""A receiver without a socket: the same faults, the same ledger, for attacks that push more than sockets can take."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from personas_kit.activation.transport import NoAnswerError, NotConnectedError
from personas_kit.destinations import Answer, Connection
from personas_kit.destinations.base import Request
from tests.activation.attack.interposing import Points
from tests.hostile_receiver.faults import FAULTS, Fault, Told, good
from tests.hostile_receiver.ledger import Ledger
from tests.hostile_receiver.wire import messages

NOBODY_THERE = "no connection"
"""Beside the receiver's faults: nothing arrives."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to a push.

    Attributes:
        faults: number of the request, from 0 -> fault.
        lasting: the fault of all the others; None for none.
        refused: the members that are refused, by item, whenever they come.
        dies_at: the operation on the disk or the network at which the process dies.
        pressed: at which request, once it is applied, somebody presses stop, and how often.
        deadline: seconds.
    """

    faults: Mapping[int, str] = field(default_factory=dict)
    lasting: str | None = None
    refused: frozenset[str] = frozenset()
    dies_at: int | None = None
    pressed: tuple[int, int] | None = None
    deadline: float | None = None


class InMemory:
    """Both ends of a connection.

    Attributes:
        ledger: what arrived and what was applied.
        left: everything that left, whether it arrived or not; nothing of it is applied.
        faults: how many requests were treated badly.
        refused: how many members were.
        meanwhile: number of a request -> what somebody else does while it is under way.
    """

    def __init__(self) -> None:
        self.ledger, self.left = Ledger(), Ledger()
        self.faults = self.refused = 0
        self.meanwhile: dict[int, Callable[[], None]] = {}
        self.suffers(Trouble())

    def suffers(self, trouble: Trouble, points: Points | None = None) -> None:
        """From now on, with requests counted from 0; the points hear of each."""
        self._trouble, self._points, self._number = trouble, points, 0

    def connect(self, _: Connection) -> InMemory:
        """It is its own transport."""
        return self

    def close(self) -> None:
        """There is nothing to close."""

    def send(self, request: Request) -> Answer:
        """As a transport does."""
        number, self._number = self._number, self._number + 1
        sent = messages(request.content)
        self._passed("before the request")
        self.left.take(sent, applies=False)
        self.meanwhile.pop(number, _nothing)()
        name = self._trouble.faults.get(number, self._trouble.lasting)
        self.faults += name is not None
        if name == NOBODY_THERE:
            raise NotConnectedError
        fault = FAULTS[name] if name else self._refusing([_member(message) for message in sent])
        if fault.reads == "whole":
            self.ledger.take(sent, applies=fault.applies, refused=fault.refuses(len(sent)))
        if self._trouble.pressed is not None and self._trouble.pressed[0] == number:
            for _ in range(self._trouble.pressed[1]):
                signal.raise_signal(signal.SIGINT)
        self._passed("the answer is there")
        if fault.ends != "answer":
            raise NoAnswerError
        return _parsed(fault.says(Told(len(sent))))

    def _passed(self, what: str) -> None:
        if self._points is not None:
            self._points.passed("request", what)

    def _refusing(self, members: list[str]) -> Fault:
        """Success, but for those that are refused."""
        which = [at for at, member in enumerate(members) if member in self._trouble.refused]
        if not which:
            return _FINE
        self.refused += len(which)
        said = json.dumps({"success": True, "rejected": [{"index": at, "reason": "invalid"} for at in which]})
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
        return Fault(applies=True, says=lambda _: head + said.encode(), refuses=lambda _: which)


_FINE = Fault(applies=True, says=good)


def _nothing() -> None:
    """Nobody does anything."""


def _member(message: Mapping[str, object]) -> str:
    return str(message["userId"])


def _parsed(raw: bytes) -> Answer:
    head, _, content = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), headers, content)
