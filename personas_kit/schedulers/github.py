"""A workflow of GitHub Actions.

Times are UTC unless a timezone is given, at least five minutes apart, and often late at the full hour, so runs are put
off by seven minutes; a step fails with any exit code but 0. A public repository without activity for 60 days has its
schedules switched off. The token that the checkout leaves in the folder is of no use to a run, and is not left there.
(https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows, read 2026-11-27)
"""

from __future__ import annotations

import json
import shlex

from personas_kit.schedulers.job import Job
from personas_kit.schedulers.ticks import ticks_of
from personas_kit.schedulers.words import AGAIN, commented, keeps_nothing, reasons

APART, LATER = 5, 7
CONNECTIONS = {
    "snowflake": ("SNOWFLAKE_CONNECTIONS_TOML", "SNOWFLAKE_HOME", "connections.toml"),
    "postgres": ("PG_SERVICE_CONF", "PGSERVICEFILE", "pg_service.conf"),
}
"""Of a warehouse: the secret with the file of its connections, the variable that says where that is, its name."""


def workflow(job: Job) -> str:
    """The file ``.github/workflows/personas.yml``."""
    ticks = ticks_of(job.needs, apart=APART, later=LATER)
    notes = [
        *keeps_nothing(job, "a runner of GitHub"),
        "For .github/workflows/personas.yml, on the default branch.",
        *reasons(job, ticks, apart=APART, later=LATER),
        "GitHub starts no schedule more often than every 5 minutes, and often late at the full hour.",
        "In a public repository it switches schedules off once nothing has happened there for 60 days.",
        *_secrets_needed(job),
    ]
    return f"""\
{commented(notes)}name: personas
on:
  schedule:
    - cron: "{ticks.cron}"  # UTC
  workflow_dispatch:
permissions:
  contents: read
concurrency:
  group: personas
jobs:
  run:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
        with:
          persist-credentials: false
      - uses: actions/setup-python@v6
        with:
          python-version: "3.13"
      # Or from where you have it: a wheel in this repository, an index of your own.
      - run: python -m pip install {json.dumps(job.package)}
{_connections(job)}      # Fails with 1 (an error), 3 (stopped by a guard), 4 (some were refused); 5 is run again first.
      - name: Push what is due
{_environment(job)}        run: |
          {AGAIN.format(run=_run(job))}
          exit $code
"""


def _run(job: Job) -> str:
    return shlex.join(("personas", "-c", job.within, "run", "--approve", "guards"))


def _secrets_needed(job: Job) -> list[str]:
    names = [*job.variables]
    if _by_name(job):
        names.append(
            f"{CONNECTIONS[job.warehouse][0]}: the text of {CONNECTIONS[job.warehouse][2]}, with {job.connection}"
        )
    if not names:
        return []
    return ["Secrets of the repository that it reads (Settings > Secrets and variables > Actions):", *_indented(names)]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _by_name(job: Job) -> bool:
    return bool(job.connection) and job.warehouse in CONNECTIONS


def _environment(job: Job) -> str:
    """The names of secrets, never a value."""
    lines = [f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in job.variables]
    if _by_name(job):
        _, variable, file = CONNECTIONS[job.warehouse]
        folder = "${{ runner.temp }}/connections"
        lines.append(f"          {variable}: {folder}{'' if variable.endswith('HOME') else f'/{file}'}\n")
    return f"        env:\n{''.join(lines)}" if lines else ""


def _connections(job: Job) -> str:
    """A step that puts the file of connections where only this job sees it."""
    if not _by_name(job):
        return ""
    secret, _, file = CONNECTIONS[job.warehouse]
    return f"""\
      - name: Connections
        env:
          TEXT: ${{{{ secrets.{secret} }}}}
          FOLDER: ${{{{ runner.temp }}}}/connections
        run: |
          umask 077
          mkdir "$FOLDER"
          printf '%s\\n' "$TEXT" > "$FOLDER/{file}"
"""
