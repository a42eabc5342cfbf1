"""From a warehouse that nobody has described to a first preview: on three layouts that differ, and on real data."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pytest

import personas_kit.notebook  # noqa: F401 - how things look
from personas_kit.cli import main
from personas_kit.definitions import AccountAudience, Audience, Trait, account_trait, any_user, event, prop
from personas_kit.opening import open_workspace
from tests.onboarding.layouts import HOME_GROWN, RUDDERSTACK, SEGMENT, statements

AS_OF = "2026-03-01"
SOURCES = Path(__file__).parents[2] / "sql" / "sources"
REAL = Path(__file__).parents[2].parent / "shared" / "data" / "openstack_b2b"
ORDER = "Order Completed"
#: What is expected of each: the ids of Ann, Bo, Cy; of Acme and Bolt; how a property is read.
PEOPLE: dict[str, tuple[Any, Any, Any]] = {
    "segment": ("u1", "u2", "u3"),
    "rudderstack": ("u1", "u2", "u3"),
    "home_grown": (1, 2, 3),
}
COMPANIES: dict[str, tuple[Any, Any]] = {"segment": ("a1", "a2"), "rudderstack": ("a1", "a2"), "home_grown": (10, 20)}
SIZE = {"segment": "employees", "rudderstack": "employees", "home_grown": "size"}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command: its exit code, and what it printed."""

    def run(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return int(ended.value.code or 0), said.out + said.err

    return run


def make(file: Path, *scripts: str) -> Path:
    """A DuckDB file of these statements."""
    with duckdb.connect(file) as con:
        for script in scripts:
            for statement in statements(script):
                con.execute(statement)
    return file


def written(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "personas.toml").read_text(encoding="utf-8"))


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    return make(tmp_path / "shop.duckdb", SEGMENT)


@pytest.fixture
def rudderstack(tmp_path: Path) -> Path:
    accounts, _ = statements((SOURCES / "rudderstack.sql").read_text(encoding="utf-8"))
    return make(tmp_path / "shop.duckdb", RUDDERSTACK, accounts)


@pytest.fixture
def home_grown(tmp_path: Path) -> Path:
    return make(tmp_path / "shop.duckdb", HOME_GROWN)


# ------------------------------------------------------------------------------------------------------ what is written


def test_segments_layout_is_recognised_with_a_table_for_each_event(segment: Path, run: Any) -> None:
    code, said = run("init", "--duckdb", segment, "--folder", segment.parent, "--yes")

    assert code == 0
    assert "Segment's layout" in said
    source = written(segment.parent)["source"]
    assert source["users"] == {"table": "users", "id": "id"}
    assert source["accounts"] == {"table": "accounts", "id": "id"}
    assert source["memberships"]["table"] == "groups"
    assert source["identities"] == {
        "table": "identifies", "user": "user_id", "value": "anonymous_id", "since": "timestamp",
    }  # fmt: skip
    assert source["events"]["tables"] == {"Order Completed": "order_completed", "Signed In": "signed_in"}
    assert source["events"]["table"] == "tracks"


def test_an_event_that_only_users_or_only_strangers_do_has_a_table_without_the_other_column(
    segment: Path, run: Any
) -> None:
    make(
        segment,
        "ALTER TABLE order_completed DROP anonymous_id;\nALTER TABLE signed_in DROP user_id;\n"
        "ALTER TABLE tracks ADD context_group_id TEXT;",
    )

    code, said = run("init", "--duckdb", segment, "--folder", segment.parent, "--yes")

    assert code == 0, said
    assert written(segment.parent)["source"]["events"]["tables"] == {
        "Order Completed": "order_completed", "Signed In": "signed_in",
    }  # fmt: skip
    ws = open_workspace(segment.parent / "personas.toml")
    try:
        where = (event(ORDER).sum("revenue") >= 10) & (event("Signed In").count() == 0)
        assert [*ws.members(Audience("A", where), as_of=AS_OF)["user_id"]] == ["u3"]
    finally:
        ws.close()


