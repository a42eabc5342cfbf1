"""``python -m benchmarks [NAME ...]``: run benchmarks, show them side by side, and which goals are reached."""

import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.comparison import Line, compare, markdown, table, to_json
from benchmarks.entry import OURS, Benchmark, compared, entries, load
from benchmarks.measure import Result, measure


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(entries()))
@click.option("--scale", default=1.0, show_default=True, help="Times the usual size of the input.")
@click.option("--rounds", type=click.IntRange(min=1), help="How often each way runs; by default each benchmark's own.")
@click.option("--only", multiple=True, help="A way to run beside the kit's; may be repeated. All if left out.")
@click.option("--large", is_flag=True, help="Without NAMES: the large ones, which take some GB of memory and disk.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write the results there.")
@click.option("--markdown", "markdown_path", type=click.Path(path_type=Path), help="Also write the table there.")
def main(
    names: tuple[str, ...],
    scale: float,
    rounds: int | None,
    only: tuple[str, ...],
    large: bool,
    json_path: Path | None,
    markdown_path: Path | None,
) -> None:
    """Run benchmarks, those with goals or the NAMES given, each way interleaved with the others.

    One table says for every goal what the kit took, and its peer in the same run. With NAMES there is one more for each
    of them, with all ways.
    """
    console = Console()
    if not console.is_terminal:
        console.width = 150
    results: dict[str, list[Result]] = {}
    lines: list[Line] = []
    failed: list[str] = []
    for name in names or compared(large=large):
        entry, began, why = load(name), time.monotonic(), ""
        try:
            results[name] = [] if entry.lacks else _measured(name, scale, rounds or entry.rounds, only)
        except RuntimeError as problem:  # the others are measured all the same
            results[name], why = [], str(problem)
            failed.append(name)
        lines += compare(name, entry, results[name], why)
        if names and results[name]:
            console.print(_ways(entry, f"{name}: x {scale:g}, {rounds or entry.rounds} rounds", scale, results[name]))
        else:
            print(f"{name}: {why or entry.lacks or f'{time.monotonic() - began:.0f} s'}", flush=True)
        _keep(json_path, to_json(lines, results))
        _keep(markdown_path, markdown(lines))
    if lines:
        console.print(table(lines, scale))
    if failed:
        raise click.ClickException(f"not measured: {', '.join(failed)}")


def _keep(path: Path | None, text: str) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _measured(name: str, scale: float, rounds: int, only: tuple[str, ...]) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="personas-benchmark-") as folder:
        return measure(name, Path(folder), scale=scale, rounds=rounds, only=frozenset(only))


def _ways(entry: Benchmark, about: str, scale: float, results: list[Result]) -> Table:
    made = Table(
        title=f"{entry.title}\n{about}",
        title_justify="left",
        caption="medians; x is against the kit: above 1 the kit is quicker",
    )
    for heading in ("way", f"{entry.unit}/s", "wall s", "from-to", "x", "cpu s", "x", "peak MB", "counted"):
        made.add_column(heading, justify="left" if heading == "way" else "right", no_wrap=True)
    for result in sorted(results, key=lambda result: result.wall):
        part = f" (of {result.share:.2g})" if result.share != 1 else ""
        made.add_row(
            result.way + part,
            f"{entry.size * scale / result.wall:,.0f}",
            f"{result.wall:.3f}",
            f"{result.fastest:.3f}-{result.slowest:.3f}",
            f"{result.wall_ratio:.2f}",
            f"{result.cpu:.3f}",
            f"{result.cpu_ratio:.2f}",
            "-" if result.peak_mb is None else f"{result.peak_mb:,.0f}",
            ", ".join(f"{name} {value:,.6g}" for name, value in result.figures.items()),
            style="bold" if result.way == OURS else "",
        )
    return made


if __name__ == "__main__":
    main()
