"""The ``personas.toml`` of the demo: the generated warehouse, two destinations at a local sandbox, four definitions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

#: Where ``personas sandbox`` listens unless told otherwise.
SANDBOX_URL = "http://127.0.0.1:8765"
#: The list that the demo fills, at the sandbox's stand-in for Meta.
LIST_ID = "120210000000001"
#: Files that hold the secrets that the workspace refers to, with made-up values: the sandbox takes any.
SECRETS: Mapping[str, str] = {
    "segment_write_key.txt": "demo-write-key",
    "meta_access_token.txt": "demo-access-token",
}

_TEXT = """\
# The demo's workspace. Everything goes to a sandbox on this machine; nothing leaves it.

[warehouse]
type = "duckdb"
path = {warehouse}

[source]
timezone    = "UTC"
users       = {{ table = "users", id = "user_id", since = "created_at" }}
accounts    = {{ table = "accounts", id = "account_id", since = "created_at" }}
memberships = {{ table = "memberships", user = "user_id", account = "account_id", \
valid_from = "valid_from", valid_to = "valid_to" }}
identities  = {{ table = "identifiers", user = "user_id", type = "id_type", value = "id_value", \
since = "first_seen_at" }}
events      = {{ table = "events", name = "event", at = "timestamp", user = "user_id", anonymous = "anonymous_id", \
account = "group_id", id = "message_id" }}

[destinations.analytics]
type      = "segment"
url       = {url}
write_key = {{ file = "segment_write_key.txt" }}

[destinations.meta]
type         = "facebook-custom-audiences"
url          = {url}
access_token = {{ file = "meta_access_token.txt" }}

# Who bought within 30 days: as a property and as events to the analytics, as a list of addresses to the ads.
[[audience]]
name  = "Order Completed last 30days"
where = "event('Order Completed').within(30 days).count() >= 1"
every = "1h"
to    = [
    {{ destination = "analytics", send = ["identify", "track"] }},
    {{ destination = "meta", list = "{list_id}", ids = {{ email = "email" }} }},
]

# Companies where somebody works with the product: the list takes all users of these accounts.
[[account_audience]]
name  = "Active accounts"
where = "ANY (event('Feature Used').within(14 days).count() >= 3) AND account_trait('kind') = 'company'"
every = "4h"
to    = [{{ destination = "analytics", send = ["identify", "group"] }}]

[[trait]]
name  = "revenue_90d"
value = "event('Order Completed').within(90 days).sum('revenue')"
every = "1d"
to    = [{{ destination = "analytics" }}]

[[account_trait]]
name  = "active_seats_30d"
value = "event('Signed In').within(30 days).unique('user_id').count()"
every = "1d"
to    = [{{ destination = "analytics", send = ["group"] }}]
"""


def config_text(*, warehouse: str = "warehouse.duckdb", url: str = SANDBOX_URL) -> str:
    """The text of ``personas.toml``.

    Args:
        warehouse: the path of the generated DuckDB file, as seen from the folder of ``personas.toml``.
        url: the address of the sandbox, without a slash at the end.
    """
    return _TEXT.format(warehouse=_quoted(warehouse), url=_quoted(url), list_id=LIST_ID)


def at_sandbox(text: str, url: str) -> str:
    """A demo's file with another address of the sandbox; what a person added to it stays."""
    return re.sub(r'(?m)^(url\s*=\s*)"http://127\.0\.0\.1:\d+"', lambda found: found[1] + _quoted(url), text)


def _quoted(text: str) -> str:
    """A basic string of TOML, which escapes as JSON does; DEL besides."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
