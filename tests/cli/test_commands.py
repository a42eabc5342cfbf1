"""Every command, its exit code, and what it says to people and to programs."""

import subprocess
import sys

import polars as pl
import pytest

from personas_kit.cli import copying
from personas_kit.cli.entry import COMMANDS, cli
from personas_kit.sandbox import Fault
from tests import small

TEN = [f"u{n}" for n in range(10)]


def test_help_names_every_command_with_a_line_that_is_not_cut(personas):
    said = personas("--help")

    assert said.code == 0
    for name, (_, purpose) in COMMANDS.items():
        assert f"  {name:<14}{purpose}\n" in said.out
        own = personas(name, "--help")
        assert own.code == 0
        assert cli.get_command(None, name).name == name


def test_a_misspelt_command_names_the_nearest(personas):
    said, unlike = personas("chekc"), personas("zzz")

    assert (said.code, unlike.code) == (2, 2)
    assert "there is no command 'chekc': did you mean check?" in said.err
    assert "No such command 'zzz'" in unlike.err


def test_a_destination_that_is_not_configured_names_those_that_are(personas):
    said = personas("plan", "vips", "--to", "qqq")

    assert said.code == 1
    assert "hint:  configured: ads, analytics" in said.err


def test_no_list_is_made_for_a_trait(personas, folder, sandbox):
    with (folder / "personas.toml").open("a") as file:
        file.write('\n[[trait]]\nname = "mail"\nvalue = "trait(\'email\')"\n')
    said = personas("create-list", "mail", "--to", "ads")

    assert said.code == 1
    assert "a list holds the members of an audience, and 'mail' is a trait" in said.err
    assert sandbox.summary()["requests"] == 0


def test_a_destination_that_is_not_reached_says_what_to_look_at(personas, sandbox):
    sandbox.close()
    said = personas("check")

    assert said.code == 1
    assert "no connection" in said.out
    assert "check whether it can be reached from here" in " ".join(said.out.split())


def test_a_destination_that_nobody_knows_says_how_to_search(personas):
    said = personas("destinations", "qqq")

    assert said.code == 1
    assert "personas destinations --search qqq" in said.err


@pytest.mark.parametrize("arguments", [("demo", "--folder", "taken/demo"), ("sandbox", "--file", "taken/file")])
def test_a_file_that_cannot_be_written_is_said_in_words(personas, folder, arguments):
    (folder / "taken").write_text("a file where a folder should be")
    said = personas(*arguments)

    assert said.code == 1
    assert "cannot be" in said.err
    assert "where: taken/" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("sandbox", "--port", "65536"),
        ("sandbox", "--port", "-1"),
        ("status", "--runs", "0"),
        ("history", "--limit", "-3"),
    ],
)
def test_a_number_that_means_nothing_is_wrong_usage(personas, arguments):
    said = personas(*arguments)

    assert said.code == 2
    assert "is not in the range" in said.err


def test_what_stands_in_brackets_or_between_colons_is_printed_as_it_is(personas, folder):
    said = personas("export", "vips", "[red]:cat:[x].csv")

    assert said.code == 0
    assert "written to [red]:cat:[x].csv" in said.err


def test_check_says_what_is_right(personas):
    said = personas("check")

    assert said.code == 0
    assert "audience vips" in said.out
    assert "destination analytics" in said.out
    assert "nothing yet, the first push makes it" in " ".join(said.out.split())  # a long folder is broken into lines
    assert all(finding["ok"] for finding in personas("check", "--json").json)


def test_check_says_what_is_wrong_and_exits_with_1(personas, folder):
    (folder / "key.txt").unlink()
    said = personas("check")

    assert said.code == 1
    assert "missing or empty" in said.out
    assert "key.txt" in said.out


def test_sql_prints_what_can_be_pasted(personas):
    said = personas("sql", "vips")
    snowflake = personas("sql", "vips", "--dialect", "snowflake", "--json")

    assert said.out.startswith("WITH")
    assert "vip" in said.out
    assert snowflake.json["dialect"] == "snowflake"


def test_preview_shows_size_and_change_and_no_address(personas):
    said = personas("preview", "vips")
    (card,) = personas("preview", "--json").json

    assert "10" in said.out
    assert "+10" in said.out
    assert "u0@example.com" not in said.out
    assert (card["size"], card["population"], card["changes"][0]["enter"]) == (10, 10, 10)


def test_plan_sends_nothing_and_shows_the_requests(personas, sandbox):
    said = personas("plan", "vips", "--to", "analytics")

    assert said.code == 0
    assert "POST /v1/batch" in said.out
    assert '"userId": "u' in said.out
    assert list(sandbox.requests) == []


def test_push_sends_and_the_second_time_there_is_nothing_to_send(personas, sandbox):
    first = personas("push", "vips", "--yes", "--as-of", "2026-11-01")
    second = personas("push", "vips", "--yes", "--as-of", "2026-11-02")

    assert (first.code, second.code) == (0, 0)
    assert "10 acknowledged" in first.err
    assert small.received(sandbox) == set(TEN)


