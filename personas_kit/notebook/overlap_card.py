"""The card of an overlap: every audience beside every other, and the combinations that somebody is in."""

from __future__ import annotations

from personas_kit.display import renders
from personas_kit.insight.overlap import Overlap
from personas_kit.notebook import html

SHOWN = 10
"""So many combinations; the others are in the table."""
_SHADE = "rgba(74,144,217,{:.2f})"
_DEEPEST = 0.55
"""The shade of a cell in which everybody is; text stays readable on it."""
_CELL = f"padding:4px 8px;border:{html.LINE};white-space:nowrap;font-weight:400"


@renders("Overlap")
def overlap_card(overlap: Overlap) -> str:
    """The HTML of an overlap: largest audience first, each with the number that its column bears."""
    keys = sorted((each.key for each in overlap.definitions), key=overlap.both, reverse=True)
    subjects = f"{overlap.definitions[0].subject}s"
    whole = overlap.in_any
    figures = html.figures(
        [
            html.figure("In at least one", f"{whole:,}", subjects),
            html.figure("In all", f"{overlap.in_all:,}", f"{overlap.in_all / whole:.1%}" if whole else ""),
        ]
    )
    return html.card(
        html.title(f"{len(keys)} audiences", "overlap", f"as of {html.shown(overlap.as_of)} UTC"),
        figures,
        _heading("In both", "share of the audience of the line") + _matrix(overlap, keys),
        _heading("Only in these", f"share of the {whole:,} who are in any") + _combinations(overlap, keys),
        html.numbers(overlap.frame),
    )


def _matrix(overlap: Overlap, keys: list[str]) -> str:
    """A line and a column for each audience: how many are in both, the darker the more of the line's."""
    style = f"text-align:right;{_CELL};{html.FAINT}"
    heads = "".join(f'<th title="{html.text(key)}" style="{style}">{at}</th>' for at, key in enumerate(keys, 1))
    lines = "".join(
        f"<tr>{_named(at, one)}{''.join(_cell(overlap, one, other) for other in keys)}</tr>"
        for at, one in enumerate(keys, 1)
    )
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:12px;margin:0">'
        f'<thead><tr><th style="{_CELL}"></th>{heads}</tr></thead><tbody>{lines}</tbody></table></div>'
    )


def _named(at: int, key: str) -> str:
    """The head of a line: the number and the key, which may be long."""
    name = f'<div style="max-width:140px;min-width:0;overflow-wrap:break-word">{html.text(key)}</div>'
    return (
        f'<th style="text-align:left;{_CELL};white-space:normal">'
        f'<div style="display:flex;align-items:flex-start">{_numbered(at)}{name}</div></th>'
    )


def _cell(overlap: Overlap, one: str, other: str) -> str:
    size, both = overlap.both(one), overlap.both(one, other)
    if one == other:
        return f'<td style="text-align:right;{_CELL}"><b>{size:,}</b></td>'
    if not both:
        return f'<td style="text-align:right;{_CELL};{html.FAINT}">0</td>'
    share = both / size
    shade = f"background:{_SHADE.format(_DEEPEST * share)}"
    said = html.text(f"{both:,} of {one} are also in {other}, {share:.1%}")
    return f'<td title="{said}" style="text-align:right;{_CELL};{shade}">{both:,}<div>{share:.0%}</div></td>'


def _combinations(overlap: Overlap, keys: list[str]) -> str:
    """Who is in exactly these audiences: the numbers of those are full, the others empty."""
    whole = overlap.in_any
    if not whole:
        return f'<div style="{html.FAINT}">Nobody is in any of them.</div>'
    lines = "".join(
        _combination(keys, [bool(line[key]) for key in keys], line["members"], whole)
        for line in overlap.frame.head(SHOWN).iter_rows(named=True)
    )
    more = overlap.frame.height - SHOWN
    rest = f'<div style="{html.FAINT}">and {more:,} more</div>' if more > 0 else ""
    return f'<div style="font-size:12px">{lines}{rest}</div>'


def _combination(keys: list[str], held: list[bool], members: int, whole: int) -> str:
    chips = "".join(_numbered(at, full=full) for at, full in enumerate(held, 1))
    named = " and ".join(key for key, full in zip(keys, held, strict=True) if full)
    head = f'<div title="{html.text(f"only in {named}")}" style="max-width:45%">{chips}</div>'
    return html.share_line(head, members / whole, members)


def _numbered(at: int, *, full: bool = True) -> str:
    """The number of an audience: on a dark ground if its members are meant, on none if not."""
    look = (
        f"background:{html.BLUE};color:#111;border:1px solid {html.BLUE}"
        if full
        else f"border:{html.LINE};{html.FAINT}"
    )
    style = "display:inline-block;min-width:18px;text-align:center;border-radius:9px;font-size:11px;margin-right:3px"
    return f'<span style="{style};{look}">{at}</span>'


def _heading(words: str, faint: str) -> str:
    return (
        f'<div style="margin-bottom:6px"><b>{html.text(words)}</b> '
        f'<span style="{html.FAINT}">\N{EM DASH} {html.text(faint)}</span></div>'
    )
