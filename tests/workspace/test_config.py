"""What is wrong in personas.toml is said with the file, the key and what to write."""

import subprocess
import sys

import duckdb
import pytest

from personas_kit.config import duration, load
from personas_kit.errors import PersonasError, WarehouseError
from personas_kit.opening import open_workspace

RIGHT = """
[warehouse]
path = "warehouse.duckdb"

[source]
users = { table = "users", id = "user_id" }

[destinations.analytics]
type = "segment"
write_key = { env = "WRITE_KEY" }

[[audience]]
name = "Vips"
where = "trait('vip') = true"
every = "1h"
to = [{ destination = "analytics", send = ["identify"] }]
"""

WRONG = [
    # what is replaced, by what, the place, what is said
    ("[warehouse]", "[warehous]", "warehous", "did you mean 'warehouse'"),
    ('path = "warehouse', 'pth = "warehouse', "warehouse.pth", "did you mean 'path'"),
    ('path = "warehouse.duckdb"', "", "warehouse", "either path or files"),
    ('path = "warehouse.duckdb"', 'type = "snowflake"', "warehouse", "a snowflake warehouse needs connection"),
    ('path = "warehouse.duckdb"', 'type = "oracle"\npath = "w"', "warehouse.type", "duckdb"),
    ('id = "user_id"', 'idd = "user_id"', "source.users", "id"),
    ("users = {", "user = {", "source.user", "did you mean 'users'"),
    ('type = "segment"', 'type = "segmnt"', "destinations.analytics", "did you mean 'segment'"),
    ('type = "segment"\n', "", "destinations.analytics", "needs a type"),
    ('{ env = "WRITE_KEY" }', '"hunter2"', "destinations.analytics", "refer to it"),
    ('write_key = { env = "WRITE_KEY" }', "", "destinations.analytics", "'write_key' is missing"),
    ('{ env = "WRITE_KEY" }', '{ enviroment = "WRITE_KEY" }', "destinations.analytics.write_key", "env"),
    ("write_key =", 'region = "mars"\nwrite_key =', "destinations.analytics", "one of us, eu"),
    ("write_key =", 'url = "http://example.com"\nwrite_key =', "destinations.analytics", "not allowed"),
    ('every = "1h"', 'every = "hourly"', "audience.0.every", "not a duration"),
    ('every = "1h"', 'every = "1h"\ncron = "0 6 * * *"', "audience.0.cron", "either every or cron"),
    ('every = "1h"', 'cron = "0 25 * * *"', "audience.0.cron", "its hour is '25'"),
    ('every = "1h"', 'cron = "daily"', "audience.0.cron", "minute, hour, day-of-month"),
    ('every = "1h"', "cron = 6", "audience.0.cron", "valid string"),
    ('every = "1h"', 'crn = "0 6 * * *"', "audience.0.crn", "did you mean 'cron'"),
    ('every = "1h"', 'cron = "0 6 * * *"\ntimezone = "Europe/Berln"', "audience.0.timezone", "'Europe/Berlin'"),
    ('every = "1h"', 'every = "1h"\ntimezone = "Europe/Berlin"', "audience.0.timezone", "for a cron"),
    ('send = ["identify"]', 'cron = "0 6 * *"', "audience.0.to.0.cron", "has 4 fields"),
    ('send = ["identify"]', 'every = "6h", cron = "0 6 * * *"', "audience.0.to.0.cron", "either every or cron"),
    ('destination = "analytics"', 'destination = "analitics"', "vips.to", "did you mean 'analytics'"),
    ('send = ["identify"]', 'send = ["identfy"]', "audience.0.to.0.send", "identify"),
    ('send = ["identify"]', 'sent = ["identify"]', "audience.0.to.0.sent", "did you mean 'send'"),
    ("trait('vip') = true", "trait('vip') == ", "[[audience]] 'Vips'", "expected a text in quotes"),
    ("trait('vip') = true", "event('X').count()", "Vips", "must end in a condition"),
    ('name = "Vips"\n', "", "audience.0.name", "missing"),
    ("[[audience]]", "[[audiences]]", "audiences", "did you mean 'audience'"),
    ('path = "warehouse.duckdb"', 'path = "warehouse.duckdb', "personas.toml", "not valid TOML"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "place", "says"), WRONG, ids=[f"{place}-{says}"[:60] for *_, place, says in WRONG]
)
def test_a_mistake_is_said_with_its_place(tmp_path, old, new, place, says):
    assert old in RIGHT
    file = tmp_path / "personas.toml"
    file.write_text(RIGHT.replace(old, new), encoding="utf-8")

    with pytest.raises(PersonasError) as wrong:
        load(file)

    assert says in str(wrong.value)
    assert place in wrong.value.where
    assert "hunter2" not in str(wrong.value)


