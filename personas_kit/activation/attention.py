"""What is new about a sync: one sentence for each change of state, not for each run that finds it so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from personas_kit.activation.past import FINISHED

#: A line of the history, with its columns.
Line = Mapping[str, Any]
LOOKED_AT = 20
"""How many lines of the history are looked at."""
_TROUBLE = {
    "blocked": "it was stopped by {guards}",
    "failed": "it failed",
    "interrupted": "it was interrupted",
}


def news(history: Sequence[Line], now: Line) -> list[str]:
    """What a person should hear about a run, because it was not so before.

    Args:
        history: the lines of the sync before, newest first.
        now: the line of this run.
    """
    seen = [line for line in history if line["state"] != "planned"]
    before = seen[0] if seen else {"state": "", "guards": {}, "why": ""}
    match now["state"]:
        case "blocked":
            return [*_blocked(before, now)]
        case "failed":
            same = before["state"] == "failed" and before["why"] == now["why"]
            return [] if same else [f"failed: {now['why']}"]
        case "interrupted":
            return [] if before["state"] == "interrupted" else [f"interrupted: {now['why']}; push again to go on"]
        case "planned":
            return []
        case _:
            finished = next((line for line in seen if line["state"] in FINISHED), None)
            return [*_recovered(before), *_rejected(finished, now)]


def _blocked(before: Line, now: Line) -> Iterator[str]:
    """Guards that did not stop it last time."""
    known = before["guards"] if before["state"] == "blocked" else {}
    fresh = {name: saw for name, saw in now["guards"].items() if name not in known}
    if fresh:
        yield f"stopped by {', '.join(fresh)}: {'; '.join(fresh.values())}"
    elif before["state"] != "blocked":
        yield now["why"]


def _recovered(before: Line) -> Iterator[str]:
    trouble = _TROUBLE.get(before["state"])
    if trouble is not None:
        yield f"goes again; {trouble.format(guards=', '.join(before['guards']) or 'another call')} last time"


def _rejected(before: Line | None, now: Line) -> Iterator[str]:
    """Refusals that are new, or over."""
    known: Mapping[str, int] = before["reasons"] if before is not None else {}
    fresh = [f"{count:,} {reason}" for reason, count in now["reasons"].items() if reason not in known]
    if fresh:
        what = "refused for a reason that is new" if known else "refused for the first time"
        yield f"{what}: {', '.join(fresh)}"
    elif known and not now["rejected"] and not now["held"]:
        yield f"nothing is refused any more, where {sum(known.values()):,} were"
