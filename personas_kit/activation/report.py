"""What became of a plan, per sync and in total."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from personas_kit.activation.sync import Sync
from personas_kit.display import Tabular

State = Literal["done", "partial", "interrupted", "failed"]


COUNTS = (
    "wanted", "enters", "exits", "sets", "acknowledged", "rejected", "unknown", "accepted", "unsent", "skipped",
    "suppressed", "held",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of one sync of a plan. The changes are ``enters + exits + sets``, and each has one outcome.

    Attributes:
        state: ``done``; ``partial`` (finished, some refused or unknown); ``interrupted`` (by a person, the deadline, or
            a destination that does not answer: push again); ``failed`` (it will not take anything as things are).
        wanted: members that should be there now.
        enters, exits, sets: the changes of the plan, by kind.
        acknowledged: changes that the destination has.
        rejected: changes that it refused; they are due again. ``reasons`` has how many for each reason.
        unknown: changes whose outcome is not known; they are due again with the same message id.
        accepted: changes that it took, to say later what became of them.
        unsent: changes that were not sent because the push stopped.
        skipped: users without an identifier that the destination needs; never due.
        suppressed: members left out because they were forgotten.
        held: changes that were refused so often that they were not tried this time.
        why: what stopped it, for people; empty if nothing did.
    """

    sync: Sync
    state: State
    wanted: int = 0
    enters: int = 0
    exits: int = 0
    sets: int = 0
    acknowledged: int = 0
    rejected: int = 0
    unknown: int = 0
    accepted: int = 0
    unsent: int = 0
    skipped: int = 0
    suppressed: int = 0
    held: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    why: str = ""

    def counts(self) -> dict[str, int]:
        """Every count by its name."""
        return {name: getattr(self, name) for name in COUNTS}

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "destination": self.sync.destination,
            "call": self.sync.call,
            "state": self.state,
            **self.counts(),
            **({"reasons": dict(self.reasons)} if self.reasons else {}),
            **({"why": self.why} if self.why else {}),
        }


@dataclass(frozen=True, slots=True, repr=False)
class Report(Tabular):
    """The result of a push. Counts are of changes, summed over the syncs; ``changes`` has each with its outcome."""

    key: str
    plan_id: str
    as_of: dt.datetime
    syncs: tuple[SyncReport, ...]
    changes: pl.DataFrame
    again: bool = False
    """The plan was pushed before; nothing was sent this time."""

    @property
    def acknowledged(self) -> int:
        """Changes that the destinations accepted."""
        return sum(sync.acknowledged for sync in self.syncs)

    @property
    def rejected(self) -> int:
        """Changes that they refused; due again."""
        return sum(sync.rejected for sync in self.syncs)

    @property
    def unknown(self) -> int:
        """Changes whose outcome is not known; due again with the same message id."""
        return sum(sync.unknown for sync in self.syncs)

    @property
    def accepted(self) -> int:
        """Changes that they took, to say later what became of them."""
        return sum(sync.accepted for sync in self.syncs)

    @property
    def skipped(self) -> int:
        """Users without a needed identifier."""
        return sum(sync.skipped for sync in self.syncs)

    @property
    def unsent(self) -> int:
        """Changes that were not sent because the push stopped."""
        return sum(sync.unsent for sync in self.syncs)

    @property
    def failed(self) -> pl.DataFrame:
        """The changes that were not acknowledged, with outcome and reason."""
        return self.changes.filter(pl.col("outcome") != "acknowledged")

    @property
    def complete(self) -> bool:
        """Everything was acknowledged."""
        return all(sync.state == "done" for sync in self.syncs)

    def to_dict(self) -> dict[str, object]:
        """As plain data, the way ``personas push --json`` prints it."""
        return {
            "key": self.key,
            "as_of": self.as_of.isoformat().replace("+00:00", "Z"),
            "plan": self.plan_id,
            "syncs": [sync.to_dict() for sync in self.syncs],
            "acknowledged": self.acknowledged,
            "rejected": self.rejected,
            "unknown": self.unknown,
            "accepted": self.accepted,
            "skipped": self.skipped,
            "unsent": self.unsent,
        }

    def to_polars(self) -> pl.DataFrame:
        """The changes with their outcomes."""
        return self.changes

    def __repr__(self) -> str:
        """One line with the same numbers as the card."""
        if self.again:
            return f"{self.key}: this plan was pushed already; nothing was sent"
        counts = [f"{self.acknowledged:,} acknowledged"]
        counts += [
            f"{count:,} {word}"
            for word, count in (
                ("rejected", self.rejected),
                ("unknown", self.unknown),
                ("accepted, not acknowledged yet", self.accepted),
                ("skipped", self.skipped),
                ("not sent", self.unsent),
            )
            if count
        ]
        why = next((f" ({sync.why})" for sync in self.syncs if sync.why), "")
        return f"{self.key}: {', '.join(counts)}{why}"
