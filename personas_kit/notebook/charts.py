"""Charts that need no script: an image in the page itself, with what it says as text beside it and for who cannot see.

The images hold shapes only. Numbers and dates stand around them as HTML, so that they keep their size in a narrow cell.
Colours are such that they can be told from white and from black.
"""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from personas_kit.notebook import html

GREY = "#888"
SIDE = 1000
"""A chart's image is so many units wide and high, and is stretched to the place that there is."""
EDGE = 4
"""Units around a small line, so that its dot is whole."""
GUTTER = 46
"""Pixels for the numbers of the axis: the same for every chart, so that charts below each other line up."""
DATES = 4
"""Dates below a chart."""
FEW = 11
"""So few places make a difference of one seen."""
NAMED = 8
"""So many bins all have their numbers below them."""
_SMALL = 11
_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_COMPACT = 10_000


@dataclass(frozen=True, slots=True)
class Series:
    """Values of a chart, one for each instant; None where there is none.

    Attributes:
        name: what they are, for the legend and for what is said of each.
        kind: an ``area`` and ``bars`` begin at 0, bars of negative values go down; a ``line`` may leave 0 out.
    """

    name: str
    values: Sequence[float | None]
    colour: str
    kind: Literal["area", "line", "bars"] = "line"


def line(
    points: Sequence[tuple[dt.datetime, float]],
    *,
    colour: str,
    words: str,
    width: int = 220,
    height: int = 44,
    mark: dt.datetime | None = None,
) -> str:
    """A small line from the smallest value to the largest, with a dot at the last.

    Args:
        points: instants and values, in any order; a value that is no number is left out.
        colour: one of ``html``'s.
        words: what the line says, for who cannot see it; without any point that is all there is.
        width: pixels, and it is narrower where there is less place.
        height: pixels, at that width.
        mark: an instant to mark with a dashed line, if it is within the points.
    """
    known = sorted((at, value) for at, value in points if math.isfinite(value))
    if not known:
        return f'<span style="{html.FAINT}">{html.text(words)}</span>'
    first, last = known[0][0], known[-1][0]
    low, high = min(value for _, value in known), max(value for _, value in known)
    xs = [EDGE + (width - 2 * EDGE) * _part(at, first, last) for at, _ in known]
    ys = [height - EDGE - (height - 2 * EDGE) * _share(value, low, high) for _, value in known]
    path = _path(xs, ys)
    shapes = [
        f'<path d="{path}L{_n(xs[-1])} {height}L{_n(xs[0])} {height}Z" fill="{colour}" fill-opacity=".16"/>',
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round"/>',
        f'<circle cx="{_n(xs[-1])}" cy="{_n(ys[-1])}" r="3" fill="{colour}"/>',
    ]
    if mark is not None and first <= mark <= last:
        x = _n(EDGE + (width - 2 * EDGE) * _part(mark, first, last))
        shapes.insert(0, f'<path d="M{x} 0V{height}" stroke="{GREY}" stroke-dasharray="2 2"/>')
    return _image(shapes, f"0 0 {width} {height}", words, f"width:100%;max-width:{width}px")


def chart(
    at: Sequence[dt.datetime],
    series: Sequence[Series],
    *,
    words: str,
    height: int = 140,
    mark: dt.datetime | None = None,
) -> str:
    """Values over time with an axis, dates, a legend if there are several, and each value where the mouse is.

    Args:
        at: instants (UTC), from the first to the last.
        series: what there is at each of them.
        words: what the chart says, for who cannot see it.
        height: pixels, without the dates.
        mark: an instant to mark with a dashed line.
    """
    if not at:
        return f'<div style="{html.FAINT}">{html.text(words)}</div>'
    middles, half = _places(at)
    axis = _axis(series)
    shapes = [_grid(_down(tick, axis), strong=tick == 0) for tick in axis]
    for one in series:
        shapes += _drawn(one, middles, half, axis)
    if mark is not None and at[0] <= mark <= at[-1]:
        x = _n(SIDE * (middles[0] + (middles[-1] - middles[0]) * _part(mark, at[0], at[-1])))
        shapes.append(f'<path d="M{x} 0V{SIDE}" stroke="{GREY}" stroke-dasharray="3 3" {_STEADY}/>')
    said = [
        f"{html.shown(when)}: " + ", ".join(f"{one.name} {_said(one.values[place])}" for one in series)
        for place, when in enumerate(at)
    ]
    legend = _legend(series) if len(series) > 1 else ""
    return legend + _framed(shapes, axis, zip(said, _widths(middles), strict=True), words, height) + _dates(at, middles)


