"""Makes the requests of batches: for one lane those of the next batch while the present one is under way."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from personas_kit.activation.cutting import Cutter, runs
from personas_kit.activation.plan import SyncPlan
from personas_kit.activation.preparing import Prepared, digest_of, prepare
from personas_kit.activation.state import Batch


@dataclass(frozen=True, slots=True)
class Made:
    """A batch that can leave, and the digest of what will be sent of it."""

    prepared: Prepared
    digest: str


class Maker:
    """Makes batches of one sync. What is made ahead is noted nowhere: nothing of it leaves before it is handed out."""

    def __init__(self, sync: SyncPlan) -> None:
        self._sync = sync
        self._pool = ThreadPoolExecutor(1, "maker")
        self._next: tuple[Batch, Future[dict[Batch, Made]]] | None = None

    @property
    def ahead(self) -> bool:
        """Whether a batch was made ahead that was not handed out yet."""
        return self._next is not None

    def make(self, batches: list[Batch]) -> dict[Batch, Made]:
        """The requests of batches.

        Neighbours are made together where a request holds one change: making any costs as much as making fifty, which
        was a third of all that a slow destination with many lanes took.
        """
        sync = self._sync
        found: dict[Batch, Made] = {}
        alone = sync.connection.limits(sync.sync.call).items > 1
        for neighbours in [[batch] for batch in batches] if alone else runs(batches):
            first, last = neighbours[0].start, neighbours[-1].stop
            made = prepare(sync.connection, sync.sync.call, sync.lines[first:last], sync.computation)
            for batch in neighbours:
                part = made if len(neighbours) == 1 else made.part(batch.start - first, batch.stop - first)
                found[batch] = Made(part, digest_of(part.requests))
        return found

    def begin_next(self, cutter: Cutter) -> None:
        """Begin with the batch after the one that is under way, in a thread of its own."""
        batch = cutter.next(())
        if batch is not None:
            self._next = batch, self._pool.submit(self.make, [batch])

    def take_next(self, cutter: Cutter) -> dict[Batch, Made]:
        """What was made ahead, if anything was; nothing if it is more than a batch may be by now: that is cut anew."""
        if self._next is None:
            return {}
        (batch, future), self._next = self._next, None
        if batch.stop - batch.start > cutter.size:
            cutter.back(batch)
            return {}
        return future.result()

    def close(self) -> None:
        """Begin nothing more. What is under way is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