def test_a_definition_says_how_often_and_a_sync_of_it_may_say_so_for_itself(tmp_path):
    file = tmp_path / "personas.toml"
    syncs = """to = [
        { destination = "analytics" },
        { destination = "analytics", send = ["track"], every = "1d" },
        { destination = "analytics", send = ["group"], cron = "0 6 * * 1", timezone = "Europe/Berlin" },
    ]"""
    file.write_text(RIGHT.replace('to = [{ destination = "analytics", send = ["identify"] }]', syncs), encoding="utf-8")

    (scheduled,) = load(file).scheduled

    assert [scheduled.cadence_of(sync).words() for sync in scheduled.to] == [
        "every 1 h",
        "every 1 d",
        "at 06:00 on Monday, Europe/Berlin",
    ]


def test_two_definitions_with_one_key(tmp_path):
    file = tmp_path / "personas.toml"
    file.write_text(RIGHT + '\n[[audience]]\nname = "VIPs!"\nwhere = "trait(\'vip\') = false"\n', encoding="utf-8")

    with pytest.raises(PersonasError, match="two definitions have the key 'vips'"):
        load(file)


def test_definitions_may_lie_in_files_of_their_own(tmp_path):
    (tmp_path / "personas.toml").write_text('include = ["audiences/*.toml"]\n' + RIGHT, encoding="utf-8")
    (tmp_path / "audiences").mkdir()
    (tmp_path / "audiences" / "a.toml").write_text(
        '[[trait]]\nname = "Orders"\nvalue = "event(\'Order\').count()"\n', encoding="utf-8"
    )

    assert [scheduled.definition.key for scheduled in load(tmp_path / "personas.toml").scheduled] == ["vips", "orders"]


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("15m", 900), ("1h", 3_600), ("2d", 172_800)])
def test_durations(text, seconds):
    assert duration(text) == seconds


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("WRITE_KEY", "made-up")
    (tmp_path / "personas.toml").write_text(RIGHT, encoding="utf-8")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create table users as select 'ann' as user_id, true as vip")
    return tmp_path


def test_a_table_or_column_that_is_not_there_is_named_with_the_nearest(workspace):
    text = RIGHT.replace('"user_id"', '"userid"')
    (workspace / "personas.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PersonasError, match="did you mean 'user_id'"):
        open_workspace(workspace).preview("vips")

    (workspace / "personas.toml").write_text(RIGHT.replace('"users"', '"user"'), encoding="utf-8")
    with pytest.raises(PersonasError, match="did you mean 'users'"):
        open_workspace(workspace).preview("vips")


def test_a_warehouse_that_is_not_there(workspace):
    (workspace / "warehouse.duckdb").unlink()
    with pytest.raises(WarehouseError, match=r"warehouse\.duckdb"):
        open_workspace(workspace).preview("vips")


def test_a_warehouse_that_another_process_holds(workspace):
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    file = str(workspace / "warehouse.duckdb")
    with subprocess.Popen(
        [sys.executable, "-c", hold, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WarehouseError) as locked:
            open_workspace(workspace).preview("vips")
        holder.communicate()

    assert str(holder.pid) in str(locked.value) or "another process" in str(locked.value)
    assert locked.value.hint


def test_a_notebooks_own_handle_is_shared_and_not_closed(workspace):
    with duckdb.connect(str(workspace / "warehouse.duckdb")) as connection:
        with pytest.raises(WarehouseError, match="connection"):
            open_workspace(workspace).preview("vips")
        opened = open_workspace(workspace, connection=connection)
        assert opened.preview("vips").size == 1
        opened.close()
        assert connection.execute("select 1").fetchone() == (1,)


def test_there_is_no_file(tmp_path):
    with pytest.raises(PersonasError, match=r"there is no personas\.toml") as missing:
        open_workspace(tmp_path)
    assert "personas init" in missing.value.hint


def test_a_moved_folder_and_another_way_to_it_are_the_same_account(tmp_path, monkeypatch):
    text = RIGHT.replace('{ env = "WRITE_KEY" }', '{ file = "key.txt" }')
    targets = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "personas.toml").write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path / name)
        for way in (".", str(tmp_path / name), f"../{name}/personas.toml"):
            targets.add(open_workspace(way).config.destinations["analytics"].connect(None, "").target)

    assert len(targets) == 1
