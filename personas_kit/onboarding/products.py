"""The layouts of Segment and of RudderStack, told by ``tracks`` and ``identifies`` beside each other.

RudderStack can leave ``tracks`` out ("Skip Tracks Table"), and Segment can be told not to sync it: then the tables of
single events tell, and an event is called as its table is.

Segment: https://www.twilio.com/docs/segment/connections/storage/warehouses/schema
RudderStack: https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/,
https://rudderstack.com/docs/includes/warehouse-advanced-settings
(all read 2026-11-27)
"""

from __future__ import annotations

from collections.abc import Sequence

from personas_kit.compiler.settings import (
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    SourceSettings,
    UserSettings,
)
from personas_kit.compiler.source import TIMES, ColumnType, Table
from personas_kit.onboarding import words
from personas_kit.onboarding.layout import JSON, KEYS, TEXT, VIEWS, Layout, Shelf, accounts_of, pick, time_of, users_of

#: Tables of Segment and RudderStack that are no events of one name.
RESERVED = frozenset({
    "tracks", "identifies", "users", "groups", "accounts", "pages", "screens", "aliases", "page", "screen", "alias",
    "group", "rudder_discards", "rudder_schema", "rudder_identity_mappings", "rudder_identity_merge_rules",
    "rudder_staging_files", "user_traits", "user_identifiers", "profile_merges", "id_graph_updates",
    "external_id_mapping_updates", "profile_traits_updates", "profile_traits", "id_graph", "external_id_mapping",
})  # fmt: skip


def product(shelf: Shelf) -> Layout | None:
    """Segment's or RudderStack's layout, if the place has it."""
    tracks, identifies, users = shelf.one("tracks"), shelf.one("identifies"), shelf.one("users")
    single = [of for of in shelf.tables if _may_be_an_event(of)]
    calls = [tracks] if tracks else [of for of in single if identifies and pick(of, ("event_text",), TEXT)]
    if not calls or (identifies is None and users is None):
        return None

    def called(names: Sequence[str], types: frozenset[ColumnType]) -> str:
        return next((found for of in calls if (found := pick(of, names, types))), "")

    rudder = any(table.parts[-1].casefold().startswith("rudder_") for table in shelf.tables) or bool(
        called(("channel",), TEXT)
    )
    notes: list[str] = []
    users_now = shelf.one("personas_users") or users
    if users_now is None:
        notes.append(f"there is no table of users: {VIEWS} has a view that makes one from identifies")
    accounts = shelf.one("personas_accounts") or (None if rudder else shelf.one("accounts"))
    groups = shelf.one("groups")
    if groups is not None and accounts is None:
        notes.append(f"groups has a line per call: {VIEWS} has a view that makes accounts of them")
    if tracks is None:
        notes.append("there is no table tracks: an event is called as its table is; events of new tables go there, too")
    properties = pick(tracks, words.PROPERTIES, JSON) if tracks else ""
    settings = SourceSettings(
        users=users_of(shelf, users_now, _own_id(users_now, "user_id")) if users_now else UserSettings(),
        accounts=accounts_of(shelf, accounts, _own_id(accounts, "group_id")) if accounts else None,
        memberships=MembershipSettings(shelf.short(groups), "user_id", "group_id", time_of(groups, ("timestamp",)))
        if groups and accounts
        else None,
        identities=IdentitySettings(
            shelf.short(identifies), "user_id", "anonymous_id", since=time_of(identifies, ("timestamp",))
        )
        if identifies
        else None,
        events=EventSettings(
            shelf.short(tracks) if tracks else "",
            tables={} if tracks else {words.snake(of.parts[-1]): shelf.short(of) for of in calls},
            name=pick(tracks, ("event_text", "event"), TEXT) if tracks else "",
            at=called(("timestamp", "original_timestamp", "received_at"), TIMES),
            user=called(("user_id",), KEYS),
            anonymous=called(("anonymous_id",), KEYS),
            account=called(("context_group_id", "group_id"), KEYS),
            id=called(("id", "message_id"), KEYS),
            properties=properties,
        ),
    )
    beside = {} if properties else {words.snake(of.parts[-1]): of for of in single}
    return Layout("RudderStack's" if rudder else "Segment's", shelf.place, settings, beside, tuple(notes))


def _own_id(of: Table, in_calls: str) -> tuple[str, str]:
    """``id`` in the products' own tables; in a view over calls, that is the call's."""
    return (in_calls, "id") if of.parts[-1].casefold().startswith("personas_") else ("id", in_calls)


def _may_be_an_event(of: Table) -> bool:
    """A table of one event has the columns that ``tracks`` has, as far as a call of that event had a value for them."""
    has = {words.snake(column.name) for column in of.columns}
    ids = {"anonymous_id", "user_id"} & has
    return words.snake(of.parts[-1]) not in RESERVED and {"id", "event"} <= has and bool(ids)
