"""Many members: every change is right, the receiver holds what is wanted, and memory stays within a bound.

Times are printed, and nothing is said about them: they are the machine's. Memory is that of the process that pushes, as
the system counts it; the receiver has another one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from personas_kit.sandbox import Sandbox
from tests.activation import scale
from tests.activation.attack.books import LONG

ROOT = Path(__file__).parents[2]
MEMBERS, MOST_MB = (1_000_000, 1_024) if LONG else (100_000, 512)
"""How many are pushed, and the memory that it may take; a process that has imported everything takes some 200 MB."""
MANY, MOST_MB_FOR_MANY = 10_000_000, 8_192
"""How many are compared, and the memory for that."""

FEW, MORE = (1_000_000, 5_000_000) if LONG else (100_000, 500_000)
MOST_MORE_MB = 120
"""How much more memory a push of ``MORE`` changes may add to its plan than one of ``FEW``."""

pytestmark = pytest.mark.timeout(0 if LONG else 300)


@dataclass(frozen=True, slots=True)
class Company:
    """A workspace, and the receiver of its one destination."""

    folder: Path
    sandbox: Sandbox

    def runs(self, mode: str) -> dict[str, Any]:
        """One plan in a process of its own: what it says of itself."""
        command = [sys.executable, "-m", "tests.activation.scale", str(self.folder), mode]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def changes(self) -> dict[str, set[str]]:
        """Who was in the last plan, by change."""
        frame = pl.read_parquet(self.folder / "changes.parquet")
        assert frame["member"].n_unique() == frame.height
        return {change: set(part["member"]) for (change,), part in frame.partition_by("change", as_dict=True).items()}

    def received(self) -> set[str]:
        """Whom the receiver takes for members."""
        return {user for user, traits in self.sandbox.users().items() if traits["vips"] is True}


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Sandbox() as sandbox:
        yield Company(tmp_path, sandbox)


def told(said: dict[str, Any]) -> str:
    """The figures of a plan, for people."""
    rate = f", {said['changes'] / said['push']:,.0f} members a second" if said.get("complete") else ""
    memory = f"{said['peak_mb']:,.0f} MB" if said["peak_mb"] else "unknown memory"
    return (
        f"{said['changes']:,} changes planned in {said['plan']:.1f} s, pushed in {said['push']:.1f} s{rate}, {memory}"
    )


def within(said: dict[str, Any], most: int) -> bool:
    """Whether the memory is within the bound, where the system tells."""
    return said["peak_mb"] is None or said["peak_mb"] < most


def test_all_members_are_pushed_and_then_those_who_changed(
    company: Company, record_campaign: Callable[[str], None]
) -> None:
    everybody = {f"user_{n}" for n in range(MEMBERS)}
    entering, leaving = scale.expected(MEMBERS)
    scale.make(company.folder, company.sandbox.url, MEMBERS)
    first = company.runs("push")
    assert company.changes() == {"enter": everybody}
    assert company.received() == everybody

    scale.change(company.folder, MEMBERS)
    second = company.runs("push")
    assert company.changes() == {"enter": entering, "exit": leaving}
    assert company.received() == (everybody | entering) - leaving

    record_campaign(f"scale: {told(first)}; then {told(second)}")
    assert [(said["complete"], said["acknowledged"]) for said in (first, second)] == [
        (True, MEMBERS),
        (True, len(entering) + len(leaving)),
    ]
    assert sum(request.items for request in company.sandbox.requests) == first["changes"] + second["changes"]
    assert company.sandbox.conflicts == []
    assert within(first, MOST_MB)
    assert within(second, MOST_MB)


@pytest.mark.skipif(not LONG, reason="ten million members take minutes: PERSONAS_LONG=1")
def test_the_changes_of_many(company: Company, record_campaign: Callable[[str], None]) -> None:
    entering, leaving = scale.expected(MANY)
    scale.make(company.folder, company.sandbox.url, MANY)
    adopted = company.runs("adopt")
    scale.change(company.folder, MANY)
    said = company.runs("plan")

    assert company.changes() == {"enter": entering, "exit": leaving}
    record_campaign(f"scale: {told(adopted)} (nothing sent); then {told(said)} (not pushed)")
    assert company.sandbox.requests == []
    assert within(said, MOST_MB_FOR_MANY)


def added(folder: Path, members: int) -> float:
    """How much memory a push of so many changes adds to its plan, in MB; each step is a process of its own."""
    folder.mkdir()
    for mode in ("plan", "push"):
        command = [sys.executable, "-m", "tests.activation.heavy", str(folder), mode, str(members)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    said = json.loads(done.stdout)
    assert said["acknowledged"] == members
    return float(said["added_mb"])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets the peak of a process")
def test_the_memory_of_a_push_does_not_grow_with_its_plan(
    tmp_path: Path, record_campaign: Callable[[str], None]
) -> None:
    few, more = added(tmp_path / "few", FEW), added(tmp_path / "more", MORE)

    record_campaign(f"scale: a push of {FEW:,} changes adds {few:,.0f} MB to its plan, one of {MORE:,} {more:,.0f} MB")
    assert more - few < MOST_MORE_MB
