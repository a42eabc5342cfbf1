"""Keeps what each destination acknowledged, so that a crash at any instant loses nothing.

Large things are frames (``tables.Frames``): the acknowledged members of a sync are a base and an ordered chain of
changes (``chain.py``); the changes of a plan are one frame, in the order in which they are sent. Small things are rows
(``schema.sql``): the pointers to these frames, a row per batch, the unknown members, the rejects, the runs. Nothing per
member is written while sending; a finished plan is *folded*: one frame of changes is written beside the others, then
one transaction points to it and drops the plan.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from personas_kit.activation.forgetting import Forgotten
from personas_kit.activation.standing import Standing
from personas_kit.activation.state import (
    Batch,
    BatchResult,
    Begun,
    Job,
    PlanHead,
    SyncState,
    acknowledged_lines,
    gaps,
    instant,
    microseconds,
    moment,
    reject_frame,
    unknown_frame,
)
from personas_kit.activation.store import overview
from personas_kit.activation.store.chain import Outline, Part, begun, lengthened, members_of
from personas_kit.activation.store.doubts import contradicting, note_doubts, still_doubted
from personas_kit.activation.store.kept import kept, whole
from personas_kit.activation.store.settling import Settlement, forget_all, settle
from personas_kit.activation.store.tables import Frames, Journal, Locks, Row, Tables
from personas_kit.activation.sync import Sync
from personas_kit.clock import Clock
from personas_kit.errors import StateError
from personas_kit.membership.changes import apply_changes, same_member_type

_NOTHING = SyncState(
    pl.DataFrame(schema={"member": pl.String(), "value": pl.String()}),
    unknown_frame([], pl.String()),
    reject_frame([], pl.String()),
)


class Store:
    """The life of syncs and plans, wherever the tables and frames are."""

    batch_lines = 50_000
    """How many changes are noted together at most: what may be unknown after a crash, for each lane."""
    beside = True
    """Whether it can be written while the warehouse answers a long query."""

    def __init__(self, journal: Journal, frames: Frames, locks: Locks, clock: Clock) -> None:
        self._journal = journal
        self._frames = frames
        self._locks = locks
        self._clock = clock

    def check(self) -> str:
        """Where the state is kept, in words for people; whether it can be written is tried.

        Raises:
            StateError: it cannot.
        """
        return self._journal.check()

    # --- reading -----------------------------------------------------------------------------------------------------

    def outline(self, sync: Sync) -> Outline:
        """What is known about the sync now, and where its acknowledged members lie, which are not opened."""
        if not self._journal.present():
            return Outline(_NOTHING)
        with self._journal.reading() as tables:
            state = self._load(tables, sync.id, members=False)
            begun = tables.rows("select plan_id from batch where sync_id = ? limit 1", (sync.id,))
            return Outline(state, tuple(_chain(tables, sync.id)), cut_short=bool(begun))

    def place(self, table: str) -> tuple[str, ...]:  # noqa: ARG002  (of a store in a warehouse)
        """The name of a table, part by part, as queries of the workspace's warehouse find it; empty if they do not."""
        return ()

    def load(self, sync: Sync) -> SyncState:
        """What is known about the sync now. Changes nothing: a plan that was cut short is settled by ``recover``."""
        if not self._journal.present():
            return _NOTHING
        with self._journal.reading() as tables:
            try:
                return self._load(tables, sync.id)
            except StateError:
                pass  # a push elsewhere may have folded between the pointers and the frames: look once more
        with self._journal.reading() as tables:
            return self._load(tables, sync.id)

    def syncs(self) -> list[tuple[Sync, SyncState]]:
        """Every sync there has ever been, with its state, by definition and destination."""
        if not self._journal.present():
            return []
        with self._journal.reading() as tables:
            rows = tables.rows("select definition, destination, call, place from sync order by 1, 2, 3, 4")
            found = [Sync(row["definition"], row["destination"], row["call"], row["place"]) for row in rows]
            return [(sync, self._load(tables, sync.id)) for sync in found]

    def begun(self, sync: Sync) -> Begun | None:
        """The plan that was committed and is not folded, if there is one."""
        if not self._journal.present():
            return None
        with self._journal.reading() as tables:
            plans = tables.rows(
                "select p.*, s.target, s.valued from plan p join sync s on s.id = p.sync_id where p.sync_id = ?",
                (sync.id,),
            )
            if not plans:
                return None
            plan = plans[0]
            batches = _batches(tables, plan["id"], sync.id)
        head = PlanHead(
            plan_id=plan["id"], sync=sync, as_of=moment(plan["as_of"]), made_at=moment(plan["made_at"]),
            fingerprint=plan["fingerprint"], target=plan["target"], wanted=plan["wanted"], valued=bool(plan["valued"]),
            meaning=plan["meaning"], figures=plan["figures"], full=bool(plan["everyone"]),
            overrides=json.loads(plan["overrides"]),
        )  # fmt: skip
        lines = self._lines(plan["file"], plan["id"], sync.id)
        sent = {batch: excluded for batch, _, excluded in batches}
        stopped = bool(plan["stopped"]) and all(word == "done" for _, word, _ in batches)
        return Begun(head, lines, tuple(gaps(sent, plan["lines"])), sent, stopped)

    def waiting(self, plan_id: str, sync: Sync) -> list[Batch]:
        """The stretches of a plan that were not sent yet, in order; empty if the plan is gone."""
        with self._journal.reading() as tables:
            plan = tables.rows("select lines from plan where id = ? and sync_id = ?", (plan_id, sync.id))
            sent = [batch for batch, _, _ in _batches(tables, plan_id, sync.id)]
        return gaps(sent, plan[0]["lines"]) if plan else []

    def holds(self, plan_id: str, sync: Sync) -> bool:
        """Whether the plan was begun and is not folded yet."""
        if not self._journal.present():
            return False
        with self._journal.reading() as tables:
            return bool(tables.rows("select 1 as one from plan where id = ? and sync_id = ?", (plan_id, sync.id)))

    # --- one runner at a time ----------------------------------------------------------------------------------------

    def lock(self, sync: Sync) -> contextlib.AbstractContextManager[None]:
        """Hold the sync. Nobody waits.

        Raises:
            SyncBusy: somebody else holds it.
        """
        return self._locks.hold(sync)

    def still_held(self, sync: Sync) -> None:
        """Before a request leaves: whether the sync is still ours.

        Raises:
            SyncBusy: somebody else has taken it over.
        """
        self._locks.still_held(sync)

    # --- the life of a plan ------------------------------------------------------------------------------------------

    def recover(self, sync: Sync) -> bool:
        """Settle a plan that was cut short: fold what was acknowledged; what was in flight becomes unknown.

        Call it with the lock held. Unsent changes are dropped: who wanted them may have left since.

        Returns:
            Whether there was one.
        """
        if not self._journal.present():
            return False
        with self._journal.reading() as tables:
            cut_short = tables.rows("select id, file from plan where sync_id = ?", (sync.id,))
        self._frames.keep_only("plans", sync.id, {plan["file"] for plan in cut_short})
        for plan in cut_short:
            self.fold(plan["id"], sync, finished=False)
        return bool(cut_short)

    def begin(self, head: PlanHead, lines: pl.DataFrame, *, adopted: Sequence[Batch] = ()) -> None:
        """Commit a plan: its changes as a frame, and what it is for. Nothing may be sent before this returns.

        If another account acknowledged the sync before, that is forgotten here.

        Args:
            head: what it is for.
            lines: the changes in the order in which they are sent: ``member``, ``change``, ``value``, ``message_id``,
                ``timestamp``, and all that a payload needs.
            adopted: stretches of them that are acknowledged without being sent.
        """
        sync = head.sync
        file = self._frames.write("plans", f"{head.plan_id}-{sync.id}", kept(lines) if head.derived else lines)
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            _registered(tables, head, integers=lines.schema["member"].is_integer())
            tables.run(
                "insert into plan values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
                (head.plan_id, sync.id, file, lines.height, microseconds(head.as_of), microseconds(head.made_at),
                 head.fingerprint, head.meaning, head.figures, head.wanted, int(head.full),
                 json.dumps({name: dict(each) for name, each in head.overrides.items()})),
            )  # fmt: skip
            tables.many(
                "insert into batch values (?, ?, ?, ?, 'done', '', '[]')",
                [(head.plan_id, sync.id, batch.start, batch.stop) for batch in adopted],
            )
            about = Settlement(tables, sync.id, microseconds(self._clock.now()))
            for batch in adopted:  # what was unknown of them, or refused, is no more
                settle(about, lines[batch.start : batch.stop], BatchResult())
            if adopted:
                _move_on(tables, sync.id)

    def advance(
        self,
        plan_id: str,
        sync: Sync,
        *,
        settled: Sequence[tuple[Batch, pl.DataFrame, BatchResult]] = (),
        sending: Mapping[Batch, str] | None = None,
    ) -> None:
        """Note what became of batches, and which ones are about to be sent, in one transaction.

        From here on the outcome of the latter is unknown, until they are settled.

        Args:
            plan_id: of the plan.
            sync: of the plan.
            settled: the batches whose outcome is known now, with their lines in order.
            sending: the batches that are about to be sent -> the digest of their bytes.

        Raises:
            StateError: one of them was sent before.
            SyncBusy: somebody else has taken the sync over.
        """
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            for batch, lines, result in settled:
                self._settle(tables, plan_id, sync.id, batch, lines, result)
            for batch, digest in (sending or {}).items():
                _mark_sending(tables, plan_id, sync, batch, digest)
            _move_on(tables, sync.id)

    def doubt(self, sync: Sync, lines: pl.DataFrame) -> int:
        """Note what a runner that lost the sync may have sent after it was lost. Call it once nothing more can leave.

        Its late request may have overwritten what the new holder sent, and nobody else knows. So its members are
        unknown from here on, without a value: nothing that was sent before is repeated under its old id, which a
        destination would take for a repetition. A member is settled again only by a change that left after this:

        - what the holder marks after this leaves after this, and settles it;
        - what the holder has under way may have arrived before the late request or after it: its batches are marked,
          and whatever their answers, those of its members that are in doubt stay so (``_settle``);
        - what the holder had settled before stays acknowledged, and the doubt stands beside it, also when it is folded.

        A change that says what is acknowledged anyway, and that nothing under way contradicts, is no doubt: whichever
        came last, the destination holds the same.

        Args:
            sync: that was lost. Nothing happens if it was not: its next plan finds out by itself what was in flight.
            lines: the changes, of the plan that was being pushed.

        Returns:
            How many members are in doubt.
        """
        if self._locks.lasting or not self._journal.present():
            return 0
        doubted = contradicting(lines, self.load(sync))
        with self._journal.writing() as tables:
            if not self._locks.lost(tables, sync) or not doubted.height:
                return 0
            note_doubts(Settlement(tables, sync.id, microseconds(self._clock.now())), doubted)
            tables.run("update batch set state = 'doubted' where sync_id = ? and state = 'sending'", (sync.id,))
            _move_on(tables, sync.id)
        return doubted.height

    def settle_in_flight(self, plan_id: str, sync: Sync) -> None:
        """Call unknown what a batch in flight was about, because nobody is waiting for its answer any more."""
        with self._journal.reading() as tables:
            plan = tables.rows("select file from plan where id = ? and sync_id = ?", (plan_id, sync.id))
            flying = [batch for batch, state, _ in _batches(tables, plan_id, sync.id) if state != "done"]
        if not flying:
            return
        lines = self._lines(plan[0]["file"], plan_id, sync.id)
        with self._journal.writing() as tables:  # everybody saw these members as unknown already: no plan is stale
            self._locks.assert_held(tables, sync.id)
            for batch in flying:
                result = BatchResult(unknown=range(batch.stop - batch.start))
                self._settle(tables, plan_id, sync.id, batch, lines[batch.start : batch.stop], result)

    def stop(self, plan_id: str, sync: Sync) -> None:
        """Note that the plan was stopped in good order, so that it may go on later, in this process or another one."""
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            tables.run("update plan set stopped = 1 where id = ? and sync_id = ?", (plan_id, sync.id))

    def fold(self, plan_id: str, sync: Sync, *, finished: bool, lines: pl.DataFrame | None = None) -> None:
        """Make what a plan had acknowledged part of the acknowledged members, and drop the plan. Safe to repeat.

        Args:
            plan_id: of the plan; nothing happens if it is gone.
            sync: of the plan.
            finished: every change was tried; else it was given up, and what was not sent is dropped.
            lines: those it was begun with, where they are at hand; else they are read.

        Raises:
            SyncBusy: somebody else has taken the sync over; what they do with the plan is theirs.
        """
        if not self._journal.present():
            return
        self.settle_in_flight(plan_id, sync)
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            found = tables.rows("select * from plan where id = ? and sync_id = ?", (plan_id, sync.id))
            if not found:
                return
            (plan,) = found
            (known,) = tables.rows("select valued, integers from sync where id = ?", (sync.id,))
            done = {batch: excluded for batch, _, excluded in _batches(tables, plan_id, sync.id)}
            chain = _chain(tables, sync.id)
        taken = acknowledged_lines(self._frames.scan("plans", plan["file"]) if lines is None else lines.lazy(), done)
        if chain:
            parts = lengthened(self._frames, sync.id, chain, taken.collect(), **_kinds(known))
        else:
            parts = [begun(self._frames, sync.id, taken, plan["lines"], values=bool(known["valued"]))]
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            _point_to(tables, sync.id, parts)
            if finished:
                tables.run(
                    """update sync set members = ?, last_as_of = ?, last_push = ?, fingerprint = ?, meaning = ?,
                         figures = ?, pushes = pushes + 1 where id = ?""",
                    (plan["wanted"], plan["as_of"], microseconds(self._clock.now()), plan["fingerprint"],
                     plan["meaning"], plan["figures"], sync.id),
                )  # fmt: skip
                if plan["everyone"]:
                    tables.run("update sync set last_full = ? where id = ?", (plan["as_of"], sync.id))
                _move_on(tables, sync.id)
            for table, column in (("batch", "plan_id"), ("plan", "id")):
                tables.run(f"delete from {table} where {column} = ? and sync_id = ?", (plan_id, sync.id))  # noqa: S608
        self._frames.keep_only("plans", sync.id, ())
        self._frames.keep_only("members", sync.id, {part.file for part in (*chain, *parts)})

    def conclude(self, job: Job, sync: Sync, rejected: Mapping[object, str], *, unknown: bool = False) -> None:
        """Note what the destination said in the end about work that it had accepted.

        Args:
            job: the work.
            sync: whose it is. Call it with the lock held, and no plan begun.
            rejected: member -> reason; the others were acknowledged.
            unknown: it says nothing any more: its members are due again.
        """
        with self._journal.reading() as tables:
            state = self._load(tables, sync.id, members=False)
            (known,) = tables.rows("select valued, integers from sync where id = ?", (sync.id,))
            chain = _chain(tables, sync.id)
        lines = state.unknown.filter(pl.col("job") == job.id)
        refused = pl.Series("member", [*rejected], dtype=lines.schema["member"])
        taken = lines.clear() if unknown else lines.filter(~pl.col("member").is_in(refused.implode()))
        parts = lengthened(self._frames, sync.id, chain, taken, **_kinds(known))
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            _point_to(tables, sync.id, parts)
            tables.run("delete from job where sync_id = ? and id = ?", (sync.id, job.id))
            if unknown:
                tables.run("update unknown_member set job = null where sync_id = ? and job = ?", (sync.id, job.id))
            else:
                tables.run("delete from unknown_member where sync_id = ? and job = ?", (sync.id, job.id))
                at = {member: position for position, member in enumerate(lines["member"])}
                result = BatchResult(rejected={at[member]: reason for member, reason in rejected.items()})
                settle(Settlement(tables, sync.id, microseconds(self._clock.now())), lines, result)
            _move_on(tables, sync.id)
        self._frames.keep_only("members", sync.id, {part.file for part in (*chain, *parts)})

    # --- the history -------------------------------------------------------------------------------------------------

    def note_run(self, line: Mapping[str, object]) -> None:
        """Add a line to the history, with the columns of ``run``; instants as such, what is a mapping as JSON."""
        values = {name: _plain(value) for name, value in line.items()}
        with self._journal.writing() as tables:
            tables.run(
                f"insert into run ({', '.join(values)}) values ({', '.join('?' * len(values))})",  # noqa: S608  (ours)
                tuple(values.values()),
            )

    def runs(self, limit: int = 20, sync: Sync | None = None, *, states: Sequence[str] = ()) -> list[dict[str, Any]]:
        """The last lines of the history, newest first: of one sync, or of some states, if these are given."""
        if not self._journal.present():
            return []
        with self._journal.reading() as tables:
            return overview.runs(tables, limit, sync, states)

    def latest(self, each: int) -> dict[str, list[dict[str, Any]]]:
        """The last lines of the history of every sync, by its id, newest first."""
        if not self._journal.present():
            return {}
        with self._journal.reading() as tables:
            return overview.latest(tables, each)

    def standings(self) -> list[Standing]:
        """How every sync stands that there has ever been. Members are opened only where a plan is under way."""
        if not self._journal.present():
            return []
        with self._journal.reading() as tables:

            def count(sync_id: str) -> tuple[int, int]:
                state = self._load(tables, sync_id)
                return state.acknowledged.height, state.unknown.height

            return overview.standings(tables, count)

    def prune(self, before: dt.datetime) -> None:
        """Forget the lines of the history of what ended before that."""
        with self._journal.writing() as tables:
            tables.run("delete from run where finished_at < ?", (microseconds(before),))

    # --- by hand -----------------------------------------------------------------------------------------------------

    def reset(self, sync: Sync) -> None:
        """Forget what was acknowledged: the next push is a first sync. The history stays."""
        if not self._journal.present():
            return
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            forget_all(tables, sync.id)
            _move_on(tables, sync.id)
        self._frames.keep_only("members", sync.id, ())
        self._frames.keep_only("plans", sync.id, ())

    def pause(self, sync: Sync, *, paused: bool) -> bool:
        """Pause a sync or let it go on: plans made before are stale. Returns whether there is such a sync."""
        if not self._journal.present():
            return False
        with self._journal.writing() as tables:
            _move_on(tables, sync.id)
            return tables.run("update sync set paused = ? where id = ?", (int(paused), sync.id)) == 1

    def forgotten(self) -> Forgotten:
        """Who must never be sent again."""
        if not self._journal.present():
            return Forgotten()
        with self._journal.reading() as tables:
            return _forgotten(tables)

    def forget(self, user: str) -> None:
        """From now on no plan has this user among the wanted. What is acknowledged of it stays until ``erase``."""
        with self._journal.writing() as tables:
            # A change of a line makes sure that nobody else is at it: two keys would be one too many.
            tables.run("update meta set value = value where name = 'version'")
            known = _forgotten(tables)
            if not known.key:
                known = Forgotten(secrets.token_hex(32))
                tables.run("insert into meta values ('forget_key', ?)", (known.key,))
            if user not in known:
                tables.run("insert into forgotten values (?, ?)", (known.mark(user), microseconds(self._clock.now())))

    def erase(self, sync: Sync, member: str) -> None:
        """Remove every trace of a member from what is known about a sync. Call it with the lock held, no plan begun.

        Args:
            sync: the sync.
            member: as text.
        """
        with self._journal.reading() as tables:
            chain = _chain(tables, sync.id)
            known = tables.rows("select valued, integers from sync where id = ?", (sync.id,))
        if not known:
            return
        gone = pl.DataFrame({"member": [member], "change": ["exit"], "value": ["null"]})
        if known[0]["integers"]:
            gone = gone.cast({"member": pl.Int64})
        parts = lengthened(self._frames, sync.id, chain, gone, **_kinds(known[0]), compact=True) if chain else []
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            _point_to(tables, sync.id, parts)
            for table in ("unknown_member", "reject"):
                tables.run(f"delete from {table} where sync_id = ? and member = ?", (sync.id, member))  # noqa: S608
            _move_on(tables, sync.id)
        self._frames.keep_only("members", sync.id, {part.file for part in parts})
        self._frames.keep_only("plans", sync.id, ())

    # --- inside ------------------------------------------------------------------------------------------------------

    def _lines(self, file: str, plan_id: str, sync_id: str) -> pl.DataFrame:
        """The changes of a plan, as it was begun with them."""
        return whole(self._frames.read("plans", file), plan_id, sync_id)

    def _load(self, tables: Tables, sync_id: str, *, members: bool = True) -> SyncState:
        found = tables.rows("select * from sync where id = ?", (sync_id,))
        if not found:
            return _NOTHING
        row = found[0]
        member = pl.Int64() if row["integers"] else pl.String()
        unknown = tables.rows("select * from unknown_member where sync_id = ? order by message_id", (sync_id,))
        rejects = tables.rows("select * from reject where sync_id = ? order by member", (sync_id,))
        jobs = tables.rows("select * from job where sync_id = ? order by accepted_at, id", (sync_id,))
        acknowledged = members_of(self._frames, _chain(tables, sync_id)) if members else None
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
            state = self._with_plan(tables, state, plan, sync_id)
        return state

    def _with_plan(self, tables: Tables, state: SyncState, plan: Row, sync_id: str) -> SyncState:
        """The state as ``recover`` would leave it: what was acknowledged counts, what is in flight is unknown."""
        batches = _batches(tables, plan["id"], sync_id)
        if not batches:
            return state
        lines = self._lines(plan["file"], plan["id"], sync_id)
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
        stays = pl.col("doubted") & pl.col("member").is_in(
            settled.filter(pl.col("value").is_null())["member"].implode()
        )
        landing = landing.filter(~stays).drop("doubted")
        return replace(
            state,
            acknowledged=apply_changes(state.acknowledged, taken),
            unknown=pl.concat([settled.join(landing, on="member", how="anti"), landing]),
        )

    def _settle(
        self, tables: Tables, plan_id: str, sync_id: str, batch: Batch, lines: pl.DataFrame, result: BatchResult
    ) -> None:
        """Note the outcome of a batch. What was not sent at its end is no part of it: it goes with a later one.

        Of a batch that was under way when a doubt was noted, the members in doubt stay so.
        """
        word = "select state from batch where plan_id = ? and sync_id = ? and from_line = ?"
        if [row["state"] for row in tables.rows(word, (plan_id, sync_id, batch.start))] == ["doubted"]:
            lines, result = still_doubted(tables, sync_id, lines, result)
        unsent = set(result.unsent)
        size = lines.height
        while size and size - 1 in unsent:
            size -= 1
        kept = replace(result, unsent={at for at in unsent if at < size})
        excluded = settle(Settlement(tables, sync_id, microseconds(self._clock.now())), lines[:size], kept)
        which = (plan_id, sync_id, batch.start)
        if size:
            tables.run(
                """update batch set state = 'done', excluded = ?, to_line = ?
                   where plan_id = ? and sync_id = ? and from_line = ?""",
                (json.dumps(excluded), batch.start + size, *which),
            )
        else:
            tables.run("delete from batch where plan_id = ? and sync_id = ? and from_line = ?", which)


