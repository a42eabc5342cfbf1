"""The life of a plan: begun, sent batch by batch, stopped or folded; what a crash or another runner left of one."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import polars as pl

from personas_kit.activation.state import Batch, BatchResult, Job, PlanHead, acknowledged_lines, microseconds
from personas_kit.activation.store.chain import begun, lengthened
from personas_kit.activation.store.doubts import contradicting, note_doubts
from personas_kit.activation.store.kept import kept
from personas_kit.activation.store.looking import Looking
from personas_kit.activation.store.noting import (
    drop_plan,
    mark_sending,
    move_on,
    note_finished,
    note_plan,
    point_to,
    register,
    settle_batch,
)
from personas_kit.activation.store.reading import batches_of, chain_of, kinds_of, lines_of, state_of
from personas_kit.activation.store.settling import Settlement, remove, settle
from personas_kit.activation.store.tables import Tables
from personas_kit.activation.sync import Sync


class Pushing(Looking):
    """What a push notes, by the one runner that holds the sync.

    Raises:
        SyncBusy: from whatever notes something: somebody else has taken the sync over, and nothing of it was noted.
        StateError: as ``Looking``; and where the state cannot be written.
    """

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

    # --- the life of a plan -------------------------------------------------------------------------------------------

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

    def begin(
        self, head: PlanHead, lines: pl.DataFrame, *, adopted: Sequence[Batch] = (), moot: Sequence[str] = ()
    ) -> None:
        """Commit a plan: its changes as a frame, and what it is for. Nothing may be sent before this returns.

        If another account acknowledged the sync before, that is forgotten here.

        Args:
            head: what it is for.
            lines: the changes in the order in which they are sent: ``member``, ``change``, ``value``, ``message_id``,
                ``timestamp``, and all that a payload needs.
            adopted: stretches of them that are acknowledged without being sent.
            moot: members, as text, that were refused once, and of whom nothing is due any more: that is forgotten.
        """
        sync = head.sync
        file = self._frames.write("plans", f"{head.plan_id}-{sync.id}", kept(lines) if head.derived else lines)
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            register(tables, head, integers=lines.schema["member"].is_integer())
            note_plan(tables, head, file, lines.height)
            tables.many(
                "insert into batch values (?, ?, ?, ?, 'done', '', '[]')",
                [(head.plan_id, sync.id, batch.start, batch.stop) for batch in adopted],
            )
            about = self._settlement(tables, sync)
            for batch in adopted:  # what was unknown of them, or refused, is no more
                settle(about, lines[batch.start : batch.stop], BatchResult())
            if adopted:
                move_on(tables, sync.id)
            if moot:
                remove(about, "reject", moot)

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
            about = self._settlement(tables, sync)
            for batch, lines, result in settled:
                settle_batch(about, plan_id, batch, lines, result)
            for batch, digest in (sending or {}).items():
                mark_sending(tables, plan_id, sync, batch, digest)
            move_on(tables, sync.id)

    def doubt(self, sync: Sync, lines: pl.DataFrame) -> int:
        """Note what a runner that lost the sync may have sent after it was lost. Call it once nothing more can leave.

        Its late request may have overwritten what the new holder sent, and nobody else knows. So its members are
        unknown from here on, without a value: nothing that was sent before is repeated under its old id, which a
        destination would take for a repetition. A member is settled again only by a change that left after this:

        - what the holder marks after this leaves after this, and settles it;
        - what the holder has under way may have arrived before the late request or after it: its batches are marked,
          and whatever their answers, those of its members that are in doubt stay so (``settle_batch``);
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
            note_doubts(self._settlement(tables, sync), doubted)
            tables.run("update batch set state = 'doubted' where sync_id = ? and state = 'sending'", (sync.id,))
            move_on(tables, sync.id)
        return doubted.height

    def settle_in_flight(self, plan_id: str, sync: Sync) -> None:
        """Call unknown what a batch in flight was about, because nobody is waiting for its answer any more."""
        with self._journal.reading() as tables:
            plan = tables.rows("select id, file from plan where id = ? and sync_id = ?", (plan_id, sync.id))
            flying = [batch for batch, state, _ in batches_of(tables, plan_id, sync.id) if state != "done"]
        if not flying:
            return
        lines = lines_of(self._frames, plan[0], sync.id)
        with self._journal.writing() as tables:  # everybody saw these members as unknown already: no plan is stale
            self._locks.assert_held(tables, sync.id)
            about = self._settlement(tables, sync)
            for batch in flying:
                result = BatchResult(unknown=range(batch.stop - batch.start))
                settle_batch(about, plan_id, batch, lines[batch.start : batch.stop], result)

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
            done = {batch: excluded for batch, _, excluded in batches_of(tables, plan_id, sync.id)}
            chain = chain_of(tables, sync.id)
        taken = acknowledged_lines(self._frames.scan("plans", plan["file"]) if lines is None else lines.lazy(), done)
        if chain:
            parts = lengthened(self._frames, sync.id, chain, taken.collect(), **kinds_of(known))
        else:
            parts = [begun(self._frames, sync.id, taken, plan["lines"], values=bool(known["valued"]))]
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            point_to(tables, sync.id, parts)
            if finished:
                note_finished(tables, plan, microseconds(self._clock.now()))
            drop_plan(tables, plan_id, sync.id)
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
            state = state_of(tables, self._frames, sync.id, members=False)
            (known,) = tables.rows("select valued, integers from sync where id = ?", (sync.id,))
            chain = chain_of(tables, sync.id)
        lines = state.unknown.filter(pl.col("job") == job.id)
        refused = pl.Series("member", [*rejected], dtype=lines.schema["member"])
        taken = lines.clear() if unknown else lines.filter(~pl.col("member").is_in(refused.implode()))
        parts = lengthened(self._frames, sync.id, chain, taken, **kinds_of(known))
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            point_to(tables, sync.id, parts)
            tables.run("delete from job where sync_id = ? and id = ?", (sync.id, job.id))
            if unknown:
                tables.run("update unknown_member set job = null where sync_id = ? and job = ?", (sync.id, job.id))
            else:
                tables.run("delete from unknown_member where sync_id = ? and job = ?", (sync.id, job.id))
                at = {member: position for position, member in enumerate(lines["member"])}
                result = BatchResult(rejected={at[member]: reason for member, reason in rejected.items()})
                settle(self._settlement(tables, sync), lines, result)
            move_on(tables, sync.id)
        self._frames.keep_only("members", sync.id, {part.file for part in (*chain, *parts)})

    def go_on(self, job: Job, sync: Sync, handle: str) -> None:
        """Note that accepted work goes on, and is called otherwise. Call it with the lock held."""
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            tables.run("update job set handle = ? where sync_id = ? and id = ?", (handle, sync.id, job.id))

    def _settlement(self, tables: Tables, sync: Sync) -> Settlement:
        return Settlement(tables, sync.id, microseconds(self._clock.now()))
