"""Which syncs a person means, and a plan for each: the side of the workspace that faces the destinations."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from personas_kit.activation.ahead import ahead_of_time
from personas_kit.activation.asking import field_needed, field_stage, make_list, proved
from personas_kit.activation.causes import Case, Causes
from personas_kit.activation.delivery import RESUMABLE, Delivery
from personas_kit.activation.due import Mode, Occasion
from personas_kit.activation.figures import NOTHING, Figures
from personas_kit.activation.forgetting import Forgotten, without_forgotten
from personas_kit.activation.in_warehouse import Compared, of_whom, why_read
from personas_kit.activation.moved import Moved
from personas_kit.activation.past import FINISHED, PUSHES, past_of
from personas_kit.activation.plan import Memory, Plan, SyncPlan
from personas_kit.activation.planning import Draft, Foreseen
from personas_kit.activation.state import Begun, SyncState
from personas_kit.activation.store import Store
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Id, Members, Wanted, calls_for, wanted_by
from personas_kit.activation.watching import field_guards
from personas_kit.clock import Clock
from personas_kit.config import Config, Scheduled, SyncSettings
from personas_kit.definitions import Definition
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.english import english
from personas_kit.destinations import find
from personas_kit.destinations.base import Computation, Connection, FieldType
from personas_kit.destinations.catalogue import CATALOGUE, find_entry
from personas_kit.errors import DestinationError
from personas_kit.membership import key_problems
from personas_kit.routes import ANY_LIST, DestinationSettings, route_to


@dataclass(frozen=True, slots=True)
class Found:
    """The members of a definition at an instant, and when and with which columns of users they were looked up.

    ``fingerprint`` and ``meaning`` are of what the definition meant then, everything that it refers to included.
    ``traits`` has each ``member`` with the traits that were asked for beside it, called by their positions.
    Where they were compared in the warehouse, ``states`` has what is known of each sync, by its id, and ``members`` are
    those only who are not surely wanted as they are acknowledged. ``moved`` is what came over then; ``why_read`` says
    why everybody was read, where that is much.
    """

    fingerprint: str
    meaning: str
    members: Members
    as_of: dt.datetime
    at: dt.datetime
    carry: frozenset[str]
    traits: pl.DataFrame | None = field(default=None, repr=False)
    states: Mapping[str, SyncState] = field(default_factory=dict)
    moved: Moved | None = None
    why_read: str = ""


Way = tuple[str, str]
"""The name of a destination, and the part of it; see ``place_of``."""
Why = Callable[[Found, Sequence[Case], Forgotten], Sequence[Causes]]
"""Finds the causes of changes: for each sync's plan the causes that its state does not tell."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes plans from members, for the destinations of a configuration.

    Attributes:
        traits: the columns of users.
    """

    config: Config
    store: Store
    clock: Clock
    delivery: Delivery
    traits: Callable[[], Collection[str]] = tuple

    def syncs_for(self, scheduled: Scheduled, to: str | None, asked: SyncSettings) -> Sequence[SyncSettings]:
        """The syncs that are meant: the definition's own, or one to the destination named, with what was asked for.

        Raises:
            DestinationError: no sync, or the name means several; or something was asked for, and of no destination.
            UnknownName: no such destination.
        """
        wanted = {name: value for name, value in asked if name != "destination" and value}
        if to is None:
            if not scheduled.to:
                key = scheduled.definition.key
                raise DestinationError(
                    "this definition has no sync yet",
                    where=scheduled.definition.name,
                    hint=f"say where: ws.plan({key!r}, to=...)",
                )
            if wanted:
                raise DestinationError(
                    f"{', '.join(wanted)}: it is not said to which destination",
                    where=scheduled.definition.name,
                    hint=f"say which: to={scheduled.to[0].destination!r}",
                )
            return [self.meant(sync) for sync in scheduled.to]
        name = self.destination_name(to)
        known = (sync for sync in scheduled.to if sync.destination == name)
        base = next(known, SyncSettings(destination=name))
        own = base.model_copy(update=wanted)
        self._check_list(scheduled.definition, own)
        return [self.meant(own)]

    def destination_name(self, to: str) -> str:
        """The configured name of a destination; or of its type, if that is configured once; or behind the gateway.

        Raises:
            DestinationError: its type is configured several times, or nothing that is configured reaches it.
            UnknownName: there is none of that name.
        """
        if to in self.config.destinations:
            return to
        types = {to, CATALOGUE[to].module} if to in CATALOGUE else {to}
        of_type = [name for name, settings in self.config.destinations.items() if settings.type in types]
        if len(of_type) == 1:
            return of_type[0]
        if of_type:
            raise DestinationError(
                f"{to!r} is configured {len(of_type)} times", hint=f"say which: {', '.join(of_type)}"
            )
        route_to(to, self.config.destinations)
        return find_entry(to).slug

    def plan(
        self,
        scheduled: Scheduled,
        found: Found,
        syncs: Iterable[SyncSettings],
        *,
        members_from: str,
        unattended: bool = False,
        mode: Mode = "changes",
        figures: Figures = NOTHING,
        why: Why | None = None,
    ) -> Plan:
        """Freeze the changes of every sync. Asks first what became of work that a destination had accepted.

        Args:
            scheduled: the definition.
            found: its members.
            syncs: where it goes.
            members_from: where they were found, for people.
            unattended: nobody looks at the plan before it is pushed.
            mode: what the plan is for.
            figures: what the source looks like, for guards.
            why: finds the causes of the changes; without it they are known from the state alone.
        """
        plan_id, definition = secrets.token_hex(16), scheduled.definition
        occasion = Occasion(plan_id, found.as_of, unattended=unattended, mode=mode, figures=figures)
        plans = ahead_of_time(self.sync_plans(scheduled, found, syncs, occasion, why=why))
        return Plan(
            plan_id, definition.key, definition.name, found.as_of, self.clock.now(), plans, members_from,
            self.delivery.push, moved=found.moved or self._moved(found, plans),
        )  # fmt: skip

    def compared(
        self,
        scheduled: Scheduled,
        syncs: Iterable[SyncSettings],
        as_of: dt.datetime,
        *,
        whole_ids: Callable[[Subject], bool],
        unattended: bool = False,
        mode: Mode = "changes",
    ) -> tuple[list[Compared], str]:
        """The syncs that are compared in the warehouse, or none and why not: no reason where there is little to read.

        They are if the state lies there, too, and one of them has more acknowledged members than are to be read.

        Args:
            scheduled: the definition.
            syncs: where it goes.
            as_of: the instant of the plan.
            whole_ids: whether the ids of users, or of accounts, are whole numbers in the source.
            unattended: nobody looks at the plan before it is pushed.
            mode: what the plan is for.
        """
        if not self.store.place("sync"):
            return [], ""
        found: list[Compared] = []
        reasons: list[str] = []
        occasion = Occasion("", as_of, unattended=unattended, mode=mode)
        for settings in syncs:
            connection = self.connection(settings)
            for sync in self.syncs_of(scheduled, settings, connection):
                one = Compared(sync, self.store.outline(sync))
                now = self._refreshed(occasion, settings, connection, one.outline.state).mode
                integers = whole_ids(of_whom(sync, scheduled.definition.subject))
                valued = not scheduled.definition.is_audience
                reasons.append(why_read(one, connection, settings.combine, now, valued=valued, integers=integers))
                found.append(one)
        if not any(each.size > self.config.read_up_to for each in found):
            return [], ""
        why = next(filter(None, reasons), "")
        return ([], why) if why else (found, "")

    def _moved(self, found: Found, parts: Iterable[SyncPlan]) -> Moved:
        """What was read: the members, and what is acknowledged where that does not lie on this machine."""
        frames = [found.members.subjects, *([found.members.pairs] if found.members.pairs is not None else [])]
        if self.store.place("sync"):
            frames += [part.state.acknowledged for part in parts]
        return Moved(sum(int(frame.estimated_size()) for frame in frames), why=found.why_read)

    def sync_plans(
        self,
        scheduled: Scheduled,
        found: Found,
        syncs: Iterable[SyncSettings],
        occasion: Occasion,
        *,
        why: Why | None = None,
    ) -> list[SyncPlan]:
        """One plan per sync and call. Destinations are asked what became of work that they had accepted.

        Args:
            scheduled: the definition.
            found: its members.
            syncs: where it goes.
            occasion: what the plan is for.
            why: finds the causes of the changes; without it they are known from the state alone.
        """
        drafts, cases = [], []
        for settings in syncs:
            connection = self.connection(settings)
            for sync in self.syncs_of(scheduled, settings, connection):
                self.delivery.settle_jobs(sync, connection)
                unstaged, empty = self._draft(scheduled, found, settings, sync, connection, occasion)
                draft = self._with_stage(unstaged.plan, scheduled, found, sync, connection)
                drafts.append(draft)
                cases.append(Case(draft(), settings.ids, settings.combine, empty))
        to_explain = [case for case in cases if case.open.height]
        if why is None or not to_explain:
            return [case.part for case in cases]
        causes = iter(why(found, to_explain, self.store.forgotten()))
        return [
            draft(causes=next(causes)) if case.open.height else case.part
            for draft, case in zip(drafts, cases, strict=True)
        ]

    def foreseen(
        self, scheduled: Scheduled, found: Found, syncs: Iterable[SyncSettings], occasion: Occasion
    ) -> list[Foreseen]:
        """What the plan of each sync and call would be about. Nobody is asked: neither destinations nor why."""
        made = []
        for settings in syncs:
            connection = self.connection(settings)
            for sync in self.syncs_of(scheduled, settings, connection):
                draft, _ = self._draft(scheduled, found, settings, sync, connection, occasion)
                made.append(draft.foreseen())
        return made

    def settled(self, sync: Sync, settings: SyncSettings) -> SyncState:
        """What is known of a sync, once its destination was asked what became of work that it had accepted."""
        self.delivery.settle_jobs(sync, self.connection(settings))
        return self.store.load(sync)

    def exits(
        self, leaving: Sequence[tuple[Sync, Computation, SyncSettings]], only: Collection[str] | None = None
    ) -> Plan:
        """The plan that takes out everyone whom destinations have of a definition; or some members only.

        Args:
            leaving: what was pushed, at least one sync, of one definition: what it was, and where it went.
            only: these members alone, as text.
        """
        chosen = None if only is None else frozenset(only)
        now = self.clock.now()
        occasion = Occasion(secrets.token_hex(16), now.replace(microsecond=0), mode="exits", only=chosen)
        parts = tuple(self._exits(sync, about, settings, occasion) for sync, about, settings in leaving)
        about = leaving[0][1]
        return Plan(
            occasion.plan_id, about.key, about.name, occasion.as_of, now, parts, "the state", self.delivery.push
        )

    def _exits(self, sync: Sync, about: Computation, settings: SyncSettings, occasion: Occasion) -> SyncPlan:
        state = self.settled(sync, settings)
        nobody = state.acknowledged.clear()
        columns = ["user_id", "account_id"]
        if sync.call in {"identify", "track"}:  # so that an exit says the same as one of any other plan
            columns += [f"id_{kind}" for kind in settings.ids]
        wanted = Wanted(
            members=nobody.with_columns(pl.lit(None, pl.String).alias(name) for name in columns),
            skipped=pl.DataFrame(schema={"user_id": pl.String()}),
            problems=key_problems(nobody),
            undecided=pl.DataFrame(),
            empty=None,
            valued="value" in nobody.columns,
        )
        connection = self.connection(settings)
        part = Draft(sync, connection, about, state.fingerprint, state.meaning, wanted, state, occasion).plan()
        return replace(part, wanted=state.members) if part.aside else part  # the others stay wanted

    def unfinished(self, scheduled: Scheduled, fingerprint: str, syncs: Iterable[SyncSettings]) -> Plan | None:
        """The plan that somebody stopped in good order, to go on with; None if there is none that is right still.

        It may go on for an hour, while the definition means the same and goes to the same account.
        """
        parts, heads = [], []
        for settings in syncs:
            connection = self.connection(settings)
            for sync in self.syncs_of(scheduled, settings, connection):
                begun = self.store.begun(sync)
                if begun is None or not self._goes_on(begun, fingerprint, connection):
                    continue
                parts.append(self._begun_plan(scheduled, settings, connection, begun))
                heads.append(begun.head)
        newest = max(heads, key=lambda head: head.made_at, default=None)
        if newest is None:
            return None
        own = [(part, head) for part, head in zip(parts, heads, strict=True) if head.plan_id == newest.plan_id]
        memory = Memory(outcomes={part.sync.id: self.delivery.sent_before(part) for part, _ in own})
        definition = scheduled.definition
        return Plan(
            newest.plan_id, definition.key, definition.name, newest.as_of, newest.made_at,
            tuple(part for part, _ in own), "the plan that was stopped", self.delivery.push, memory,
        )  # fmt: skip

    def _goes_on(self, begun: Begun, fingerprint: str, connection: Connection) -> bool:
        young = self.clock.now() - begun.head.made_at <= RESUMABLE
        return (
            begun.stopped and young and (begun.head.fingerprint, begun.head.target) == (fingerprint, connection.target)
        )

    def _begun_plan(
        self, scheduled: Scheduled, settings: SyncSettings, connection: Connection, begun: Begun
    ) -> SyncPlan:
        definition, head = scheduled.definition, begun.head
        return SyncPlan(
            sync=head.sync,
            connection=connection.replacement(head.sync.call) if head.replaces else connection,
            computation=self._computation(definition, settings),
            fingerprint=head.fingerprint,
            lines=begun.lines,
            state=self.store.load(head.sync),
            wanted=head.wanted,
            skipped=pl.DataFrame(schema={"user_id": pl.String()}),
            guards=(),
            first=False,
            valued=head.valued,
            meaning=head.meaning,
            full=head.full,
        )

    def syncs_of(self, scheduled: Scheduled, settings: SyncSettings, connection: Connection) -> list[Sync]:
        """The syncs of one entry of ``to``: one per call."""
        definition = scheduled.definition
        calls = calls_for(definition, connection, settings.send)
        return [Sync(definition.key, settings.destination, call, place_of(settings)) for call in calls]

    def _draft(
        self,
        scheduled: Scheduled,
        found: Found,
        settings: SyncSettings,
        sync: Sync,
        connection: Connection,
        occasion: Occasion,
    ) -> tuple[Draft, str | None]:
        """The plan of a sync but for its causes, and the value that says nothing there."""
        definition = scheduled.definition
        computation = self._computation(definition, settings)
        members, suppressed = without_forgotten(found.members, self.store.forgotten())
        wanted = wanted_by(sync.call, members, connection, settings.ids, settings.combine)
        state = found.states[sync.id] if found.states else self.store.load(sync)
        timed = replace(occasion, cadence=scheduled.cadence_of(settings))
        draft = Draft(
            sync,
            connection,
            computation,
            found.fingerprint,
            found.meaning,
            replace(wanted, suppressed=suppressed),
            state,
            self._refreshed(timed, settings, connection, state),
            past_of(self.store.runs(2 * PUSHES, sync, states=FINISHED)),
        )
        return draft, wanted.empty

    def _with_stage(
        self,
        draft: Callable[..., SyncPlan],
        scheduled: Scheduled,
        found: Found,
        sync: Sync,
        connection: Connection,
    ) -> Callable[..., SyncPlan]:
        """The plan of a sync with the field that has to be there first, where it needs one."""
        definition = scheduled.definition
        kind = field_type(found.members.subjects) if not definition.is_audience else "boolean"
        needed = field_needed(connection, sync.call, definition.key, definition.name, kind)
        if needed is None:
            return draft
        stage = field_stage(connection, needed, self.delivery.connect)

        def staged(**more: Causes) -> SyncPlan:
            part = draft(**more)
            guards = (*part.guards, *(field_guards(stage) if part.to_send else ()))
            computation = replace(part.computation, field=stage.handle)
            return replace(part, stage=stage, guards=guards, computation=computation)

        return staged

    def _refreshed(
        self, occasion: Occasion, settings: SyncSettings, connection: Connection, state: SyncState
    ) -> Occasion:
        """On a schedule, everyone goes again before the destination would forget them."""
        after = settings.refresh or connection.destination.refresh
        if not (after and occasion.unattended and occasion.mode == "changes" and state.last_full is not None):
            return occasion
        due = state.last_full + dt.timedelta(seconds=after) <= occasion.as_of
        return replace(occasion, mode="full") if due else occasion

    def connection(self, settings: SyncSettings) -> Connection:
        """The destination with its settings, and the list."""
        where = self.config.at("destinations", settings.destination)
        return self.config.route(settings).connect(settings.list, where)

    def _check_list(self, definition: Definition, settings: SyncSettings) -> None:
        """A destination that has lists only needs to know which."""
        configured = self.config.route(settings).settings
        destination = find(configured.type)
        listed = destination.list_setting
        if listed and not settings.list and listed not in configured.values and destination.calls == {"list"}:
            make = f"; or make one: personas create-list {definition.key} --to {settings.destination}"
            raise DestinationError(
                f"{settings.destination} has several lists, and none is named",
                where=f"{definition.name} -> {settings.destination}",
                hint=f'say list = "<id>"{make if destination.lists else ""}',
            )

    def proves(self, settings: DestinationSettings, place: str | None) -> bool:
        """Whether a destination, or its list ``place``, has taken the credentials; False if there is no way to ask."""
        destination = find(settings.type)
        listed = destination.list_setting
        if destination.probe is None or (listed is None and place is not None):
            return False
        about_list = listed is not None and f"{{{listed}}}" in destination.probe.path
        known = place is not None or listed in settings.values
        if (about_list and not known) or (place is not None and not about_list):
            return False
        connection = settings.connect(
            place or (ANY_LIST if listed else None), self.config.at("destinations", settings.name)
        )
        return proved(connection, self.delivery.connect)

    def create_list(self, definition: Definition, settings: SyncSettings) -> str:
        """The id of a new list, named and described after an audience.

        Raises:
            DestinationError: it is a trait; the destination makes no lists, or has not made this one.
        """
        if not definition.is_audience:
            raise DestinationError(
                f"a list holds the members of an audience, and {definition.key!r} is a trait",
                where=settings.destination,
            )
        connection = self.connection(settings.model_copy(update={"list": ANY_LIST}))
        return make_list(connection, definition.name, english(definition), self.delivery.connect)

    def meant(self, settings: SyncSettings) -> SyncSettings:
        """With the identifiers that the destination needs, where a column of users is called like one."""
        if settings.ids:
            return settings
        kinds = self.connection(settings).default_ids
        found = {kind: Id(kind) for kind in kinds if kind in self.traits()}
        return settings.model_copy(update={"ids": found}) if found else settings

    def _computation(self, definition: Definition, settings: SyncSettings) -> Computation:
        integrations = self.config.route(settings).integrations
        return Computation(definition.key, definition.kind, definition.name, integrations)


def place_of(settings: SyncSettings) -> str:
    """Which part of the destination it goes to: the list, and what it is routed to behind a gateway."""
    return ",".join((*filter(None, [settings.list]), *settings.integrations))


def by_way(syncs: Iterable[SyncSettings]) -> dict[Way, list[SyncSettings]]:
    """Syncs by where they go: several may go to one destination, to other parts of it or by other calls."""
    found: dict[Way, list[SyncSettings]] = {}
    for each in syncs:
        found.setdefault((each.destination, place_of(each)), []).append(each)
    return found


def carried(syncs: Iterable[SyncSettings]) -> frozenset[str]:
    """The columns of users that the identifiers of syncs are made of."""
    return frozenset(said.column for sync in syncs for said in sync.ids.values() if said.column != "user_id")


def field_type(subjects: pl.DataFrame) -> FieldType:
    """The type of field that the values of a trait need."""
    kind = subjects.schema["value"]
    if kind.is_numeric():
        return "number"
    if kind.is_temporal():
        return "time"
    return "boolean" if kind == pl.Boolean else "text"
