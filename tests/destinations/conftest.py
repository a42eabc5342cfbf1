"""Finds every destination and its fixture by folder; one lacking the other fails."""

from pathlib import Path

import pytest

from personas_kit.destinations import DESTINATIONS
from personas_kit.destinations.registry import module_of
from personas_kit.secret import Secret
from personas_kit.testing import written
from personas_kit.testing.written import batch_of, body_of, computation_of, read, readable
from tests.tidying import tidy_up

__all__ = [
    "FIXTURES", "batch_of", "body_of", "computation_of", "connect", "file_of", "fixture_of", "readable", "settings_of",
]  # fmt: skip

FIXTURES = Path(__file__).parents[1] / "fixtures" / "destinations"


def file_of(slug):
    """Where the destination's fixture lies."""
    return FIXTURES / f"{module_of(slug).replace('_', '-')}.json"


def fixture_of(slug):
    """What the destination's fixture says."""
    return read(file_of(slug))


def settings_of(slug):
    """The settings of its fixture; every secret lies in one variable."""
    return written.settings_of(fixture_of(slug), Secret("env", "DESTINATION_CANARY"))


def connect(slug):
    """A connection with the settings of its fixture."""
    return DESTINATIONS[slug].configure("it", settings_of(slug), url=fixture_of(slug).get("url"))


@pytest.fixture
def tidied():
    """For tests of others' libraries, which leave things open."""
    yield
    tidy_up()
