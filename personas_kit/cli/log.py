"""What a run did as lines that a log collector reads: one JSON object each, on standard error, with nobody in them."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Literal, get_args

import click

from personas_kit.activation.guards import for_history, still_standing
from personas_kit.activation.runs import Did, RunLine, RunReport
from personas_kit.cli.codes import ERROR, GUARD, INTERRUPTED
from personas_kit.cli.terminal import exit_code
from personas_kit.display import spoken
from personas_kit.errors import PersonasError, PlanBlocked
from personas_kit.masking import mask_text

Level = Literal["info", "warning", "error"]
_LEVELS: Mapping[str, Level] = {"done": "info", "elsewhere": "info", "failed": "error"}


def log(level: Level, event: str, **more: object) -> None:
    """Write one line: when, how bad, what happened, and what belongs to it."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    click.echo(json.dumps({"time": now, "level": level, "event": event, **more}), err=True)


@contextlib.contextmanager
def logged() -> Iterator[None]:
    """What is said within, errors too, becomes lines; nothing shows progress. Exits with the code of an error."""
    try:
        with spoken(lambda words: log("warning", "note", said=_clean(words))):
            log("info", "begin")
            yield
    except KeyboardInterrupt:
        log("warning", "error", said="interrupted: run again", code=INTERRUPTED)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except PersonasError as problem:
        code = GUARD if isinstance(problem, PlanBlocked) else ERROR
        log("error", "error", said=_clean(problem.what), where=_clean(problem.where), code=code)
        raise click.exceptions.Exit(code) from None


def log_run(done: RunReport) -> None:
    """A line for each sync, for what is new, for who was told, and for the run."""
    for line in done.lines:
        log(_LEVELS.get(line.ended, "warning"), "sync", **_about(line))
    for event, sentences in (("new", done.attention), ("notify", done.notified)):
        for said in sentences:
            log("info", event, said=_clean(said))
    counts = {did: count for did in get_args(Did) if (count := sum(line.did == did for line in done.lines))}
    as_of = done.as_of.isoformat().replace("+00:00", "Z")
    log(_LEVELS.get(done.ended, "warning"), "run", as_of=as_of, counts=counts, code=exit_code(done))


def _about(line: RunLine) -> dict[str, object]:
    """What became of a sync. Guards are told as the history keeps them, without ids."""
    guards = dict(line.guards)
    if line.did == "blocked" and line.plan is not None:
        guards = for_history(still_standing(line.plan.guards, ()))
    why = "; ".join(guards.values()) if guards else line.why
    more = {"guards": [*guards], "why": _clean(why), "command": line.command, "counts": _counts(line)}
    due = line.due.isoformat().replace("+00:00", "Z") if line.due else ""
    said = {name: value for name, value in {**more, "due": due}.items() if value}
    return {"key": line.key, "destination": line.destination, "did": line.did, **said}


def _counts(line: RunLine) -> dict[str, int]:
    total = dict[str, int]()
    for part in line.report.syncs if line.report is not None else ():
        for name, count in part.counts().items():
            total[name] = total.get(name, 0) + count
    return total


def _clean(text: str) -> str:
    """The first line, addresses and telephone numbers masked."""
    return mask_text(text.partition("\n")[0])
