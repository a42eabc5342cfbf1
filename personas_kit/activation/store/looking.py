"""Looks at the state, and changes nothing: a plan that was cut short is seen as ``recover`` would leave it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from personas_kit.activation.forgetting import Forgotten
from personas_kit.activation.standing import Standing
from personas_kit.activation.state import Batch, Begun, SyncState, gaps
from personas_kit.activation.store import overview, told
from personas_kit.activation.store.chain import Outline
from personas_kit.activation.store.reading import NOTHING, batches_of, begun_plan, chain_of, known_syncs, state_of
from personas_kit.activation.store.tables import Frames, Journal, Locks, Tables
from personas_kit.activation.sync import Sync
from personas_kit.clock import Clock
from personas_kit.errors import StateError

T = TypeVar("T")


class Looking:
    """What a store tells.

    Raises:
        StateError: from whatever is asked: the state cannot be read, or a frame of it is missing or damaged.
    """

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

    # --- a sync -------------------------------------------------------------------------------------------------------

    def outline(self, sync: Sync) -> Outline:
        """What is known about the sync now, and where its acknowledged members lie, which are not opened."""
        if not self._journal.present():
            return Outline(NOTHING)
        with self._journal.reading() as tables:
            state = state_of(tables, self._frames, sync.id, members=False)
            sent = tables.rows("select plan_id from batch where sync_id = ? limit 1", (sync.id,))
            return Outline(state, tuple(chain_of(tables, sync.id)), cut_short=bool(sent))

    def place(self, table: str) -> tuple[str, ...]:  # noqa: ARG002  (of a store in a warehouse)
        """The name of a table, part by part, as queries of the workspace's warehouse find it; empty if they do not."""
        return ()

    def load(self, sync: Sync) -> SyncState:
        """What is known about the sync now. Changes nothing: a plan that was cut short is settled by ``recover``."""
        if not self._journal.present():
            return NOTHING
        return self._looked(lambda tables: state_of(tables, self._frames, sync.id))

    def known(self) -> list[Sync]:
        """Every sync there has ever been, by definition and destination. None of its members is opened."""
        if not self._journal.present():
            return []
        with self._journal.reading() as tables:
            return known_syncs(tables)

    def syncs(self) -> list[tuple[Sync, SyncState]]:
        """Every sync there has ever been, with its state, by definition and destination."""
        if not self._journal.present():
            return []

        def states(tables: Tables) -> list[tuple[Sync, SyncState]]:
            return [(sync, state_of(tables, self._frames, sync.id)) for sync in known_syncs(tables)]

        return self._looked(states)

    def begun(self, sync: Sync) -> Begun | None:
        """The plan that was committed and is not folded, if there is one."""
        if not self._journal.present():
            return None
        return self._looked(lambda tables: begun_plan(tables, self._frames, sync))

    def waiting(self, plan_id: str, sync: Sync) -> list[Batch]:
        """The stretches of a plan that were not sent yet, in order; empty if the plan is gone."""
        with self._journal.reading() as tables:
            plan = tables.rows("select lines from plan where id = ? and sync_id = ?", (plan_id, sync.id))
            sent = [batch for batch, _, _ in batches_of(tables, plan_id, sync.id)]
        return gaps(sent, plan[0]["lines"]) if plan else []

    def holds(self, plan_id: str, sync: Sync) -> bool:
        """Whether the plan was begun and is not folded yet."""
        if not self._journal.present():
            return False
        with self._journal.reading() as tables:
            return bool(tables.rows("select 1 as one from plan where id = ? and sync_id = ?", (plan_id, sync.id)))

    # --- all of them --------------------------------------------------------------------------------------------------

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

    def told(self, channel: str) -> dict[str, str]:
        """What a channel was told last of each sync, by its id; see ``notices``."""
        if not self._journal.present():
            return {}
        with self._journal.reading() as tables:
            return told.told(tables, channel)

    def standings(self) -> list[Standing]:
        """How every sync stands that there has ever been. Members are opened only where a plan is under way."""
        if not self._journal.present():
            return []

        def standings(tables: Tables) -> list[Standing]:
            def count(sync_id: str) -> tuple[int, int]:
                state = state_of(tables, self._frames, sync_id)
                return state.acknowledged.height, state.unknown.height

            return overview.standings(tables, count)

        return self._looked(standings)

    def forgotten(self) -> Forgotten:
        """Who must never be sent again."""
        if not self._journal.present():
            return Forgotten()
        with self._journal.reading() as tables:
            return forgotten_in(tables)

    def _looked(self, look: Callable[[Tables], T]) -> T:
        """What it finds. A push elsewhere may have folded between the pointers and the frames: then once more."""
        with self._journal.reading() as tables:
            try:
                return look(tables)
            except StateError:
                pass
        with self._journal.reading() as tables:
            return look(tables)


def forgotten_in(tables: Tables) -> Forgotten:
    """Who must never be sent again, by tables that are open."""
    key = tables.rows("select value from meta where name = 'forget_key'")
    marks = tables.rows("select mark from forgotten")
    return Forgotten(key[0]["value"] if key else "", frozenset(row["mark"] for row in marks))
