"""The card of an explanation: the definition as a tree, with what is true of the member and why.

Colour is where a part decides: of what has to hold together, what does not hold; of what may hold, what does. Signs say
the same without colour.
"""

from __future__ import annotations

from personas_kit.display import renders
from personas_kit.insight.explanation import Evidence, Explanation, Reason, mark, shown
from personas_kit.notebook import html

_COLOURS = {True: html.GREEN, False: html.RED, None: html.BLUE}
_WORDS = {True: "holds", False: "does not hold", None: "a value"}
_WRAPPED = "overflow-wrap:break-word;min-width:0"


@renders("Explanation")
def explanation_card(explanation: Explanation) -> str:
    """The HTML of an explanation, personal data masked."""
    badge, reason = explanation.definition.kind.replace("_", " "), explanation.reason
    head = html.title(explanation.definition.name, badge, f"as of {explanation.as_of:%Y-%m-%d %H:%M} UTC")
    outlook = explanation.outlook()
    when = f'<div style="{html.FAINT};margin-top:2px">{html.text(outlook)}</div>' if outlook else ""
    return html.card(head, _verdict(explanation) + when, _part(reason, decides=True))


def _verdict(explanation: Explanation) -> str:
    """In or out, large; of a trait the value."""
    reason, words = explanation.reason, explanation.verdict()
    sign = f'<span style="font-size:24px;font-weight:600;{_ink(reason, decides=True)}">{mark(reason.holds)}</span>'
    if reason.holds is None:
        sign, words = "", " is ".join([words, *(shown(*each) for each in reason.values)])
    said = f'<span style="font-size:18px;font-weight:600;{_WRAPPED}">{html.text(words)}</span>'
    return f'<div style="display:flex;gap:10px;align-items:center">{sign}{said}</div>'


def _part(reason: Reason, *, decides: bool) -> str:
    """A part, what is behind it, and its own parts below."""
    sign = (
        f'<span title="{_WORDS[reason.holds]}" style="width:16px;font-weight:600;{_ink(reason, decides=decides)}">'
        f"{mark(reason.holds)}</span>"
    )
    values = f'<div style="margin-top:2px">{_values(reason)}</div>' if reason.values else ""
    evidence = "".join(map(_evidence, reason.evidence))
    parts = "".join(_part(part, decides=decides and _decides(part, reason)) for part in reason.parts)
    line = f"border-left:2px solid {_COLOURS[reason.holds] if decides else 'rgba(128,128,128,.3)'}"
    below = f'<div style="margin:4px 0 4px 7px;padding-left:15px;{line}">{values}{evidence}{parts}</div>'
    return (
        f'<div style="margin:6px 0"><div style="display:flex;gap:4px">{sign}'
        f'<div style="{_WRAPPED}">{_headline(reason)}</div></div>{below}</div>'
    )


def _headline(reason: Reason) -> str:
    called = f"<b>{html.text(reason.called)}</b>: " if reason.called else ""
    if not reason.how:
        return f'{called}<code style="background:rgba(0,0,0,0)">{html.text(reason.said)}</code>'
    hold = sum(bool(part.holds) for part in reason.parts)
    many = f' <span style="{html.FAINT}">{hold} of {len(reason.parts)} hold</span>' if len(reason.parts) > 1 else ""
    return f"{called}{html.text(reason.how)}{many}"


def _values(reason: Reason) -> str:
    """What is compared, and what is missing to it."""
    alone = len(reason.values) == 1
    said = "".join(
        f"<div>{'it' if alone else f'<code>{html.text(name)}</code>'} is <b>{html.text(shown(name, value))}</b></div>"
        for name, value in reason.values
    )
    needed = f"{reason.missing:,} more {'is' if reason.missing == 1 else 'are'} needed"
    return said + (f'<div style="color:{html.AMBER};font-weight:600">{needed}</div>' if reason.missing else "")


def _evidence(evidence: Evidence) -> str:
    """How many there are of a kind, and which are at the edges."""
    listed = evidence.listed() if evidence.shown else ""
    until = f"; the first leaves the window at {html.shown(evidence.until)}" if evidence.until else ""
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:2px 12px;font-size:12px;margin-top:2px">'
        f'<span style="min-width:150px">{html.text(evidence.said())}</span>'
        f'<span style="{html.FAINT};{_WRAPPED}">{html.text(listed + until)}</span></div>'
    )


def _decides(part: Reason, whole: Reason) -> bool:
    """Whether the whole is what it is because of this part. Below a ``not`` a sign means the opposite: no colour."""
    return whole.how != "not" and (whole.how not in {"all of", "at least one of"} or part.holds == whole.holds)


def _ink(reason: Reason, *, decides: bool) -> str:
    return f"color:{_COLOURS[reason.holds]}" if decides else html.FAINT
