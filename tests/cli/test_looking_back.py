"""The commands that look at past and coming pushes."""

import duckdb

from tests import small

DAY = "2026-11-0{}"


def test_status_says_what_waits_and_what_to_write(personas):
    said = personas("status")

    assert said.code == 0
    assert "Nothing was pushed yet" in said.err
    assert "first push  vips -> analytics (identify, track)" in said.err
    assert "personas push vips --to analytics" in said.err
    assert "3 syncs, 0 acknowledged, 3 wait for a person" in said.err


def test_what_a_guard_stopped_waits_with_the_override(personas, folder):
    personas("push", "vips", "--yes", "--as-of", DAY.format(1))
    small.set_vips(folder, [])
    blocked = personas("run", "--approve", "guards", "--as-of", DAY.format(2))
    status = personas("status")
    document = personas("status", "--json").json

    command = "personas push vips --to analytics --override empty_result"
    assert blocked.code == 3
    assert f"if it is right: {command}" in blocked.err
    assert "new: vips -> analytics identify: stopped by empty_result: nobody is wanted, where 10 were" in blocked.err
    assert command in status.err
    assert {sync["last_run"] for sync in document["syncs"]} == {"blocked"}
    assert {each["command"] for each in document["waiting"]} == {command, command.replace("analytics", "ads")}
    assert personas(*command.split()[1:], "--yes", "--as-of", DAY.format(3)).code == 0
    assert [each["destination"] for each in personas("status", "--json").json["waiting"]] == ["ads"]


def test_history_shows_every_run_and_writes_it_into_the_warehouse(personas, folder):
    assert "Nothing was pushed yet" in personas("history").err
    personas("run", "--approve", "guards", "--as-of", DAY.format(1))
    personas("push", "vips", "--yes", "--as-of", DAY.format(1))
    nowhere = personas("history", "--write")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create schema personas")
    written = personas("history", "--write")
    again = personas("history", "--write", "--json")

    assert "blocked" in personas("history").out
    assert [run["state"] for run in personas("history", "--limit", "3", "--json").json] == ["done"] * 3
    assert nowhere.code == 1
    assert 'CREATE SCHEMA "personas"' in nowhere.err
    assert "6 lines in personas.runs" in written.err
    assert again.json == {"runs": 6, "run_reasons": 0, "run_guards": 3}
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.sql("select count(*) from personas.runs where state = 'blocked'").fetchall() == [(3,)]


def test_what_is_only_to_know_does_not_stop_plan_nor_push(personas, folder):
    personas("push", "vips", "--yes", "--as-of", DAY.format(1))
    text = (folder / "personas.toml").read_text(encoding="utf-8")
    edited = text.replace("trait('vip') = true", "trait('vip') = true AND trait('email').exists()")
    (folder / "personas.toml").write_text(edited, encoding="utf-8")
    planned = personas("plan", "vips", "--as-of", DAY.format(2))

    assert planned.code == 0
    assert "to know" in planned.out
    assert "definition_edited: the definition was edited since it was pushed last, and no change comes" in planned.out
    assert personas("push", "vips", "--yes", "--as-of", DAY.format(2)).code == 0
    assert "definition_edited" not in personas("plan", "vips", "--as-of", DAY.format(3)).out
