"""Texts that must not be found where they do not belong: made-up secrets, and made-up people."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import polars as pl

import personas_kit.notebook  # noqa: F401  (cards are made by it)
from personas_kit.config import load
from personas_kit.opening import open_warehouse
from personas_kit.workspace import Workspace

SECRETS = {
    "HOOK_SECRET": "canary-hook-5d1f0c",
    "WRITE_KEY": "canary-write-key-77ab21",
    "API_KEY": "canary-api-key-90e4d2",
    "ACCESS_TOKEN": "canary-access-token-3c8b6a",
}
#: What each person's data is recognised by, plain or as it stands in a form or in JSON.
PERSONAL = {
    "an address": re.compile(r"canary\d*\.person|private-mail", re.IGNORECASE),
    "a telephone number": re.compile(r"49[ ]?170555"),
    "a name": re.compile(r"Zzcanary", re.IGNORECASE),
}
#: The address of a webhook holds a secret now and then.
IN_A_PATH = "canary-path-token-b1946a"
SECRET = re.compile("|".join(map(re.escape, [*SECRETS.values(), IN_A_PATH])))

CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users       = {{ table = "users", id = "user_id" }}
accounts    = {{ table = "accounts", id = "account_id" }}
memberships = {{ table = "memberships", user = "user_id", account = "account_id" }}
events      = {{ table = "events", name = "event", at = "at", user = "user_id", id = "id" }}

[destinations.seg]
type = "segment"
url = "{url}"
write_key = {{ env = "WRITE_KEY" }}

[destinations.amp]
type = "amplitude"
url = "{url}"
api_key = {{ env = "API_KEY" }}

[destinations.rudder]
type = "rudderstack"
url = "{url}/rudderstack"
write_key = {{ env = "WRITE_KEY" }}

[destinations.hook]
type = "webhook"
url = "{url}/webhook/{path}"
secret = {{ env = "HOOK_SECRET" }}

[destinations.ads]
type = "facebook-custom-audiences"
url = "{url}"
access_token = {{ env = "ACCESS_TOKEN" }}

[[audience]]
name = "Vips"
where = "trait('vip') = true AND event('Signed Up').count() >= 1"
to = [
    {{ destination = "seg", ids = {{ email = "email", phone = "phone" }} }},
    {{ destination = "amp", ids = {{ email = "email", phone = "phone" }} }},
    {{ destination = "rudder", ids = {{ email = "email", name = "full_name" }} }},
    {{ destination = "hook", ids = {{ email = "email", name = "full_name" }} }},
    {{ destination = "ads", list = "1", ids = {{ email = "email", phone = "phone", first_name = "full_name" }} }},
]

[[trait]]
name = "last_phone"
value = "event('Signed Up').last('phone')"
to = [{{ destination = "seg", ids = {{ email = "email" }} }}]

[[account_audience]]
name = "Teams"
where = "ANY (trait('vip') = true)"
to = [{{ destination = "seg", send = ["identify", "group"] }}]
"""

PEOPLE = 12


def make(folder: Path, url: str) -> None:
    """A workspace of a dozen people, each with an address, a number and a name that would be recognised."""
    (folder / "personas.toml").write_text(CONFIG.format(url=url, path=IN_A_PATH), encoding="utf-8")
    numbers = range(PEOPLE)
    users = pl.DataFrame(
        {
            "user_id": [f"user_{n}" for n in numbers],
            "email": [f"canary{n}.person@private-mail.example" for n in numbers],
            "phone": [f"+49170555{n:04}" for n in numbers],
            "mobile": [49_170_555_0000 + n for n in numbers],
            "full_name": [f"Zzcanary{n}" for n in numbers],
            "contacts": [[f"canary{n}.person@private-mail.example"] for n in numbers],
            "vip": [True] * PEOPLE,
        }
    )
    accounts = pl.DataFrame({"account_id": ["acme"], "billing_email": ["canary.person@private-mail.example"]})
    memberships = pl.DataFrame({"user_id": users["user_id"], "account_id": ["acme"] * PEOPLE})
    events = pl.DataFrame(
        {
            "id": [f"e{n}" for n in numbers],
            "event": ["Signed Up"] * PEOPLE,
            "at": ["2026-10-01T00:00:00"] * PEOPLE,
            "user_id": users["user_id"],
            "phone": users["phone"],
            "email": users["email"],
        }
    ).with_columns(pl.col("at").str.to_datetime())
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        for name, frame in {
            "users": users, "accounts": accounts, "memberships": memberships, "events": events,
        }.items():  # fmt: skip
            connection.register("frame", frame)
            connection.execute(f"create or replace table {name} as select * from frame")


def change(folder: Path, statement: str) -> None:
    """Something happens in the warehouse."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute(statement)


def opened(folder: Path, clock=None) -> Workspace:
    """Open it."""
    config = load(folder / "personas.toml")
    return Workspace(config, open_warehouse(config), clock=clock)


def secrets_in(text: str) -> list[str]:
    """The secrets in a text."""
    return sorted(set(SECRET.findall(text)))


def canaries_in(text: str) -> list[str]:
    """The secrets in a text, and which personal data, with its surroundings."""
    found = [f"{what}: {text[max(0, m.start() - 60) : m.end() + 20]}" for what, seen in PERSONAL.items()
             for m in seen.finditer(text)]  # fmt: skip
    return secrets_in(text) + found[:5]


def parts(thing: object) -> Iterator[object]:
    """Every object of the kit that a thing is made of."""
    if type(thing).__module__.startswith("personas_kit"):
        yield thing
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        for of in dataclasses.fields(thing):
            yield from parts(getattr(thing, of.name))
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from parts(value)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from parts(value)


def shown(thing: object) -> str:
    """Everything that a front end or a log makes of a result."""
    texts = [repr(thing), str(thing), f"{thing}"]
    displays = [name for name in ("_repr_html_", "_repr_mimebundle_") if hasattr(thing, name)]
    texts += [str(getattr(thing, name)()) for name in displays]
    texts += [repr(part) for part in parts(thing)]
    return "\n".join(texts)
