"""docs/commands.md: every command of ``personas``, as click knows it."""

from __future__ import annotations

import re

import click

from personas_kit.cli.entry import cli

HEAD = """\
# The command line

Made by the tests from the commands themselves; `pytest tests/docs --update-golden` writes it anew.

`personas --config FILE COMMAND ...` works on that `personas.toml`; without it, on the one of this folder or above it.
Where a command takes `--json`, standard output is one JSON document and everything for people goes to standard error.

## Exit codes

| code | meaning |
|---|---|
| 0 | everything is acknowledged |
| 1 | an error |
| 2 | wrong usage |
| 3 | blocked by a guard: nothing was sent |
| 4 | finished, and some changes were refused |
| 5 | interrupted, or something is unknown: run again |

[Pushing](pushing.md#exit-codes) says more of them.
"""


def page() -> str:
    """The text of the page."""
    context = click.Context(cli, info_name="personas")
    names = cli.list_commands(context)
    return HEAD + "".join(_section(name, cli.get_command(context, name), context) for name in names)


def _section(name: str, command: click.Command | None, above: click.Context) -> str:
    assert command is not None
    context = click.Context(command, info_name=name, parent=above)
    usage = " ".join(["personas", name, *command.collect_usage_pieces(context)])
    records = [record for each in command.params if (record := each.get_help_record(context)) is not None]
    lines = "".join(f"| {_option(said)} | {_cell(about)} |\n" for said, about in records)
    table = f"\n| option | what it does |\n|---|---|\n{lines}" if records else ""
    return f"\n## personas {name}\n\n```text\n{usage}\n```\n\n{_help(command)}\n{table}"


def _help(command: click.Command) -> str:
    paragraphs = (command.help or "").replace("\b\n", "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _option(said: str) -> str:
    return f"`{said}`".replace("|", r"\|")


def _cell(about: str) -> str:
    return re.sub(r"\s+", " ", about).replace("[default: ", "[by default: ").replace("|", r"\|")
