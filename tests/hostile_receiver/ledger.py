"""What a receiver has got and applied: the other side's book, against which the kit's own is held."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that arrived whole.

    Attributes:
        life: of the sender, as the test counts.
        said: true for an entry, false for an exit; the value of a trait.
        content: a digest of everything in it, so that one id with two contents is noticed.
        about: a digest of what it says, whatever its id and its time: a repetition under another id has the same.
        applied: it took effect; not if it was refused, lost, or known by its id already.
    """

    life: int
    call: str
    member: str
    message_id: str
    said: object
    content: str
    about: str
    applied: bool


@dataclass(slots=True)
class Ledger:
    """Written by the receiver's threads, read by the test.

    Attributes:
        life: which life of the sender the arrivals belong to; the test counts.
        forgets: ids are not compared: a receiver that applies every repetition.
    """

    life: int = 0
    forgets: bool = False
    arrivals: list[Arrival] = field(default_factory=list)
    _contents: dict[str, str] = field(default_factory=dict)
    _applied: set[str] = field(default_factory=set)
    _state: dict[tuple[str, str], object] = field(default_factory=dict)
    _conflicts: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, messages: Iterable[Mapping[str, Any]], *, applies: bool, refused: Collection[int] = ()) -> None:
        """Note messages that arrived whole, and apply those that are not refused."""
        with self._lock:
            for at, message in enumerate(messages):
                self._take(message, applies=applies and at not in refused)

    def holds(self, call: str) -> dict[str, object]:
        """The members that are in, or have a value, with it, by what was applied."""
        return {member: said for member, said in self.values(call).items() if said is not False and said is not None}

    def values(self, call: str) -> dict[str, object]:
        """What was said last of each member, by what was applied."""
        with self._lock:
            return {member: said for (of, member), said in self._state.items() if of == call}

    def copy(self) -> Ledger:
        """As it is now."""
        with self._lock:
            return Ledger(
                self.life, self.forgets, [*self.arrivals], dict(self._contents), set(self._applied),
                dict(self._state), set(self._conflicts),
            )  # fmt: skip

    def believing(self, words: Mapping[tuple[str, str], object]) -> Ledger:
        """As it is now, but that these members are what somebody said of them, by call and member."""
        found = self.copy()
        found._state.update(words)
        return found

    @property
    def conflicts(self) -> set[str]:
        """Message ids that came with two contents."""
        with self._lock:
            return set(self._conflicts)

    def _take(self, message: Mapping[str, Any], *, applies: bool) -> None:
        call, message_id = message["type"], message["messageId"]
        member = message["groupId"] if call == "group" else message["userId"]
        content = _digest(message)
        if self._contents.setdefault(message_id, content) != content:
            self._conflicts.add(message_id)
        applied = applies and (self.forgets or message_id not in self._applied)
        if applied:
            self._applied.add(message_id)
            self._state[call, member] = _said(message)
        about = _digest(message, without=("messageId", "timestamp"))
        self.arrivals.append(Arrival(self.life, call, member, message_id, _said(message), content, about, applied))


def _said(message: Mapping[str, Any]) -> object:
    key = message["context"]["personas"]["computation_key"]
    where = message["properties"] if message["type"] == "track" else message["traits"]
    return where[key]


def _digest(message: Mapping[str, Any], *, without: tuple[str, ...] = ("sentAt",)) -> str:
    same = {name: value for name, value in message.items() if name not in without}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]
