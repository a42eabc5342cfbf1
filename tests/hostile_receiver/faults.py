"""What a receiver can do wrong, as a table: what it reads, whether it applies it, how it ends, what it says.

A sender can tell hardly any of these apart by what it sees; the table says what was true.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from tests.hostile_receiver.wire import GOOD, HTML, JSON, bomb, http

Reads = Literal["head", "half", "whole"]
Ends = Literal["answer", "cut", "reset", "close", "silence", "drip", "flood"]


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer may be about: how many messages there were, and another server."""

    count: int
    elsewhere: str = ""


def good(_: Told) -> bytes:
    """All is well."""
    return http(200, GOOD)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to treat a request.

    Attributes:
        reads: how much of the request is read before anything happens.
        applies: it takes effect, but for what is refused.
        ends: ``answer``; ``cut`` (half of the answer, then closed); ``reset`` and ``close`` without one; ``silence``
            until the sender hangs up; ``drip`` (the answer, a byte at a time); ``flood`` (100 Continue, for ever).
        says: the answer.
        refuses: the positions that are not applied, given how many messages there are.
        fatal: a sender is right to stop, and to leave it to a person.
    """

    reads: Reads = "whole"
    applies: bool = False
    ends: Ends = "answer"
    says: Callable[[Told], bytes] = good
    refuses: Callable[[int], Collection[int]] = lambda _: ()
    fatal: bool = False


def _status(status: int, body: bytes = b"", kind: str = "text/plain", **headers: str) -> Callable[[Told], bytes]:
    return lambda _: http(status, body, kind, **headers)


def _partial(which: Callable[[int], list[int]], *, status: int = 200) -> Callable[[Told], bytes]:
    """Success, but for some items, each with its index."""

    def says(told: Told) -> bytes:
        items = [{"index": at, "reason": "invalid"} for at in which(told.count)]
        return http(status, json.dumps({"success": True, "rejected": items}).encode())

    return says


def _redirect(status: int) -> Fault:
    return Fault(says=lambda told: http(status, Location=f"{told.elsewhere}/v1/batch"), fatal=True)


def _raw(raw: bytes) -> Callable[[Told], bytes]:
    return lambda _: raw


_DATE = "Sun, 01 Nov 2026 12:00:00 GMT"
_BUSY = http(429, b"", "text/plain")

FAULTS: dict[str, Fault] = {
    "429, wait 2 seconds": Fault(says=_status(429, Retry_After="2")),
    "429, wait until a date": Fault(says=_status(429, Date=_DATE, Retry_After="Sun, 01 Nov 2026 12:00:03 GMT")),
    "429, wait until a date in the past": Fault(
        says=_status(429, Date=_DATE, Retry_After="Sat, 31 Oct 2026 12:00:00 GMT")
    ),
    "429, wait a year": Fault(says=_status(429, Retry_After="31536000")),
    "429, no word on waiting": Fault(says=_raw(_BUSY)),
    "429, nonsense about waiting": Fault(says=_status(429, Retry_After="soon, \u00e9h?")),
    "500": Fault(says=_status(500)),
    "500, applied": Fault(says=_status(500), applies=True),
    "502 with a page": Fault(says=_status(502, HTML, "text/html")),
    "503, wait 1 second": Fault(says=_status(503, Retry_After="1")),
    "503, applied": Fault(says=_status(503), applies=True),
    "reset before the body": Fault(reads="head", ends="reset"),
    "reset in the middle of the body": Fault(reads="half", ends="reset"),
    "reset after the body": Fault(ends="reset"),
    "applied, then reset": Fault(applies=True, ends="reset"),
    "applied, then closed": Fault(applies=True, ends="close"),
    "applied, then half an answer": Fault(applies=True, ends="cut"),
    "applied, then JSON cut short in a whole answer": Fault(applies=True, says=_status(200, GOOD[:9])),
    "applied, then an empty 200": Fault(applies=True, says=_status(200)),
    "an empty 200": Fault(says=_status(200)),
    "a page with 200": Fault(says=_status(200, HTML, "text/html")),
    "applied, then a page with 200": Fault(applies=True, says=_status(200, HTML, "text/html")),
    "applied, then another type of content": Fault(
        applies=True, says=_status(200, b"<response success='true'/>", "application/xml")
    ),
    "applied, then slowly, byte by byte": Fault(applies=True, ends="drip"),
    "applied, then a slow body": Fault(applies=True, ends="drip", says=_status(200, GOOD + b" " * 4_000)),
    "applied, never answered": Fault(applies=True, ends="silence"),
    "never answered": Fault(ends="silence"),
    "the first refused": Fault(applies=True, says=_partial(lambda count: [0]), refuses=lambda count: [0]),
    "the last refused": Fault(
        applies=True, says=_partial(lambda count: [count - 1]), refuses=lambda count: [count - 1]
    ),
    "all refused": Fault(applies=True, says=_partial(lambda count: [*range(count)]), refuses=range),
    "one refused that was not sent": Fault(applies=True, says=_partial(lambda count: [count + 3])),
    "one refused that is before the first": Fault(applies=True, says=_partial(lambda count: [-1])),
    "one refused twice": Fault(applies=True, says=_partial(lambda count: [0, 0]), refuses=lambda count: [0]),
    "400 for all": Fault(says=_status(400)),
    "413": Fault(says=_status(413)),
    "301": _redirect(301),
    "302": _redirect(302),
    "307": _redirect(307),
    "308": _redirect(308),
    "401": Fault(says=_status(401), fatal=True),
    "403": Fault(says=_status(403), fatal=True),
    "a bomb of gzip": Fault(applies=True, says=lambda _: http(200, bomb(1, 64), Content_Encoding="gzip")),
    "a bomb of gzip in gzip": Fault(applies=True, says=lambda _: http(200, bomb(2, 64), Content_Encoding="gzip, gzip")),
    "success in gzip": Fault(
        applies=True, says=lambda _: http(200, gzip.compress(GOOD, mtime=0), Content_Encoding="gzip")
    ),
    "applied, with letters that no header should have": Fault(
        applies=True, says=_status(200, GOOD, JSON, X_Said="na\u00efve, \u00e9h?")
    ),
    "broken gzip": Fault(applies=True, says=lambda _: http(200, b"\x1f\x8b\x08broken", Content_Encoding="gzip")),
    "absurd headers": Fault(applies=True, says=_status(200, GOOD, X_Large="x" * 300_000)),
    "no HTTP": Fault(applies=True, says=_raw(b"220 mail.example.com ESMTP\r\n\r\n"), ends="answer"),
    "two lengths": Fault(
        applies=True, says=_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 16\r\n\r\n" + GOOD)
    ),
    "a length below zero": Fault(applies=True, says=_raw(b"HTTP/1.1 200 OK\r\nContent-Length: -16\r\n\r\n" + GOOD)),
    "a status nobody knows": Fault(applies=True, says=_raw(b"HTTP/1.1 299 Fine\r\nContent-Length: 0\r\n\r\n")),
    "another protocol": Fault(applies=True, says=_raw(b"HTTP/1.1 101 Switching\r\nUpgrade: chat\r\n\r\n")),
    "100 Continue for ever": Fault(applies=True, ends="flood"),
}
"""By name. Those that need another address to go wrong (nobody listening, no such name, ...) are ``detours``."""
