"""The façade: one audience can be followed from here, from its definition to what a destination acknowledged.

``members`` compiles the definition (``compiler``) and runs it (``warehouses``); ``plan`` compares what is wanted
(``activation.wanted``) with what was acknowledged (``activation.store``) and freezes the changes
(``activation.planning``); ``plan.push`` sends them (``activation.delivery``).
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, overload

import polars as pl

from personas_kit.activation.delivery import Delivery
from personas_kit.activation.due import Asked
from personas_kit.activation.exports import export
from personas_kit.activation.plan import Plan
from personas_kit.activation.running import Running
from personas_kit.activation.runs import RunReport
from personas_kit.activation.status import Status
from personas_kit.activation.store import LocalStore, Store, WarehouseStore
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import id_of
from personas_kit.activation.watching import patience_of
from personas_kit.catalogue import Catalogue, Trait
from personas_kit.cataloguing import load_events, load_traits
from personas_kit.clock import Clock, SystemClock, is_real
from personas_kit.comparing import Comparing
from personas_kit.compiler import (
    SQL,
    Schema,
    Source,
    compile_definition,
    compile_lookup,
)
from personas_kit.config import Config, Scheduled, SyncSettings, duration
from personas_kit.definitions import Definition
from personas_kit.definitions.constants import checked_instant
from personas_kit.definitions.definition import Subject
from personas_kit.destinations.base import Call
from personas_kit.display import open_tool, working, works
from personas_kit.errors import DefinitionError, PersonasError, UnknownName, short_tracebacks
from personas_kit.evidence import Evidence, look
from personas_kit.insight.comparison import Comparison, compare
from personas_kit.insight.data_lint import DataLint, Worth
from personas_kit.insight.explanation import Explanation, explain
from personas_kit.insight.history import Backtest, Forecast, backtest, forecast_exits
from personas_kit.insight.otherwise import Otherwise
from personas_kit.insight.overlap import Overlap, overlap
from personas_kit.insight.pulse import Pulse
from personas_kit.leaving import ForgetReport, Leaving
from personas_kit.membership import expand_to_users
from personas_kit.membership.expansion import Combine
from personas_kit.notifying import Notifying
from personas_kit.oversight import Oversight
from personas_kit.planner import Found, Planner, Way, by_way, carried
from personas_kit.preview import Preview, Previews
from personas_kit.previewing import Previewing
from personas_kit.profile import Profile
from personas_kit.profiles import Profiles
from personas_kit.reading import Reader
from personas_kit.routes import DestinationSettings
from personas_kit.saving import Saved, save
from personas_kit.scheduling import Scheduling, due_of
from personas_kit.warehouses.base import Warehouse

Instant = dt.datetime | dt.date | str | None
Several = list[Definition] | list[str] | list[Definition | str] | tuple[Definition | str, ...]


@short_tracebacks
class Workspace:
    """A warehouse, its definitions, the destinations, and what these acknowledged. ``pk.open()`` makes one."""

    def __init__(
        self, config: Config, warehouse: Warehouse, *, clock: Clock | None = None, delivery: Delivery | None = None
    ) -> None:
        self.config = config
        self.warehouse = warehouse
        self._clock = clock or SystemClock()
        self.store: Store = LocalStore(config.state, self._clock)
        if config.state_schema is not None:
            self.store = WarehouseStore(warehouse, config.state_schema, self._clock)
        self._reader = Reader(config, warehouse, self._clock, lambda: self.definitions)
        keep = None if config.keep is None else dt.timedelta(seconds=config.keep)
        sends = delivery or Delivery(self.store, self._clock, keep=keep)
        self._planner = Planner(config, self.store, self._clock, sends, self._user_columns)
        self._comparing = Comparing(self._reader, self._planner)
        self._scheduled: dict[str, Scheduled] = {s.definition.key: s for s in config.scheduled}
        self._previewed: dict[str, Found] = {}
        self._planned: dict[str, dict[Way, list[SyncSettings]]] = {}
        self.events = Catalogue("event", lambda: load_events(self.source, self._reader.asking("events")))
        """What happens, by name: counts, and the properties of each. Asks the warehouse once it is looked at."""
        self.traits = Catalogue("trait", lambda: self._traits("user"))
        """What is known of users, columns and computed traits, and for how many. As above."""
        self.accounts = Catalogue("account trait", lambda: self._traits("account"))
        """What is known of accounts. As above."""
        self._data = DataLint(self._reader, self.store, self.events, {"user": self.traits, "account": self.accounts})
        self._previewing = Previewing(
            self._reader, self._planner, self._data, self._scheduled_as, self._planned, self._previewed
        )

    # --- definitions -------------------------------------------------------------------------------------------------

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """Every registered definition by key: those of the file, and those added here."""
        return {key: scheduled.definition for key, scheduled in self._scheduled.items()}

    def add(self, *definitions: Definition) -> None:
        """Register definitions, so that others may refer to them by key. Adding one again replaces it, syncs kept.

        Raises:
            DefinitionError: the key belongs to a definition of another kind.
        """
        for definition in definitions:
            before = self._scheduled.get(definition.key)
            if before is not None and before.definition.kind != definition.kind:
                raise DefinitionError(
                    f"the key {definition.key!r} belongs to the {before.definition.kind} {before.definition.name!r}",
                    where=definition.name,
                    hint="give this one another key",
                )
            self._scheduled[definition.key] = self._scheduled_as(definition)
        self.traits.refresh()
        self.accounts.refresh()

    @works("save")
    def save(self, *definitions: Definition) -> Saved:
        """Write definitions into ``personas.toml``, for review in git, and register them.

        A new one is added at the end; one whose key is there is changed in its place. Comments, ``every``, ``to`` and
        everything else stay as they are, to the byte. Nothing is written unless the result can be loaded.

        Returns:
            What was written where, and the git commands to review it.

        Raises:
            DefinitionError: it refers to a definition that is not saved, or is of another kind than what has its key.
            UnknownName: it refers to a trait, an audience or an event's table that does not exist.
            ConfigError: the file cannot be written, or not without changing something else.
        """
        for definition in definitions:
            if not isinstance(definition, Definition):
                raise DefinitionError(f"{definition!r} is no definition", hint="name the object: ws.save(buyers)")
        registry = {**self.definitions, **{each.key: each for each in definitions}}
        for definition in definitions:
            compile_definition(definition, self.source, registry)
        saved = save(self.config.path, definitions, registry)
        self.add(*definitions)
        return saved

    def builder(self, definition: Definition | str | None = None, *, subject: Subject = "user") -> Any:  # noqa: ANN401
        """Compose an audience by clicking, in a notebook: counted as it grows, and always the text that it stands for.

        ``.definition`` of what is returned is the audience as it is then, ``.python`` and ``.text`` say it, and
        ``.add()`` registers it, as its button does.

        Args:
            definition: an audience to open; else it begins empty.
            subject: of an empty one: ``"user"`` or ``"account"``.

        Raises:
            PersonasError: widgets are not installed.
            DefinitionError: a trait, or SQL: there is nothing in it to click.
        """
        given = None if definition is None else self._definition(definition)
        return open_tool("builder", self, self._reader, given, subject)

    def explore(self) -> Any:  # noqa: ANN401
        """What there is, to be searched and looked at in a notebook: events, traits, accounts, definitions, syncs.

        The warehouse is asked for what somebody opens there. Where nobody can click, it is a card with everything but
        the properties and the values, which ``ws.events`` and ``ws.traits`` have.
        """
        return open_tool("explorer", self)

    # --- looking -----------------------------------------------------------------------------------------------------

    def sql(
        self,
        definition: Definition | str,
        *,
        dialect: str | None = None,
        as_of: Instant = None,
        expand: Literal["users"] | None = None,
    ) -> SQL:
        """The SQL of a definition, runnable as pasted; ``.bound`` and ``.params`` are what is executed.

        Args:
            definition: an audience or a trait.
            dialect: another one than the warehouse's own: ``duckdb``, ``snowflake``, ``postgres`` or ``bigquery``.
            as_of: the instant it is about; by default now.
            expand: ``"users"`` as for ``members``.
        """
        meant, own = self._definition(definition), self.warehouse.dialect
        query = self._reader.compile(meant, expand=_expands(meant, expand))
        return query.sql(dialect or own, self._instant(as_of), foreign=dialect not in {None, own})

    @overload
    def members(
        self, definition: Definition | str, *, as_of: Instant = None, expand: Literal["users"] | None = None
    ) -> pl.DataFrame: ...
    @overload
    def members(self, definition: Several, *, as_of: Instant = None) -> dict[str, pl.DataFrame]: ...
    @works("members")
    def members(
        self,
        definition: Definition | str | Several,
        *,
        as_of: Instant = None,
        expand: Literal["users"] | None = None,
    ) -> pl.DataFrame | dict[str, pl.DataFrame]:
        """Who is in it, or which value everybody has.

        Args:
            definition: one, or several.
            as_of: the instant it is about; by default now.
            expand: ``"users"`` gives the users of an account definition's accounts, with the accounts of each.

        Returns:
            ``user_id`` or ``account_id`` as the source has them, and ``value`` for a trait; expanded: ``user_id`` and
            ``accounts``. For several definitions a dict by key; they are one statement, which reads each table once.

        Raises:
            UnknownName: there is no such definition, or it refers to what there is not.
            DefinitionError: it cannot be compiled or expanded; or two have one key, and mean different things.
        """
        instant = self._instant(as_of)
        if not isinstance(definition, Definition | str):
            found = self._reader.find(self._several(definition), instant)
            return {key: one.members.subjects for key, one in found.items()}
        meant = self._definition(definition)
        expanded = _expands(meant, expand)
        members = self._reader.members(meant, instant, expand=expanded)
        return expand_to_users(members) if expanded else members

    @works("export")
    def export(
        self,
        definition: Definition | str,
        file: str | Path,
        *,
        as_of: Instant = None,
        expand: Literal["users"] | None = None,
    ) -> int:
        """Write the members into a file: ``.csv`` for people, ``.parquet`` or ``.ndjson`` for programs.

        They come part by part, so that there may be more of them than memory holds (all at once where accounts are
        expanded to their users). Nothing is sent.

        Args:
            definition: what to write.
            file: its ending says the kind. It is there when all of it is written.
            as_of: the instant it is about; by default now.
            expand: ``"users"`` as for ``members``.

        Returns:
            How many lines were written.

        Raises:
            PersonasError: another ending, or the file cannot be written.
        """
        instant, meant = self._instant(as_of), self._definition(definition)
        if expand is not None:
            return export([self.members(meant, as_of=instant, expand=expand)], Path(file))
        self._reader.check_sql([meant], instant)
        return export(self._reader.batches(self._reader.compile(meant), instant, meant.key), Path(file))

    @overload
    def preview(
        self, definition: Definition | str, *, as_of: Instant = None, by: str | Sequence[str] | None = None
    ) -> Preview: ...
    @overload
    def preview(
        self, definition: Several, *, as_of: Instant = None, by: str | Sequence[str] | None = None
    ) -> Previews: ...
    @works("preview")
    def preview(
        self,
        definition: Definition | str | Several,
        *,
        as_of: Instant = None,
        by: str | Sequence[str] | None = None,
    ) -> Preview | Previews:
        """Size and share, what would change, the trend, who they are, what else they are in. Nothing is sent, ever.

        The changes are those at the definition's own destinations, and at those that a plan was made for since the
        workspace was opened. Several definitions are one statement, which reads each table once, and one card.

        Args:
            definition: one, or several to compare.
            as_of: the instant it is about; by default now.
            by: the trait, or traits, to break members down by, of the source or computed; by default one is chosen of
                the source, and ``[]`` is none.

        Raises:
            UnknownName: there is no such definition, or no such trait.
            DefinitionError: two have one key, and mean different things.
        """
        one = isinstance(definition, Definition | str)
        meant = self._several([definition] if isinstance(definition, Definition | str) else definition)
        found = self._previewing.make(meant, self._instant(as_of), by, now=as_of is None)
        return found.cards[0] if one else found

    @works("worth a look")
    def worth_a_look(self) -> Worth:
        """What is likely not meant in the registered definitions, as far as the data and what was pushed say it.

        One statement for each table that they read, and none that would read more than ``max_bytes``: what was not
        looked at is said. (What a definition's text alone says is in its preview.)
        """
        return self._data.check()

    # --- understanding -----------------------------------------------------------------------------------------------

    @works("backtest")
    def backtest(
        self, definition: Definition | str, start: Instant, end: Instant = None, *, every: str = "1d"
    ) -> Backtest:
        """The size of an audience on past dates, before it existed, in one statement.

        Args:
            definition: an audience.
            start: the first instant.
            end: the last; by default now.
            every: the step between two: ``"1d"``, ``"6h"``.

        Raises:
            DefinitionError: a trait, or more instants than one statement takes.
        """
        try:
            step = dt.timedelta(seconds=duration(every))
        except ValueError as problem:
            raise DefinitionError(str(problem)) from None
        return backtest(self._reader, self._definition(definition), self._instant(start), self._instant(end), step)

    @works("forecast")
    def forecast_exits(self, definition: Definition | str, days: int, *, as_of: Instant = None) -> Forecast:
        """Who leaves an audience within so many days if nothing happens: windows end, dates pass, memberships end.

        Raises:
            DefinitionError: a trait, or another number of days than 1 to 399.
        """
        return forecast_exits(self._reader, self._definition(definition), self._instant(as_of), days)

    @works("comparison")
    def compare(self, old: Definition | str, new: Definition | str, *, as_of: Instant = None) -> Comparison:
        """Two versions of an audience: what differs in the condition, and who would change sides. Nothing is sent."""
        return compare(self._reader, self._definition(old), self._definition(new), self._instant(as_of))

    @works("overlap")
    def overlap(self, definitions: Several, *, as_of: Instant = None) -> Overlap:
        """How many members audiences have in common.

        ``to_polars()`` has every combination that somebody is in, ``pairs()`` every audience beside every other.

        Raises:
            DefinitionError: fewer than two, two of the same key, a trait, or audiences of users and of accounts.
        """
        return overlap(self._reader, [self._definition(each) for each in definitions], self._instant(as_of))

    @works("explanation")
    def explain(self, definition: Definition | str, member: str | int, *, as_of: Instant = None) -> Explanation:
        """Why a member is in an audience or out of it: each condition, its truth value, and the witnesses of that.

        Of events those are how many count, the first and the last of them, and those that nearly count; of accounts
        the users that satisfy a condition and those that do not. Of a trait it says what the value is made of.

        Raises:
            UnknownName: nobody has this id at ``as_of``.
            DefinitionError: it is the id of an account, and the definition is about users; or the reverse.
        """
        meant, instant = self._definition(definition), self._instant(as_of)
        self._profiles.check(member, meant, instant)
        return explain(self._reader, meant, member, instant)

    # --- sending -----------------------------------------------------------------------------------------------------

    @works("plan")
    def plan(
        self,
        definition: Definition | str,
        *,
        to: str | None = None,
        send: Sequence[Call] | None = None,
        ids: Mapping[str, str | Mapping[str, str]] | None = None,
        list: str | None = None,  # noqa: A002  (the word for it)
        integrations: Sequence[str] = (),
        combine: Combine | None = None,
        mode: Asked = "changes",
        as_of: Instant = None,
    ) -> Plan:
        """Freeze what would be sent: who enters, who leaves, guards, payload samples. Nothing is sent.

        Args:
            definition: what to push.
            to: the configured name of a destination, or a type configured once; by default the definition's own syncs.
                What else is said of the way there is said of one destination, and needs its name.
            send: the calls; by default those that fit the definition and the destination.
            ids: identifier at the destination -> column of the user, such as ``{"email": "email"}``; by default the
                columns that are called like the identifiers that it needs. Of a column of lists one value is taken,
                or all: ``{"email": {"column": "emails", "take": "last"}}``.
            list: the id of the list at a list destination.
            integrations: for gateways, the destinations behind it.
            combine: how the values of several accounts of a user become one.
            mode: ``"full"`` sends everyone again; ``"replace"`` puts everyone in the place of whoever is on a list, by
                whatever way they came there; ``"adopt"`` notes the present members as acknowledged, and sends
                nothing, for a destination that has them already.
            as_of: the instant it is about; by default now, or that of a preview of the last five minutes.

        Raises:
            DestinationError: the destination does not take the call.
            UnknownName: no such destination.
        """
        meant = self._definition(definition)
        scheduled = self._scheduled_as(meant)
        asked = SyncSettings(
            destination=to or "",
            send=tuple(send) if send else None,
            ids={kind: id_of(said) for kind, said in (ids or {}).items()},
            list=list,
            integrations=tuple(integrations),
            combine=combine,
        )
        syncs = self._planner.syncs_for(scheduled, to, asked)
        carry = carried(syncs)
        with working("reading members"), self._oversight.columns(meant.key):
            found, members_from = self._reused(scheduled, syncs, as_of, mode)
        with working("counting the source"):
            cadence = min(map(scheduled.cadence_of, syncs), key=patience_of)
            figures = Pulse(self._reader).figures(meant, carry, found.as_of, cadence)
        with working("comparing with the destinations"):
            plan = self._planner.plan(
                scheduled, found, syncs, members_from=members_from, mode=mode, figures=figures,
                why=Otherwise(self._reader),
            )  # fmt: skip
        self._planned.setdefault(meant.key, {}).update(by_way(syncs))
        again = functools.partial(
            self.plan, definition, to=to, send=send, ids=ids, list=list, integrations=integrations, combine=combine,
            mode=mode, as_of=as_of,
        )  # fmt: skip
        return replace(plan, _again=again)

    def proves(self, settings: DestinationSettings, place: str | None = None) -> bool:
        """Ask a destination whether the credentials are right. False if it has no call for that which changes nothing.

        Args:
            settings: what is configured.
            place: the id of a list, where the call is about one.

        Raises:
            DestinationError: they are not, or nobody answers.
        """
        return self._planner.proves(settings, place)

    @works("list")
    def create_list(self, definition: Definition | str, *, to: str) -> str:
        """Make an empty list for a definition at a list destination. Nobody is put on it: a push does that.

        Args:
            definition: what the list is called after.
            to: the configured name of the destination.

        Returns:
            The id of the list, for ``list=`` of a plan or of the definition's sync.

        Raises:
            DestinationError: the destination makes no lists, or has not made this one.
        """
        meant = self._definition(definition)
        return self._planner.create_list(meant, SyncSettings(destination=self._planner.destination_name(to)))

    @works("run")
    def run(
        self,
        definitions: Sequence[Definition | str] = (),
        *,
        to: Sequence[str] = (),
        approve: Literal["guards"] | None = None,
        override: Sequence[str] = (),
        as_of: Instant = None,
    ) -> RunReport:
        """Do every sync that is due: what a schedule calls. Nobody is asked, and nothing waits for a click.

        Args:
            definitions: only these; by default all that have a sync.
            to: only these destinations; by default all.
            approve: ``"guards"`` pushes what no guard stops and leaves the rest for a person; without it nothing is
                pushed, only planned.
            override: guards to override for every sync, such as ``first_sync`` for a new workspace.
            as_of: the scheduled instant; by default now.

        Raises:
            UnknownName: there is no such definition or destination.
            DestinationError: a definition that is named has no sync, or none to these destinations.
        """
        for name, given in (("definitions", definitions), ("to", to)):
            if isinstance(given, str):
                raise DefinitionError(f"{name} takes several, and {given!r} is one", hint=f"write [{given!r}]")
        instant, names = self._instant(as_of), {self._planner.destination_name(name) for name in to}
        chosen = [self._scheduled_as(self._definition(each)) for each in definitions]
        due = due_of(chosen or [*self._scheduled.values()], names, named=bool(chosen))
        early = approve is None or "interval" in override  # somebody wants to see, or to push, what is not due yet
        errands = Scheduling(self._comparing, self._oversight).errands(due, instant, early=early)
        running = Running(errands, override, approve)
        beside = approve is not None and self.store.beside and is_real(self._clock)
        lines = tuple(running.beside() if beside else running.in_turn())
        notify = self.config.notify
        told = Notifying(notify, self.store).tell(self._oversight.syncs()) if notify is not None else ()
        return RunReport(instant, lines, tuple(told))

    def status(self) -> Status:
        """How every sync stands: what is acknowledged, the last run, what is due next, and what waits for a person.

        Fast: no member is opened for it, but where a push was cut short.
        """
        return self._oversight.status()

    def history(self, limit: int = 50) -> pl.DataFrame:
        """The last runs, newest first: a line for each sync, also where a guard stopped it. See ``docs/pushing.md``."""
        return self._oversight.history(limit)

    @works("history")
    def write_history(self, schema: str = "personas") -> dict[str, int]:
        """Write the history into the warehouse: tables ``runs``, ``run_reasons`` and ``run_guards``, for dashboards.

        What is there stays, and what is missing is added; doing it twice changes nothing.

        Args:
            schema: where the tables are, as ``schema`` or ``database.schema``; it has to exist, and is not that of a
                state in the warehouse.

        Returns:
            How many lines each table has.

        Raises:
            WarehouseError: it cannot be written.
        """
        return self._oversight.write_history(schema)

    @works("profile")
    def profile(self, member: str | int, *, as_of: Instant = None) -> Profile:
        """One user or account: traits, audiences, accounts or users, and what each destination acknowledged.

        Raises:
            UnknownName: nobody has this id at ``as_of``.
        """
        return self._profiles.make(member, self._instant(as_of))

    # --- syncs, by hand ----------------------------------------------------------------------------------------------

    def pause(self, definition: Definition | str, *, to: str) -> list[Sync]:
        """Pause the syncs of a definition to a destination: they are planned, and nothing is sent."""
        return self._paused(definition, to, paused=True)

    def resume(self, definition: Definition | str, *, to: str) -> list[Sync]:
        """Let paused syncs go on."""
        return self._paused(definition, to, paused=False)

    def reset(self, definition: Definition | str, *, to: str, confirm: str) -> list[Sync]:
        """Forget what a destination acknowledged: the next push sends everyone again. Nothing is sent now.

        Nothing is read of what is forgotten: this also helps where it is damaged.

        Args:
            definition: whose syncs.
            to: the destination.
            confirm: the key of the definition, typed once more.

        Raises:
            PersonasError: that is not the key.
        """
        key = _key(definition)
        _check_confirmed(key, confirm, f"everyone in {key} would be sent to {to} again")
        return self._by_hand(definition, to, self.store.reset)

    def unfinished(self, definition: Definition | str, *, to: str | None = None) -> Plan | None:
        """The plan that somebody stopped less than an hour ago, to go on with: ``.push()`` sends what was left.

        None if there is none, or if the definition or the destination's account has changed since. A plan whose process
        died is not among them: plan again, and what was in flight is settled.
        """
        meant = self._definition(definition)
        scheduled = self._scheduled_as(meant)
        asked = SyncSettings(destination=to or "")
        ways = by_way(self._planner.syncs_for(scheduled, to, asked))
        names, planned = {name for name, _ in ways}, self._planned.get(meant.key, {})
        ways |= {way: own for way, own in planned.items() if way[0] in names}
        syncs = [sync for own in ways.values() for sync in own]
        return self._planner.unfinished(scheduled, self._reader.compile(meant).fingerprint, syncs)

    @works("plan")
    def remove(self, definition: Definition | str, *, to: str | None = None) -> Plan | None:
        """Take a definition out of the workspace, and plan the exits of everyone whom its destinations have.

        Nothing is sent: ``.push()`` of the plan does that. A definition of ``personas.toml`` is back when the workspace
        is opened again, unless it is taken out there. One that is there no more can be named by its key.

        Args:
            definition: what goes.
            to: only at this destination; the definition stays.

        Returns:
            The plan; None if no destination has anybody.

        Raises:
            UnknownName: neither a definition nor anything that was ever pushed has this key.
        """
        key = _key(definition)
        pushed = {sync.key for sync in self.store.known()}
        if key not in self._scheduled and key not in pushed:
            raise UnknownName("audience or trait", key, {*self._scheduled, *pushed})
        plan = self._leaving.everyone(key, self._planner.destination_name(to) if to else None)
        if to is None and self._scheduled.pop(key, None) is not None:
            self.traits.refresh()
            self.accounts.refresh()
        return plan

    @works("forgetting")
    def forget(self, user: str | int, *, confirm: str | int) -> ForgetReport:
        """Never send a user again: take the user out of every destination, then remove every trace from the state.

        A keyed hash of the id stays, so that no later run adds the user again. An entry of a list that another member
        has as well, the same e-mail address for example, comes back with the next push.

        Args:
            user: the id.
            confirm: the id once more.

        Raises:
            PersonasError: the two differ.
        """
        _check_confirmed(str(user), str(confirm), "the user would be taken out everywhere, for good")
        return self._leaving.forget(str(user))

    @property
    def _leaving(self) -> Leaving:
        @functools.cache
        def look_up(user: str) -> pl.DataFrame:
            return self._reader.ask(compile_lookup(self.source, "user", [user]), self._instant(None), "forget")

        return Leaving(self._planner, self._scheduled, look_up)

    @property
    def _profiles(self) -> Profiles:
        return Profiles(self._reader, self._leaving)

    def _paused(self, definition: Definition | str, to: str, *, paused: bool) -> list[Sync]:
        def act(sync: Sync) -> None:
            self.store.recover(sync)
            self.store.pause(sync, paused=paused)

        return self._by_hand(definition, to, act)

    def _by_hand(self, definition: Definition | str, to: str, act: Callable[[Sync], object]) -> list[Sync]:
        key = _key(definition)
        name = self._planner.destination_name(to)
        known = self.store.known()
        found = [sync for sync in known if sync.key == key and sync.destination == name]
        if not found:
            raise UnknownName(
                "sync that was ever pushed", f"{key} -> {name}", [f"{sync.key} -> {sync.destination}" for sync in known]
            )
        for sync in found:
            with self.store.lock(sync):
                act(sync)
        return found

    @property
    def _oversight(self) -> Oversight:
        return Oversight(self._planner, self._scheduled, self.warehouse)

    def close(self) -> None:
        """Let go of the warehouse."""
        self.warehouse.close()

    # --- the source --------------------------------------------------------------------------------------------------

    @property
    def source(self) -> Source:
        """Where users, accounts, memberships and events lie, held against the warehouse's schema once."""
        return self._reader.source

    @property
    def schema(self) -> Schema:
        """The tables of the warehouse, looked up once."""
        return self._reader.schema

    @property
    def run_id(self) -> str:
        """Stands in the tag of every query of this workspace, beside the key of the definition."""
        return self._reader.run_id

    @works("evidence")
    def evidence(self) -> list[Evidence]:
        """Whether the source is what ``[source]`` says: counts of its tables, and what they say is wrong.

        Raises:
            WarehouseError: the warehouse refuses to count.
        """
        ask = self._reader.asking("check")
        return list(look(self.source, lambda query: ask(query).row(0, named=True), self._instant(None)))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _definition(self, given: Definition | str) -> Definition:
        if isinstance(given, Definition):
            return given
        if given not in self._scheduled:
            raise UnknownName("audience or trait", str(given), self._scheduled)
        return self._scheduled[given].definition

    def _several(self, given: Several) -> list[Definition]:
        """These definitions. What is found of them is told by their keys."""
        meant, seen = [self._definition(each) for each in given], dict[str, str]()
        for each in meant:
            if seen.setdefault(each.key, each.fingerprint) != each.fingerprint:
                raise DefinitionError(
                    f"two definitions have the key {each.key!r}, and mean different things",
                    where=each.name,
                    hint="give one of them another key; ws.compare(old, new) says what differs between two versions",
                )
        return meant

    def _scheduled_as(self, definition: Definition) -> Scheduled:
        """The definition with the interval and the syncs that are registered under its key."""
        known = self._scheduled.get(definition.key, Scheduled(definition))
        return replace(known, definition=definition)

    def _user_columns(self) -> frozenset[str]:
        return frozenset(column.name for column in self.source.users.table.columns)

    def _traits(self, subject: Subject) -> list[Trait]:
        """The entries of a catalogue of traits."""
        ask, compiled = self._reader.asking("traits"), self._reader.compile
        return load_traits(self.source, subject, ask, self.definitions, compiled)

    def _reused(
        self, scheduled: Scheduled, syncs: Sequence[SyncSettings], as_of: Instant, mode: Asked
    ) -> tuple[Found, str]:
        """The members of a preview of the last minutes, if it was about the same; else those of the warehouse."""
        seen = self._previewing.seen_of(scheduled.definition) if as_of is None else None
        if seen is not None and carried(syncs) <= seen.carry:
            age = self._clock.now() - seen.at
            return seen, f"the preview of {int(age.total_seconds())} s ago"
        return self._comparing.members(scheduled, syncs, self._instant(as_of), mode=mode), "the warehouse"

    def _instant(self, as_of: Instant) -> dt.datetime:
        """An instant in UTC, to the second. A date is midnight UTC, a naive time is UTC."""
        if as_of is None:
            return self._clock.now().replace(microsecond=0)
        given = checked_instant(as_of)
        instant = given if isinstance(given, dt.datetime) else dt.datetime.combine(given, dt.time(), dt.UTC)
        return instant.replace(microsecond=0)


def _key(of: Definition | str) -> str:
    return of.key if isinstance(of, Definition) else of


def _expands(meant: Definition, expand: str | None) -> bool:
    """Whether the users of accounts are asked for."""
    if expand is not None and (expand != "users" or meant.subject != "account"):
        raise DefinitionError(
            "only account definitions expand, and only to users", where=meant.name, hint='expand="users"'
        )
    return expand is not None


def _check_confirmed(name: str, typed: str, what: str) -> None:
    if name != typed:
        raise PersonasError(f"nothing was done: {what}", hint=f"if that is right, add confirm={name!r}")
