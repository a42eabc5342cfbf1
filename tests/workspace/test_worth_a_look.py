"""What is worth a look, where a person meets it: in ``personas check``, on the card of a preview, after a rename."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb
import pytest

from personas_kit import Audience, event, prop, trait
from personas_kit.catalogue import Event, Trait
from personas_kit.checks import check_workspace
from personas_kit.cli import main
from personas_kit.insight.data_lint import looked_up
from personas_kit.notebook.preview_card import preview_card
from personas_kit.opening import open_workspace
from personas_kit.sandbox import Sandbox
from personas_kit.testing import happened
from personas_kit.testing import workspace as literal
from tests import small

AS_OF = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
CONFIG = """
[warehouse]
path = "warehouse.duckdb"

[source]
users = { table = "users", id = "user_id", since = "created_at" }
events = { table = "events", name = "event", at = "sent_at", user = "user_id", properties = "document" }

[[audience]]
name = "Big orders"
where = "event('Order Completed').where(property('revenu') > 5).count() >= 1"

[[audience]]
name = "By coupon"
where = "event('Order Completed').where(property('coupon') = 'X').count() >= 1 AND trait('plan') = 'pro'"

[[audience]]
name = "Signed up"
where = "event('Signed Up').count() >= 1"

[[audience]]
name = "Right"
where = "event('Order Completed').where(property('revenue') > 5).count() >= 1"
"""
#: 120 orders of yesterday, one with a coupon; one sign-up of two months ago; 101 users, one with a plan.
TABLES = """
CREATE TABLE users AS SELECT 'u' || i AS user_id, TIMESTAMP '2020-01-01' AS created_at,
  CASE WHEN i = 0 THEN 'pro' END AS plan FROM range(101) n(i);
CREATE TABLE events AS SELECT 'Order Completed' AS event, (now() AT TIME ZONE 'UTC') - INTERVAL 1 DAY AS sent_at,
  'u' || i % 101 AS user_id,
  CAST(CASE WHEN i = 0 THEN '{"revenue": 9, "coupon": "X"}' ELSE '{"revenue": 9}' END AS JSON) AS document
  FROM range(120) n(i);
INSERT INTO events VALUES ('Signed Up', (now() AT TIME ZONE 'UTC') - INTERVAL 60 DAY, 'u1', '{}');
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "personas.toml").write_text(CONFIG, encoding="utf-8")
    with duckdb.connect(tmp_path / "warehouse.duckdb") as con:
        con.execute(TABLES)
    return tmp_path


