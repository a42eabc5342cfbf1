"""The card of several previews: definitions side by side, what they share, and each to unfold."""

from __future__ import annotations

from personas_kit.display import renders
from personas_kit.notebook import html
from personas_kit.notebook.preview_card import counts, preview_card, trend_figure
from personas_kit.preview import Preview, Previews

_SHARED = f"padding:4px 12px;border-bottom:{html.LINE};white-space:nowrap"
_NUMBER = f"{_SHARED};text-align:right"
LARGE = "font-size:17px;font-weight:600;line-height:1.3"


@renders("Previews")
def previews_card(previews: Previews) -> str:
    """The HTML; of one definition its own card."""
    cards = previews.cards
    if len(cards) == 1:
        return preview_card(cards[0])
    if not cards:
        return html.card("No definitions.")
    as_of = f"{cards[0].warehouse} · as of {cards[0].as_of:%Y-%m-%d %H:%M} UTC"
    return html.card(
        html.title(f"{len(cards)} definitions", "compared", as_of),
        *map(_line, cards),
        _shared(previews),
        *(html.details(card.definition.name, _faint(card), preview_card(card)) for card in cards),
    )


def _line(card: Preview) -> str:
    """One definition; its parts stand below each other where it is narrow."""
    definition, trend = card.definition, card.facets.trend
    users = f"members, {card.users:,} users" if card.users is not None else "members"
    parts = (
        (
            "flex:2;min-width:170px;overflow-wrap:break-word",
            html.text(definition.name),
            definition.kind.replace("_", " "),
        ),
        ("width:110px", f"{card.size:,}", users if definition.is_audience else "with a value"),
        ("width:130px", f"{card.share:.1%}", f"of {card.population:,} {definition.subject}s"),
    )
    made = "".join(
        f'<div style="{style}"><div style="{LARGE}">{large}</div>'
        f'<div style="{html.FAINT};font-size:12px">{html.text(small)}</div></div>'
        for style, large, small in parts
    )
    changes = f'<div style="flex:2;min-width:210px">{_changes(card)}</div>'
    line = trend_figure(trend) if trend else '<div style="flex:1;min-width:180px;max-width:240px"></div>'
    return f'<div style="display:flex;flex-wrap:wrap;gap:6px 16px">{made}{changes}{line}</div>'


def _changes(card: Preview) -> str:
    if not card.changes:
        return f'<span style="{html.FAINT}">no sync yet</span>'
    return "".join(
        f'<div>{counts(each)} <span style="{html.FAINT};font-size:12px">'
        f"{html.text(f'{each.sync.destination} {each.sync.call}')}{', first push' if each.first else ''}</span></div>"
        for each in card.changes
    )


def _shared(previews: Previews) -> str:
    """Of each audience the share that is in each other one, too."""
    cards = [card for card in previews.cards if card.definition.is_audience]
    if len(cards) < 2:  # noqa: PLR2004
        return ""
    tops = "".join(f'<th style="{_NUMBER};font-weight:400">{html.text(card.definition.key)}</th>' for card in cards)
    lines = "".join(
        f'<tr><td style="{_SHARED};text-align:left">{html.text(one.definition.key)}</td>'
        f"{''.join(_both(previews, one, other) for other in cards)}</tr>"
        for one in cards
    )
    mixed = len({card.definition.subject for card in cards}) > 1
    of = "; where one is of accounts, of their users" if mixed else ""
    return (
        f'<div style="margin-bottom:4px"><b>Overlap</b> <span style="{html.FAINT}">share of the members on the left '
        f'that are also in{of}</span></div><div style="overflow-x:auto"><table style="border-collapse:collapse;'
        f'font-size:12px"><thead><tr><th style="{_SHARED}"></th>{tops}</tr></thead><tbody>{lines}</tbody></table></div>'
    )


def _both(previews: Previews, one: Preview, other: Preview) -> str:
    if one is other:
        return f'<td style="{_NUMBER};{html.FAINT}">·</td>'
    found = previews.shared_by(one.definition.key, other.definition.key)
    if found is None:
        return f'<td style="{_NUMBER};{html.FAINT}">{html.shown(None)}</td>'
    count, share = found
    ground = f"background:rgba(74,144,217,{0.45 * min(1.0, share):.2f})"
    return f'<td style="{_NUMBER};{ground}">{share:.0%} <span style="{html.FAINT}">{count:,}</span></td>'


def _faint(card: Preview) -> str:
    return f"{card.size:,} of {card.population:,} {card.definition.subject}s"
