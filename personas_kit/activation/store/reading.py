"""What the tables and frames say of one sync, as values. Nothing is changed here."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl

from personas_kit.activation.state import (
    Batch,
    Begun,
    Job,
    PlanHead,
    SyncState,
    acknowledged_lines,
    gaps,
    instant,
    moment,
    reject_frame,
    unknown_frame,
)
from personas_kit.activation.store.chain import Part, members_of
from personas_kit.activation.store.kept import whole
from personas_kit.activation.store.tables import Frames, Row, Tables
from personas_kit.activation.sync import Sync
from personas_kit.membership.changes import apply_changes, same_member_type

NOTHING = SyncState(
    pl.DataFrame(schema={"member": pl.String(), "value": pl.String()}),
    unknown_frame([], pl.String()),
    reject_frame([], pl.String()),
)
"""Of a sync that was never pushed."""


def state_of(tables: Tables, frames: Frames, sync_id: str, *, members: bool = True) -> SyncState:
    """What is known about a sync, as ``Store.recover`` would leave it.

    Args:
        tables: open.
        frames: where the members are.
        sync_id: of the sync; it may be new.
        members: its frames are opened; else nobody is acknowledged, and nothing is said of a plan under way.
    """
    found = tables.rows("select * from sync where id = ?", (sync_id,))
    if not found:
        return NOTHING
    row = found[0]
    member = pl.Int64() if row["integers"] else pl.String()
    unknown = tables.rows("select * from unknown_member where sync_id = ? order by message_id", (sync_id,))
    rejects = tables.rows("select * from reject where sync_id = ? order by member", (sync_id,))
    jobs = tables.rows("select * from job where sync_id = ? order by accepted_at, id", (sync_id,))
    acknowledged = members_of(frames, chain_of(tables, sync_id)) if members else None
    if acknowledged is None:
        columns = {"member": member, **({"value": pl.String()} if row["valued"] else {})}
        acknowledged = pl.DataFrame(schema=columns)
    state = SyncState(
        acknowledged=acknowledged,
        unknown=unknown_frame(unknown, member),
        rejects=reject_frame([{**line, "since": row["pushes"] - line["push"]} for line in rejects], member),
        jobs=tuple(Job(job["id"], job["handle"], moment(job["accepted_at"])) for job in jobs),
        version=row["version"], target=row["target"], fingerprint=row["fingerprint"], meaning=row["meaning"],
        figures=row["figures"],
        pushes=row["pushes"], members=row["members"], last_as_of=instant(row["last_as_of"]),
        last_push=instant(row["last_push"]), last_full=instant(row["last_full"]), paused=bool(row["paused"]),
    )  # fmt: skip
    for plan in tables.rows("select id, file from plan where sync_id = ?", (sync_id,)) if members else []:
        state = _with_plan(tables, frames, state, plan, sync_id)
    return state


def _with_plan(tables: Tables, frames: Frames, state: SyncState, plan: Row, sync_id: str) -> SyncState:
    """The state as if its plan were settled: what was acknowledged counts, what is in flight is unknown."""
    batches = batches_of(tables, plan["id"], sync_id)
    if not batches:
        return state
    lines = lines_of(frames, plan, sync_id)
    done = {batch: out for batch, word, out in batches if word == "done"}
    taken = acknowledged_lines(lines.lazy(), done).collect()
    flying = [
        lines[batch.start : batch.stop].with_columns(doubted=pl.lit(word == "doubted"))
        for batch, word, _ in batches
        if word != "done"
    ]
    landing = pl.concat(flying or [lines.clear().with_columns(doubted=pl.lit(value=False))]).select(
        "member", pl.col("change").cast(pl.String), "value", "message_id", "timestamp", "doubted",
        job=pl.lit(None, pl.String),
    )  # fmt: skip
    settled, landing = same_member_type(state.unknown, landing)
    stays = pl.col("doubted") & pl.col("member").is_in(settled.filter(pl.col("value").is_null())["member"].implode())
    landing = landing.filter(~stays).drop("doubted")
    return replace(
        state,
        acknowledged=apply_changes(state.acknowledged, taken),
        unknown=pl.concat([settled.join(landing, on="member", how="anti"), landing]),
    )


def known_syncs(tables: Tables) -> list[Sync]:
    """Every sync there has ever been, by definition and destination."""
    rows = tables.rows("select definition, destination, call, place from sync order by 1, 2, 3, 4")
    return [Sync(row["definition"], row["destination"], row["call"], row["place"]) for row in rows]


def begun_plan(tables: Tables, frames: Frames, sync: Sync) -> Begun | None:
    """The plan that was committed and is not folded, if there is one."""
    plans = tables.rows(
        "select p.*, s.target, s.valued from plan p join sync s on s.id = p.sync_id where p.sync_id = ?",
        (sync.id,),
    )
    if not plans:
        return None
    plan = plans[0]
    batches = batches_of(tables, plan["id"], sync.id)
    head = PlanHead(
        plan_id=plan["id"], sync=sync, as_of=moment(plan["as_of"]), made_at=moment(plan["made_at"]),
        fingerprint=plan["fingerprint"], target=plan["target"], wanted=plan["wanted"], valued=bool(plan["valued"]),
        meaning=plan["meaning"], figures=plan["figures"], full=bool(plan["everyone"]),
        replaces=plan["everyone"] > 1, overrides=json.loads(plan["overrides"]),
    )  # fmt: skip
    lines = lines_of(frames, plan, sync.id)
    sent = {batch: excluded for batch, _, excluded in batches}
    stopped = bool(plan["stopped"]) and all(word == "done" for _, word, _ in batches)
    return Begun(head, lines, tuple(gaps(sent, plan["lines"])), sent, stopped)


def lines_of(frames: Frames, plan: Row, sync_id: str) -> pl.DataFrame:
    """The changes of a plan, as it was begun with them.

    Raises:
        StateError: they are missing or damaged, or another version of the kit gave ids that this one would not give.
    """
    return whole(frames.read("plans", plan["file"]), plan["id"], sync_id)


def batches_of(tables: Tables, plan_id: str, sync_id: str) -> list[tuple[Batch, str, list[int]]]:
    """Every batch that was ever sent, with its state and what of it was not acknowledged."""
    rows = tables.rows(
        """select from_line, to_line, state, excluded from batch where plan_id = ? and sync_id = ?
           order by from_line""",
        (plan_id, sync_id),
    )
    return [(Batch(row["from_line"], row["to_line"]), row["state"], json.loads(row["excluded"])) for row in rows]


def chain_of(tables: Tables, sync_id: str) -> list[Part]:
    """The links of its acknowledged members; empty where nobody ever was."""
    rows = tables.rows("select kind, file, lines, members from part where sync_id = ? order by position", (sync_id,))
    return [Part(row["kind"], row["file"], row["lines"], row["members"]) for row in rows]


def kinds_of(known: Row) -> dict[str, bool]:
    """Of which kind the members of a sync are, for its chain."""
    return {"values": bool(known["valued"]), "integers": bool(known["integers"])}
