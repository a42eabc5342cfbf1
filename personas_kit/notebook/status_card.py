"""The card of a workspace's status: every sync, and what waits for a person, with what to write."""

from __future__ import annotations

import polars as pl

from personas_kit.activation.status import Status, Waiting
from personas_kit.display import renders
from personas_kit.masking import mask_text
from personas_kit.notebook import html

TROUBLES = ("unknown", "rejected", "held", "paused")
"""Columns that are shown if there is something in them."""


@renders("Status")
def status_card(status: Status) -> str:
    """The HTML of a status."""
    head = html.title("Status", "syncs", f"{status.now:%Y-%m-%d %H:%M} UTC")
    if not status.frame.height:
        return html.card(head, html.text(repr(status)))
    asks = status.asks
    return html.card(
        head,
        html.figures(_figures(status)),
        "".join(_asks(where, each) for where, each in asks),
        html.table(_lines(status.frame)),
        html.text(status.next),
    )


def _figures(status: Status) -> list[str]:
    figures = [
        html.figure("Syncs", f"{status.frame.height:,}"),
        html.figure("Acknowledged", f"{status.frame['acknowledged'].sum():,}"),
    ]
    if waits := status.frame.filter(pl.col("waits") != "").height:
        figures.append(html.figure("Wait for a person", f"{waits:,}", f"{len(status.asks):,} to look at", html.AMBER))
    return figures


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    """A line for each sync, of what there is to say of it."""
    troubles = [name for name in TROUBLES if frame[name].cast(pl.Int64).sum()]
    place = pl.when(pl.col("place") != "").then(pl.format(" · {}", "place")).otherwise(pl.lit(""))
    ran = pl.format("{}, {}", "last_run", pl.col("last_at").dt.strftime("%Y-%m-%d %H:%M"))
    to = pl.format("{} · {}{}", "destination", "call", place)
    return frame.select("key", to.alias("to"), "acknowledged", *troubles, ran.alias("last run"), "due")


def _asks(where: str, each: Waiting) -> str:
    how = f"<div><code>{html.text(each.how)}</code></div>" if each.how else ""
    return html.notice(
        f"<b>{html.text(each.what)}</b> {html.text(where)}: {html.text(mask_text(each.said))}{how}", html.AMBER
    )
