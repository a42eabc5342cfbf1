"""Which syncs a person means, and a plan for each: the side of the workspace that faces the destinations."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from personas_kit.activation.delivery import Delivery
from personas_kit.activation.plan import Plan, SyncPlan
from personas_kit.activation.planning import Occasion, plan_sync
from personas_kit.activation.store import Store
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Members, calls_for, wanted_by
from personas_kit.clock import Clock
from personas_kit.config import Config, Scheduled, SyncSettings
from personas_kit.destinations.base import Call, Computation, Connection
from personas_kit.errors import DestinationError, UnknownName


@dataclass(frozen=True, slots=True)
class Found:
    """The members of a definition at an instant, and when and with which columns of users they were looked up.

    ``fingerprint`` is of what the definition meant then, everything that it refers to included.
    """

    fingerprint: str
    members: Members
    as_of: dt.datetime
    at: dt.datetime
    carry: frozenset[str]


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes plans from members, for the destinations of a configuration."""

    config: Config
    store: Store
    clock: Clock
    delivery: Delivery

    def syncs_for(self, scheduled: Scheduled, to: str | None, asked: SyncSettings) -> Sequence[SyncSettings]:
        """The syncs that are meant: the definition's own, or one to the destination named, with what was asked for.

        Raises:
            DestinationError: no sync, or the name means several.
            UnknownName: no such destination.
        """
        if to is None:
            if not scheduled.to:
                key = scheduled.definition.key
                raise DestinationError(
                    "this definition has no sync yet",
                    where=scheduled.definition.name,
                    hint=f"say where: ws.plan({key!r}, to=...)",
                )
            return scheduled.to
        name = self.destination_name(to)
        own = (sync for sync in scheduled.to if sync.destination == name)
        base = next(own, SyncSettings(destination=name))
        return [base.model_copy(update={field: value for field, value in asked if field != "destination" and value})]

    def destination_name(self, to: str) -> str:
        """The configured name of a destination; or its type, if that is configured once."""
        if to in self.config.destinations:
            return to
        of_type = [name for name, settings in self.config.destinations.items() if settings.type == to]
        if len(of_type) == 1:
            return of_type[0]
        if of_type:
            raise DestinationError(
                f"{to!r} is configured {len(of_type)} times", hint=f"say which: {', '.join(of_type)}"
            )
        raise UnknownName("configured destination", to, self.config.destinations)

    def plan(
        self,
        scheduled: Scheduled,
        found: Found,
        syncs: Iterable[SyncSettings],
        *,
        members_from: str,
        unattended: bool = False,
    ) -> Plan:
        """Freeze the changes of every sync."""
        plan_id, definition = secrets.token_hex(16), scheduled.definition
        occasion = Occasion(plan_id, found.as_of, scheduled.every, unattended)
        plans = tuple(self.sync_plans(scheduled, found, syncs, occasion))
        now = self.clock.now()
        return Plan(plan_id, definition.key, definition.name, found.as_of, now, plans, members_from, self.delivery.push)

    def sync_plans(
        self, scheduled: Scheduled, found: Found, syncs: Iterable[SyncSettings], occasion: Occasion
    ) -> list[SyncPlan]:
        """One plan per sync and call."""
        plans = []
        for settings in syncs:
            connection = self._connection(settings)
            for call in calls_for(scheduled.definition, connection, settings.send):
                plans.append(self._sync_plan(scheduled, found, settings, call, connection, occasion))  # noqa: PERF401
        return plans

    def _sync_plan(
        self,
        scheduled: Scheduled,
        found: Found,
        settings: SyncSettings,
        call: Call,
        connection: Connection,
        occasion: Occasion,
    ) -> SyncPlan:
        definition = scheduled.definition
        computation = Computation(definition.key, definition.kind, definition.name, settings.integrations)
        place = ",".join((*filter(None, [settings.list]), *settings.integrations))
        sync = Sync(definition.key, settings.destination, call, place)
        wanted = wanted_by(call, found.members, connection, settings.ids, settings.combine)
        return plan_sync(sync, connection, computation, found.fingerprint, wanted, self.store.load(sync), occasion)

    def _connection(self, settings: SyncSettings) -> Connection:
        where = self.config.at("destinations", settings.destination)
        return self.config.destinations[settings.destination].connect(settings.list, where)


def carried(syncs: Iterable[SyncSettings]) -> frozenset[str]:
    """The columns of users that the identifiers of syncs are made of."""
    return frozenset(column for sync in syncs for column in sync.ids.values() if column != "user_id")
