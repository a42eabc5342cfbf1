"""What a scheduled run did: one line per definition and destination."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from personas_kit.activation.guards import still_standing
from personas_kit.activation.plan import Plan
from personas_kit.activation.report import Report
from personas_kit.display import Displayed
from personas_kit.errors import PersonasError

Did = Literal["pushed", "planned", "blocked", "not due", "failed"]


@dataclass(frozen=True, slots=True)
class RunLine:
    """One definition at one destination.

    Attributes:
        did: ``pushed``; ``planned`` (nobody approved); ``blocked`` (a guard fired); ``not due``; ``failed``.
        why: what a person should know; empty if all is well.
    """

    key: str
    destination: str
    did: Did
    why: str = ""
    plan: Plan | None = None
    report: Report | None = None

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "key": self.key,
            "destination": self.destination,
            "did": self.did,
            "why": self.why,
            **({"plan": self.plan.to_dict()} if self.plan else {}),
            **({"report": self.report.to_dict()} if self.report else {}),
        }


@dataclass(frozen=True, slots=True, repr=False)
class RunReport(Displayed):
    """What a run did."""

    as_of: dt.datetime
    lines: tuple[RunLine, ...]

    def to_dict(self) -> dict[str, object]:
        """As plain data, the way ``personas run --json`` prints it."""
        return {
            "as_of": self.as_of.isoformat().replace("+00:00", "Z"),
            "lines": [line.to_dict() for line in self.lines],
        }

    def __repr__(self) -> str:
        """How many did what."""
        counts = {
            did: sum(line.did == did for line in self.lines)
            for did in ("pushed", "planned", "blocked", "not due", "failed")
        }
        words = ", ".join(f"{count} {did}" for did, count in counts.items() if count)
        return f"run of {self.as_of:%Y-%m-%d %H:%M} UTC: {words or 'nothing is scheduled'}"


def run_one(
    key: str, destination: str, make: Callable[[], Plan], *, approve: str | None, override: Sequence[str]
) -> RunLine:
    """Plan one definition for one destination, and push it if nothing stands against it.

    A failure is a line of the report, so that the others go on.

    Args:
        key: of the definition.
        destination: the configured name.
        make: makes the plan.
        approve: ``"guards"`` pushes what no guard stops; None only plans.
        override: guards to override.
    """
    try:
        plan = make()
        standing = still_standing(plan.guards, override)
        saw = "; ".join(guard.saw for guard in standing)
        if standing:
            waits = any(guard.name == "interval" for guard in standing)
            return RunLine(key, destination, "not due" if waits else "blocked", saw, plan)
        if approve is None:
            return RunLine(key, destination, "planned", "", plan)
        report = plan.push(override=[guard.name for guard in plan.guards])
        why = next((sync.why for sync in report.syncs if sync.why), "")
        return RunLine(key, destination, "pushed", why, plan, report)
    except PersonasError as problem:
        return RunLine(key, destination, "failed", str(problem))
