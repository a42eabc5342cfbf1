"""A workspace small enough to read: users with a flag, an audience of the flagged, two destinations."""

from pathlib import Path

import duckdb
import polars as pl

from personas_kit.activation.delivery import Delivery
from personas_kit.config import load
from personas_kit.opening import open_warehouse
from personas_kit.workspace import Workspace

CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users = {{ table = "users", id = "user_id" }}

[destinations.analytics]
type = "segment"
url  = "{url}"
write_key = {{ file = "key.txt" }}

[destinations.ads]
type = "facebook-custom-audiences"
url  = "{url}"
access_token = {{ file = "key.txt" }}

[[audience]]
name  = "Vips"
where = "trait('vip') = true"
to    = [
    {{ destination = "analytics", send = ["identify", "track"] }},
    {{ destination = "ads", list = "1", ids = {{ email = "email" }} }},
]
"""


def set_vips(folder: Path, vips, everybody=None) -> None:
    """Make these users the wanted ones. Everybody who ever was stays a user."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create table if not exists users (user_id varchar, email varchar, vip boolean)")
        known = {row[0] for row in connection.execute("select user_id from users").fetchall()}
        wanted = set(vips)
        names = sorted(known | wanted | set(everybody or ()))
        people = pl.DataFrame({"user_id": pl.Series(names, dtype=pl.String)}).with_columns(
            email=pl.col("user_id") + "@example.com", vip=pl.col("user_id").is_in(sorted(wanted))
        )
        connection.register("people", people)
        connection.execute("create or replace table users as select * from people")


def make(folder: Path, url: str, vips) -> None:
    """Write the workspace into a folder."""
    (folder / "key.txt").write_text("made-up", encoding="utf-8")
    (folder / "personas.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
    set_vips(folder, vips)


def opened(folder: Path, clock=None, connect=None) -> Workspace:
    """Open it, as another process would."""
    config = load(folder / "personas.toml")
    workspace = Workspace(config, open_warehouse(config), clock=clock)
    if connect is not None:
        delivery = Delivery(workspace.store, workspace._clock, connect)
        workspace = Workspace(config, open_warehouse(config), clock=clock, delivery=delivery)
    return workspace


def received(sandbox) -> set[str]:
    """Who the receiver takes for a vip, by identify."""
    return {user for user, traits in sandbox.users().items() if traits.get("vips") is True}


def on_the_list(sandbox) -> int:
    """How many addresses are on the list."""
    return len(sandbox.lists().get("1", set()))