@pytest.fixture
def check(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs ``personas check`` in the folder: the exit code and what it printed."""
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["check", *arguments])
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


# -------------------------------------------------------------------------------------------------------------- check


def test_check_says_what_the_data_says_of_every_definition(check):
    code, said = check("--json")

    warnings = [(line["what"], *line["message"].split("\n")) for line in json.loads(said) if line["level"] == "warning"]
    rare = "no comparison holds for those without it: is another one meant, or should it be filled?"
    zone = 'if it is, say so: timezone = "UTC" under [source]; if not, convert it in a view of the warehouse'
    lately = "events of the last 30 days"
    assert code == 0
    assert warnings == [
        (
            "audience big_orders",
            f"'revenu' of 'Order Completed' is in none of 120 {lately}: property('revenu') > 5",
            "did you mean 'revenue'?",
        ),
        (
            "audience by_coupon",
            f"'coupon' of 'Order Completed' is there in 1 of 120 {lately}: property('coupon') = 'X'",
            rare,
        ),
        ("audience by_coupon", "'plan' is there in 1 of 101 users: trait('plan') = 'pro'", rare),
        (
            "audience signed_up",
            "'Signed Up' has not happened in the last 30 days: event('Signed Up')",
            "if it has another name now, write that; ws.events lists them",
        ),
        ("times", "a time without a time zone is read as UTC: users.created_at", zone),
        ("times", "a time without a time zone is read as UTC: events.sent_at", zone),
    ]


def test_check_shows_it_to_people_beside_the_definition(check):
    code, said = check()

    assert code == 0
    assert "did you mean 'revenue'?" in said
    assert "6 to know about, 0 wrong" in said


def test_a_definition_that_does_not_compile_is_wrong_once(folder, check):
    file = folder / "personas.toml"
    file.write_text(CONFIG.replace("event('Signed Up')", "event('Signed Upp')"), encoding="utf-8")

    code, said = check("--json")

    own = [line for line in json.loads(said) if line["what"] == "audience signed_up"]
    assert code == 1
    assert [line["level"] for line in own] == ["wrong"]
    assert "did you mean 'Signed Up'" in own[0]["message"]


def test_check_says_why_it_did_not_look(folder, check):
    with duckdb.connect(folder / "warehouse.duckdb") as con:
        con.execute("ALTER TABLE events ALTER document TYPE VARCHAR")
        con.execute("UPDATE events SET document = '{' WHERE user_id = 'u3'")

    code, said = check("--json")

    (found,) = [line["message"] for line in json.loads(said) if line["what"] == "data"]
    assert code == 0
    assert found.splitlines()[0] == "the data was not looked at: events"
    assert "DuckDB refused the query: " in found
    assert "u3" not in found
    assert "'plan' is there in 1 of 101 users" in said  # the other table was


def test_state_that_cannot_be_read_is_said_and_the_check_goes_on(folder, check):
    (folder / ".personas").mkdir()
    (folder / ".personas" / "state.sqlite").write_bytes(b"no database, but as long as the header of one has to be" * 40)

    code, said = check("--json")

    lines = json.loads(said)
    assert code == 1
    assert [line["level"] for line in lines if line["what"] == "state"] == ["wrong"]
    assert any(line["what"] == "audience right" for line in lines)


# ----------------------------------------------------------------------------------------------------------- previews


def test_a_preview_shows_what_the_data_says(folder):
    workspace = open_workspace(folder)

    card = workspace.preview("big_orders")

    assert [warned.code for warned in card.warnings] == ["unknown_property"]
    assert "did you mean &#x27;revenue&#x27;?" in preview_card(card)
    assert "1 to know about" in repr(card)
    assert card.to_dict()["warnings"][0]["hint"] == "did you mean 'revenue'?"
    assert workspace.preview("right").warnings == ()
    workspace.close()


def test_a_preview_looks_at_the_days_before_its_own_instant():
    orders = [happened("u1", "Order Completed", "2026-02-10", coupon="X"), happened("u1", "Signed Up", "2026-01-05")]
    signed_up = Audience("Signed up", event("Signed Up").where(prop("coupon") == "X").count() >= 1)
    ws = literal(as_of=AS_OF, users=["u1"], events=orders)

    now, then = ws.preview(signed_up), ws.preview(signed_up, as_of="2026-01-10")

    assert [warned.code for warned in now.warnings] == ["not_seen"]
    assert [(warned.code, warned.what) for warned in then.warnings] == [
        ("rarely_there", "'coupon' of 'Signed Up' is there in 0 of 1 events of the last 30 days")
    ]
    ws.close()


def test_several_previews_ask_once_for_all(folder, monkeypatch):
    workspace, tags = open_workspace(folder), []
    query = workspace.warehouse.query

    def seen(statement, params, *, tag=""):
        tags.append(json.loads(tag)["key"])
        return query(statement, params, tag=tag)

    monkeypatch.setattr(workspace.warehouse, "query", seen)

    cards = workspace.preview(["big_orders", "by_coupon", "right"])

    assert tags.count("lint") == 2  # events and users
    assert [[warned.code for warned in card.warnings] for card in cards] == [
        ["unknown_property"], ["rarely_there", "rarely_there"], [],
    ]  # fmt: skip
    workspace.close()


def test_a_preview_that_cannot_look_says_so_and_is_shown(folder):
    with duckdb.connect(folder / "warehouse.duckdb") as con:
        con.execute("ALTER TABLE events ALTER document TYPE VARCHAR")
        con.execute(
            "INSERT INTO events VALUES ('Order Completed', (now() AT TIME ZONE 'UTC') - INTERVAL 20 DAY, 'u1', '{')"
        )
    workspace = open_workspace(folder)

    card = workspace.preview(
        Audience("Week", event("Order Completed").within(days=7).where(prop("revenue") > 5).count() >= 1)
    )

    assert card.size == 101
    assert [(warned.code, warned.part) for warned in card.warnings] == [("not_looked", "events")]
    workspace.close()


def test_what_catalogues_know_is_enough_for_some_of_it(folder):
    source = open_workspace(folder).source
    events = [
        Event("Order Completed", 12_000_000, AS_OF, AS_OF, lambda _: None, *[lambda *_: None] * 2),
        Event("Signed Up", 4, AS_OF, AS_OF - dt.timedelta(days=30), lambda _: None, *[lambda *_: None] * 2),
    ]
    traits = [
        Trait("plan", "text", 3, 3 / 700, "", trait("plan"), lambda _: None),
        Trait("spend", "", None, None, "sum", trait("spend"), lambda _: None),
    ]

    counts = looked_up(source, AS_OF, events, {"user": traits, "account": []})

    assert counts.lines == {("events", ""): 12_000_004, ("events", "Signed Up"): 0, ("users", ""): 700}
    assert [(spot.column.name, filled) for spot, filled in counts.filled.items()] == [("plan", 3)]
    assert looked_up(source, AS_OF, [], {"user": [], "account": []}).lines == {}


# ------------------------------------------------------------------------------------------------------------ renamed


@pytest.fixture
def renamed(tmp_path):
    """Ten vips were pushed, and then somebody called them otherwise."""
    with Sandbox() as sandbox:
        small.make(tmp_path, sandbox.url, [f"u{n}" for n in range(10)])
        workspace = small.opened(tmp_path)
        assert workspace.plan("vips").push().complete
        workspace.close()
        file = tmp_path / "personas.toml"
        text = file.read_text(encoding="utf-8").replace('"Vips"', '"Our vips"')
        other = '\n[[audience]]\nname = "Far away"\nwhere = "trait(\'vip\') = false"\n'
        file.write_text(text + other, encoding="utf-8")
        yield tmp_path


def about_state(folder):
    """What is said of the state, but for that it can be written."""
    return [found for found in check_workspace(folder) if found.what == "state" and found.level != "right"]


def test_a_key_that_was_pushed_and_is_gone_is_said_by_check(renamed):
    found = [finding.message for finding in about_state(renamed)]

    (said,) = found
    assert said == (
        "no definition has this key any more, and its members stay until exits are sent "
        "(10 at ads (list), 10 at analytics (identify), 10 at analytics (track)): vips\n"
        "if it is 'our_vips' now, write key = 'vips' there, and nothing is sent twice; if it is gone, "
        "personas remove vips takes everyone out"
    )


def test_a_preview_of_the_renamed_one_says_it_and_no_other(renamed):
    workspace = small.opened(renamed)

    cards = workspace.preview(["our_vips", "far_away"])

    assert [[(warned.code, warned.part) for warned in card.warnings] for card in cards] == [
        [("renamed_key", "vips")],
        [],
    ]
    workspace.close()


def test_with_the_key_kept_there_is_nothing_to_say(renamed):
    file = renamed / "personas.toml"
    text = file.read_text(encoding="utf-8").replace('"Our vips"', '"Our vips"\nkey = "vips"')
    file.write_text(text, encoding="utf-8")

    assert about_state(renamed) == []
    workspace = small.opened(renamed)
    assert workspace.preview("vips").warnings == ()
    assert {change.enter for change in workspace.preview("vips").changes} == {0}
    workspace.close()


def test_what_a_reset_has_forgotten_is_not_left(renamed):
    workspace = small.opened(renamed)
    for sync, _ in workspace.store.syncs():
        with workspace.store.lock(sync):
            workspace.store.reset(sync)

    assert about_state(renamed) == []
    assert workspace.preview("our_vips").warnings == ()
    workspace.close()
