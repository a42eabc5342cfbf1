"""A receiver that can do what nginx cannot: count messages, answer late, and refuse what exceeds a rate.

It is one thread of asyncio in a process of its own (``python -m benchmarks.receiver``), and takes some thousands of
requests a second: enough where an answer takes its time or a rate is kept, and too few to measure throughput against.
"""

import asyncio
import contextlib
import gzip
import json
import math
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.entry import Service
from benchmarks.nginx import URL

ROOT = Path(__file__).resolve().parents[1]
WINDOW = 1.0
"""Seconds: no stretch of so many may hold more requests than the rate."""


@dataclass
class Behaviour:
    """What it does, and what it has seen.

    Attributes:
        latency: seconds from a request to its answer.
        rate: requests of a second; 0 for as many as come. What exceeds it gets 429.
        at_once: how many a bucket holds, that is filled evenly; 0 for no bucket. What finds it empty gets 429 as well.
        taken: when requests of the last second came.
        tokens: what the bucket holds, and when that was.
    """

    latency: float = 0.0
    rate: int = 0
    at_once: int = 0
    seen: dict[str, float] = field(default_factory=lambda: {"requests": 0, "messages": 0, "refused": 0})
    taken: deque[float] = field(default_factory=deque)
    tokens: tuple[float, float] = (math.inf, 0.0)
    began: float = 0.0
    by_second: dict[int, int] = field(default_factory=dict)

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        self.seen["requests"] += 1
        now = time.monotonic()
        if self.rate and not (self._within_rate(now) and self._in_bucket(now)):
            self.seen["refused"] += 1
            return 429, b"{}"
        if self.rate:
            self._note(now)
        self.seen["messages"] += body.count(b'"messageId"')
        return 200, b'{"success":true}'

    def _within_rate(self, now: float) -> bool:
        while self.taken and self.taken[0] <= now - WINDOW:
            self.taken.popleft()
        return len(self.taken) < self.rate

    def _in_bucket(self, now: float) -> bool:
        held, before = self.tokens
        self.tokens = (min(self.at_once, held + (now - before) * self.rate), now)
        return not self.at_once or self.tokens[0] >= 1

    def _note(self, now: float) -> None:
        self.taken.append(now)
        self.tokens = (self.tokens[0] - 1, now)
        self.began = self.began or now
        second = int((now - self.began) / WINDOW)
        self.by_second[second] = self.by_second.get(second, 0) + 1
        whole = range(1, second)  # neither the first one nor the one that is not over
        self.seen["steady"] = sum(self.by_second.get(each, 0) for each in whole) / max(1, len(whole))


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with bodies of a known length, one request after the other."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._read = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            line, *rest = self._read[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
            whole = end + 4 + int(headers.get("content-length", 0))
            if len(self._read) < whole:
                return
            body = bytes(self._read[end + 4 : whole])
            del self._read[:whole]
            self._take(line, gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body)

    def _take(self, line: str, body: bytes) -> None:
        if line.startswith("GET"):
            self._say(200, json.dumps(self._behaviour.seen).encode())
            return
        status, said = self._behaviour.answer(body)
        if self._behaviour.latency:
            asyncio.get_running_loop().call_later(self._behaviour.latency, self._say, status, said)
        else:
            self._say(status, said)

    def _say(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        if isinstance(self._transport, asyncio.Transport) and not self._transport.is_closing():
            self._transport.write(head.encode() + body)


@contextlib.contextmanager
def receiver(*, latency: float = 0.0, rate: int = 0, at_once: int = 0) -> Iterator[str]:
    """The address of a receiver; ``counts`` says what it has seen."""
    command = [sys.executable, "-m", "benchmarks.receiver", str(latency), str(rate), str(at_once)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603  (the same Python)
    try:
        yield f"http://127.0.0.1:{int(server.stdout.readline() if server.stdout else 0)}"
    finally:
        server.terminate()
        server.communicate()


def serving(*, latency: float = 0.0, rate: int = 0) -> Service:
    """As the service of a benchmark: its address is in the folder."""
    return partial(_serving, latency=latency, rate=rate)


@contextlib.contextmanager
def _serving(folder: Path, *, latency: float, rate: int) -> Iterator[None]:
    with receiver(latency=latency, rate=rate) as address:
        (folder / URL).write_text(address, encoding="utf-8")
        yield


def counts(address: str) -> Mapping[str, float]:
    """``requests``, ``messages`` and ``refused``, since the receiver began.

    Where a rate is kept, ``steady`` as well: the requests of a second, of all whole ones after the first.
    """
    with urllib.request.urlopen(f"{address}/counts") as answer:  # noqa: S310  (http, on this machine)
        seen: Mapping[str, float] = json.load(answer)
    return seen


async def _serve(behaviour: Behaviour) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(behaviour), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    given = Behaviour(latency=float(sys.argv[1]), rate=int(sys.argv[2]), at_once=int(sys.argv[3]))
    asyncio.run(_serve(given))