@pytest.mark.parametrize("users", ["users", "personas_users"])
def test_without_a_table_of_all_events_each_is_called_as_its_table_is(users: str, segment: Path, run: Any) -> None:
    *_, view = statements((SOURCES / "rudderstack.sql").read_text(encoding="utf-8"))
    make(segment, "DROP TABLE tracks;\nCREATE TABLE rudder_discards (column_name TEXT);")
    if users == "personas_users":
        make(segment, "DROP TABLE users;", view)

    code, said = run("init", "--duckdb", segment, "--folder", segment.parent, "--yes")

    assert code == 0, said
    assert "RudderStack's layout" in said
    assert "there is no table tracks" in said
    source = written(segment.parent)["source"]
    assert source["users"]["table"] == users
    assert source["events"]["tables"] == {"order_completed": "order_completed", "signed_in": "signed_in"}
    assert "table" not in source["events"]
    ws = open_workspace(segment.parent / "personas.toml")
    try:
        buyers = Audience("A", event("order_completed").sum("revenue") >= 10)
        identified = {"users": ["u1", "u2", "u3"], "personas_users": ["u1", "u2"]}  # there was no call for the third
        assert sorted(ws.members(buyers, as_of=AS_OF)["user_id"]) == identified[users]
    finally:
        ws.close()


def test_rudderstacks_layout_is_recognised_with_its_json(rudderstack: Path, run: Any) -> None:
    code, said = run("init", "--duckdb", rudderstack, "--folder", rudderstack.parent, "--yes")

    assert code == 0
    assert "RudderStack's layout" in said
    source = written(rudderstack.parent)["source"]
    assert source["accounts"] == {"table": "personas_accounts", "id": "group_id"}
    assert source["events"]["properties"] == "properties"
    assert "tables" not in source["events"]


def test_a_home_grown_layout_is_recognised_by_names_and_types(home_grown: Path, run: Any) -> None:
    code, said = run("init", "--duckdb", home_grown, "--folder", home_grown.parent, "--yes")

    assert code == 0
    assert "home-grown layout" in said
    source = written(home_grown.parent)["source"]
    assert source == {
        "users": {"table": "dim_customers", "id": "customerId", "since": "created"},
        "accounts": {"table": "organisations", "id": "id"},
        "memberships": {
            "table": "org_members", "user": "customer_id", "account": "organisation_id",
            "valid_from": "start_date", "valid_to": "end_date",
        },
        "identities": {"table": "devices", "user": "customer_id", "value": "device_id", "since": "linked_at"},
        "events": {
            "table": "activity_log", "name": "action", "at": "occurred_at", "user": "customer_id",
            "anonymous": "device_id", "account": "org_id", "id": "uuid", "properties": "payload",
        },
    }  # fmt: skip


def test_the_events_of_snowplow_are_recognised_beside_users_of_ones_own(tmp_path: Path, run: Any) -> None:
    file = make(
        tmp_path / "shop.duckdb",
        """
        CREATE TABLE users (id TEXT, plan TEXT);
        INSERT INTO users VALUES ('u1', 'pro');
        CREATE SCHEMA atomic;
        CREATE TABLE atomic.events (app_id TEXT, etl_tstamp TIMESTAMP, collector_tstamp TIMESTAMP, event TEXT,
          event_id TEXT, user_id TEXT, domain_userid TEXT, network_userid TEXT, event_name TEXT,
          derived_tstamp TIMESTAMP);
        INSERT INTO atomic.events VALUES ('shop', '2026-02-20', '2026-02-20', 'unstruct', 'e1', 'u1', 'x1', 'n1',
          'add_to_basket', '2026-02-20');
        """,
    )

    code, said = run("init", "--duckdb", file, "--folder", tmp_path, "--yes")

    assert code == 0, said
    assert written(tmp_path)["source"]["events"] == {
        "table": "events", "name": "event_name", "at": "derived_tstamp", "user": "user_id",
        "anonymous": "domain_userid", "id": "event_id",
    }  # fmt: skip


def test_the_evidence_stands_beside_every_part(home_grown: Path, run: Any) -> None:
    _, said = run("init", "--duckdb", home_grown, "--folder", home_grown.parent, "--yes")
    text = (home_grown.parent / "personas.toml").read_text(encoding="utf-8")

    for words in (
        "3 lines, each once",
        "4 lines, 3 users in 2 accounts, 1 in several",
        "2 anonymous ids of 2 users",
        "4 lines, 2025-09-01 to 2026-02-21; 75 % name a user; 100 % of the anonymous ones resolve",
    ):
        assert words in said
        assert words in text
    assert "next: personas" in said.casefold()


