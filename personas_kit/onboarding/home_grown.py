"""A layout that no product made: users, events and what is between them, by what they are usually called.

The tables of Segment's Profiles Sync, which need a view:
https://www.twilio.com/docs/segment/unify/profiles-sync/tables (read 2026-11-23).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from personas_kit.compiler.settings import (
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    SourceSettings,
    UserSettings,
)
from personas_kit.compiler.source import TIMES, Column, Table
from personas_kit.onboarding import words
from personas_kit.onboarding.layout import (
    JSON,
    KEYS,
    TEXT,
    VIEWS,
    Layout,
    Shelf,
    accounts_of,
    column_named,
    pick,
    users_of,
)

#: Tables by the part of a source that they hold: ``users``, ``accounts``, ``memberships``, ``identities``, ``events``.
Named = Mapping[str, Table]


def home_grown(shelf: Shelf, named: Named) -> Layout | None:
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
        users=users_of(shelf, users, _id_names(users)) if users else UserSettings(),
        accounts=accounts_of(shelf, accounts, _id_names(accounts)) if accounts else None,
        memberships=_memberships(shelf, users, accounts, between, events) if users and accounts else None,
        identities=_identities(shelf, users, ids) if users else None,
        events=events,
    )
    return Layout("home-grown", shelf.place, settings, {}, tuple(_home_notes(settings, shelf)))


def _table_of(events: EventSettings | None) -> str:
    return events.table if events else ""


def _home_notes(settings: SourceSettings, shelf: Shelf) -> list[str]:
    notes = []
    if not settings.users.table:
        notes.append("no table looks like users: name it")
    if settings.events is None:
        notes.append("no table looks like events (a name, a time and a user in every line): name it")
    if settings.accounts and settings.memberships is None:
        notes.append("nothing says which user belongs to which account")
    synced = [shelf.one(name) for name in ("user_traits", "user_identifiers")]
    if all(synced) and not shelf.one("personas_users"):
        notes.append(f"these are tables of Segment's Profiles Sync: {VIEWS} has views that make users of them")
    return notes


def _id_names(of: Table) -> tuple[str, ...]:
    own = words.singular(words.bare(of.parts[-1]))
    return (f"{own}_id", f"{own}id", f"{words.bare(of.parts[-1])}_id", *words.IDS, "user_id", "account_id", "uid", own)


def _id_of(of: Table) -> str:
    return pick(of, _id_names(of), KEYS)


def _refers(of: Table, to: Table | None, usual: Sequence[str], *, but: Iterable[Column] = ()) -> str:
    """The column that says which user, or which account, a line is about."""
    if to is None:
        return pick(of, usual, KEYS, but=but)
    own, plain = words.singular(words.bare(to.parts[-1])), words.snake(_id_of(to))
    named = (f"{own}_id", f"{own}id", f"{own}_uuid", *(() if plain in words.IDS else (plain,)), own)
    alike = [column for column in of.columns if words.snake(column.name) in {f"current_{own}_id", f"primary_{own}_id"}]
    return pick(of, (*named, *usual, *(words.snake(column.name) for column in alike)), KEYS, but=but)


def _maybe_events(shelf: Shelf, users: Table | None) -> list[Table]:
    """Tables that are called events, then those that have a column for it."""
    called = shelf.named(words.EVENTS)
    names = [name for name in words.EVENT if name not in {"name", "type", "kind"}]
    others = [of for of in shelf.tables if of not in called and of != users and pick(of, names, TEXT)]
    return called + others


def _events(shelf: Shelf, of: Table, users: Table | None, accounts: Table | None) -> EventSettings | None:
    name, at = pick(of, words.EVENT, TEXT), pick(of, words.AT, TIMES)
    user = _refers(of, users, words.TO_USERS)
    anonymous = pick(of, words.ANONYMOUS, KEYS)
    if not (name and at and (user or anonymous)) or of == users:
        return None
    used = [column_named(of, column) for column in (name, user, anonymous) if column]
    document = [column.name for column in of.columns if column.type == "json"]
    return EventSettings(
        shelf.short(of),
        name=name,
        at=at,
        user=user,
        anonymous=anonymous,
        account=_refers(of, accounts, words.TO_ACCOUNTS, but=used),
        id=pick(of, (*words.EVENT_ID, f"{words.singular(words.bare(of.parts[-1]))}_id"), KEYS, but=used),
        properties=pick(of, words.PROPERTIES, JSON) or (document[0] if len(document) == 1 else ""),
    )


def _memberships(
    shelf: Shelf, users: Table, accounts: Table, rest: Sequence[Table], events: EventSettings | None
) -> MembershipSettings | None:
    """A table between users and accounts; else the account that stands with the user; else those of the events."""
    for of in sorted(rest, key=lambda table: ("member" not in words.snake(table.parts[-1]), len(table.columns))):
        user = _refers(of, users, words.TO_USERS)
        account = _refers(of, accounts, words.TO_ACCOUNTS)
        if user and account and user != account and not pick(of, words.EVENT[:5], TEXT):
            valid = pick(of, words.VALID_FROM, TIMES), pick(of, words.VALID_TO, TIMES)
            return MembershipSettings(shelf.short(of), user, account, *valid)
    account = _refers(users, accounts, words.TO_ACCOUNTS, but=[column_named(users, _id_of(users))])
    if account:
        return MembershipSettings(shelf.short(users), _id_of(users), account)
    if events is not None and events.user and events.account:  # a member from the first event in the account's name on
        return MembershipSettings(events.table, events.user, events.account, events.at)
    return None


def _identities(shelf: Shelf, users: Table, rest: Sequence[Table]) -> IdentitySettings | None:
    """A table that says which identifier is which user's."""
    for of in rest:
        user = _refers(of, users, words.TO_USERS)
        used = [column_named(of, user)] if user else []
        kind = pick(of, words.ID_TYPE, TEXT)
        value = pick(of, words.ID_VALUE if kind else words.ANONYMOUS, KEYS, but=used)
        about_ids = any(part in words.snake(of.parts[-1]) for part in words.OF_IDENTITIES)
        if user and value and (about_ids or kind) and not pick(of, words.EVENT[:5], TEXT):
            return IdentitySettings(shelf.short(of), user, value, kind, pick(of, words.ID_SINCE, TIMES))
    return None
