"""Cuts the changes of a plan into batches while they are sent.

A batch is about a second's worth: little is unknown after a crash, and a destination of one change per request does
not pay for a note on the disk each time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import polars as pl

from personas_kit.activation.lanes import DEPTH
from personas_kit.activation.state import Batch

SECONDS = 1.0
"""Of sending, that a lane is given: a batch, or two halves where it has its next one waiting (see ``Lanes``)."""
FIRST = 20
"""So many changes are a first batch, or as many as one request holds: how long a batch takes is not known yet, and
until it is, every lane has a part of the work."""
PARTS = 4
"""The last batches are down to such a part of a second's worth."""


class Cutter:
    """Hands out the next batch. Exits, entries and values never share one, and keep their order.

    Args:
        waiting: the stretches that are to be sent.
        changes: the change of every line of the plan.
        items: how many changes one request may hold; a batch is a multiple of it, and at least that.
        most: how many changes are noted together at most, if one request does not hold more.
        lanes: how many batches are under way beside each other. What is left is shared out among them, in smaller and
            smaller parts, so that all of them end at about the same time.
        first: how many changes a first batch has.
    """

    def __init__(
        self, waiting: Iterable[Batch], changes: pl.Series, *, items: int, most: int, lanes: int = 1, first: int = FIRST
    ) -> None:
        self._items = items
        self._lanes = lanes
        self._seconds = SECONDS if lanes == 1 else SECONDS / DEPTH
        self._largest = max(items, most // items * items)
        self._size = min(max(items, first // items * items), self._largest)
        self._kinds = changes
        self._waiting = deque(_of_one_kind(waiting, self._kinds))
        self._left = sum(stop - start for start, stop in self._waiting)

    @property
    def more(self) -> bool:
        """Whether there is anything left to hand out."""
        return bool(self._waiting)

    def next(self, beside: Iterable[Batch]) -> Batch | None:
        """The next batch; None if there is none, or if it has to wait for what is under way.

        Exits come first, because destinations that cap the size of a list need the room: entries wait for them.
        """
        if not self._waiting:
            return None
        start, stop = self._waiting[0]
        if any(self._kinds[other.start] != self._kinds[start] for other in beside):
            return None
        end = min(start + self._share(), stop)
        self._left -= end - start
        if end == stop:
            self._waiting.popleft()
        else:
            self._waiting[0] = Batch(end, stop)
        return Batch(start, end)

    @property
    def size(self) -> int:
        """How many changes a batch has at most, as far as is known by now."""
        return self._size

    def back(self, batch: Batch) -> None:
        """Take back the batch that was handed out last: it is handed out again, perhaps in parts."""
        self._left += batch.stop - batch.start
        self._waiting.appendleft(batch)

    def took(self, changes: int, seconds: float) -> None:
        """Learn from how long a batch took: the next ones take about a second."""
        if seconds > 0 and changes:
            wanted = int(changes / seconds * self._seconds) // self._items * self._items
            self._size = min(max(wanted, self._items), self._largest)

    def _share(self) -> int:
        """How many changes the next batch has: a second's worth, and down to a quarter of it where little is left."""
        if self._lanes == 1:
            return self._size
        fair = max(self._size // PARTS, self._left // (2 * self._lanes))
        return min(self._size, max(1, fair // self._items) * self._items)


def _of_one_kind(waiting: Iterable[Batch], kinds: pl.Series) -> Iterable[Batch]:
    """The stretches, cut where the kind of the changes changes."""
    lengths = kinds.rle().struct.field("len").cast(pl.Int64)
    ends = lengths.cum_sum().to_list()
    for start, stop in waiting:
        at = start
        for end in ends:
            if at < end and at < stop:
                yield Batch(at, min(end, stop))
                at = min(end, stop)


def runs(batches: Iterable[Batch]) -> list[list[Batch]]:
    """The batches, those together that follow one another without a gap."""
    found: list[list[Batch]] = []
    for batch in batches:
        if found and found[-1][-1].stop == batch.start:
            found[-1].append(batch)
        else:
            found.append([batch])
    return found
