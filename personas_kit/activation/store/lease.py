"""Who may send a sync, where several machines share one state: a lease that runs out, and a fence around the state.

A line per sync says who holds it, until when, and the *generation*, which grows with every holder. Whoever finds it
free, or run out, takes it and the next generation. Every transaction of a holder renews the lease and looks whether
the generation is still its own; if not, nothing of the transaction stays. So a runner that was stopped for long and
wakes up can neither mark nor acknowledge. Before a request leaves, the same is looked at if a while has passed since,
on either clock: a machine that slept has only one of them moved.

What no lease can promise: a request that had passed this last look when its machine fell asleep leaves when it wakes.
Whoever wakes up notes which ones these may be (``Store.doubt``), so that the next plan sends their members again.
And a machine whose clock is ahead by more than the lease lives takes what is still held: the fence keeps the state
right, and the other runner stops at its next look.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import platform
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from personas_kit.activation.state import microseconds, moment
from personas_kit.activation.store.tables import Journal, Row, Tables
from personas_kit.activation.sync import Sync
from personas_kit.activation.who import user_name
from personas_kit.clock import Clock
from personas_kit.display import say
from personas_kit.errors import PersonasError, SyncBusy

LIVES = dt.timedelta(minutes=10)
"""How long a lease lasts that nobody renews."""
LOOKS = 20
"""How often it is looked at within that time, at least, before requests: every 30 seconds."""
_ADDRESS = re.compile(r"\d+[.-]\d+[.-]\d+[.-]\d+|.*:.*:.*")


@dataclass(slots=True)
class _Held:
    """A sync that this store holds.

    Attributes:
        wall: when it was last seen to be ours, by the wall clock; ``monotonic``: by the other one.
        lost: how it was lost, once it is.
    """

    sync: Sync
    generation: int
    wall: dt.datetime
    monotonic: float
    lost: SyncBusy | None = None
    alone: threading.Lock = field(default_factory=threading.Lock)


class LeaseLocks:
    """Leases in the table ``lease``; see ``tables.Locks``.

    Args:
        journal: where the table is.
        clock: of this machine.
        lives: how long a lease lasts.
        owner: how this runner is called to those who find the sync held.
    """

    lasting = False

    def __init__(self, journal: Journal, clock: Clock, lives: dt.timedelta, owner: str) -> None:
        self._journal = journal
        self._clock = clock
        self._lives = lives
        self._owner = owner
        self._held: dict[str, _Held] = {}

    @contextlib.contextmanager
    def hold(self, sync: Sync) -> Iterator[None]:
        """Hold the sync; nobody waits.

        Raises:
            SyncBusy: somebody else holds it: who, since when, and until when unless they go on.
        """
        with self._journal.writing() as tables:
            generation, since = self._taken(tables, sync)
        if generation == 1:
            self._assert_only_line(sync, since)
        held = _Held(sync, generation, self._clock.now(), self._clock.monotonic())
        self._held[sync.id] = held
        try:
            yield
        finally:
            if self._held.get(sync.id) is held:
                del self._held[sync.id]
            self._given_back(held)

    def assert_held(self, tables: Tables, sync_id: str) -> None:
        """Within a transaction: renew the lease, and look whether it is still ours.

        The other syncs that this store holds, whose turn it is not yet, are renewed as well when they need it.

        Raises:
            SyncBusy: it was taken over, or was never held.
        """
        held = self._held.get(sync_id)
        if held is None:
            raise SyncBusy("this sync is not held, so nothing of it may be changed", where=sync_id)
        self._renewed(tables, held)
        for other in [*self._held.values()]:
            if not other.lost and self._due(other):
                self._look(tables, other)

    def still_held(self, sync: Sync) -> None:
        """Before a request leaves: the same in a transaction of its own, if a while has passed on either clock.

        Raises:
            SyncBusy: it was taken over.
        """
        held = self._held[sync.id]
        with held.alone:  # the lanes ask beside each other
            if held.lost:
                raise held.lost
            if self._due(held):
                with self._journal.writing() as tables:
                    self._renewed(tables, held)

    def lost(self, tables: Tables, sync: Sync) -> bool:
        """Within a transaction: whether it was taken over. Its holder changes nothing until the transaction ends."""
        tables.run("update lease set owner = owner where sync_id = ?", (sync.id,))
        (line,) = tables.rows("select owner, generation from lease where sync_id = ?", (sync.id,))
        held = self._held.get(sync.id)
        return held is None or (line["owner"], line["generation"]) != (self._owner, held.generation)

    def _taken(self, tables: Tables, sync: Sync) -> tuple[int, int]:
        """Take the lease; returns the generation, and since when. Two changes make sure that nobody else is looking."""
        tables.run("update meta set value = value where name = 'version'")
        tables.run("update lease set owner = owner where sync_id = ?", (sync.id,))
        found = tables.rows("select * from lease where sync_id = ?", (sync.id,))
        now = microseconds(self._clock.now())
        if found and found[0]["owner"] and found[0]["expires"] > now:
            raise _busy(found[0], sync)
        before = int(found[0]["generation"]) if found else 0
        line = (self._owner, before + 1, now, now + self._lives // dt.timedelta(microseconds=1), sync.id)
        if not found:
            tables.run("insert into lease (owner, generation, since, expires, sync_id) values (?, ?, ?, ?, ?)", line)
            return before + 1, now
        change = (
            "update lease set owner = ?, generation = ?, since = ?, expires = ? where sync_id = ? and generation = ?"
        )
        if not tables.run(change, (*line, before)):
            raise _just_taken(sync)
        return before + 1, now

    def _assert_only_line(self, sync: Sync, since: int) -> None:
        """Whether the line that was added is the only one; else it is taken back.

        Snowflake enforces no key, and who begins a moment later may not see yet what another session has committed: so
        two that found no line may both have added one. How many lines a change has changed tells the later of them.
        (https://docs.snowflake.com/en/sql-reference/transactions, "Read consistency across sessions", read 2026-11-27)
        """
        with self._journal.writing() as tables:
            only = tables.run("update lease set owner = owner where sync_id = ?", (sync.id,)) == 1
            if not only:
                ours = (sync.id, self._owner, since)
                tables.run("delete from lease where sync_id = ? and owner = ? and since = ?", ours)
        if not only:
            raise _just_taken(sync)

    def _due(self, held: _Held) -> bool:
        """Whether a while has passed since the last look, on either clock, in either direction."""
        passed = abs((self._clock.now() - held.wall).total_seconds())
        return max(passed, self._clock.monotonic() - held.monotonic) > (self._lives / LOOKS).total_seconds()

    def _renewed(self, tables: Tables, held: _Held) -> None:
        self._look(tables, held)
        if held.lost:
            raise held.lost

    def _look(self, tables: Tables, held: _Held) -> None:
        """Renew it if it is ours: the change tells, which nobody else can make meanwhile."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        expires = microseconds(now + self._lives)
        ours = (held.sync.id, self._owner, held.generation)
        renew = "update lease set expires = ? where sync_id = ? and owner = ? and generation = ?"
        if tables.run(renew, (expires, *ours)):
            held.wall, held.monotonic = now, monotonic
            return
        (line,) = tables.rows("select * from lease where sync_id = ?", (held.sync.id,))
        held.lost = _taken_over(line, held.sync)

    def _given_back(self, held: _Held) -> None:
        """Free it at once. Where that fails it runs out by itself; the push, or its own error, matters more."""
        if held.lost:
            return
        ours = (held.sync.id, self._owner, held.generation)
        try:
            with self._journal.writing() as tables:
                tables.run(
                    "update lease set owner = '', expires = 0 where sync_id = ? and owner = ? and generation = ?", ours
                )
        except PersonasError as problem:
            until = held.wall + self._lives
            say(f"{held.sync} could not be given back ({problem.what}): it is free at {until:%H:%M} UTC")


def runner() -> str:
    """``user@host`` for people: the first part of the machine's name, and no address."""
    name = platform.node()
    host = "an unnamed machine" if not name or _ADDRESS.search(name) else name.split(".")[0]
    return f"{user_name()}@{host}"


def _just_taken(sync: Sync) -> SyncBusy:
    return SyncBusy("somebody else has just taken this sync", where=str(sync), hint="try again in a moment")


def _busy(line: Row, sync: Sync) -> SyncBusy:
    return SyncBusy(
        f"somebody else is pushing this sync: {line['owner']}, since {moment(line['since']):%Y-%m-%d %H:%M} UTC",
        where=str(sync),
        hint="wait until they are done, then plan again; should that machine be gone, the sync is free at "
        f"{moment(line['expires']):%Y-%m-%d %H:%M:%S} UTC",
    )


def _taken_over(line: Row, sync: Sync) -> SyncBusy:
    who = f"by {line['owner']} " if line["owner"] else ""
    return SyncBusy(
        f"this push was away for too long: the sync was taken over {who}at {moment(line['since']):%Y-%m-%d %H:%M} UTC",
        where=str(sync),
        hint="nothing more is sent or noted here; plan again once they are done, which finds out what is still due",
    )
