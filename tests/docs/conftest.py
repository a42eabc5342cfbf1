"""The site, built once for all processes of a run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.docs.pages import ROOT


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of the site, and what its build complained of."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "documentation"
    said = shared / "said.txt"
    with FileLock(f"{shared}.lock"):
        if not said.exists():
            said.parent.mkdir()
            sphinx = [sys.executable, "-m", "sphinx", "--quiet", "-c", "docs"]
            command = [*sphinx, "-d", shared / "trees", ".", shared / "site"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            said.write_text(done.stdout + done.stderr, encoding="utf-8")
    return shared / "site", said.read_text(encoding="utf-8")
