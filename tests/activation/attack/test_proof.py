"""docs/proof.md links what proves it, and names the numbers that the tests have."""

import re
from pathlib import Path

import pytest

from tests.activation.attack.books import TIMES
from tests.activation.attack.detours import DETOURS
from tests.activation.attack.mutations import MUTATIONS
from tests.activation.attack.test_clock import JUMPS
from tests.activation.attack.test_corrupt_state import DAMAGES
from tests.activation.attack.test_crash_points import CHANGES, NAMED
from tests.hostile_receiver.faults import FAULTS

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "proof.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\]\(([^)]+)\)", TEXT)
COUNTED = {"kills", "rounds", "pushes", "seeds", "fuzzed", "replacements"}
"""What the long run has a number for."""
HERE = sorted(path.name for path in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_what_is_linked_is_there_and_has_tests(link):
    text = (DOCS / link).read_text(encoding="utf-8")

    assert re.search(r"^def test_", text, re.MULTILINE) or not Path(link).name.startswith("test_")


def test_every_attack_is_linked_and_so_is_the_document():
    linked = {Path(link).name for link in LINKS}

    assert [name for name in HERE if name not in linked and name != "test_proof.py"] == []
    assert "(proof.md)" in (DOCS / "README.md").read_text(encoding="utf-8")


def test_the_numbers_are_those_of_the_tests():
    said = [
        *(f"{usual:,} {what}" for what, (usual, _) in TIMES.items() if what != "mutations"),
        *(f"{often:,} {what}" for what, (_, often) in TIMES.items() if what in COUNTED),
        f"**Faults.** {len(FAULTS)} of the receiver's, and {len(DETOURS) + 1} ways to have no connection",
        f"all {len(FAULTS) ** 2:,} pairs",
        f"{TIMES['mutations'][0]} of {len(MUTATIONS)}",
        f"{len(NAMED)} named points",
        f"in one of {len(CHANGES)} ways",
        f"{len(DAMAGES)} kinds",
        f"{len(JUMPS)} jumps",
    ]

    assert [words for words in said if words not in TEXT] == []
