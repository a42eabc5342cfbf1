"""What a benchmark is, and how the entries are found."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

Way = Callable[[Path], object]
"""Does the work on the files of a folder and returns an answer that JSON can hold, for comparison between ways."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One task and the ways to do it.

    Attributes:
        title: what is measured, in one line.
        unit: what is counted, such as ``events``.
        size: how many of them there are at scale 1.
        prepare: writes the input into a folder, at a scale where 1.0 is the usual size. Not measured.
        ways: by name; the kit's own is ``personas_kit``, all ratios are to it.
    """

    title: str
    unit: str
    size: int
    prepare: Callable[[Path, float], None]
    ways: Mapping[str, Way]

    def __post_init__(self) -> None:
        if OURS not in self.ways:
            raise ValueError(f"{self.title}: no way is named {OURS}")


OURS = "personas_kit"


def entries() -> list[str]:
    """The names of all benchmarks: of an entry that holds several, ``entry.name``."""
    import benchmarks.entries as folder  # noqa: PLC0415  (listed when asked for, so that a worker loads one entry only)

    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    several = {name: getattr(_entry(name), "benchmarks", None) for name in names}
    return [f"{name}.{each}" if each else name for name in names for each in several[name] or [""]]


def load(name: str) -> Benchmark:
    """The benchmark of that name."""
    entry, _, each = name.partition(".")
    found: Benchmark = _entry(entry).benchmarks[each] if each else _entry(entry).benchmark
    return found


def _entry(name: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.entries.{name}")
