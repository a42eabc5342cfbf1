"""The network between the company and its vendors, in memory below the kit's own HTTP: bytes leave, bytes come back.

Each vendor has weather: it is fine, out for hours, flaky, refuses the token, or refuses some members. What happens to a
request is drawn as it leaves; what its sender does not learn may have happened all the same, now or later.
"""

from __future__ import annotations

import datetime as dt
import gzip
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpcore

from personas_kit.activation.transport import HttpTransport
from personas_kit.destinations import Connection
from personas_kit.sandbox.effects import Handled, Incoming, Reply
from tests.soak.vendors import MAKES, Vendor

PORTS = {name: 61_001 + at for at, name in enumerate(MAKES)}
TIMEOUT = 30.0
FAULTS = {
    "429": 3, "429, wait": 2, "500": 2, "500, applied": 3, "reset": 2, "reset, applied": 3, "silence": 1,
    "silence, applied": 2, "applied later": 2, "half an answer, applied": 2, "nobody listens": 2,
}  # fmt: skip


class Clock:
    """Waits take no time. The time of day can be set."""

    def __init__(self, begin: dt.datetime) -> None:
        self.begin, self.passed, self.off = begin, 0.0, dt.timedelta()

    def now(self) -> dt.datetime:
        """By the clock on the wall, which may be wrong."""
        return self.real() + self.off

    def real(self) -> dt.datetime:
        """The true time."""
        return self.begin + dt.timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float, unless: object = None) -> None:
        self.passed += seconds

    def to(self, instant: dt.datetime) -> None:
        """Not back."""
        self.passed = max(self.passed, (instant - self.begin).total_seconds())


@dataclass
class Weather:
    """How a vendor is, until when."""

    kind: str = "fine"
    until: int = 0


@dataclass
class Internet:
    """All vendors, and the way there.

    Attributes:
        meanwhile: happens when a request has arrived, and is not answered.
    """

    some: random.Random
    clock: Clock
    vendors: dict[str, Vendor]
    weather: dict[str, Weather] = field(default_factory=dict)
    meanwhile: Callable[[], None] = lambda: None
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    _late: list[tuple[float, Vendor, Handled]] = field(default_factory=list)

    def connect(self, there: Connection) -> HttpTransport:
        """What the kit sends by."""
        return HttpTransport(there, clock=self.clock, sockets=_Backend(self))

    def arrived(self) -> None:
        """What was late has arrived by now, if it is its time."""
        for each in [*self._late]:
            if each[0] <= self.clock.passed:
                self._late.remove(each)
                each[1].apply(each[2])

    def treat(self, vendor: Vendor, request: Incoming, kind: str) -> tuple[str, Reply | None]:
        """What became of a request: how the connection ends, and the answer."""
        self.arrived()
        self.clock.passed += self.some.choice([0.01, 0.05, 0.4])
        self.requests += 1
        if kind == "unauthorised":
            return "answer", vendor.unauthorised().reply
        handled = vendor.handle(request, self.clock.passed)
        if kind.startswith("429"):
            headers = {"retry-after": str(self.some.choice([1, 20, 90]))} if "wait" in kind else {}
            return "answer", Reply(429, b"{}", headers=headers)
        told = not kind
        said = vendor.note(handled, told=told)
        if not kind or kind.endswith(", applied"):
            vendor.apply(handled)
        if kind == "applied later":
            self._late.append((self.clock.passed + self.some.uniform(TIMEOUT, 2 * TIMEOUT), vendor, handled))
        try:
            self.meanwhile()
        except BaseException:
            for each in said:
                each.outcome = "unclear"
            raise
        if kind.startswith("500"):
            return "answer", Reply(500, b"{}")
        if kind.startswith("half"):
            return "cut", handled.reply
        if kind.startswith(("silence", "applied later")):
            return "silence", None
        return ("reset", None) if kind.startswith("reset") else ("answer", handled.reply)

    def fault(self, vendor: Vendor) -> str:
        """What will happen to the next request; empty if nothing does."""
        kind = self.weather.get(vendor.name, Weather()).kind
        fault = ""
        if kind == "token":
            fault = "unauthorised"
        elif kind == "out":
            fault = self.some.choice(["nobody listens", "500", "silence"])
        elif kind == "flaky" and self.some.random() < 0.4:
            fault = self.some.choices([*FAULTS], [*FAULTS.values()])[0]
        if fault:
            self.faults[fault] += 1
        return fault


class _Backend(httpcore.NetworkBackend):
    def __init__(self, internet: Internet) -> None:
        self._internet = internet

    def connect_tcp(self, host: str, port: int, *_: object, **__: object) -> httpcore.NetworkStream:
        name = next(name for name, own in PORTS.items() if own == port)
        vendor = self._internet.vendors[name]
        kind = self._internet.fault(vendor)
        if kind == "nobody listens":
            raise httpcore.ConnectError
        return _Line(self._internet, vendor, kind)


class _Line(httpcore.NetworkStream):
    """A connection for one request."""

    def __init__(self, internet: Internet, vendor: Vendor, kind: str) -> None:
        self._internet, self._vendor, self._kind = internet, vendor, kind
        self._sent, self._answer, self._ends = b"", b"", ""

    def get_extra_info(self, info: str) -> object:
        return {"socket": self, "is_readable": True}.get(info)  # it looks hung up afterwards: none is kept

    def settimeout(self, seconds: float) -> None:
        """As of a socket: there is always room."""

    def send(self, data: bytes) -> int:
        self._sent += bytes(data)
        return len(data)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._ends:
            self._ends, reply = self._internet.treat(self._vendor, _read(self._sent), self._kind)
            self._answer = b"" if reply is None else _written(reply)
            if self._ends == "cut":
                self._answer = self._answer[:-3]
        if self._ends == "reset":
            raise httpcore.ReadError
        if self._ends == "silence":
            self._internet.clock.passed += timeout or TIMEOUT
            raise httpcore.ReadTimeout
        found, self._answer = self._answer[:max_bytes], self._answer[max_bytes:]
        return found

    def close(self) -> None:
        """Nothing is held."""


def _read(sent: bytes) -> Incoming:
    head, _, content = sent.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("content-encoding") == "gzip":
        content = gzip.decompress(content)
    path, _, query = target.partition("?")
    keeps = path.startswith(("/rest", "/identity"))  # Marketo's addresses say what is asked for
    return Incoming(method, f"{path}?{query}" if keeps and query else path, headers, content)


def _written(reply: Reply) -> bytes:
    head = [
        f"HTTP/1.1 {reply.status} X",
        f"content-type: {reply.content_type}",
        f"content-length: {len(reply.content)}",
    ]
    head += [f"{name}: {value}" for name, value in reply.headers.items()]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + reply.content
