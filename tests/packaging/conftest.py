"""The wheel, built once for each process that tests it, without a network."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.installed import Installed, install

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(built) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def sdist(built) -> Path:
    (found,) = built.glob("*.tar.gz")
    return found


@pytest.fixture(scope="session")
def core(wheel, tmp_path_factory) -> Installed:
    """The wheel and what it always asks for."""
    return install(wheel, tmp_path_factory.mktemp("core") / "venv")


@pytest.fixture(scope="session")
def lab(wheel, tmp_path_factory) -> Installed:
    """The same with the extra ``lab``."""
    return install(wheel, tmp_path_factory.mktemp("lab") / "venv", ["lab"])
