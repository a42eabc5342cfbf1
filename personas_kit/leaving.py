"""Taking out who is at a destination: everyone of a definition that goes, or one person who is to be forgotten."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import polars as pl

from personas_kit.activation.plan import Plan
from personas_kit.activation.report import Report
from personas_kit.activation.state import SyncState
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.config import Scheduled, SyncSettings
from personas_kit.definitions.meaning import read_meaning
from personas_kit.destinations import find
from personas_kit.destinations.base import Computation
from personas_kit.display import Displayed
from personas_kit.errors import PersonasError
from personas_kit.planner import Planner, place_of


@dataclass(frozen=True, slots=True)
class ForgottenAt:
    """What became of a person at one sync.

    Attributes:
        state: ``taken out``; ``was not there``; ``not yet`` (``why`` says what stands in the way: try again).
    """

    sync: Sync
    state: str
    why: str = ""

    def to_dict(self) -> dict[str, str]:
        """As plain data."""
        return {"sync": str(self.sync), "state": self.state, "why": self.why}


@dataclass(frozen=True, slots=True, repr=False)
class ForgetReport(Displayed):
    """What became of a person who is to be forgotten. Its text does not say who that is."""

    lines: tuple[ForgottenAt, ...]

    @property
    def complete(self) -> bool:
        """Taken out everywhere, and removed from the state."""
        return all(line.state != "not yet" for line in self.lines)

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {"complete": self.complete, "syncs": [line.to_dict() for line in self.lines]}

    def __repr__(self) -> str:
        """How many did what."""
        states = ("taken out", "was not there", "not yet")
        counts = {state: sum(line.state == state for line in self.lines) for state in states}
        words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        return f"forgotten: {words or 'nothing was ever pushed'}" + ("" if self.complete else "; try again")


@dataclass(frozen=True, slots=True)
class Leaving:
    """Knows what was pushed, what that was, and where it went.

    Attributes:
        planner: makes the plans.
        scheduled: what is registered, by key.
        look_up: a user's traits in the source, as a frame of one line or none.
    """

    planner: Planner
    scheduled: Mapping[str, Scheduled]
    look_up: Callable[[str], pl.DataFrame]

    def everyone(self, key: str, to: str | None) -> Plan | None:
        """The plan that takes out everyone of a definition; None if no destination has anybody of it.

        Args:
            key: of the definition, registered or not.
            to: at this destination only.
        """
        syncs = [(sync, state) for sync, state in self.planner.store.syncs() if sync.key == key]
        chosen = [self._leaving(sync, state) for sync, state in syncs if to in {None, sync.destination} and _has(state)]
        return self.planner.exits(chosen) if chosen else None

    def forget(self, user: str) -> ForgetReport:
        """Never send a user again: take the user out of every destination, then remove every trace from the state."""
        store = self.planner.store
        store.forget(user)
        return ForgetReport(tuple(self._forget_at(sync, user) for sync in store.known()))

    def _forget_at(self, sync: Sync, user: str) -> ForgottenAt:
        """Take the user out, then erase: who left before stands in older changes still."""
        try:
            members = self.members(sync, user)
            state = self._settled(sync)
            there = [member for member in members if _knows(state, member)]
            why = _not_yet(self._taken_out(sync, state, there)) if there else ""
            if why:
                return ForgottenAt(sync, "not yet", why)
            for member in members:
                with self.planner.store.lock(sync):
                    self.planner.store.erase(sync, member)
        except PersonasError as problem:
            return ForgottenAt(sync, "not yet", problem.what)
        return ForgottenAt(sync, "taken out" if there else "was not there")

    def _settled(self, sync: Sync) -> SyncState:
        """What is known of a sync once nobody is pushing it, and what was stopped is given up: it may have the user.

        The destination is asked what became of work that it had accepted.
        """
        with self.planner.store.lock(sync):
            self.planner.store.recover(sync)
        return self.planner.settled(sync, self._settings(sync))

    def _taken_out(self, sync: Sync, state: SyncState, members: Collection[str]) -> Report:
        return self.planner.exits([self._leaving(sync, state)], only=members).push()

    def _leaving(self, sync: Sync, state: SyncState) -> tuple[Sync, Computation, SyncSettings]:
        settings = self._settings(sync)
        integrations = self.planner.config.route(settings).integrations
        return sync, replace(self._computation(sync, state), integrations=integrations), settings

    def members(self, sync: Sync, user: str) -> list[str]:
        """What the user is at a sync: its id, or its identifiers where these are known there; nothing at an account's.

        Raises:
            PersonasError: the destination is configured no more.
        """
        settings = self._settings(sync)
        connection = self.planner.connection(settings)
        if not connection.identifiers(sync.call):
            return [] if sync.call == "group" else [user]
        found = self.look_up(user)
        if not found.height:
            return []
        listed = wanted_by(sync.call, Members(found), connection, settings.ids).members
        return [str(member) for member in listed["member"]]

    def _computation(self, sync: Sync, state: SyncState) -> Computation:
        """What was pushed: as it is registered, as it was kept, or else by its key alone."""
        registered = self.scheduled.get(sync.key)
        kept = None if registered else read_meaning(state.meaning)
        definition = registered.definition if registered else kept.definition if kept else None
        if definition is not None:
            return Computation(definition.key, definition.kind, definition.name)
        return Computation(sync.key, "trait" if "value" in state.acknowledged.columns else "audience", sync.key)

    def _settings(self, sync: Sync) -> SyncSettings:
        """How it goes to its destination: as it is scheduled, and to the place that the sync itself tells."""
        scheduled = self.scheduled.get(sync.key)
        known = [each for each in (scheduled.to if scheduled else ()) if each.destination == sync.destination]
        for settings in known:
            if place_of(settings) == sync.place:
                return self.planner.meant(settings)
        settings = known[0] if known else SyncSettings(destination=sync.destination)
        return self.planner.meant(settings.model_copy(update=self._place(sync)))

    def _place(self, sync: Sync) -> dict[str, object]:
        """The list of a sync, or what it is routed to behind a gateway: the others there never had its members."""
        configured = self.planner.config.destinations.get(sync.destination)
        routed = configured is not None and find(configured.type).gateway and sync.place
        listed = sync.place or None if sync.call == "list" else None
        return {"list": listed, "integrations": tuple(sync.place.split(",")) if routed else ()}


def _not_yet(report: Report) -> str:
    """Why somebody is not surely out; empty if all is done. What is held is work that the destination is still at."""
    if report.complete and not any(part.held for part in report.syncs):
        return ""
    held = (str(reason) for part in report.syncs for reason in part.held_changes["reason"])
    return next((part.why for part in report.syncs if part.why), "") or next(held, repr(report))


def _has(state: SyncState) -> bool:
    return bool(state.acknowledged.height or state.unknown.height)


def _knows(state: SyncState, member: str) -> bool:
    frames = (state.acknowledged, state.unknown, state.rejects)
    return any((frame["member"].cast(pl.String) == member).any() for frame in frames)
