"""What the tables of a warehouse seem to be, by their names and the names and types of their columns. Reads no line.

The layouts of Segment and of RudderStack are told by ``tracks`` and ``identifies`` beside each other; everything else
is a home-grown layout, put together from a table of users and one of events. What names do not tell (which event has
which table, what an anonymous id is called) is left to ``proposal``, which asks the warehouse.

Segment: https://www.twilio.com/docs/segment/connections/storage/warehouses/schema
RudderStack: https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/
Profiles Sync: https://www.twilio.com/docs/segment/unify/profiles-sync/tables
(all read 2026-11-23)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    SourceSettings,
    UserSettings,
)
from personas_kit.compiler.source import TIMES, Column, ColumnType, Schema, Table
from personas_kit.onboarding import words

Place = tuple[str, ...]
#: Tables by the part of a source that they hold: ``users``, ``accounts``, ``memberships``, ``identities``, ``events``.
Named = Mapping[str, Table]
_KEYS: frozenset[ColumnType] = frozenset({"text", "integer", "decimal"})
_VIEWS = "sql/sources (personas copy sql)"
_TEXT: frozenset[ColumnType] = frozenset({"text"})
_JSON: frozenset[ColumnType] = frozenset({"json"})

#: Tables of Segment and RudderStack that are no events of one name.
RESERVED = frozenset({
    "tracks", "identifies", "users", "groups", "accounts", "pages", "screens", "aliases", "page", "screen", "alias",
    "group", "rudder_discards", "rudder_schema", "rudder_identity_mappings", "rudder_identity_merge_rules",
    "rudder_staging_files", "user_traits", "user_identifiers", "profile_merges", "id_graph_updates",
    "external_id_mapping_updates", "profile_traits_updates", "profile_traits", "id_graph", "external_id_mapping",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """What the tables of one place seem to be.

    Attributes:
        name: for people: ``Segment's``, ``RudderStack's``, ``home-grown``.
        place: database and schema of its tables, as far as they are needed to name them.
        settings: the source, with names that ``bind`` finds.
        beside: for the layouts of products: the tables beside ``tracks`` that may each hold one event.
        notes: what a person has to know or do.
    """

    name: str
    place: Place
    settings: SourceSettings
    beside: Mapping[str, Table]
    notes: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """There are users and events: enough for a first audience."""
        return bool(self.settings.users.table) and self.settings.events is not None

    @property
    def parts(self) -> int:
        """How much of a source was found beside users and events."""
        settings = self.settings
        return sum(part is not None for part in (settings.accounts, settings.memberships, settings.identities))


def recognise(schema: Schema, named: Named | None = None) -> list[Layout]:
    """Every layout that has at least users or events, the most complete first.

    Args:
        schema: what introspection found.
        named: tables that a person named, by the part that they hold; then there is one layout, a home-grown one.
    """
    tables = {table.parts: table for table in schema.values()}
    everything = _Shelf(schema, (), list(tables.values()))
    if named:
        found = _home_grown(everything, named)
        return [found] if found else []
    places: dict[Place, list[Table]] = {}
    for table in tables.values():
        places.setdefault(table.parts[:-1], []).append(table)
    shelves = [_Shelf(schema, place, several) for place, several in places.items()]
    layouts = [layout for shelf in shelves if (layout := _product(shelf) or _home_grown(shelf, {})) is not None]
    if not any(layout.whole for layout in layouts) and (across := _home_grown(everything, {})) is not None:
        layouts = [across]
    return sorted(layouts, key=lambda of: (of.whole, bool(of.beside), of.parts), reverse=True)


class _Shelf:
    """The tables of one place, found by what they are usually called."""

    def __init__(self, schema: Schema, place: Place, tables: Iterable[Table]) -> None:
        self.schema = schema
        self.place = place
        self.tables = sorted(tables, key=lambda table: table.name)

    def named(self, names: Sequence[str]) -> list[Table]:
        """The tables of these names, the usual names first."""
        rank = {name: at for at, name in enumerate(names)}
        known = [(rank[plain], table) for table in self.tables if (plain := words.bare(table.parts[-1])) in rank]
        return [table for _, table in sorted(known, key=lambda pair: pair[0])]

    def one(self, name: str) -> Table | None:
        """The table of exactly this name, whatever its case."""
        return next((table for table in self.tables if table.parts[-1].casefold() == name), None)

    def short(self, table: Table) -> str:
        """The shortest name that means this table."""
        return short_name(self.schema, table)


def short_name(schema: Schema, table: Table) -> str:
    """The shortest name that means this table."""
    ways = (".".join(table.parts[start:]) for start in reversed(range(len(table.parts))))
    return next((way for way in ways if schema.get(way) == table), table.name)


def pick(table: Table, names: Sequence[str], types: frozenset[ColumnType], *, but: Iterable[Column] = ()) -> str:
    """The name of the column that is called best, and has one of the types; empty if there is none."""
    free = [column for column in table.columns if column.type in types and column not in but]
    by_name = {words.snake(column.name): column.name for column in free}
    return next((by_name[name] for name in names if name in by_name), "")


def _column(table: Table, name: str) -> Column:
    return next(column for column in table.columns if column.name == name)


# ------------------------------------------------------------------------------------------------------------ products


def _product(shelf: _Shelf) -> Layout | None:
    """Segment's or RudderStack's layout, if the place has it."""
    tracks, identifies, users = shelf.one("tracks"), shelf.one("identifies"), shelf.one("users")
    if tracks is None or (identifies is None and users is None):
        return None
    rudder = any(table.parts[-1].casefold().startswith("rudder_") for table in shelf.tables) or bool(
        pick(tracks, ("channel",), _TEXT)
    )
    notes: list[str] = []
    users_now = shelf.one("personas_users") or users
    if users_now is None:
        notes.append(f"there is no table of users: {_VIEWS} has a view that makes one from identifies")
    accounts = shelf.one("personas_accounts") or (None if rudder else shelf.one("accounts"))
    groups = shelf.one("groups")
    if groups is not None and accounts is None:
        notes.append(f"groups has a line per call: {_VIEWS} has a view that makes accounts of them")
    properties = pick(tracks, words.PROPERTIES, _JSON)
    settings = SourceSettings(
        users=_users(shelf, users_now, _own_id(users_now, "user_id")) if users_now else UserSettings(),
        accounts=_accounts(shelf, accounts, _own_id(accounts, "group_id")) if accounts else None,
        memberships=MembershipSettings(shelf.short(groups), "user_id", "group_id", _time(groups, ("timestamp",)))
        if groups and accounts
        else None,
        identities=IdentitySettings(
            shelf.short(identifies), "user_id", "anonymous_id", since=_time(identifies, ("timestamp",))
        )
        if identifies
        else None,
        events=EventSettings(
            shelf.short(tracks),
            name=pick(tracks, ("event_text", "event"), _TEXT),
            at=_time(tracks, ("timestamp", "original_timestamp", "received_at")),
            user=pick(tracks, ("user_id",), _KEYS),
            anonymous=pick(tracks, ("anonymous_id",), _KEYS),
            account=pick(tracks, ("context_group_id", "group_id"), _KEYS),
            id=pick(tracks, ("id", "message_id"), _KEYS),
            properties=properties,
        ),
    )
    beside = {} if properties else {words.snake(of.parts[-1]): of for of in shelf.tables if _may_be_an_event(of)}
    return Layout("RudderStack's" if rudder else "Segment's", shelf.place, settings, beside, tuple(notes))


def _own_id(of: Table, in_calls: str) -> tuple[str, str]:
    """``id`` in the products' own tables; in a view over calls, that is the call's."""
    return (in_calls, "id") if of.parts[-1].casefold().startswith("personas_") else ("id", in_calls)


def _may_be_an_event(of: Table) -> bool:
    """A table of one event has the columns that ``tracks`` has."""
    has = {words.snake(column.name) for column in of.columns}
    return words.snake(of.parts[-1]) not in RESERVED and {"id", "event", "anonymous_id"} <= has


def _time(of: Table, names: Sequence[str]) -> str:
    return pick(of, names, TIMES)


# ---------------------------------------------------------------------------------------------------------- home-grown


def _home_grown(shelf: _Shelf, named: Named) -> Layout | None:
    """Users, events and what is between them, by what they are usually called, or as a person named them."""
    users = named.get("users") or next((of for of in shelf.named(words.USERS) if _id_of(of)), None)
    known = (of for of in shelf.named(words.ACCOUNTS) if _id_of(of) and of != users)
    accounts = named.get("accounts") or next(known, None)
    maybe = [named["events"]] if "events" in named else _maybe_events(shelf, users)
    events = next((made for of in maybe if (made := _events(shelf, of, users, accounts))), None)
    if users is None and events is None:
        return None
    rest = [of for of in shelf.tables if of not in (users, accounts) and shelf.short(of) != _table_of(events)]
    between = [named["memberships"]] if "memberships" in named else rest
    ids = [named["identities"]] if "identities" in named else rest
    settings = SourceSettings(
        users=_users(shelf, users, _id_names(users)) if users else UserSettings(),
        accounts=_accounts(shelf, accounts, _id_names(accounts)) if accounts else None,
        memberships=_memberships(shelf, users, accounts, between, events) if users and accounts else None,
        identities=_identities(shelf, users, ids) if users else None,
        events=events,
    )
    return Layout("home-grown", shelf.place, settings, {}, tuple(_home_notes(settings, shelf)))


def _table_of(events: EventSettings | None) -> str:
    return events.table if events else ""


def _home_notes(settings: SourceSettings, shelf: _Shelf) -> list[str]:
    notes = []
    if not settings.users.table:
        notes.append("no table looks like users: name it")
    if settings.events is None:
        notes.append("no table looks like events (a name, a time and a user in every line): name it")
    if settings.accounts and settings.memberships is None:
        notes.append("nothing says which user belongs to which account")
    synced = [shelf.one(name) for name in ("user_traits", "user_identifiers")]
    if all(synced) and not shelf.one("personas_users"):
        notes.append(f"these are tables of Segment's Profiles Sync: {_VIEWS} has views that make users of them")
    return notes


def _id_names(of: Table) -> tuple[str, ...]:
    own = words.singular(words.bare(of.parts[-1]))
    return (f"{own}_id", f"{own}id", f"{words.bare(of.parts[-1])}_id", *words.IDS, "user_id", "account_id", "uid", own)


def _id_of(of: Table) -> str:
    return pick(of, _id_names(of), _KEYS)


def _users(shelf: _Shelf, of: Table, ids: Sequence[str]) -> UserSettings:
    return UserSettings(shelf.short(of), pick(of, ids, _KEYS), pick(of, words.SINCE, TIMES))


def _accounts(shelf: _Shelf, of: Table, ids: Sequence[str]) -> AccountSettings:
    return AccountSettings(shelf.short(of), pick(of, ids, _KEYS), pick(of, words.SINCE, TIMES))


def _refers(of: Table, to: Table | None, usual: Sequence[str], *, but: Iterable[Column] = ()) -> str:
    """The column that says which user, or which account, a line is about."""
    if to is None:
        return pick(of, usual, _KEYS, but=but)
    own, plain = words.singular(words.bare(to.parts[-1])), words.snake(_id_of(to))
    named = (f"{own}_id", f"{own}id", f"{own}_uuid", *(() if plain in words.IDS else (plain,)), own)
    alike = [column for column in of.columns if words.snake(column.name) in {f"current_{own}_id", f"primary_{own}_id"}]
    return pick(of, (*named, *usual, *(words.snake(column.name) for column in alike)), _KEYS, but=but)


def _maybe_events(shelf: _Shelf, users: Table | None) -> list[Table]:
    """Tables that are called events, then those that have a column for it."""
    called = shelf.named(words.EVENTS)
    names = [name for name in words.EVENT if name not in {"name", "type", "kind"}]
    others = [of for of in shelf.tables if of not in called and of != users and pick(of, names, _TEXT)]
    return called + others


def _events(shelf: _Shelf, of: Table, users: Table | None, accounts: Table | None) -> EventSettings | None:
    name, at = pick(of, words.EVENT, _TEXT), pick(of, words.AT, TIMES)
    user = _refers(of, users, words.TO_USERS)
    anonymous = pick(of, words.ANONYMOUS, _KEYS)
    if not (name and at and (user or anonymous)) or of == users:
        return None
    used = [_column(of, column) for column in (name, user, anonymous) if column]
    document = [column.name for column in of.columns if column.type == "json"]
    return EventSettings(
        shelf.short(of),
        name=name,
        at=at,
        user=user,
        anonymous=anonymous,
        account=_refers(of, accounts, words.TO_ACCOUNTS, but=used),
        id=pick(of, (*words.EVENT_ID, f"{words.singular(words.bare(of.parts[-1]))}_id"), _KEYS, but=used),
        properties=pick(of, words.PROPERTIES, _JSON) or (document[0] if len(document) == 1 else ""),
    )


def _memberships(
    shelf: _Shelf, users: Table, accounts: Table, rest: Sequence[Table], events: EventSettings | None
) -> MembershipSettings | None:
    """A table between users and accounts; else the account that stands with the user; else those of the events."""
    for of in sorted(rest, key=lambda table: ("member" not in words.snake(table.parts[-1]), len(table.columns))):
        user = _refers(of, users, words.TO_USERS)
        account = _refers(of, accounts, words.TO_ACCOUNTS)
        if user and account and user != account and not pick(of, words.EVENT[:5], _TEXT):
            valid = pick(of, words.VALID_FROM, TIMES), pick(of, words.VALID_TO, TIMES)
            return MembershipSettings(shelf.short(of), user, account, *valid)
    account = _refers(users, accounts, words.TO_ACCOUNTS, but=[_column(users, _id_of(users))])
    if account:
        return MembershipSettings(shelf.short(users), _id_of(users), account)
    if events is not None and events.user and events.account:  # a member from the first event in the account's name on
        return MembershipSettings(events.table, events.user, events.account, events.at)
    return None


def _identities(shelf: _Shelf, users: Table, rest: Sequence[Table]) -> IdentitySettings | None:
    """A table that says which identifier is which user's."""
    for of in rest:
        user = _refers(of, users, words.TO_USERS)
        used = [_column(of, user)] if user else []
        kind = pick(of, words.ID_TYPE, _TEXT)
        value = pick(of, words.ID_VALUE if kind else words.ANONYMOUS, _KEYS, but=used)
        about_ids = any(part in words.snake(of.parts[-1]) for part in words.OF_IDENTITIES)
        if user and value and (about_ids or kind) and not pick(of, words.EVENT[:5], _TEXT):
            return IdentitySettings(shelf.short(of), user, value, kind, pick(of, words.ID_SINCE, TIMES))
    return None
