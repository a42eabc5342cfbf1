"""Where the attacks keep their state: in memory, if the system has a place for that."""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")  # noqa: S108  (only for what a test throws away)


@pytest.fixture
def quick_path(tmp_path: Path) -> Generator[Path]:
    """A folder whose files need no disk: an attack stops processes, not machines, and thousands of pushes are slow."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="personas-") as folder:
        yield Path(folder)
