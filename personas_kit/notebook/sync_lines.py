"""What the cards of plans and of pushes are made of: a block for each destination, a line for each call in it.

A line wraps where it is narrow: the call, the figures, and what is to be known of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Protocol, TypeVar

from personas_kit.activation.sync import Sync
from personas_kit.notebook import html

LARGE = "font-size:20px;font-weight:700"


class Placed(Protocol):
    """What is about one sync."""

    @property
    def sync(self) -> Sync:
        """Which."""


_Part = TypeVar("_Part", bound=Placed)


def blocks(parts: Sequence[_Part], head: Callable[[_Part], str], line: Callable[[_Part], str]) -> str:
    """Every destination with a head of its own, and the lines of its calls below.

    Args:
        parts: of one plan, those of a destination one after the other.
        head: HTML of what is the same for the calls of a destination, beside its name.
        line: HTML of a call.
    """
    made: list[str] = []
    for (name, place), group in groupby(parts, key=lambda part: (part.sync.destination, part.sync.place)):
        own = list(group)
        where = f"<b>{html.text(name)}</b>" + (f" · {html.text(place)}" if place else "")
        top = f"{where} {faint(head(own[0]))}"
        gap = "margin-top:8px;" if made else ""
        made.append(f'<div style="{gap}overflow-wrap:break-word">{top}{"".join(map(line, own))}</div>')
    return "".join(made)


def plain_blocks(parts: Sequence[_Part], line: Callable[[_Part], str]) -> str:
    """As ``blocks``, with nothing beside the names."""
    return blocks(parts, lambda _: "", line)


def call_line(call: str, figures: Iterable[str], words: Iterable[str]) -> str:
    """A call with its figures, and with what is to be known of them; ``words`` are plain text."""
    said = "".join(f"<div>{html.text(each)}</div>" for each in words if each)
    return (
        '<div style="display:flex;flex-wrap:wrap;align-items:baseline;gap:0 16px;padding:2px 0">'
        f'<div style="min-width:64px">{html.text(call)}</div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:0 16px;min-width:210px">{"".join(figures)}</div>'
        f'<div style="flex:1;min-width:220px;{html.FAINT};font-size:12px">{said}</div></div>'
    )


def count(number: int, word: str, colour: str = "", sign: str = "") -> str:
    """A large figure with its word; nothing is faint, and never in a colour."""
    if not number:
        return f'<span style="{html.FAINT};white-space:nowrap"><span style="font-size:20px">0</span> {word}</span>'
    paint = f";color:{colour}" if colour else ""
    figure = f'<span style="{LARGE}{paint}">{sign}{number:,}</span>'
    return f'<span style="white-space:nowrap">{figure} {word}</span>'


def faint(body: str) -> str:
    """Small print; ``body`` is HTML."""
    return f'<span style="{html.FAINT};font-size:12px">{body}</span>' if body else ""