# ------------------------------------------------------------------------------------------------------- what it is for


@pytest.mark.parametrize("layout", ["segment", "rudderstack", "home_grown"])
def test_the_same_people_are_found_in_every_layout(layout: str, run: Any, request: pytest.FixtureRequest) -> None:
    file: Path = request.getfixturevalue(layout)
    run("init", "--duckdb", file, "--folder", file.parent, "--yes")
    ws = open_workspace(file.parent)
    (ann, bo, cy), (acme, bolt) = PEOPLE[layout], COMPANIES[layout]
    bought = event(ORDER).within(days=30).count() >= 1
    large = prop("revenue", "number") if layout != "segment" else prop("revenue")

    def who(where: Any) -> list[Any]:
        return sorted(ws.members(Audience("A", where), as_of=AS_OF)["user_id"])

    assert who(bought) == [ann, bo]
    assert who(event(ORDER).count() >= 1) == [ann, bo, cy]
    assert who(event(ORDER).where(large >= 20).count() >= 1) == [bo, cy]
    spent = ws.members(Trait("Spent", event(ORDER).sum("revenue")), as_of=AS_OF)
    assert {user: float(value) for user, value in spent.iter_rows()} == {ann: 10, bo: 20, cy: 30}
    buying = AccountAudience("Buying", any_user(bought))
    assert sorted(ws.members(buying, as_of=AS_OF)["account_id"]) == [acme, bolt]
    grown = AccountAudience("Large", account_trait(SIZE[layout]) >= 100)
    assert ws.members(grown, as_of=AS_OF)["account_id"].to_list() == [acme]
    expanded = ws.members(grown, as_of=AS_OF, expand="users")
    assert sorted(expanded["user_id"]) == [ann, bo, cy]
    ws.close()


@pytest.mark.parametrize("layout", ["segment", "rudderstack", "home_grown"])
def test_the_next_command_it_names_works(layout: str, run: Any, request: pytest.FixtureRequest) -> None:
    file: Path = request.getfixturevalue(layout)
    _, said = run("init", "--duckdb", file, "--folder", file.parent, "--yes")
    command = next(line for line in said.splitlines() if line.startswith("Next: ")).removeprefix("Next: personas ")

    code, shown = run(*command.split())
    assert code == 0
    assert "2" in shown

    code, shown = run("-c", file.parent, "check")
    assert code == 0
    assert "0 wrong" in shown


@pytest.mark.parametrize("layout", ["segment", "rudderstack", "home_grown"])
def test_what_there_is_can_be_looked_at(layout: str, run: Any, request: pytest.FixtureRequest) -> None:
    file: Path = request.getfixturevalue(layout)
    run("init", "--duckdb", file, "--folder", file.parent, "--yes")
    ws = open_workspace(file.parent)
    ws._clock = ws._reader.clock = Clock()

    assert repr(ws.events) == "events: nobody has looked yet; list(...) does"
    order = ws.events.order_completed
    assert order is ws.events[ORDER]
    assert "order_completed" in dir(ws.events)
    assert ORDER in ws.events._ipython_key_completions_()
    found = {line["property"]: line for line in order.properties.to_dicts()}
    assert (found["revenue"]["filled"], found["revenue"]["share"]) == (2, 1.0)
    assert found["revenue"]["type"] in {"decimal", "number"}
    assert (found["coupon"]["filled"], found["coupon"]["type"]) == (1, "text")
    traits = {line["trait"]: line["filled"] for line in ws.traits.to_polars().to_dicts()}
    assert traits["plan"] == 2
    assert ws.accounts[SIZE[layout]].share == 1.0
    for catalogue, named in ((ws.events, ORDER), (order, "revenue"), (ws.traits, "plan"), (ws.accounts, SIZE[layout])):
        assert named in str(catalogue._repr_html_())
    ws.close()


class Clock:
    """It is the first of March."""

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 3, 1, tzinfo=dt.UTC)

    def monotonic(self) -> float:
        return 0.0


