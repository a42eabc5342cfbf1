"""Commands that only look: nothing is ever sent by them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from rich.text import Text

from personas_kit.cli.options import as_of_option, json_option, with_workspace
from personas_kit.cli.pages import export_page
from personas_kit.cli.terminal import as_json, output, pairs, people, show_explanation, show_preview, table_of
from personas_kit.compiler.dialects import DIALECTS
from personas_kit.destinations import DESTINATIONS
from personas_kit.destinations.showing import described, details, listed
from personas_kit.masking import mask_text
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
    cards = workspace.preview([*(keys or workspace.definitions)], as_of=as_of)
    if json_:
        as_json([card.to_dict() for card in cards])
        return
    for card in cards:
        show_preview(card)
    if not cards:
        people.print("There are no definitions yet: add one to personas.toml.")


SOME = click.IntRange(min=1)
SYNCS = [
    "key", "destination", "call", "acknowledged", "unknown", "rejected", "held", "last_run", "last_at", "due", "paused",
    "place",
]  # fmt: skip
RUNS = ["finished_at", "key", "destination", "call", "state", "acknowledged", "rejected", "unknown", "unsent", "why"]


@click.command()
@json_option
@click.option("--runs", type=SOME, default=10, show_default=True, help="How many of the last runs to show.")
@with_workspace
def status(workspace: Workspace, runs: int, json_: bool) -> None:
    """Show every sync: what was acknowledged, the last run, what is due next, what waits for a person, what to do."""
    found = workspace.status()
    if json_:
        as_json({**found.to_dict(), "runs": workspace.store.runs(runs)})
        return
    history = workspace.history(runs)
    if found.frame.height:
        output.print(table_of(found.frame.select(SYNCS), "syncs"))
    if history.height:
        output.print(table_of(history.select(RUNS), "last runs"))
    else:
        people.print("Nothing was pushed yet.")
    for where, each in found.asks:
        people.print(Text.assemble((f"{each.what}  ", "yellow"), (where, "bold"), f"  {mask_text(each.said)}"))
        if each.command:
            people.print(Text(f"    {each.command}", "dim"))
    people.print(repr(found))


@click.command("history")
@click.option("--limit", type=SOME, default=50, show_default=True, help="How many lines.")
@click.option("--write", is_flag=True, help="Write all of it into the warehouse: what is missing there is added.")
@click.option(
    "--schema", default="personas", show_default=True, help="Its schema there, which has to exist; not the state's."
)
@json_option
@with_workspace
def push_history(workspace: Workspace, limit: int, write: bool, schema: str, json_: bool) -> None:
    """Show the last runs, newest first: a line for each sync, also where a guard stopped it or it failed."""
    if write:
        counts = workspace.write_history(schema)
        if json_:
            as_json(counts)
        people.print(", ".join(f"{count:,} lines in {schema}.{table}" for table, count in counts.items()))
        return
    if json_:
        as_json(workspace.store.runs(limit))
        return
    found = workspace.history(limit)
    if found.height:
        output.print(table_of(found.select(RUNS), "runs"))
    else:
        people.print("Nothing was pushed yet.")


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
    as_of_words = f"  as of {found.as_of:%Y-%m-%d %H:%M} UTC"
    output.print(Text.assemble((f"{found.subject} {mask_text(found.id)}", "bold"), (as_of_words, "dim")))
    for title, values in found.sections():
        output.print(pairs(values, title) if values else Text(f"{title}: none", "dim"))


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
@click.option("--search", metavar="TEXT", default="", help="Only those that TEXT is found in, such as native or email.")
@json_option
def destinations(name: str | None, search: str, json_: bool) -> None:
    """List the destinations there are, or show NAME with the settings it needs and a block to paste."""
    if name is not None:
        if json_:
            as_json(details(DESTINATIONS, name))
        else:
            click.echo(described(DESTINATIONS, name))
        return
    found = listed(DESTINATIONS, search)
    if json_:
        as_json(found.to_dicts())
        return
    output.print(table_of(found.select("slug", "name", "calls", "way", "status")))
    people.print(f"{found.height} destinations. personas destinations NAME shows what one needs.")


@click.command("create-list")
@click.argument("key")
@click.option("--to", required=True, metavar="NAME", help="The configured list destination.")
@json_option
@with_workspace
def create_list(workspace: Workspace, key: str, to: str, json_: bool) -> None:
    """Make an empty list at a destination for the audience KEY, and show its id to write into personas.toml."""
    made = workspace.create_list(key, to=to)
    if json_:
        as_json({"key": key, "destination": to, "list": made})
    else:
        click.echo(f'to = [{{ destination = "{to}", list = "{made}" }}]')


@click.command("export")
@click.argument("key", metavar="KEY|NOTEBOOK")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--expand", type=click.Choice(["users"]), help="The users of an account definition's accounts.")
@as_of_option
def export_to_file(key: str, file: Path, expand: Literal["users"] | None, as_of: str | None) -> None:
    """Write the members of KEY to FILE: .csv for people (formulas made harmless), .parquet or .ndjson for programs.

    Or write an executed notebook (NOTEBOOK.ipynb) to FILE.html: one file that needs no network, without a script.
    """
    if not key.endswith(".ipynb"):
        _export_members(key=key, file=file, expand=expand, as_of=as_of)
        return
    if file.suffix != ".html" or expand or as_of:
        raise click.UsageError("a notebook is exported to a file that ends in .html, and takes no option")
    export_page(Path(key), file)
    people.print(f"{key} written to {file}: it needs no network, and nothing in it runs")


@with_workspace
def _export_members(
    workspace: Workspace, *, key: str, file: Path, expand: Literal["users"] | None, as_of: str | None
) -> None:
    lines = workspace.export(key, file, as_of=as_of, expand=expand)
    people.print(f"{lines:,} members of {key} written to {file}")
