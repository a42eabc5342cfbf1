"""The card of a workspace's status: every sync, and what waits for a person, with what to write."""

from __future__ import annotations

from personas_kit.activation.status import Status, Waiting
from personas_kit.display import renders
from personas_kit.notebook import html

SHOWN = [
    "key", "destination", "call", "acknowledged", "unknown", "rejected", "held", "last_run", "last_at", "due", "paused",
]  # fmt: skip


@renders("Status")
def status_card(status: Status) -> str:
    """The HTML of a status."""
    if not status.frame.height:
        return html.card(html.title("Status", "syncs", ""), html.text(repr(status)))
    figures = [
        html.figure("Syncs", f"{status.frame.height:,}"),
        html.figure("Acknowledged", f"{status.frame['acknowledged'].sum():,}"),
    ]
    asks = status.asks
    if asks:
        figures.append(html.figure("Waiting for you", f"{len(asks):,}", colour=html.AMBER))
    return html.card(
        html.title("Status", "syncs", f"{status.now:%Y-%m-%d %H:%M} UTC"),
        html.figures(figures),
        html.table(status.frame.select(SHOWN)),
        "".join(_asks(where, each) for where, each in asks),
        html.text(status.next),
    )


def _asks(where: str, each: Waiting) -> str:
    how = f"<br><code>{html.text(each.how)}</code>" if each.how else ""
    return html.notice(f"<b>{html.text(each.what)}</b> {html.text(where)}: {html.text(each.said)}{how}", html.AMBER)
