"""Lines over two logarithmic axes as SVG, for the documentation: no library draws for the kit."""

import html
import math
from collections.abc import Mapping, Sequence

COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed")
"""Each can be told from white and from black."""
GREY = "#888"
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 36, 52
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))

Points = Sequence[tuple[float, float]]


def log_log(title: str, across: str, up: str, series: Mapping[str, Points]) -> str:
    """The image.

    Args:
        title: what it shows.
        across: what the horizontal axis counts.
        up: what the vertical axis counts.
        series: by name, points whose both numbers are above 0.
    """
    points = [point for line in series.values() for point in line]
    x_axis, y_axis = _decades([x for x, _ in points]), _decades([y for _, y in points])
    shapes = [
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="600">{html.escape(title)}</text>',
        _word(f'x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}"', across),
        _word(f'transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)"', up),
    ]
    for tick in x_axis:
        x = _across(tick, x_axis)
        shapes.append(_rule(x, TOP, x, HEIGHT - BOTTOM))
        shapes.append(_word(f'x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}"', short(tick)))
    for tick in y_axis:
        y = _up(tick, y_axis)
        shapes.append(_rule(LEFT, y, WIDTH - RIGHT, y))
        shapes.append(_word(f'x="{LEFT - 8}" y="{y + 4:.1f}"', short(tick), "end"))
    for at, (name, line) in enumerate(series.items()):
        shapes += _line(name, [(_across(x, x_axis), _up(y, y_axis)) for x, y in line], COLOURS[at % len(COLOURS)], at)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="{GREY}"><title>{html.escape(title)}</title>\n'
        + "\n".join(shapes)
        + "\n</svg>\n"
    )


def short(value: float) -> str:
    """``0.01``, ``100``, ``10k``, ``1M``."""
    for unit, letter in _UNITS:
        if value >= unit:
            return f"{value / unit:.3g}{letter}"
    return f"{value:.3g}"


def _decades(values: Sequence[float]) -> list[float]:
    """Powers of ten from the smallest value or below to the largest or above: two at least."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def _share(value: float, axis: Sequence[float]) -> float:
    low, high = math.log10(axis[0]), math.log10(axis[-1])
    return (math.log10(value) - low) / (high - low)


def _across(value: float, axis: Sequence[float]) -> float:
    return LEFT + (WIDTH - RIGHT - LEFT) * _share(value, axis)


def _up(value: float, axis: Sequence[float]) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * _share(value, axis)


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{GREY}" stroke-opacity=".3"/>'


def _word(where: str, word: str, anchor: str = "middle") -> str:
    return f'<text {where} text-anchor="{anchor}">{html.escape(word)}</text>'


def _line(name: str, points: Points, colour: str, place: int) -> list[str]:
    """The line, its dots, and its name beside the chart."""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    key = TOP + 10 + 20 * place
    return [
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points),
        f'<circle cx="{WIDTH - RIGHT + 20}" cy="{key - 4}" r="4" fill="{colour}"/>',
        _word(f'x="{WIDTH - RIGHT + 30}" y="{key}"', name, "start"),
    ]
