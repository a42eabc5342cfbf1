"""What a schedule does: which syncs a run is about, their members, all asked at once, and a plan for each."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from personas_kit.activation.causes import without_unless
from personas_kit.activation.plan import Plan
from personas_kit.activation.running import Errand
from personas_kit.activation.runs import RunLine
from personas_kit.activation.watching import time_guards
from personas_kit.comparing import Comparing
from personas_kit.config import Scheduled, SyncSettings
from personas_kit.definitions.meaning import meaning_of
from personas_kit.errors import DestinationError, PersonasError
from personas_kit.insight.otherwise import Otherwise
from personas_kit.insight.pulse import Pulse
from personas_kit.oversight import Oversight
from personas_kit.planner import Found, carried

Due = Sequence[tuple[Scheduled, list[SyncSettings]]]
"""Definitions, each with where it goes."""


@dataclass(frozen=True, slots=True)
class Scheduling:
    """Makes the errands of a run.

    Attributes:
        comparing: finds members.
        oversight: keeps the history.
    """

    comparing: Comparing
    oversight: Oversight

    def errands(self, due: Due, as_of: dt.datetime, *, early: bool) -> list[Errand]:
        """One for each sync, in order. The members of all are asked for here, before the first plan is made.

        Args:
            due: what the run is about.
            as_of: the instant it is for.
            early: plans are made of all that is not due yet, too; else of those only that somebody may withdraw from.
        """
        meant = [(each, [*map(self.comparing.planner.meant, syncs)]) for each, syncs in due]
        waits = [["" if early else self._waits(each, sync, as_of) for sync in syncs] for each, syncs in meant]
        asked = [
            (each, [sync for sync, why in zip(syncs, own, strict=True) if not why])
            for (each, syncs), own in zip(meant, waits, strict=True)
        ]
        found, pulse = self._found([one for one in asked if one[1]], as_of), Pulse(self.comparing.reader)
        return [
            Errand(
                scheduled.definition.key,
                sync.destination,
                functools.partial(self._plan, scheduled, sync, as_of, found, pulse),
                functools.partial(self._begun, sync, as_of),
                why,
            )
            for (scheduled, syncs), own in zip(meant, waits, strict=True)
            for sync, why in zip(syncs, own, strict=True)
        ]

    def _waits(self, scheduled: Scheduled, settings: SyncSettings, as_of: dt.datetime) -> str:
        """Why a sync is not pushed yet, as the guard of its plan would say it; empty if a plan has to be made.

        The warehouse is not asked. A plan has to be made also where somebody may withdraw, who leaves at once; where
        the destination has accepted work, since it is asked then what became of it; and where another account was
        there before, or something is wrong, since a plan says so.
        """
        planner, definitions = self.comparing.planner, self.comparing.reader.definitions()
        if without_unless(meaning_of(scheduled.definition, definitions)) is not None:
            return ""
        try:
            if planner.store.forgotten().marks:
                return ""
            connection = planner.connection(settings)
            syncs = planner.syncs_of(scheduled, settings, connection)
            states = [planner.store.outline(sync).state for sync in syncs]
        except PersonasError:
            return ""
        if any(state.jobs or state.target not in {"", connection.target} for state in states):
            return ""
        cadence, minimum = scheduled.cadence_of(settings), connection.destination.minimum_interval
        guards = (
            guard
            for last in (state.last_as_of for state in states)
            for guard in time_guards(as_of=as_of, last_as_of=last, due=cadence.due(last, minimum), early=cadence.early)
        )
        return next((guard.saw for guard in guards if guard.name == "interval"), "")

    def _found(self, due: Due, as_of: dt.datetime) -> Mapping[str, Found]:
        """The members of every definition, asked at once; those that cannot be asked at once are left out.

        So are those that are compared in the warehouse: each of these is a statement of its own.
        """
        try:
            return self._together(due, as_of)
        except PersonasError:  # one is wrong: its line says so, and the others are asked at once all the same
            askable = self.comparing.reader.askable
            right = [one for one in due if askable(one[0].definition, as_of, carried(one[1]))]
        try:
            return self._together(right, as_of)
        except PersonasError:
            return {}  # the warehouse does not tell which one it is: each is asked by itself

    def _together(self, due: Due, as_of: dt.datetime) -> Mapping[str, Found]:
        read = [one for one in due if not self.comparing.apart(*one, as_of, unattended=True)[0]]
        carry = {each.definition.key: carried(syncs) for each, syncs in read}
        return self.comparing.reader.find([each.definition for each, _ in read], as_of, carry)

    def _plan(
        self, scheduled: Scheduled, sync: SyncSettings, as_of: dt.datetime, found: Mapping[str, Found], pulse: Pulse
    ) -> Plan:
        """The plan of one sync that nobody looks at before it is pushed."""
        meant, carry, comparing = scheduled.definition, carried([sync]), self.comparing
        with self.oversight.columns(meant.key):
            own = found.get(meant.key) or comparing.members(scheduled, [sync], as_of, unattended=True)
        figures = pulse.figures(meant, carry, as_of, scheduled.cadence_of(sync))
        return comparing.planner.plan(
            scheduled, own, [sync], members_from="the warehouse", unattended=True, figures=figures,
            why=Otherwise(comparing.reader),
        )  # fmt: skip

    def _begun(self, sync: SyncSettings, as_of: dt.datetime) -> Callable[[RunLine], RunLine]:
        """What keeps in the history what a run did, once it has ended."""
        started = self.comparing.reader.clock.now()
        return lambda line: self.oversight.note(line, sync, as_of, started)


def due_of(chosen: Sequence[Scheduled], destinations: Collection[str], *, named: bool) -> Due:
    """What a run is about: those of the definitions that have a sync, with their syncs.

    Args:
        chosen: definitions.
        destinations: only these; all if there are none.
        named: somebody has named the definitions, so each has to have one.

    Raises:
        DestinationError: one that was named has no sync, or none to these destinations.
    """
    due = [(each, [s for s in each.to if not destinations or s.destination in destinations]) for each in chosen]
    for each, syncs in due:
        if named and not syncs:
            there = f" to {', '.join(sorted(destinations))}" if destinations and each.to else ""
            raise DestinationError(
                f"this definition has no sync{there}",
                where=each.definition.name,
                hint='add to = [{ destination = "..." }] to its block in personas.toml',
            )
    return [(each, syncs) for each, syncs in due if syncs]
