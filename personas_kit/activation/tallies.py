"""What became of every change of a plan, as counts and as a frame, from the tallies of its batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from personas_kit.activation.courier import Tally
from personas_kit.activation.plan import SyncPlan
from personas_kit.activation.report import State, SyncReport
from personas_kit.activation.state import Batch


@dataclass(slots=True)
class Sent:
    """What became of a sync's batches in this process, and what stopped it, if something did.

    Attributes:
        settled: changes whose batch is through.
        refused: how often each reason was given, in the order in which they came up.
    """

    outcomes: dict[Batch, Tally] = field(default_factory=dict)
    why: str = ""
    fatal: bool = False
    settled: int = field(default=0, init=False)
    refused: Counter[str] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        for batch, tally in self.outcomes.items():
            self._count(batch, tally)

    def note(self, batch: Batch, tally: Tally) -> None:
        """A batch is through. It is counted once, however many there are."""
        self.outcomes[batch] = tally
        self._count(batch, tally)

    def _count(self, batch: Batch, tally: Tally) -> None:
        self.settled += batch.stop - batch.start - len(tally.unsent)
        self.refused.update(tally.rejected.values())


def sync_report(sync: SyncPlan, sent: Sent, *, finished: bool) -> SyncReport:
    """The counts. They are taken from the tallies, so that no frame is made of all changes."""
    tried = sync.lines.height - sync.to_send + sum(_size(batch, tally) for batch, tally in sent.outcomes.items())
    counts, refused = Counter[str](), Counter[str]()
    for batch, tally in sent.outcomes.items():
        for _, outcome, reason in _exceptions(batch, tally):
            counts[outcome] += 1
            if reason is not None:
                refused[reason] += 1
    counts["acknowledged"] = tried - counts.total()
    counts["unsent"] += sync.lines.height - tried
    open_ends = any(counts[word] for word in ("rejected", "unknown", "accepted", "unsent"))
    return SyncReport(
        sync=sync.sync,
        state=_state(finished=finished, fatal=sent.fatal, complete=not open_ends),
        wanted=sync.wanted,
        enters=sync.count("enter"),
        exits=sync.count("exit"),
        sets=sync.count("set"),
        acknowledged=counts["acknowledged"],
        rejected=counts["rejected"],
        unknown=counts["unknown"],
        accepted=counts["accepted"],
        unsent=counts["unsent"],
        skipped=sync.skipped.height,
        suppressed=sync.suppressed,
        held=sync.held.height,
        reasons=dict(refused.most_common()),
        why=sent.why,
        skipped_users=sync.skipped,
        held_changes=sync.held,
    )


def _state(*, finished: bool, fatal: bool, complete: bool) -> State:
    if finished:
        return "done" if complete else "partial"
    return "failed" if fatal else "interrupted"


def with_outcomes(sync: SyncPlan, outcomes: Mapping[Batch, Tally]) -> pl.DataFrame:
    """Every change of the plan with ``outcome`` (acknowledged | rejected | unknown | accepted | unsent), ``reason``."""
    exceptions = pl.DataFrame(
        [line for batch, tally in outcomes.items() for line in _exceptions(batch, tally)],
        schema={"at": pl.Int64, "outcome": pl.String, "reason": pl.String},
        orient="row",
    )
    tried = [Batch(sync.to_send, sync.lines.height), *(_left(batch, tally) for batch, tally in outcomes.items())]
    stretches = pl.DataFrame(tried, schema={"start": pl.Int64, "stop": pl.Int64}, orient="row")
    settled = stretches.select(at=pl.int_ranges("start", "stop")).explode("at", keep_nulls=False)["at"]
    usual = pl.when(pl.col("at").is_in(settled.implode())).then(pl.lit("acknowledged")).otherwise(pl.lit("unsent"))
    return (
        sync.lines.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64))
        .join(exceptions, on="at", how="left", maintain_order="left")
        .select(
            pl.col("member").cast(pl.String),
            pl.col("change").cast(pl.String),
            "value",
            "cause",
            destination=pl.lit(sync.sync.destination),
            call=pl.lit(sync.sync.call),
            outcome=pl.coalesce("outcome", usual),
            reason="reason",
        )
    )


def _exceptions(batch: Batch, tally: Tally) -> Iterator[tuple[int, str, str | None]]:
    """The lines of a batch that were not acknowledged; one that is both rejected and unknown counts as rejected."""
    size = _size(batch, tally)
    for at in tally.unsent:
        if at < size:
            yield batch.start + at, "unsent", None
    for at, reason in tally.rejected.items():
        yield batch.start + at, "rejected", reason
    for at in tally.accepted:
        yield batch.start + at, "accepted", None
    for at in tally.unknown - set(tally.rejected):
        yield batch.start + at, "unknown", None


def _size(batch: Batch, tally: Tally) -> int:
    left = _left(batch, tally)
    return left.stop - left.start


def _left(batch: Batch, tally: Tally) -> Batch:
    """What of a batch left: what was not sent at its end goes with a later one, if the push goes on."""
    stop = batch.stop
    while stop > batch.start and stop - 1 - batch.start in tally.unsent:
        stop -= 1
    return Batch(batch.start, stop)
