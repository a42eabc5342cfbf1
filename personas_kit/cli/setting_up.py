"""Commands to try things with: a demonstration, a check of everything, a receiver on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table as Grid
from rich.text import Text

from personas_kit.checks import Finding, check_live, check_workspace
from personas_kit.cli.codes import DONE, ERROR
from personas_kit.cli.options import json_option
from personas_kit.cli.terminal import as_json, output
from personas_kit.cli.tour import take_tour
from personas_kit.sandbox import serve


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("personas-demo"),
    show_default=True,
    help="Where everything is put.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed, another company.")
def demo(folder: Path, seed: int) -> int:
    """See the whole job, offline, in under a minute: define, preview, plan, push; a day later push only the changes."""
    return take_tour(folder, seed, output)


@click.command()
@click.option("--live", is_flag=True, help="Snowflake: run what only a live account can prove, and print a report.")
@json_option
@click.pass_obj
def check(config: Path, live: bool, json_: bool) -> int:
    """Check everything and change nothing: the file, the warehouse, what its tables hold, definitions, credentials."""
    findings = check_live(config) if live else check_workspace(config)
    if json_:
        as_json([finding.to_dict() for finding in findings])
    else:
        output.print(_report(findings))
        output.print(Text(_summary(findings), "bold"))
    return DONE if all(finding.ok for finding in findings) else ERROR


def _report(findings: Sequence[Finding]) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    for finding in findings:
        mark, style = {"right": ("✓", "green"), "warning": ("!", "yellow"), "wrong": ("✗", "red")}[finding.level]
        first, *rest = finding.message.splitlines()
        grid.add_row(Text(mark, style), Text(finding.what, "bold"), Text(first, "" if finding.ok else style))
        for line in rest:
            grid.add_row("", "", Text(line, style if finding.level != "right" else ""))
    return grid


def _summary(findings: Sequence[Finding]) -> str:
    counts = {level: sum(finding.level == level for finding in findings) for level in ("wrong", "warning", "right")}
    return f"{counts['right']} right, {counts['warning']} to know about, {counts['wrong']} wrong"


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="On 127.0.0.1; 0 picks a free one."
)
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="Keep what arrives in this file.")
def sandbox(port: int, file: Path | None) -> None:
    """Run a local receiver that behaves like Segment, RudderStack, Amplitude, Meta's lists and a webhook."""
    serve(port, file)
