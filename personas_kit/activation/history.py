"""The history of pushes as frames: a line for each sync and run, its reasons, its guards. What the warehouse may keep.

A run of a schedule leaves a line as well where it was only planned, where a guard blocked it, and where it failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from personas_kit.activation.report import COUNTS

_UTC = pl.Datetime("us", "UTC")
_ABOUT: Mapping[str, str] = {
    "finished_at": "when it ended",
    "key": "of the definition",
    "destination": "its configured name",
    "call": "identify, track, group or list; empty where it failed before that was known",
    "place": "the list, and the destinations behind a gateway; empty for none",
    "plan": "the id of the plan; empty where there was none",
}
RUNS: Mapping[str, str] = {
    **_ABOUT,
    "started_at": "when it began",
    "as_of": "the instant that the members are of",
    "state": "done, partial (some refused or unknown), interrupted, failed, blocked or planned",
    "why": "what stopped it; empty if nothing did",
    "wanted": "members that should be there then",
    "enters": "changes of the plan: members that enter",
    "exits": "members that leave",
    "sets": "values that are set",
    "acknowledged": "changes that the destination has",
    "rejected": "changes that it refused",
    "unknown": "changes whose outcome is not known",
    "accepted": "changes that it took, to say later what became of them",
    "unsent": "changes that were not sent",
    "skipped": "users without a needed identifier",
    "suppressed": "users that were forgotten",
    "held": "changes refused so often that they were not tried",
    "reasons": "of the rejected, as JSON: {reason: how many}",
    "guards": "that fired, as JSON: {name: what it saw}",
    "overrides": "as JSON: {name of the guard: {who, why}}",
}
"""The columns of ``runs``, in order, and what they say."""
REASONS: Mapping[str, str] = {**_ABOUT, "reason": "why changes were refused", "changes": "how many were"}
"""The columns of ``run_reasons``."""
GUARDS: Mapping[str, str] = {
    **_ABOUT,
    "guard": "its name",
    "saw": "what it saw, and what is normal",
    "overridden_by": "who went on all the same; missing if nobody did",
    "because": "why",
}
"""The columns of ``run_guards``."""
TABLES: Mapping[str, Mapping[str, str]] = {"runs": RUNS, "run_reasons": REASONS, "run_guards": GUARDS}
_TYPES: Mapping[str, pl.DataType] = {
    **dict.fromkeys(("finished_at", "started_at", "as_of"), _UTC),
    **dict.fromkeys((*COUNTS, "changes"), pl.Int64()),
}
KEYS: Mapping[str, Sequence[str]] = {
    "runs": [*_ABOUT],
    "run_reasons": [*_ABOUT, "reason"],
    "run_guards": [*_ABOUT, "guard"],
}
"""What tells two lines of a table apart."""


def tables_of(runs: Sequence[Mapping[str, Any]]) -> dict[str, pl.DataFrame]:
    """The tables of ``TABLES``, newest first.

    Args:
        runs: lines of the history, as the store gives them.
    """
    named = [(run, {name: run["plan_id" if name == "plan" else name] for name in _ABOUT}) for run in runs]
    lines = {
        "runs": [{**run, **about, **_as_text(run)} for run, about in named],
        "run_reasons": [
            {**about, "reason": reason, "changes": count}
            for run, about in named
            for reason, count in run["reasons"].items()
        ],
        "run_guards": [
            {**about, "guard": name, "saw": saw, **_overridden(run["overrides"].get(name))}
            for run, about in named
            for name, saw in run["guards"].items()
        ],
    }
    return {table: pl.DataFrame(lines[table], schema=schema_of(table)) for table in TABLES}


def schema_of(table: str) -> dict[str, pl.DataType]:
    """The types of a table's columns, in order."""
    return {name: _TYPES.get(name, pl.String()) for name in TABLES[table]}


def together(table: str, kept: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The lines of a table that is there already, and those that it lacks, oldest first. The same twice is once."""
    old = kept.with_columns(pl.lit(None).alias(name) for name in schema_of(table) if name not in kept.columns).select(
        pl.col(name).cast(of) for name, of in schema_of(table).items()
    )
    keys = [*KEYS[table]]
    return pl.concat([old, own]).unique(keys, keep="last", maintain_order=True).sort(keys, nulls_last=False)


def _as_text(run: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(run[name], ensure_ascii=False) for name in ("reasons", "guards", "overrides")}


def _overridden(override: Mapping[str, str] | None) -> dict[str, str | None]:
    return {"overridden_by": override["who"], "because": override["why"]} if override else {
        "overridden_by": None, "because": None,
    }  # fmt: skip
