"""The delivery with one of its ideas taken out, each as a small patch: a campaign has to notice every one of them."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import polars as pl

from personas_kit.activation import planning
from personas_kit.activation.courier import Courier
from personas_kit.activation.store import Store, noting
from tests.activation.attack.books import times


@contextlib.contextmanager
def _patched(owner: object, name: str, wrap: Callable[[Any], Any]) -> Iterator[None]:
    with mock.patch.object(owner, name, wrap(getattr(owner, name))):
        yield


def _no_ambiguity(inner: Any) -> Any:
    """R3: what was not answered did not arrive."""

    def once(self: Courier, work: Any, leave: Any) -> Any:
        outcome, _ = inner(self, work, leave)
        return outcome, False

    return once


def _a_refusal_proves(inner: Any) -> Any:
    """R4: who is refused was not applied before either."""

    def note(self: Courier, tally: Any, work: Any, outcome: Any, **more: Any) -> None:
        before = set(tally.unknown)
        inner(self, tally, work, outcome, **more)
        if outcome.verdict in {"acknowledged", "rejected", "split"}:
            tally.unknown = before

    return note


def _nothing_is_unknown(inner: Any) -> Any:
    """The unknown members are forgotten when the next plan is made."""

    def load(self: Store, *args: Any) -> Any:
        state = inner(self, *args)
        return dataclasses.replace(state, unknown=state.unknown.clear())

    return load


def _sent_before_it_is_noted(inner: Any) -> Any:
    """The order of the two transactions: a batch is marked when its answer is there."""
    waiting: dict[int, Any] = {}

    def advance(self: Store, plan_id: str, sync: Any, *, settled: Any = (), sending: Any = None) -> None:
        mine = {
            batch: digest for batch, digest in waiting.pop(id(self), {}).items() if batch in {b for b, *_ in settled}
        }
        if mine:
            inner(self, plan_id, sync, sending=mine)
        inner(self, plan_id, sync, settled=settled)
        waiting[id(self)] = sending or {}

    return advance


def _another_content(inner: Any) -> Any:
    """R2, I3: a repeated change keeps its id, but not the time that it was sent with."""

    def with_ids(lines: pl.DataFrame, sync: Any, state: Any, occasion: Any) -> pl.DataFrame:
        return inner(lines, sync, state, occasion).with_columns(
            timestamp=pl.lit(occasion.as_of, pl.Datetime("us", "UTC"))
        )

    return with_ids


def _rejects_count(inner: Any) -> Any:
    """What was refused counts as done."""

    def settle(about: Any, lines: Any, result: Any) -> list[int]:
        return [at for at in inner(about, lines, result) if at not in result.rejected]

    return settle


MUTATIONS: dict[str, tuple[object, str, Callable[[Any], Any]]] = {
    "no ambiguity": (Courier, "_once", _no_ambiguity),
    "a refusal proves": (Courier, "_note", _a_refusal_proves),
    "nothing is unknown": (Store, "load", _nothing_is_unknown),
    "sent before it is noted": (Store, "advance", _sent_before_it_is_noted),
    "one id, another content": (planning, "_with_message_ids", _another_content),
    "rejects count as done": (noting, "settle", _rejects_count),
}


def mutated(name: str) -> contextlib.AbstractContextManager[None]:
    """Within the block, the idea is gone."""
    return _patched(*MUTATIONS[name])


def chosen() -> list[str]:
    """All in the long run; else two, others every day."""
    names, count = [*MUTATIONS], times("mutations")
    day = int(os.environ.get("PERSONAS_SEED") or dt.datetime.now(dt.UTC).toordinal())
    return [names[(count * day + turn) % len(names)] for turn in range(count)]