def test_push_prints_one_json_document_and_everything_else_to_people(personas):
    said = personas("push", "vips", "--yes", "--json", "--as-of", "2026-11-01")

    assert said.code == 0
    document = said.json
    assert {"key", "as_of", "plan", "syncs"} <= set(document)
    assert document["key"] == "vips"
    assert document["as_of"] == "2026-11-01T00:00:00Z"
    assert [(s["destination"], s["call"], s["acknowledged"]) for s in document["syncs"]] == [
        ("analytics", "identify", 10),
        ("analytics", "track", 10),
        ("ads", "list", 10),
    ]
    assert {"rejected", "unknown", "skipped"} <= set(document["syncs"][0])
    assert (document["acknowledged"], document["rejected"], document["unknown"]) == (30, 0, 0)


def test_without_an_answer_nothing_is_sent(personas, sandbox):
    said = personas("push", "vips")

    assert said.code == 2
    assert "--yes" in said.err
    assert list(sandbox.requests) == []


def test_a_guard_exits_with_3_and_says_the_exact_override(personas, folder, sandbox):
    personas("push", "vips", "--yes", "--as-of", "2026-11-01")
    small.set_vips(folder, [])
    before = len(sandbox.requests)
    blocked = personas("push", "vips", "--yes", "--as-of", "2026-11-02")
    as_json = personas("push", "vips", "--yes", "--json", "--as-of", "2026-11-02")

    assert (blocked.code, as_json.code) == (3, 3)
    assert "--override empty_result" in blocked.err
    misspelt = personas("push", "vips", "--yes", "--as-of", "2026-11-02", "--override", "empty")
    # The last line: on a busy machine one before it says what takes so long.
    assert misspelt.err.splitlines()[-1] == blocked.err.splitlines()[-1]
    assert as_json.json["blocked"] == ["empty_result"]
    assert len(sandbox.requests) == before
    assert personas("plan", "vips", "--as-of", "2026-11-02").code == 3

    assert personas("push", "vips", "--yes", "--as-of", "2026-11-02", "--override", "empty_result").code == 0
    assert small.received(sandbox) == set()


def test_rejects_exit_with_4(personas, sandbox):
    sandbox.fail(*[400] * 5)
    assert personas("push", "vips", "--to", "analytics", "--yes").code == 4


def test_something_unknown_exits_with_5_and_running_again_mends_it(personas, sandbox):
    sandbox.fail(*[Fault(kind="drop", applied=True)] * 60)
    said = personas("push", "vips", "--to", "analytics", "--yes", "--deadline", "1s", "--as-of", "2026-11-01")
    sandbox.heal()

    assert said.code == 5
    assert "unknown" in said.err
    assert personas("push", "vips", "--to", "analytics", "--yes", "--as-of", "2026-11-02").code == 0
    assert small.received(sandbox) == set(TEN)


def test_a_destination_that_refuses_us_exits_with_1(personas, sandbox):
    sandbox.fail(401)
    said = personas("push", "vips", "--to", "analytics", "--yes")

    assert said.code == 1
    assert "credentials" in said.err


def test_a_first_push_of_a_schedule_waits_for_a_person_then_the_schedule_goes_on(personas, sandbox):
    planned = personas("run", "--as-of", "2026-11-01")
    blocked = personas("run", "--approve", "guards", "--as-of", "2026-11-01", "--json")
    assert (planned.code, blocked.code) == (3, 3)
    assert {line["did"] for line in blocked.json["lines"]} == {"blocked"}
    assert "first push" in planned.err

    agreed = personas("run", "--approve", "guards", "--override", "first_sync", "--as-of", "2026-11-01")
    later = personas("run", "--approve", "guards", "--as-of", "2026-11-02", "--json")
    assert (agreed.code, later.code) == (0, 0)
    assert {line["did"] for line in later.json["lines"]} == {"pushed"}
    assert small.received(sandbox) == set(TEN)


def test_status_shows_what_is_acknowledged(personas):
    assert "Nothing was pushed yet" in personas("status").err
    personas("push", "vips", "--yes")

    said = personas("status", "--json").json
    assert {(sync["call"], sync["acknowledged"]) for sync in said["syncs"]} == {
        ("identify", 10),
        ("track", 10),
        ("list", 10),
    }
    assert len(said["runs"]) == 3
    assert "analytics" in personas("status").out


def test_pause_resume_and_reset(personas, sandbox):
    personas("push", "vips", "--yes", "--as-of", "2026-11-01")

    assert personas("pause", "vips", "--to", "ads").code == 0
    assert personas("push", "vips", "--to", "ads", "--yes", "--as-of", "2026-11-02").code == 3
    assert personas("resume", "vips", "--to", "ads").code == 0
    assert personas("push", "vips", "--to", "ads", "--yes", "--as-of", "2026-11-02").code == 0
    assert personas("reset", "vips", "--to", "ads").code == 2
    assert personas("reset", "vips", "--to", "ads", "--yes").code == 0
    assert personas("plan", "vips", "--to", "ads", "--as-of", "2026-11-03", "--json").json["syncs"][0]["first"]


