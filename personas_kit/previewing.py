"""Makes previews: what is in definitions now, and what that looks like, in as few statements as there can be.

One statement counts everybody, one finds the members of all definitions, with the traits that they are broken down by
and the other audiences that they are held against. Beside these there are one for the sample of each, and one for the
past of each audience that was not pushed often enough to have one; the rest is arithmetic on what is in hand.

Where there are many the members come first, and how many they are is said: everybody, and the other audiences, are then
statements of their own after that.

Where the warehouse is paid for by what it reads nothing is asked that the definitions themselves do not need: neither
other audiences nor the past. Nothing is sent, ever.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import polars as pl

from personas_kit.activation.due import Occasion
from personas_kit.activation.plan import Plan, SyncPlan
from personas_kit.compiler import compile_lookup
from personas_kit.config import Scheduled, SyncSettings
from personas_kit.definitions import Definition
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.english import english
from personas_kit.definitions.lint import lint
from personas_kit.display import working
from personas_kit.errors import DefinitionError, PersonasError, UnknownName
from personas_kit.facets import AccountView, Facets, Overlap, Trend
from personas_kit.insight.binning import distribution
from personas_kit.insight.breakdown import Asked, Everybody, Glance, asked_by, breakdowns, everybody, glance
from personas_kit.insight.data_lint import DataLint
from personas_kit.insight.others import MOST_OTHERS, overlap_with, shared
from personas_kit.insight.trend import ENOUGH, backtested_trend, last_push, pushed_trend
from personas_kit.masking import mask_body, masked
from personas_kit.planner import Found, Planner, Way, by_way, carried
from personas_kit.preview import Preview, Previews, SyncChange, change_words, spread
from personas_kit.reading import Reader
from personas_kit.warehouses.base import Estimate
from personas_kit.warehouses.held_open import held_open

SAMPLE = 5
REUSE = dt.timedelta(minutes=5)
"""So long members are taken from an earlier preview."""
FREE = frozenset({"duckdb", "postgres"})
"""Where nobody pays by what is read."""
MANY = 1_000_000
"""Users, or accounts: of more, other audiences are not asked for unasked."""
PATIENCE = 1.0
"""Seconds: where finding the members takes longer, the past is not computed unasked: it takes several times as long."""


@dataclass(frozen=True, slots=True)
class Previewing:
    """Makes previews for one workspace.

    Attributes:
        scheduled_as: a definition with the syncs that are registered under its key.
        planned: by key and where they go, syncs that a plan was made for.
        seen: by key, the members of the last previews as of now: plans use them, too.
        beside: those of audiences that were only looked at beside these; no plan is made of them.
        chosen: what the kit has chosen to break users and accounts down by.
    """

    reader: Reader
    planner: Planner
    data: DataLint
    scheduled_as: Callable[[Definition], Scheduled]
    planned: Mapping[str, Mapping[Way, Sequence[SyncSettings]]]
    seen: dict[str, Found] = field(default_factory=dict)
    beside: dict[str, Found] = field(default_factory=dict)
    chosen: dict[Subject, Asked] = field(default_factory=dict)

    def seen_of(self, definition: Definition) -> Found | None:
        """The members by a preview of the last minutes, if the definition means the same still."""
        return self._fresh(definition, self.seen.get(definition.key))

    def _fresh(self, definition: Definition, found: Found | None) -> Found | None:
        """These members, if they can pass for those of now."""
        if found is None or not dt.timedelta() <= self.reader.clock.now() - found.at <= REUSE:
            return None
        return found if found.fingerprint == self.reader.compile(definition).fingerprint else None

    def make(
        self, meant: Sequence[Definition], as_of: dt.datetime, by: str | Sequence[str] | None, *, now: bool
    ) -> Previews:
        """The cards of definitions.

        Args:
            meant: any number.
            as_of: the instant they are about.
            by: the traits to break members down by; None chooses.
            now: nobody asked for another instant than the present one.

        Raises:
            UnknownName: there is no such trait.
        """
        with held_open():
            return self._made(meant, as_of, by, now=now)

    def _made(
        self, meant: Sequence[Definition], as_of: dt.datetime, by: str | Sequence[str] | None, *, now: bool
    ) -> Previews:
        start = self.reader.clock.monotonic()
        estimates = {each.key: self._estimate(each, as_of) for each in meant}
        asked = self._asked(dict.fromkeys(each.subject for each in meant), by)
        glances = {subject: glance(self.reader, subject, own, as_of) for subject, own in asked.items()}
        round_ = self._round(meant, glances, as_of, now=now)
        if by is None:
            self.chosen.update((subject, own.asked) for subject, own in round_.among.items())
        if now:
            self.seen.update({each.key: replace(round_.found[each.key], traits=None) for each in meant})
            self.beside.update({each.key: replace(found, traits=None) for each, found in round_.others})
        sizes = {each.key: _size_words(each, round_.found[each.key], round_.among[each.subject]) for each in meant}
        with working("; ".join(sizes.values())):
            worth = self.data.preview(meant, as_of)
        cards = []
        for each in meant:
            with working(sizes[each.key]):
                card = self._card(each, round_, estimates[each.key])
            seconds = self.reader.clock.monotonic() - start
            cards.append(replace(card, warnings=(*lint(each), *worth[each.key]), seconds=seconds))
        return Previews(tuple(cards), shared([(each, round_.found[each.key]) for each in meant]))

    # --- what is asked -----------------------------------------------------------------------------------------------

    def _asked(self, subjects: Iterable[Subject], by: str | Sequence[str] | None) -> dict[Subject, Asked]:
        """What the members of each kind are broken down by; a trait of one kind is enough."""
        source, registry, kinds = self.reader.source, self.reader.definitions(), list(subjects)
        if by is None:
            return {kind: self.chosen.get(kind) or asked_by(source, kind, None, registry) for kind in kinds}
        names = [by] if isinstance(by, str) else by
        if not all(isinstance(name, str) for name in names):
            raise DefinitionError("by= names traits", hint='by="country", or by=["country", "plan"]')
        unknown: dict[str, list[UnknownName]] = {}
        known: dict[Subject, list[str]] = {subject: [] for subject in kinds}
        for subject in kinds:
            for name in names:
                try:
                    asked_by(source, subject, [name], registry)
                except UnknownName as problem:
                    unknown.setdefault(name, []).append(problem)
                else:
                    known[subject].append(name)
        for problems in unknown.values():
            if len(problems) == len(kinds):
                raise problems[0]
        return {subject: asked_by(source, subject, known[subject], registry) for subject in kinds}

    def _round(
        self, meant: Sequence[Definition], glances: Mapping[Subject, Glance], as_of: dt.datetime, *, now: bool
    ) -> _Round:
        """The members, everybody, and other audiences.

        Of few in as few statements as can be; of many the members come first, and their number is said meanwhile.
        """
        traits = {subject: own.traits for subject, own in glances.items() if own.traits}
        few = {subject: own.everybody for subject, own in glances.items() if own.everybody is not None}
        if len(few) == len(glances):
            return self._with_others(meant, few, as_of, traits, now=now)
        begun = self.reader.clock.monotonic()
        members = self._find({each.key: each for each in meant}, as_of, traits)
        seconds = self.reader.clock.monotonic() - begun
        with working("; ".join(_size_words(each, members[each.key]) for each in meant)):
            among = {
                subject: own.everybody or everybody(self.reader, subject, own.asked, as_of)
                for subject, own in glances.items()
            }
            rest = self._with_others(meant, among, as_of, {}, now=now, members=members)
        return replace(rest, seconds=seconds)

    def _with_others(
        self,
        meant: Sequence[Definition],
        among: Mapping[Subject, Everybody],
        as_of: dt.datetime,
        traits: Mapping[Subject, Sequence[str]],
        *,
        now: bool,
        members: Mapping[str, Found] = MappingProxyType({}),
    ) -> _Round:
        """The members of all, of computed traits, and of other audiences; one statement of what is not known yet."""
        needed = {each.key: each for own in among.values() for each in own.asked.computed.values()}
        needed |= {each.key: each for each in meant}
        audiences = any(each.is_audience for each in meant)
        many = max((own.size for own in among.values()), default=0) > MANY
        known, open_, left_out, why = self._others(needed, now=now, many=many) if audiences else ({}, {}, [], "")
        needed = {key: each for key, each in needed.items() if key not in members}
        begun = self.reader.clock.monotonic()
        try:
            found = self._find({**needed, **open_}, as_of, traits)
        except PersonasError as problem:
            if not open_:
                raise
            found = self._find(needed, as_of, traits)  # one of the others is wrong, and that is no matter of this one
            left_out, why, open_ = [*open_, *left_out], problem.what, {}
        seconds = self.reader.clock.monotonic() - begun
        found |= members
        syncs = {each.key: self._syncs(each) for each in meant}
        beside = [(self.reader.definitions()[key], {**known, **found}[key]) for key in (*known, *open_)]
        previewed = [(each, found[each.key]) for each in meant if each.is_audience]
        return _Round(found, among, syncs, [*previewed, *beside], left_out, why, seconds)

    def _find(
        self, wanted: Mapping[str, Definition], as_of: dt.datetime, traits: Mapping[Subject, Sequence[str]]
    ) -> dict[str, Found]:
        carry = {key: carried(self._syncs(each)) for key, each in wanted.items()}
        return self.reader.find([*wanted.values()], as_of, carry, traits)

    def _others(
        self, meant: Mapping[str, Definition], *, now: bool, many: bool
    ) -> tuple[dict[str, Found], dict[str, Definition], list[str], str]:
        """Other audiences: those whose members are known, those to ask about, the keys of the rest, and why."""
        registered = [each for key, each in self.reader.definitions().items() if each.is_audience and key not in meant]
        if self.reader.source.memberships is None:
            subjects = {each.subject for each in meant.values()}
            registered = [each for each in registered if subjects == {each.subject}]
        known: dict[str, Found] = {}
        open_: dict[str, Definition] = {}
        unseen, further = list[str](), list[str]()
        for each in registered:
            if len(known) + len(open_) >= MOST_OTHERS:
                further.append(each.key)
            elif now and (found := self._known(each)):
                known[each.key] = found
            elif self._free and not many:
                open_[each.key] = each
            else:
                unseen.append(each.key)
        why = f"more than {MOST_OTHERS} audiences" if further else ""
        if unseen:
            why = f"not previewed yet, and asking would {'take long' if self._free else 'cost'}"
        return known, open_, [*unseen, *further], why

    def _known(self, definition: Definition) -> Found | None:
        try:
            known = (self._fresh(definition, of.get(definition.key)) for of in (self.seen, self.beside))
            return next((found for found in known if found is not None), None)
        except PersonasError:
            return None  # it cannot be compiled, which is said where it is asked for

    def _estimate(self, definition: Definition, as_of: dt.datetime) -> Estimate | None:
        """What its query reads, where somebody pays by that."""
        return None if self._free else self.reader.estimate(self.reader.compile(definition), as_of)

    @property
    def _free(self) -> bool:
        return self.reader.warehouse.dialect in FREE

    def _syncs(self, definition: Definition) -> list[SyncSettings]:
        """The definition's own syncs, and those that a plan was made for."""
        ways = {**by_way(self.scheduled_as(definition).to), **self.planned.get(definition.key, {})}
        return [sync for own in ways.values() for sync in own]

    # --- the card ----------------------------------------------------------------------------------------------------

    def _card(self, meant: Definition, of: _Round, estimate: Estimate | None) -> Preview:
        found, among = of.found[meant.key], of.among[meant.subject]
        occasion = Occasion("preview", found.as_of)
        foreseen = self.planner.foreseen(self.scheduled_as(meant), found, of.syncs[meant.key], occasion)
        plans = [each.plan for each in foreseen]
        subjects, pairs = found.members.subjects, found.members.pairs
        reader = self.reader
        changes = tuple(
            SyncChange(each.plan.sync, each.count("enter"), each.count("exit"), each.count("set"), each.plan.first)
            for each in foreseen
        )
        with working(f"{_size_words(meant, found, among)}, {change_words(changes)}"):
            sample = self._sample(meant, subjects, found.as_of)
            facets = self._facets(meant, found, of, plans)
        return Preview(
            definition=meant,
            as_of=found.as_of,
            warehouse=reader.warehouse.describe(),
            seconds=0.0,
            size=subjects.height,
            population=among.size,
            users=pairs["user_id"].n_unique() if pairs is not None else None,
            changes=changes,
            sample=sample,
            sql=reader.compile(meant).sql(reader.warehouse.dialect, found.as_of),
            values=spread(subjects),
            estimate=estimate,
            facets=facets,
        )

    def _facets(self, meant: Definition, found: Found, of: _Round, plans: Sequence[SyncPlan]) -> Facets:
        trend, no_trend = self._trend(meant, found, of, plans)
        requests, unshown = _requests(plans, found.as_of)
        values = None if meant.is_audience else distribution(meant.key, found.members.subjects["value"])
        return Facets(
            english=english(meant),
            breakdowns=breakdowns(of.among[meant.subject], found, of.found),
            trend=trend,
            overlap=self._overlap(meant, found, of),
            accounts=_account_view(found) if meant.subject == "account" else None,
            distribution=values,
            requests=tuple(requests),
            notes=(*no_trend, *unshown),
        )

    def _overlap(self, meant: Definition, found: Found, of: _Round) -> Overlap | None:
        if not meant.is_audience:
            return None
        others = [(each, own) for each, own in of.others if each.key != meant.key]
        return overlap_with(meant, found, others, of.left_out, of.why)

    def _trend(
        self, meant: Definition, found: Found, of: _Round, plans: Sequence[SyncPlan]
    ) -> tuple[Trend | None, list[str]]:
        """What pushes found, if there were enough of them; else a backtest, where it costs nothing; and why not."""
        store, as_of, size = self.planner.store, found.as_of, found.members.subjects.height
        syncs = [each.sync for each in plans]
        pushed = pushed_trend(store, meant, syncs, as_of, size)
        enough = pushed is not None and len(pushed.points) > ENOUGH
        if enough or not meant.is_audience:
            return pushed, []
        by_hand = f"ws.backtest({meant.key!r}, ...) computes it"
        if not self._free:
            return pushed, [] if pushed else [f"no trend: it has no past pushes, and the past would cost; {by_hand}"]
        if of.seconds > PATIENCE:
            return pushed, [f"no trend: the past takes several times as long as the members took; {by_hand}"]
        try:
            return backtested_trend(self.reader, meant, as_of, size, last_push(store, syncs, as_of)), []
        except PersonasError as problem:
            return pushed, [f"no trend: {problem.what}"]

    def _sample(self, definition: Definition, subjects: pl.DataFrame, as_of: dt.datetime) -> pl.DataFrame:
        """A few members with their traits, masked; the same few for the same members."""
        column = f"{definition.subject}_id"
        if not subjects.height:
            return subjects.head(0)
        # To sort the ids alone takes half as long as to sort all that is known of the members.
        ids = subjects[column].sort().sample(min(SAMPLE, subjects.height), seed=0)
        found = subjects.filter(pl.col(column).is_in(ids.implode())).unique(column, keep="any")
        listed = [column, *(["value"] if "value" in subjects.columns else [])]
        some = ids.to_frame().join(found.select(listed), on=column, how="left", maintain_order="left")
        traits = self.reader.ask(
            compile_lookup(self.reader.source, definition.subject, some[column].to_list()), as_of, definition.key
        )
        sample = some.join(traits.unique(column, keep="first"), on=column, how="left", maintain_order="left")
        keep = (column, "name") if definition.subject == "account" else (column,)
        return masked(sample, keep=keep, called={"value": definition.key})


