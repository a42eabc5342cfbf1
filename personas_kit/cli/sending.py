"""Commands that send, or decide what may be sent."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Literal

import click

from personas_kit.activation.due import Asked
from personas_kit.activation.guards import still_standing
from personas_kit.activation.plan import Plan
from personas_kit.cli.codes import DONE, ERROR, GUARD, INTERRUPTED, USAGE
from personas_kit.cli.log import log_run, logged
from personas_kit.cli.notebooks import read_parameters, run_notebook
from personas_kit.cli.options import as_of_option, json_option, split_names, with_workspace
from personas_kit.cli.terminal import (
    as_json,
    complain,
    exit_code,
    output,
    people,
    progress_bar,
    show_payloads,
    show_plan,
    show_report,
)
from personas_kit.config import duration
from personas_kit.workspace import Workspace

_FILE = click.Path(path_type=Path, dir_okay=False)
override_option = click.option(
    "--override",
    callback=split_names,
    metavar="GUARDS",
    help="Guards to override for this plan, such as removals,total_change.",
)
because_option = click.option(
    "--because", default="", metavar="WHY", help="Why the guards are overridden: kept in the history."
)
mode_option = click.option(
    "--mode", type=click.Choice(["changes", "full", "replace", "adopt"]), default="changes", show_default=True,
    help="full: everyone again. replace: in the place of whoever is on a list. adopt: note the present members as "
    "acknowledged, send nothing.",
)  # fmt: skip
to_option = click.option(
    "--to", metavar="NAME", help="A destination of personas.toml. [default: the definition's own syncs]"
)


@click.command()
@click.argument("key")
@to_option
@as_of_option
@mode_option
@click.option(
    "--payloads", default=1, show_default=True, help="How many changes of each kind to show as exact requests."
)
@json_option
@with_workspace
def plan(
    workspace: Workspace, key: str, to: str | None, as_of: str | None, mode: Asked, payloads: int, json_: bool
) -> int:
    """Show what would be sent for KEY: who enters, who leaves, the guards, the exact requests. Nothing is sent."""
    made = workspace.plan(key, to=to, as_of=as_of, mode=mode)
    if json_:
        as_json(made.to_dict())
    else:
        show_plan(made)
        if payloads:
            show_payloads(made, payloads)
    return GUARD if still_standing(made.guards, ()) else DONE


@click.command()
@click.argument("key")
@to_option
@as_of_option
@mode_option
@click.option("--unfinished", is_flag=True, help="Go on with the plan that was stopped less than an hour ago.")
@click.option("--yes", is_flag=True, help="Push without asking. Never overrides a guard.")
@override_option
@because_option
@click.option("--deadline", metavar="60s", help="Start nothing more after this long; run again to go on.")
@json_option
@with_workspace
def push(  # noqa: PLR0913, PLR0917 - one for each option
    workspace: Workspace,
    key: str,
    to: str | None,
    as_of: str | None,
    mode: Asked,
    unfinished: bool,
    yes: bool,
    override: tuple[str, ...],
    because: str,
    deadline: str | None,
    json_: bool,
) -> int:
    """Plan KEY, show the plan, ask, and send it."""
    made = workspace.unfinished(key, to=to) if unfinished else workspace.plan(key, to=to, as_of=as_of, mode=mode)
    if made is None:
        complain("no plan of this was stopped in good order less than an hour ago: push without --unfinished")
        return ERROR
    return _shown_and_pushed(made, yes=yes, override=override, because=because, deadline=deadline, json_=json_)


def _shown_and_pushed(
    made: Plan,
    *,
    yes: bool,
    json_: bool,
    override: tuple[str, ...] = (),
    because: str = "",
    deadline: str | None = None,
) -> int:
    show_plan(made, people if json_ else output)
    standing = still_standing(made.guards, override)
    if standing:
        return _blocked(made, [guard.name for guard in standing if not guard.final], override, json_=json_)
    if made.changes.height and not yes and not _agreed(made):
        return USAGE if not sys.stdin.isatty() else ERROR
    with progress_bar(made.changes.height) as tell:
        report = made.push(override=dict.fromkeys(override, because), deadline=_seconds(deadline), progress=tell)
    if json_:
        as_json(report.to_dict())
    show_report(report)
    return exit_code(report)


@click.command()
@click.option(
    "--approve", type=click.Choice(["guards"]), help="Push what no guard stops. Without it everything is only planned."
)
@override_option
@as_of_option
@click.option(
    "--notebook",
    type=_FILE,
    metavar="FILE",
    help="Run this notebook instead: it says itself what it does. The options above become its parameters.",
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    callback=read_parameters,
    metavar="NAME=VALUE",
    help="A parameter of the notebook, in the place of its own; several times.",
)
@click.option("--output", type=_FILE, metavar="FILE", help="The executed notebook. [default: beside it, with the time]")
@click.option(
    "--log",
    "log_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What is written on standard error: lines for people, or one JSON object a line for a log collector.",
)
@json_option
@click.pass_obj
def run(
    config: Path,
    approve: Literal["guards"] | None,
    override: tuple[str, ...],
    as_of: str | None,
    notebook: Path | None,
    parameters: dict[str, object],
    output: Path | None,
    log_: Literal["text", "json"],
    json_: bool,
) -> object:
    """Do every sync of personas.toml that is due. For schedules: never asks, never waits.

    With --notebook it runs a notebook, leaves it executed whatever happens, and exits with the same codes.
    """
    if notebook is None:
        if parameters or output:
            raise click.UsageError("-p and --output are about a notebook: name it with --notebook")
        with logged() if log_ == "json" else contextlib.nullcontext():
            return _run_all(approve=approve, override=override, as_of=as_of, json_=json_, log_=log_)
    if json_ or log_ == "json":
        raise click.UsageError("a notebook leaves no JSON: its outputs are in the executed notebook")
    said = {"approve": approve, "override": [*override], "as_of": as_of}
    given = {name: value for name, value in said.items() if value} | parameters
    return run_notebook(notebook, given, output, config if config.is_dir() else config.parent)


@with_workspace
def _run_all(
    workspace: Workspace,
    *,
    approve: Literal["guards"] | None,
    override: tuple[str, ...],
    as_of: str | None,
    json_: bool,
    log_: Literal["text", "json"],
) -> int:
    done = workspace.run(approve=approve, override=override, as_of=as_of)
    if json_:
        as_json(done.to_dict())
    if log_ == "json":
        log_run(done)
        return exit_code(done)
    for line in done.lines:
        people.print(str(line), markup=False)
        if line.command:
            people.print(f"         if it is right: {line.command}", markup=False)
    for said in done.attention:
        people.print(f"new: {said}", markup=False)
    for said in done.notified:
        people.print(f"notify: {said}", markup=False)
    people.print(repr(done), markup=False)
    return exit_code(done)


@click.command()
@click.argument("key")
@click.option("--to", required=True, metavar="NAME", help="The destination.")
@with_workspace
def pause(workspace: Workspace, key: str, to: str) -> None:
    """Pause the syncs of KEY to a destination: they are planned, and nothing is sent."""
    people.print(f"paused: {', '.join(map(str, workspace.pause(key, to=to)))}", markup=False)


@click.command()
@click.argument("key")
@click.option("--to", required=True, metavar="NAME", help="The destination.")
@with_workspace
def resume(workspace: Workspace, key: str, to: str) -> None:
    """Let paused syncs of KEY go on."""
    people.print(f"goes on: {', '.join(map(str, workspace.resume(key, to=to)))}", markup=False)


@click.command()
@click.argument("key")
@click.option("--to", required=True, metavar="NAME", help="The destination.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_workspace
def reset(workspace: Workspace, key: str, to: str, yes: bool) -> int:
    """Forget what a destination acknowledged of KEY: the next push sends everyone again. Nothing is sent now."""
    if not yes:
        if not sys.stdin.isatty():
            complain("nothing was reset: say --yes when nobody can answer")
            return USAGE
        if click.prompt(f"Everyone in {key} will be sent to {to} again. Type the key to go on", err=True) != key:
            complain("nothing was reset")
            return ERROR
    people.print(f"forgotten: {', '.join(map(str, workspace.reset(key, to=to, confirm=key)))}", markup=False)
    return DONE


@click.command()
@click.argument("key")
@click.option("--to", metavar="NAME", help="Only at this destination.")
@click.option("--yes", is_flag=True, help="Push without asking.")
@json_option
@with_workspace
def remove(workspace: Workspace, key: str, to: str | None, yes: bool, json_: bool) -> int:
    """Take everyone of KEY out of its destinations: for a definition that is going, or is gone from personas.toml."""
    made = workspace.remove(key, to=to)
    if made is None:
        people.print("no destination has anybody of it", markup=False)
        return DONE
    return _shown_and_pushed(made, yes=yes, json_=json_)


@click.command()
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_workspace
def forget(workspace: Workspace, user: str, yes: bool, json_: bool) -> int:
    """Never send USER again: take the user out of every destination, then remove every trace from the state."""
    if not yes:
        if not sys.stdin.isatty():
            complain("nobody was forgotten: say --yes when nobody can answer")
            return USAGE
        if click.prompt("This cannot be undone. Type the id to go on", err=True) != user:
            complain("nobody was forgotten")
            return ERROR
    report = workspace.forget(user, confirm=user)
    if json_:
        as_json(report.to_dict())
    for line in report.lines:
        people.print(f"{line.state:14} {line.sync}{f'  ({line.why})' if line.why else ''}", markup=False)
    people.print(repr(report), markup=False)
    return DONE if report.complete else INTERRUPTED


def _blocked(made: Plan, names: list[str], override: tuple[str, ...], *, json_: bool) -> int:
    """Say how to go on, and leave with the code for it."""
    if json_:
        as_json({**made.to_dict(), "blocked": [guard.name for guard in still_standing(made.guards, override)]})
    if names:
        wanted = {*names, *{guard.name for guard in made.guards} & {*override}}
        complain(f"nothing was sent. If the plan is right: --override {','.join(sorted(wanted))}")
    else:
        complain("nothing was sent: this cannot be overridden; correct it, then push again")
    return GUARD


def _agreed(made: Plan) -> bool:
    """Ask a person; nobody there means no."""
    if not sys.stdin.isatty():
        complain("nothing was sent: say --yes when nobody can answer")
        return False
    if click.confirm(f"Send these {made.changes.height:,} changes?", default=False, err=True):
        return True
    complain("nothing was sent")
    return False


def _seconds(deadline: str | None) -> float | None:
    if deadline is None:
        return None
    try:
        return float(duration(deadline))
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--deadline") from None
