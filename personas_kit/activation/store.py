"""Keeps what each destination acknowledged, so that a crash at any instant loses nothing.

Large things are columnar files (``files.py``): the acknowledged members of a sync are a base file and an ordered chain
of change files; the changes of a plan are one file with a batch number per line. Small things are rows of one SQLite
database (``database.py``, ``schema.sql``): the pointers to these files, one row per batch, the unknown members, the
rejects, the runs. Nothing per member is written while sending; a finished plan is *folded*: one change file is written
beside the others, then one transaction points to it and drops the plan.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import filelock
import polars as pl

from personas_kit.activation.database import opened, transaction
from personas_kit.activation.files import FileChain, Part
from personas_kit.activation.state import (
    BatchResult,
    PlanHead,
    SyncState,
    acknowledged_lines,
    instant,
    microseconds,
    state_of,
)
from personas_kit.activation.sync import Sync
from personas_kit.errors import StateError, SyncBusy
from personas_kit.membership.changes import apply_changes, same_member_type


class LocalStore:
    """State in a folder: ``state.sqlite``, ``members/``, ``plans/``, ``locks/``; for its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = FileChain(path)

    # --- reading -----------------------------------------------------------------------------------------------------

    def load(self, sync: Sync) -> SyncState:
        """What is known about the sync now. Changes nothing: a plan that was cut short is settled by ``recover``."""
        if not self._database.exists():
            return state_of(None, None, [], [])
        with self._open() as db:
            try:
                return self._load(db, sync.id)
            except StateError:  # a push elsewhere may have folded between the pointers and the files: look once more
                return self._load(db, sync.id)

    def syncs(self) -> list[tuple[Sync, SyncState]]:
        """Every sync there has ever been, with its state, by definition and destination."""
        if not self._database.exists():
            return []
        with self._open() as db:
            rows = db.execute("select definition, destination, call, place from sync order by 1, 2, 3, 4").fetchall()
            return [(sync, self._load(db, sync.id)) for sync in (Sync(*row) for row in rows)]

    def runs(self, limit: int = 20) -> list[dict[str, object]]:
        """The last runs, newest first: one per sync and plan."""
        if not self._database.exists():
            return []
        query = """select s.definition as key, s.destination, s.call, s.place, r.* from run r
                   join sync s on s.id = r.sync_id order by r.finished_at desc, s.id limit ?"""
        with self._open() as db:
            return [_run(row) for row in db.execute(query, (limit,))]

    # --- one runner at a time ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self, sync: Sync) -> Iterator[None]:
        """Hold the sync; the kernel frees it if the process dies. Nobody waits.

        Raises:
            SyncBusy: somebody else holds it.
        """
        held = filelock.FileLock(self._files.folder("locks") / f"{sync.id}.lock", timeout=0, is_singleton=False)
        try:
            held.acquire()
        except filelock.Timeout:
            raise SyncBusy(
                "somebody else is pushing this sync right now",
                where=str(sync),
                hint="wait until they are done, then plan again",
            ) from None
        try:
            yield
        finally:
            held.release()

    # --- the life of a plan ------------------------------------------------------------------------------------------

    def recover(self, sync: Sync) -> bool:
        """Settle a plan that was cut short: fold what was acknowledged; what was in flight becomes unknown.

        Call it with the lock held. Unsent batches are dropped: who wanted them may have left since.

        Returns:
            Whether there was one.
        """
        if not self._database.exists():
            return False
        with self._open() as db:
            cut_short = db.execute("select id, file from plan where sync_id = ?", (sync.id,)).fetchall()
        self._files.keep_only("plans", f"*-{sync.id}-*", {plan["file"] for plan in cut_short})
        for plan in cut_short:
            self.fold(plan["id"], sync, finished=False)
        return bool(cut_short)

    def begin(self, head: PlanHead, lines: pl.DataFrame) -> None:
        """Commit a plan: its changes in a file, its batches as rows. Nothing may be sent before this returns.

        If another account acknowledged the sync before, that is forgotten here.

        Args:
            head: what it is for.
            lines: the changes, with ``number`` (of the batch), ``member``, ``change``, ``value``, ``message_id``,
                ``timestamp``, and all that a payload needs.
        """
        sync = head.sync
        file = self._files.write("plans", f"{head.plan_id}-{sync.id}", lines)
        numbers = lines.get_column("number").unique().sort().to_list()
        with self._open() as db, transaction(db):
            db.execute(
                """insert into sync
                     (id, definition, destination, call, place, target, fingerprint, version, members, valued)
                   values (?, ?, ?, ?, ?, ?, '', 0, 0, ?) on conflict (id) do nothing""",
                (sync.id, sync.key, sync.destination, sync.call, sync.place, head.target, head.valued),
            )
            if db.execute("select target from sync where id = ?", (sync.id,)).fetchone()["target"] != head.target:
                self._forget(db, sync.id)
                db.execute("update sync set target = ?, version = version + 1 where id = ?", (head.target, sync.id))
            db.execute(
                """insert into plan (id, sync_id, file, as_of, fingerprint, wanted, overrides)
                   values (?, ?, ?, ?, ?, ?, ?)""",
                (
                    head.plan_id,
                    sync.id,
                    file,
                    microseconds(head.as_of),
                    head.fingerprint,
                    head.wanted,
                    json.dumps([*head.overrides]),
                ),
            )
            db.executemany(
                "insert into batch (plan_id, sync_id, number, state) values (?, ?, ?, 'ready')",
                [(head.plan_id, sync.id, number) for number in numbers],
            )

    def sending(self, plan_id: str, sync: Sync, number: int, digest: str) -> None:
        """Note that a batch is about to be sent, and what its bytes are. From here on its outcome is unknown."""
        with self._open() as db, transaction(db):
            changed = db.execute(
                """update batch set state = 'sending', digest = ?
                   where plan_id = ? and sync_id = ? and number = ? and state = 'ready'""",
                (digest, plan_id, sync.id, number),
            ).rowcount
            if changed != 1:
                raise StateError(
                    "a batch was about to be sent twice", where=f"{sync}, batch {number}", hint="plan again"
                )
            _move_on(db, sync.id)

    def settle(
        self,
        plan_id: str,
        sync: Sync,
        number: int,
        lines: pl.DataFrame,
        result: BatchResult,
        *,
        recovering: bool = False,
    ) -> None:
        """Note what became of a batch, with its rejected and unknown members, in one transaction.

        Args:
            plan_id: of the plan.
            sync: of the plan.
            number: of the batch.
            lines: the changes of the batch, in order.
            result: positions in ``lines``; what was never sent stays as it was before.
            recovering: the batch was in flight when its process died; everybody saw its members as unknown already.
        """
        excluded = {*result.unknown, *result.unsent, *result.rejected}
        members = lines["member"].to_list()
        with self._open() as db, transaction(db):
            self._clear(db, "unknown", sync.id, (member for at, member in enumerate(members) if at not in excluded))
            self._clear(db, "reject", sync.id, (member for at, member in enumerate(members) if at not in excluded))
            self._remember_unknown(db, sync.id, lines, result.unknown)
            self._remember_rejects(db, sync.id, lines, result.rejected)
            db.execute(
                "update batch set state = 'done', excluded = ? where plan_id = ? and sync_id = ? and number = ?",
                (json.dumps(sorted(excluded)), plan_id, sync.id, number),
            )
            if not recovering:
                _move_on(db, sync.id)

    def settle_in_flight(self, plan_id: str, sync: Sync) -> None:
        """Call unknown what a batch in flight was about, because nobody is waiting for its answer any more."""
        with self._open() as db:
            file = db.execute("select file from plan where id = ? and sync_id = ?", (plan_id, sync.id)).fetchone()[
                "file"
            ]
            numbers = [
                row["number"]
                for row in db.execute(
                    "select number from batch where plan_id = ? and sync_id = ? and state = 'sending'",
                    (plan_id, sync.id),
                )
            ]
        if not numbers:
            return
        lines = self._files.read("plans", file)
        for number in numbers:
            batch = lines.filter(pl.col("number") == number)
            self.settle(plan_id, sync, number, batch, BatchResult(unknown=range(batch.height)), recovering=True)

    def fold(self, plan_id: str, sync: Sync, *, finished: bool) -> None:
        """Make what a plan had acknowledged part of the acknowledged members, and drop the plan. Safe to repeat.

        Args:
            plan_id: of the plan.
            sync: of the plan.
            finished: every batch is done; otherwise the plan was cut short, and unsent batches are dropped.
        """
        with self._open() as db:
            plan = db.execute("select * from plan where id = ? and sync_id = ?", (plan_id, sync.id)).fetchone()
            if plan is None:
                return
        self.settle_in_flight(plan_id, sync)
        with self._open() as db:
            excluded = db.execute(
                "select number, excluded from batch where plan_id = ? and sync_id = ? and state = 'done'",
                (plan_id, sync.id),
            ).fetchall()
            valued = bool(db.execute("select valued from sync where id = ?", (sync.id,)).fetchone()["valued"])
            chain = _chain(db, sync.id)
        taken = acknowledged_lines(
            self._files.read("plans", plan["file"]), {n: json.loads(text) for n, text in excluded}
        )
        parts = self._files.fold(sync.id, chain, taken, values=valued)
        with self._open() as db, transaction(db):
            _point_to(db, sync.id, parts)
            if finished:
                db.execute(
                    "update sync set members = ?, last_as_of = ?, last_push = ?, fingerprint = ? where id = ?",
                    (
                        plan["wanted"],
                        plan["as_of"],
                        microseconds(dt.datetime.now(dt.UTC)),
                        plan["fingerprint"],
                        sync.id,
                    ),
                )
                _move_on(db, sync.id)
            db.execute("delete from batch where plan_id = ? and sync_id = ?", (plan_id, sync.id))
            db.execute("delete from plan where id = ? and sync_id = ?", (plan_id, sync.id))
        self._files.remove("plans", plan["file"])
        self._files.keep_only("members", f"{sync.id}-*", {part.file for part in (*chain, *parts)})

    def ready_batches(self, plan_id: str, sync: Sync) -> list[int]:
        """The numbers of the plan's batches that were not sent yet, in order; empty if the plan is gone."""
        with self._open() as db:
            rows = db.execute(
                "select number from batch where plan_id = ? and sync_id = ? and state = 'ready' order by number",
                (plan_id, sync.id),
            ).fetchall()
        return [row["number"] for row in rows]

    def holds(self, plan_id: str, sync: Sync) -> bool:
        """Whether the plan was begun and is not folded yet."""
        if not self._database.exists():
            return False
        with self._open() as db:
            return (
                db.execute("select 1 from plan where id = ? and sync_id = ?", (plan_id, sync.id)).fetchone() is not None
            )

    def note_run(self, plan_id: str, sync: Sync, line: Mapping[str, object]) -> None:
        """Add a line to the history: when, state, and the counts."""
        columns = (
            "finished_at",
            "as_of",
            "state",
            "wanted",
            "acknowledged",
            "rejected",
            "unknown",
            "skipped",
            "unsent",
            "overrides",
        )
        values = [microseconds(value) if isinstance(value := line[name], dt.datetime) else value for name in columns]
        with self._open() as db, transaction(db):
            db.execute(
                f"insert into run (plan_id, sync_id, {', '.join(columns)}) values (?, ?{', ?' * len(columns)})",  # noqa: S608  (names of our own)
                (plan_id, sync.id, *values),
            )

    # --- by hand -----------------------------------------------------------------------------------------------------

    def reset(self, sync: Sync) -> None:
        """Forget what was acknowledged: the next push is a first sync. The history stays."""
        if not self._database.exists():
            return
        with self._open() as db, transaction(db):
            self._forget(db, sync.id)
            _move_on(db, sync.id)
        self._files.keep_only("members", f"{sync.id}-*", set())
        self._files.keep_only("plans", f"*-{sync.id}-*", set())

    def pause(self, sync: Sync, *, paused: bool) -> bool:
        """Pause a sync or let it go on. Returns whether there is such a sync."""
        if not self._database.exists():
            return False
        with self._open() as db, transaction(db):
            return db.execute("update sync set paused = ? where id = ?", (paused, sync.id)).rowcount == 1

    # --- inside ------------------------------------------------------------------------------------------------------

    @property
    def _database(self) -> Path:
        return self.path / "state.sqlite"

    def _open(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        self._files.folder("members")
        return opened(self._database)

    def _load(self, db: sqlite3.Connection, sync_id: str) -> SyncState:
        row = db.execute("select * from sync where id = ?", (sync_id,)).fetchone()
        unknown = db.execute(
            "select member, change, value, message_id, timestamp from unknown where sync_id = ? order by message_id",
            (sync_id,),
        ).fetchall()
        rejects = db.execute(
            "select member, change, value, reason, times from reject where sync_id = ?", (sync_id,)
        ).fetchall()
        state = state_of(row, self._files.members(_chain(db, sync_id)), unknown, rejects)
        for plan in db.execute("select id, file from plan where sync_id = ?", (sync_id,)).fetchall():
            state = self._with_plan(db, state, plan["id"], sync_id, plan["file"], valued=bool(row["valued"]))
        return state

    def _with_plan(
        self, db: sqlite3.Connection, state: SyncState, plan_id: str, sync_id: str, file: str, *, valued: bool
    ) -> SyncState:
        """The state as ``recover`` would leave it: what was acknowledged counts, what is in flight is unknown."""
        batches = db.execute(
            "select number, state, excluded from batch where plan_id = ? and sync_id = ?", (plan_id, sync_id)
        ).fetchall()
        lines = self._files.read("plans", file)
        taken = acknowledged_lines(
            lines, {b["number"]: json.loads(b["excluded"]) for b in batches if b["state"] == "done"}
        )
        flying = lines.filter(pl.col("number").is_in([b["number"] for b in batches if b["state"] == "sending"]))
        acknowledged = state.acknowledged.select("member", "value") if valued else state.acknowledged.select("member")
        in_flight = flying.select("member", pl.col("change").cast(pl.String), "value", "message_id", "timestamp")
        settled, landing = same_member_type(state.unknown, in_flight)
        return replace(
            state,
            acknowledged=apply_changes(acknowledged, taken),
            unknown=pl.concat([settled.join(landing, on="member", how="anti"), landing]),
        )

    def _forget(self, db: sqlite3.Connection, sync_id: str) -> None:
        for table in ("part", "unknown", "reject", "batch", "plan"):
            db.execute(f"delete from {table} where sync_id = ?", (sync_id,))  # noqa: S608  (names of our own)
        db.execute(
            "update sync set last_as_of = null, last_push = null, members = 0, fingerprint = '' where id = ?",
            (sync_id,),
        )

    def _clear(self, db: sqlite3.Connection, table: str, sync_id: str, members: Iterable[object]) -> None:
        """Remove members from a table that is usually empty."""
        if db.execute(f"select 1 from {table} where sync_id = ? limit 1", (sync_id,)).fetchone():  # noqa: S608
            db.executemany(
                f"delete from {table} where sync_id = ? and member = ?",  # noqa: S608  (names of our own)
                ((sync_id, member) for member in members),
            )

    def _remember_unknown(
        self, db: sqlite3.Connection, sync_id: str, lines: pl.DataFrame, positions: Collection[int]
    ) -> None:
        columns = lines[sorted(positions)].select("member", "change", "value", "message_id", "timestamp")
        db.executemany(
            """insert or replace into unknown (sync_id, member, change, value, message_id, timestamp)
               values (?, ?, ?, ?, ?, ?)""",
            ((sync_id, *line[:-1], microseconds(line[-1])) for line in columns.iter_rows()),
        )

    def _remember_rejects(
        self, db: sqlite3.Connection, sync_id: str, lines: pl.DataFrame, rejected: Mapping[int, str]
    ) -> None:
        now = microseconds(dt.datetime.now(dt.UTC))
        for at in sorted(rejected):
            member, change, value = lines.select("member", "change", "value").row(at)
            db.execute(
                """insert into reject (sync_id, member, change, value, reason, times, last_at)
                   values (?, ?, ?, ?, ?, 1, ?) on conflict (sync_id, member) do update set
                     change = excluded.change, value = excluded.value, reason = excluded.reason, times = times + 1,
                     last_at = excluded.last_at""",
                (sync_id, member, change, value, rejected[at], now),
            )


def _move_on(db: sqlite3.Connection, sync_id: str) -> None:
    """Plans made before this are stale."""
    db.execute("update sync set version = version + 1 where id = ?", (sync_id,))


def _chain(db: sqlite3.Connection, sync_id: str) -> list[Part]:
    rows = db.execute("select kind, file, lines from part where sync_id = ? order by position", (sync_id,))
    return [Part(row["kind"], row["file"], row["lines"]) for row in rows]


def _point_to(db: sqlite3.Connection, sync_id: str, parts: Sequence[Part]) -> None:
    db.execute("delete from part where sync_id = ?", (sync_id,))
    db.executemany(
        "insert into part (sync_id, position, kind, file, lines) values (?, ?, ?, ?, ?)",
        [(sync_id, at, part.kind, part.file, part.lines) for at, part in enumerate(parts)],
    )


def _run(row: sqlite3.Row) -> dict[str, object]:
    line = {name: row[name] for name in row.keys() if name != "sync_id"}  # noqa: SIM118  (a Row iterates its values)
    return (
        line
        | {name: instant(row[name]) for name in ("finished_at", "as_of")}
        | {"overrides": json.loads(row["overrides"])}
    )
