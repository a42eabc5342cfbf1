"""The card of a plan: what would be sent where, what stops it, and the exact requests."""

from __future__ import annotations

import polars as pl

from personas_kit.activation.guards import Guard, still_standing
from personas_kit.activation.plan import Plan, cause_words, notes_of
from personas_kit.display import renders
from personas_kit.masking import mask_body, masked_changes
from personas_kit.notebook import html


@renders("Plan")
def plan_card(plan: Plan) -> str:
    """The HTML of a plan."""
    right = f"as of {plan.as_of:%Y-%m-%d %H:%M} UTC · members from {plan.members_from} · plan {plan.id[:8]}"
    return html.card(
        html.title(plan.name, "plan", right),
        html.table(_overview(plan)),
        "".join(map(_guard, plan.guards)),
        "".join(html.notice(html.text(note), html.BLUE) for note in notes_of(plan)),
        _next_step(plan),
        html.details(
            "Changes",
            f"first {min(5, plan.changes.height)} of {plan.changes.height:,}",
            html.table(masked_changes(plan.changes.head(5), plan.key)),
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
            "why": cause_words(sync.causes),
        }
        for sync in plan.syncs
    )


def _guard(guard: Guard) -> str:
    what = "cannot be overridden" if guard.final else f"override={[guard.name]!r}"
    said = f"<b>{html.text(guard.name)}</b>: {html.text(guard.saw)}"
    if not guard.stops:
        return html.notice(f"{said} (to know; it does not stop the push)", html.BLUE)
    return html.notice(f'{said} <span style="{html.FAINT}">({html.text(what)})</span>', html.AMBER)


def _next_step(plan: Plan) -> str:
    if not plan.changes.height:
        return "Nothing to send: the destinations have what is wanted."
    standing = still_standing(plan.guards, ())
    if any(guard.final for guard in standing):
        return "Nothing can be sent before this is corrected."
    override = f"override={[guard.name for guard in standing]!r}" if standing else ""
    return f"Nothing has been sent. <code>{html.text(f'plan.push({override})')}</code> sends exactly this."


def _payload(sample: dict[str, str]) -> str:
    return html.details(
        "Request",
        f"{sample['destination']} {sample['call']}: {sample['method']} {sample['path']}, personal data masked",
        html.code(mask_body(sample["body"])),
    )
