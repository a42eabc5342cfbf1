"""Why somebody is not, at a place, as the company says: what a person can read in the status and in the history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from personas_kit.activation.state import SyncState
from personas_kit.activation.sync import Sync
from personas_kit.workspace import Workspace
from tests.soak.definitions import EARLY, Held, Meant
from tests.soak.seen import acknowledged, different, unknown_of

STOPS = frozenset({"blocked", "failed", "interrupted", "planned"})
NAMES = ("key", "destination", "call", "place")
Which = tuple[str, str, str, str]
Stopped = tuple[str, str, str, dt.datetime]
"""A line of a run: key, destination, what it did, and the instant that it was for."""


@dataclass
class Reasons:
    """What is shown to people at an instant.

    Args:
        ws: asks.
        tick: the instant of the last run.
    """

    ws: Workspace
    tick: dt.datetime

    def __post_init__(self) -> None:
        self._history = [*self.ws.history(200).iter_rows(named=True)]
        self._status = {_which(line): line for line in self.ws.status().frame.iter_rows(named=True)}
        self._newest: dict[Which, dict[str, Any]] = {}
        for line in self._history:
            self._newest.setdefault(_which(line), line)

    def missing(self, stopped: list[Stopped]) -> Iterator[str]:
        """What was stopped, and is not in the history with a reason."""
        told = {(line["key"], line["destination"], line["state"], line["as_of"]) for line in self._history
                if line["why"]}  # fmt: skip
        yield from (f"{each} is not in the history" for each in stopped if each not in told)

    def gone(self, sync: Sync, state: SyncState) -> Iterator[str]:
        """Somebody is at a place of a definition that is not there any more."""
        shown = self._status[sync.key, sync.destination, sync.call, sync.place]
        if acknowledged(state) and "no definition" not in shown["waits"]:
            yield f"{sync}: {shown['acknowledged']} stay, and nobody says why"

    def of(self, sync: Sync, state: SyncState, held: Mapping[dt.datetime, Held], meant: Meant) -> Iterator[str]:
        """Somebody is not at a place as the company says, and nothing says why."""
        which = (sync.key, sync.destination, sync.call, sync.place)
        shown, last = self._status[which], self._newest.get(which)
        off = different(acknowledged(state), held[self.tick], state)
        if not off or (shown["unknown"] and not off - unknown_of(state)):
            return
        if last and last["state"] in STOPS:
            if not last["why"]:
                yield f"{sync}: {last['state']}, and no reason is given"
            return
        if not any(word in shown["waits"] for word in ("stopped", "under way")) and not self._waits(
            sync, state, held, meant
        ):
            yield f"{sync}: {len(off)} differ, such as {sorted(off)[:3]}; {last}; {shown}"

    def _waits(self, sync: Sync, state: SyncState, held: Mapping[dt.datetime, Held], meant: Meant) -> bool:
        """Whether all was as the company said when it was pushed last, and it is not due again."""
        then = held.get(state.last_as_of) if state.last_as_of else None
        if then is None or state.last_as_of is None or state.last_as_of == self.tick:
            return False
        due = state.last_as_of + dt.timedelta(seconds=meant.interval(sync.destination) - EARLY)
        now, early = acknowledged(state), set()
        if meant.more:  # who may not be there leaves before it is due
            early = {who for who in then.keys() - now.keys() if who not in held[self.tick]}
        return self.tick < due and not different(now, then, state) - early


def _which(line: Mapping[str, Any]) -> Which:
    key, destination, call, place = (line[name] for name in NAMES)
    return key, destination, call, place
