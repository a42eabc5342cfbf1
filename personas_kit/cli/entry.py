"""The group of commands, and what happens to errors: a sentence for a person, never a traceback for their mistake."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from personas_kit.cli.codes import ERROR, GUARD, INTERRUPTED
from personas_kit.errors import PersonasError, PlanBlocked, nearest

#: Every command: where it is in this package, and what it does in a line of 80 columns, with its name. So the list of
#: them loads none of them, nor what they work with: it takes a fourteenth of the processor's time.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "check": ("setting_up.check", "Check everything and change nothing."),
    "copy": ("copying.copy", "Copy the notebooks, SQL or documents of the kit."),
    "create-list": ("looking.create_list", "Make an empty list at a destination."),
    "demo": ("setting_up.demo", "See the whole job, offline, in under a minute."),
    "destinations": ("looking.destinations", "List the destinations, or show what one needs."),
    "explain": ("looking.explain", "Show why somebody is in an audience or out of it."),
    "export": ("looking.export_to_file", "Write members to a file, or a notebook to a page."),
    "forget": ("sending.forget", "Never send a user again, and remove every trace."),
    "history": ("looking.push_history", "Show the last runs, newest first."),
    "init": ("beginning.init", "Write a first personas.toml for your warehouse."),
    "pause": ("sending.pause", "Send nothing of a definition to a destination for now."),
    "plan": ("sending.plan", "Show what would be sent; nothing is sent."),
    "preview": ("looking.preview", "Show what is in definitions; nothing is sent."),
    "profile": ("looking.profile", "Show everything about one user or account."),
    "push": ("sending.push", "Plan, show the plan, ask, and send it."),
    "remove": ("sending.remove", "Take everyone of a definition out of its destinations."),
    "reset": ("sending.reset", "Forget what was acknowledged: everyone is sent again."),
    "resume": ("sending.resume", "Let what is paused go on."),
    "run": ("sending.run", "Do every sync that is due. For schedules."),
    "sandbox": ("setting_up.sandbox", "Run a receiver on this machine to try things with."),
    "schedule": ("schedules.schedule", "Print what a scheduler wants to be told, ready to paste."),
    "sql": ("looking.sql", "Print the SQL of a definition, runnable as pasted."),
    "status": ("looking.status", "Show every sync, what waits for a person, what to do."),
}


class LazyGroup(click.Group):
    """Loads a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (as click calls it)
        """The names, in their order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (as above)
        """The command itself, or None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(".")
        found: click.Command = getattr(importlib.import_module(f"personas_kit.cli.{module}"), name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; of one that there is not, an error with the nearest."""
        near = [] if args[0] in COMMANDS else nearest(args[0], COMMANDS)
        if near:
            ctx.fail(f"there is no command {args[0]!r}: did you mean {near[0]}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of them, as click writes it, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
    5 interrupted or something unknown: run again, 6 another run has some of the syncs.
    """  # noqa: D301  (click wants the character itself)
    context.obj = config


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
        code = _complained("interrupted: run the same command again to go on", INTERRUPTED)
    except PlanBlocked as blocked:
        code = _complained(str(blocked), GUARD)
    except PersonasError as problem:
        code = _complained(str(problem), ERROR)
    except OSError as problem:
        if problem.filename is None:
            raise  # no file or folder that a person named
        said = PersonasError(f"it cannot be read or written: {problem.strerror}", where=str(problem.filename))
        code = _complained(str(said), ERROR)
    sys.exit(code if isinstance(code, int) else 0)


def _complained(message: str, code: int) -> int:
    from personas_kit.cli.terminal import complain  # noqa: PLC0415  (help needs nothing of what it loads)

    complain(message)
    return code
