"""Whatever happens to a sync, in whatever order, its books agree; a machine that could not tell would be no proof."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.activation.attack.books import LONG, times
from tests.activation.attack.judged import Lived
from tests.activation.attack.life import Life
from tests.activation.attack.mutations import mutated


def live(home: Path, told: Lived, **more: object) -> None:
    class Here(Life):
        folder, lived = home, told

    run_state_machine_as_test(Here, settings=settings(stateful_step_count=times("steps"), **more))  # type: ignore[arg-type]


@pytest.mark.timeout(0 if LONG else 900)
def test_a_sync_and_its_receiver_agree_whatever_happens_to_them(
    quick_path: Path, record_campaign: Callable[[str], None]
) -> None:
    lived = Lived()
    live(quick_path, lived, max_examples=times("lives"))

    record_campaign(f"life: {lived}")
    assert min(lived.kills, lived.faults, lived.rejects, lived.runners, lived.refused) > 0


@pytest.mark.parametrize("name", ["sent before it is noted", "one id, another content"])
def test_the_machine_notices(quick_path: Path, name: str) -> None:
    only = {"phases": [Phase.generate], "derandomize": True, "database": None, "report_multiple_bugs": False}
    with mutated(name), pytest.raises(AssertionError, match=r"I2: |I3: |I4: |R1: "):
        live(quick_path, Lived(), max_examples=times("lives"), **only)
