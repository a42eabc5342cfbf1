"""What tables and columns are usually called: the whole knowledge by which a layout is recognised, best first.

``derived_tstamp``, ``collector_tstamp``, ``domain_userid`` and ``network_userid`` are columns of Snowplow's
``atomic.events``. (https://docs.snowplow.io/docs/fundamentals/canonical-event/, read 2026-11-27)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Tables of users, of accounts, of events. Names are compared in snake case, without what warehouses put before them.
USERS: Sequence[str] = (
    "personas_users", "users", "user", "people", "persons", "person", "customers", "customer", "contacts", "contact",
    "members", "profiles", "user_profiles", "subscribers", "visitors",
)  # fmt: skip
ACCOUNTS: Sequence[str] = (
    "personas_accounts", "accounts", "account", "companies", "company", "organizations", "organisations",
    "organization", "orgs", "tenants", "workspaces", "teams", "businesses", "clients", "customers", "groups",
)  # fmt: skip
EVENTS: Sequence[str] = (
    "personas_events", "events", "event", "tracks", "activities", "activity", "actions", "user_events", "app_events",
    "event_log", "events_log", "event_logs", "activity_log", "user_activity", "interactions", "clickstream",
)  # fmt: skip
PREFIXES = re.compile(r"^(?:dim|fct|fact|stg|raw|src|tbl|vw|v|app|public|crm|core|product)_(?=.)")

#: Columns, by what they say.
IDS: Sequence[str] = ("id", "uuid", "guid", "key")
TO_USERS: Sequence[str] = (
    "user_id", "uid", "userid", "user", "user_uuid", "customer_id", "person_id", "contact_id", "member_id", "actor_id",
    "profile_id",
)  # fmt: skip
TO_ACCOUNTS: Sequence[str] = (
    "account_id", "group_id", "company_id", "organization_id", "organisation_id", "org_id", "tenant_id", "workspace_id",
    "team_id", "account", "company", "org", "tenant",
)  # fmt: skip
SINCE: Sequence[str] = (
    "first_seen_at", "first_seen", "created_at", "signed_up_at", "signup_at", "signup_date", "registered_at",
    "joined_at", "created", "created_on", "created_date", "create_date", "registered_on", "since",
)  # fmt: skip
EVENT: Sequence[str] = (
    "event_text", "event_name", "event", "event_type", "action", "activity", "verb", "action_name", "activity_type",
    "name", "type", "kind",
)  # fmt: skip
AT: Sequence[str] = (
    "timestamp", "occurred_at", "event_timestamp", "event_time", "event_at", "happened_at", "ts", "time", "at",
    "derived_tstamp", "collector_tstamp",
    "performed_at", "original_timestamp", "created_at", "sent_at", "received_at", "logged_at", "created", "date",
    "event_date", "day",
)  # fmt: skip
EVENT_ID: Sequence[str] = ("message_id", "event_id", "insert_id", "id", "uuid", "event_uuid")
ANONYMOUS: Sequence[str] = (
    "anonymous_id", "anon_id", "anonymous_user_id", "device_id", "visitor_id", "cookie_id", "client_id", "distinct_id",
    "domain_userid", "network_userid",
)  # fmt: skip
PROPERTIES: Sequence[str] = (
    "properties", "props", "event_properties", "payload", "attributes", "params", "parameters", "data", "metadata",
    "details",
)  # fmt: skip
VALID_FROM: Sequence[str] = (
    "valid_from", "started_at", "start_date", "starts_at", "from_date", "start", "since", "joined_at", "member_since",
    "effective_from", "created_at",
)  # fmt: skip
VALID_TO: Sequence[str] = (
    "valid_to", "ended_at", "end_date", "ends_at", "to_date", "end", "until", "left_at", "effective_to", "removed_at",
    "deleted_at",
)  # fmt: skip
#: Parts of the names of tables that say whose an identifier is.
OF_IDENTITIES: Sequence[str] = ("ident", "alias", "device", "anonymous", "cookie")
ID_TYPE: Sequence[str] = ("id_type", "type", "identifier_type", "external_id_type", "kind")
ID_VALUE: Sequence[str] = (
    "id_value", "value", "identifier", "identifier_value", "external_id_value", "external_id", *ANONYMOUS,
)  # fmt: skip
ID_SINCE: Sequence[str] = ("first_seen_at", "since", "timestamp", "created_at", "linked_at", "seen_at", "identified_at")

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_IRREGULAR = {"people": "person", "persons": "person"}


def snake(name: str) -> str:
    """``userId``, ``User ID`` and ``USER_ID`` are all ``user_id``."""
    return re.sub(r"[\s\-.]+", "_", name if name.isupper() else _HUMP.sub("_", name)).casefold()


def bare(name: str) -> str:
    """A table's name without ``dim_``, ``stg_`` and the like."""
    plain = snake(name)
    while (shorter := PREFIXES.sub("", plain)) != plain:
        plain = shorter
    return plain


def singular(name: str) -> str:
    """``companies`` is ``company``."""
    if name in _IRREGULAR:
        return _IRREGULAR[name]
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name.removesuffix("s") if not name.endswith("ss") else name
