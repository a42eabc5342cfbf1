"""environment.yml, the locks and pyproject.toml say the same. Conda itself is not run here."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = ("core", "dev")


def locked(name: str) -> dict[str, str]:
    """Package to version, where one may stand several times for several Pythons: the newest."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*])?==([^ ;\\]+)", text, re.MULTILINE))


class TestCondaEnvironment:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

    def test_only_conda_forge_is_asked(self):
        assert self.environment["channels"] == ["conda-forge", "nodefaults"]

    def test_conda_brings_python_and_pip_and_pip_brings_the_rest(self):
        python, pip, packages = self.environment["dependencies"]

        assert python == f"python{PROJECT['requires-python']}"
        assert pip == "pip"
        assert list(packages) == ["pip"]

    def test_the_package_itself_is_installed_with_every_extra(self):
        [package] = self.environment["dependencies"][2]["pip"]

        extras = re.fullmatch(r"-e \.\[(.*)]", package)[1].split(",")
        assert sorted(extras) == sorted(EXTRAS)


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS)
    def test_everything_is_pinned_and_hashed(self, lock):
        text = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")

        entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert len(entries) > 20
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []

    @pytest.mark.parametrize(
        ("lock", "wanted"),
        [("core", PROJECT["dependencies"]), *(("dev", extra) for extra in (PROJECT["dependencies"], *EXTRAS.values()))],
    )
    def test_what_the_project_asks_for_is_locked(self, lock, wanted):
        versions = locked(lock)

        for requirement in map(Requirement, wanted):
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement

    def test_the_build_backend_is_locked_so_that_an_install_fetches_nothing_unchecked(self):
        assert {"editables", "hatchling"} <= locked("core").keys()

    def test_the_small_lock_is_part_of_the_large_one(self):
        assert locked("core").items() <= locked("dev").items()
