"""The people of the company: who edits ``personas.toml``, and who looks at what was stopped."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from personas_kit.activation.report import Report
from personas_kit.activation.runs import RunReport
from personas_kit.workspace import Workspace
from tests.soak.definitions import Meant, added

Act = Callable[[Workspace], Report | None]
"""What somebody does by hand, now."""
FINAL = frozenset({"interval", "earlier_as_of"})
"""Guards that nobody overrides: to wait is enough."""


@dataclass
class Team:
    """Edits and looks.

    Attributes:
        meant: what is in the file.
        removed: what was taken out of the file -> the hour in which somebody takes it out of the destinations.
        waiting: what was stopped -> the hour in which somebody looks.
        edited: what was edited last -> as it was before, and when.
    """

    some: random.Random
    meant: dict[str, Meant]
    say: Callable[[str, str], None]
    removed: dict[str, int] = field(default_factory=dict)
    waiting: dict[tuple[str, str], int] = field(default_factory=dict)
    edited: dict[str, tuple[Meant, int]] = field(default_factory=dict)

    def edits(self, hour: int) -> bool:
        """Whether somebody has changed the file."""
        key = self.some.choice(sorted(self.meant))
        before = one = self.meant[key]
        match self.some.choice(["days", "days", "least", "every", "add", "remove"]):
            case "days":
                one = replace(one, days=self.some.choice([1, 3, 6, 9, 15, 25]))
            case "least":
                one = replace(one, least=self.some.choice([1, 1, 2, 4]))
            case "every":
                one = replace(one, every=self.some.choice([1, 2, 4, 5, 6, 8]))
            case "add" if not {"heads"} & {*self.meant, *self.removed}:
                one = added()
            case "remove" if key not in {"active", "buyers"} and len(self.meant) > 3 and not self.removed:
                del self.meant[key]
                self.removed[key] = hour + self.some.choice([0, 2, 30])
                self.say("definitions removed", f"{key} is taken out of the file")
                return True
        if one == before:
            return False
        self.meant[one.key], self.edited[one.key] = one, (before, hour)
        self.say("edits", f"{one.key} is edited: {one.days} days, {one.least}, every {one.every} h")
        return True

    def hears(self, report: RunReport, hour: int, *, soon: bool) -> None:
        """A run has ended: somebody will look at what was stopped."""
        for line in report.lines:
            if line.did == "blocked":
                later = 0 if soon else self.some.choice([0, 0, 5, 26])
                self.waiting.setdefault((line.key, line.destination), hour + later)

    def looks(self, hour: int) -> list[tuple[str, str]]:
        """What somebody looks at now: keys, and where to."""
        now = [each for each, when in sorted(self.waiting.items()) if when <= hour]
        for each in now:
            del self.waiting[each]
        return [(key, destination) for key, destination in now if key in self.meant]

    def takes_back(self, key: str, hour: int) -> bool:
        """Whether the edit was a mistake, and is taken back."""
        before, when = self.edited.pop(key, (None, 0))
        if before is None or before.key != key or when < hour - 30 or self.some.random() < 0.6:
            return False
        self.meant[key] = before
        self.say("edits taken back", f"{key} is as it was before")
        return True

    def overrides(self, key: str, destination: str) -> Act:
        """Push what a guard stopped."""

        def act(ws: Workspace) -> Report | None:
            plan = ws.plan(key, to=destination)
            stops = [guard for guard in plan.guards if guard.stops]
            if any(guard.final or guard.name in FINAL for guard in stops):
                return None
            names = {guard.name: "looked at" for guard in stops}
            self.say("overrides", f"somebody overrides {', '.join(names)}")
            return plan.push(override=names, progress=lambda _: None)

        return act

    @staticmethod
    def removes(key: str) -> Act:
        """Take everybody out of the destinations."""

        def act(ws: Workspace) -> Report | None:
            plan = ws.remove(key)
            return plan.push(progress=lambda _: None) if plan else None

        return act
