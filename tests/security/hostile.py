"""A workspace in which every id, every event, every property and every value is hostile."""

import datetime as dt
import json
from pathlib import Path

import duckdb
import polars as pl

import personas_kit as pk
from personas_kit import event, prop, trait
from tests.security.payloads import PAYLOADS

CONFIG = """
[warehouse]
path = "warehouse.duckdb"
[source]
users       = {{ table = "users", id = "user_id" }}
accounts    = {{ table = "accounts", id = "account_id" }}
memberships = {{ table = "memberships", user = "user_id", account = "account_id" }}
events      = {{ table = "events", name = "event", at = "at", user = "user_id", id = "id", properties = "properties" }}
[destinations.seg]
type = "segment"
url = "{url}"
write_key = {{ env = "WRITE_KEY" }}
"""
START = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)


def usable(text):
    """DuckDB's texts hold no NUL."""
    return text.replace("\x00", "")


def audience(texts):
    """An audience in whose name, condition and values the texts stand."""
    where = trait("note").exists()
    for text in map(usable, texts):
        where &= (event(text).where(prop(text) == text).count() >= 1) | (trait("note") == text) | trait("tags").exists()
    return pk.Audience(f"A {usable(' '.join(texts))}", where, key="hostile")


def make(folder: Path, url: str) -> None:
    """The workspace's file and its warehouse."""
    (folder / "personas.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
    texts = [*map(usable, PAYLOADS)]
    tables = {
        "users": pl.DataFrame({"user_id": texts, "note": texts, "tags": [[text] for text in texts]}),
        "accounts": pl.DataFrame({"account_id": texts, "name": texts}),
        "memberships": pl.DataFrame({"user_id": texts, "account_id": texts}),
        "events": pl.DataFrame(
            {
                "id": texts,
                "event": texts,
                "at": [START + dt.timedelta(hours=n) for n in range(len(texts))],
                "user_id": texts,
                "properties": [json.dumps({text: text}) for text in texts],
            }
        ),
    }
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        for name, frame in tables.items():
            connection.register("frame", frame)
            columns = "* replace (properties::json as properties)" if name == "events" else "*"
            connection.execute(f"create table {name} as select {columns} from frame")


def one_of_each(workspace) -> dict[str, object]:
    """Kinds of results, with all the payloads in each: what changes and what fails, who and why."""
    everyone = pk.Audience("Everyone", trait("note").exists(), key="everyone")
    notes = pk.Trait("Notes", trait("note"), key="notes")
    teams = pk.AccountAudience("Teams", pk.any_user(trait("note").exists()), key="teams")
    workspace.add(everyone, notes, teams)
    made = {}
    for definition in (everyone, notes, teams):
        made[f"preview {definition.key}"] = workspace.preview(definition)
        made[f"plan {definition.key}"] = plan = workspace.plan(definition, to="seg")
        made[f"report {definition.key}"] = plan.push()
    made["previews"] = workspace.preview([everyone, notes])
    made["status"] = workspace.status()
    made |= {
        "events": workspace.events,
        "traits": workspace.traits,
        "accounts": workspace.accounts,
        "run": workspace.run(),
    }
    made["forecast"] = workspace.forecast_exits(everyone, 3)
    made |= {"values": workspace.traits["note"].common, "explored": workspace.explore()}
    return made
