"""The page at ``/``: what arrived, as one self-contained HTML document without scripts."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from personas_kit.sandbox.received import Received

REQUESTS_SHOWN = 50
MEMBERS_SHOWN = 10
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STYLE = """
:root { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 66rem; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
th { font-weight: 600; } caption { text-align: left; opacity: .75; padding: .25rem 0; } code { font-size: .92em; }
"""


def page(received: Received) -> str:
    """The document; every text from a request is escaped, and control characters are made visible."""
    summary = received.summary()
    accounts: dict[str, Any] = summary["accounts"]
    body = [
        "<h1>What the sandbox received</h1>",
        f"<p>{summary['requests']:,} requests, {summary['items']:,} items, {summary['duplicates']:,} seen before.</p>",
        f"<p>{summary['conflicts']:,} message ids came with different contents.</p>" if summary["conflicts"] else "",
        "" if accounts else "<p>Nothing was applied yet.</p>",
        *(_account(received, name, sizes) for name, sizes in accounts.items()),
        _requests(received),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">'
        f"<title>Sandbox</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    )


def _account(received: Received, name: str, sizes: dict[str, Any]) -> str:
    parts = [f"<h2>{_text(name)}</h2>"]
    if sizes["lists"]:
        parts.append(_table("Lists", ("list", "entries"), sizes["lists"].items()))
    if sizes["events"]:
        parts.append(_table("Events", ("event", "times"), sizes["events"].items()))
    for what, held in (("users", received.users(name)), ("accounts", received.accounts(name))):
        if held:
            first = dict(islice(held.items(), MEMBERS_SHOWN))
            shown = ((key, json.dumps(traits, ensure_ascii=False)) for key, traits in first.items())
            parts.append(_table(f"{len(held):,} {what}, the first {len(first)}", (what[:-1], "traits"), shown))
    return "".join(parts)


def _requests(received: Received) -> str:
    shown = received.requests[-REQUESTS_SHOWN:][::-1]
    rows = [
        (f"{one.at:%H:%M:%S}", one.method, one.path, str(one.status or "dropped"), one.items, one.size, one.fault)
        for one in shown
    ]
    head = ("at (UTC)", "method", "path", "status", "items", "bytes", "fault")
    return f"<h2>Requests</h2>{_table(f'The last {len(rows)}, newest first', head, rows)}"


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    titles = "".join(f'<th scope="col">{_text(one)}</th>' for one in head)
    lines = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{_text(caption)}</caption><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"


def _text(value: object) -> str:
    shown = f"{value:,}" if isinstance(value, int) else str(value)
    visible = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in shown)
    return html.escape(visible, quote=True)
