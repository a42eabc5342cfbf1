"""Small pieces of HTML that a notebook's sanitizer leaves alone. Text is escaped here and nowhere else."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterable, Sequence
from typing import Literal

import polars as pl

from personas_kit.masking import mask_text, visible

LINE = "1px solid rgba(128,128,128,.3)"
FAINT = "opacity:.65"
MINUS = "\N{MINUS SIGN}"
TRACK = "rgba(128,128,128,.2)"
LINES = 60
"""So many lines of numbers are on a card."""
SMALL = 0.1
"""Shares below this one have a digit more."""
GREEN, RED, AMBER, BLUE = "#2b8a3e", "#cf5340", "#b5671d", "#4a90d9"
"""The first three are words as well: one colour for white and for black ground has a contrast of 4.35 at the most."""


def text(value: object) -> str:
    """Anything as text that can stand between tags: escaped, with characters that hide or turn text made visible."""
    return html.escape(visible(str(value)), quote=True)


def card(*sections: str) -> str:
    """A framed card of sections, one below the other."""
    body = "".join(
        f'<div style="padding:12px 16px;border-top:{LINE if at else "0"}">{part}</div>'
        for at, part in enumerate(sections)
        if part
    )
    return (
        f'<div style="border:{LINE};border-radius:6px;max-width:960px;font-family:system-ui,sans-serif;'
        f'font-size:13px;line-height:1.45;margin:4px 0">{body}</div>'
    )


def title(name: str, badge: str, right: str) -> str:
    """The head of a card: a name, a badge for the kind, and small print on the right."""
    pill = f"border:{LINE};border-radius:9px;padding:1px 8px;font-size:11px;{FAINT}"
    return (
        '<div style="display:flex;justify-content:space-between;gap:16px;flex-wrap:wrap">'
        f'<div style="min-width:0;overflow-wrap:break-word">'
        f'<span style="font-weight:600;font-size:15px">{text(name)}</span> '
        f'<span style="{pill}">{text(badge)}</span></div>'
        f'<div style="{FAINT};font-size:12px">{text(right)}</div></div>'
    )


def figure(label: str, number: str, below: str = "", colour: str = "") -> str:
    """A labelled number; a coloured one is a change, the largest thing on a card."""
    return _figure(label, number, f"color:{colour};font-size:28px" if colour else "font-size:22px", below)


def change(label: str, count: int, way: Literal["enter", "exit"], below: str = "") -> str:
    """How many enter or leave, as a figure: large and coloured; faint if nobody does."""
    colour = f"color:{GREEN if way == 'enter' else RED}" if count else FAINT
    return _figure(label, signed(count, way), f"{colour};font-size:28px", below)


def signed(count: int, way: Literal["enter", "exit"]) -> str:
    """``+3`` for who enters, ``−3`` for who leaves, ``0`` for nobody."""  # noqa: RUF002  (a minus sign)
    return f"{'+' if way == 'enter' else MINUS}{count:,}" if count else "0"


def _figure(label: str, number: str, style: str, below: str) -> str:
    return (
        f'<div style="min-width:110px"><div style="{FAINT};font-size:12px">{text(label)}</div>'
        f'<div style="{style};font-weight:600;line-height:1.3">{text(number)}</div>'
        f'<div style="{FAINT};font-size:12px">{text(below)}</div></div>'
    )


def figures(parts: Iterable[str]) -> str:
    """Figures side by side, wrapping where it is narrow."""
    return f'<div style="display:flex;gap:12px 28px;flex-wrap:wrap">{"".join(parts)}</div>'


def details(summary: str, faint: str, body: str, *, opened: bool = False) -> str:
    """Something to unfold."""
    state = " open" if opened else ""
    return (
        f'<details{state}><summary style="cursor:pointer"><b>{text(summary)}</b> '
        f'<span style="{FAINT}">{text(faint)}</span></summary><div style="margin-top:8px">{body}</div></details>'
    )


def table(frame: pl.DataFrame) -> str:
    """A frame as a table; numbers to the right, missing values as a dash, addresses masked."""
    numeric = {name for name, dtype in frame.schema.items() if dtype.is_numeric()}
    heads = "".join(_cell("th", name, right=name in numeric) for name in frame.columns)
    rows = "".join(
        f"<tr>{''.join(_value(value, right=name in numeric) for name, value in row.items())}</tr>"
        for row in frame.iter_rows(named=True)
    )
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:12px">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def numbers(frame: pl.DataFrame, *, last: bool = False) -> str:
    """What a chart was made of, to unfold: the first lines, or the last, since the whole may be long."""
    some = frame.tail(LINES) if last else frame.head(LINES)
    part = f"the {'last' if last else 'first'} {LINES} of " if some.height < frame.height else ""
    return details("Numbers", part + several(frame.height, "line"), table(some))


def share_bars(lines: Sequence[tuple[str, float, int, float | None]], *, whole: float = 1.0) -> str:
    """Shares as bars in lines below each other: name, bar, percent, count, each in its column.

    Args:
        lines: the name, the share (0 to 1), how many that is, and the share of everybody, which is a tick in the bar.
        whole: the share that fills a bar; larger ones fill it, too.
    """
    head = "width:28%;overflow-wrap:break-word;min-width:0"
    made = "".join(
        share_line(f'<div style="{head}">{text(mask_text(name))}</div>', share, count, usual, whole)
        for name, share, count, usual in lines
    )
    return f'<div style="font-size:12px">{made}</div>'


def share_line(head: str, share: float, count: int, usual: float | None = None, whole: float = 1.0) -> str:
    """One line of ``share_bars``, whose name is HTML."""
    cell = "text-align:right;white-space:nowrap"
    return (
        f'<div style="display:flex;align-items:center;gap:8px;margin:3px 0">{head}'
        f'<div title="{text(_share_words(share, usual))}" style="flex:1;min-width:40px;position:relative;height:12px;'
        f'border-radius:2px;background:{TRACK}">{_filled(share / whole)}{_tick(usual, whole)}</div>'
        f'<div style="width:44px;{cell}">{share:.{0 if share >= SMALL or not share else 1}%}</div>'
        f'<div style="width:64px;{cell};{FAINT}">{count:,}</div></div>'
    )


def _filled(part: float) -> str:
    """The part of a bar that is full; a sliver at least, if it is anything at all."""
    wide = f"width:{min(100 * part, 100):.4g}%;min-width:{1 if part > 0 else 0}px"
    return f'<div style="{wide};height:12px;border-radius:2px;background:{BLUE}"></div>'


def _tick(usual: float | None, whole: float) -> str:
    if usual is None:
        return ""
    left = f"left:{min(100 * usual / whole, 100):.4g}%"
    return f'<div style="position:absolute;{left};top:-2px;width:2px;height:16px;background:#888"></div>'


def _share_words(share: float, usual: float | None) -> str:
    return f"{share:.1%}" if usual is None else f"{share:.1%}; of everybody {usual:.1%}"


def code(body: str) -> str:
    """A block of code, as it is."""
    style = f"white-space:pre;overflow-x:auto;font-size:12px;margin:0;padding:8px;border:{LINE};border-radius:4px"
    return f'<pre style="{style}">{text(body)}</pre>'


def notice(words: str, colour: str) -> str:
    """A line that must not be missed."""
    return f'<div style="border-left:3px solid {colour};padding:4px 10px;margin:2px 0">{words}</div>'


def several(count: int, what: str) -> str:
    """``1 line``, ``2 lines``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def number(value: float) -> str:
    """A number the way people read it."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _value(value: object, *, right: bool) -> str:
    return _cell("td", mask_text(shown(value)), right=right)


def _cell(tag: str, value: object, *, right: bool) -> str:
    align, weight = "right" if right else "left", "600" if tag == "th" else "400"
    style = f"text-align:{align};font-weight:{weight};padding:3px 10px;border-bottom:{LINE};white-space:nowrap"
    return f'<{tag} style="{style}">{text(value)}</{tag}>'


def shown(value: object) -> str:
    """A value the way people read it; a dash for a missing one."""
    if value is None:
        return "–"  # noqa: RUF001  (a dash)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(part) for part in value)
    return f"{value:,}" if isinstance(value, int) else str(value)
