"""The card of an explanation: the definition as a tree, with what is true of the member and why."""

from __future__ import annotations

from personas_kit.display import renders
from personas_kit.insight.explanation import Explanation, Reason, mark
from personas_kit.notebook import html

_COLOURS = {True: html.GREEN, False: html.RED, None: html.BLUE}


@renders("Explanation")
def explanation_card(explanation: Explanation) -> str:
    """The HTML of an explanation, personal data masked."""
    badge = explanation.definition.kind.replace("_", " ")
    head = html.title(explanation.verdict(), badge, f"as of {explanation.as_of:%Y-%m-%d %H:%M} UTC")
    return html.card(head, _part(explanation.reason))


def _part(reason: Reason) -> str:
    """A part, what is behind it, and its own parts below."""
    sign = f'<b style="color:{_COLOURS[reason.holds]}">{mark(reason.holds)}</b>'
    called = f"<b>{html.text(reason.called)}</b>: " if reason.called else ""
    said = html.text(reason.how) if reason.how else f"<code>{html.text(reason.said)}</code>"
    lines = "".join(
        f'<div style="{html.FAINT};font-size:12px;margin-left:20px">{html.text(line)}</div>' for line in reason.lines()
    )
    parts = "".join(map(_part, reason.parts))
    below = f'<div style="margin-left:22px">{parts}</div>' if parts else ""
    return f'<div style="margin:3px 0"><div>{sign} {called}{said}</div>{lines}{below}</div>'
