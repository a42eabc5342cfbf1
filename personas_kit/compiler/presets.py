"""Warehouse layouts of products that load events, as data: what ``preset = "..."`` fills in.

What the person writes wins. A part whose table the schema does not have is left out, unless the person named it.

Segment: https://segment.com/docs/connections/storage/warehouses/schema/
RudderStack: https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/
(both read 2026-11-23). Both keep the last traits of each user in ``users``, every group call in ``groups``, all tracked
events in ``tracks`` with the event's plain name in ``event_text``, and their properties in one table per event. Segment
keeps the last state of each group in ``accounts``; RudderStack has no such table (``groups`` has a line per call), so
that accounts are named by whoever makes a view of them. A user belongs to an account from its first group call on.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    SourceSettings,
    UserSettings,
)

_SEGMENT = SourceSettings(
    preset="segment",
    users=UserSettings(table="users", id="id"),
    accounts=AccountSettings(table="accounts", id="id"),
    memberships=MembershipSettings(table="groups", user="user_id", account="group_id", valid_from="timestamp"),
    identities=IdentitySettings(table="identifies", user="user_id", value="anonymous_id", since="timestamp"),
    events=EventSettings(
        table="tracks", name="event_text", at="timestamp", user="user_id", anonymous="anonymous_id", id="id"
    ),
)
_RUDDERSTACK = SourceSettings(
    preset="rudderstack",
    users=UserSettings(table="users", id="id"),
    memberships=MembershipSettings(table="groups", user="user_id", account="group_id", valid_from="timestamp"),
    identities=IdentitySettings(table="identifies", user="user_id", value="anonymous_id", since="timestamp"),
    events=EventSettings(
        table="tracks", name="event_text", at="timestamp", user="user_id", anonymous="anonymous_id", id="id"
    ),
)

#: Presets by name.
PRESETS: Mapping[str, SourceSettings] = MappingProxyType({"segment": _SEGMENT, "rudderstack": _RUDDERSTACK})
