"""What a benchmark is, what it is meant to reach, and how the entries are found."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

Way = Callable[[Path], object]
"""Does the work on the files of a folder and returns an answer that JSON can hold, for comparison between ways.

None is not compared: that is for a floor, which does a part of the work only. What is counted beside the time goes into
an :class:`Answer`.
"""
Service = Callable[[Path], AbstractContextManager[None]]
"""What is there while all ways run, in processes of its own: a server that leaves its address in the folder."""


def _nothing(_: Path) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Answer:
    """An answer with figures that were counted on the way, such as refused requests; goals may be about them."""

    value: object
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A line of the table: a way of the kit's against a peer in the same interleaved run.

    ``at_least`` is about peer / ours: how many times quicker, or smaller, the kit is. ``at_most`` is about ours / peer.
    Without either the line is shown and nothing is demanded. Without a peer ``at_most`` is a bound in the unit of the
    figure.

    Attributes:
        text: what is compared, in a few words.
        peer: the way compared with.
        of: ``wall`` or ``cpu`` (seconds), ``memory`` (MB), or the name of a figure, which ends with `` s`` for seconds.
        way: the kit's way.
    """

    text: str
    peer: str = ""
    at_least: float | None = None
    at_most: float | None = None
    of: str = "wall"
    way: str = "personas_kit"

    def __post_init__(self) -> None:
        if self.at_least is not None and (self.at_most is not None or not self.peer):
            raise ValueError(f"{self.text}: at_least stands alone, and needs a peer")


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One task and the ways to do it.

    Attributes:
        title: what is measured, in one line.
        unit: what is counted, such as ``events``.
        size: how many of them there are at scale 1.
        prepare: writes the input into a folder, at a scale where 1.0 is the usual size. Not measured.
        ways: by name; the kit's own is ``personas_kit``, all ratios are to it.
        goals: the lines that it adds to the table; a benchmark without any is measured only when it is asked for.
        rounds: how often each way runs, unless the command line says otherwise.
        shares: the part of the input that a slow way takes; its time is scaled up to all of it.
        service: what runs beside the ways; its processor time and memory are not counted.
        missing: ways that cannot be measured here, and what to do about it.
        lacks: why nothing can be measured here, and what to do about it; empty if all is there.
        large: so large that ``make bench`` leaves it out; ``make bench-100m`` runs it.
    """

    title: str
    unit: str
    size: int
    prepare: Callable[[Path, float], None]
    ways: Mapping[str, Way]
    goals: tuple[Goal, ...] = ()
    rounds: int = 2
    shares: Mapping[str, float] = field(default_factory=dict)
    service: Service = _nothing
    missing: Mapping[str, str] = field(default_factory=dict)
    lacks: str = ""
    large: bool = False

    def __post_init__(self) -> None:
        if OURS not in self.ways:
            raise ValueError(f"{self.title}: no way is named {OURS}")
        known = {*self.ways, *self.missing, ""}
        unknown = [name for goal in self.goals for name in (goal.way, goal.peer) if name not in known]
        if unknown or not {*self.shares} <= known:
            raise ValueError(f"{self.title}: no way is named {unknown or [*self.shares]}")


OURS = "personas_kit"


def entries() -> list[str]:
    """The names of all benchmarks: of an entry that holds several, ``entry.name``."""
    import benchmarks.entries as folder  # noqa: PLC0415  (listed when asked for, so that a worker loads one entry only)

    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    several = {name: getattr(_entry(name), "benchmarks", None) for name in names}
    return [f"{name}.{each}" if each else name for name in names for each in several[name] or [""]]


def compared(*, large: bool = False) -> list[str]:
    """The names of the benchmarks with goals: those that ``make bench`` runs, or the large ones."""
    return [name for name in entries() for entry in [load(name)] if entry.goals and entry.large == large]


def load(name: str) -> Benchmark:
    """The benchmark of that name."""
    entry, _, each = name.partition(".")
    found: Benchmark = _entry(entry).benchmarks[each] if each else _entry(entry).benchmark
    return found


def _entry(name: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.entries.{name}")
