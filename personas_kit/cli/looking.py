"""Commands that only look: nothing is ever sent by them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
import polars as pl

from personas_kit.cli.options import as_of_option, json_option, with_workspace
from personas_kit.cli.terminal import as_json, frame_json, output, people, show_explanation, show_preview, table_of
from personas_kit.compiler.dialects import DIALECTS
from personas_kit.destinations import DESTINATIONS, find
from personas_kit.workspace import Workspace


@click.command()
@click.argument("key")
@click.option("--dialect", type=click.Choice(list(DIALECTS)), help="[default: the warehouse's own]")
@click.option("--expand", type=click.Choice(["users"]), help="The users of an account definition's accounts.")
@as_of_option
@json_option
@with_workspace
def sql(
    workspace: Workspace, key: str, dialect: str | None, expand: Literal["users"] | None, as_of: str | None, json_: bool
) -> None:
    """Print the SQL of the definition KEY, runnable as pasted."""
    text = workspace.sql(key, dialect=dialect, as_of=as_of, expand=expand)
    if json_:
        as_json({"key": key, "dialect": text.dialect, "sql": str(text), "bound": text.bound})
    else:
        click.echo(str(text))


@click.command()
@click.argument("keys", nargs=-1)
@as_of_option
@json_option
@with_workspace
def preview(workspace: Workspace, keys: tuple[str, ...], as_of: str | None, json_: bool) -> None:
    """Show what is in the definitions KEYS (by default all of them), and what would change. Nothing is sent."""
    cards = [workspace.preview(key, as_of=as_of) for key in keys or workspace.definitions]
    if json_:
        as_json([card.to_dict() for card in cards])
        return
    for card in cards:
        show_preview(card)
    if not cards:
        people.print("There are no definitions yet: add one to personas.toml.")


@click.command()
@json_option
@click.option("--runs", default=10, show_default=True, help="How many of the last pushes to show.")
@with_workspace
def status(workspace: Workspace, runs: int, json_: bool) -> None:
    """Show every sync: what was acknowledged, what is unknown or refused, and the last pushes."""
    syncs, history = workspace.status(), workspace.store.runs(runs)
    if json_:
        as_json({"syncs": frame_json(syncs), "runs": history})
        return
    if not syncs.height:
        people.print("Nothing was pushed yet.")
        return
    output.print(table_of(syncs.select(pl.exclude("place"), "place"), "syncs"))
    columns = [
        "finished_at",
        "key",
        "destination",
        "call",
        "state",
        "acknowledged",
        "rejected",
        "unknown",
        "skipped",
        "unsent",
    ]
    output.print(table_of(pl.DataFrame(history, infer_schema_length=None).select(columns), "last pushes"))


@click.command()
@click.argument("member")
@as_of_option
@json_option
@with_workspace
def profile(workspace: Workspace, member: str, as_of: str | None, json_: bool) -> None:
    """Show one user or account: traits, audiences, accounts, and what each destination acknowledged."""
    found = workspace.profile(member, as_of=as_of)
    if json_:
        as_json(found.to_dict())
        return
    output.print(f"[bold]{found.subject} {found.id}[/bold]")
    for title, values in found.sections():
        output.print(table_of(pl.DataFrame({"": list(values), " ": [str(value) for value in values.values()]}), title))


@click.command()
@click.argument("key")
@click.argument("member")
@as_of_option
@json_option
@with_workspace
def explain(workspace: Workspace, key: str, member: str, as_of: str | None, json_: bool) -> None:
    """Show why the user or account MEMBER is in the audience KEY or out of it, or what its value is made of."""
    found = workspace.explain(key, member, as_of=as_of)
    if json_:
        as_json(found.to_dict())
    else:
        show_explanation(found)


@click.command()
@click.argument("name", required=False)
@json_option
def destinations(name: str | None, json_: bool) -> None:
    """List the destinations there are, or show NAME with the settings it needs and a block to paste."""
    if name is None:
        rows = [destination.describe() for destination in DESTINATIONS.values()]
        if json_:
            as_json(rows)
        else:
            output.print(table_of(pl.DataFrame(rows).select("slug", "name", "calls", "minimum_interval")))
            people.print("personas destinations NAME shows the settings of one.")
        return
    destination = find(name)
    if json_:
        as_json(destination.describe())
    else:
        click.echo(destination.paste())


@click.command("export")
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--expand", type=click.Choice(["users"]), help="The users of an account definition's accounts.")
@as_of_option
@with_workspace
def export_members(
    workspace: Workspace, key: str, file: Path, expand: Literal["users"] | None, as_of: str | None
) -> None:
    """Write the members of KEY to FILE: .csv for people (formulas made harmless), .parquet or .ndjson for programs."""
    lines = workspace.export(key, file, as_of=as_of, expand=expand)
    people.print(f"{lines:,} members of {key} written to {file}")


COMMANDS = (preview, sql, status, profile, explain, destinations, export_members)
