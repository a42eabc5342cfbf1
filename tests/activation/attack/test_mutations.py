"""A campaign finds nothing wrong with the delivery, and something wrong with each delivery that lacks one idea."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.activation.attack.books import chance, times
from tests.activation.attack.campaign import Campaign, Tallied
from tests.activation.attack.mutations import chosen, mutated

PATIENCE = 60.0
"""Seconds within which a campaign has to notice."""


def test_a_campaign_finds_nothing(quick_path: Path, record_campaign: Callable[[str], None]) -> None:
    tallied, campaign = Tallied(), Campaign(quick_path, chance())
    while tallied.rounds < times("rounds") and not tallied.found:
        campaign.round(tallied)

    record_campaign(f"campaign: {tallied}")
    assert tallied.found == []
    assert tallied.kills > 0
    assert tallied.faults > 0


@pytest.mark.parametrize("name", chosen())
def test_a_campaign_notices(quick_path: Path, name: str, record_campaign: Callable[[str], None]) -> None:
    tallied, campaign = Tallied(), Campaign(quick_path, chance())
    start = time.monotonic()
    with mutated(name):
        while not tallied.found and time.monotonic() - start < PATIENCE:
            campaign.round(tallied)

    record_campaign(f"campaign without {name!r}: {time.monotonic() - start:.1f} s, {tallied}")
    assert tallied.found, f"{name}: nobody noticed"
