"""Literal users, accounts, memberships and events as tables of a DuckDB in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import duckdb
import polars as pl

from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    MembershipSettings,
    SourceSettings,
    UserSettings,
)
from personas_kit.errors import DefinitionError

Id = str | int
When = dt.datetime | dt.date | str
Traits = Mapping[Id, Mapping[str, object]] | Iterable[Id]
Membership = tuple[Id, Id] | tuple[Id, Id, When | None] | tuple[Id, Id, When | None, When | None]

_KINDS: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("truth values", bool),
    ("numbers", (int, float, Decimal)),
    ("texts", str),
    ("instants", dt.datetime),
    ("dates", dt.date),
    ("lists", (list, tuple)),
)


@dataclass(frozen=True, slots=True)
class Happened:
    """One event. ``happened`` makes it."""

    user: Id | None
    name: str
    at: When
    event_id: str | None
    account_id: Id | None
    properties: Mapping[str, object]


def happened(
    user: Id | None,
    name: str,
    at: When,
    /,
    *,
    event_id: str | None = None,
    account_id: Id | None = None,
    **properties: object,
) -> Happened:
    """An event of a user, with its properties.

    Args:
        user: whose it is.
        name: of the event.
        at: when; a date is midnight UTC, a time without a zone is UTC.
        event_id: by default one of its own: ``e1``, ``e2`` and so on.
        account_id: the account that the event names, for ``scope("event")``.
        properties: texts, numbers, truth values, dates, instants, lists of texts; None for a missing one.
    """
    return Happened(user, name, at, event_id, account_id, properties)


def instant(given: When) -> dt.datetime:
    """An instant in UTC, without a zone.

    Raises:
        DefinitionError: it is no date and no instant.
    """
    try:
        read = dt.datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        raise DefinitionError(f"{given!r} is not a date or an instant", hint="write 2026-01-31T08:00:00") from None
    if not isinstance(read, dt.datetime):
        return dt.datetime.combine(read, dt.time())
    return read.astimezone(dt.UTC).replace(tzinfo=None) if read.tzinfo else read


@dataclass
class Literals:
    """What there is, and how the columns are called."""

    users: dict[Id, dict[str, object]] = field(default_factory=dict)
    accounts: dict[Id, dict[str, object]] = field(default_factory=dict)
    memberships: list[Membership] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)

    def change(
        self, users: Traits, accounts: Traits, memberships: Iterable[Membership] | None, events: Iterable[Happened]
    ) -> None:
        """Add users, accounts and events; traits of those that are known are set; memberships are replaced."""
        for known, given in ((self.users, users), (self.accounts, accounts)):
            lines = given if isinstance(given, Mapping) else {one: {} for one in given}
            for one, traits in lines.items():
                known.setdefault(one, {}).update(traits)
        if memberships is not None:
            self.memberships = list(memberships)
        self.events.extend(events)

    def load(self, handle: duckdb.DuckDBPyConnection, source: SourceSettings) -> None:
        """Make the tables that the source names, anew."""
        events, members = source.events, source.memberships
        tables = {source.users.table: _people(self.users, source.users.id)}
        if source.accounts is not None:
            tables[source.accounts.table] = _people(self.accounts, source.accounts.id)
        if members is not None:
            tables[members.table] = _memberships(self, members)
        if events is not None:
            tables[events.table] = _events(self, events)
        for name, frame in tables.items():
            handle.register("literal", frame.to_arrow())
            handle.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM literal')  # noqa: S608  (names of ours)
            handle.unregister("literal")


def source_like(given: SourceSettings | None) -> SourceSettings:
    """One table of each kind, with the ids and times called as in a source that is given."""
    like = given or SourceSettings()
    events = like.events or EventSettings()
    named = EventSettings(
        table="events",
        name=events.name or "event",
        at=events.at or "happened_at",
        user=events.user or "user_id",
        account=events.account or "account_id",
        id=events.id or "event_id",
    )
    return replace(
        SourceSettings(timezone=like.timezone),
        users=UserSettings("users", like.users.id or "user_id"),
        accounts=AccountSettings("accounts", (like.accounts and like.accounts.id) or "account_id"),
        memberships=MembershipSettings("memberships", "user_id", "account_id", "valid_from", "valid_to"),
        events=named,
    )


def _people(lines: Mapping[Id, Mapping[str, object]], id_name: str) -> pl.DataFrame:
    names = dict.fromkeys(name for traits in lines.values() for name in traits)
    if id_name in names:
        raise DefinitionError(f"{id_name!r} is the id, which is written before the traits")
    columns = [_ids(id_name, list(lines), lines)]
    columns += [_column(name, [traits.get(name) for traits in lines.values()]) for name in names]
    return pl.DataFrame(columns)


def _memberships(of: Literals, named: MembershipSettings) -> pl.DataFrame:
    filled = [(*line, None, None)[:4] for line in of.memberships]
    for user, account, *_ in filled:
        for one, known, what in ((user, of.users, "users"), (account, of.accounts, "accounts")):
            if one not in known:
                raise DefinitionError(
                    f"a membership names {one!r}, which is not among the {what}", where="memberships="
                )
    times = [[None if line[at] is None else instant(line[at]) for line in filled] for at in (2, 3)]
    return pl.DataFrame(
        [
            _ids(named.user, [line[0] for line in filled], of.users),
            _ids(named.account, [line[1] for line in filled], of.accounts),
            pl.Series(named.valid_from, times[0], pl.Datetime("us")),
            pl.Series(named.valid_to, times[1], pl.Datetime("us")),
        ]
    )


def _events(of: Literals, named: EventSettings) -> pl.DataFrame:
    own = {named.name, named.at, named.user, named.account, named.id}
    for event in of.events:
        if not isinstance(event, Happened):
            raise DefinitionError(f"{event!r} is no event", hint="write happened(user, name, at)")
    names = dict.fromkeys(name for event in of.events for name in event.properties)
    for name in names:
        if name in own:
            raise DefinitionError(
                f"{name!r} is no property here: it is a column of every event", hint="write happened(user, name, at)"
            )
    columns = [
        pl.Series(named.name, [event.name for event in of.events], pl.String),
        pl.Series(named.at, [instant(event.at) for event in of.events], pl.Datetime("us")),
        _ids(named.user, [event.user for event in of.events], of.users),
        _ids(named.account, [event.account_id for event in of.events], of.accounts),
        pl.Series(named.id, [event.event_id or f"e{at}" for at, event in enumerate(of.events, 1)], pl.String),
    ]
    columns += [_column(name, [event.properties.get(name) for event in of.events]) for name in names]
    return pl.DataFrame(columns)


def _ids(name: str, values: Sequence[object], known: Iterable[Id]) -> pl.Series:
    """A column of ids, of the type that those who are known have."""
    column = _column(name, [*values, *known])
    return column.head(len(values))


def _column(name: str, values: Sequence[object]) -> pl.Series:
    """A column of one type; texts where nothing is known."""
    given = [value for value in values if value is not None]
    kinds = {_kind(name, value) for value in given}
    if len(kinds) > 1:
        raise DefinitionError(
            f"{name!r} has {' and '.join(sorted(kinds))}", hint="a column of a warehouse has one type"
        )
    if not kinds:
        return pl.Series(name, list(values), pl.String)
    if kinds == {"instants"}:
        instants = [None if value is None else instant(value) for value in values]  # type: ignore[arg-type]
        return pl.Series(name, instants, pl.Datetime("us"))
    return pl.Series(name, list(values), strict=False)


def _kind(name: str, value: object) -> str:
    found = next((kind for kind, types in _KINDS if isinstance(value, types)), None)
    if found is None:
        raise DefinitionError(f"{name!r} is a {type(value).__name__}, which a test cannot write as a column")
    return found
