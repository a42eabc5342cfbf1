"""The history of pushes as tables of every warehouse that can be written: added to, and the same a second time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from personas_kit.activation.report import COUNTS
from personas_kit.errors import WarehouseError
from personas_kit.workspace import Workspace
from tests.warehouses.test_data_lint import SHOP, opened

if TYPE_CHECKING:
    from tests.warehouses.conftest import Backend

NOON, MOMENT = datetime(2026, 11, 1, 12, tzinfo=UTC), timedelta(microseconds=7)


def line(plan: str, hours: int) -> dict[str, object]:
    at = NOON + MOMENT + timedelta(hours=hours)
    return {
        "plan_id": plan, "sync_id": "s", "definition": "vips", "destination": "ads", "call": "list", "place": "",
        "started_at": at, "finished_at": at, "as_of": at, "state": "partial", "why": "it's \U0001f389",
        **dict.fromkeys(COUNTS, 3), "reasons": {"gone": 2, "too long": 1}, "guards": {"removals": "many"},
        "overrides": {"removals": {"who": "ann", "why": ""}},
    }  # fmt: skip


#: The schema in which the tables of the shop are.
OWN = {"duckdb": "main", "snowflake": "PROD", "postgres": "public"}


def place(backend: Backend, folder: Path) -> Workspace:
    """A workspace with a state of its own, as on another machine."""
    folder.mkdir()
    return opened(backend, folder, SHOP)


@pytest.mark.gap("duckdb_files", raises=WarehouseError, reason="views of files that others write")
def test_every_warehouse_keeps_the_history_of_several_places(backend: Backend, tmp_path: Path) -> None:
    here, there = place(backend, tmp_path / "here"), place(backend, tmp_path / "there")
    where = OWN.get(backend.name, "main")
    here.store.note_run(line("p1", 0))
    there.store.note_run(line("p2", 1))

    first = here.write_history(where)
    assert first == {"runs": 1, "run_reasons": 2, "run_guards": 1}
    assert here.write_history(where) == first
    assert there.write_history(where) == {"runs": 2, "run_reasons": 4, "run_guards": 2}
    assert here.write_history(where)["runs"] == 2
    written = here._oversight._read(backend.table("runs")).sort("plan")
    assert written["plan"].to_list() == ["p1", "p2"]
    assert written["finished_at"].to_list() == [NOON + MOMENT, NOON + MOMENT + timedelta(hours=1)]
    assert written["why"].to_list() == ["it's \U0001f389"] * 2
