"""What a sandbox received: every request, and the state that each destination account would hold."""

from __future__ import annotations

import base64
import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from personas_kit.errors import UnknownName
from personas_kit.sandbox.effects import Effect, Handled, Incoming
from personas_kit.sandbox.journal import Journal, read_journal

SLUGS = ("segment", "rudderstack", "amplitude", "meta", "webhook")
Traits = dict[str, Any]
Entry = tuple[tuple[str, str], ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it came.

    Attributes:
        at: when, UTC.
        method: POST, DELETE, ...
        path: without its query.
        account: which destination account, without its secret.
        status: what was answered; 0 if the connection was dropped.
        items: how many messages, events or entries it carried.
        size: of its body, decompressed, in bytes.
        fault: the kind of fault that was applied, else empty.
        duplicates: how many items had a message id that had been seen.
        ignored: reasons for items that the real destination drops silently.
        integrations: the destinations behind a gateway that the items name.
        signature: the header ``X-Signature`` of a webhook.
        content: the body of a webhook; empty for others.
    """

    at: dt.datetime
    method: str
    path: str
    account: str
    status: int
    items: int = 0
    size: int = 0
    fault: str = ""
    duplicates: int = 0
    ignored: tuple[str, ...] = ()
    integrations: tuple[str, ...] = ()
    signature: str = ""
    content: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class _Account:
    """What one destination account holds."""

    users: dict[str, Traits] = field(default_factory=dict)
    accounts: dict[str, Traits] = field(default_factory=dict)
    lists: dict[str, set[Entry]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    removed_absent: int = 0


class Received:
    """The state of a sandbox. Every method may be called while requests come in, and returns copies.

    ``account`` names one destination account, in full (``segment:1f0c9a``) or by its slug if that is unique
    (``segment``); left out, there must be only one that received such a thing. What nobody received is empty.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._accounts: dict[str, _Account] = {}
        self._arrivals: list[Arrival] = []
        self._digests: dict[tuple[str, str], str | None] = {}
        self._duplicates: Counter[str] = Counter()
        self._conflicts: dict[str, None] = {}
        self._journal = Journal(path) if path is not None else None
        for row in self._journal.rows() if self._journal is not None else ():
            self._replay(row)

    @classmethod
    def read(cls, path: Path) -> Received:
        """What a sandbox wrote to ``path``, now or earlier, in this process or another. Raises ``StateError``."""
        received = cls()
        for row in read_journal(path):
            received._replay(row)
        return received

    # --- what arrived ------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Arrival]:
        """Every request, oldest first."""
        with self._lock:
            return list(self._arrivals)

    def users(self, account: str | None = None) -> dict[str, Traits]:
        """User id -> traits, as the identify calls set them; a null stays."""
        return self._held(account, "users", lambda one: {key: dict(had) for key, had in one.users.items()}, {})

    def accounts(self, account: str | None = None) -> dict[str, Traits]:
        """Account id -> traits, as the group calls set them."""
        return self._held(account, "accounts", lambda one: {key: dict(had) for key, had in one.accounts.items()}, {})

    def lists(self, account: str | None = None) -> dict[str, set[Entry]]:
        """List id -> its entries, each the sorted pairs of its fields: ``(("EMAIL", "<hex>"),)``."""
        return self._held(account, "lists", lambda one: {key: set(value) for key, value in one.lists.items()}, {})

    def events(self, account: str | None = None) -> list[dict[str, Any]]:
        """The track calls in order: ``user_id``, ``event``, ``properties``, ``timestamp``, ``message_id``."""
        return self._held(account, "events", lambda one: [dict(event) for event in one.events], [])

    @property
    def duplicates(self) -> dict[str, int]:
        """Message id -> how often it came again."""
        with self._lock:
            return dict(self._duplicates)

    @property
    def conflicts(self) -> list[str]:
        """Message ids that came again with different content."""
        with self._lock:
            return list(self._conflicts)

    def summary(self) -> dict[str, Any]:
        """Sizes of everything, ready for JSON."""
        with self._lock:
            return {
                "requests": len(self._arrivals),
                "statuses": dict(sorted(Counter(str(one.status) for one in self._arrivals).items())),
                "items": sum(one.items for one in self._arrivals),
                "duplicates": sum(self._duplicates.values()),
                "conflicts": len(self._conflicts),
                "ignored": dict(sorted(Counter(why for one in self._arrivals for why in one.ignored).items())),
                "accounts": {name: _sizes(held) for name, held in sorted(self._accounts.items())},
            }

    # --- what comes in -----------------------------------------------------------------------------------------------

    def record(self, request: Incoming, handled: Handled, status: int, fault: str = "") -> Arrival:
        """Apply what a request does and note it; written to the journal before it returns."""
        detail: dict[str, Any] = {
            "effects": [effect.as_list() for effect in handled.effects],
            "scope": handled.scope,
            "dedupes": handled.dedupes,
            "ignored": handled.ignored,
            "integrations": handled.integrations,
            "signature": handled.signature,
            "content": base64.b64encode(request.content).decode() if handled.account.startswith("webhook") else "",
        }
        row = {
            "at": dt.datetime.now(dt.UTC).isoformat(),
            "method": request.method,
            "path": request.path,
            "account": handled.account,
            "status": status,
            "items": handled.items,
            "size": len(request.content),
            "fault": fault,
            "detail": detail,
        }
        with self._lock:
            if self._journal is not None:
                self._journal.append(row)
            return self._replay(row, handled.effects)

    def close(self) -> None:
        """Close the journal; what was received can still be read."""
        with self._lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None

    def _replay(self, row: dict[str, Any], effects: tuple[Effect, ...] | None = None) -> Arrival:
        detail = row["detail"]
        if effects is None:
            effects = tuple(Effect(*values) for values in detail["effects"])
        duplicates = 0
        for effect in effects:
            seen = self._seen(detail["scope"], effect)
            duplicates += seen
            if not (seen and detail["dedupes"]):
                self._apply(self._accounts.setdefault(row["account"], _Account()), effect)
        arrival = Arrival(
            at=dt.datetime.fromisoformat(row["at"]),
            duplicates=duplicates,
            ignored=tuple(detail["ignored"]),
            integrations=tuple(detail["integrations"]),
            signature=detail["signature"],
            content=base64.b64decode(detail["content"]),
            **{name: row[name] for name in ("method", "path", "account", "status", "items", "size", "fault")},
        )
        self._arrivals.append(arrival)
        return arrival

    def _seen(self, scope: str, effect: Effect) -> bool:
        """Whether the message id came before, noting a repetition and a different content."""
        if not scope or not effect.message_id:
            return False
        known = self._digests.setdefault((scope, effect.message_id), None)
        if known is None:
            self._digests[scope, effect.message_id] = effect.digest
            return False
        self._duplicates[effect.message_id] += 1
        if known != effect.digest:
            self._conflicts[effect.message_id] = None
        return True

    @staticmethod
    def _apply(held: _Account, effect: Effect) -> None:
        match effect.kind:
            case "user":
                held.users.setdefault(effect.subject, {}).update(effect.content)
            case "account":
                held.accounts.setdefault(effect.subject, {}).update(effect.content)
            case "event":
                held.events.append({"user_id": effect.subject, **effect.content, "message_id": effect.message_id})
            case "add":
                held.lists.setdefault(effect.subject, set()).update(_entries(effect))
            case "replace":
                held.lists[effect.subject] = _entries(effect)
            case "remove":
                entries, present = _entries(effect), held.lists.setdefault(effect.subject, set())
                held.removed_absent += len(entries - present)
                present -= entries

    def _held(self, account: str | None, what: str, take: Callable[[_Account], T], empty: T) -> T:
        with self._lock:
            holding = {name: held for name, held in self._accounts.items() if getattr(held, what)}
            if account is None and not holding:
                return empty
            if account is None and len(holding) == 1:
                return take(next(iter(holding.values())))
            if account is None:
                names = ", ".join(sorted(holding))
                raise LookupError(f"several destination accounts received {what}: name one of {names}")
            named = [name for name in self._accounts if account in (name, name.partition(":")[0])]
            if not named and account in SLUGS:
                return empty
            if len(named) != 1:
                raise UnknownName("single destination account", account, sorted(self._accounts))
            return take(self._accounts[named[0]])


def arrival_line(arrival: Arrival) -> str:
    """One line for a terminal."""
    status = str(arrival.status or "dropped")
    parts = [f"{arrival.at:%H:%M:%S}", arrival.method, arrival.path, status, f"{arrival.items:,} items"]
    if arrival.duplicates:
        parts.append(f"{arrival.duplicates:,} seen before")
    if arrival.ignored:
        parts.append(f"{len(arrival.ignored):,} ignored")
    if arrival.fault:
        parts.append(f"fault: {arrival.fault}")
    return "  ".join(parts)


def _entries(effect: Effect) -> set[Entry]:
    return {tuple((name, value) for name, value in entry) for entry in effect.content}


def _sizes(held: _Account) -> dict[str, Any]:
    return {
        "users": len(held.users),
        "accounts": len(held.accounts),
        "lists": {key: len(entries) for key, entries in sorted(held.lists.items())},
        "events": dict(sorted(Counter(str(one["event"]) for one in held.events).items())),
        "removed_absent": held.removed_absent,
    }
