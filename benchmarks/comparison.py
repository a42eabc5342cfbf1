"""The table of ``make bench``: every goal, what the kit and its peer took in one run, and whether it is reached."""

import datetime as dt
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.table import Table

from benchmarks.entry import Benchmark, Goal
from benchmarks.measure import Result

HEADINGS = ("what", "ours", "peer", "peer's", "ratio", "by cpu", "goal", "reached")
RIGHT = {"ours", "peer's", "ratio", "by cpu"}
PEERS = ("polars", "duckdb", "numpy", "pandas", "httpx", "msgspec", "orjson", "segment-analytics-python",
         "rudder-sdk-python")  # fmt: skip
"""What is measured depends on their versions."""


@dataclass(frozen=True)
class Line:
    """A goal and what became of it.

    Attributes:
        ours: seconds, MB, or what the goal is about; None where it was not measured.
        theirs: the peer's, of the same.
        ratio: peer / ours where that is to be at least something, else ours / peer; None without a peer.
        by_cpu: the same of processor time, which other work of the machine disturbs less.
        reached: None where nothing is demanded, or nothing was measured.
        note: why it was not measured, and what to do.
    """

    benchmark: str
    goal: Goal
    ours: float | None
    theirs: float | None
    ratio: float | None
    reached: bool | None
    note: str = ""
    by_cpu: float | None = None

    @property
    def said(self) -> tuple[str, ...]:
        """The cells of the table."""
        goal = self.goal
        if self.note:
            return (goal.text, "-", goal.peer, "-", "-", "", _demanded(goal), self.note)
        reached = {True: "yes", False: "NO", None: ""}[self.reached]
        ratio, by_cpu = ("" if each is None else f"{each:.2f}x" for each in (self.ratio, self.by_cpu))
        ours, theirs = _amount(self.ours, goal.of), _amount(self.theirs, goal.of)
        return (goal.text, ours, goal.peer, theirs, ratio, by_cpu, _demanded(goal), reached)


def compare(name: str, entry: Benchmark, results: Sequence[Result], failed: str = "") -> list[Line]:
    """The lines of a benchmark; what it said if it failed."""
    found = {result.way: result for result in results}
    if failed:
        return [Line(name, goal, None, None, None, None, failed) for goal in entry.goals]
    return [_line(name, entry, goal, found) for goal in entry.goals]


def _line(name: str, entry: Benchmark, goal: Goal, found: Mapping[str, Result]) -> Line:
    ways = [way for way in (goal.way, goal.peer) if way]
    figures = [found[way].figure(goal.of) if way in found else None for way in ways]
    if None in figures:
        reasons = [entry.lacks, *(entry.missing.get(way, "") for way in ways)]
        note = next(filter(None, reasons), "not measured")
        return Line(name, goal, None, None, None, None, note)
    ours, theirs = figures[0], figures[1] if goal.peer else None
    ratio = _ratio(goal, ours, theirs)
    by_cpu = _ratio(goal, *(found[way].cpu for way in ways)) if goal.peer and goal.of == "wall" else None
    return Line(name, goal, ours, theirs, ratio, _reached(goal, ratio if goal.peer else ours), by_cpu=by_cpu)


def _ratio(goal: Goal, ours: float | None, theirs: float | None) -> float | None:
    if ours is None or theirs is None:
        return None
    return ours / max(theirs, 1e-9) if goal.at_most is not None else theirs / max(ours, 1e-9)


def _reached(goal: Goal, measured: float | None) -> bool | None:
    if measured is None or (goal.at_least is None and goal.at_most is None):
        return None
    return measured >= goal.at_least if goal.at_least is not None else measured <= (goal.at_most or 0)


def _demanded(goal: Goal) -> str:
    if goal.at_least is not None:
        return f">= {goal.at_least:g}x"
    if goal.at_most is not None:
        return f"<= {goal.at_most:.3g}x" if goal.peer else f"<= {_amount(goal.at_most, goal.of)}"
    return ""


def _amount(value: float | None, of: str) -> str:
    if value is None:
        return ""
    if of in {"wall", "cpu"} or of.endswith(" s"):
        said = f"{value * 1_000:.3g} ms" if value < 1 else f"{value:.3g} s"
        return f"{said} cpu" if of == "cpu" else said
    if of == "memory":
        return f"{value:,.0f} MB"
    return f"{value:,.6g}"


# --------------------------------------------------------------------------------------------------------- what is said


def table(lines: Sequence[Line], scale: float = 1.0) -> Table:
    """For a terminal."""
    part = f" (x {scale:g} of what each line says)" if scale != 1 else ""
    made = Table(title=f"the kit beside its peers, medians of one interleaved run{part}", title_justify="left")
    for heading in HEADINGS:
        made.add_column(heading, justify="right" if heading in RIGHT else "left")
    for line in lines:
        made.add_row(*line.said, style="red" if line.reached is False else "dim" if line.note else "")
    return made


def markdown(lines: Sequence[Line]) -> str:
    """For ``docs/performance.md``: the machine, and the table."""
    rows = [HEADINGS, ["---:" if heading in RIGHT else "---" for heading in HEADINGS], *(line.said for line in lines)]
    return f"{machine_said()}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def to_json(lines: Sequence[Line], results: Mapping[str, Sequence[Result]]) -> str:
    """The machine, the table, and every way of every benchmark, for keeping."""
    said = {
        "machine": machine(),
        "lines": [asdict(line) for line in lines],
        "results": {name: [asdict(result) for result in found] for name, found in results.items()},
    }
    return json.dumps(said, indent=2)


def machine() -> dict[str, object]:
    """Where and when this is, and what is compared."""
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "processor": _read("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(int((_read("/proc/meminfo", "MemTotal") or "0").split()[0]) / 1024**2),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: found for name in PEERS if (found := _version(name))},
    }


def machine_said() -> str:
    """The same in a sentence."""
    told = machine()
    versions = ", ".join(f"{name} {of}" for name, of in _mapping(told["versions"]).items())
    return (
        f"{told['date']}, {told['processor']}, {told['cores']} cores, {told['memory_gb']} GB, {told['system']}, "
        f"Python {told['python']}, {versions}."
    )


def _mapping(value: object) -> Mapping[str, str]:
    return value if isinstance(value, dict) else {}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _read(path: str, name: str) -> str:
    """What one of the system's files says under a name; empty if there is none."""
    if not Path(path).exists():
        return ""
    lines = (line.partition(":") for line in Path(path).read_text(encoding="utf-8").splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")
