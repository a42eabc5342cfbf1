"""The card of a plan: what would be sent where, what stops it, and the exact requests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import groupby

from personas_kit.activation.dry_run import DryRun, DrySync
from personas_kit.activation.guards import Guard, still_standing
from personas_kit.activation.plan import Plan, SyncPlan, cause_words, notes_of
from personas_kit.display import renders, size_words
from personas_kit.masking import mask_body, mask_text, masked_changes
from personas_kit.notebook import html
from personas_kit.notebook.sync_lines import blocks, call_line, count, plain_blocks


@renders("Plan")
def plan_card(plan: Plan) -> str:
    """The HTML of a plan."""
    return card_of(plan, _next_step(plan))


def card_of(plan: Plan, next_step: str) -> str:
    """The HTML of a plan, with what there is to do next; empty where that is said beside it."""
    right = f"as of {plan.as_of:%Y-%m-%d %H:%M} UTC · members from {plan.origin} · plan {plan.id[:8]}"
    notes = "".join(html.notice(html.text(note), html.BLUE) for note in notes_of(plan))
    return html.card(
        html.title(plan.name, "plan", right),
        blocks(plan.syncs, lambda sync: _head(sync, plan.as_of), _line),
        _guards(plan) + notes,
        next_step,
        _changes(plan),
        _requests(plan),
    )


@renders("DryRun")
def dry_run_card(dry: DryRun) -> str:
    """The HTML of a dry run."""
    return html.card(html.title(dry.key, "dry run", "nothing was sent"), dry_run_lines(dry))


def dry_run_lines(dry: DryRun) -> str:
    """What every call would take, without a frame."""
    return plain_blocks(dry.syncs, _dry_line)


def _head(sync: SyncPlan, as_of: dt.datetime) -> str:
    """By which way, and how often."""
    return html.text(" · ".join(filter(None, [f"{sync.connection.title}, {sync.way}", _cadence(sync, as_of)])))


def _cadence(sync: SyncPlan, as_of: dt.datetime) -> str:
    if not sync.often:
        return "on no schedule"
    if sync.due is None:
        return f"{sync.often}, never pushed"
    return f"{sync.often}, due {'since' if sync.due <= as_of else 'at'} {sync.due:%Y-%m-%d %H:%M} UTC"


def _line(sync: SyncPlan) -> str:
    return call_line(sync.sync.call, _counts(sync), _words(sync))


def _counts(sync: SyncPlan) -> Iterator[str]:
    """Who enters and exits; values that are set, where there are values."""
    if sync.valued or sync.count("set"):
        yield count(sync.count("set"), "set", html.GREEN)
    for change, sign, colour in (("enter", "+", html.GREEN), ("exit", html.MINUS, html.RED)):
        if sync.count(change) or not sync.valued:
            yield count(sync.count(change), change, colour, sign)


def _words(sync: SyncPlan) -> Iterator[str]:
    """What is to be known of one call."""
    yield f"{sync.wanted:,} wanted, {sync.state.size:,} acknowledged"
    if sync.first:
        yield "first push: everyone"
    elif sync.causes:
        yield f"why: {cause_words(sync.causes)}"
    if sync.repeated:
        yield f"{sync.repeated:,} of unknown outcome are repeated, with the message ids they had"
    if sync.skipped.height:
        kinds = [name.removeprefix("id_") for name in sync.lines.columns if name.startswith("id_")]
        yield f"{sync.skipped.height:,} users skipped: no usable {' or '.join(kinds) or 'identifier'}"
    if sync.suppressed:
        yield f"{sync.suppressed:,} left out: they were forgotten"
    if sync.held.height:
        reasons = sync.held["reason"].value_counts(sort=True).iter_rows()
        yield f"{sync.held.height:,} not tried this time: {', '.join(f'{n:,} {mask_text(why)}' for why, n in reasons)}"
    if sync.silent:
        yield f"{sync.silent:,} are noted as acknowledged, and not sent"


def call_lines(plan: Plan) -> str:
    """What every call of a plan would send, without the names of the destinations and a frame."""
    return "".join(map(_line, plan.syncs))


def guard_words(plan: Plan, name: str) -> list[str]:
    """What a guard saw, masked, a sentence for each; with the sync, where it saw not the same everywhere."""
    saw: dict[str, list[str]] = {}
    for sync in plan.syncs:
        for guard in sync.guards:
            if guard.name == name:
                saw.setdefault(mask_text(guard.saw), []).append(f"{sync.sync.destination} {sync.sync.call}")
    if len(saw) == 1:
        return list(saw)
    return [f"{', '.join(dict.fromkeys(where))}: {said}" for said, where in saw.items()]


def _guards(plan: Plan) -> str:
    """Every guard that fired, by name, with the exact override."""
    return "".join(_guard(plan, guard) for guard in {guard.name: guard for guard in plan.guards}.values())


def _guard(plan: Plan, guard: Guard) -> str:
    alike = [other for other in plan.guards if other.name == guard.name]
    what = f"override={[guard.name]!r}"
    if any(other.final for other in alike):
        what = "cannot be overridden"
    elif not any(other.stops for other in alike):
        what = "to know; it does not stop the push"
    saw = "".join(f"<div>{html.text(said)}</div>" for said in guard_words(plan, guard.name))
    colour = html.AMBER if any(other.stops for other in alike) else html.BLUE
    return html.notice(
        f'<b>{html.text(guard.name)}</b> <span style="{html.FAINT}">{html.text(what)}</span>{saw}', colour
    )


def _next_step(plan: Plan) -> str:
    if plan.memory.report is not None:
        return html.text(f"It was pushed: {mask_text(repr(plan.memory.report))}.")
    if not plan.changes.height:
        return "Nothing to send: the destinations have what is wanted."
    standing = still_standing(plan.guards, ())
    if any(guard.final for guard in standing):
        return "Nothing can be sent before this is corrected."
    names = list(dict.fromkeys(guard.name for guard in standing))
    override = f"override={names!r}" if names else ""
    return f"Nothing has been sent. <code>{html.text(f'plan.push({override})')}</code> sends exactly this."


def _changes(plan: Plan) -> str:
    if not plan.changes.height:
        return ""
    some = masked_changes(plan.changes.head(5), plan.key)
    return html.details("Changes", f"first {some.height} of {plan.changes.height:,}, masked", html.table(some))


def _requests(plan: Plan) -> str:
    """The exact requests for the first changes, to unfold call by call."""
    samples = groupby(plan.payloads(limit=1), key=lambda sample: (sample["destination"], sample["call"]))
    return "".join(
        html.details("Request", f"{destination} {call}, personal data masked", "".join(map(_payload, group)))
        for (destination, call), group in samples
    )


def _payload(sample: dict[str, str]) -> str:
    where = f"{sample['method']} {sample['path']}"
    return f"<div>{html.text(where)}</div>{html.code(mask_body(sample['body']))}"


def _dry_line(part: DrySync) -> str:
    words = [
        f"{part.changes:,} changes, {size_words(part.bytes)}",
        *(f"{number:,} would not be sent: {reason}" for reason, number in part.refused.items()),
        f"{part.skipped:,} users skipped" if part.skipped else "",
    ]
    return call_line(part.sync.call, [count(part.requests, "request" if part.requests == 1 else "requests")], words)
