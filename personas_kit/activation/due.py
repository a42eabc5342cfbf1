"""What has to happen at a destination this time: the changes that are due, and those that are held back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import polars as pl

from personas_kit.activation.cadence import NO_SCHEDULE, Cadence
from personas_kit.activation.figures import NOTHING, Figures
from personas_kit.activation.state import SyncState
from personas_kit.activation.wanted import Wanted
from personas_kit.membership import membership_changes, value_changes
from personas_kit.membership.changes import CHANGE, same_member_type

Asked = Literal["changes", "full", "replace", "adopt"]
Mode = Literal[Asked, "exits"]

#: How often a change may be refused before it is tried at every second push only, then every fourth, and so on.
PATIENT, RAREST = 5, 64


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a plan is made for.

    Attributes:
        plan_id: 128 random bits as hex.
        as_of: the instant the members are of.
        cadence: how often the sync is computed.
        unattended: nobody looks at the plan before it is pushed.
        mode: ``changes``; ``full``: everyone again; ``replace``: in the place of whoever is there; ``adopt``: who is
            wanted is noted as acknowledged, and nothing is sent; ``exits``: nobody is wanted any more.
        only: these members alone, as text; None for all.
        figures: what the source looks like.
    """

    plan_id: str
    as_of: dt.datetime
    cadence: Cadence = NO_SCHEDULE
    unattended: bool = False
    mode: Mode = "changes"
    only: frozenset[str] | None = None
    figures: Figures = NOTHING

    @property
    def asked_for(self) -> bool:
        """A person asked for exactly these changes: neither their number nor the interval is in question."""
        return self.mode in {"adopt", "exits"} or self.only is not None


def due_changes(wanted: Wanted, state: SyncState, occasion: Occasion) -> pl.DataFrame:
    """The changes: ``member``, ``change``, ``value``, ``again`` (it is so already, and goes once more)."""
    if wanted.valued:
        values = wanted.members.select("member", "value")
        due = value_changes(values, state.acknowledged, state.unknown, empty=wanted.empty)
    else:
        due = membership_changes(wanted.members, state.acknowledged, state.unknown)
    due = due.with_columns(again=pl.lit(value=False))
    if occasion.mode in {"full", "replace"}:
        due = pl.concat(same_member_type(due, _everyone_else(wanted, due)))
    if occasion.only is not None:
        due = due.filter(pl.col("member").cast(pl.String).is_in(pl.Series([*occasion.only]).implode()))
    return due


def _everyone_else(wanted: Wanted, due: pl.DataFrame) -> pl.DataFrame:
    """The wanted members that are acknowledged already, as changes."""
    there, named = same_member_type(wanted.members, due.select("member"))
    rest = there.join(named, on="member", how="anti", maintain_order="left")
    change, value = "enter", pl.lit("true")
    if wanted.valued:
        empty = pl.col("value").eq_missing(pl.lit(wanted.empty, pl.String))
        rest, change, value = rest.filter(pl.col("value").is_not_null() & ~empty), "set", pl.col("value")
    return rest.select("member", change=pl.lit(change, CHANGE), value=value, again=pl.lit(value=True))


def tried_and_held(due: pl.DataFrame, state: SyncState, occasion: Occasion) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The changes that are tried, and those that are not tried this time.

    Not tried is what the destination has accepted and will still say something about; and, but for a full re-sync and
    for who leaves for good, the very change that it refused again and again, until enough pushes have passed.

    Returns:
        The changes, and what is held: ``member`` (text), ``change``, ``value``, ``reason``, ``times`` refused.
    """
    accepted, refused = _accepted(state), _refused(state)
    some = due if accepted.height or refused.height else due.clear()
    named = some.select(
        pl.col("member").cast(pl.String), pl.col("change").cast(pl.String), "value", at=pl.int_range(pl.len())
    )
    out = named.join(accepted, on="member", how="inner")
    if occasion.mode == "replace":  # who enters by that work would be taken out with those who were there before
        out = out.filter((pl.col("sent") != "enter") | (pl.col("change") != "enter"))
    out = out.drop("sent")
    if occasion.mode not in {"full", "replace", "exits"}:
        again = named.join(refused, on=["member", "change", "value"], how="inner", nulls_equal=True)
        out = pl.concat([out, again]).unique("at", keep="first")
    held = out.sort("at")
    tried = due.filter(~pl.int_range(pl.len()).is_in(held["at"].implode())) if held.height else due
    return tried, held.drop("at")


def _accepted(state: SyncState) -> pl.DataFrame:
    """The members of work that the destination is still at, with the change that it is at."""
    return state.unknown.filter(pl.col("job").is_not_null()).select(
        pl.col("member").cast(pl.String),
        sent=pl.col("change").cast(pl.String),
        reason=pl.lit("accepted, not acknowledged yet"),
        times=pl.lit(0, pl.Int64),
    )


def _refused(state: SyncState) -> pl.DataFrame:
    """What was refused so often that it waits: for the second push after the fifth time, then the fourth, and so on."""
    steps = (pl.col("times") - PATIENT + 1).clip(0, RAREST.bit_length() - 1)
    waits = (pl.col("times") >= PATIENT) & (pl.col("since") < pl.lit(2, pl.Int64).pow(steps))
    return state.rejects.filter(waits).select(pl.col("member").cast(pl.String), "change", "value", "reason", "times")
