"""What became of a plan, per sync and in total: every member of it is in one of the steps below, and only in one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import polars as pl

from personas_kit.activation.sync import Sync
from personas_kit.display import Tabular
from personas_kit.errors import UnknownName

State = Literal["done", "partial", "interrupted", "failed", "blocked", "planned"]
Ended = Literal["done", "elsewhere", "rejected", "blocked", "unfinished", "failed"]
"""How a push or a run ended, from the best to the worst; each has an exit code of its own."""
Step = Literal[
    "wanted", "entered", "left", "set", "sent", "acknowledged", "rejected", "unknown", "accepted", "unsent", "skipped",
    "suppressed", "held",
]  # fmt: skip
STEPS: tuple[Step, ...] = get_args(Step)

COUNTS = (
    "wanted", "enters", "exits", "sets", "acknowledged", "rejected", "unknown", "accepted", "unsent", "skipped",
    "suppressed", "held",
)  # fmt: skip


#: The columns of what is held.
HELD = {
    "member": pl.String(), "change": pl.String(), "value": pl.String(), "reason": pl.String(), "times": pl.Int64(),
}  # fmt: skip
#: Which changes are in a step: those of a kind, or with an outcome.
_OF_CHANGES: Mapping[Step, pl.Expr] = {
    "entered": pl.col("change") == "enter",
    "left": pl.col("change") == "exit",
    "set": pl.col("change") == "set",
    "sent": pl.col("outcome") != "unsent",
    "acknowledged": pl.col("outcome") == "acknowledged",
    "rejected": pl.col("outcome") == "rejected",
    "unknown": pl.col("outcome") == "unknown",
    "accepted": pl.col("outcome") == "accepted",
    "unsent": pl.col("outcome") == "unsent",
}


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of one sync of a plan. The changes are ``enters + exits + sets``, and each has one outcome.

    Attributes:
        state: ``done``; ``partial`` (finished, some refused or unknown); ``interrupted`` (by a person, the deadline, or
            a destination that does not answer: push again); ``failed`` (it will not take anything as things are); and
            in a run that nobody watches ``blocked`` (a guard fired) and ``planned`` (nobody approved).
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
        attention: what is new since the sync's run before, a sentence each.
        skipped_users, held_changes: who is skipped (``user_id``), and what is held (``member``, ``change``, ``value``,
            ``reason``, ``times``).
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
    attention: tuple[str, ...] = ()
    skipped_users: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"user_id": pl.String()}), repr=False, compare=False
    )
    held_changes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HELD), repr=False, compare=False)

    @property
    def steps(self) -> dict[Step, int]:
        """How many there are in each step."""
        return {
            "wanted": self.wanted,
            "entered": self.enters,
            "left": self.exits,
            "set": self.sets,
            "sent": self.acknowledged + self.rejected + self.unknown + self.accepted,
            "acknowledged": self.acknowledged,
            "rejected": self.rejected,
            "unknown": self.unknown,
            "accepted": self.accepted,
            "unsent": self.unsent,
            "skipped": self.skipped,
            "suppressed": self.suppressed,
            "held": self.held,
        }

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
            **({"attention": list(self.attention)} if self.attention else {}),
        }


@dataclass(frozen=True, slots=True, repr=False)
class Report(Tabular):
    """The result of a push. Counts are of changes, summed over the syncs; ``changes`` has each with its outcome.

    Attributes:
        made: makes the frame of the changes, which is as long as the plan: when it is first looked at, not before.
        again: the plan was pushed before; nothing was sent this time.
    """

    key: str
    plan_id: str
    as_of: dt.datetime
    syncs: tuple[SyncReport, ...]
    made: Callable[[], pl.DataFrame] = field(compare=False)
    again: bool = False

    @property
    def changes(self) -> pl.DataFrame:
        """Every change of the plan: ``member``, ``change``, ``value``, ``cause``, where to, ``outcome``, ``reason``."""
        return self.made()

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
    def attention(self) -> list[str]:
        """What is new since the run before, one sentence for each change of state: ``analytics identify: ...``."""
        return [f"{part.sync.destination} {part.sync.call}: {said}" for part in self.syncs for said in part.attention]

    @property
    def steps(self) -> pl.DataFrame:
        """The counts of every step: ``destination``, ``call``, ``step``, ``reason`` (of the rejected), ``count``."""
        lines = [
            (part.sync.destination, part.sync.call, step, reason, count)
            for part in self.syncs
            for step, total in part.steps.items()
            for reason, count in (part.reasons.items() if step == "rejected" and total else ((None, total),))
        ]
        texts = ("destination", "call", "step", "reason")
        return pl.DataFrame(lines, schema={**dict.fromkeys(texts, pl.String()), "count": pl.Int64()}, orient="row")

    def step(self, name: Step) -> pl.DataFrame:
        """Who is in a step.

        Args:
            name: one of ``steps``.

        Returns:
            Changes, with outcome and reason, for what was planned and sent; ``user_id`` for ``skipped``; changes with
            ``reason`` and ``times`` for ``held``. Of ``wanted`` and ``suppressed`` only counts are kept, so these
            are a line for each sync. Every frame says ``destination`` and ``call``.

        Raises:
            UnknownName: there is no such step.
        """
        if name not in STEPS:
            raise UnknownName("step", name, STEPS)
        if not self.syncs:  # nothing was sent this time
            return self.changes.clear()
        if name in _OF_CHANGES:
            return self.changes.filter(_OF_CHANGES[name])
        return pl.concat([_beside(part, name) for part in self.syncs], how="diagonal_relaxed")

    def reconciles(self) -> bool:
        """Whether every change has one outcome, every refusal a reason, and the counts are those of the frames."""
        named: tuple[Step, ...] = (*_OF_CHANGES, "skipped", "held")
        totals = {name: sum(part.steps[name] for part in self.syncs) for name in named}
        return all(map(_reconciles, self.syncs)) and all(self.step(name).height == totals[name] for name in named)

    @property
    def failed(self) -> pl.DataFrame:
        """The changes that were not acknowledged, with outcome and reason."""
        return self.changes.filter(pl.col("outcome") != "acknowledged")

    @property
    def complete(self) -> bool:
        """Everything was acknowledged."""
        return all(sync.state == "done" for sync in self.syncs)

    @property
    def ended(self) -> Ended:
        """``done``; ``rejected`` (some); ``unfinished`` (interrupted, or something is unknown); ``failed``."""
        if any(sync.state == "failed" for sync in self.syncs):
            return "failed"
        open_still = self.unknown or self.accepted or self.unsent
        if open_still or any(sync.state == "interrupted" for sync in self.syncs):
            return "unfinished"
        return "rejected" if self.rejected else "done"

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
            "attention": self.attention,
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


def _beside(part: SyncReport, step: Step) -> pl.DataFrame:
    """What is no change of the plan, with where it belongs."""
    frames = {"skipped": part.skipped_users.cast(pl.String), "held": part.held_changes}
    found = frames.get(step, pl.DataFrame({"count": [part.steps[step]]}))
    return found.with_columns(destination=pl.lit(part.sync.destination), call=pl.lit(part.sync.call))


def _reconciles(part: SyncReport) -> bool:
    planned = part.enters + part.exits + part.sets
    outcomes = part.acknowledged + part.rejected + part.unknown + part.accepted + part.unsent
    return planned == outcomes and part.rejected == sum(part.reasons.values())
