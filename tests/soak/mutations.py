"""The kit with one of its ideas taken out, each as a small patch: a month has to notice every one of them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any
from unittest import mock

import polars as pl

from personas_kit.activation import planning, watching
from tests.activation.attack import mutations as attacked


def _an_exit_is_dropped(inner: Any) -> Any:
    """Of those who leave, one stays."""

    def due(*args: Any) -> pl.DataFrame:
        found = inner(*args)
        exits = (found["change"].cast(pl.String) == "exit").arg_true()
        return found.filter(pl.int_range(pl.len()) != exits[0]) if exits.len() else found

    return due


def _before_its_time(inner: Any) -> Any:
    """Nothing waits until a list takes it again."""

    def guards(**how: Any) -> list[Any]:
        return [guard for guard in inner(**how) if guard.name != "interval"]

    return guards


def _another_id(inner: Any) -> Any:
    """What is said again is said as something new."""

    def with_ids(lines: pl.DataFrame, sync: Any, state: Any, occasion: Any) -> pl.DataFrame:
        return inner(lines, sync, dataclasses.replace(state, unknown=state.unknown.clear()), occasion)

    return with_ids


_OWN: dict[str, tuple[object, str, Callable[[Any], Any]]] = {
    "an exit is dropped": (planning, "due_changes", _an_exit_is_dropped),
    "before its time": (watching, "time_guards", _before_its_time),
    "another id": (planning, "_with_message_ids", _another_id),
}
_SHARED = ("no ambiguity", "nothing is unknown", "rejects count as done")
MUTATIONS = (*_OWN, *_SHARED)


def mutated(name: str) -> contextlib.AbstractContextManager[Any]:
    """Within the block, the idea is gone."""
    if name in _SHARED:
        return attacked.mutated(name)
    owner, attribute, wrap = _OWN[name]
    return mock.patch.object(owner, attribute, wrap(getattr(owner, attribute)))
