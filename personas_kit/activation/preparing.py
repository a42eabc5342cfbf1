"""The requests of a batch: what is sent, what is too large for it, and the digest that is noted before it leaves."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from personas_kit.destinations.base import Call, Computation, Connection, Request


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that can leave.

    Attributes:
        requests: in order; ``lines`` of each count those that are sent.
        lines: that are sent.
        positions: of these in the batch.
        too_large: positions of those that are not sent -> why.
    """

    requests: list[Request]
    lines: pl.DataFrame
    positions: list[int]
    too_large: dict[int, str]

    def part(self, start: int, stop: int) -> Prepared:
        """The lines ``[start, stop)`` as a batch of their own; only where a request holds one line."""
        low, high = bisect_left(self.positions, start), bisect_left(self.positions, stop)
        return Prepared(
            [replace(request, lines=(at, at + 1)) for at, request in enumerate(self.requests[low:high])],
            self.lines[low:high],
            [at - start for at in self.positions[low:high]],
            {at - start: why for at, why in self.too_large.items() if start <= at < stop},
        )


def prepare(connection: Connection, call: Call, batch: pl.DataFrame, computation: Computation) -> Prepared:
    """The requests of a batch, and what is too large to be sent."""
    items = connection.items(call, batch, computation)
    too_large = connection.refused(call, batch, items)
    positions = list(range(batch.height))
    if too_large:
        positions = [at for at in positions if at not in too_large]
        batch, items = batch[positions], items[positions]
    return Prepared(connection.requests(call, batch, computation, items), batch, positions, too_large)


def digest_of(requests: Iterable[Request]) -> str:
    """64 hex digits over everything that is sent, secrets aside."""
    total = hashlib.sha256()
    for request in requests:
        total.update(f"{request.method} {request.url}\n".encode())
        total.update(request.content)
    return total.hexdigest()
