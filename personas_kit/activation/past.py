"""What has been normal for a sync, by its last finished pushes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PUSHES = 12
"""How many of the last pushes say what is normal."""
FINISHED = ("done", "partial")
"""The states of runs in which every change was tried."""
PUSHED = (*FINISHED, "interrupted")
"""The states of runs after which a destination may have something."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the last pushes were like, but for those that told a destination of everyone.

    Attributes:
        pushes: how many there were, at most ``PUSHES``.
        left: the most members that left in one.
        changed: the most changes in one.
        fewest: the fewest members that were wanted in one.
    """

    pushes: int = 0
    left: int = 0
    changed: int = 0
    fewest: int = 0

    def most(self, count: int, verb: str) -> str:
        """``in the last 12 pushes at most 31 left``; empty where nothing was pushed before."""
        return f"in the last {self._span} at most {count:,} {verb}" if self.pushes else ""

    def least(self, count: int, verb: str) -> str:
        """``in the last 12 pushes at least 950 were wanted``; empty as above."""
        return f"in the last {self._span} at least {count:,} {verb}" if self.pushes else ""

    @property
    def _span(self) -> str:
        return "push" if self.pushes == 1 else f"{self.pushes} pushes"


NEVER = Past()
"""Of a sync that was never pushed."""


def past_of(runs: Iterable[Mapping[str, Any]]) -> Past:
    """What was normal, by the lines of a sync's history, newest first."""
    usual = [run for run in runs if run["state"] in FINISHED and not _everyone(run)][:PUSHES]
    return Past(
        pushes=len(usual),
        left=max((run["exits"] for run in usual), default=0),
        changed=max((run["enters"] + run["exits"] + run["sets"] for run in usual), default=0),
        fewest=min((run["wanted"] for run in usual), default=0),
    )


def _everyone(run: Mapping[str, Any]) -> bool:
    """A first push, or a full one."""
    return bool(run["wanted"]) and run["enters"] == run["wanted"] and not run["exits"]
