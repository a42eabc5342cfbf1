"""What is compared in the warehouse: which syncs can be, and what comes back of them. Pure.

Of who is surely wanted as acknowledged only the number is known (``SyncState.alike``). Whoever else there is comes with
both sides, and is planned as if everybody had come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from personas_kit.activation.due import Mode
from personas_kit.activation.moved import Moved
from personas_kit.activation.state import SyncState
from personas_kit.activation.store.chain import Outline, ordered_members
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Members
from personas_kit.compiler.differing import TALLY
from personas_kit.compiler.source import ColumnType
from personas_kit.definitions.definition import Subject
from personas_kit.destinations.base import Connection
from personas_kit.membership.expansion import Combine

_DTYPES: Mapping[ColumnType, type[pl.DataType]] = {
    "boolean": pl.Boolean, "integer": pl.Int64, "text": pl.String, "decimal": pl.Decimal,
    "date": pl.Date, "timestamp": pl.Datetime, "timestamp_tz": pl.Datetime,
}  # fmt: skip
"""In which types values have to arrive, so that their canonical text is the one that SQL has compared."""
_TYPICAL = 40
"""Bytes of an id in a frame, where none has come to be measured."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A sync that is compared in the warehouse.

    Attributes:
        outline: what is known about it but for its members.
    """

    sync: Sync
    outline: Outline

    @property
    def size(self) -> int:
        """How many members are acknowledged."""
        return self.outline.chain[-1].members if self.outline.chain else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the warehouse said of the syncs whose members are the ids of one kind.

    Attributes:
        lines: of who is wanted: the columns that ``Members`` has.
        states: by sync id.
    """

    lines: pl.DataFrame
    states: Mapping[str, SyncState]
    moved: Moved


def why_read(
    of: Compared, connection: Connection, combine: Combine | None, mode: Mode, *, valued: bool, integers: bool
) -> str:
    """Why a sync's members have to be read to be compared; empty if they do not.

    Args:
        of: the sync.
        connection: where it goes.
        combine: how the values of several accounts of a user become one.
        mode: what the plan is for.
        valued: members have values.
        integers: the ids are whole numbers in the source.
    """
    state = of.outline.state
    if mode != "changes":
        return "everyone goes"
    if not of.outline.chain:
        return "nobody is acknowledged yet"
    if of.outline.cut_short:
        return "a push is under way, or was cut short"
    if state.target != connection.target:
        return "another account has what is acknowledged"
    if connection.identifiers(of.sync.call):
        return "members there are identifiers, which are made here"
    if (state.acknowledged.schema["member"] == pl.Int64) != integers or (
        ("value" in state.acknowledged.columns) != valued
    ):
        return "ids or values are of another type than what is acknowledged"
    if valued and combine in {"sum", "list"}:
        return f"values are combined by {combine}, which is done here"
    return ""


def answered(
    frame: pl.DataFrame, compared: Sequence[Compared], columns: Mapping[str, str], kind: ColumnType | None
) -> Answer | None:
    """The answer to ``compile_differing``; None if it is in types that were not expected.

    Args:
        frame: the answer.
        compared: the syncs that were asked about, in order.
        columns: of who is wanted, by the names that they are to have; that of the members first.
        kind: of the values; None for an audience.
    """
    renamed = {of: name for name, of in columns.items()}
    own = next(iter(columns.values()))
    lines = frame.filter(pl.col(own).is_not_null()).select(*renamed).rename(renamed).unique(maintain_order=True)
    if kind is not None and not isinstance(lines.schema["value"], _DTYPES[kind]):
        return None
    (tally,) = frame.filter(pl.col(TALLY[0]).is_not_null()).select(TALLY).rows()
    alike, saying, idle = (int(count) for count in tally)
    states = {}
    for at, each in enumerate(compared):
        state = each.outline.state
        kept = {f"member_{at}": "member", **({f"value_{at}": "value"} if kind is not None else {})}
        found = frame.filter(pl.col(f"member_{at}").is_not_null()).select(*kept).rename(kept).unique()
        if found.schema != state.acknowledged.schema or found.schema["member"] != frame.schema[own]:
            return None
        known = ordered_members(found)
        states[each.sync.id] = replace(state, acknowledged=known, alike=alike, saying=saying, idle=idle)
    size = int(frame.estimated_size())
    a_line = size // frame.height if lines.height else (1 + len(compared)) * _TYPICAL
    return Answer(lines, states, Moved(size, stayed=(alike + idle) * a_line))


def members_of(answers: Mapping[Subject, Answer], subject: Subject, *, zero_is_empty: bool) -> Members:
    """The members of a definition as far as they have come; answers by whose ids the members of the syncs are."""
    if subject == "user":
        return Members(answers["user"].lines, None, zero_is_empty)
    pairs = answers["user"].lines if "user" in answers else None
    if "account" in answers:
        return Members(answers["account"].lines, pairs, zero_is_empty)
    assert pairs is not None  # noqa: S101  (some sync was asked about)
    listed = ["account_id", *(["value"] if "value" in pairs.columns else [])]
    return Members(pairs.select(listed).unique(maintain_order=True), pairs, zero_is_empty)


def of_whom(sync: Sync, subject: Subject) -> Subject:
    """Whose ids the members of a sync are, of a definition about users or accounts."""
    return "account" if subject == "account" and sync.call == "group" else "user"
