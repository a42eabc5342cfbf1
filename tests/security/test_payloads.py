"""Whatever a value, an id or an identifier says, it arrives as that text and adds nothing to a request."""

import duckdb
import polars as pl
import pytest

from personas_kit.sandbox import Sandbox
from tests.security.canaries import opened

TEXTS = [
    '1,"admin":true',
    '"}],"batch":[{"type":"identify","userId":"root","traits":{"admin":true}}]}',
    "true",
    "null",
    "123",
    "+4917055512345",
    "{}",
    '\\","x":"\\',
    "a&identification=[]&api_key=other",
    "a%22%2C%22admin%22%3Atrue",
    "\u2028\u2029</script>",
    "tab\tline\nend\r\n",
    "\x7f\x80\ud7ff\ue000\U0010ffff",
]

CONFIG = """
[warehouse]
path = "warehouse.duckdb"
[source]
users = {{ table = "users", id = "user_id" }}
accounts = {{ table = "accounts", id = "account_id" }}
memberships = {{ table = "memberships", user = "user_id", account = "account_id" }}
{destinations}
[[trait]]
name  = "note_now"
value = "trait('note')"
to = [{to}]
[[account_trait]]
name  = "account_note"
value = "account_trait('note')"
to = [{to_accounts}]
"""
DESTINATIONS = {
    "seg": ("segment", "", "write_key", "WRITE_KEY"),
    "amp": ("amplitude", "", "api_key", "API_KEY"),
    "rudder": ("rudderstack", "/rudderstack", "write_key", "WRITE_KEY"),
    "hook": ("webhook", "/webhook", "secret", "HOOK_SECRET"),
}


@pytest.fixture(scope="module")
def received(tmp_path_factory):
    """What every destination got, from a workspace in which everything that can be is one of the texts."""
    folder = tmp_path_factory.mktemp("payloads")
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        blocks = []
        for name, (kind, path, setting, variable) in DESTINATIONS.items():
            patch.setenv(variable, "made-up")
            url, reference = f"{sandbox.url}{path}", f'{{ env = "{variable}" }}'
            blocks.append(f'[destinations.{name}]\ntype = "{kind}"\nurl = "{url}"\n{setting} = {reference}')
        to = ", ".join(f'{{ destination = "{name}", ids = {{ email = "note" }} }}' for name in DESTINATIONS)
        accounts = ", ".join(f'{{ destination = "{name}", send = ["group"] }}' for name in DESTINATIONS)
        text = CONFIG.format(destinations="\n".join(blocks), to=to, to_accounts=accounts)
        (folder / "personas.toml").write_text(text, encoding="utf-8")
        users = pl.DataFrame({"user_id": TEXTS, "note": TEXTS})
        tables = {
            "users": users,
            "accounts": users.rename({"user_id": "account_id"}),
            "memberships": pl.DataFrame({"user_id": TEXTS, "account_id": TEXTS}),
        }
        with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
            for table, frame in tables.items():
                connection.register("frame", frame)
                connection.execute(f"create table {table} as select * from frame")
        workspace = opened(folder)
        assert workspace.plan("note_now").push().complete
        assert workspace.plan("account_note").push().complete
        workspace.close()
        kinds = [kind for kind, *_ in DESTINATIONS.values()]
        names = {kind: next(name for name in sandbox.summary()["accounts"] if name.startswith(kind)) for kind in kinds}
        yield {kind: (sandbox.users(names[kind]), sandbox.accounts(names[kind])) for kind in kinds}


@pytest.mark.parametrize("kind", [kind for kind, *_ in DESTINATIONS.values()])
def test_texts_arrive_as_they_are_and_add_nothing(received, kind):
    users, accounts = received[kind]

    assert users == {text: {"note_now": text, "email": text.strip()} for text in TEXTS}
    assert accounts == {text: {"account_note": text} for text in TEXTS}
