"""Measuring: one process for each run, so that no way warms another's caches or inherits its memory."""

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.entry import OURS, load

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Run:
    """One way, once. Seconds of wall and processor time, and the peak of the process's memory in MB if it is known."""

    wall: float
    cpu: float
    peak_mb: float | None
    answer: object


@dataclass(frozen=True)
class Result:
    """One way over all rounds: medians, the spread of the wall times, and ratios to the kit's medians."""

    way: str
    wall: float
    fastest: float
    slowest: float
    cpu: float
    peak_mb: float | None
    wall_ratio: float
    cpu_ratio: float


def measure(
    name: str, folder: Path, *, scale: float, rounds: int, only: frozenset[str] = frozenset(), seed: int = 0
) -> list[Result]:
    """Run every way of a benchmark ``rounds`` times, interleaved.

    Args:
        name: of the benchmark.
        folder: an empty one, for the input.
        scale: 1.0 is the usual size.
        rounds: how often each way runs.
        only: the ways to run beside the kit's; all if empty.
        seed: of the order within each round.

    Raises:
        RuntimeError: two ways gave different answers.
    """
    ways = [way for way in load(name).ways if way == OURS or not only or way in only]
    _worker("prepare", name, str(scale), str(folder))
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    order = random.Random(seed)  # noqa: S311  (an order, not a secret)
    for _ in range(rounds):
        for way in order.sample(ways, len(ways)):
            runs[way].append(Run(**json.loads(_worker("run", name, way, str(folder)))))
    _same_answers(name, runs)
    return _results(runs)


def run_here(name: str, way: str, folder: Path) -> Run:
    """Run one way in this process."""
    act: Callable[[Path], object] = load(name).ways[way]
    wall, cpu = time.perf_counter(), time.process_time()
    answer = act(folder)
    return Run(time.perf_counter() - wall, time.process_time() - cpu, peak_mb(), answer)


def peak_mb() -> float | None:
    """The most memory this process ever held, in MB; None where the system does not say."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux getrusage also counts what the parent held when it started this process
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    try:
        import resource  # noqa: PLC0415  (not on every system)
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # macOS counts bytes


def to_json(results: Mapping[str, list[Result]]) -> str:
    """All results, for keeping."""
    return json.dumps({name: [asdict(result) for result in lines] for name, lines in results.items()}, indent=2)


def _worker(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.worker", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


def _same_answers(name: str, runs: Mapping[str, list[Run]]) -> None:
    answers = {way: {json.dumps(run.answer, sort_keys=True) for run in done} for way, done in runs.items()}
    if len(set().union(*answers.values())) != 1:
        raise RuntimeError(f"{name}: the ways do not agree: {answers}")


def _results(runs: Mapping[str, list[Run]]) -> list[Result]:
    wall = {way: statistics.median(run.wall for run in done) for way, done in runs.items()}
    cpu = {way: statistics.median(run.cpu for run in done) for way, done in runs.items()}
    return [
        Result(
            way=way,
            wall=wall[way],
            fastest=min(run.wall for run in done),
            slowest=max(run.wall for run in done),
            cpu=cpu[way],
            peak_mb=max((run.peak_mb for run in done if run.peak_mb is not None), default=None),
            wall_ratio=wall[way] / wall[OURS],
            cpu_ratio=cpu[way] / max(cpu[OURS], 1e-9),
        )
        for way, done in runs.items()
    ]
