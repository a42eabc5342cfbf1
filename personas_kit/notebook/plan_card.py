"""The card of a plan: what would be sent where, what stops it, and the exact requests."""

from __future__ import annotations

import contextlib
import json

import polars as pl

from personas_kit.activation.plan import Plan
from personas_kit.display import renders
from personas_kit.masking import mask_text
from personas_kit.notebook import html


@renders("Plan")
def plan_card(plan: Plan) -> str:
    """The HTML of a plan."""
    right = f"as of {plan.as_of:%Y-%m-%d %H:%M} UTC · members from {plan.members_from} · plan {plan.id[:8]}"
    return html.card(
        html.title(plan.name, "plan", right),
        html.table(_overview(plan)),
        "".join(_guard(guard.name, guard.saw, final=guard.final) for guard in plan.guards),
        _next_step(plan),
        html.details(
            "Changes",
            f"first {min(5, plan.changes.height)} of {plan.changes.height:,}",
            html.table(_some(plan.changes)),
        )
        if plan.changes.height
        else "",
        *(_payload(sample) for sample in plan.payloads(limit=1)),
    )


def _overview(plan: Plan) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "destination": sync.sync.destination,
            "call": sync.sync.call,
            "wanted": sync.wanted,
            "acknowledged": sync.state.acknowledged.height,
            "enter": sync.count("enter"),
            "exit": sync.count("exit"),
            "set": sync.count("set"),
            "skipped": sync.skipped.height,
            "": "first push" if sync.first else "",
        }
        for sync in plan.syncs
    )


def _guard(name: str, saw: str, *, final: bool) -> str:
    what = "cannot be overridden" if final else f"override={[name]!r}"
    return html.notice(
        f"<b>{html.text(name)}</b>: {html.text(saw)} <span style='{html.FAINT}'>({html.text(what)})</span>".replace(
            "'", '"'
        ),
        html.AMBER,
    )


def _next_step(plan: Plan) -> str:
    if not plan.changes.height:
        return "Nothing to send: the destinations have what is wanted."
    if any(guard.final for guard in plan.guards):
        return "Nothing can be sent before this is corrected."
    override = f"override={[guard.name for guard in plan.guards]!r}" if plan.guards else ""
    return f"Nothing has been sent. <code>{html.text(f'plan.push({override})')}</code> sends exactly this."


def _some(changes: pl.DataFrame) -> pl.DataFrame:
    return changes.head(5).with_columns(pl.col("member").map_elements(mask_text, return_dtype=pl.String))


def _payload(sample: dict[str, str]) -> str:
    body = sample["body"]
    with contextlib.suppress(ValueError):  # a form is shown as it is
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return html.details(
        "Request",
        f"{sample['destination']} {sample['call']}: {sample['method']} {sample['path']}, personal data masked",
        html.code(mask_text(body)),
    )
