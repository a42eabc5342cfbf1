"""``personas run --log json``: every line of standard error is an object, and nobody is in it."""

import json

from personas_kit.display import say, spoken
from tests import small

TWICE = """
[[sql_audience]]
name = "Twice"
sql = "SELECT user_id FROM users UNION ALL SELECT user_id FROM users"
to = [{ destination = "analytics" }]
"""


def lines(outcome):
    return [json.loads(line) for line in outcome.err.splitlines()]


def test_a_run_is_told_line_by_line(personas):
    blocked = personas("run", "--approve", "guards", "--log", "json")
    pushed = personas("run", "--approve", "guards", "--override", "first_sync", "--log", "json", "--json")

    assert [each["event"] for each in lines(blocked)] == ["begin", "sync", "sync", "new", "new", "new", "run"]
    first = lines(blocked)[1]
    assert (first["key"], first["destination"], first["did"], first["level"]) == (
        "vips", "analytics", "blocked", "warning",
    )  # fmt: skip
    assert first["guards"] == ["first_sync"]
    assert first["command"] == "personas push vips --to analytics --override first_sync"
    assert first["time"].endswith("Z")
    assert (lines(blocked)[-1]["counts"], lines(blocked)[-1]["code"]) == ({"blocked": 2}, 3)
    done = [each for each in lines(pushed) if each["event"] == "sync"]
    assert [(each["did"], each["counts"]["acknowledged"]) for each in done] == [("pushed", 20), ("pushed", 10)]
    assert "due" in done[1]
    assert pushed.json["lines"][0]["did"] == "pushed"  # and the document is where it always is


def test_nobody_is_in_it(personas, folder):
    small.set_vips(folder, ["jane", "jane"])
    with (folder / "personas.toml").open("a", encoding="utf-8") as file:
        file.write(TWICE)
    outcome = personas("run", "--approve", "guards", "--override", "first_sync", "--log", "json")

    assert {each["did"] for each in lines(outcome) if each["event"] == "sync"} >= {"pushed"}
    assert "jane" not in outcome.err
    assert "u1" not in outcome.err
    assert "made-up" not in outcome.err


def test_an_error_is_a_line_as_well(personas, folder):
    (folder / "personas.toml").write_text("[warehous]\n", encoding="utf-8")

    outcome = personas("run", "--log", "json")

    assert [each["event"] for each in lines(outcome)] == ["begin", "error"]
    assert (lines(outcome)[1]["said"], outcome.code) == ("unknown key 'warehous'", 1)
    assert lines(outcome)[1]["where"] == "personas.toml: warehous"


def test_a_notebook_has_no_such_lines(personas):
    refused = personas("run", "--notebook", "x.ipynb", "--log", "json")

    assert (refused.code, "a notebook leaves no JSON" in refused.err) == (2, True)


def test_what_is_said_meanwhile_is_heard_and_afterwards_printed_again(capsys):
    heard = []
    with spoken(heard.append):
        say("within")
    say("after")

    assert (heard, capsys.readouterr().err) == (["within"], "after\n")