def test_accounts_that_only_events_name_have_the_users_of_these_events(tmp_path: Path, run: Any) -> None:
    file = make(
        tmp_path / "shop.duckdb",
        "CREATE TABLE users (id TEXT);\nCREATE TABLE companies (id TEXT, name TEXT);\n"
        "CREATE TABLE events (id TEXT, event TEXT, timestamp TIMESTAMP, user_id TEXT, company_id TEXT);\n"
        "INSERT INTO users VALUES ('u1'), ('u2');\nINSERT INTO companies VALUES ('c1', 'Acme'), ('c2', 'Bolt');\n"
        "INSERT INTO events VALUES ('e1', 'Ran', '2026-02-01', 'u1', 'c1'), ('e2', 'Ran', '2026-02-02', 'u1', 'c2'), "
        "('e3', 'Ran', '2026-03-02', 'u2', 'c2'), ('e3', 'Ran', '2026-03-02', 'u2', 'c2');",
    )

    code, said = run("init", "--duckdb", file, "--folder", tmp_path, "--yes")

    assert code == 0, said
    assert "1 in several" in said
    ws = open_workspace(tmp_path)
    ran = AccountAudience("Ran", any_user(event("Ran").count() >= 1))
    expanded = [
        {user: sorted(accounts) for user, accounts in ws.members(ran, as_of=day, expand="users").iter_rows()}
        for day in ("2026-02-02", "2026-03-01", "2026-03-03")
    ]
    assert expanded == [{"u1": ["c1", "c2"]}, {"u1": ["c1", "c2"]}, {"u1": ["c1", "c2"], "u2": ["c2"]}]
    ws.close()


# ----------------------------------------------------------------------------------------------------- what goes wrong


def test_a_file_that_is_there_is_left_alone(home_grown: Path, run: Any) -> None:
    (home_grown.parent / "personas.toml").write_text("# mine")

    code, said = run("init", "--duckdb", home_grown, "--folder", home_grown.parent)

    assert code == 1
    assert "left as it is" in said
    assert (home_grown.parent / "personas.toml").read_text() == "# mine"


def test_without_a_warehouse_the_ways_to_name_one_are_listed(tmp_path: Path, run: Any) -> None:
    code, said = run("init", "--folder", tmp_path)

    assert code == 2
    for way in ("--duckdb", "--files", "--snowflake", "--postgres", "personas demo"):
        assert way in said


def test_tables_of_other_names_can_be_named(tmp_path: Path, run: Any) -> None:
    file = make(
        tmp_path / "odd.duckdb",
        "CREATE TABLE folk (id TEXT, city TEXT);\nCREATE TABLE deeds (folk_id TEXT, verb TEXT, ts TIMESTAMP);\n"
        "INSERT INTO folk VALUES ('f1', 'Brno');\nINSERT INTO deeds VALUES ('f1', 'Ran', '2026-01-01');",
    )

    code, said = run("init", "--duckdb", file, "--folder", tmp_path, "--users", "folk", "--events", "deeds")

    assert code == 0, said
    assert written(tmp_path)["source"]["events"]["user"] == "folk_id"


def test_a_warehouse_without_such_tables_says_what_to_do(tmp_path: Path, run: Any) -> None:
    file = make(tmp_path / "odd.duckdb", "CREATE TABLE invoices (number INTEGER);\nCREATE TABLE stock (part TEXT);")

    code, said = run("init", "--duckdb", file, "--folder", tmp_path / "new")

    assert code == 1
    assert "no table looks like users or events, of invoices, stock" in said
    assert "--users TABLE --events TABLE" in said
    assert not (tmp_path / "new" / "personas.toml").exists()


def test_a_name_that_is_nearly_right_is_suggested(home_grown: Path, run: Any) -> None:
    code, said = run("init", "--duckdb", home_grown, "--folder", home_grown.parent / "new", "--users", "dim_customer")

    assert code == 1
    assert "did you mean 'dim_customers'" in said


def test_ids_of_two_types_are_named_with_their_types(tmp_path: Path, run: Any) -> None:
    file = make(
        tmp_path / "two.duckdb",
        "CREATE TABLE users (id BIGINT);\nCREATE TABLE events (user_id TEXT, event TEXT, timestamp TIMESTAMP);\n"
        "INSERT INTO users VALUES (1);\nINSERT INTO events VALUES ('1', 'Ran', '2026-01-01');",
    )

    code, said = run("init", "--duckdb", file, "--folder", tmp_path, "--yes")

    assert code == 1
    assert "users.id is integer and events.user_id is text: ids of two types" in " ".join(said.split())
    assert "cast one of them in a view" in said
    checked, shown = run("-c", tmp_path, "check")
    assert checked == 1
    assert "ids of two types" in shown


