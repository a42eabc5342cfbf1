"""What stops a plan before the first request. Each guard has a name, by which one plan may override it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from personas_kit.activation.who import user_name
from personas_kit.errors import PlanBlocked, PlanError

GuardName = Literal[
    "null_members",
    "duplicate_members",
    "long_members",
    "undecided_values",
    "columns_changed",
    "paused",
    "first_sync",
    "empty_result",
    "removals",
    "total_change",
    "definition_edited",
    "destination_changed",
    "way_changed",
    "field_missing",
    "earlier_as_of",
    "interval",
    "source_stale",
    "source_shrank",
]

FINAL = frozenset[GuardName]({"null_members", "duplicate_members", "undecided_values", "paused", "field_missing"})
"""The guards that cannot be overridden."""
RUNNING = "rejects"
"""The one guard that watches a push while it runs; overriding it lets a push go on whatever is refused."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A reason not to push.

    Attributes:
        saw: a sentence with the numbers, and with what is normal.
        final: it cannot be overridden.
        stops: nothing is sent until it is overridden; else it is only shown.
        kept: the sentence as the history keeps it, where that has no ids in it; else the same.
    """

    name: GuardName
    saw: str
    final: bool = False
    stops: bool = True
    kept: str = ""

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {"name": self.name, "saw": self.saw, "final": self.final, "stops": self.stops}


def overridable(line: Mapping[str, Any]) -> bool:
    """Whether overriding the guards that stopped a run, a line of the history, can help.

    Not where one is final; nor where there is no plan: it could not be made, as without a column that is read.
    """
    return bool(line["plan_id"]) and not FINAL & {*line["guards"]}


def for_history(guards: Sequence[Guard]) -> dict[str, str]:
    """Guards by name, with what they saw, as the history keeps them."""
    return {guard.name: guard.kept or guard.saw for guard in guards}


@dataclass(frozen=True, slots=True)
class Override:
    """That a person, for one plan, has looked at what a guard saw, and goes on."""

    who: str
    why: str = ""

    def to_dict(self) -> dict[str, str]:
        """As plain data, for the history."""
        return {"who": self.who, "why": self.why}


def still_standing(guards: Sequence[Guard], override: Collection[str]) -> list[Guard]:
    """The guards that stop a plan and are not overridden, or cannot be."""
    return [guard for guard in guards if guard.stops and (guard.final or guard.name not in override)]


def overridden(
    guards: Sequence[Guard], override: Sequence[str] | Mapping[str, str], *, where: str
) -> dict[str, Override]:
    """The overrides of a push, by whoever runs this process.

    Args:
        guards: that fired.
        override: names, or name -> why.
        where: the plan, for people.

    Raises:
        PlanBlocked: a guard stands; carries the exact override.
        PlanError: a name is not that of a guard that fired.
    """
    reasons = dict(override) if isinstance(override, Mapping) else dict.fromkeys(override, "")
    standing = still_standing(guards, reasons)
    fired = {guard.name for guard in guards}
    if standing:
        raise _blocked(standing, sorted({*(guard.name for guard in standing), *(set(reasons) & fired)}), where)
    mistaken = sorted(set(reasons) - fired - {RUNNING})
    if mistaken:
        hint = f"those that fired: {', '.join(sorted(fired)) or 'none'}"
        raise PlanError(f"no guard named {', '.join(mistaken)} fired for this plan", where=where, hint=hint)
    return {name: Override(user_name(), why) for name, why in reasons.items()}


def _blocked(standing: Sequence[Guard], names: Sequence[str], where: str) -> PlanBlocked:
    final = sorted({guard.name for guard in standing if guard.final})
    hint = (
        f"{', '.join(final)} cannot be overridden: correct the data or the setting, then plan again"
        if final
        else f"look at the plan; if it is right: plan.push(override={[*names]!r})"
    )
    wording = "; ".join(dict.fromkeys(guard.saw for guard in standing))
    stopped = [*dict.fromkeys(guard.name for guard in standing)]
    return PlanBlocked(f"nothing was sent: {wording}", guards=stopped, where=where, hint=hint)
