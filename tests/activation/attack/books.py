"""Holds the kit's book against the receiver's: what has to be true at any moment, and what once all is well."""

from __future__ import annotations

import json
import os
import random

import polars as pl

from personas_kit.activation.plan import Plan
from personas_kit.activation.report import Report
from personas_kit.activation.state import SyncState
from tests.activation.attack.world import World
from tests.hostile_receiver.ledger import Ledger

LONG = bool(os.environ.get("PERSONAS_LONG"))
"""The long run: everything, many times."""

#: How often, in the ordinary run and in the long one; ``docs/proof.md`` has the same numbers.
TIMES = {
    "kills": (60, 2_000), "pairs": (24, 0), "rounds": (25, 500), "mutations": (2, 6), "pushes": (40, 1_000),
    "lives": (200, 5_000), "steps": (30, 80), "seeds": (300, 20_000), "fuzzed": (20, 2_000),
    "replacements": (6, 500),
}  # fmt: skip


def times(what: str) -> int:
    """How often in this run; 0 for all there are."""
    return TIMES[what][LONG]


def chance() -> random.Random:
    """Chance that can be repeated: by PERSONAS_SEED, which is printed."""
    seed = int(os.environ.get("PERSONAS_SEED") or random.randrange(2**32))  # noqa: S311  (chance, not secrecy)
    print(f"PERSONAS_SEED={seed}")  # noqa: T201  (to repeat a failure)
    return random.Random(seed)  # noqa: S311  (as above)


def violations(world: World, ledger: Ledger) -> list[str]:
    """What is wrong at this moment, whatever has just happened; nothing is under way.

    I2: who is not unknown is as the destination has it. I3: no message id came with two contents.
    """
    found = [f"I3: {message_id} came with two contents" for message_id in sorted(ledger.conflicts)]
    for call, state in world.states().items():
        unknown, believed, there = set(state.unknown["member"]), acknowledged(state), ledger.holds(call)
        for member in sorted(believed.keys() | there.keys()):
            if believed.get(member) != there.get(member) and member not in unknown:
                sides = f"{believed.get(member)} by the state, {there.get(member)} at the destination"
                found.append(f"I2: {member} ({call}) is {sides}")
    return found


def acknowledged(state: SyncState) -> dict[str, object]:
    """The acknowledged members, each with its value; with True where there are none."""
    if "value" not in state.acknowledged.columns:
        return dict.fromkeys(state.acknowledged["member"], True)
    return {member: json.loads(value) for member, value in state.acknowledged.select("member", "value").rows()}


def disagreements(world: World, ledger: Ledger) -> list[str]:
    """I1, once a push ended well: the destination, the warehouse and the state are the same, and nothing is unknown."""
    found = violations(world, ledger)
    for call in world.calls:
        state = world.states().get(call)
        believed = {} if state is None else acknowledged(state)
        if not ledger.holds(call) == world.wanted == believed:
            sizes = (len(ledger.holds(call)), len(world.wanted), len(believed))
            found.append(f"I1: {call}: the destination has {sizes[0]}, wanted are {sizes[1]}, acknowledged {sizes[2]}")
        if state is not None and state.unknown.height:
            found.append(f"I1: {call}: {state.unknown.height} are unknown")
    return found


def unreconciled(report: Report, plan: Plan, world: World, ledger: Ledger) -> list[str]:
    """What is wrong about a report: each change has one outcome, which is that of the state and of the destination."""
    found = []
    outcomes = ("acknowledged", "rejected", "unknown", "accepted", "unsent")
    if sum(getattr(report, outcome) for outcome in outcomes) != plan.changes.height:
        found.append(f"{report!r} is not about {plan.changes.height} changes")
    if report.changes.height != plan.changes.height:
        found.append(f"the report lists {report.changes.height} changes of {plan.changes.height}")
    for line in report.syncs:
        frame = report.changes.filter(pl.col("call") == line.sync.call)
        counts = dict(frame["outcome"].value_counts().iter_rows())
        if any(counts.get(outcome, 0) != getattr(line, outcome) for outcome in outcomes):
            found.append(f"{line.sync}: the counts are not those of the changes")
        unknown = set(world.states()[line.sync.call].unknown["member"])
        claimed = {member: value for member, value, outcome in frame.select("member", "value", "outcome").rows()
                   if outcome == "acknowledged"}  # fmt: skip
        there = ledger.values(line.sync.call)
        found += [f"{member} counts as acknowledged and as unknown" for member in sorted(claimed.keys() & unknown)]
        found += [
            f"{member} counts as acknowledged, and the destination has not applied it"
            for member, value in claimed.items()
            if there.get(member) != json.loads(value)
        ]
    return found
