"""The workspace of a team, all of it in one warehouse: users with a flag, an audience of the flagged, and the state."""

from pathlib import Path

from tests.postgres_server.server import Server

CONFIG = """
[warehouse]
type = "{type}"
connection = "{connection}"

[state]
store = "warehouse"
schema = "{schema}"

[source]
users = {{ table = "{schema}_users", id = "user_id" }}

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


def make(folder: Path, url: str, schema: str, kind: str = "postgres", connection: str = "shop") -> None:
    """Write the workspace into a folder: what each of the team has in git."""
    folder.mkdir(exist_ok=True)
    (folder / "key.txt").write_text("made-up", encoding="utf-8")
    text = CONFIG.format(url=url, schema=schema, type=kind, connection=connection)
    (folder / "personas.toml").write_text(text, encoding="utf-8")


def set_vips(server: Server, schema: str, vips, everybody) -> None:
    """Make these users the wanted ones."""
    wanted = set(vips)
    with server.connect() as connection, connection.transaction():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {schema}_users (user_id text, email text, vip boolean)")
        connection.execute(f"DELETE FROM {schema}_users")
        with connection.cursor().copy(f"COPY {schema}_users FROM STDIN") as copy:
            for user in sorted(wanted | set(everybody)):
                copy.write_row((user, f"{user}@example.com", user in wanted))
