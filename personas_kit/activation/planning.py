"""From what is wanted and what was acknowledged to the frozen lines of a plan, and the guards that look at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from personas_kit.activation.causes import ADOPTED, AGAIN, EDITED, FIRST, MERGED, NEW, UNKNOWN, WITHDRAWN, Causes
from personas_kit.activation.due import Occasion, due_changes, tried_and_held
from personas_kit.activation.figures import Figures, read_figures
from personas_kit.activation.message_ids import beside_of, fresh_ids
from personas_kit.activation.past import NEVER, Past
from personas_kit.activation.plan import SyncPlan
from personas_kit.activation.state import SyncState
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Wanted
from personas_kit.activation.watching import Watched, guards_of
from personas_kit.destinations.base import Computation, Connection
from personas_kit.errors import DestinationError, PlanError
from personas_kit.membership.changes import same_member_type

FEW = 0.1
"""Up to this share of the members, those who change are picked out before they are joined: a tenth of a join's time."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the plan of one sync would be about.

    Attributes:
        plan: with the first change of each kind only, and no guards.
        counts: of all changes, by their kind.
    """

    plan: SyncPlan
    counts: Mapping[str, int]

    def count(self, change: str) -> int:
        """How many changes of a kind: ``enter``, ``exit`` or ``set``."""
        return self.counts.get(change, 0)


@dataclass(frozen=True, repr=False)
class Draft:
    """The plan of one sync but for the causes of its changes. Pure: reads no clock and no network.

    A state that another account acknowledged does not apply: everybody goes again, once a person agrees. What comes
    from merged users is no event: by track it is noted, and not sent.
    """

    sync: Sync
    connection: Connection
    computation: Computation
    fingerprint: str
    meaning: str
    wanted: Wanted
    state: SyncState
    occasion: Occasion
    past: Past = NEVER

    def plan(self, causes: Causes | None = None) -> SyncPlan:
        """The plan with the causes that were found, or with those that the state tells."""
        connection, known, sync, occasion = self._way, self._known, self.sync, self.occasion
        lines, held = self._changes
        lines, silent = _with_silent(lines if causes is None else _with_causes(lines, causes), sync, occasion)
        figures = _seen(occasion, self.state, connection)
        watched = Watched(
            connection, self.wanted, self.state, known, lines, self.fingerprint, self.meaning, figures, occasion,
            self.past,
        )  # fmt: skip
        return SyncPlan(
            sync=sync,
            connection=connection,
            computation=self.computation,
            fingerprint=self.fingerprint,
            lines=lines,
            state=self.state,
            wanted=self.wanted.members.height + self.state.alike + self.state.idle,
            skipped=self.wanted.skipped,
            guards=tuple(guards_of(watched)),
            first=known.last_as_of is None,
            valued=self.wanted.valued,
            cadence=occasion.cadence,
            meaning=self.meaning,
            figures=figures.to_text(),
            held=held,
            suppressed=self.wanted.suppressed,
            silent=silent,
            full=occasion.mode in {"full", "replace"} or known.last_as_of is None,
            unasked=causes.unasked if causes is not None else "",
            aside=occasion.only is not None,
            derived=True,
        )

    def __post_init__(self) -> None:
        """Whoever is acknowledged as a member has no value, and the other way round: neither can be compared.

        Raises:
            PlanError: the key was that of the other kind when it was pushed last, and somebody is there still.
        """
        state, valued = self.state, self.wanted.valued
        if ("value" in state.acknowledged.columns) == valued:
            return
        if self._known is state and (state.acknowledged.height or state.unknown.height):
            was, now = ("an audience", "a trait") if valued else ("a trait", "an audience")
            raise PlanError(
                f"{self.sync.key!r} was {was} when it was pushed last, and is {now} now",
                where=str(self.sync),
                hint="give it a key of its own; or take everyone of the old one out first: "
                f"personas remove {self.sync.key} --to {self.sync.destination}",
            )
        if self._known is state:
            object.__setattr__(self, "state", replace(state, acknowledged=_of_kind(state.acknowledged, valued=valued)))

    @property
    def _way(self) -> Connection:
        replaces = self.occasion.mode == "replace"
        return self.connection.replacement(self.sync.call) if replaces else self.connection

    @property
    def _known(self) -> SyncState:
        elsewhere = bool(self.state.target) and self.state.target != self._way.target
        return _nothing_of(self.state, valued=self.wanted.valued) if elsewhere else self.state

    def foreseen(self) -> Foreseen:
        """What the plan would be about, at a fraction of its cost: the rest of its lines is not made."""
        due, _ = self._due
        some = due.group_by("change", maintain_order=True).head(1).select(due.columns)
        first = SyncPlan(
            sync=self.sync,
            connection=self._way,
            computation=self.computation,
            fingerprint=self.fingerprint,
            lines=self._made(some),
            state=self.state,
            wanted=self.wanted.members.height,
            skipped=self.wanted.skipped,
            guards=(),
            first=self._known.last_as_of is None,
            valued=self.wanted.valued,
            meaning=self.meaning,
        )
        return Foreseen(first, {change: int(count) for change, count in due["change"].value_counts().iter_rows()})

    @cached_property
    def _changes(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The changes, found once for both plans: without causes and with them; and those that are held back."""
        due, held = self._due
        return self._made(due), held

    @cached_property
    def _due(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The changes that are tried, and those that are held back."""
        connection, known = self._way, self._known
        due, held = tried_and_held(due_changes(self.wanted, known, self.occasion), known, self.occasion)
        most = connection.limits(self.sync.call).items
        if connection.replaces and due.height > most:
            raise DestinationError(f"a replacement at {connection.title} takes {most:,} at most", where=str(self.sync))
        return due, held

    def _made(self, due: pl.DataFrame) -> pl.DataFrame:
        return _lines(due, self.sync, self._way, self.wanted, self._known, self.occasion, self.fingerprint)


def _lines(
    due: pl.DataFrame,
    sync: Sync,
    connection: Connection,
    wanted: Wanted,
    state: SyncState,
    occasion: Occasion,
    fingerprint: str,
) -> pl.DataFrame:
    """The changes with everything that a payload needs, and with message ids."""
    details = wanted.members.drop("value", strict=False)
    if due.schema["member"] != details.schema["member"]:
        details = details.cast({"member": due.schema["member"]})
    lines = wanted.named(_joined(due, details))
    text = pl.col("member").cast(pl.String)
    columns = {
        "user_id": None if sync.call in {"group", "list"} or connection.identifiers(sync.call) else text,
        "account_id": text if sync.call == "group" else None,
    }
    if sync.call in {"identify", "track"}:
        told = connection.told_by(sync.call, text)
        columns |= {f"id_{kind}": told[kind] for kind in told if f"id_{kind}" in lines.columns}
    lines = lines.with_columns(
        pl.lit(None, pl.String).alias(name) if value is None else value.alias(name) for name, value in columns.items()
    )
    lines = _with_message_ids(lines, sync, state, occasion)
    return lines.with_columns(cause=_cause(state, fingerprint, occasion), grows=_grows(lines, state)).drop("again")


def _joined(due: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """The changes with what is known of their members; of a first push they are the same, in the same order."""
    if due.height == details.height and (due["member"] == details["member"]).all():
        return due.hstack(details.drop("member"))
    if due.height < FEW * details.height:
        details = details.filter(pl.col("member").is_in(due["member"].implode()))
    return due.join(details, on="member", how="left", maintain_order="left")


def _grows(lines: pl.DataFrame, state: SyncState) -> pl.Series:
    """How many members more are acknowledged by each change: 1, 0 or -1.

    Who enters was not there, and who leaves was, unless the outcome of the last change is unknown: these, and members
    with values, are looked up.
    """
    change = lines["change"].cast(pl.String)
    stays = ((change != "exit") & (lines["value"] != "null")).cast(pl.Int8)
    was = ((change == "exit") | lines["again"]).cast(pl.Int8)
    unsure = lines["was_unknown"] | (change == "set")
    if unsure.any() and state.acknowledged.height:
        named, known = same_member_type(lines.select("member").filter(unsure), state.acknowledged.select("member"))
        there = known.join(named, on="member", how="semi").with_columns(there=pl.lit(1, pl.Int8))
        found = named.join(there, on="member", how="left", maintain_order="left")["there"].fill_null(0)
        was = was.scatter(unsure.arg_true(), found)
    elif unsure.any():
        was = was.zip_with(~unsure, pl.zeros(was.len(), pl.Int8, eager=True))
    return stays - was


def _with_message_ids(lines: pl.DataFrame, sync: Sync, state: SyncState, occasion: Occasion) -> pl.DataFrame:
    """Deterministic ids; a change that was sent before with an unknown outcome keeps its id and its timestamp.

    Unless the message says more by now than it did: one id never has two contents.
    """
    lines = lines.with_columns(
        fresh_ids(lines, occasion.plan_id, sync.id),
        timestamp=pl.lit(occasion.as_of, pl.Datetime("us", "UTC")),
        was_unknown=pl.col("member").is_in(state.unknown["member"].cast(lines.schema["member"]).implode()),
    )
    return _repeated(lines, state.unknown) if state.unknown.height else lines


def _repeated(lines: pl.DataFrame, unknown: pl.DataFrame) -> pl.DataFrame:
    """With the ids and timestamps of what was sent before."""
    sent = unknown.cast({"member": lines.schema["member"]}).select(
        "member", "value", sent_change="change", sent_id="message_id", sent_at="timestamp"
    )
    again = lines.with_columns(at=pl.int_range(pl.len())).join(sent, on=["member", "value"])
    same = (pl.col("sent_change") == pl.col("change").cast(pl.String)) & (
        beside_of(pl.col("sent_id")) == beside_of(pl.col("message_id"))
    )
    again = again.filter(same).select("at", "sent_id", "sent_at")
    return lines.with_columns(
        message_id=lines["message_id"].scatter(again["at"], again["sent_id"]),
        timestamp=lines["timestamp"].scatter(again["at"], again["sent_at"]),
    )


def _cause(state: SyncState, fingerprint: str, occasion: Occasion) -> pl.Expr:
    """Why each change is due, as far as the state alone tells."""
    if occasion.mode == "adopt":
        usual = ADOPTED
    elif occasion.mode == "exits":  # one user is to be forgotten, or the definition is taken out
        usual = WITHDRAWN if occasion.only is not None else EDITED
    elif state.last_as_of is None:
        usual = FIRST
    elif state.fingerprint != fingerprint:
        usual = EDITED
    else:
        usual = NEW
    again = pl.when("again").then(pl.lit(AGAIN)).otherwise(pl.lit(usual))
    return pl.when("was_unknown").then(pl.lit(UNKNOWN)).otherwise(again)


def _with_causes(lines: pl.DataFrame, causes: Causes) -> pl.DataFrame:
    """The changes with the causes that were found; what was unknown, and what goes again, stays so."""
    text = lines.select(pl.col("member").cast(pl.String), "cause")
    found = text.join(causes.of.rename({"cause": "found"}), on="member", how="left", maintain_order="left")
    open_ = pl.col("cause").is_in([EDITED, NEW])
    cause = found.select(pl.when(open_).then(pl.coalesce("found", "cause")).otherwise("cause").alias("cause"))
    return lines.with_columns(cause["cause"])


def _with_silent(lines: pl.DataFrame, sync: Sync, occasion: Occasion) -> tuple[pl.DataFrame, int]:
    """The changes with those at the end that are noted and not sent, and how many these are."""
    if occasion.mode == "adopt":
        return lines, lines.height
    if sync.call != "track":
        return lines, 0
    merged = pl.col("cause") == MERGED
    silent = lines.filter(merged)
    return (pl.concat([lines.filter(~merged), silent]), silent.height) if silent.height else (lines, 0)


def _seen(occasion: Occasion, state: SyncState, connection: Connection) -> Figures:
    """What the source looks like now; where nobody looked, as it was."""
    seen = occasion.figures if occasion.figures.tables else read_figures(state.figures)
    return replace(seen, way=connection.destination.slug)


def _nothing_of(state: SyncState, *, valued: bool) -> SyncState:
    nobody = _of_kind(state.acknowledged.clear(), valued=valued)
    return SyncState(nobody, state.unknown.clear(), state.rejects.clear(), version=state.version)


def _of_kind(nobody: pl.DataFrame, *, valued: bool) -> pl.DataFrame:
    """A frame of members without lines, with values or without."""
    return nobody.select("member", *([pl.lit(None, pl.String).alias("value")] if valued else []))
