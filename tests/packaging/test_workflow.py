"""The workflow of GitHub asks for nothing that is not in the repository, on the Pythons that are promised."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CLASSIFIERS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]


@pytest.fixture(scope="module")
def jobs():
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]


def commands(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def test_what_has_to_pass_is_what_passes_there(jobs):
    assert "bash .ci/run" in commands(jobs["all"])


def test_every_make_that_is_asked_for_is_a_target(jobs):
    targets = re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    asked = re.findall(r"^make ([a-z-]+)", "\n".join([ci, *commands(jobs["newest"])]), re.MULTILINE)

    assert {"lint", "test", "test-matrix"} <= set(asked)
    assert set(asked) <= set(targets)


def test_it_runs_on_every_python_that_the_package_names(jobs):
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(CLASSIFIERS))

    assert jobs["newest"]["strategy"]["matrix"]["python"] == promised


def test_actions_are_named_with_a_version_and_get_no_more_than_they_need(jobs):
    used = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    whole = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))

    assert [each for each in used if not re.fullmatch(r"actions/[\w-]+@v\d+", each)] == []
    assert whole["permissions"] == {"contents": "read"}
