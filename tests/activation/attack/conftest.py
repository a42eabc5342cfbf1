"""Where the attacks keep their state: in memory, if the system has a place for that."""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.tidying import tidy_up

MEMORY = Path("/dev/shm")  # noqa: S108  (only for what a test throws away)


@pytest.fixture
def quick_path(tmp_path: Path) -> Generator[Path]:
    """A folder whose files need no disk: an attack stops processes, not machines, and thousands of pushes are slow."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="personas-") as folder:
        yield Path(folder)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Who dies in this process cannot close what it had open, as a system does for a process that is gone."""
    item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(autouse=True, scope="module")
def buried_dead() -> Generator[None]:
    """Before the tests of another module begin."""
    yield
    tidy_up()
