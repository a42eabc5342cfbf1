"""Days of two runners with a made-up clock and network, each from a seed: nothing is wrong, and any can be repeated."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import pytest

from tests.activation.attack.books import LONG, times
from tests.activation.attack.mutations import chosen, mutated
from tests.activation.attack.simulation import Summary, simulate, stretch

ROOT = Path(__file__).parents[3]
TOGETHER = 20
"""So many seeds are handed to a process at once."""


def first_seed() -> int:
    """That of PERSONAS_SEED, or one that nobody has tried."""
    return int(os.environ.get("PERSONAS_SEED") or random.randrange(2**32))  # noqa: S311  (chance, not secrecy)


@pytest.mark.timeout(0 if LONG else 600)
def test_no_seed_finds_anything(quick_path: Path, record_campaign: Callable[[str], None]) -> None:
    summary, first = Summary(), first_seed()
    seeds = range(first, first + (1 if "PERSONAS_SEED" in os.environ else times("seeds")))
    stretches = [seeds[at : at + TOGETHER] for at in range(0, len(seeds), TOGETHER)]
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(stretch, each, quick_path) for each in stretches]):
            summary.add(done.result())
            if summary.found:
                pool.shutdown(cancel_futures=True)
                break

    record_campaign(f"simulation: {summary} (from {first} on)")
    assert summary.found == []
    assert len(seeds) == 1 or min(summary.kills, summary.faults, summary.busy, summary.stale) > 0


def test_a_seed_is_a_run_to_the_byte(quick_path: Path) -> None:
    seed = first_seed()
    print(f"PERSONAS_SEED={seed}")  # noqa: T201  (to repeat a failure)
    diary = simulate(seed, quick_path, Summary())
    command = [sys.executable, "-m", "tests.activation.attack.simulation", str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(seed % 1_000 + 1)}
    elsewhere = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    assert len(diary) > 5
    assert simulate(seed, quick_path, Summary()) == diary
    assert elsewhere == "\n".join(diary) + "\n"
    assert simulate(seed + 1, quick_path, Summary()) != diary


@pytest.mark.parametrize("name", chosen())
def test_simulations_notice(quick_path: Path, name: str, record_campaign: Callable[[str], None]) -> None:
    first, summary, start = first_seed(), Summary(), time.monotonic()
    with mutated(name):
        while not summary.found and summary.seeds < times("seeds"):
            simulate(first + summary.seeds, quick_path, summary)

    record_campaign(f"simulation without {name!r}: {time.monotonic() - start:.1f} s, {summary}")
    assert summary.found, f"{name}: nobody noticed"
