"""Pushes the small workspace of a folder once, in a process that may be killed at any instant."""

import sys
from pathlib import Path

import polars as pl

from personas_kit.activation.state import SyncState
from personas_kit.activation.store import LocalStore
from tests import small

if __name__ == "__main__":
    folder, as_of, forgetful = Path(sys.argv[1]), sys.argv[2], sys.argv[3:] == ["forgetful"]
    if forgetful:
        load = LocalStore.load

        def without_unknown(store, sync) -> SyncState:
            """The state without its unknown members: what a tool without the idea would see."""
            state = load(store, sync)
            object.__setattr__(state, "unknown", state.unknown.filter(pl.lit(value=False)))
            return state

        LocalStore.load = without_unknown
    workspace = small.opened(folder)
    plan = workspace.plan("vips", as_of=as_of)
    print("pushing", flush=True)  # noqa: T201  (the parent waits for it)
    plan.push(override=[guard.name for guard in plan.guards])
    print("pushed", flush=True)  # noqa: T201
