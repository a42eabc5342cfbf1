"""The card of a preview: the change is the largest thing on it, then who they are, then what would be sent."""

from __future__ import annotations

from collections.abc import Sequence

from personas_kit.definitions import Definition
from personas_kit.definitions.lint import Warned
from personas_kit.display import renders
from personas_kit.facets import Breakdown, Distribution, Overlap, Trend
from personas_kit.notebook import charts, html
from personas_kit.preview import Preview, SyncChange, estimate_words

EN_DASH = "\N{EN DASH}"
_WHOLE = 0.6
"""Bars are full at the largest share that they show, but not below this one: small shares look small."""


@renders("Preview")
def preview_card(preview: Preview) -> str:
    """The HTML of a preview."""
    definition, facets = preview.definition, preview.facets
    right = f"{preview.warehouse} · as of {preview.as_of:%Y-%m-%d %H:%M} UTC · {preview.seconds:.1f} s"
    return html.card(
        html.title(definition.name, definition.kind.replace("_", " "), right) + _meaning(preview),
        _side_by_side([*_figures(preview), *([trend_figure(facets.trend)] if facets.trend else [])]),
        "".join(map(change_line, preview.changes)) or _no_sync(definition.key),
        "".join(map(_warned, preview.warnings)),
        _beside(
            [
                *(_breakdown(each, definition.subject) for each in facets.breakdowns),
                _distribution(facets.distribution),
                _overlap(facets.overlap),
            ]
        ),
        "".join(f'<div style="{html.FAINT}">{html.text(note)}</div>' for note in facets.notes),
        _sample(preview),
        _requests(preview),
        _sql(preview),
    )


def _meaning(preview: Preview) -> str:
    """The definition as a sentence, and as it is written."""
    said = html.text(preview.facets.english)
    written = html.text(preview.definition.expression)
    return (
        f'<div style="margin-top:6px;overflow-wrap:break-word">{said}</div>'
        f'<div style="{html.FAINT};margin-top:2px;font-size:12px;overflow-wrap:break-word"><code>{written}</code></div>'
    )


def _warned(warned: Warned) -> str:
    """What is likely not meant as it is written, and what to write instead."""
    part = f"<code>{html.text(warned.part)}</code>"
    return (
        f'<div><b style="color:{html.AMBER}">To know</b> {html.text(warned.what)}: {part}'
        f'<div style="{html.FAINT}">{html.text(warned.hint)}</div></div>'
    )


# ---------------------------------------------------------------------------------------------------------- the figures


def _side_by_side(figures: Sequence[str]) -> str:
    return f'<div style="display:flex;flex-wrap:wrap;gap:12px 24px">{"".join(figures)}</div>'


def _figures(preview: Preview) -> list[str]:
    subjects = f"{preview.definition.subject}s"
    audience, accounts = preview.definition.is_audience, preview.facets.accounts
    size = html.figure("Members" if audience else f"{subjects.capitalize()} with a value", f"{preview.size:,}")
    parts = [size, html.figure(f"Share of all {subjects}", f"{preview.share:.1%}", f"of {preview.population:,}")]
    if accounts is not None:
        each = f"{html.number(accounts.median)} each (median), at most {accounts.most:,}"
        parts.append(html.figure("Users in them", f"{accounts.users:,}", each))
    if accounts is not None and accounts.empty:
        parts.append(html.figure("Without any user", f"{accounts.empty:,}", f"of {accounts.accounts:,} accounts"))
    values = preview.values or {}
    parts += [html.figure(name.capitalize(), html.number(round(value, 2))) for name, value in values.items()]
    return parts + (_main_change(preview.changes[0], preview.definition) if preview.changes else [])


def _main_change(change: SyncChange, definition: Definition) -> list[str]:
    """What the first destination would see, large."""
    whose = "users " if definition.subject == "account" and change.sync.call != "group" else ""
    at = f"{whose}at {change.sync.destination}"
    if not definition.is_audience:
        return [html.figure("Will be set", f"{change.set:,}", at, html.GREEN if change.set else "")]
    enter = html.change("Will enter", change.enter, "enter", f"{at}, first push" if change.first else at)
    return [enter, html.change("Will leave", change.leave, "exit", at)]


def trend_figure(trend: Trend) -> str:
    """The sizes of the last weeks as a line, with where they come from."""
    sizes = [size for _, size in trend.points]
    (first, _), *_, (last, _) = trend.points
    days = max(1, round((last - first).total_seconds() / 86_400))
    span = f"{days} day{'s' if days > 1 else ''}"
    came = "backtest" if trend.origin == "backtest" else f"{len(sizes) - 1:,} pushes and now"
    words = f"Size over {span}: {', '.join(f'{at:%Y-%m-%d} {size:,}' for at, size in trend.points)}"
    image = charts.line(trend.points, colour=html.BLUE, mark=trend.pushed, words=words)
    dashed = "; dashed: last push" if trend.pushed is not None and first <= trend.pushed <= last else ""
    traits = f"; traits as they are now: {', '.join(trend.traits)}" if trend.traits else ""
    faint = f"{html.FAINT};font-size:12px"
    return (
        '<div style="flex:1;min-width:180px;max-width:240px">'
        f'<div style="{faint}">{html.text(f"Last {span}: {came}")}</div>'
        f'<div style="margin:4px 0">{image}</div>'
        f'<div style="{faint}">{min(sizes):,} {EN_DASH} {max(sizes):,}{html.text(dashed + traits)}</div></div>'
    )


