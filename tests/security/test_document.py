"""SECURITY.md links what proves it, and names the numbers that the code has."""

import re
from pathlib import Path

import pytest

from personas_kit.activation import transport
from personas_kit.destinations.addresses import ALLOW_PRIVATE, LEAST_PORT, WELL_KNOWN_PORTS
from personas_kit.destinations.outcomes import DEEPEST

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\]\(([^)]+)\)", TEXT)
HERE = sorted(path.relative_to(ROOT).as_posix() for path in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_what_is_linked_is_there_and_has_tests(link):
    assert re.search(r"^\s*(async )?def test_", (ROOT / link).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_test_of_security_is_linked():
    assert [path for path in HERE if path not in LINKS and not path.endswith("test_document.py")] == []


def test_every_threat_has_a_measure_and_a_test():
    section = TEXT.partition("## Threats")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")][2:]

    assert len(rows) >= 12
    assert [row[0] for row in rows if len(row) != 3 or not row[1].strip() or "](tests/" not in row[2]] == []


def test_the_numbers_are_those_of_the_code():
    assert f"At most {transport.MOST_BYTES >> 20} MiB" in TEXT
    assert f"{DEEPEST} levels of JSON" in TEXT
    assert {2: "twice"}[transport.TOTAL] in TEXT
    assert f"ports {', '.join(map(str, sorted(WELL_KNOWN_PORTS)))} and from {LEAST_PORT}" in TEXT
    assert f"`{ALLOW_PRIVATE}`" in TEXT
