"""The card of a preview: the change is the largest thing on it."""

from __future__ import annotations

from personas_kit.definitions.lint import Warned
from personas_kit.display import renders
from personas_kit.notebook import html
from personas_kit.preview import Preview, Previews, SyncChange, estimate_words

MINUS = "\N{MINUS SIGN}"


@renders("Previews")
def previews_card(previews: Previews) -> str:
    """The cards, one below the other."""
    return "".join(map(preview_card, previews))


@renders("Preview")
def preview_card(preview: Preview) -> str:
    """The HTML of a preview."""
    definition = preview.definition
    right = f"{preview.warehouse} · as of {preview.as_of:%Y-%m-%d %H:%M} UTC · {preview.seconds:.1f} s"
    meant = f'<div style="{html.FAINT};margin-top:4px">{html.text(definition.expression)}</div>'
    return html.card(
        html.title(definition.name, definition.kind.replace("_", " "), right) + meant,
        html.figures(_figures(preview)),
        "".join(map(_change, preview.changes)) or _no_sync(definition.key),
        "".join(map(_warned, preview.warnings)),
        _sample(preview),
        _sql(preview),
    )


def _warned(warned: Warned) -> str:
    """What is likely not meant as it is written, and what to write instead."""
    part = f"<code>{html.text(warned.part)}</code>"
    return (
        f'<div><b style="color:{html.AMBER}">To know</b> {html.text(warned.what)}: {part}'
        f'<div style="{html.FAINT}">{html.text(warned.hint)}</div></div>'
    )


def _figures(preview: Preview) -> list[str]:
    subjects = f"{preview.definition.subject}s"
    audience = preview.definition.is_audience
    size = html.figure("Members" if audience else f"{subjects.capitalize()} with a value", f"{preview.size:,}")
    parts = [size, html.figure(f"Share of all {subjects}", f"{preview.share:.1%}", f"of {preview.population:,}")]
    if preview.users is not None:
        parts.append(html.figure("Users in them", f"{preview.users:,}"))
    values = preview.values or {}
    parts += [html.figure(name.capitalize(), html.number(round(value, 2))) for name, value in values.items()]
    return parts + (_main_change(preview.changes[0], audience=audience) if preview.changes else [])


def _main_change(change: SyncChange, *, audience: bool) -> list[str]:
    """What the first destination would see, large."""
    at = f"at {change.sync.destination}"
    if not audience:
        return [html.figure("Will be set", f"{change.set:,}", at, html.GREEN)]
    enter = html.figure("Will enter", f"+{change.enter:,}", at, html.GREEN)
    return [enter, html.figure("Will leave", f"{MINUS}{change.leave:,}", at, html.RED)]


def _change(change: SyncChange) -> str:
    """One line for every destination and call."""
    place = f" · {change.sync.place}" if change.sync.place else ""
    if change.set:
        numbers = f'<b style="color:{html.GREEN}">{change.set:,} set</b>'
    else:
        enter, leave = f"+{change.enter:,}", f"{MINUS}{change.leave:,}"
        numbers = f'<b style="color:{html.GREEN}">{enter}</b> <b style="color:{html.RED}">{leave}</b>'
    first = f' <span style="{html.FAINT}">first push: everyone</span>' if change.first else ""
    where = html.text(f"{change.sync.destination} · {change.sync.call}{place}")
    return (
        f'<div style="display:flex;gap:12px"><span style="min-width:260px">{where}</span>'
        f"<span>{numbers}{first}</span></div>"
    )


def _no_sync(key: str) -> str:
    return f'<span style="{html.FAINT}">No sync yet: ws.plan({html.text(repr(key))}, to=...) makes one.</span>'


def _sample(preview: Preview) -> str:
    if not preview.sample.height:
        return ""
    faint = f"{preview.sample.height} of {preview.size:,}, personal data masked"
    return html.details("Sample members", faint, html.table(preview.sample), opened=True)


def _sql(preview: Preview) -> str:
    lines = len(preview.sql.splitlines())
    read = f", {estimate_words(preview.estimate)}" if preview.estimate else ""
    return html.details("Compiled SQL", f"{preview.sql.dialect}, {lines} lines{read}", html.code(str(preview.sql)))
