"""The changes of the tables within one transaction of a plan, and of what it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from personas_kit.activation.state import Batch, BatchResult, PlanHead, microseconds
from personas_kit.activation.store.chain import Part
from personas_kit.activation.store.doubts import still_doubted
from personas_kit.activation.store.settling import Settlement, forget_all, settle
from personas_kit.activation.store.tables import Row, Tables
from personas_kit.activation.sync import Sync
from personas_kit.errors import StateError


def register(tables: Tables, head: PlanHead, *, integers: bool) -> None:
    """The row of the sync, made if it is new; emptied if another account acknowledged it."""
    sync = head.sync
    found = tables.rows("select target, valued, integers from sync where id = ?", (sync.id,))
    if not found:
        tables.run(
            """insert into sync (id, definition, destination, call, place, target, fingerprint, meaning, figures,
                 version, pushes, members, paused, valued, integers)
               values (?, ?, ?, ?, ?, ?, '', '', '', 0, 0, 0, 0, ?, ?)""",
            (sync.id, sync.key, sync.destination, sync.call, sync.place, head.target, int(head.valued), int(integers)),
        )
        return
    if found[0]["target"] != head.target:
        forget_all(tables, sync.id)
        tables.run("update sync set target = ? where id = ?", (head.target, sync.id))
        move_on(tables, sync.id)
    if bool(found[0]["valued"]) != head.valued:  # nobody is there any more: what says so is of the other kind
        tables.run("delete from part where sync_id = ?", (sync.id,))
        tables.run("update sync set valued = ? where id = ?", (int(head.valued), sync.id))
    if found[0]["integers"] and not integers:  # ids that were numbers once, and are texts now, stay texts
        tables.run("update sync set integers = 0 where id = ?", (sync.id,))


def note_plan(tables: Tables, head: PlanHead, file: str, lines: int) -> None:
    """A plan, with the frame of its changes, and how many these are."""
    tables.run(
        "insert into plan values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (head.plan_id, head.sync.id, file, lines, microseconds(head.as_of), microseconds(head.made_at),
         head.fingerprint, head.meaning, head.figures, head.wanted, int(head.full) + int(head.replaces),
         json.dumps({name: dict(each) for name, each in head.overrides.items()})),
    )  # fmt: skip


def mark_sending(tables: Tables, plan_id: str, sync: Sync, batch: Batch, digest: str) -> None:
    """From here on the outcome of a batch is unknown.

    Raises:
        StateError: a part of it was sent before, or the plan is gone.
    """
    crossing = tables.rows(
        "select 1 as one from batch where plan_id = ? and sync_id = ? and from_line < ? and to_line > ?",
        (plan_id, sync.id, batch.stop, batch.start),
    )
    if crossing or not tables.rows("select 1 as one from plan where id = ? and sync_id = ?", (plan_id, sync.id)):
        raise StateError(
            "a batch was about to be sent twice", where=f"{sync}, lines {batch.start}-{batch.stop}", hint="plan again"
        )
    tables.run(
        "insert into batch values (?, ?, ?, ?, 'sending', ?, '[]')",
        (plan_id, sync.id, batch.start, batch.stop, digest),
    )


def settle_batch(about: Settlement, plan_id: str, batch: Batch, lines: pl.DataFrame, result: BatchResult) -> None:
    """Note the outcome of a batch. What was not sent at its end is no part of it: it goes with a later one.

    Of a batch that was under way when a doubt was noted, the members in doubt stay so.
    """
    word = "select state from batch where plan_id = ? and sync_id = ? and from_line = ?"
    if [row["state"] for row in about.tables.rows(word, (plan_id, about.sync_id, batch.start))] == ["doubted"]:
        lines, result = still_doubted(about.tables, about.sync_id, lines, result)
    unsent = set(result.unsent)
    size = lines.height
    while size and size - 1 in unsent:
        size -= 1
    kept = replace(result, unsent={at for at in unsent if at < size})
    excluded = settle(about, lines[:size], kept)
    which = (plan_id, about.sync_id, batch.start)
    if size:
        about.tables.run(
            """update batch set state = 'done', excluded = ?, to_line = ?
               where plan_id = ? and sync_id = ? and from_line = ?""",
            (json.dumps(excluded), batch.start + size, *which),
        )
    else:
        about.tables.run("delete from batch where plan_id = ? and sync_id = ? and from_line = ?", which)


def note_finished(tables: Tables, plan: Row, at: int) -> None:
    """Every change of a plan was tried by then, in microseconds."""
    tables.run(
        """update sync set members = ?, last_as_of = ?, last_push = ?, fingerprint = ?, meaning = ?,
             figures = ?, pushes = pushes + 1 where id = ?""",
        (plan["wanted"], plan["as_of"], at, plan["fingerprint"], plan["meaning"], plan["figures"], plan["sync_id"]),
    )
    if plan["everyone"]:
        tables.run("update sync set last_full = ? where id = ?", (plan["as_of"], plan["sync_id"]))
    move_on(tables, plan["sync_id"])


def drop_plan(tables: Tables, plan_id: str, sync_id: str) -> None:
    """It is part of the acknowledged members by now."""
    for table, column in (("batch", "plan_id"), ("plan", "id")):
        tables.run(f"delete from {table} where {column} = ? and sync_id = ?", (plan_id, sync_id))  # noqa: S608  (ours)


def point_to(tables: Tables, sync_id: str, parts: Iterable[Part]) -> None:
    """These are its acknowledged members."""
    tables.run("delete from part where sync_id = ?", (sync_id,))
    tables.many(
        "insert into part values (?, ?, ?, ?, ?, ?)",
        [(sync_id, at, part.kind, part.file, part.lines, part.members) for at, part in enumerate(parts)],
    )


def move_on(tables: Tables, sync_id: str) -> None:
    """Plans made before this are stale."""
    tables.run("update sync set version = version + 1 where id = ?", (sync_id,))
