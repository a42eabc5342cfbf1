"""The cards of what there is: events, one event with its properties, traits."""

from __future__ import annotations

from typing import Any

import polars as pl

from personas_kit.catalogue import DAYS, Catalogue, Event
from personas_kit.display import renders
from personas_kit.notebook import html

#: Lines that a card shows; the frame has them all.
SHOWN = 200


@renders("Catalogue")
def catalogue_card(catalogue: Catalogue[Any]) -> str:
    """The HTML of all events, or of all traits."""
    frame = catalogue.to_polars()
    more = f"the first {SHOWN} of {frame.height:,}" if frame.height > SHOWN else f"{frame.height:,}"
    return html.card(html.title(f"{catalogue.kind}s".capitalize(), more, ""), html.table(_shares(frame.head(SHOWN))))


@renders("Event")
def event_card(event: Event) -> str:
    """The HTML of one event."""
    last = f"last {event.last:%Y-%m-%d %H:%M} UTC" if event.last else ""
    title = html.title(event.name, f"event · {event.lines:,} lines", last)
    heading = f"Properties in the last {DAYS} days"
    return html.card(title, html.details(heading, "", html.table(_shares(event.properties)), opened=True))


def _shares(frame: pl.DataFrame) -> pl.DataFrame:
    """Shares the way people read them."""
    if "share" not in frame.columns:
        return frame
    words = [None if share is None else f"{share:.0%}" for share in frame["share"]]
    return frame.with_columns(share=pl.Series(words, dtype=pl.String))