def _forgotten(tables: Tables) -> Forgotten:
    key = tables.rows("select value from meta where name = 'forget_key'")
    marks = tables.rows("select mark from forgotten")
    return Forgotten(key[0]["value"] if key else "", frozenset(row["mark"] for row in marks))


def _registered(tables: Tables, head: PlanHead, *, integers: bool) -> None:
    """The row of the sync, made if it is new; emptied if another account acknowledged it."""
    sync = head.sync
    found = tables.rows("select target, integers from sync where id = ?", (sync.id,))
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
        _move_on(tables, sync.id)
    if found[0]["integers"] and not integers:  # ids that were numbers once, and are texts now, stay texts
        tables.run("update sync set integers = 0 where id = ?", (sync.id,))


def _mark_sending(tables: Tables, plan_id: str, sync: Sync, batch: Batch, digest: str) -> None:
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


def _move_on(tables: Tables, sync_id: str) -> None:
    """Plans made before this are stale."""
    tables.run("update sync set version = version + 1 where id = ?", (sync_id,))


def _batches(tables: Tables, plan_id: str, sync_id: str) -> list[tuple[Batch, str, list[int]]]:
    """Every batch that was ever sent, with its state and what of it was not acknowledged."""
    rows = tables.rows(
        """select from_line, to_line, state, excluded from batch where plan_id = ? and sync_id = ?
           order by from_line""",
        (plan_id, sync_id),
    )
    return [(Batch(row["from_line"], row["to_line"]), row["state"], json.loads(row["excluded"])) for row in rows]


def _kinds(known: Row) -> dict[str, bool]:
    """Of which kind the members of a sync are, for its chain."""
    return {"values": bool(known["valued"]), "integers": bool(known["integers"])}


def _chain(tables: Tables, sync_id: str) -> list[Part]:
    rows = tables.rows("select kind, file, lines, members from part where sync_id = ? order by position", (sync_id,))
    return [Part(row["kind"], row["file"], row["lines"], row["members"]) for row in rows]


def _point_to(tables: Tables, sync_id: str, parts: Iterable[Part]) -> None:
    tables.run("delete from part where sync_id = ?", (sync_id,))
    tables.many(
        "insert into part values (?, ?, ?, ?, ?, ?)",
        [(sync_id, at, part.kind, part.file, part.lines, part.members) for at, part in enumerate(parts)],
    )


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False)
    return microseconds(value) if hasattr(value, "tzinfo") else value  # type: ignore[arg-type]
