"""The cards of what there is: events, one event with its properties, traits, the values of one; and all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from personas_kit.catalogue import DAYS, Catalogue, Event, Trait, Values
from personas_kit.display import renders
from personas_kit.notebook import html
from personas_kit.notebook.exploring import SECTIONS, Exploration, Plain

#: Lines that a card shows; the frame has them all.
SHOWN = 200
#: Values of one property that a card shows.
FEW = 10
#: What is shown of a sync, in this order.
STANDING = ["key", "destination", "call", "acknowledged", "unknown", "rejected", "last_run", "last_at", "due"]
_NAME = "width:36%;overflow-wrap:break-word;min-width:0"


@renders("Catalogue")
def catalogue_card(catalogue: Catalogue[Any]) -> str:
    """The HTML of all events, or of all traits."""
    entries = [*catalogue.values()]
    more = f"the first {SHOWN} of {len(entries):,}" if len(entries) > SHOWN else f"{len(entries):,}"
    body = _events(entries) if catalogue.kind == "event" else _traits(entries)
    return html.card(html.title(f"{catalogue.kind}s".capitalize(), more, ""), body)


@renders("Event")
def event_card(event: Event) -> str:
    """The HTML of one event: its properties, and the values of those that somebody has looked at."""
    last = f"last {event.last:%Y-%m-%d %H:%M} UTC" if event.last else ""
    title = html.title(event.name, f"event · {event.lines:,} lines", last)
    properties = event.properties.head(SHOWN).to_dicts()
    bars = "".join(_share(line["property"], line["type"], line["share"], line["filled"]) for line in properties)
    looked = [each.cached for each in event.cached if each.cached is not None]
    return html.card(
        title,
        html.details(f"Properties in the last {DAYS} days", "", _bars(bars), opened=True),
        "".join(html.details(each.name, _different(each), _values(each)) for each in looked[:FEW]),
    )


@renders("Values")
def values_card(values: Values) -> str:
    """The HTML of the most frequent values; personal ones are masked."""
    return html.card(
        html.title(values.name, _different(values), ""),
        _spread(values) if values.shown_spread else "",
        _values(values, SHOWN),
    )


def exploration_card(exploration: Exploration) -> str:
    """The HTML of all that is known of a workspace, section by section."""
    parts = [_section(exploration, section, label) for section, label in SECTIONS.items()]
    right = exploration.workspace.warehouse.describe()
    return html.card(html.title("What there is", "explorer", right), *parts)


def exploration_line(exploration: Exploration) -> str:
    """The same in one line."""
    known = [
        f"{exploration.total(section):,} {label.casefold() if section != 'accounts' else 'account traits'}"
        for section, label in SECTIONS.items()
        if exploration.known(section)
    ]
    return f"what there is: {', '.join(known)}"


def _section(exploration: Exploration, section: str, label: str) -> str:
    if not exploration.known(section):
        return html.details(label, "nobody has looked yet", "")
    entries, total = exploration.entries(section), exploration.total(section)
    if not total:
        return html.details(label, "none", "")
    more = f"the first {SHOWN} of {total:,}" if total > SHOWN else f"{total:,}"
    if section == "syncs" and exploration.status is not None:
        table = html.table(exploration.status.frame.select(STANDING).head(SHOWN))
        return html.details(label, more, table + _waiting(entries), opened=True)
    if section == "definitions":
        lines = "".join(_told(exploration.detail(section, entry["name"])) for entry in entries[:SHOWN])
        return html.details(label, more, lines, opened=True)
    catalogue: Catalogue[Any] = getattr(exploration.workspace, section)
    body = _events(catalogue.cached) if section == "events" else _traits(catalogue.cached)
    return html.details(label, more, body, opened=True)


def _waiting(entries: Sequence[Plain]) -> str:
    waits = sum(bool(entry["note"]) for entry in entries)
    words = f"{waits:,} wait for you: ws.status() says why" if waits else ""
    return f'<div style="{html.FAINT};font-size:12px;margin-top:6px">{words}</div>'


def _told(detail: Plain) -> str:
    """A definition in two lines."""
    facts = " · ".join(f"{name} {value}" for name, value in detail["facts"])
    words = f"<div>{html.text(detail['words'])}</div>"
    return (
        f'<div style="margin:0 0 8px"><b>{html.text(detail["name"])}</b> '
        f'<span style="{html.FAINT}">{html.text(detail["kind"])} · {html.text(facts)}</span>{words}</div>'
    )


def _events(events: Sequence[Event]) -> str:
    total, most = sum(each.lines for each in events) or 1, max((each.lines for each in events), default=1) or 1
    lines = [(each.name, each.lines / total, each.lines, None) for each in events[:SHOWN]]
    return html.share_bars(lines, whole=most / total) + _dates(events)


def _dates(events: Sequence[Event]) -> str:
    known = [each for each in events if each.first and each.last]
    if not known:
        return ""
    first, last = min(each.first for each in known if each.first), max(each.last for each in known if each.last)
    words = f"from {first:%Y-%m-%d} to {last:%Y-%m-%d %H:%M} UTC; the share is of all lines"
    return f'<div style="{html.FAINT};font-size:12px;margin-top:6px">{words}</div>'


def _traits(traits: Sequence[Trait]) -> str:
    bars = "".join(
        _share(each.name, each.type, each.share, each.filled or 0) for each in traits[:SHOWN] if each.share is not None
    )
    computed = pl.DataFrame(
        [(each.name, each.meaning) for each in traits[:SHOWN] if each.meaning],
        schema={"computed": pl.String, "meaning": pl.String},
        orient="row",
    )
    return _bars(bars) + (f'<div style="margin-top:8px">{html.table(computed)}</div>' if computed.height else "")


def _share(name: str, kind: str, share: float, filled: int) -> str:
    head = f'<div style="{_NAME}">{html.text(name)} <span style="{html.FAINT}">{html.text(kind)}</span></div>'
    return html.share_line(head, share, filled)


def _bars(lines: str) -> str:
    return f'<div style="font-size:12px">{lines}</div>'


def _values(values: Values, most: int = FEW) -> str:
    found = values.shown().head(most)
    lines = [(html.shown(value), share, count, None) for value, count, share in found.rows()]
    whole = found["share"].max() if found.height else 1.0
    return html.share_bars(lines, whole=float(whole) if isinstance(whole, float) else 1.0)


def _spread(values: Values) -> str:
    return html.figures(html.figure(name, html.number(number)) for name, number in values.shown_spread.items())


def _different(values: Values) -> str:
    return f"{values.different:,} different values" if values.different != 1 else "1 value"
