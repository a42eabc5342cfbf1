"""A run of many definitions asks the warehouse once for all of them, also where some are wrong."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from personas_kit.opening import open_workspace
from personas_kit.workspace import Workspace
from tests import small

MANY = 30
AUDIENCE = """
[[audience]]
name  = "{name}"
where = "{where}"
to    = [{{ destination = "analytics" }}]
"""
TWICE = """
[[sql_audience]]
name = "Wrong"
sql  = "SELECT user_id FROM users UNION ALL SELECT user_id FROM users"
to   = [{ destination = "analytics" }]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small.make(tmp_path, "http://127.0.0.1:9999", [f"u{n}" for n in range(10)])
    return tmp_path


def opened(folder: Path, wrong: str = "", count: int = MANY) -> Workspace:
    blocks = [AUDIENCE.format(name=f"Many {at}", where=f"trait('email') >= 'u{at}'") for at in range(count)]
    with (folder / "personas.toml").open("a", encoding="utf-8") as file:
        file.write("".join(blocks) + wrong)
    return open_workspace(folder)


def asked(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What the warehouse is asked about, and how often, from now on."""
    seen: Counter[str] = Counter()
    query = workspace.warehouse.query

    def counted(statement: str, params: Any, *, tag: str = "") -> Any:
        seen[json.loads(tag)["key"]] += 1
        return query(statement, params, tag=tag)

    monkeypatch.setattr(workspace.warehouse, "query", counted)
    return seen


def test_a_run_of_many_is_one_statement_for_members_and_one_for_figures(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = opened(folder)
    seen = asked(workspace, monkeypatch)

    report = workspace.run()

    assert len(report.lines) == MANY + 2
    assert seen == {f"{MANY + 1} definitions": 1, "figures": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        AUDIENCE.format(name="Wrong", where="trait('nothing') = 1"),
        TWICE,
    ],
)
def test_one_that_is_wrong_says_so_and_the_others_are_asked_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    workspace = opened(folder, wrong)
    seen = asked(workspace, monkeypatch)

    report = workspace.run()

    assert {line.key for line in report.lines if line.did == "failed"} == {"wrong"}
    assert seen[f"{MANY + 1} definitions"] == 1
    assert not [key for key in seen if key.startswith("many_")]
