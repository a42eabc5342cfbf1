"""From what is wanted and what was acknowledged to the frozen lines of a plan, and the guards that look at them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import polars_hash

from personas_kit.activation.cadence import due_from, effective_interval
from personas_kit.activation.guards import Guard, key_guards, size_guards, time_guards
from personas_kit.activation.plan import SyncPlan
from personas_kit.activation.state import SyncState
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Wanted
from personas_kit.destinations.base import Computation, Connection
from personas_kit.membership import membership_changes, value_changes


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a plan is made for.

    Attributes:
        plan_id: 128 random bits as hex.
        as_of: the instant the members are of.
        every: seconds between two computations of the definition; 0 if it has no schedule.
        unattended: nobody looks at the plan before it is pushed.
    """

    plan_id: str
    as_of: dt.datetime
    every: int = 0
    unattended: bool = False


def plan_sync(
    sync: Sync,
    connection: Connection,
    computation: Computation,
    fingerprint: str,
    wanted: Wanted,
    state: SyncState,
    occasion: Occasion,
) -> SyncPlan:
    """The plan of one sync. Pure: reads no clock and no network.

    A state that another account acknowledged does not apply: everybody goes again, once a person agrees.
    """
    elsewhere = bool(state.target) and state.target != connection.target
    known = _nothing_of(state) if elsewhere else state
    due = _changes(wanted, known)
    lines = _lines(due, sync, wanted, known, occasion, fingerprint)
    every = effective_interval(occasion.every, connection.destination.minimum_interval)
    guards = _guards(connection, wanted, state, known, due, occasion)
    return SyncPlan(
        sync=sync,
        connection=connection,
        computation=computation,
        fingerprint=fingerprint,
        lines=lines,
        state=state,
        wanted=wanted.members.height,
        skipped=wanted.skipped,
        guards=tuple(guards),
        first=known.last_as_of is None,
        valued=wanted.valued,
        every=every,
    )


def _guards(
    connection: Connection, wanted: Wanted, state: SyncState, known: SyncState, due: pl.DataFrame, occasion: Occasion
) -> list[Guard]:
    """Every guard that fires. By hand only the destination's minimum counts, on a schedule the sync's interval."""
    every = occasion.every if occasion.unattended else 0
    next_tick = due_from(state.last_as_of, every, connection.destination.minimum_interval)
    guards = [*key_guards(wanted.problems), *_undecided(wanted), *_paused(state)]
    if known is not state:
        saw = "another account or list acknowledged this sync before; everyone would be sent again"
        guards.append(Guard("destination_changed", saw))
    guards += _size(wanted, known, due)
    guards += time_guards(as_of=occasion.as_of, last_as_of=state.last_as_of, due=next_tick)
    if occasion.unattended and known.last_as_of is None:
        guards.append(Guard("first_sync", f"a first push of {due.height:,} changes"))
    return guards


def _changes(wanted: Wanted, state: SyncState) -> pl.DataFrame:
    if wanted.valued:
        return value_changes(
            wanted.members.select("member", "value"), state.acknowledged, state.unknown, empty=wanted.empty
        )
    return membership_changes(wanted.members, state.acknowledged, state.unknown)


def _lines(
    due: pl.DataFrame,
    sync: Sync,
    wanted: Wanted,
    state: SyncState,
    occasion: Occasion,
    fingerprint: str,
) -> pl.DataFrame:
    """The changes with everything that a payload needs, and with message ids."""
    details = wanted.members.drop("value", strict=False)
    if due.schema["member"] != details.schema["member"]:
        details = details.cast({"member": due.schema["member"]})
    lines = due.join(details, on="member", how="left", maintain_order="left")
    text = pl.col("member").cast(pl.String)
    columns = {
        "user_id": None if sync.call in {"group", "list"} else text,
        "account_id": text if sync.call == "group" else None,
    }
    lines = lines.with_columns(
        pl.lit(None, pl.String).alias(name) if value is None else value.alias(name) for name, value in columns.items()
    )
    lines = _with_message_ids(lines, sync, state, occasion)
    return lines.with_columns(cause=_cause(state, fingerprint))


def _with_message_ids(lines: pl.DataFrame, sync: Sync, state: SyncState, occasion: Occasion) -> pl.DataFrame:
    """Deterministic ids; a change that was sent before with an unknown outcome keeps its id and its timestamp."""
    content = pl.concat_str(
        pl.lit(f"{occasion.plan_id}\n{sync.id}"),
        pl.col("member").cast(pl.String),
        pl.col("change").cast(pl.String),
        "value",
        separator="\n",
    )
    fresh = lines.with_columns(content=content).with_columns(
        fresh_id=pl.concat_str(pl.lit("personas_"), polars_hash.col("content").nchash.xxh3_128().cast(pl.String))
    )
    member = lines.schema["member"]
    sent = state.unknown.cast({"member": member}).select(
        "member",
        "value",
        sent_change="change",
        sent_id="message_id",
        sent_at="timestamp",
    )
    before = fresh.join(
        sent.select("member", was_unknown=pl.lit(value=True)), on="member", how="left", maintain_order="left"
    ).join(sent, on=["member", "value"], how="left", maintain_order="left")
    same = (pl.col("sent_change") == pl.col("change").cast(pl.String)).fill_null(value=False)
    return before.with_columns(
        message_id=pl.when(same).then("sent_id").otherwise("fresh_id"),
        timestamp=pl.when(same).then("sent_at").otherwise(pl.lit(occasion.as_of, pl.Datetime("us", "UTC"))),
        was_unknown=pl.col("was_unknown").fill_null(value=False),
    ).drop("content", "fresh_id", "sent_change", "sent_id", "sent_at")


def _cause(state: SyncState, fingerprint: str) -> pl.Expr:
    if state.last_as_of is None:
        usual = "first push"
    elif state.fingerprint != fingerprint:
        usual = "definition edited"
    else:
        usual = "data"
    return pl.when("was_unknown").then(pl.lit("outcome was unknown")).otherwise(pl.lit(usual))


def _size(wanted: Wanted, state: SyncState, due: pl.DataFrame) -> Sequence[Guard]:
    """The size guards; never on a first push, except that nobody may be emptied."""
    if wanted.valued:
        return ()
    before = max(state.members, 0)
    leave, enter = int((due["change"] == "exit").sum()), int((due["change"] == "enter").sum())
    if state.last_as_of is None:
        held = state.acknowledged.height
        return [guard for guard in size_guards(wanted=wanted.members.height, before=held, enter=0, leave=0) if held]
    return size_guards(wanted=wanted.members.height, before=before, enter=enter, leave=leave)


def _undecided(wanted: Wanted) -> list[Guard]:
    if not wanted.undecided.height:
        return []
    shown = ", ".join(str(user) for user in wanted.undecided["user_id"].head(3))
    saw = (
        f"{wanted.undecided.height:,} users belong to accounts whose values differ, such as {shown}: "
        'say combine = "max", "min", "sum" or "list"'
    )
    return [Guard("undecided_values", saw, final=True)]


def _paused(state: SyncState) -> list[Guard]:
    return [Guard("paused", "a person paused this sync", final=True)] if state.paused else []


def _nothing_of(state: SyncState) -> SyncState:
    return SyncState(state.acknowledged.clear(), state.unknown.clear(), state.rejects.clear(), version=state.version)
