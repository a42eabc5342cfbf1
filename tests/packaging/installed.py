"""An environment of a wheel and of exactly the packages that it asks for: links to those of the running environment.

So nothing is fetched, it takes a second, and what is not asked for is not there.
"""

import os
import subprocess
import sys
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@dataclass(frozen=True)
class Installed:
    """A virtual environment."""

    folder: Path

    @property
    def packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def run(self, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        """A program of it, in a folder, with nobody at its keyboard and nothing of this checkout in its environment."""
        program, *rest = map(str, arguments)
        return subprocess.run(
            [self.folder / "bin" / program, *rest],
            cwd=cwd, env=clean(self.folder), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240,
            check=False,
        )  # fmt: skip


def clean(folder: Path) -> dict[str, str]:
    """The environment without what would let Python find this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PERSONAS_", "PIP_"))}
    return kept | {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(folder)}


def install(wheel: Path, folder: Path, extras: Iterable[str] = ()) -> Installed:
    """Install a wheel as pip does, beside links to what it asks for with these extras."""
    venv.create(folder, with_pip=False)
    made = Installed(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    # Alone, and from this file: pip asks no index for anything.
    options = ["--quiet", "--no-index", "--no-deps", "--no-compile", str(wheel)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    asked_for = [line for line in metadata_of(made)["Requires-Dist"] if wanted(Requirement(line), extras)]
    link(closure(asked_for), made.packages)
    return made


def metadata_of(made: Installed) -> dict[str, list[str]]:
    """The fields of the wheel's metadata."""
    (file,) = made.packages.glob("personas_kit-*.dist-info")
    fields = Distribution.at(file).metadata
    return {name: fields.get_all(name, []) for name in fields}


def wanted(requirement: Requirement, extras: Iterable[str]) -> bool:
    """Whether it is asked for in this environment, with these extras."""
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": each}) for each in ("", *extras))


def closure(asked_for: Iterable[str]) -> dict[str, Distribution]:
    """What is asked for, what that asks for, and so on, by name; without the running environment's personas_kit."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(line) for line in asked_for]
    while waiting:
        each = waiting.pop()
        name = canonicalize_name(each.name)
        for extra in {"", *each.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                found[name] = distribution(name)
                lines = map(Requirement, found[name].requires or ())
                waiting += [line for line in lines if wanted(line, [extra])]
    assert "personas-kit" not in found
    return found


def link(found: dict[str, Distribution], packages: Path) -> None:
    """Link every file of these packages that is imported; a folder is linked whole where it is one package's."""
    owners: dict[PurePosixPath, set[str]] = {}
    files: dict[PurePosixPath, Path] = {}
    for name, each in found.items():
        for file in each.files or ():
            path = PurePosixPath(file)
            if ".." not in path.parts and "__pycache__" not in path.parts and path.suffix != ".pth":
                files[path] = Path(str(each.locate_file(file)))
                for above in path.parents:
                    owners.setdefault(above, set()).add(name)
    linked: set[PurePosixPath] = set()
    for path, place in files.items():
        above = [*reversed(path.parents)][1:]
        whole = next((up for up in above if len(owners[up]) == 1), path)
        if whole not in linked:
            linked.add(whole)
            target = packages / whole
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(place if whole == path else place.parents[len(path.parts) - len(whole.parts) - 1])
