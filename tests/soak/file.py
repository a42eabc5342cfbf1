"""The company's ``personas.toml``: a source, five destinations, and what is asked for at the moment."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from personas_kit.config import Config, load
from tests.soak.definitions import Meant
from tests.soak.internet import PORTS

HEAD = """\
[warehouse]
files = {{ none = "none.parquet" }}

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
type    = "amplitude"
url     = "http://127.0.0.1:{analytics}"
api_key = {{ file = "key.txt" }}

[destinations.gateway]
type      = "segment"
url       = "http://127.0.0.1:{gateway}"
write_key = {{ file = "key.txt" }}

[destinations.ads]
type         = "slow-ads"
url          = "http://127.0.0.1:{ads}"
access_token = {{ file = "key.txt" }}

[destinations.crm]
type  = "hubspot"
url   = "http://127.0.0.1:{crm}"
token = {{ file = "key.txt" }}

[destinations.marketing]
type          = "marketo-static-lists"
munchkin      = "123-ABC-456"
url           = "http://127.0.0.1:{marketing}"
client_id     = "made-up"
client_secret = {{ file = "key.txt" }}

"""


def write(folder: Path, meant: Mapping[str, Meant]) -> None:
    """Put the file in place."""
    text = HEAD.format(**PORTS) + "\n".join(one.block for one in meant.values())
    (folder / "personas.toml").write_text(text, encoding="utf-8")
    (folder / "key.txt").write_text("made-up", encoding="utf-8")


def read(folder: Path) -> Config:
    """What the file says."""
    file = folder / "personas.toml"
    return _loaded(file, file.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=4)
def _loaded(file: Path, text: str) -> Config:
    """Reading it takes as long as a part of a run."""
    del text
    return load(file)