def test_ids_that_do_not_fit_each_other_are_seen(tmp_path: Path, run: Any) -> None:
    file = make(
        tmp_path / "apart.duckdb",
        "CREATE TABLE users (id TEXT);\nCREATE TABLE events (user_id TEXT, event TEXT, timestamp TIMESTAMP);\n"
        "INSERT INTO users VALUES ('u-1'), ('u-2'), ('u-2'), (NULL);\n"
        "INSERT INTO events VALUES ('1', 'Ran', '2026-01-01'), ('2', 'Ran', '2026-01-02');",
    )

    code, said = run("init", "--duckdb", file, "--folder", tmp_path, "--yes")

    assert code == 1
    assert "none of its 2 users exists: the ids do not fit each other" in said
    assert "1 line without an id" in said
    assert "1 line repeating an id" in said


def test_times_in_the_future_are_seen(tmp_path: Path, run: Any) -> None:
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=9)).strftime("%Y-%m-%d %H:%M")
    file = make(
        tmp_path / "local.duckdb",
        "CREATE TABLE users (id TEXT);\nCREATE TABLE events (user_id TEXT, event TEXT, timestamp TIMESTAMP);\n"
        f"INSERT INTO users VALUES ('1');\nINSERT INTO events VALUES ('1', 'Ran', '{later}');",
    )

    code, said = run("init", "--duckdb", file, "--folder", tmp_path, "--yes")

    assert code == 0
    assert "the newest is in the future" in said


def test_an_event_that_got_its_own_table_later_is_told_of(segment: Path, run: Any) -> None:
    run("init", "--duckdb", segment, "--folder", segment.parent, "--yes")
    make(
        segment,
        "CREATE TABLE invite_sent (id TEXT, event TEXT, event_text TEXT, user_id TEXT, anonymous_id TEXT, "
        "timestamp TIMESTAMP);",
    )

    code, said = run("-c", segment.parent, "check")

    assert code == 0
    assert "1 table of events not in [source.events.tables]: invite_sent" in said
    assert {f["what"]: f["level"] for f in json.loads(run("-c", segment.parent, "check", "--json")[1])}[
        "events"
    ] == "warning"


# ------------------------------------------------------------------------------------------------------------ real data


@pytest.mark.skipif(not REAL.is_dir(), reason="the data is not beside the checkout")
def test_real_data_from_nothing_to_a_first_preview(tmp_path: Path, run: Any) -> None:
    code, said = run("init", "--files", REAL, "--folder", tmp_path, "--yes")

    assert code == 0
    assert "168,699 lines" in said
    ws = open_workspace(tmp_path)
    merged = Audience("Merged", event("Change Merged").within(days=30).count() >= 1)
    assert [ws.preview(merged, as_of=day).size for day in ("2014-06-01", "2014-06-02", "2014-06-09")] == [187, 184, 185]
    ws.close()


# ---------------------------------------------------------------------------------------------------- other warehouses


@pytest.mark.postgres
def test_a_home_grown_layout_in_postgresql(server: Any, tmp_path: Path, run: Any) -> None:
    server.run("DROP SCHEMA IF EXISTS lived_in CASCADE", "CREATE SCHEMA lived_in")
    server.run("SET search_path = lived_in;" + HOME_GROWN)

    code, said = run("init", "--postgres", "shop", "--schema", "lived_in", "--folder", tmp_path, "--yes")

    assert code == 0, said
    ws = open_workspace(tmp_path)
    bought = Audience("A", event(ORDER).where(prop("revenue", "number") >= 20).count() >= 1)
    assert sorted(ws.members(bought, as_of=AS_OF)["user_id"]) == [2, 3]
    ws._clock = ws._reader.clock = Clock()
    assert {line["property"]: line["type"] for line in ws.events[ORDER].properties.to_dicts()} == {
        "revenue": "number", "coupon": "text",
    }  # fmt: skip
    assert run("-c", tmp_path, "check")[0] == 0
    ws.close()


# ----------------------------------------------------------------------------------------------------------- the views

