"""``personas schedule``: when what is due, and the text that makes a scheduler run ``personas run`` often enough."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
import polars as pl

from personas_kit.cli.job import job_of
from personas_kit.cli.options import json_option
from personas_kit.cli.terminal import as_json, output, people, table_of
from personas_kit.config import find_file, load
from personas_kit.opening import open_workspace
from personas_kit.schedulers import FORMS, Job, Need


@click.command()
@click.argument("form", required=False, type=click.Choice(sorted(FORMS)))
@json_option
@click.pass_obj
def schedule(config: Path, form: str | None, json_: bool) -> None:
    """Show how often each sync wants to be run, or print what a scheduler wants to be told, ready to paste.

    FORM is airflow (a DAG), cron (a line), github (a workflow), snowflake (a task) or systemd (a service and a timer).
    Nothing is installed and nothing is sent; secrets are named, never read. Without FORM: a table of the syncs.
    """
    job = job_of(load(find_file(config)))
    if form is None:
        _show(job, config, json_=json_)
    elif json_:
        raise click.UsageError(f"what {form} wants to be told is no JSON: leave --json out")
    else:
        click.echo(FORMS[form](job), nl=False)


def _show(job: Job, config: Path, *, json_: bool) -> None:
    due = _due(config)
    lines = [(need, due.get((need.key, need.destination))) for need in job.needs]
    if json_:
        as_json([{**_said(need), "due": when} for need, when in lines])
        return
    now = dt.datetime.now(dt.UTC)
    output.print(table_of(pl.DataFrame([{**_said(need), "due": _when(when, now)} for need, when in lines]), "syncs"))
    people.print(f"Ready to paste: personas schedule {' | '.join(sorted(FORMS))}", markup=False)


def _said(need: Need) -> dict[str, str]:
    """The cadence that is written down, and how often the destination lets it be pushed."""
    cadence = need.cadence.words() or "none"
    return {"key": need.key, "destination": need.destination, "cadence": cadence, "pushed": need.words}


def _due(config: Path) -> dict[tuple[str, str], dt.datetime]:
    """When each sync is due next; what is not there is due at once."""
    workspace = open_workspace(config)
    try:
        frame = workspace.status().frame
    finally:
        workspace.close()
    known = frame.filter(pl.col("due").is_not_null()).select("key", "destination", "due").sort("due", descending=True)
    return {(key, destination): due for key, destination, due in known.iter_rows()}


def _when(due: dt.datetime | None, now: dt.datetime) -> str:
    return "now" if due is None or due <= now else f"{due:%Y-%m-%d %H:%M} UTC"
