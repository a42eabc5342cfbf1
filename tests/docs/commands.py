"""docs/commands.md: every command of ``personas``, as click knows it."""

from __future__ import annotations

import re

import click

from personas_kit.cli.entry import cli
from tests.docs.pages import PAGES

HEAD = """\
# The command line

Made by the tests from the commands themselves; `pytest tests/docs --update-golden` writes it anew.

`personas --config FILE COMMAND ...` works on that `personas.toml`; without it, on the one of this folder or above it.
Where a command takes `--json`, standard output is one JSON document and everything for people goes to standard error.

## Exit codes

{codes}

[Pushing](pushing.md) says when a push ends in which.
"""


def page() -> str:
    """The text of the page."""
    context = click.Context(cli, info_name="personas")
    names = cli.list_commands(context)
    codes = PAGES["docs/pushing.md"].partition("\n## Exit codes\n\n")[2].partition("\n\n")[0]
    return HEAD.format(codes=codes.rstrip()) + "".join(
        _section(name, cli.get_command(context, name), context) for name in names
    )


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
