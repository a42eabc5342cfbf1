"""What stops a plan before the first request. Each guard has a name, by which one plan may override it."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from personas_kit.errors import PlanBlocked, PlanError
from personas_kit.membership import KeyProblems

GuardName = Literal[
    "empty_result",
    "null_members",
    "duplicate_members",
    "removals",
    "total_change",
    "earlier_as_of",
    "interval",
    "destination_changed",
    "undecided_values",
    "paused",
    "first_sync",
]

RUNNING = "rejects"
"""The one guard that watches a push while it runs; overriding it lets a push go on whatever is refused."""

REMOVALS_SHARE, REMOVALS_COUNT = 0.20, 100
TOTAL_SHARE, TOTAL_COUNT = 0.50, 1_000


@dataclass(frozen=True, slots=True)
class Guard:
    """A reason not to push. ``saw`` is a sentence with the numbers; ``final`` guards cannot be overridden."""

    name: GuardName
    saw: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """That a person, for one plan, has looked at what a guard saw, and goes on."""

    who: str
    why: str = ""

    def to_dict(self) -> dict[str, str]:
        """As plain data, for the history."""
        return {"who": self.who, "why": self.why}


def still_standing(guards: Sequence[Guard], override: Collection[str]) -> list[Guard]:
    """The guards that are not overridden, or cannot be."""
    return [guard for guard in guards if guard.final or guard.name not in override]


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
    return {name: Override(_who(), why) for name, why in reasons.items()}


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


def _who() -> str:
    """The name under which this process runs."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for its user
        return "somebody"


def key_guards(problems: KeyProblems) -> list[Guard]:
    """Missing and repeated members: they cannot be told apart, so nothing may be computed from them."""
    guards = []
    if problems.nulls:
        guards.append(Guard("null_members", f"{problems.nulls:,} members have no id", final=True))
    if problems.duplicates:
        shown = ", ".join(problems.examples)
        guards.append(
            Guard("duplicate_members", f"{problems.duplicates:,} ids occur more than once, such as {shown}", final=True)
        )
    return guards


def size_guards(*, wanted: int, before: int, enter: int, leave: int) -> list[Guard]:
    """Results that look like an accident. Not for a first sync.

    Two terms each, so that neither small lists nor slow growth trip them: removals over 20 % and over 100, changes
    over 50 % and over 1,000, of the members wanted at the last finished plan.

    Args:
        wanted: members now.
        before: members wanted at the last finished plan, or acknowledged by it if that is more.
        enter: members that would enter.
        leave: members that would leave.
    """
    guards = []
    if not wanted and before:
        guards.append(Guard("empty_result", f"nobody is wanted, where {before:,} were before"))
    share = max(before, 1)
    if leave > REMOVALS_COUNT and leave > REMOVALS_SHARE * before:
        normal = f"at most {REMOVALS_SHARE:.0%}, or {REMOVALS_COUNT}"
        guards.append(
            Guard("removals", f"{leave:,} of {before:,} would leave ({leave / share:.0%}; normal is {normal})")
        )
    total = enter + leave
    if total > TOTAL_COUNT and total > TOTAL_SHARE * before:
        normal = f"at most {TOTAL_SHARE:.0%}, or {TOTAL_COUNT:,}"
        saw = f"{total:,} changes against {before:,} members ({total / share:.0%}; normal is {normal})"
        guards.append(Guard("total_change", saw))
    return guards


def time_guards(*, as_of: dt.datetime, last_as_of: dt.datetime | None, due: dt.datetime | None) -> list[Guard]:
    """A plan about a past instant, and one that comes before the destination wants it."""
    if last_as_of is not None and as_of < last_as_of:
        return [
            Guard("earlier_as_of", f"as of {as_of:%Y-%m-%d %H:%M}, but {last_as_of:%Y-%m-%d %H:%M} was pushed already")
        ]
    if due is not None and as_of < due:
        return [Guard("interval", f"this destination is due again at {due:%Y-%m-%d %H:%M} UTC")]
    return []
