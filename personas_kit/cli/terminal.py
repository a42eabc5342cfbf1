"""What a person sees in a terminal, and what a program reads: rich on one side, one JSON document on the other."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import click
import polars as pl
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.segment import Segment
from rich.status import Status
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from personas_kit.activation.course import Progress
from personas_kit.activation.plan import Plan, cause_words, notes_of
from personas_kit.activation.report import Ended, Report
from personas_kit.activation.runs import RunReport
from personas_kit.cli.codes import DONE, ELSEWHERE, ERROR, GUARD, INTERRUPTED, REJECTS
from personas_kit.display import LONG, Work, shows_progress, shows_working, ticking
from personas_kit.insight.explanation import Explanation, Reason, mark
from personas_kit.masking import mask_body, mask_text, visible
from personas_kit.preview import Preview, SyncChange, estimate_words

_WIDEST = 60
SECONDS = 0.2
LINES = 10.0
_BEYOND_ASCII = re.compile(r"[^\x00-\x7e]")


class _Careful(Console):
    """Takes every text as it is, and writes out what would hide, turn text around or steer the terminal.

    Names, values and paths come from anywhere: ``[red]`` is no colour here, and ``:cat:`` no picture.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments to print."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


people = _Careful(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
"""For words: standard error, so that standard output can be piped."""
output = _Careful(
    width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160,
    highlight=False,
    soft_wrap=True,
    markup=False,
    emoji=False,
)
"""For what was asked for."""


def complain(message: str) -> None:
    """An error, on standard error."""
    first, *rest = message.splitlines()
    people.print(Text.assemble(("error: ", "bold red"), (first, "bold")))
    for line in rest:
        people.print(Text(line))


def as_json(document: object) -> None:
    """One JSON document on standard output; what could steer a terminal is escaped in it."""
    text = json.dumps(document, default=_plain, indent=2, ensure_ascii=False)
    click.echo(_BEYOND_ASCII.sub(_escaped, text))


def _escaped(found: re.Match[str]) -> str:
    """A character of a JSON document, escaped if it hides something; JSON itself escapes what is below the space."""
    one = found[0]
    if visible(one) == one:
        return one
    return json.dumps(one)[1:-1] if ord(one) > 0xFFFF else f"\\u{ord(one):04x}"  # noqa: PLR2004  (two of them there)


def table_of(frame: pl.DataFrame, title: str = "", width: int | None = None) -> Table:
    """A frame as a table of the terminal: one line per line, addresses masked, and only the columns that fit."""
    cells = {name: [mask_text(_cell(value)) for value in frame[name]] for name in frame.columns}
    shown: list[str] = []
    room = width or output.width
    for name, texts in cells.items():
        room -= min(_WIDEST, max(map(len, [name, *texts]))) + 2
        if room < 0 and shown:
            break
        shown.append(name)
    more = f" ({len(cells) - len(shown)} more columns)" if len(shown) < len(cells) else ""
    table = Table(title=f"{title}{more}" or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name in shown:
        right = frame.schema[name].is_numeric()
        table.add_column(Text(name), justify="right" if right else "left", no_wrap=True, max_width=_WIDEST)
    for row in zip(*(cells[name] for name in shown), strict=True):
        table.add_row(*map(Text, row))
    return table


def pairs(values: Mapping[str, object], title: str) -> Table:
    """Names and values below a title, addresses masked."""
    table = Table.grid(padding=(0, 2))
    table.title, table.title_justify = title, "left"
    for name, value in values.items():
        table.add_row(Text(name), Text(mask_text(_cell(value))))
    return table


def show_preview(preview: Preview, console: Console = output) -> None:
    """The card of a preview."""
    subjects = f"{preview.definition.subject}s"
    what = "Members" if preview.definition.is_audience else f"{subjects.capitalize()} with a value"
    figures = [
        (what, f"{preview.size:,}", f"of {preview.population:,} {subjects}"),
        ("Share", f"{preview.share:.1%}", ""),
    ]
    figures += [("Users in them", f"{preview.users:,}", "")] if preview.users is not None else []
    figures += [
        (name.capitalize(), f"{value:,.2f}".removesuffix(".00"), "") for name, value in (preview.values or {}).items()
    ]
    grid = Table.grid(padding=(0, 3))
    for at, style in enumerate(("dim", "bold", "dim")):
        grid.add_row(*(Text(figure[at], style) for figure in figures))
    name = Text.assemble((preview.definition.name, "bold"), f" · {preview.definition.kind.replace('_', ' ')}")
    about = f"{preview.warehouse} · as of {preview.as_of:%Y-%m-%d %H:%M} UTC · {preview.seconds:.1f} s"
    console.print(Panel(grid, title=name, title_align="left", subtitle=Text(about, "dim"), subtitle_align="right"))
    console.print(Text(f"  {preview.facets.english}"))
    console.print(Text(f"  {preview.definition.expression}", "italic"))
    for change in preview.changes:
        console.print(_change(change))
    if not preview.changes:
        console.print(Text("no sync yet", "dim"))
    for warned in preview.warnings:
        console.print(Text.assemble(("to know  ", "yellow"), f"{warned.what}: {warned.part}"))
        console.print(Text(f"         {warned.hint}", "dim"))
    for said in preview.facets.words(preview.definition.subject):
        console.print(Text(said, "dim"))
    for note in preview.facets.notes:
        console.print(Text(note, "dim"))
    if preview.sample.height:
        title = f"{preview.sample.height} of {preview.size:,}, personal data masked"
        console.print(table_of(preview.sample, title, console.width))
    if preview.estimate:
        console.print(Text(f"its query {estimate_words(preview.estimate)}", "dim"))


def show_explanation(explanation: Explanation, console: Console = output) -> None:
    """The tree of conditions, each with its mark and what is behind it."""
    as_of = Text(f"  as of {explanation.as_of:%Y-%m-%d %H:%M} UTC", "dim")
    tree = Tree(Text.assemble((explanation.verdict(), "bold"), as_of), guide_style="dim")
    _add_reason(tree, explanation.reason)
    console.print(tree)


def _add_reason(tree: Tree, reason: Reason) -> None:
    colour = {True: "green", False: "red", None: "blue"}[reason.holds]
    label = Text.assemble((mark(reason.holds), f"bold {colour}"), f" {reason.headline()}")
    for line in reason.lines():
        label.append(f"\n  {line}", "dim")
    branch = tree.add(label)
    for part in reason.parts:
        _add_reason(branch, part)


def show_plan(plan: Plan, console: Console = output) -> None:
    """What would be sent, and what stops it."""
    console.print(
        Text.assemble((plan.name, "bold"), f" · as of {plan.as_of:%Y-%m-%d %H:%M} UTC · members from {plan.origin}")
    )
    table = Table(header_style="dim", box=None, pad_edge=False)
    for name in ("destination", "call", "wanted", "acknowledged", "enter", "exit", "set", "skipped"):
        left = name in {"destination", "call"}
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for sync in plan.syncs:
        table.add_row(
            sync.sync.destination,
            sync.sync.call,
            f"{sync.wanted:,}",
            f"{sync.state.size:,}",
            _signed("+", sync.count("enter"), "bold green"),
            _signed("-", sync.count("exit"), "bold red"),
            _signed("", sync.count("set"), "bold green"),
            f"{sync.skipped.height:,}",
        )
    console.print(table)
    first = [f"{sync.sync.destination} {sync.sync.call}" for sync in plan.syncs if sync.first]
    if first:
        console.print(Text(f"  first push, so everyone goes: {', '.join(first)}", "dim"))
    for sync in plan.syncs:
        if sync.causes and not sync.first:
            where = f"{sync.sync.destination} {sync.sync.call}"
            console.print(Text(f"  why  {where}: {cause_words(sync.causes)}", "dim"))
    for note in notes_of(plan):
        console.print(Text.assemble(("  to know    ", "yellow"), note))
    for guard in plan.guards:
        word = "  stopped by " if guard.stops else "  to know    "
        console.print(Text.assemble((word, "yellow"), (guard.name, "bold yellow"), f": {mask_text(guard.saw)}"))


def show_payloads(plan: Plan, limit: int = 1, console: Console = output) -> None:
    """The exact requests for the first changes, personal data masked."""
    for sample in plan.payloads(limit):
        console.print(
            Text.assemble(
                (f"{sample['method']} {sample['path']}", "bold"), f"  {sample['destination']} {sample['call']}"
            )
        )
        console.print(Text(mask_body(sample["body"]), "dim"))


def show_report(report: Report, console: Console = people) -> None:
    """What became of a push."""
    if report.again:
        console.print(repr(report))
        return
    for sync in report.syncs:
        mark, colour = {
            "done": ("✓", "green"),
            "partial": ("!", "yellow"),
            "interrupted": ("…", "yellow"),
            "failed": ("✗", "red"),
        }[sync.state]
        counts = [f"{sync.acknowledged:,} acknowledged"]
        counts += [
            f"{count:,} {word}"
            for word, count in (
                ("rejected", sync.rejected),
                ("unknown", sync.unknown),
                ("accepted, not acknowledged yet", sync.accepted),
                ("held back", sync.held),
                ("skipped", sync.skipped),
                ("not sent", sync.unsent),
            )
            if count
        ]
        console.print(
            Text.assemble(
                (f"{mark} ", colour),
                f"{sync.sync.destination} {sync.sync.call}: {', '.join(counts)}",
                (f"  {mask_text(sync.why)}" if sync.why else "", "yellow"),
            )
        )
    for said in report.attention:
        console.print(Text.assemble(("  new: ", "yellow"), mask_text(said)))


_ENDED: Mapping[Ended, int] = {
    "done": DONE, "elsewhere": ELSEWHERE, "rejected": REJECTS, "blocked": GUARD, "unfinished": INTERRUPTED,
    "failed": ERROR,
}  # fmt: skip


def exit_code(done: Report | RunReport) -> int:
    """The exit code of a push or a run."""
    return _ENDED[done.ended]


@shows_progress
@contextlib.contextmanager
def progress_bar(total: int) -> Iterator[Callable[[Progress], None]]:
    """A bar in a terminal, a line every ten seconds elsewhere."""
    if not people.is_terminal:
        yield _lines()
        return
    count = TextColumn("{task.completed:,.0f} of {task.total:,.0f} changes")
    pace, took = TextColumn("{task.fields[pace]}"), TimeElapsedColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), count, pace, took)
    with Bar(*columns, console=people, transient=True) as bar:
        task = bar.add_task("sending", total=total, pace="")

        def tell(now: Progress) -> None:
            bar.update(task, completed=now.done, total=now.total, description=escape(now.about), pace=now.pace)

        yield tell