PROFILES = """
CREATE TABLE profile_merges (canonical_segment_id TEXT, segment_id TEXT, seq BIGINT);
INSERT INTO profile_merges VALUES ('p1', 'p1', 1), ('p1', 'p2', 2), ('p3', 'p3', 3);
CREATE TABLE user_traits (canonical_segment_id TEXT, name TEXT, value TEXT);
INSERT INTO user_traits VALUES ('p1', 'email', 'ann@example.com'), ('p1', 'plan', 'pro'), ('p3', 'plan', 'free');
CREATE TABLE user_identifiers (canonical_segment_id TEXT, type TEXT, value TEXT,
  timestamp TIMESTAMP);
INSERT INTO user_identifiers VALUES ('p1', 'anonymous_id', 'x1', '2026-01-01'),
  ('p1', 'email', 'ann@example.com', NULL);
CREATE TABLE tracks (id TEXT, event TEXT, event_text TEXT, segment_id TEXT, anonymous_id TEXT, timestamp TIMESTAMP);
INSERT INTO tracks VALUES ('e1', 'paid', 'Paid', 'p2', 'x1', '2026-02-20'),
  ('e2', 'paid', 'Paid', 'p3', 'x3', '2025-01-01');
"""


def test_profiles_sync_is_recognised_by_its_views(tmp_path: Path, run: Any) -> None:
    views = (SOURCES / "segment_profiles_sync.sql").read_text(encoding="utf-8")
    bare = make(tmp_path / "bare.duckdb", PROFILES)
    viewed = make(tmp_path / "viewed.duckdb", PROFILES, views)

    code, said = run("init", "--duckdb", bare, "--folder", tmp_path / "bare", "--yes")
    assert code == 1
    assert "sql/sources (personas copy sql) has views that make users of them" in " ".join(said.split())

    code, said = run("init", "--duckdb", viewed, "--folder", tmp_path / "viewed", "--yes")
    assert code == 0, said
    ws = open_workspace(tmp_path / "viewed")
    paid = Audience("Paid", event("Paid").within(days=30).count() >= 1)
    assert ws.members(paid, as_of=AS_OF)["user_id"].to_list() == ["p1"]
    ws.close()


@pytest.mark.postgres
def test_the_views_are_made_by_postgresql_too(server: Any) -> None:
    for script, tables in (("rudderstack", RUDDERSTACK), ("segment", SEGMENT), ("segment_profiles_sync", PROFILES)):
        views = (SOURCES / f"{script}.sql").read_text(encoding="utf-8")
        server.run(
            f"DROP SCHEMA IF EXISTS views CASCADE; CREATE SCHEMA views; SET search_path = views; {tables} {views}"
        )
        with server.connect() as connection:
            for view in ("personas_accounts", "personas_users"):
                if view in views:
                    assert connection.execute(f"SELECT COUNT(*) FROM views.{view}").fetchone()[0] > 0


# ------------------------------------------------------------------------------------------------------------- a person


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_it_asks_a_person_what_it_cannot_know(tmp_path: Path) -> None:
    make(
        tmp_path / "odd.duckdb",
        "CREATE TABLE folk (id TEXT);\nCREATE TABLE deeds (folk_id TEXT, verb TEXT, ts TIMESTAMP);\n"
        "INSERT INTO folk VALUES ('f1');\nINSERT INTO deeds VALUES ('f1', 'Ran', '2026-01-01');",
    )
    answers = {"kind of warehouse": "duckdb", "Its file": "odd.duckdb", "holds the users": "folk", "Write": "y"}

    said = talk([sys.executable, "-m", "personas_kit.cli", "init", "--folder", "new"], tmp_path, answers)

    assert written(tmp_path / "new")["source"]["users"] == {"table": "folk", "id": "id"}, said


def talk(command: list[str], folder: Path, answers: dict[str, str]) -> str:
    """Run a command in a terminal of its own and answer its questions, each once."""
    import pty

    ours, theirs = pty.openpty()
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths, "TERM": "dumb"}
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as running:
        os.close(theirs)
        given_up = threading.Timer(60, running.kill)  # on a question that nobody expected
        given_up.start()
        said, open_questions = "", dict(answers)
        while True:
            try:
                said += os.read(ours, 4096).decode()
            except OSError:  # the other side has hung up
                break
            for question in [known for known in open_questions if known in said]:
                os.write(ours, f"{open_questions.pop(question)}\n".encode())
    given_up.cancel()
    assert running.returncode == 0, said
    return said
