"""The cards of what was, what will be, and what would differ: a backtest, a forecast, a comparison."""

from __future__ import annotations

from itertools import accumulate

import polars as pl

from personas_kit.display import renders
from personas_kit.insight.comparison import Comparison
from personas_kit.insight.history import Backtest, Forecast
from personas_kit.notebook import charts, html

_SHOWN = 20
_BAR = 18
"""Pixels that a bar of sides is high."""


@renders("Backtest")
def backtest_card(backtest: Backtest) -> str:
    """The sizes as an area, who entered and who left as bars up and down below it."""
    frame, audience = backtest.frame, backtest.definition
    first, last = frame.row(0, named=True), frame.row(-1, named=True)
    entered, left = int(frame["entered"].sum()), int(frame["left"].sum())
    since = f"since {html.shown(first['at'])}"
    sizes = [int(size) for size in frame["size"]]
    figures = html.figures(
        [
            html.figure("Members", f"{last['size']:,}", f"at {html.shown(last['at'])}"),
            html.figure("At first", f"{first['size']:,}", f"at {html.shown(first['at'])}"),
            html.figure("Smallest, largest", f"{min(sizes):,} \N{EN DASH} {max(sizes):,}"),
            html.change("Entered", entered, "enter", since),
            html.change("Left", left, "exit", since),
        ]
    )
    head = html.title(audience.name, "backtest", f"{html.several(frame.height, 'instant')}, UTC")
    traits = ", ".join(backtest.traits)
    noted = f"Traits are taken as they are now, at every instant: {html.text(traits)}" if traits else ""
    return html.card(
        head + _meant(str(audience.expression)),
        figures,
        _sizes(frame) + _changes(frame, entered, left),
        html.notice(noted, html.AMBER) if noted else "",
        html.numbers(frame, last=True),
    )


@renders("Forecast")
def forecast_card(forecast: Forecast) -> str:
    """What remains on each day if nothing happens, and how many leave by it."""
    days = forecast.by_day().rename({"leaves_by": "at", "members": "leave"})
    leaving = forecast.members.height
    remain = [forecast.size - gone for gone in accumulate(days["leave"])]
    days = days.with_columns(remain=pl.Series(remain, dtype=pl.Int64))
    within = html.several(forecast.days, "day")
    share = f", {leaving / forecast.size:.1%}" if forecast.size else ""
    figures = html.figures(
        [
            html.figure("Members", f"{forecast.size:,}", "now"),
            html.change("Will leave", leaving, "exit", f"within {within}{share}"),
            html.figure("Remain", f"{forecast.size - leaving:,}", f"after {within}"),
        ]
    )
    head = html.title(forecast.definition.name, "forecast", _as_of(forecast.as_of))
    said = "<div>If nothing happens from now on: windows end, dates pass, memberships end.</div>"
    at = [forecast.as_of, *days["at"]]
    remaining = charts.chart(
        at,
        [charts.Series("remain", [forecast.size, *remain], html.BLUE, "area")],
        words=f"What remains: {forecast.size:,} now, {remain[-1]:,} after {within}",
    )
    leave = charts.chart(
        at,
        [charts.Series("leave", [None, *(-gone for gone in days["leave"])], html.RED, "bars")],
        words=f"Who leaves by the end of each day: {leaving:,} in all",
        height=70,
    )
    drawn = _heading("Remain") + remaining + _heading("Leave by the end of each day") + leave
    return html.card(head + _meant(str(forecast.definition.expression)), figures, said + drawn, html.numbers(days))


