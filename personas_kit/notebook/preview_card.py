"""The card of a preview: the change is the largest thing on it."""

from __future__ import annotations

from personas_kit.display import renders
from personas_kit.notebook import html
from personas_kit.preview import Preview, SyncChange


@renders("Preview")
def preview_card(preview: Preview) -> str:
    """The HTML of a preview."""
    definition = preview.definition
    right = f"{preview.warehouse} · as of {preview.as_of:%Y-%m-%d %H:%M} UTC · {preview.seconds:.1f} s"
    meant = f'<span style="{html.FAINT}">{html.text(definition.expression)}</span>'
    return html.card(
        html.title(definition.name, definition.kind.replace("_", " "), right) + meant,
        html.figures(_figures(preview)),
        "".join(map(_change, preview.changes))
        or f'<span style="{html.FAINT}">No sync yet: ws.plan({html.text(repr(definition.key))}, to=...) makes one.</span>',
        html.details(
            "Sample members",
            f"{preview.sample.height} of {preview.size:,}, personal data masked",
            html.table(preview.sample),
            opened=True,
        )
        if preview.sample.height
        else "",
        html.details(
            "Compiled SQL",
            f"{preview.sql.dialect}, {len(str(preview.sql).splitlines())} lines",
            html.code(str(preview.sql)),
        ),
    )


def _figures(preview: Preview) -> list[str]:
    subjects = f"{preview.definition.subject}s"
    label = "Members" if preview.definition.is_audience else f"{subjects.capitalize()} with a value"
    parts = [
        html.figure(label, f"{preview.size:,}", f"of {preview.population:,} {subjects}"),
        html.figure(f"Share of all {subjects}", f"{preview.share:.1%}"),
    ]
    if preview.users is not None:
        parts.append(html.figure("Users in them", f"{preview.users:,}"))
    if preview.values:
        parts += [
            html.figure(name.capitalize(), html.number(round(value, 2))) for name, value in preview.values.items()
        ]
    main = preview.changes[0] if preview.changes else None
    if main is not None and preview.definition.is_audience:
        parts += [
            html.figure("Will enter", f"+{main.enter:,}", "", html.GREEN),
            html.figure("Will leave", f"−{main.leave:,}", "", html.RED),
        ]
    elif main is not None:
        parts.append(html.figure("Will be set", f"{main.set:,}", "", html.GREEN))
    return parts


def _change(change: SyncChange) -> str:
    where = f"{change.sync.destination} · {change.sync.call}" + (f" · {change.sync.place}" if change.sync.place else "")
    numbers = (
        f'<b style="color:{html.GREEN}">{change.set:,} set</b>'
        if change.set
        else f'<b style="color:{html.GREEN}">+{change.enter:,}</b> <b style="color:{html.RED}">−{change.leave:,}</b>'  # noqa: RUF001
    )
    first = f' <span style="{html.FAINT}">first push: everyone</span>' if change.first else ""
    return f'<div style="display:flex;gap:12px"><span style="min-width:220px">{html.text(where)}</span><span>{numbers}{first}</span></div>'