def test_profile_shows_one_person_and_masks_what_is_personal(personas):
    said = personas("profile", "u1")

    assert "vips" in said.out
    assert "u1@example.com" not in said.out
    assert personas("profile", "u1", "--json").json["audiences"] == {"vips": True}
    assert personas("profile", "nobody").code == 1


def test_destinations_and_a_block_to_paste(personas):
    assert "amplitude" in personas("destinations").out
    assert 'type = "amplitude"' in personas("destinations", "amplitude").out
    assert personas("destinations", "amplitude", "--json").json["slug"] == "amplitude"
    assert "# a list is taken at most every 6 h" in personas("destinations", "google-customer-match").out.splitlines()
    wrong = personas("destinations", "amplitud")
    assert wrong.code == 1
    assert "did you mean 'amplitude'" in wrong.err


def test_export_makes_formulas_harmless(personas, folder):
    small.set_vips(folder, ["=cmd()", "u1"])
    assert personas("export", "vips", "out.csv").code == 0
    assert personas("export", "vips", "out.parquet").code == 0

    assert "'=cmd()" in (folder / "out.csv").read_text(encoding="utf-8")
    assert sorted(pl.read_parquet(folder / "out.parquet")["user_id"]) == ["=cmd()", "u1"]
    assert personas("export", "vips", "out.docx").code == 1


def test_init_writes_a_file_that_loads_and_leaves_an_existing_one(personas, folder):
    (folder / "new").mkdir()
    made = personas("init", "--duckdb", folder / "warehouse.duckdb", "--folder", folder / "new")
    again = personas("init", "--folder", folder / "new")

    assert (made.code, again.code) == (0, 1)
    assert "warehouse.duckdb" in (folder / "new" / "personas.toml").read_text(encoding="utf-8")
    assert "left as it is" in again.err


@pytest.mark.parametrize(
    "arguments", [["fly"], ["sql"], ["push", "vips", "--sideways"], ["push", "vips", "--deadline", "soon"]]
)
def test_wrong_usage_exits_with_2(personas, arguments):
    assert personas(*arguments).code == 2


def test_the_demo_tells_its_story_and_both_sides_agree(tmp_path):
    command = [sys.executable, "-m", "personas_kit.cli", "demo", "--folder", str(tmp_path / "demo")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)

    assert done.returncode == 0, done.stderr
    assert "1,143" in done.stdout
    assert "+16" in done.stdout
    assert done.stdout.count("✓") >= 10
    assert "✗" not in done.stdout
    assert (tmp_path / "demo" / "personas.toml").is_file()
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert again.returncode == 1
    assert "there is a demo in this folder already" in again.stderr


def test_explain_says_why(personas):
    said = personas("explain", "vips", "u1")
    data = personas("explain", "vips", "u1", "--json").json
    unknown = personas("explain", "vips", "nobody")

    assert said.code == 0
    assert "u1 is in 'Vips'" in said.out
    assert "✓ trait('vip') = true" in said.out
    assert "it is true" in said.out
    assert data["in"] is True
    assert data["reason"]["values"] == {"trait('vip')": True}
    assert unknown.code == 1
    assert "nobody" in unknown.err


def test_copy_puts_the_sql_beside_the_file_and_a_second_time_changes_nothing(personas, folder):
    first = personas("copy", "sql")
    before = (folder / "sql" / "postgres" / "grants.sql").stat().st_mtime_ns
    second = personas("copy", "sql")

    assert (first.code, second.code) == (0, 0)
    assert "GRANT" in (folder / "sql" / "postgres" / "grants.sql").read_text()
    assert "0 files copied" in second.err
    assert (folder / "sql" / "postgres" / "grants.sql").stat().st_mtime_ns == before


def test_copy_overwrites_nothing_of_yours_and_then_copies_nothing(personas, folder):
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "10_audiences.ipynb").write_text("mine")
    said = personas("copy", "notebooks")
    elsewhere = personas("copy", "notebooks", "their own")

    assert said.code == 1
    assert "10_audiences.ipynb" in said.err
    assert "personas copy notebooks FOLDER" in said.err
    assert [path.name for path in (folder / "notebooks").iterdir()] == ["10_audiences.ipynb"]
    assert elsewhere.code == 0
    assert (folder / "their own" / "notebooks" / "00_quickstart.ipynb").exists()


def test_copy_says_so_where_the_package_was_built_without_them(personas, folder, monkeypatch):
    monkeypatch.setattr(copying, "came_with", lambda kind: folder / "nowhere" / kind)
    said = personas("copy", "docs")

    assert said.code == 1
    assert "built without its docs" in said.err
    assert not (folder / "docs").exists()


def test_copy_says_what_there_is_to_copy(personas, folder):
    (folder / "file").write_text("")

    assert personas("copy", "books").code == 2
    assert "'docs', 'notebooks', 'sql'" in personas("copy", "books").err
    assert personas("copy", "sql", "file").code == 2