@renders("Comparison")
def comparison_card(comparison: Comparison) -> str:
    """What differs in the condition, and who would change sides."""
    enter, leave = comparison.count("enter"), comparison.count("exit")
    before, after = comparison.both + leave, comparison.both + enter
    figures = html.figures(
        [
            html.figure("Old", f"{before:,}"),
            html.figure("New", f"{after:,}", f"{_net(after - before)} net"),
            html.change("Would enter", enter, "enter", _of(enter, before)),
            html.change("Would leave", leave, "exit", _of(leave, before)),
        ]
    )
    parts = [_part(html.MINUS, part, html.RED) for part in comparison.dropped]
    parts += [_part("+", part, html.GREEN) for part in comparison.added]
    differing = "".join(parts) or f'<div style="{html.FAINT}">The conditions are the same.</div>'
    some = comparison.members.head(_SHOWN)
    faint = f"{some.height:,} of {comparison.members.height:,}"
    who = html.details("Who would change sides", faint, html.table(some)) if some.height else ""
    names = dict.fromkeys([comparison.old.name, comparison.new.name])
    head = html.title(" \N{RIGHTWARDS ARROW} ".join(names), "comparison", _as_of(comparison.as_of))
    return html.card(head, figures, _sides(leave, comparison.both, enter), differing, who)


def _sizes(frame: pl.DataFrame) -> str:
    sizes = frame["size"].to_list()
    words = f"Members: {sizes[0]:,} at first, {sizes[-1]:,} at last, {min(sizes):,} to {max(sizes):,}"
    return _heading("Members") + charts.chart(
        frame["at"].to_list(), [charts.Series("members", sizes, html.BLUE, "area")], words=words
    )


def _changes(frame: pl.DataFrame, entered: int, left: int) -> str:
    """Who entered, up, and who left, down."""
    down = [None if gone is None else -gone for gone in frame["left"]]
    both = [
        charts.Series("entered", frame["entered"].to_list(), html.GREEN, "bars"),
        charts.Series("left", down, html.RED, "bars"),
    ]
    words = f"Entered {entered:,} and left {left:,} in all, between each instant and the one before"
    return '<div style="margin-top:10px"></div>' + charts.chart(frame["at"].to_list(), both, words=words, height=90)


def _sides(old: int, both: int, new: int) -> str:
    """Who is only in the old one, in both, only in the new one: one bar, and what its parts are below it."""
    whole = old + both + new
    if not whole:
        return f'<div style="{html.FAINT}">Nobody is in either.</div>'
    sides = [(old, "only in the old", html.RED, f"{html.MINUS} "), (both, "in both", html.BLUE, "")]
    sides.append((new, "only in the new", html.GREEN, "+ "))
    bar = "".join(
        f'<div title="{html.text(f"{count:,} {words}")}" style="width:{100 * count / whole:.4g}%;min-width:2px;'
        f'background:{colour}"></div>'
        for count, words, colour, _ in sides
        if count
    )
    legend = "".join(_side(*side, whole) for side in sides)
    return (
        f'<div style="display:flex;gap:1px;height:{_BAR}px;border-radius:3px;overflow:hidden">{bar}</div>'
        f'<div style="display:flex;gap:2px 20px;flex-wrap:wrap;margin-top:6px;font-size:12px">{legend}</div>'
    )


def _side(count: int, words: str, colour: str, sign: str, whole: int) -> str:
    """``■ − 75 only in the old, 6.2%``; faint if there is nobody."""  # noqa: RUF002  (a minus sign)
    if not count:
        return f'<span style="{html.FAINT}">0 {html.text(words)}</span>'
    said = html.text(f"{words}, {count / whole:.1%}")
    square = f'<span style="color:{colour}">\N{BLACK SQUARE}</span>'
    return f'<span>{square} <b>{sign}{count:,}</b> <span style="{html.FAINT}">{said}</span></span>'


def _part(sign: str, part: str, colour: str) -> str:
    code = f'<code style="overflow-wrap:break-word">{html.text(part)}</code>'
    return f'<div style="margin:2px 0"><b style="color:{colour}">{sign}</b> {code}</div>'


def _heading(words: str) -> str:
    return f'<div style="font-size:12px;margin-top:6px">{html.text(words)}</div>'


def _meant(expression: str) -> str:
    return f'<div style="{html.FAINT};margin-top:4px;overflow-wrap:break-word">{html.text(expression)}</div>'


def _as_of(at: object) -> str:
    return f"as of {html.shown(at)} UTC"


def _of(count: int, size: int) -> str:
    return f"{count / size:.1%} of the old" if size and count else ""


def _net(count: int) -> str:
    return html.signed(abs(count), "enter" if count > 0 else "exit")
