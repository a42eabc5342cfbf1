"""What a benchmark is, and how the entries are found."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

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
    """The names of all benchmarks."""
    import benchmarks.entries as folder  # noqa: PLC0415  (listed when asked for, so that a worker loads one entry only)

    return sorted(module.name for module in pkgutil.iter_modules(folder.__path__))


def load(name: str) -> Benchmark:
    """The benchmark of that name."""
    found: Benchmark = importlib.import_module(f"benchmarks.entries.{name}").benchmark
    return found
