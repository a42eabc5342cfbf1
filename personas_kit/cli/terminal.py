"""What a person sees in a terminal, and what a program reads: rich on one side, one JSON document on the other."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from personas_kit.activation.delivery import Progress
from personas_kit.activation.plan import Plan
from personas_kit.activation.report import Report
from personas_kit.preview import Preview, SyncChange, mask_text

DONE, ERROR, USAGE, GUARD, REJECTS, INTERRUPTED = range(6)

people = Console(stderr=True, highlight=False)
"""For words: standard error, so that standard output can be piped."""
output = Console(highlight=False, soft_wrap=True)
"""For what was asked for."""


def complain(message: str) -> None:
    """An error, on standard error."""
    first, *rest = message.splitlines()
    people.print(Text.assemble(("error: ", "bold red"), (first, "bold")))
    for line in rest:
        people.print(Text(line))


def as_json(document: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(document, default=_plain, indent=2, ensure_ascii=False))


def frame_json(frame: pl.DataFrame) -> list[dict[str, object]]:
    """A frame as plain data."""
    return frame.to_dicts()


def table_of(frame: pl.DataFrame, title: str = "") -> Table:
    """A frame as a table of the terminal."""
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(Text(_cell(value)) for value in row))
    return table


def show_preview(preview: Preview, console: Console = output) -> None:
    """The card of a preview."""
    subjects = f"{preview.definition.subject}s"
    grid = Table.grid(padding=(0, 3))
    heads, numbers, below = ["Members"], [Text(f"{preview.size:,}", "bold")], [f"of {preview.population:,} {subjects}"]
    heads.append("Share")
    numbers.append(Text(f"{preview.share:.1%}", "bold"))
    below.append("")
    if preview.users is not None:
        heads.append("Users in them")
        numbers.append(Text(f"{preview.users:,}", "bold"))
        below.append("")
    for name, value in (preview.values or {}).items():
        heads.append(name.capitalize())
        numbers.append(Text(f"{value:,.2f}".rstrip("0").rstrip("."), "bold"))
        below.append("")
    grid.add_row(*(Text(head, "dim") for head in heads))
    grid.add_row(*numbers)
    grid.add_row(*(Text(line, "dim") for line in below))
    where = Text(str(preview.definition.expression), "italic")
    console.print(Panel(grid, title=Text(f"{preview.definition.name} · {preview.definition.kind.replace('_', ' ')}"), title_align="left", subtitle=Text(f"{preview.warehouse} · as of {preview.as_of:%Y-%m-%d %H:%M} UTC · {preview.seconds:.1f} s", "dim"), subtitle_align="right"))  # fmt: skip
    console.print(where)
    for change in preview.changes:
        console.print(_change(change))
    if not preview.changes:
        console.print(Text("no sync yet", "dim"))
    if preview.sample.height:
        console.print(table_of(preview.sample, f"{preview.sample.height} of {preview.size:,}, personal data masked"))


def show_plan(plan: Plan, console: Console = output) -> None:
    """What would be sent, and what stops it."""
    table = Table(title=Text(f"{plan.name} · as of {plan.as_of:%Y-%m-%d %H:%M} UTC · members from {plan.members_from}"), title_justify="left", header_style="bold", box=None, pad_edge=False)  # fmt: skip
    for name in ("destination", "call", "wanted", "acknowledged", "enter", "exit", "set", "skipped", ""):
        table.add_column(name, justify="left" if name in {"destination", "call", ""} else "right")
    for sync in plan.syncs:
        table.add_row(
            sync.sync.destination,
            sync.sync.call,
            f"{sync.wanted:,}",
            f"{sync.state.acknowledged.height:,}",
            Text(f"+{sync.count('enter'):,}", "green" if sync.count("enter") else "dim"),
            Text(f"-{sync.count('exit'):,}", "red" if sync.count("exit") else "dim"),
            Text(f"{sync.count('set'):,}", "green" if sync.count("set") else "dim"),
            f"{sync.skipped.height:,}",
            Text("first push: everyone" if sync.first else "", "dim"),
        )
    console.print(table)
    for guard in plan.guards:
        console.print(Text.assemble(("  stopped by ", "yellow"), (guard.name, "bold yellow"), f": {guard.saw}"))


def show_payloads(plan: Plan, limit: int = 1, console: Console = output) -> None:
    """The exact requests for the first changes, personal data masked."""
    for sample in plan.payloads(limit):
        console.print(Text.assemble((f"{sample['method']} {sample['path']}", "bold"), f"  {sample['destination']} {sample['call']}"))
        console.print(Text(_pretty(mask_text(sample["body"])), "dim"))


def show_report(report: Report, console: Console = people) -> None:
    """What became of a push."""
    if report.again:
        console.print(repr(report))
        return
    for sync in report.syncs:
        mark, colour = {"done": ("✓", "green"), "partial": ("!", "yellow"), "interrupted": ("…", "yellow"), "failed": ("✗", "red")}[sync.state]
        counts = [f"{sync.acknowledged:,} acknowledged"]
        counts += [f"{count:,} {word}" for word, count in (("rejected", sync.rejected), ("unknown", sync.unknown), ("skipped", sync.skipped), ("not sent", sync.unsent)) if count]
        console.print(Text.assemble((f"{mark} ", colour), f"{sync.sync.destination} {sync.sync.call}: {', '.join(counts)}", (f"  {sync.why}" if sync.why else "", "yellow")))


def exit_code(report: Report) -> int:
    """The exit code of a push."""
    if any(sync.state == "failed" for sync in report.syncs):
        return ERROR
    if report.unknown or report.unsent or any(sync.state == "interrupted" for sync in report.syncs):
        return INTERRUPTED
    return REJECTS if report.rejected else DONE


@contextlib.contextmanager
def progress_bar(total: int) -> Iterator[Callable[[Progress], None]]:
    """A bar in a terminal, a line every ten seconds elsewhere."""
    if not people.is_terminal:
        yield _lines(total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=people, transient=True) as bar:
        task = bar.add_task("sending", total=total)

        def tell(progress: Progress) -> None:
            bar.update(task, completed=progress.done, description=progress.sync)

        yield tell


def _lines(total: int) -> Callable[[Progress], None]:
    last = [dt.datetime.now(dt.UTC)]

    def tell(progress: Progress) -> None:
        now = dt.datetime.now(dt.UTC)
        if now - last[0] >= dt.timedelta(seconds=10):
            last[0] = now
            print(f"{progress.done:,} of {total:,} changes sent: {progress.sync}", file=sys.stderr, flush=True)  # noqa: T201

    return tell


def _change(change: SyncChange) -> Text:
    where = f"  {change.sync.destination} {change.sync.call}: "
    first = ("  first push: everyone", "dim") if change.first else ""
    if change.set:
        return Text.assemble(where, (f"{change.set:,} set", "green"), first)
    return Text.assemble(where, (f"+{change.enter:,}", "bold green"), " ", (f"-{change.leave:,}", "bold red"), first)


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(value: Any) -> object:
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
