"""What an answer means: a table of statuses per destination, and a reader for what stands in the body.

The default table: 408, 409, 425, 429 and 5xx are tried again; 400 and 413 on several changes halve them, on one refuse
it; 401, 403, 404 and redirects stop the push; any other status is tried again and never counts as success. A 2xx that
cannot be read is *unknown*: it may have been applied.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Literal, Protocol

Verdict = Literal["acknowledged", "accepted", "rejected", "retry", "split", "fatal", "unknown"]


DEEPEST = 64
"""Arrays and objects within one another, in the JSON of an answer."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Its repr shows the status alone: bodies and headers echo what was sent."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)

    @property
    def is_success(self) -> bool:
        """Its status is a 2xx; whether that means anything, the destination's table knows."""
        return 200 <= self.status < 300  # noqa: PLR2004  (by the standard)

    def header(self, name: str) -> str | None:
        """A header, whatever its case."""
        return next((value for key, value in self.headers.items() if key.lower() == name), None)

    def json(self) -> object:
        """The body as data; None if it is not JSON of whole characters, or nested deeper than any answer is."""
        try:
            found = None if _depth(self.content) > DEEPEST else json.loads(self.content.decode("utf-8-sig"))
            if b"\\ud" in self.content.lower():  # half a character, which no request could repeat
                json.dumps(found, ensure_ascii=False).encode()
        except ValueError:
            return None
        return found

    def at(self, *path: str | int) -> object:
        """What lies at a path of the body; None if nothing does, or if it is no JSON."""
        found = self.json()
        for step in path:
            if isinstance(found, dict) and isinstance(step, str):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int) and -len(found) <= step < len(found):
                found = found[step]
            else:
                return None
        return found

    def rows(self, *path: str | int) -> list[dict[str, object]] | None:
        """The objects of an array at a path of the body; None if there is none, or if it holds other things."""
        found = self.at(*path)
        return found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else None


