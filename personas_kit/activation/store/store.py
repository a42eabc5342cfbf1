"""Keeps what each destination acknowledged, so that a crash at any instant loses nothing.

Large things are frames (``tables.Frames``): the acknowledged members of a sync are a base and an ordered chain of
changes (``chain.py``); the changes of a plan are one frame, in the order in which they are sent. Small things are rows
(``schema.sql``): the pointers to these frames, a row per batch, the unknown members, the rejects, the runs. Nothing per
member is written while sending; a finished plan is *folded*: one frame of changes is written beside the others, then
one transaction points to it and drops the plan.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping

import polars as pl

from personas_kit.activation.forgetting import Forgotten
from personas_kit.activation.state import microseconds
from personas_kit.activation.store import told
from personas_kit.activation.store.chain import lengthened
from personas_kit.activation.store.looking import forgotten_in
from personas_kit.activation.store.noting import move_on, point_to
from personas_kit.activation.store.pushing import Pushing
from personas_kit.activation.store.reading import chain_of, kinds_of
from personas_kit.activation.store.settling import forget_all
from personas_kit.activation.sync import Sync


class Store(Pushing):
    """The life of syncs and plans, wherever the tables and frames are."""

    batch_lines = 50_000
    """How many changes are noted together at most: what may be unknown after a crash, for each lane."""
    beside = True
    """Whether it can be written while the warehouse answers a long query."""

    # --- the history --------------------------------------------------------------------------------------------------

    def note_run(self, line: Mapping[str, object]) -> None:
        """Add a line to the history, with the columns of ``run``; instants as such, what is a mapping as JSON."""
        values = {name: _plain(value) for name, value in line.items()}
        with self._journal.writing() as tables:
            tables.run(
                f"insert into run ({', '.join(values)}) values ({', '.join('?' * len(values))})",  # noqa: S608  (ours)
                tuple(values.values()),
            )

    def note_told(self, channel: str, states: Mapping[str, str]) -> None:
        """Remember what a channel was told, by the id of the sync."""
        with self._journal.writing() as tables:
            told.note_told(tables, channel, states)

    def prune(self, before: dt.datetime) -> None:
        """Forget the lines of the history of what ended before that."""
        with self._journal.writing() as tables:
            tables.run("delete from run where finished_at < ?", (microseconds(before),))

    # --- by hand ------------------------------------------------------------------------------------------------------

    def reset(self, sync: Sync) -> None:
        """Forget what was acknowledged: the next push is a first sync. The history stays. Reads none of its frames."""
        if not self._journal.present():
            return
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            forget_all(tables, sync.id)
            move_on(tables, sync.id)
        self._frames.keep_only("members", sync.id, ())
        self._frames.keep_only("plans", sync.id, ())

    def pause(self, sync: Sync, *, paused: bool) -> bool:
        """Pause a sync or let it go on: plans made before are stale. Returns whether there is such a sync."""
        if not self._journal.present():
            return False
        with self._journal.writing() as tables:
            move_on(tables, sync.id)
            return tables.run("update sync set paused = ? where id = ?", (int(paused), sync.id)) == 1

    def forget(self, user: str) -> None:
        """From now on no plan has this user among the wanted. What is acknowledged of it stays until ``erase``."""
        with self._journal.writing() as tables:
            # A change of a line makes sure that nobody else is at it: two keys would be one too many.
            tables.run("update meta set value = value where name = 'version'")
            known = forgotten_in(tables)
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
            chain = chain_of(tables, sync.id)
            known = tables.rows("select valued, integers from sync where id = ?", (sync.id,))
        if not known:
            return
        gone = pl.DataFrame({"member": [member], "change": ["exit"], "value": ["null"]})
        if known[0]["integers"]:
            gone = gone.cast({"member": pl.Int64}, strict=False).drop_nulls("member")  # a text is nobody here
        parts = lengthened(self._frames, sync.id, chain, gone, **kinds_of(known[0]), compact=True) if chain else []
        with self._journal.writing() as tables:
            self._locks.assert_held(tables, sync.id)
            point_to(tables, sync.id, parts)
            for table in ("unknown_member", "reject"):
                tables.run(f"delete from {table} where sync_id = ? and member = ?", (sync.id, member))  # noqa: S608
            move_on(tables, sync.id)
        self._frames.keep_only("members", sync.id, {part.file for part in parts})
        self._frames.keep_only("plans", sync.id, ())


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False)
    return microseconds(value) if hasattr(value, "tzinfo") else value  # type: ignore[arg-type]
