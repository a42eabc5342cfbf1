"""Options that several commands share, so that they are the same everywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import click

from personas_kit.opening import open_workspace

json_option = click.option("--json", "json_", is_flag=True, help="Print one JSON document on standard output.")
as_of_option = click.option(
    "--as-of",
    metavar="TIME",
    help="The instant it is about: 2026-01-31 (midnight UTC) or 2026-01-31T08:00Z. [default: now]",
)


def split_names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    """``a,b`` as names."""
    return tuple(name.strip() for name in value.split(",") if name.strip()) if value else ()


def with_workspace(command: Callable[..., object]) -> Callable[..., object]:
    """Hand the open workspace to a command, and close it afterwards."""

    @click.pass_context
    @functools.wraps(command)
    def run(context: click.Context, /, **options: object) -> object:
        config: Path = context.obj
        workspace = open_workspace(config)
        context.call_on_close(workspace.close)
        return command(workspace, **options)

    return run
