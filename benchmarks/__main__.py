"""``python -m benchmarks [NAME ...]``: run benchmarks and show them side by side."""

import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.entry import OURS, Benchmark, entries, load
from benchmarks.measure import Result, measure, to_json


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(entries()))
@click.option("--scale", default=1.0, show_default=True, help="Times the usual size of the input.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(min=1), help="How often each way runs.")
@click.option("--only", multiple=True, help="A way to run beside the kit's; may be repeated. All if left out.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write the results there.")
def main(names: tuple[str, ...], scale: float, rounds: int, only: tuple[str, ...], json_path: Path | None) -> None:
    """Run benchmarks, all or the NAMES given, each way interleaved with the others."""
    console = Console()
    if not console.is_terminal:
        console.width = 120
    results: dict[str, list[Result]] = {}
    for name in names or entries():
        with tempfile.TemporaryDirectory(prefix="personas-benchmark-") as folder:
            results[name] = measure(name, Path(folder), scale=scale, rounds=rounds, only=frozenset(only))
        console.print(_table(load(name), f"{name}: x {scale:g}, {rounds} rounds", scale, results[name]))
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(to_json(results), encoding="utf-8")


def _table(entry: Benchmark, about: str, scale: float, results: list[Result]) -> Table:
    table = Table(
        title=f"{entry.title}\n{about}",
        title_justify="left",
        caption="medians; x is against the kit: above 1 the kit is quicker",
    )
    for heading in ("way", f"{entry.unit}/s", "wall s", "from-to", "x", "cpu s", "x", "peak MB"):
        table.add_column(heading, justify="left" if heading == "way" else "right", no_wrap=True)
    for result in sorted(results, key=lambda result: result.wall):
        table.add_row(
            result.way,
            f"{entry.size * scale / result.wall:,.0f}",
            f"{result.wall:.3f}",
            f"{result.fastest:.3f}-{result.slowest:.3f}",
            f"{result.wall_ratio:.2f}",
            f"{result.cpu:.3f}",
            f"{result.cpu_ratio:.2f}",
            "-" if result.peak_mb is None else f"{result.peak_mb:,.0f}",
            style="bold" if result.way == OURS else "",
        )
    return table


if __name__ == "__main__":
    main()
