"""Measuring: one process for each run, so that no way warms another's caches or inherits its memory."""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.entry import OURS, Answer, load

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Run:
    """One way, once.

    Attributes:
        wall: seconds.
        cpu: seconds of processor time, with those of the processes that it started and waited for.
        peak_mb: the most memory that the process ever held; None where the system does not say.
        answer: what it found.
        figures: what it counted beside.
    """

    wall: float
    cpu: float
    peak_mb: float | None
    answer: object
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """One way over all rounds: medians, the spread of the wall times, and ratios to the kit's medians.

    Of a way that takes a share of the input the seconds are scaled up to all of it, and its memory is as it was.
    """

    way: str
    wall: float
    fastest: float
    slowest: float
    cpu: float
    peak_mb: float | None
    wall_ratio: float
    cpu_ratio: float
    share: float = 1.0
    figures: Mapping[str, float] = field(default_factory=dict)

    def figure(self, of: str) -> float | None:
        """``wall``, ``cpu``, ``memory``, or a figure that was counted; None if it is not known."""
        if of in {"wall", "cpu"}:
            return self.wall if of == "wall" else self.cpu
        return self.peak_mb if of == "memory" else self.figures.get(of)


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
        RuntimeError: two ways gave different answers, or one failed.
    """
    entry = load(name)
    ways = [way for way in entry.ways if way == OURS or not only or way in only]
    _worker("prepare", name, str(scale), str(folder))
    runs: dict[str, list[Run]] = {way: [] for way in ways}
    order = random.Random(seed)  # noqa: S311  (an order, not a secret)
    with entry.service(folder):
        for _ in range(rounds):
            for way in order.sample(ways, len(ways)):
                runs[way].append(Run(**json.loads(_worker("run", name, way, str(folder)))))
    _same_answers(name, runs)
    return _results(runs, entry.shares)


def run_here(name: str, way: str, folder: Path) -> Run:
    """Run one way in this process."""
    act: Callable[[Path], object] = load(name).ways[way]
    wall, cpu = time.perf_counter(), _processor()
    answer = act(folder)
    wall, cpu = time.perf_counter() - wall, _processor() - cpu
    said = answer if isinstance(answer, Answer) else Answer(answer)
    return Run(wall, cpu, peak_mb(), said.value, said.figures)


def _processor() -> float:
    """Seconds that this process has used, and those that it started and waited for."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


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


def _worker(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.worker", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603  (the same Python)
    if done.returncode:
        raise RuntimeError(f"it failed (its error is above): {' '.join(arguments[:3])}")
    return done.stdout


def _same_answers(name: str, runs: Mapping[str, list[Run]]) -> None:
    compared = {way: [run.answer for run in done if run.answer is not None] for way, done in runs.items()}
    answers = {way: {json.dumps(answer, sort_keys=True) for answer in said} for way, said in compared.items() if said}
    if len(set().union(*answers.values())) > 1:
        raise RuntimeError(f"{name}: the ways do not agree: {answers}")


def _results(runs: Mapping[str, list[Run]], shares: Mapping[str, float]) -> list[Result]:
    wall = {way: statistics.median(run.wall for run in done) / shares.get(way, 1) for way, done in runs.items()}
    cpu = {way: statistics.median(run.cpu for run in done) / shares.get(way, 1) for way, done in runs.items()}
    return [
        Result(
            way=way,
            wall=wall[way],
            fastest=min(run.wall for run in done) / shares.get(way, 1),
            slowest=max(run.wall for run in done) / shares.get(way, 1),
            cpu=cpu[way],
            peak_mb=max((run.peak_mb for run in done if run.peak_mb is not None), default=None),
            wall_ratio=wall[way] / wall[OURS],
            cpu_ratio=cpu[way] / max(cpu[OURS], 1e-9),
            share=shares.get(way, 1.0),
            figures=_figures(done, shares.get(way, 1)),
        )
        for way, done in runs.items()
    ]


def _figures(runs: Sequence[Run], share: float) -> Mapping[str, float]:
    """The medians; seconds are scaled up as those of the clock are."""
    return {
        name: statistics.median(run.figures[name] for run in runs) / (share if name.endswith(" s") else 1)
        for name in runs[0].figures
    }
