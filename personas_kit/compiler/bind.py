"""Settings held against the introspected schema: every table and column exists, and ids have one type."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import fields, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from personas_kit.compiler.presets import PRESETS
from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    SourceSettings,
    UserSettings,
)
from personas_kit.compiler.source import (
    NUMBERS,
    TIMES,
    Column,
    EventTable,
    Identities,
    Members,
    Memberships,
    Schema,
    Source,
    Table,
)
from personas_kit.errors import ConfigError, UnknownName

T = TypeVar("T")


def bind(settings: SourceSettings, schema: Schema) -> Source:
    """The source model with the warehouse's own names and types.

    Args:
        settings: names as the person wrote them; matched whatever their case, where that is unambiguous.
        schema: what introspection found.

    Raises:
        UnknownName: a table or column that does not exist, with the nearest that do.
        ConfigError: something needed is not named, or has a type that cannot serve.
    """
    settings = _with_preset(settings, schema)
    users = _members(schema, settings.users, "users")
    accounts = _members(schema, settings.accounts, "accounts") if settings.accounts else None
    memberships = _memberships(schema, settings.memberships) if settings.memberships else None
    identities = _identities(schema, settings.identities) if settings.identities else None
    events = _events(schema, settings.events) if settings.events else ()
    if memberships and not accounts:
        raise ConfigError(
            "memberships need accounts",
            where="source.accounts",
            hint='name them: accounts = { table = "...", id = "..." }',
        )
    source = Source(
        users, accounts, memberships, identities, events, _zone(settings.timezone), _names(settings.events), schema
    )
    _check_ids(source)
    return source


def column_of(columns: Iterable[Column], name: str) -> Column | None:
    """The column by its exact name, else the only one that differs in case alone."""
    alike = [column for column in columns if column.name.casefold() == name.casefold()]
    folded = [column for column in alike if column.name == name] or alike
    return folded[0] if len(folded) == 1 else None


def _members(schema: Schema, settings: UserSettings | AccountSettings, part: str) -> Members:
    table = find_table(schema, settings.table, f"source.{part}")
    where = f"source.{part}"
    return Members(table, _needed(table, settings.id, f"{where}.id"), _time(table, settings.since, f"{where}.since"))


def _memberships(schema: Schema, settings: MembershipSettings) -> Memberships:
    where = "source.memberships"
    table = find_table(schema, settings.table, where)
    return Memberships(
        table,
        _needed(table, settings.user, f"{where}.user"),
        _needed(table, settings.account, f"{where}.account"),
        _time(table, settings.valid_from, f"{where}.valid_from"),
        _time(table, settings.valid_to, f"{where}.valid_to"),
    )


def _identities(schema: Schema, settings: IdentitySettings) -> Identities:
    where = "source.identities"
    table = find_table(schema, settings.table, where)
    return Identities(
        table,
        _needed(table, settings.user, f"{where}.user"),
        _needed(table, settings.value, f"{where}.value"),
        _column(table, settings.type, f"{where}.type"),
        _time(table, settings.since, f"{where}.since"),
        settings.anonymous_type,
    )


def _events(schema: Schema, settings: EventSettings) -> tuple[EventTable, ...]:
    tables: dict[str | None, Table] = {
        event: find_table(schema, name, _place(event)) for event, name in settings.tables.items()
    }
    if settings.table or not tables:
        tables[None] = find_table(schema, settings.table, _place(None))
    known = {column.name.casefold() for table in tables.values() for column in table.columns}
    return tuple(_event_table(settings, table, event, known) for event, table in tables.items())


def _place(event: str | None) -> str:
    return "source.events" if event is None else f"source.events.tables.{event}"


def _event_table(settings: EventSettings, table: Table, event: str | None, known: AbstractSet[str]) -> EventTable:
    """One table of events.

    A table of one event may lack what another table has: Segment makes a column with the first value that it gets.
    (https://www.twilio.com/docs/segment/connections/storage/warehouses/schema, read 2026-11-27)
    """
    where = _place(event)
    own = {column.name.casefold() for column in table.columns}

    def maybe(name: str, part: str) -> Column | None:
        never_sent = event is not None and name.casefold() in known and name.casefold() not in own
        return None if never_sent else _column(table, name, f"{where}.{part}")

    at = _time(table, settings.at, f"{where}.at")
    user = maybe(settings.user, "user")
    anonymous = maybe(settings.anonymous, "anonymous")
    if at is None:
        raise ConfigError(
            "the column that says when an event happened is not named", where=where, hint='add at = "timestamp"'
        )
    if user is None and anonymous is None:
        raise ConfigError("no column says whose an event is", where=where, hint='add user = "user_id"')
    named = _needed(table, settings.name, f"{where}.name") if event is None else None
    account = maybe(settings.account, "account")
    ids = maybe(settings.id, "id")
    properties = _column(table, settings.properties, f"{where}.properties")
    return EventTable(table, at, user, anonymous, account, ids, named, event, properties)


def _names(settings: EventSettings | None) -> tuple[str, ...] | None:
    """Known without asking the warehouse only where each event has its own table."""
    return tuple(sorted(settings.tables)) if settings and settings.tables and not settings.table else None


def find_table(schema: Schema, name: str, where: str) -> Table:
    """The table of this name, whatever its case where that is unambiguous.

    Raises:
        UnknownName: there is none, with the nearest that there are.
        ConfigError: there are several, or no name is given; ``where`` says for what.
    """
    if not name:
        raise ConfigError("the table is not named", where=where, hint='add table = "..."')
    if name in schema:
        return schema[name]
    folded = {table.name: table for known, table in schema.items() if known.casefold() == name.casefold()}
    if len(folded) == 1:
        return next(iter(folded.values()))
    if folded:
        raise ConfigError(
            f"several tables are called {name!r}", where=where, hint=f"one of {', '.join(sorted(folded))}"
        )
    raise UnknownName("table", name, schema, where=where)


def _column(table: Table, name: str, where: str) -> Column | None:
    if not name:
        return None
    found = column_of(table.columns, name)
    if found is None:
        raise UnknownName(
            "column", name, [column.name for column in table.columns], where=f"{where}, table {table.name}"
        )
    return found


def _needed(table: Table, name: str, where: str) -> Column:
    found = _column(table, name, where)
    if found is None:
        raise ConfigError("a column is not named", where=where, hint=f'add {where.rsplit(".", 1)[-1]} = "..."')
    return found


def _time(table: Table, name: str, where: str) -> Column | None:
    found = _column(table, name, where)
    if found and found.type not in TIMES:
        raise ConfigError(f"{table.name}.{found.name} is {found.type}, not a time", where=where)
    return found


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name or "UTC").key
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(
            f"there is no time zone {name!r}", where="source.timezone", hint='for example "Europe/Prague"'
        ) from None


def _check_ids(source: Source) -> None:
    """Ids that are compared must be of one type; a cast would be silent, and slow."""
    for event in source.events:
        if event.user:
            _same(source.users.table, source.users.id, event.table, event.user)
        if event.anonymous and source.identities:
            _same(source.identities.table, source.identities.value, event.table, event.anonymous)
    if source.identities:
        _same(source.users.table, source.users.id, source.identities.table, source.identities.user)
    if source.memberships and source.accounts:
        _same(source.users.table, source.users.id, source.memberships.table, source.memberships.user)
        _same(source.accounts.table, source.accounts.id, source.memberships.table, source.memberships.account)


def _kind(of: Column) -> str:
    """The type, but a UUID is told from a text: PostgreSQL does not compare them, and DuckDB casts the texts."""
    return "uuid" if of.declared.casefold() == "uuid" else of.type


def _same(one: Table, left: Column, other: Table, right: Column) -> None:
    kinds = _kind(left), _kind(right)
    if kinds[0] != kinds[1] and not NUMBERS.issuperset(kinds):
        raise ConfigError(
            f"{one.name}.{left.name} is {kinds[0]} and {other.name}.{right.name} is {kinds[1]}: ids of two types",
            where="source",
            hint="cast one of them in a view of the warehouse",
        )


def _with_preset(settings: SourceSettings, schema: Schema) -> SourceSettings:
    if not settings.preset:
        return settings
    if settings.preset not in PRESETS:
        raise UnknownName("preset", settings.preset, PRESETS, where="source.preset")
    preset = PRESETS[settings.preset]
    accounts = _part(settings.accounts, preset.accounts, schema)
    memberships = _part(settings.memberships, preset.memberships, schema)
    return replace(
        settings,
        users=_filled(settings.users, preset.users),
        accounts=accounts,
        memberships=memberships if accounts or settings.memberships else None,
        identities=_part(settings.identities, preset.identities, schema),
        events=_part(settings.events, preset.events, schema),
    )


def _part(own: T | None, preset: T | None, schema: Schema) -> T | None:
    if own is not None:
        return own if preset is None else _filled(own, preset)
    return preset if preset is not None and _has(schema, getattr(preset, "table", "")) else None


def _has(tables: Iterable[str], name: str) -> bool:
    return any(known.casefold() == name.casefold() for known in tables)


def _filled(own: T, preset: T) -> T:
    """What the person wrote, and the preset's for what was left out."""
    empty: dict[str, Any] = {
        item.name: getattr(preset, item.name)
        for item in fields(own)  # type: ignore[arg-type]
        if getattr(own, item.name) in ("", {}, None)
    }
    if getattr(own, "tables", None):
        empty.pop("table", None)
        empty.pop("name", None)
    return replace(own, **empty)  # type: ignore[type-var]
