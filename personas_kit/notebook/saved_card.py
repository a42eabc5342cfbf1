"""The card of what was saved: each block where it stands now, and how to review it."""

from __future__ import annotations

from personas_kit.display import renders
from personas_kit.notebook import html
from personas_kit.saving import Saved


@renders("Saved")
def saved_card(saved: Saved) -> str:
    """The HTML of what ``ws.save`` wrote."""
    blocks = [
        f"<div><b>{html.text(block.key)}</b> {html.text(block.wrote)} in <code>{html.text(block.file)}</code></div>"
        + html.code(block.text)
        for block in saved.blocks
    ]
    review = "<br>".join(f"<code>{html.text(line)}</code>" for line in saved.review)
    return html.card(
        html.title("Saved", "for review", ""),
        *blocks,
        f"<div>Look at it, then propose it:</div>{review}" if review else "",
    )
