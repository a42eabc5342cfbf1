"""The cards of what was, what will be, and what would differ: a backtest, a forecast, a comparison."""

from __future__ import annotations

import polars as pl

from personas_kit.display import renders
from personas_kit.insight.comparison import Comparison
from personas_kit.insight.history import Backtest, Forecast
from personas_kit.notebook import html

MINUS = "\N{MINUS SIGN}"
_SHOWN = 20


@renders("Backtest")
def backtest_card(backtest: Backtest) -> str:
    """The sizes as bars, who entered and who left below them."""
    frame, audience = backtest.frame, backtest.definition
    sizes = frame["size"].to_list()
    first, last = frame.row(0, named=True), frame.row(-1, named=True)
    head = html.title(audience.name, "backtest", f"{frame.height:,} instants, UTC")
    meant = f'<div style="{html.FAINT};margin-top:4px">{html.text(audience.expression)}</div>'
    figures = html.figures(
        [
            html.figure("At first", f"{first['size']:,}", html.shown(first["at"])),
            html.figure("At last", f"{last['size']:,}", html.shown(last["at"])),
            html.figure("Smallest", f"{min(sizes):,}"),
            html.figure("Largest", f"{max(sizes):,}"),
            html.figure("Entered", f"+{frame['entered'].sum():,}", "in all", html.GREEN),
            html.figure("Left", f"{MINUS}{frame['left'].sum():,}", "in all", html.RED),
        ]
    )
    charts = "".join(
        _chart(frame.select("at", pl.col(name).fill_null(0)), words, colour, height)
        for name, words, colour, height in (
            ("size", "Members", html.BLUE, 120),
            ("entered", "Entered", html.GREEN, 40),
            ("left", "Left", html.RED, 40),
        )
    )
    return html.card(head + meant, figures, charts + _traits(backtest), _numbers(frame))


@renders("Forecast")
def forecast_card(forecast: Forecast) -> str:
    """How many leave by each day if nothing happens."""
    as_of = f"as of {forecast.as_of:%Y-%m-%d %H:%M} UTC"
    days = forecast.by_day().rename({"leaves_by": "at"})
    leaving = forecast.members.height
    share = f"{leaving / forecast.size:.1%}" if forecast.size else "–"  # noqa: RUF001  (a dash)
    figures = html.figures(
        [
            html.figure("Members", f"{forecast.size:,}"),
            html.figure("Will leave", f"{MINUS}{leaving:,}", f"within {forecast.days} days, {share}", html.RED),
        ]
    )
    words = "Leave by the end of each day, if nothing happens"
    head = html.title(forecast.definition.name, "forecast", as_of)
    return html.card(head, figures, _chart(days, words, html.RED, 80), _numbers(days))


@renders("Comparison")
def comparison_card(comparison: Comparison) -> str:
    """What differs in the condition, and who would change sides."""
    as_of = f"as of {comparison.as_of:%Y-%m-%d %H:%M} UTC"
    enter, leave = comparison.count("enter"), comparison.count("exit")
    figures = html.figures(
        [
            html.figure("In both", f"{comparison.both:,}"),
            html.figure("Would enter", f"+{enter:,}", "", html.GREEN),
            html.figure("Would leave", f"{MINUS}{leave:,}", "", html.RED),
        ]
    )
    parts = [_part(MINUS, part, html.RED) for part in comparison.dropped]
    parts += [_part("+", part, html.GREEN) for part in comparison.added]
    differing = "".join(parts) or f'<div style="{html.FAINT}">The conditions are the same.</div>'
    some = comparison.members.head(_SHOWN)
    faint = f"{some.height:,} of {comparison.members.height:,}"
    who = html.details("Who would change sides", faint, html.table(some)) if some.height else ""
    return html.card(html.title(comparison.new.name, "comparison", as_of), figures, differing, who)


def _part(sign: str, part: str, colour: str) -> str:
    return f'<div><b style="color:{colour}">{sign}</b> <code>{html.text(part)}</code></div>'


def _chart(frame: pl.DataFrame, words: str, colour: str, height: int) -> str:
    """The second column as bars over the first, which are instants."""
    lines = [(f"{html.shown(at)}: {value:,}", int(value)) for at, value in frame.iter_rows()]
    first, last = (html.shown(frame["at"][at]) for at in (0, -1))
    return html.bars(words, lines, (first, last), colour, height)


def _traits(backtest: Backtest) -> str:
    """Traits have no history."""
    if not backtest.traits:
        return ""
    named = ", ".join(backtest.traits)
    return html.notice(f"Traits are taken as they are now, at every instant: {html.text(named)}", html.AMBER)


def _numbers(frame: pl.DataFrame) -> str:
    return html.details("Numbers", f"{frame.height:,} lines", html.table(frame))