def histogram(bins: Sequence[tuple[str, int]], *, colour: str, words: str, height: int = 90) -> str:
    """How many there are in each bin: bars from 0, with the names below them, and the numbers if there are few.

    Args:
        bins: the names of the bins in their order, and how many are in each.
        colour: one of ``html``'s.
        words: what the chart says, for who cannot see it.
        height: pixels, without the names.
    """
    if not bins:
        return f'<div style="{html.FAINT}">{html.text(words)}</div>'
    axis = ticks(0, max(count for _, count in bins), whole=True)
    wide = SIDE / len(bins)
    shapes = [_grid(_down(tick, axis), strong=tick == 0) for tick in axis]
    bars = [(wide * (place + 0.5), count) for place, (_, count) in enumerate(bins)]
    shapes += _bars(bars, wide, axis, colour)
    said = [(f"{name}: {count:,}", 1.0) for name, count in bins]
    return _framed(shapes, axis, said, words, height) + _names(bins)


def ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Round numbers from ``low`` or below to ``high`` or above, a few of them; ``whole`` numbers only, if asked."""
    low, high = (low, high) if low < high else (min(low, 0), max(high, 0))
    if low == high:
        return [0, 1]
    rough = (high - low) / 3
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * by for by in (1, 2, 5, 10) if unit * by >= rough * 0.75)
    step = max(1, step) if whole else step
    return [step * at for at in range(math.floor(low / step), math.ceil(high / step) + 1)]


def short(value: float) -> str:
    """A number of an axis: ``1,200``, ``12k``, ``1.5M``."""
    size = abs(value)
    if size >= _COMPACT:
        unit, letter = next((unit, letter) for unit, letter in _UNITS if size >= unit)
        return _minus(f"{value / unit:,.10g}{letter}")
    return _minus(f"{value:,.4g}" if size < 1 else f"{value:,.10g}")


# ----------------------------------------------------------------------------------------------------------- the shapes

_STEADY = 'vector-effect="non-scaling-stroke"'


def _drawn(series: Series, middles: Sequence[float], half: float, axis: Sequence[float]) -> list[str]:
    """The shapes of a series."""
    known = [
        (middle, value)
        for middle, value in zip(middles, series.values, strict=True)
        if value is not None and math.isfinite(value)
    ]
    if not known:
        return []
    if series.kind == "bars":
        wide = SIDE * 2 * half
        return _bars([(SIDE * middle, value) for middle, value in known], wide, axis, series.colour)
    xs = [SIDE * middle for middle, _ in known]
    ys = [_down(value, axis) for _, value in known]
    path = _path(xs, ys)
    ink = f'stroke="{series.colour}" {_STEADY}'
    # A dot that stays round however the image is stretched: a line of no length with round ends.
    shapes = [
        f'<path d="{path}" fill="none" {ink} stroke-width="2" stroke-linejoin="round"/>',
        f'<path d="M{_n(xs[-1])} {_n(ys[-1])}h.01" {ink} stroke-width="7" stroke-linecap="round"/>',
    ]
    if series.kind == "area":
        floor = _n(_down(0, axis))
        area = f"{path}L{_n(xs[-1])} {floor}L{_n(xs[0])} {floor}Z"
        shapes.insert(0, f'<path d="{area}" fill="{series.colour}" fill-opacity=".16"/>')
    return shapes


def _bars(bars: Iterable[tuple[float, float]], wide: float, axis: Sequence[float], colour: str) -> list[str]:
    """Bars from 0 to a value, around their middles, with a little between them; one shape, since there may be many."""
    zero, half = _n(_down(0, axis)), wide * 0.42
    made = "".join(
        f"M{_n(middle - half)} {zero}V{_n(_down(value, axis))}H{_n(middle + half)}V{zero}Z"
        for middle, value in bars
        if value
    )
    return [f'<path d="{made}" fill="{colour}"/>'] if made else []


def _grid(y: float, *, strong: bool) -> str:
    return f'<path d="M0 {_n(y)}H{SIDE}" stroke="{GREY}" stroke-opacity="{".8" if strong else ".25"}" {_STEADY}/>'


def _path(xs: Sequence[float], ys: Sequence[float]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in zip(xs, ys, strict=True))


def _image(shapes: Iterable[str], box: str, words: str, style: str, fit: str = "") -> str:
    made = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"{fit}>{"".join(shapes)}</svg>'
    data = base64.b64encode(made.encode()).decode()
    said = html.text(words)
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{said}" title="{said}" style="{style}">'


# --------------------------------------------------------------------------------------------------- what stands around


def _framed(
    shapes: Sequence[str], axis: Sequence[float], said: Iterable[tuple[str, float]], words: str, height: int
) -> str:
    """The image with the numbers of the axis to its left, and over it what each place says when the mouse is there."""
    whole, box = f"width:100%;height:{height}px", f"0 0 {SIDE} {SIDE}"
    image = _image(shapes, box, words, f"{whole};display:block", ' preserveAspectRatio="none"')
    numbers = "".join(
        f'<div style="position:absolute;right:8px;top:{_n(height * _down(tick, axis) / SIDE - 8)}px;'
        f'font-size:{_SMALL}px;line-height:16px;{html.FAINT}">{short(tick)}</div>'
        for tick in axis
    )
    places = "".join(f'<div title="{html.text(each)}" style="flex:{_n(wide)}"></div>' for each, wide in said)
    return (
        '<div style="display:flex;margin-top:8px">'
        f'<div style="position:relative;width:{GUTTER}px;height:{height}px">{numbers}</div>'
        f'<div style="position:relative;flex:1;min-width:0">{image}'
        f'<div style="position:absolute;left:0;top:0;{whole};display:flex">{places}</div></div></div>'
    )


def _dates(at: Sequence[dt.datetime], middles: Sequence[float]) -> str:
    """Some dates below a chart, each under its place; with the time if the instants are not midnights."""
    pattern = "%Y-%m-%d" if all(each.time() == dt.time() for each in at) else "%Y-%m-%d %H:%M"
    chosen = _spread(len(at), DATES if len(pattern) < len("%Y-%m-%d %H") else DATES - 1)
    words = [(100 * middles[place], f"{at[place]:{pattern}}") for place in chosen]
    return _below([_label(left, said, place, len(words)) for place, (left, said) in enumerate(words)])


def _spread(many: int, most: int) -> list[int]:
    """Places among so many, from the first to the last and about equally far apart: exactly, where they are few."""
    last = many - 1
    parts = next((parts for parts in range(most - 1, 1, -1) if last % parts == 0 or last >= FEW), 1)
    return sorted({round(part * last / parts) for part in range(parts + 1)})


def _label(left: float, said: str, place: int, of: int) -> str:
    """A word under its place: the first and the last do not stand out, the others are centred."""
    style = f"position:absolute;font-size:{_SMALL}px;white-space:nowrap;{html.FAINT}"
    if place == 0 and of > 1:
        return f'<div style="{style};left:0">{html.text(said)}</div>'
    if place == of - 1 and of > 1:
        return f'<div style="{style};right:0">{html.text(said)}</div>'
    return (
        f'<div style="{style};left:{_n(left)}%;width:110px;margin-left:-55px;text-align:center">{html.text(said)}</div>'
    )


def _below(labels: Iterable[str]) -> str:
    return (
        f'<div style="display:flex;margin-top:2px"><div style="width:{GUTTER}px"></div>'
        f'<div style="position:relative;flex:1;min-width:0;height:16px">{"".join(labels)}</div></div>'
    )


def _names(bins: Sequence[tuple[str, int]]) -> str:
    """The names of bins: all of them with their numbers, or some."""
    if len(bins) > NAMED:
        chosen = (0, len(bins) // 2, len(bins) - 1)
        return _below(
            _label(100 * (place + 0.5) / len(bins), bins[place][0], at, len(chosen)) for at, place in enumerate(chosen)
        )
    cells = "".join(
        f'<div style="flex:1;min-width:0;text-align:center;overflow-wrap:break-word;line-height:1.3">'
        f'<div style="font-weight:600">{count:,}</div><div style="{html.FAINT}">{html.text(name)}</div></div>'
        for name, count in bins
    )
    return (
        f'<div style="display:flex;margin-top:4px;font-size:{_SMALL}px"><div style="width:{GUTTER}px"></div>'
        f'<div style="display:flex;flex:1;min-width:0">{cells}</div></div>'
    )


def _legend(series: Sequence[Series]) -> str:
    parts = "".join(
        f'<span><span style="color:{one.colour}">\N{BLACK SQUARE}</span> {html.text(one.name)}</span>' for one in series
    )
    return f'<div style="display:flex;gap:16px;flex-wrap:wrap;font-size:12px">{parts}</div>'


# ---------------------------------------------------------------------------------------------------------- the numbers


def _axis(series: Sequence[Series]) -> list[float]:
    """The ticks for all series: from 0, unless there are only lines that are far from it."""
    values = [value for one in series for value in one.values if value is not None and math.isfinite(value)]
    whole = all(float(value).is_integer() for value in values)
    low, high = min(values, default=0), max(values, default=0)
    far = all(one.kind == "line" for one in series) and (low > high / 2 or high < low / 2)
    return ticks(low, high, whole=whole) if far else ticks(min(low, 0), max(high, 0), whole=whole)


def _places(at: Sequence[dt.datetime]) -> tuple[list[float], float]:
    """The middle of each instant's place between 0 and 1, and half of the narrowest place."""
    gaps = [(after - before).total_seconds() for before, after in itertools.pairwise(at)]
    step = min((gap for gap in gaps if gap > 0), default=1.0)
    whole = (at[-1] - at[0]).total_seconds() + step
    return [((each - at[0]).total_seconds() + step / 2) / whole for each in at], step / 2 / whole


def _widths(middles: Sequence[float]) -> list[float]:
    """How wide the place of each is: to halfway to its neighbours; 1 for each if they are equally far apart."""
    halves = [(after - before) / 2 for before, after in itertools.pairwise(middles)]
    ends = [middles[0], *halves, 1 - middles[-1]]
    return [len(middles) * (before + after) for before, after in itertools.pairwise(ends)]


def _part(at: dt.datetime, first: dt.datetime, last: dt.datetime) -> float:
    """Where an instant lies between two; 1 if they are the same."""
    return (at - first) / (last - first) if last > first else 1.0


def _share(value: float, low: float, high: float) -> float:
    """Where a value lies between two; in the middle if they are the same."""
    return (value - low) / (high - low) if high > low else 0.5


def _down(value: float, axis: Sequence[float]) -> float:
    """How far below the top of an axis a value lies."""
    return SIDE * (1 - _share(value, axis[0], axis[-1]))


def _said(value: float | None) -> str:
    return html.shown(value) if value is None else _minus(html.number(value))


def _minus(words: str) -> str:
    return words.replace("-", html.MINUS)


def _n(value: float) -> str:
    """A coordinate, to a hundredth."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
