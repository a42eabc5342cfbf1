"""The group of commands, and what happens to errors: a sentence for a person, never a traceback for their mistake."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from personas_kit.cli import beginning, looking, sending, setting_up
from personas_kit.cli.terminal import ERROR, GUARD, INTERRUPTED, complain
from personas_kit.errors import PersonasError, PlanBlocked


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="personas-kit", prog_name="personas")
@click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    default=Path(),
    help="personas.toml, or a folder at or below it. [default: this folder]",
)
@click.pass_context
def cli(context: click.Context, config: Path) -> None:
    """Audiences and computed traits from your own warehouse, pushed exactly to where they are used.

    \b
    A first look, offline:          personas demo
    Your own warehouse:             personas init
    What is in an audience:         personas preview KEY
    What would be sent:             personas plan KEY --to NAME
    Send it:                        personas push KEY --to NAME
    On a schedule:                  personas run --approve guards

    \b
    Exit codes: 0 all acknowledged, 1 error, 2 usage, 3 blocked by a guard, 4 finished with rejects,
    5 interrupted or something unknown: run again.
    """  # noqa: D301  (click wants the character itself)
    context.obj = config


for module in (beginning, looking, sending, setting_up):
    for command in module.COMMANDS:
        cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    try:
        code = cli.main(arguments, prog_name="personas", standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as usage:
        usage.show(sys.stderr)
        code = usage.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted: run the same command again to go on")
        code = INTERRUPTED
    except PlanBlocked as blocked:
        complain(str(blocked))
        code = GUARD
    except PersonasError as problem:
        complain(str(problem))
        code = ERROR
    sys.exit(code if isinstance(code, int) else 0)