def _depth(content: bytes) -> int:
    """How deep a text of JSON is nested. Counted before it is read: reading is recursive, and this is not."""
    if content.count(b"[") + content.count(b"{") <= DEEPEST:  # most answers: no deeper than they have brackets
        return 0
    brackets = _STRING.sub(b"", content).translate(None, _NO_BRACKETS)
    return max(itertools.accumulate(1 if each in b"[{" else -1 for each in brackets), default=0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    Attributes:
        verdict: ``acknowledged`` (but for ``rejected``), ``accepted`` (as that: it will say later what became of it),
            ``rejected`` whole, ``retry``, ``split``, ``fatal``, or ``unknown``: it may have been applied.
        reason: a short code for people; never a piece of the body.
        after: seconds that the destination asks to wait.
        rejected: positions within the request that were refused -> reason.
        again: positions that were not applied, and are tried again: throttled ones, or good ones beside bad ones where
            the destination takes all or nothing.
        handle: what the destination calls work that it accepted.
    """

    verdict: Verdict
    reason: str = ""
    after: float | None = None
    rejected: Mapping[int, str] = field(default_factory=dict)
    again: frozenset[int] = frozenset()
    handle: str = ""

    @property
    def undivided(self) -> Outcome:
        """The same of a part of work that cannot be halved, as a replacement cannot: its refusal stops the push."""
        whole = self.verdict in {"retry", "fatal", "unknown"}
        return self if whole else Outcome("fatal", self.reason or "a part was refused")


Reader = Callable[[Answer, int], Outcome | None]
"""Reads a body, given how many changes were sent; None leaves the answer to the table."""

ACKNOWLEDGED = Outcome("acknowledged")
_HINTS = {
    401: "not authorised: check the credentials",
    403: "not allowed: check the credentials and their permissions",
    404: "no such address: check the settings",
}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The table of a destination.

    Attributes:
        read: looks at the body first.
        retry: statuses that are tried again, besides 5xx.
        split: statuses that say that something in the request is wrong.
        fatal: statuses that stop the push.
    """

    read: Reader
    retry: frozenset[int] = frozenset({408, 409, 425, 429})
    split: frozenset[int] = frozenset({400, 413})
    fatal: frozenset[int] = frozenset({401, 403, 404})

    def of(self, answer: Answer, count: int) -> Outcome:
        """What an answer to ``count`` changes means."""
        read = self.read(answer, count)
        if read is not None and not all(0 <= at < count for at in (*read.rejected, *read.again)):
            return Outcome("unknown", "an answer about changes that were not sent")
        if read is not None:
            return read
        status = answer.status
        if answer.is_success:
            return Outcome("unknown", f"an unreadable answer ({status})")
        if 300 <= status < 400:  # noqa: PLR2004
            return Outcome("fatal", f"redirected ({status}): check the url")
        if status in self.fatal:
            return Outcome("fatal", f"{_HINTS.get(status, 'refused')} ({status})")
        if status in self.split:
            return Outcome("split", f"status {status}") if count > 1 else Outcome("rejected", f"status {status}")
        return Outcome("retry", f"status {status}", after=retry_after(answer))


def retry_after(answer: Answer) -> float | None:
    """Seconds that ``Retry-After`` asks to wait, None if it says nothing; a date counts from the answer's ``Date``."""
    asked = answer.header("retry-after")
    if asked is None:
        return None
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass  # not seconds: a date
    try:
        until = parsedate_to_datetime(asked)
        now = parsedate_to_datetime(answer.header("date") or "")
    except (ValueError, OverflowError):  # of a zone that lies beyond the world
        return None
    return max(0.0, (_aware(until) - _aware(now)).total_seconds())


class Budgeting(Protocol):
    """Knows how an answer tells that nothing is left."""

    def wait(self, answer: Answer, now: dt.datetime) -> float | None:
        """Seconds until there is a budget again; None while there is one, or where the answer says nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """The headers in which a destination tells how many requests are left, and when there are more.

    Attributes:
        remaining: the header with how many are left.
        reset: the header with when that starts anew.
        epoch: ``reset`` is an instant in seconds since 1970; else it is seconds from now.
    """

    remaining: str
    reset: str
    epoch: bool = False

    def wait(self, answer: Answer, now: dt.datetime) -> float | None:
        """Seconds until there is a budget again; None while there is one, or where the headers say nothing."""
        try:
            left, reset = float(answer.header(self.remaining) or ""), float(answer.header(self.reset) or "")
        except ValueError:
            return None
        if left >= 1 or not math.isfinite(reset):
            return None
        return max(0.0, reset - now.timestamp() if self.epoch else reset)


_LARGEST = 10**9
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,59}", re.ASCII)


def code(value: object) -> str:
    """A vendor's error code, to be shown; empty if it does not look like one. Nothing else of a body is ever shown."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < _LARGEST else ""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def refused(answer: Answer, rows: str, at: str, why: str) -> dict[int, str] | None:
    """The positions that an array of errors in the body names, each with the vendor's code.

    Args:
        answer: what was said.
        rows: the array's name; there are no errors where it is missing.
        at: the field of an error with the position. None comes of an error without one.
        why: the field of an error with the code.
    """
    if not answer.at(rows):
        return {}
    found = {}
    for row in answer.rows(rows) or [{}]:
        position, shown = row.get(at), code(row.get(why))
        if not isinstance(position, int):
            return None
        found[position] = f"refused ({shown})" if shown else "refused"
    return found


def all_but(sent: Sequence[str], refused: Mapping[str, str]) -> Outcome:
    """Acknowledged but for those that were refused by their address, whatever its case; halved if one was not sent.

    Args:
        sent: the addresses, in the order of the changes.
        refused: address -> reason.
    """
    reasons = {address.strip().lower(): reason for address, reason in refused.items()}
    rejected = {at: reasons[each.lower()] for at, each in enumerate(sent) if each.lower() in reasons}
    if reasons.keys() <= {each.lower() for each in sent}:
        return Outcome("acknowledged", rejected=rejected)
    return Outcome("split", "it refused somebody who was not sent")


def json_says(field_name: str, value: object) -> Reader:
    """A 2xx is a success if a field of its JSON body has a value."""

    def read(answer: Answer, _count: int) -> Outcome | None:
        body = answer.json()
        if answer.is_success and isinstance(body, dict) and body.get(field_name) == value:
            return ACKNOWLEDGED
        return None

    return read


def text_says(*words: str) -> Reader:
    """A 200 is a success if its body is one of these words; case does not count."""

    def read(answer: Answer, _count: int) -> Outcome | None:
        body = answer.content.decode("utf-8", errors="replace").strip().strip('"').lower()
        return ACKNOWLEDGED if answer.status == 200 and body in words else None  # noqa: PLR2004

    return read


def any_success(answer: Answer, _count: int) -> Outcome | None:
    """Any 2xx is a success: the receiver's own contract."""
    return ACKNOWLEDGED if answer.is_success else None


def _aware(instant: dt.datetime) -> dt.datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
