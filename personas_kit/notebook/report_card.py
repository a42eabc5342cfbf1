"""The cards of what was done: one push, and a scheduled run."""

from __future__ import annotations

import polars as pl

from personas_kit.activation.report import Report
from personas_kit.activation.runs import RunReport
from personas_kit.display import renders
from personas_kit.masking import masked_changes
from personas_kit.notebook import html


@renders("Report")
def report_card(report: Report) -> str:
    """The HTML of a push."""
    if report.again:
        return html.card(html.title(report.key, "push", ""), "This plan was pushed already; nothing was sent.")
    parts = [html.figure("Acknowledged", f"{report.acknowledged:,}", "", html.GREEN)]
    parts += [
        html.figure(word, f"{count:,}", below, html.RED)
        for word, count, below in (
            ("Rejected", report.rejected, "due again"),
            ("Unknown", report.unknown, "due again, same message id"),
            ("Not sent", report.unsent, "push again"),
        )
        if count
    ]
    if report.skipped:
        parts.append(html.figure("Skipped", f"{report.skipped:,}", "no usable identifier"))
    failed = report.failed
    return html.card(
        html.title(report.key, "push", f"as of {report.as_of:%Y-%m-%d %H:%M} UTC · plan {report.plan_id[:8]}"),
        html.figures(parts),
        "".join(html.notice(html.text(said), html.BLUE) for said in report.attention),
        html.table(_syncs(report)),
        html.details(
            "Not acknowledged",
            f"first {min(10, failed.height)} of {failed.height:,}",
            html.table(masked_changes(failed.head(10), report.key)),
        )
        if failed.height
        else "",
    )


def _syncs(report: Report) -> pl.DataFrame:
    """A line for each sync: its counts, and the reasons of what was refused."""
    return pl.DataFrame(
        {
            "destination": part.sync.destination,
            "call": part.sync.call,
            "state": part.state,
            **part.counts(),
            "reasons": ", ".join(f"{count:,} {reason}" for reason, count in part.reasons.items()),
            "why": part.why,
        }
        for part in report.syncs
    )


@renders("RunReport")
def run_card(run: RunReport) -> str:
    """The HTML of a scheduled run."""
    lines = pl.DataFrame(
        [
            {
                "key": line.key,
                "destination": line.destination,
                "did": line.did,
                "acknowledged": line.report.acknowledged if line.report else 0,
                "why": line.why,
            }
            for line in run.lines
        ],
        schema={
            "key": pl.String,
            "destination": pl.String,
            "did": pl.String,
            "acknowledged": pl.Int64,
            "why": pl.String,
        },
    )
    return html.card(
        html.title("Run", "schedule", f"{run.as_of:%Y-%m-%d %H:%M} UTC"),
        "".join(html.notice(html.text(said), html.BLUE) for said in run.attention),
        html.table(lines) if lines.height else "Nothing is scheduled.",
    )
