"""The group of commands, and what happens to errors: a sentence for a person, never a traceback for their mistake."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from personas_kit.cli.codes import ERROR, GUARD, INTERRUPTED
from personas_kit.errors import PersonasError, PlanBlocked

#: Every command: where it is in this package, and what it does in a line. So the list of them loads none of them, nor
#: what they work with: it takes a fourteenth of the processor's time.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "check": (
        "setting_up.check",
        "Check everything and change nothing: the file, the warehouse, what its tables hold, definitions, credentials.",
    ),
    "copy": (
        "copying.copy",
        "Copy what comes with the kit into FOLDER: its notebooks, the SQL for your warehouse, the documents.",
    ),
    "create-list": (
        "looking.create_list",
        "Make an empty list at a destination for the audience KEY, and show its id to write into personas.toml.",
    ),
    "demo": (
        "setting_up.demo",
        (
            "See the whole job, offline, in under a minute: define, preview, plan, push; a day later push only the "
            "changes."
        ),
    ),
    "destinations": (
        "looking.destinations",
        "List the destinations there are, or show NAME with the settings it needs and a block to paste.",
    ),
    "explain": (
        "looking.explain",
        "Show why the user or account MEMBER is in the audience KEY or out of it, or what its value is made of.",
    ),
    "export": (
        "looking.export_to_file",
        "Write the members of KEY to FILE: .csv for people (formulas made harmless), .parquet or .ndjson for programs.",
    ),
    "forget": (
        "sending.forget",
        "Never send USER again: take the user out of every destination, then remove every trace from the state.",
    ),
    "history": (
        "looking.push_history",
        "Show the last runs, newest first: a line for each sync, also where a guard stopped it or it failed.",
    ),
    "init": (
        "beginning.init",
        (
            "Look at a warehouse and write a first personas.toml, with the evidence for every line. Nothing is changed "
            "there."
        ),
    ),
    "pause": ("sending.pause", "Pause the syncs of KEY to a destination: they are planned, and nothing is sent."),
    "plan": (
        "sending.plan",
        "Show what would be sent for KEY: who enters, who leaves, the guards, the exact requests. Nothing is sent.",
    ),
    "preview": (
        "looking.preview",
        "Show what is in the definitions KEYS (by default all of them), and what would change. Nothing is sent.",
    ),
    "profile": (
        "looking.profile",
        "Show one user or account: traits, audiences, accounts, and what each destination acknowledged.",
    ),
    "push": ("sending.push", "Plan KEY, show the plan, ask, and send it."),
    "remove": (
        "sending.remove",
        "Take everyone of KEY out of its destinations: for a definition that is going, or is gone from personas.toml.",
    ),
    "reset": (
        "sending.reset",
        "Forget what a destination acknowledged of KEY: the next push sends everyone again. Nothing is sent now.",
    ),
    "resume": ("sending.resume", "Let paused syncs of KEY go on."),
    "run": ("sending.run", "Do every sync of personas.toml that is due. For schedules: never asks, never waits."),
    "sandbox": (
        "setting_up.sandbox",
        "Run a local receiver that behaves like Segment, RudderStack, Amplitude, Meta's lists and a webhook.",
    ),
    "schedule": (
        "schedules.schedule",
        "Show how often each sync wants to be run, or print what a scheduler wants to be told, ready to paste.",
    ),
    "sql": ("looking.sql", "Print the SQL of the definition KEY, runnable as pasted."),
    "status": (
        "looking.status",
        "Show every sync: what was acknowledged, the last run, what is due next, what waits for a person, what to do.",
    ),
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of them, as click writes it, without loading any."""
        room = formatter.width - 6 - max(map(len, COMMANDS))
        said = [(name, click.Command(name, help=COMMANDS[name][1])) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(room)) for name, each in said])


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
    sys.exit(code if isinstance(code, int) else 0)


def _complained(message: str, code: int) -> int:
    from personas_kit.cli.terminal import complain  # noqa: PLC0415  (help needs nothing of what it loads)

    complain(message)
    return code