# ---------------------------------------------------------------------------------------------------------- the changes


def change_line(change: SyncChange) -> str:
    """One line for every destination and call."""
    place = f" · {change.sync.place}" if change.sync.place else ""
    first = f' <span style="{html.FAINT}">first push: everyone</span>' if change.first else ""
    where = html.text(f"{change.sync.destination} · {change.sync.call}{place}")
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:0 12px">'
        f'<span style="min-width:260px;overflow-wrap:break-word">{where}</span>'
        f"<span>{counts(change)}{first}</span></div>"
    )


def counts(change: SyncChange) -> str:
    """``+16 −29``, or how many values are set; a colour where there is something."""  # noqa: RUF002  (a minus sign)
    if change.set:
        return _coloured(f"{change.set:,} set", html.GREEN)
    parts = [_coloured(html.signed(change.enter, "enter"), html.GREEN)] if change.enter else []
    parts += [_coloured(html.signed(change.leave, "exit"), html.RED)] if change.leave else []
    return " ".join(parts) or f'<span style="{html.FAINT}">no change</span>'


def _coloured(said: str, colour: str) -> str:
    return f'<b style="color:{colour}">{said}</b>'


def _no_sync(key: str) -> str:
    return f'<span style="{html.FAINT}">No sync yet: ws.plan({html.text(repr(key))}, to=...) makes one.</span>'


# -------------------------------------------------------------------------------------------------------- who they are


def _beside(parts: Sequence[str]) -> str:
    """Parts side by side, below each other where it is narrow."""
    made = "".join(f'<div style="flex:1;min-width:290px">{part}</div>' for part in parts if part)
    return f'<div style="display:flex;flex-wrap:wrap;gap:16px 32px">{made}</div>' if made else ""


def _heading(what: str, faint: str = "") -> str:
    said = f' <span style="{html.FAINT}">{html.text(faint)}</span>' if faint else ""
    return f'<div style="margin-bottom:6px"><b>{html.text(what)}</b>{said}</div>'


def _breakdown(breakdown: Breakdown, subject: str) -> str:
    lines = [(part.name, part.share, part.count, part.usual) for part in breakdown.parts]
    whole = max(_WHOLE, *(max(share, usual or 0) for _, share, _, usual in lines))
    return _heading(breakdown.trait, f"tick: all {subject}s") + html.share_bars(lines, whole=whole)


def _overlap(overlap: Overlap | None) -> str:
    if overlap is None:
        return ""
    whose = "share of this audience also in" if overlap.of == "members" else "share of its users also in"
    bars = html.share_bars([(part.name, part.share, part.count, None) for part in overlap.parts])
    left = ""
    if overlap.left_out:
        named = ", ".join(overlap.left_out)
        left = f'<div style="{html.FAINT};margin-top:4px">{html.text(f"Not looked at ({overlap.why}): {named}")}</div>'
    return _heading("Overlap", whose) + bars + left


def _distribution(distribution: Distribution | None) -> str:
    if distribution is None:
        return ""
    if distribution.kind == "values":
        lines = [(part.name, part.share, part.count, None) for part in distribution.parts]
        return _heading("Values", "share of those who have one") + html.share_bars(lines)
    bins = [(part.name, part.count) for part in distribution.parts]
    words = ", ".join(f"{name}: {count:,}" for name, count in bins)
    return _heading("Values", "how many have which") + charts.histogram(bins, colour=html.BLUE, words=words)


# ----------------------------------------------------------------------------------------------------- what lies behind


def _sample(preview: Preview) -> str:
    if not preview.sample.height:
        return ""
    faint = f"{preview.sample.height} of {preview.size:,}, personal data masked"
    return html.details("Sample members", faint, html.table(preview.sample), opened=True)


def _requests(preview: Preview) -> str:
    """The first requests, as they would be sent."""
    requests = preview.facets.requests
    if not requests:
        return ""
    where = ", ".join(dict.fromkeys(each["destination"] for each in requests))
    made = "".join(
        f'<div style="margin:8px 0 4px">{html.text(each["destination"])} · {html.text(each["call"])} · '
        f"<code>{html.text(each['method'])} {html.text(each['path'])}</code></div>{html.code(each['body'])}"
        for each in requests
    )
    return html.details("Payload samples", f"{where}; as a push would send them, personal data masked", made)


def _sql(preview: Preview) -> str:
    lines = len(preview.sql.splitlines())
    read = f", {estimate_words(preview.estimate)}" if preview.estimate else ""
    return html.details("Compiled SQL", f"{preview.sql.dialect}, {lines} lines{read}", html.code(str(preview.sql)))
