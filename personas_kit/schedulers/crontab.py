"""A line for ``crontab -e``.

A ``%`` ends the command unless there is a backslash before it, whatever the quotes; times are those of the machine's
timezone, and there is no other; the shell is ``/bin/sh`` with hardly any variable.
(https://manpages.debian.org/bookworm/cron/crontab.5.en.html, read 2026-11-27; a line with all of these characters was
run by Debian's cron 3.0pl1-162)
"""

from __future__ import annotations

import shlex

from personas_kit.errors import ConfigError
from personas_kit.schedulers.job import Job
from personas_kit.schedulers.ticks import ticks_of
from personas_kit.schedulers.words import AGAIN, commented, reasons

LONGEST = 998
"""Bytes of a command: what cron reads of a line."""


def line(job: Job) -> str:
    """The line, with comments above it.

    Raises:
        ConfigError: a path cannot stand in a crontab.
    """
    ticks = ticks_of(job.needs, job.zone)
    log = f"{job.folder.rstrip('/')}/personas.log"
    notes = [
        "For crontab -e.",
        *reasons(job, ticks),
        f"What it says is added to {log}; cron mails a line to MAILTO if it did not end with 0.",
        *environment_notes(job),
    ]
    return f"{commented(notes)}{ticks.cron}  {_escaped(_command(job, log))}\n"


def environment_file(job: Job) -> str:
    """What holds the values of the environment variables, where nothing else sets them."""
    return f"{job.folder.rstrip('/')}/personas.env"


def environment_notes(job: Job) -> list[str]:
    """What that file has to hold; nothing if no secret is a variable."""
    if not job.variables:
        return []
    return [
        f"Write the secrets to {environment_file(job)}, lines of NAME='value', and chmod 600 it:",
        *(f"  {name}" for name in job.variables),
    ]


def _command(job: Job, log: str) -> str:
    secrets = f"set -a; . {shlex.quote(environment_file(job))}; set +a; " if job.variables else ""
    where = shlex.quote(log)
    told = shlex.quote(f"personas run ended with the exit code $code: see {log}").replace("$code", "'$code'")
    return f"{secrets}{{ {AGAIN.format(run=shlex.join(job.run))}; }} >> {where} 2>&1; [ $code -eq 0 ] || echo {told}"


def _escaped(command: str) -> str:
    if "\\" in command or len(command.encode()) > LONGEST:
        raise ConfigError(
            "the path of the workspace or of personas is too long for a crontab, or holds a backslash",
            hint="move the workspace to a folder such as /srv/personas",
        )
    return command.replace("%", "\\%")