@shows_working
@contextlib.contextmanager
def working(work: Work) -> Iterator[None]:
    """A line in a terminal while something takes longer than a second; elsewhere one every ten seconds."""
    if not people.is_terminal:
        with ticking(lambda: None if work.rests else people.print(Text(work.words())), LINES):
            yield
        return
    lock, shown = threading.Lock(), list[Status]()

    def hide() -> None:
        with lock:
            while shown:
                shown.pop().stop()

    def show() -> None:
        with lock:
            if work.rests or work.seconds < LONG:
                return
            if not shown:
                shown.append(people.status(""))
                shown[0].start()
            shown[0].update(Text(work.words()))

    work.make_room = hide  # a terminal has room for one
    try:
        with ticking(show, SECONDS):
            yield
    finally:
        hide()


def _lines() -> Callable[[Progress], None]:
    due = [time.monotonic() + LINES]

    def tell(progress: Progress) -> None:
        if time.monotonic() >= due[0]:
            due[0] = time.monotonic() + LINES
            share = 100 * progress.done // max(progress.total, 1)
            more = ", ".join(filter(None, (progress.about, progress.pace)))
            people.print(Text(f"{progress.done:,} of {progress.total:,} changes ({share}%): {more}"))

    return tell


def _signed(sign: str, count: int, style: str) -> Text:
    return Text(f"{sign}{count:,}", style) if count else Text("0", "dim")


def _change(change: SyncChange) -> Text:
    where = f"  {change.sync.destination} {change.sync.call}: "
    first = ("  first push: everyone", "dim") if change.first else ""
    if change.set:
        return Text.assemble(where, (f"{change.set:,} set", "green"), first)
    return Text.assemble(where, (f"+{change.enter:,}", "bold green"), " ", (f"-{change.leave:,}", "bold red"), first)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
