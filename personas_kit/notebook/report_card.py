"""The cards of what was done: one push, and a scheduled run."""

from __future__ import annotations

from collections.abc import Iterator

from personas_kit.activation.report import Report, SyncReport
from personas_kit.activation.runs import RunLine, RunReport
from personas_kit.display import renders
from personas_kit.masking import mask_text, masked_changes
from personas_kit.notebook import html
from personas_kit.notebook.plan_card import call_lines
from personas_kit.notebook.sync_lines import LARGE, call_line, count, faint, plain_blocks

STATES = {
    "done": "done",
    "partial": "finished, not all of it was taken",
    "interrupted": "stopped",
    "failed": "stopped for good",
    "blocked": "stopped by a guard",
    "planned": "planned only",
}
MOST_REASONS = 5


@renders("Report")
def report_card(report: Report) -> str:
    """The HTML of a push."""
    if report.again:
        return html.card(html.title(report.key, "push", ""), "This plan was pushed already; nothing was sent.")
    failed = report.failed
    return html.card(
        html.title(report.key, "push", f"as of {report.as_of:%Y-%m-%d %H:%M} UTC · plan {report.plan_id[:8]}"),
        html.figures(_totals(report)),
        "".join(html.notice(html.text(mask_text(said)), html.BLUE) for said in report.attention),
        report_lines(report),
        "<br>".join(map(html.text, what_is_left(report))),
        html.details(
            "Not acknowledged",
            f"first {min(10, failed.height)} of {failed.height:,}, masked",
            html.table(masked_changes(failed.head(10), report.key)),
        )
        if failed.height
        else "",
    )


def report_lines(report: Report) -> str:
    """What became of every call, without a frame."""
    return plain_blocks(report.syncs, _line)


def what_is_left(report: Report) -> list[str]:
    """A sentence for what is not acknowledged, with what to do; none if all is."""
    counts = (
        (report.unsent, "not sent: plan.push() goes on with this plan within an hour; later, plan again"),
        (report.rejected, f"rejected, due again: once the reason is mended, ws.plan({report.key!r}) has them"),
        (report.unknown, "with an outcome that is not known: the next plan repeats them with the same message id"),
        (report.accepted, "accepted, not acknowledged yet: the next plan asks what became of them"),
    )
    return [f"{number:,} {words}." for number, words in counts if number]


def _totals(report: Report) -> Iterator[str]:
    yield html.figure("Acknowledged", f"{report.acknowledged:,}", "", html.GREEN if report.acknowledged else "")
    for word, number, below in (
        ("Rejected", report.rejected, "due again"),
        ("Unknown", report.unknown, "due again, same message id"),
        ("Not sent", report.unsent, "push again"),
    ):
        if number:
            yield html.figure(word, f"{number:,}", below, html.RED)
    if report.accepted:
        yield html.figure("Accepted", f"{report.accepted:,}", "not acknowledged yet")
    if report.skipped:
        yield html.figure("Skipped", f"{report.skipped:,}", "no usable identifier")


def _line(part: SyncReport) -> str:
    figures = [
        count(part.acknowledged, "acknowledged", html.GREEN),
        *(
            count(number, word, html.RED)
            for word, number in (("rejected", part.rejected), ("unknown", part.unknown), ("not sent", part.unsent))
            if number
        ),
        *([count(part.accepted, "accepted")] if part.accepted else []),
    ]
    return call_line(part.sync.call, figures, _words(part))


def _words(part: SyncReport) -> Iterator[str]:
    """What was asked for, and why it did not all come to pass."""
    kinds = (("enter", part.enters), ("exit", part.exits), ("set", part.sets))
    asked = ", ".join(f"{number:,} {kind}" for kind, number in kinds if number)
    state = STATES[part.state]
    yield f"{state}: {asked or 'no change'}, {part.wanted:,} wanted"
    if part.why:
        yield mask_text(part.why)
    reasons = sorted(part.reasons.items(), key=lambda each: -each[1])
    for reason, number in reasons[:MOST_REASONS]:
        yield f"{number:,} rejected: {mask_text(reason)}"
    if len(reasons) > MOST_REASONS:
        yield f"{len(reasons) - MOST_REASONS:,} further reasons: report.syncs[...].reasons"
    if part.skipped:
        yield f"{part.skipped:,} users skipped: no usable identifier"
    if part.suppressed:
        yield f"{part.suppressed:,} left out: they were forgotten"
    if part.held:
        yield f"{part.held:,} not tried this time: refused again and again"


@renders("RunReport")
def run_card(run: RunReport) -> str:
    """The HTML of a scheduled run: every line with what was done, what came of it, and why."""
    did = [(word, sum(line.did == word for line in run.lines)) for word in _COLOURS]
    figures = [html.figure(word.capitalize(), f"{number:,}", "", _COLOURS[word]) for word, number in did if number]
    return html.card(
        html.title("Run", "schedule", f"{run.as_of:%Y-%m-%d %H:%M} UTC"),
        html.figures(figures) if figures else "",
        "".join(html.notice(html.text(mask_text(said)), html.BLUE) for said in (*run.attention, *run.notified)),
        *(map(_run_line, run.lines) if run.lines else ["Nothing is scheduled."]),
    )


_COLOURS = {
    "failed": html.RED,
    "blocked": html.AMBER,
    "pushed": html.GREEN,
    "planned": "",
    "not due": "",
    "elsewhere": "",
}


def _run_line(line: RunLine) -> str:
    paint = f";color:{_COLOURS[line.did]}" if _COLOURS[line.did] else ""
    head = (
        '<div style="display:flex;flex-wrap:wrap;gap:0 12px;align-items:baseline;overflow-wrap:break-word">'
        f'<span style="{LARGE}{paint}">{html.text(line.did)}</span>'
        f"<span><b>{html.text(line.key)}</b> → {html.text(line.destination)}</span></div>"
    )
    why = f"<div>{html.text(mask_text(line.why))}</div>" if line.why else ""
    command = f"<div>If it is right: <code>{html.text(line.command)}</code></div>" if line.command else ""
    return head + why + command + _what_came(line)


def _what_came(line: RunLine) -> str:
    """Of a push the counts of every call; of a plan that was not pushed, what it would have sent."""
    if line.report is not None:
        left = "".join(f"<div>{html.text(said)}</div>" for said in what_is_left(line.report))
        return "".join(map(_line, line.report.syncs)) + faint(left)
    if line.plan is None or line.did in {"not due", "elsewhere"}:
        return ""
    return f"{faint('It would send, and has not sent:')}{call_lines(line.plan)}"