@dataclass(frozen=True, slots=True)
class _Round:
    """What was found for some previews.

    Attributes:
        found: by key, the members of what is previewed, of computed traits, and of other audiences.
        among: everybody, of the kinds that are previewed.
        syncs: by key, where what is previewed goes.
        others: the audiences whose members are known, those that are previewed among them.
        left_out: the keys of those whose members are not; ``why`` they are not.
        seconds: that finding the members took.
    """

    found: Mapping[str, Found]
    among: Mapping[Subject, Everybody]
    syncs: Mapping[str, Sequence[SyncSettings]]
    others: Sequence[tuple[Definition, Found]]
    left_out: Sequence[str]
    why: str
    seconds: float


def _size_words(meant: Definition, found: Found, among: Everybody | None = None) -> str:
    """``buyers: 1,143 of 8,000 users``: what is shown while the rest is still being found."""
    whole = f" of {among.size:,}" if among is not None else ""
    return f"{meant.key}: {found.members.subjects.height:,}{whole} {meant.subject}s"


def _requests(plans: Sequence[SyncPlan], as_of: dt.datetime) -> tuple[list[dict[str, str]], list[str]]:
    """The first request of each sync for each kind of change, personal data masked; and why some are not there."""
    made, notes = [], []
    for part in plans:
        sync = part.sync
        try:
            samples = Plan("preview", sync.key, sync.key, as_of, as_of, (part,)).payloads(1)
        except PersonasError as problem:
            notes.append(f"no request of {sync.destination} ({sync.call}) is shown: {problem.what}")
            continue
        made += [{**sample, "body": mask_body(sample["body"])} for sample in samples]
    return made, notes


def _account_view(found: Found) -> AccountView | None:
    pairs, accounts = found.members.pairs, found.members.subjects.select("account_id")
    if pairs is None:
        return None
    counted = pairs.group_by("account_id").agg(users=pl.col("user_id").n_unique())
    users = accounts.join(counted, on="account_id", how="left")["users"].fill_null(0)
    return AccountView(
        accounts=accounts.height,
        users=pairs["user_id"].n_unique(),
        empty=int((users == 0).sum()),
        median=float(users.quantile(0.5, "midpoint") or 0),
        most=max(users, default=0),
    )
