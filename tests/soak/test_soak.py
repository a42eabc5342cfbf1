"""A month on a schedule, hour by hour: every place ends as the company says, and until then something says why not."""

from __future__ import annotations

import multiprocessing
import os
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import pytest

from tests.activation.attack.books import LONG
from tests.soak.month import Story, Summary, live
from tests.soak.mutations import MUTATIONS, mutated

SEEDS = 40
"""Months of the long run."""
DAYS = {
    3: Story(days=3, step=4, keys=("buyers", "active", "quiet", "spend")),
    4: Story(days=3, step=4, keys=("buyers", "active", "lively", "seats")),
}
"""Seeds of the short run, each with its days."""
FEW = Story(days=3, step=4, keys=("buyers", "active", "spend", "lively"))
"""Days in which something missing has to be noticed."""


@pytest.mark.parametrize("seed", DAYS)
def test_some_days_end_as_the_company_says(quick_path: Path, seed: int, record_campaign: Callable[[str], None]) -> None:
    summary = Summary()
    diary = live(seed, quick_path, summary, DAYS[seed])

    record_campaign(f"soak, some days: {summary}")
    assert summary.found == [], "\n".join(diary[-40:])
    assert summary.faults.total() > 10
    assert min(summary.counts[each] for each in ("changes", "edits", "lines blocked", "lines pushed")) > 0


@pytest.mark.skipif(not LONG, reason="PERSONAS_LONG=1")
def test_no_month_finds_anything(quick_path: Path, record_campaign: Callable[[str], None]) -> None:
    given = os.environ.get("PERSONAS_SEED")
    first, summary = int(given or random.randrange(2**32)), Summary()  # noqa: S311  (chance, not secrecy)
    seeds = range(first, first + (1 if given else SEEDS))
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(month, seed, quick_path) for seed in seeds]):
            summary.add(done.result())
            if summary.found:
                pool.shutdown(cancel_futures=True)
                break

    record_campaign(f"soak: {summary} (from {first} on)")
    assert summary.found == []


@pytest.mark.skipif(not LONG, reason="PERSONAS_LONG=1")
@pytest.mark.parametrize("name", MUTATIONS)
def test_days_notice(quick_path: Path, name: str, record_campaign: Callable[[str], None]) -> None:
    first, summary = random.randrange(2**32), Summary()  # noqa: S311  (chance, not secrecy)
    with mutated(name):
        while not summary.found and summary.seeds < SEEDS:
            live(first + summary.seeds, quick_path, summary, FEW)

    record_campaign(f"soak without {name!r}: {summary}")
    assert summary.found, f"{name}: nobody noticed"


def month(seed: int, folder: Path) -> Summary:
    """A whole month, in a process of its own."""
    summary = Summary()
    live(seed, folder, summary, Story())
    return summary
