"""A plan gone through without sending: every request is made as it would be, counted, and thrown away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from personas_kit.activation.cutting import Cutter
from personas_kit.activation.preparing import prepare
from personas_kit.activation.state import Batch
from personas_kit.activation.sync import Sync
from personas_kit.display import Displayed, size_words

if TYPE_CHECKING:
    from personas_kit.activation.plan import SyncPlan

MOST = 10_000
"""So many changes are encoded together at most, where one request does not hold more."""


@dataclass(frozen=True, slots=True)
class DrySync:
    """What one sync would send.

    Attributes:
        changes: that would be sent.
        requests: that they take; one that looks first and writes then is counted once.
        bytes: of their bodies together.
        refused: changes that no request can hold, by reason: they would be rejected without being sent.
        skipped: users without an identifier that the destination needs.
    """

    sync: Sync
    changes: int
    requests: int
    bytes: int
    refused: Mapping[str, int] = field(default_factory=dict)
    skipped: int = 0

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "destination": self.sync.destination, "call": self.sync.call, "changes": self.changes,
            "requests": self.requests, "bytes": self.bytes, "refused": dict(self.refused), "skipped": self.skipped,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class DryRun(Displayed):
    """What a plan would send. Nothing was sent, and nothing was noted."""

    key: str
    syncs: tuple[DrySync, ...]

    @property
    def requests(self) -> int:
        """How many there would be."""
        return sum(part.requests for part in self.syncs)

    @property
    def bytes(self) -> int:
        """Of all bodies together."""
        return sum(part.bytes for part in self.syncs)

    @property
    def refused(self) -> int:
        """Changes that no request can hold."""
        return sum(sum(part.refused.values()) for part in self.syncs)

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {"key": self.key, "syncs": [part.to_dict() for part in self.syncs]}

    def __repr__(self) -> str:
        """One line with the same numbers as the card."""
        changes = sum(part.changes for part in self.syncs)
        words = f"{changes:,} changes in {self.requests:,} requests, {size_words(self.bytes)}"
        refused = f", {self.refused:,} could not be sent" if self.refused else ""
        return f"dry run of {self.key}: {words}{refused}; nothing was sent"


def dry_run_of(key: str, syncs: Iterable[SyncPlan]) -> DryRun:
    """Encode everything that a plan would send, and count it.

    Args:
        key: of the definition.
        syncs: of the plan.
    """
    return DryRun(key, tuple(map(_dry, syncs)))


def _dry(sync: SyncPlan) -> DrySync:
    lines = sync.lines.head(sync.to_send)
    items = sync.connection.limits(sync.sync.call).items
    cutter = Cutter(
        [Batch(0, lines.height)] if lines.height else [], lines["change"], items=items, most=MOST, first=MOST
    )
    requests, size, refused = 0, 0, Counter[str]()
    while (batch := cutter.next(())) is not None:
        made = prepare(sync.connection, sync.sync.call, lines[batch.start : batch.stop], sync.computation)
        requests += len(made.requests)
        size += sum(len(request.content) for request in made.requests)
        refused.update(made.too_large.values())
    return DrySync(sync.sync, lines.height, requests, size, dict(refused.most_common()), sync.skipped.height)
