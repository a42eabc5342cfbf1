"""What is in the wheel and in the sdist, and what they say of themselves."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COPIED = ("docs/", "notebooks/", "sql/")
MAKES_THE_SITE = ("docs/conf.py", "docs/site/")


def known_to_git() -> set[str]:
    """What is committed, or would be."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    ask = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(ask, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


def files_in(wheel: Path) -> set[str]:
    """The files of a wheel, but those that say what it is."""
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def said(wheel):
    """The wheel's metadata, and its entry points."""
    archive = zipfile.ZipFile(wheel)
    text = {Path(name).name: archive.read(name) for name in archive.namelist() if ".dist-info/" in name}
    return message_from_bytes(text["METADATA"]), text


def test_the_wheel_holds_what_git_knows_and_nothing_else(wheel):
    package = {name for name in known_to_git() if name.startswith("personas_kit/")}
    named = {name for name in known_to_git() if name.startswith(COPIED) and not name.startswith(MAKES_THE_SITE)}
    copied = {f"personas_kit/_files/{name}" for name in named}

    assert files_in(wheel) == package | copied


def test_neither_tests_nor_caches_are_in_the_wheel(wheel):
    unwanted = re.compile(r"(^|/)(tests|__pycache__|\.\w+)/|\.(pyc|duckdb|sqlite|parquet)$")

    assert [name for name in files_in(wheel) if unwanted.search(name)] == []


def test_what_the_package_reads_at_run_time_is_there(wheel):
    """By name, so that this fails also where git has lost them."""
    wanted = {
        "personas_kit/py.typed",
        "personas_kit/activation/store/schema.sql",
        "personas_kit/activation/store/warehouse.sql",
        "personas_kit/destinations/catalogue.csv",
        "personas_kit/notebook/widgets/push_bar.js",
        "personas_kit/_files/notebooks/90_scheduled_sync.ipynb",
        "personas_kit/_files/sql/snowflake/grants.sql",
        "personas_kit/_files/sql/sources/segment.sql",
    }
    assert wanted - files_in(wheel) == set()


def test_the_sdist_holds_the_tests_and_makes_the_same_wheel(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (again,) = (tmp_path / "again").glob("*.whl")

    assert files_in(again) == files_in(wheel)
    assert {"LICENSE", "Makefile", "requirements", "tests"} <= {path.name for path in source.iterdir()}


def test_it_says_its_license_and_which_python_it_needs(said):
    metadata, files = said

    assert metadata["License-Expression"] == "Apache-2.0"
    assert files["LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_it_names_the_pythons_that_the_tests_are_run_on(said):
    metadata, _ = said
    named = re.findall(r"Programming Language :: Python :: (3\.\d+)", "\n".join(metadata.get_all("Classifier")))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert named == re.search(r"^PYTHONS *\?= *(.*)$", makefile, re.MULTILINE)[1].split()
    assert "Typing :: Typed" in metadata.get_all("Classifier")


def test_the_command_is_an_entry_point(said):
    _, files = said

    assert files["entry_points.txt"].decode().split("\n")[:2] == [
        "[console_scripts]",
        "personas = personas_kit.cli:main",
    ]


def test_every_extra_is_offered_with_what_it_needs(said):
    metadata, _ = said
    asked_for = [Requirement(line) for line in metadata.get_all("Requires-Dist")]

    assert set(metadata.get_all("Provides-Extra")) == set(PROJECT["optional-dependencies"])
    for extra, lines in PROJECT["optional-dependencies"].items():
        named = {each.name for each in asked_for if each.marker and f'extra == "{extra}"' in str(each.marker)}
        assert named == {Requirement(line).name for line in lines}
