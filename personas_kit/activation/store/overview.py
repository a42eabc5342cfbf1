"""What the tables tell without the frames: how every sync stands, and the lines of the history."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from personas_kit.activation.standing import Standing, UnderWay
from personas_kit.activation.state import instant, moment
from personas_kit.activation.store.tables import Row, Tables
from personas_kit.activation.sync import Sync

_STANDING = """
    select s.*, p.members as acknowledged, u.lines as unknowns, u.accepted, j.since as accepted_since,
      r.lines as rejects
    from sync s
    left join (select sync_id, members, row_number() over (partition by sync_id order by position desc) as place_in_line
               from part) p on p.sync_id = s.id and p.place_in_line = 1
    left join (select sync_id, count(*) as lines, count(job) as accepted from unknown_member group by sync_id) u
      on u.sync_id = s.id
    left join (select sync_id, min(accepted_at) as since from job group by sync_id) j on j.sync_id = s.id
    left join (select sync_id, count(*) as lines from reject group by sync_id) r on r.sync_id = s.id
    order by s.definition, s.destination, s.call, s.place"""
_UNDER_WAY = """
    select p.sync_id, p.made_at, p.lines, p.stopped, b.sent, b.flying from plan p
    left join (select plan_id, sync_id, sum(to_line - from_line) as sent,
                 sum(case when state <> 'done' then 1 else 0 end) as flying
               from batch group by plan_id, sync_id) b on b.plan_id = p.id and b.sync_id = p.sync_id"""
RECENT = 5_000
"""So many of the last lines of the history are read at once, whosever they are."""


def standings(tables: Tables, count: Callable[[str], tuple[int, int]]) -> list[Standing]:
    """How every sync stands that there has ever been, by definition and destination.

    Args:
        tables: open.
        count: of a sync that a plan is under way for, how many members are acknowledged and unknown by now.
    """
    under_way = {row["sync_id"]: row for row in tables.rows(_UNDER_WAY)}
    return [_standing(row, under_way.get(row["id"]), count) for row in tables.rows(_STANDING)]


def runs(tables: Tables, limit: int, sync: Sync | None, states: Sequence[str]) -> list[dict[str, Any]]:
    """The last lines of the history, newest first: of one sync, or of some states, if these are given."""
    wanted = [*(["sync_id = ?"] if sync else []), *([f"state in ({', '.join('?' * len(states))})"] if states else [])]
    where = f"where {' and '.join(wanted)}" if wanted else ""
    values = (*([sync.id] if sync else []), *states, limit)
    query = f"select * from run {where} order by finished_at desc, sync_id limit ?"  # noqa: S608  (ours)
    return [run_of(row) for row in tables.rows(query, values)]


def latest(tables: Tables, each: int) -> dict[str, list[dict[str, Any]]]:
    """The last lines of the history of every sync, by its id, newest first.

    Most syncs are among the last lines of all; a sync that runs seldom is looked up by itself.
    """
    rows = tables.rows("select * from run order by finished_at desc, sync_id limit ?", (RECENT,))
    found: dict[str, list[Row]] = {row["id"]: [] for row in tables.rows("select id from sync")}
    for row in rows:
        found.setdefault(row["sync_id"], []).append(row)
    if len(rows) == RECENT:
        one = "select * from run where sync_id = ? order by finished_at desc limit ?"
        found |= {key: tables.rows(one, (key, each)) for key, own in found.items() if len(own) < each}
    return {key: [run_of(row) for row in own[:each]] for key, own in found.items()}


def run_of(row: Row) -> dict[str, Any]:
    """A line of the history: instants as such, what is a mapping as one."""
    instants = {name: moment(row[name]) for name in ("started_at", "finished_at", "as_of")}
    read = {name: json.loads(row[name]) for name in ("reasons", "guards", "overrides")}
    line = {"key": row["definition"], **row, **instants, **read}
    return {name: value for name, value in line.items() if name not in {"definition", "sync_id"}}


def _standing(row: Row, plan: Row | None, count: Callable[[str], tuple[int, int]]) -> Standing:
    acknowledged, unknown = row["acknowledged"] or 0, row["unknowns"] or 0
    under_way = None
    if plan is not None:
        acknowledged, unknown = count(row["id"])
        stopped = bool(plan["stopped"]) and not plan["flying"]
        under_way = UnderWay(moment(plan["made_at"]), plan["lines"], int(plan["sent"] or 0), stopped)
    return Standing(
        sync=Sync(row["definition"], row["destination"], row["call"], row["place"]),
        acknowledged=acknowledged,
        unknown=unknown,
        accepted=row["accepted"] or 0,
        accepted_since=instant(row["accepted_since"]),
        rejected=row["rejects"] or 0,
        members=row["members"],
        last_as_of=instant(row["last_as_of"]),
        last_push=instant(row["last_push"]),
        paused=bool(row["paused"]),
        figures=row["figures"],
        under_way=under_way,
    )
