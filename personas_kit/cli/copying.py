"""``personas copy``: what lies beside the code in the repository, for whoever has installed the package only."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from personas_kit.cli.terminal import people
from personas_kit.errors import ConfigError

KINDS = ("docs", "notebooks", "sql")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def copy(kind: str, folder: Path) -> None:
    """Copy what comes with the kit into FOLDER: its notebooks, the SQL for your warehouse, the documents.

    They go to a folder of their name in FOLDER, which is this one by default. A file that is there already and says
    something else is never overwritten.
    """
    there, source = folder / kind, came_with(kind)
    if not source.is_dir():
        raise ConfigError(
            f"this personas-kit was built without its {kind}", hint="take it from the wheel or the repository"
        )
    copied = copy_files(source, there)
    people.print(f"{copied} files copied to {there}", markup=False)


def came_with(kind: str) -> Path:
    """The folder that holds them: in the package where it was installed, in the repository where that is worked on."""
    package = Path(__file__).parents[1]
    installed = package / "_files"
    return (installed if installed.is_dir() else package.parent) / kind


def copy_files(source: Path, target: Path) -> int:
    """Copy all files of a folder, those of folders in it among them; those that are there already stay.

    Returns:
        How many were copied.

    Raises:
        ConfigError: a file there says something else, and nothing was copied; or a file cannot be written.
    """
    found = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file() and _shown(path, source))
    try:
        new = [name for name in found if not (target / name).exists()]
        _not_changed(source, target, [name for name in found if name not in new])
        for name in new:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)
    except OSError as problem:
        raise ConfigError(f"it cannot be copied: {problem.strerror or problem}", where=str(target)) from None
    return len(new)


def _shown(path: Path, source: Path) -> bool:
    """Jupyter keeps copies in folders that begin with a dot."""
    return not any(part.startswith(".") for part in path.relative_to(source).parts)


def _not_changed(source: Path, target: Path, names: list[Path]) -> None:
    for name in names:
        if not (target / name).is_file() or (source / name).read_bytes() != (target / name).read_bytes():
            raise ConfigError(
                "there is another file already, and nothing was copied",
                where=str(target / name),
                hint=f"name another folder: personas copy {target.name} FOLDER",
            )
