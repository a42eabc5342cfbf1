"""Message ids: the same for the same change, whoever computes them and when; others for everything else."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from personas_kit.activation import message_ids
from personas_kit.activation.due import Occasion
from personas_kit.activation.planning import Draft
from personas_kit.activation.state import SyncState, reject_frame, unknown_frame
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.destinations import find
from personas_kit.destinations.base import Call, Computation
from personas_kit.secret import Secret

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
SEGMENT = find("segment").configure("analytics", {"write_key": Secret("env", "KEY")})
NOBODY = SyncState(
    pl.DataFrame(schema={"member": pl.String}), unknown_frame([], pl.String()), reject_frame([], pl.String())
)
MEMBERS = 2_500_000 if os.environ.get("PERSONAS_LONG") else 250_000
"""By two calls and in two plans each: so many ids four times."""
ROOT = Path(__file__).parents[2]


def ids_of(users: pl.DataFrame, ids: dict[str, str], *, call: Call = "identify", plan: str = "a" * 32) -> pl.DataFrame:
    """The member and the message id of every entry of a first push."""
    about = SEGMENT, Computation("buyers", "audience", "Buyers"), "fingerprint", ""
    wanted = wanted_by(call, Members(users), SEGMENT, ids)
    made = Draft(Sync("buyers", "analytics", call), *about, wanted, NOBODY, Occasion(plan, NOON)).plan()
    return made.lines.select("member", "message_id")


def some_ids(seed: int) -> dict[str, str]:
    """Of a few users whose lines, columns and identifiers stand in an order of chance."""
    order = random.Random(seed)  # noqa: S311  (an order, no secret)
    names = [f"u{n}" for n in range(50)] + ["\u00e9", "e\u0301", "\U0001f600", " u1", "U1", "1", "01"]
    columns = {
        "user_id": names,
        "email": [f"{name}@example.com" for name in names],
        "phone": [*map(str, map(len, names))],
    }
    frame = pl.DataFrame({name: columns[name] for name in order.sample([*columns], 3)})
    ids = {kind: kind for kind in order.sample(["email", "phone"], 2)}
    return dict(ids_of(frame.sample(fraction=1, shuffle=True, seed=seed), ids).rows())


def elsewhere(seed: int, hashes: str) -> dict[str, str]:
    """The same in another process, with another seed of Python's hashes."""
    code = f"import json; from tests.activation.test_message_ids import some_ids; print(json.dumps(some_ids({seed})))"
    environment = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(said.stdout)
    return found


def test_another_process_with_other_hashes_and_another_order_computes_the_same_ids() -> None:
    here = some_ids(0)

    assert len(set(here.values())) == len(here)
    assert all(some_ids(seed) == here for seed in range(1, 6))
    assert elsewhere(1, "0") == elsewhere(2, "4711") == here


def test_an_id_says_the_same_on_every_machine_and_in_every_version() -> None:
    """Two versions may stand side by side: destinations that look at ids know what the other one has sent."""
    users = pl.DataFrame({"user_id": ["ann"], "email": ["ann@example.com"]})

    assert ids_of(users, {})["message_id"].to_list() == ["personas_267323040266746424796864812044666466140"]
    assert ids_of(users, {"email": "email"})["message_id"].to_list() == [
        "personas_267323040266746424796864812044666466140_1529586403950173578"
    ]


def test_many_are_made_in_pieces_and_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    users = pl.DataFrame({"user_id": [f"u{n}" for n in range(10)], "email": [f"{n}@example.com" for n in range(10)]})
    at_once = ids_of(users, {"email": "email"})
    monkeypatch.setattr(message_ids, "PIECE", 3)

    assert ids_of(users, {"email": "email"}).equals(at_once)
    assert ids_of(users.clear(), {"email": "email"}).height == 0


@pytest.mark.timeout(600)
def test_no_two_changes_have_one_id() -> None:
    """Of two calls and two plans. As destinations see ids: without the digest of what goes beside the value."""
    users = pl.select(user_id=pl.int_range(MEMBERS).cast(pl.String))
    found = pl.concat(
        [
            ids_of(users, {}, call=call, plan=plan)["message_id"]
            for call in ("identify", "track")
            for plan in ("a" * 32, "b" * 32)
        ]
    )

    assert found.len() == 4 * MEMBERS
    assert found.n_unique() == found.len()
