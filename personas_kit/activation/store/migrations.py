"""How a state of an older format becomes one of this format: in one transaction, with what was in flight kept so."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

import polars as pl

from personas_kit.activation.store.chain import Part, members_of
from personas_kit.activation.store.schema import VERSION, statements
from personas_kit.activation.store.tables import Frames

_OLD = ("sync", "part", "plan", "batch", "unknown", "reject", "run", "meta")


def migrate(db: sqlite3.Connection, version: int, frames: Frames) -> None:
    """Bring the tables of an older version up to date. Call it within a transaction.

    Raises:
        StateError: a frame that a plan points to is missing.
    """
    assert version == 1, version  # noqa: S101  (the only one before this)
    for table in _OLD:
        db.execute(f"alter table {table} rename to old_{table}")
    for statement in (*statements(), *statements("local.sql")):
        db.execute(statement)
    db.execute("insert into meta values ('version', ?)", (str(VERSION),))
    for statement in _COPIES:
        db.execute(statement)
    for (sync_id,) in db.execute("select distinct sync_id from old_part").fetchall():
        _parts(db, sync_id, frames)
    for plan in db.execute("select * from old_plan").fetchall():
        _plan(db, plan, frames)
    for table in _OLD:
        db.execute(f"drop table old_{table}")


#: Members were kept as the source has them; now they are text, and the sync says whether they are numbers.
_COPIES = (
    """insert into sync
       select id, definition, destination, call, place, target, fingerprint, '', '', version,
              (select count(*) from old_run r where r.sync_id = s.id and r.state in ('done', 'partial')),
              members, last_as_of, last_push, null, paused, valued,
              coalesce((select min(typeof(member) = 'integer') from
                         (select sync_id, member from old_unknown union all select sync_id, member from old_reject) m
                        where m.sync_id = s.id), 0)
         from old_sync s""",
    """insert into unknown_member
       select sync_id, cast(member as text), change, value, message_id, timestamp, null from old_unknown""",
    """insert into reject
       select r.sync_id, cast(r.member as text), r.change, r.value, r.reason, r.times, s.pushes, r.last_at
         from old_reject r join sync s on s.id = r.sync_id""",
    """insert into run
       select r.plan_id, r.sync_id, s.definition, s.destination, s.call, s.place, r.finished_at, r.finished_at, r.as_of,
              r.state, '', r.wanted, 0, 0, 0, r.acknowledged, r.rejected, r.unknown, 0, r.unsent, r.skipped, 0, 0,
              '{}', '{}',
              (select json_group_object(value, json_object('who', '', 'why', '')) from json_each(r.overrides))
         from old_run r join old_sync s on s.id = r.sync_id""",
)


def _parts(db: sqlite3.Connection, sync_id: str, frames: Frames) -> None:
    """The chain of a sync: how many members there are up to each part was not kept."""
    chain: list[Part] = []
    for row in db.execute("select * from old_part where sync_id = ? order by position", (sync_id,)).fetchall():
        chain.append(Part(row["kind"], row["file"], row["lines"], 0))
        whole = members_of(frames, chain)
        members = whole.height if whole is not None else 0
        line = (sync_id, row["position"], row["kind"], row["file"], row["lines"], members)
        db.execute("insert into part values (?, ?, ?, ?, ?, ?)", line)


def _plan(db: sqlite3.Connection, plan: sqlite3.Row, frames: Frames) -> None:
    """A plan that was begun: its batches had numbers, which stood in the frame beside each change, ascending."""
    sizes = frames.read("plans", plan["file"]).group_by("number", maintain_order=True).agg(size=pl.len())
    stops = dict(sizes.select("number", pl.col("size").cast(pl.Int64).cum_sum()).iter_rows())
    lengths = dict(sizes.iter_rows())
    db.execute(
        "insert into plan values (?, ?, ?, ?, ?, ?, ?, '', '', ?, 0, '{}', 0)",
        (plan["id"], plan["sync_id"], plan["file"], max(stops.values(), default=0), plan["as_of"], plan["as_of"],
         plan["fingerprint"], plan["wanted"]),
    )  # fmt: skip
    begun = db.execute(
        "select * from old_batch where plan_id = ? and sync_id = ? and state <> 'ready'", (plan["id"], plan["sync_id"])
    )
    for batch in begun.fetchall():
        _batch(db, batch, stops[batch["number"]], lengths)


def _batch(db: sqlite3.Connection, batch: sqlite3.Row, stop: int, lengths: Mapping[int, int]) -> None:
    excluded = json.dumps(json.loads(batch["excluded"]))
    db.execute(
        "insert into batch values (?, ?, ?, ?, ?, ?, ?)",
        (batch["plan_id"], batch["sync_id"], stop - lengths[batch["number"]], stop, batch["state"],
         batch["digest"] or "", excluded),
    )  # fmt: skip
