"""A warehouse that changes or fails while somebody works: it is said, and nothing is left half-done."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from personas_kit.errors import PlanBlocked, WarehouseError
from personas_kit.opening import open_workspace
from personas_kit.sandbox import Sandbox
from personas_kit.workspace import Workspace
from tests import small

KNOWN = ["key", "destination", "call", "acknowledged", "unknown", "rejected", "as_of", "pushed_at"]
HOLDING = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, sandbox: Sandbox) -> Iterator[Workspace]:
    small.make(tmp_path, sandbox.url, [f"u{n}" for n in range(10)])
    opened = open_workspace(tmp_path)
    assert opened.plan("vips").push().complete
    yield opened
    opened.close()


def change(workspace: Workspace, statement: str) -> None:
    with duckdb.connect(workspace.config.folder / "warehouse.duckdb") as con:
        con.execute(statement)


@pytest.mark.parametrize(
    ("statement", "words", "hint"),
    [
        ("DROP TABLE users", "Table with name users does not exist", "has to be changed under [source], too"),
        ("ALTER TABLE users RENAME COLUMN vip TO is_vip", "vip", "a column was renamed or dropped"),
        ("DROP TABLE users; CREATE TABLE users (user_id BIGINT)", "", ""),
    ],
)
def test_what_was_there_a_moment_ago(workspace: Workspace, statement: str, words: str, hint: str) -> None:
    workspace.preview("vips")
    before = workspace.status().frame

    change(workspace, statement)

    for look in (workspace.preview, workspace.members):
        with pytest.raises(WarehouseError) as raised:
            look("vips", as_of="2026-10-01")
        assert words in raised.value.what
        assert hint in raised.value.hint
    with pytest.raises(PlanBlocked, match=r"users is gone|users\.vip, which was boolean, is gone") as blocked:
        workspace.plan("vips", as_of="2026-10-01")
    assert blocked.value.guards == ("columns_changed",)
    assert workspace.status().frame.equals(before)


def test_a_schedule_goes_on_with_the_others_and_says_which_failed(workspace: Workspace) -> None:
    before = workspace.status().frame
    change(workspace, "DROP TABLE users")

    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)  # all of it is due
    report = workspace.run(approve="guards", as_of=tomorrow)

    assert {line.did for line in report.lines} == {"blocked"}
    assert all("the table users is gone" in line.why and "does not exist" in line.why for line in report.lines)
    after = workspace.status().frame
    assert after.select(KNOWN).equals(before.select(KNOWN))
    assert set(after["last_run"]) == {"blocked"}


def test_a_file_that_another_kernel_holds_is_free_again_afterwards(workspace: Workspace) -> None:
    held = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(workspace.config.folder / "warehouse.duckdb")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert held.stdout is not None
    assert held.stdout.readline() == "held\n"

    with pytest.raises(WarehouseError) as raised:
        workspace.preview("vips")
    held.communicate("\n")

    assert f"is locked by process {held.pid}" in raised.value.what
    assert "close it there" in raised.value.hint
    assert workspace.preview("vips").size == 10


def test_a_query_that_takes_too_long_stops_and_leaves_the_workspace_usable(tmp_path: Path, sandbox: Sandbox) -> None:
    small.make(tmp_path, sandbox.url, ["u1"])
    file = tmp_path / "personas.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("[warehouse]", '[warehouse]\ntimeout = "1s"'))
    workspace = open_workspace(tmp_path)
    slow = "SELECT COUNT(*) AS n FROM range(1000000) a(i), range(1000000) b(j) WHERE hash(i, j) = 3"

    start = time.monotonic()
    with pytest.raises(WarehouseError, match="longer than 1 s"):
        workspace.warehouse.query(slow, {})

    assert time.monotonic() - start < 30
    assert workspace.preview("vips").size == 1
    workspace.close()
