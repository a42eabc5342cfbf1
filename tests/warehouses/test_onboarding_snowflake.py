"""A first day with Snowflake: from a connection's name to a preview, and the report of the live checks."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from personas_kit.cli import main
from personas_kit.definitions import Audience, event, prop
from personas_kit.opening import open_workspace
from personas_kit.warehouses.snowflake_live import CHECKS
from tests.onboarding.layouts import SEGMENT, statements

if TYPE_CHECKING:
    from tests.snowflake_emulator.emulator import Emulator

pytestmark = pytest.mark.emulator


@pytest.fixture
def connected(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The person's own connections are the emulator's."""
    monkeypatch.setenv("SNOWFLAKE_HOME", str(emulator.connections.parent))
    return emulator


def test_segments_layout_in_snowflake(connected: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connected.run("CREATE OR REPLACE SCHEMA shop.seg", "USE SCHEMA shop.seg", *statements(SEGMENT))
    arguments = ["init", "--snowflake", "emulator", "--schema", "seg", "--folder", str(tmp_path), "--yes"]

    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 0, capsys.readouterr().err
    assert "Segment's layout" in capsys.readouterr().out
    written = tomllib.loads((tmp_path / "personas.toml").read_text(encoding="utf-8"))
    assert written["warehouse"] == {"type": "snowflake", "connection": "emulator"}
    assert set(written["source"]["events"]["tables"]) == {"Order Completed", "Signed In"}
    ws = open_workspace(tmp_path)
    large = Audience("Large", event("Order Completed").where(prop("revenue") >= 20).count() >= 1)
    assert sorted(ws.members(large, as_of="2026-03-01")["user_id"]) == ["u2", "u3"]
    assert ws.events["Order Completed"].lines == 3
    ws.close()


def test_the_live_checks_print_a_report(
    connected: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "personas.toml"
    file.write_text('[warehouse]\ntype = "snowflake"\nconnection = "emulator"\n')

    with pytest.raises(SystemExit) as ended:
        main(["-c", str(file), "check", "--live", "--json"])

    report = json.loads(capsys.readouterr().out)
    assert [line["what"] for line in report] == list(CHECKS)
    assert ended.value.code == 1  # the emulator is no account
