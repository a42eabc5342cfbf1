"""What became of every change of a plan, as counts and as a frame, from the tallies of its batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from personas_kit.activation.courier import Tally
from personas_kit.activation.plan import SyncPlan
from personas_kit.activation.report import State, SyncReport
from personas_kit.activation.state import Batch


@dataclass(slots=True)
class Sent:
    """What became of a sync's batches in this process, and what stopped it, if something did."""

    outcomes: dict[Batch, Tally] = field(default_factory=dict)
    why: str = ""
    fatal: bool = False

    @property
    def settled(self) -> int:
        """Changes whose batch is through."""
        return sum(batch.stop - batch.start - len(tally.unsent) for batch, tally in self.outcomes.items())


def sync_report(sync: SyncPlan, sent: Sent, *, finished: bool) -> tuple[SyncReport, pl.DataFrame]:
    """The counts, and every change with ``outcome`` and ``reason``."""
    changes = with_outcomes(sync, sent.outcomes)
    counts = dict(changes["outcome"].value_counts().iter_rows())
    refused = changes.filter(pl.col("outcome") == "rejected")["reason"].value_counts(sort=True)
    open_ends = any(counts.get(word) for word in ("rejected", "unknown", "accepted", "unsent"))
    report = SyncReport(
        sync=sync.sync,
        state=_state(finished=finished, fatal=sent.fatal, complete=not open_ends),
        wanted=sync.wanted,
        enters=sync.count("enter"),
        exits=sync.count("exit"),
        sets=sync.count("set"),
        acknowledged=counts.get("acknowledged", 0),
        rejected=counts.get("rejected", 0),
        unknown=counts.get("unknown", 0),
        accepted=counts.get("accepted", 0),
        unsent=counts.get("unsent", 0),
        skipped=sync.skipped.height,
        suppressed=sync.suppressed,
        held=sync.held.height,
        reasons=dict(refused.iter_rows()),
        why=sent.why,
        skipped_users=sync.skipped,
        held_changes=sync.held,
    )
    return report, changes


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
    size = _left(batch, tally).stop - batch.start
    for at in tally.unsent:
        if at < size:
            yield batch.start + at, "unsent", None
    for at, reason in tally.rejected.items():
        yield batch.start + at, "rejected", reason
    for at in tally.accepted:
        yield batch.start + at, "accepted", None
    for at in tally.unknown - set(tally.rejected):
        yield batch.start + at, "unknown", None


def _left(batch: Batch, tally: Tally) -> Batch:
    """What of a batch left: what was not sent at its end goes with a later one, if the push goes on."""
    stop = batch.stop
    while stop > batch.start and stop - 1 - batch.start in tally.unsent:
        stop -= 1
    return Batch(batch.start, stop)
