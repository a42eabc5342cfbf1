"""Commands to try things with: a demonstration, a check of everything, a receiver on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from personas_kit.checks import check_workspace
from personas_kit.cli.options import json_option
from personas_kit.cli.terminal import DONE, ERROR, as_json, output
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
@json_option
@click.pass_obj
def check(config: Path, json_: bool) -> int:
    """Check everything without sending: the file, the warehouse, every definition, every destination's settings."""
    findings = check_workspace(config)
    if json_:
        as_json([finding.to_dict() for finding in findings])
    else:
        for finding in findings:
            mark = "[green]✓[/green]" if finding.ok else "[red]✗[/red]"
            output.print(f"{mark} ", end="")
            output.print(f"{finding.what}: {finding.message}", markup=False)
    return DONE if all(finding.ok for finding in findings) else ERROR


@click.command()
@click.option("--port", default=8765, show_default=True, help="On 127.0.0.1; 0 picks a free one.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="Keep what arrives in this file.")
def sandbox(port: int, file: Path | None) -> None:
    """Run a local receiver that behaves like Segment, RudderStack, Amplitude, Meta's lists and a webhook."""
    serve(port, file)


COMMANDS = (demo, check, sandbox)
