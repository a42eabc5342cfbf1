"""The file's own name, and paths that it names."""

from __future__ import annotations

from pathlib import Path

from personas_kit.errors import ConfigError

FILE = "personas.toml"


def expanded(path: str, where: str) -> Path:
    """The path; ``~`` is a home.

    Raises:
        ConfigError: nobody's home is called so, or no file is.
    """
    if "\0" in path:
        raise ConfigError("no path has the character U+0000 in it", where=where)
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(f"there is no such home: {path!r}", where=where, hint="write the whole path") from None


def read_sql(path: Path) -> str:
    """The text of a file of SQL.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        said = getattr(problem, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"the SQL cannot be read: {said}", where=str(path)) from None
