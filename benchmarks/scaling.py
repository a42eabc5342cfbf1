"""``python -m benchmarks.scaling``: what it costs as definitions, events and members grow, as a page with plots.

Each run has a process of its own, so a point holds what every process pays once, such as importing the package: that is
the flat part.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.comparison import machine_said
from benchmarks.entry import OURS, load
from benchmarks.measure import Result, measure
from benchmarks.plot import log_log, short

DOCS = Path(__file__).resolve().parents[1] / "docs"
CPU = "processor seconds"


@dataclass(frozen=True)
class Growth:
    """A benchmark at several scales.

    Attributes:
        name: of the benchmark, and of the image.
        title: of the plot.
        scales: of the benchmark's usual size.
        ours: what the kit's own way is called here.
    """

    name: str
    title: str
    scales: Sequence[float]
    ours: str


GROWTHS = (
    Growth("definitions", "audiences over the same 1 M events", (0.02, 0.05, 0.1, 0.2, 0.5, 1), "together"),
    Growth("events", "one audience over more and more events", (0.001, 0.01, 0.1, 0.3, 1), "ws.members"),
    Growth("plan", "a plan of more and more members", (0.005, 0.05, 0.15, 0.5, 1), "ws.plan"),
)


@click.command()
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1), help="How often each way runs.")
@click.option("--scale", default=1.0, show_default=True, help="Times the usual sizes.")
@click.option("--into", default=DOCS, type=click.Path(path_type=Path), help="The folder for the page and its images.")
def main(rounds: int, scale: float, into: Path) -> None:
    """Measure how cost grows, and write ``scaling.md`` and its images."""
    about = ABOUT.format(rounds=rounds)
    parts = [f"# How cost grows\n\n`make bench-scaling` writes this page. {machine_said()}\n\n{about}\n"]
    into.mkdir(parents=True, exist_ok=True)
    for growth in GROWTHS:
        points = {each: _measured(growth, each * scale, rounds) for each in growth.scales}
        (into / f"scaling_{growth.name}.svg").write_text(_plot(growth, points, scale), encoding="utf-8")
        parts.append(_section(growth, points, scale))
        print(f"{growth.name}: done", flush=True)
    (into / "scaling.md").write_text("\n".join(parts), encoding="utf-8")


ABOUT = (
    "The cost is processor time, which other work on the machine disturbs less than the clock. Runs of each point, in\n"
    "processes of their own, of which the median is shown: {rounds}. Both axes are logarithmic: a line that rises by\n"
    "a decade with each decade costs in proportion, and what is flat costs once."
)


def _measured(growth: Growth, scale: float, rounds: int) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="personas-scaling-") as folder:
        return measure(growth.name, Path(folder), scale=scale, rounds=rounds)


def _plot(growth: Growth, points: dict[float, list[Result]], scale: float) -> str:
    entry = load(growth.name)
    series = {
        growth.ours if way == OURS else way: [
            (max(1.0, entry.size * each * scale), result.cpu)
            for each, results in points.items()
            for result in results
            if result.way == way
        ]
        for way in entry.ways
    }
    return log_log(growth.title, entry.unit, CPU, series)


def _section(growth: Growth, points: dict[float, list[Result]], scale: float) -> str:
    entry = load(growth.name)
    ways = list(entry.ways)
    lines = [
        f"## {growth.title[0].upper()}{growth.title[1:]}\n",
        f"![{growth.title}: {CPU} over {entry.unit}](scaling_{growth.name}.svg)\n",
        f"| {entry.unit} | {' | '.join(growth.ours if way == OURS else way for way in ways)} |",
        f"|{'---:|' * (1 + len(ways))}",
    ]
    for each, results in points.items():
        cpu = {result.way: result.cpu for result in results}
        amount = short(entry.size * each * scale)
        lines.append(f"| {amount} | {' | '.join(f'{cpu[way]:.2f} s' for way in ways)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
