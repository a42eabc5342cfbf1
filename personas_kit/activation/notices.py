"""What a team is told about a sync: that it has gone wrong, or goes again. Once for each change, not for each run.

Pure: the lines of the history, and what was told last, become notices. They hold counts and names, and nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from personas_kit.activation.guards import overridable
from personas_kit.activation.sync import Sync
from personas_kit.masking import mask_text

#: A line of the history, with its columns.
Line = Mapping[str, Any]
State = Literal["ok", "failed", "blocked", "interrupted", "rejects"]
_COUNTS = ("acknowledged", "rejected", "unknown", "accepted", "unsent", "held")
LONGEST = 500
"""Characters of a sentence."""


@dataclass(frozen=True, slots=True)
class Notice:
    """That a sync is in another state than what was told last.

    Attributes:
        now: the state; ``was``: what was told last.
        told: the state as it is remembered: with the names of the guards.
        guards: that stop it: their names.
        said: in a sentence, without ids and personal data.
        command: what to type; empty where there is nothing to type.
        counts: of the last run.
    """

    sync: Sync
    now: State
    was: str
    told: str
    guards: tuple[str, ...]
    said: str
    command: str
    counts: Mapping[str, int]

    def __str__(self) -> str:
        """``vips -> ads (list): blocked, stopped by removals: 412 of 1,000 would leave (41%)``."""
        return f"{self.sync}: {self.now}, {self.said}"

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "key": self.sync.key,
            "destination": self.sync.destination,
            "call": self.sync.call,
            "state": self.now,
            "was": self.was,
            "guards": list(self.guards),
            "said": self.said,
            "command": self.command,
            "counts": dict(self.counts),
        }


def notices_of(syncs: Iterable[Sync], latest: Mapping[str, Sequence[Line]], told: Mapping[str, str]) -> list[Notice]:
    """What is to be told: every sync whose last run left it in another state than what was told last.

    Args:
        syncs: those that are configured.
        latest: the last lines of the history by the id of the sync, newest first; plans count for nothing.
        told: what was told last, by the id of the sync; nothing for what was well all along.
    """
    found = []
    for sync in syncs:
        last = next((line for line in latest.get(sync.id, ()) if line["state"] != "planned"), None)
        before = told.get(sync.id, "ok")
        now = remembered(last) if last is not None else before
        if last is not None and now != before:
            found.append(_notice(sync, last, now, before))
    return found


def remembered(line: Line) -> str:
    """The state that a run left, as it is remembered: ``ok``, ``failed``, ``blocked removals,total_change``."""
    state = _state(line)
    return " ".join([state, ",".join(sorted(line["guards"]))]).strip() if state == "blocked" else state


def _state(line: Line) -> State:
    if line["state"] in {"failed", "blocked", "interrupted"}:
        found: State = line["state"]
        return found
    return "rejects" if line["rejected"] or line["held"] else "ok"


def _notice(sync: Sync, last: Line, now: str, before: str) -> Notice:
    state = _state(last)
    guards = tuple(sorted(last["guards"])) if state == "blocked" else ()
    was = before.split(" ", maxsplit=1)[0]
    counts = {name: int(last[name]) for name in _COUNTS if last[name]}
    said = " ".join(mask_text(_said(state, last, was)).split())[:LONGEST]
    return Notice(sync, state, was, now, guards, said, _command(sync, state, last), counts)


def _said(state: State, last: Line, was: str) -> str:
    match state:
        case "blocked":
            return f"stopped by {', '.join(last['guards']) or 'another call'}: {_seen(last)}"
        case "failed" | "interrupted":
            return str(last["why"]).splitlines()[0] if last["why"] else "nothing says why"
        case "rejects":
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in last["reasons"].items())
            held = f"{last['held']:,} were refused too often and were not tried" if last["held"] else ""
            return f"{last['acknowledged']:,} acknowledged, refused: {'; '.join(filter(None, (reasons, held)))}"
        case _:
            return f"goes again, where it was {was}; {last['acknowledged']:,} acknowledged"


def _seen(last: Line) -> str:
    return "; ".join(last["guards"].values()) or str(last["why"])


def _command(sync: Sync, state: State, last: Line) -> str:
    match state:
        case "blocked" if not overridable(last):
            return "personas status"
        case "blocked":
            over = f" --override {','.join(sorted(last['guards']))}" if last["guards"] else ""
            return f"personas push {sync.key} --to {sync.destination}{over}"
        case "interrupted":
            return f"personas push {sync.key} --to {sync.destination}"
        case "failed" | "rejects":
            return "personas history"
        case _:
            return ""
