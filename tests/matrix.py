"""``make test-matrix``: the tests on each Python that this machine has, with the newest packages that are allowed.

Not the locks: what pip installs for a person today. Needs nothing but Python, and keeps its environments in
``.cache/matrix``.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / ".cache" / "matrix"
#: Where pyenv and uv put the interpreters that they install, below a home.
INSTALLED = (".pyenv/versions/{}*/bin/python", ".local/share/uv/python/cpython-{}*/bin/python")


def main(versions: list[str], options: list[str]) -> int:
    """Run them, say which ran and which is missing.

    Returns:
        0 if at least one Python is there and the tests pass on all that are.
    """
    found = {version: interpreter(version) for version in versions}
    ended = {version: tested(version, python, options) for version, python in found.items() if python}
    print()
    for version in versions:
        print(f"Python {version}: {ended.get(version, 'not found on this machine, nothing was run')}")
    return 0 if ended and set(ended.values()) == {"passed"} else 1


def interpreter(version: str) -> str | None:
    """One that runs and is of this version; what pyenv puts on the path may name one that is not chosen."""
    return next((python for python in candidates(version) if says(python) == version), None)


def candidates(version: str) -> Iterator[str]:
    """Where one may be: on the path, else where tools install them, the newest first."""
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    for pattern in INSTALLED:
        yield from map(str, sorted(Path.home().glob(pattern.format(version + ".")), reverse=True))


def says(python: str) -> str:
    """Its version, as ``3.13``; empty if it does not run."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def tested(version: str, python: str, options: list[str]) -> str:
    """How the tests ended there."""
    print(f"\n== Python {version}: {python}", flush=True)
    environment = ENVIRONMENTS / version
    own = str(environment / "bin" / "python")
    extras = ",".join(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"])
    install = [own, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--upgrade"]
    newest = ("--upgrade-strategy", "eager", "--requirement", "requirements/build.in")
    steps = (
        ([python, "-m", "venv", str(environment)], "no environment could be made"),
        ([*install, *newest, "--editable", f".[{extras}]"], "the packages were not installed"),
        ([own, "-m", "pytest", "--numprocesses=auto", "--dist=worksteal", *options], "failed"),
    )
    return next((said for step, said in steps if subprocess.run(step, cwd=ROOT, check=False).returncode), "passed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], shlex.split(os.environ.get("ARGS", "")) + shlex.split(os.environ.get("TESTS", ""))))
