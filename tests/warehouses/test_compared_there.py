"""Changes that are computed in the warehouse are those that are computed by reading everybody, in every warehouse."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from personas_kit.activation.plan import Plan
from personas_kit.config import load
from personas_kit.definitions import AccountAudience, AccountTrait, Audience, Trait, trait
from personas_kit.sandbox import Sandbox
from personas_kit.warehouses.base import Warehouse
from personas_kit.warehouses.duckdb import DuckDB
from personas_kit.warehouses.postgres import Postgres
from personas_kit.warehouses.snowflake import Snowflake
from personas_kit.workspace import Workspace
from tests.postgres_server.server import Server
from tests.snowflake_emulator.emulator import Emulator

WAREHOUSES = [
    "duckdb",
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("snowflake", marks=pytest.mark.emulator),
]
CONFIG = """
[warehouse]
path = "not-used.duckdb"

[state]
store = "warehouse"
schema = "state_{number}"

[source]
users       = {{ table = "users_{number}", id = "user_id" }}
accounts    = {{ table = "accounts_{number}", id = "account_id" }}
memberships = {{ table = "memberships_{number}", user = "user_id", account = "account_id" }}

[destinations.analytics]
type = "segment"
url = "{url}"
write_key = {{ env = "COMPARED_KEY" }}

[destinations.ads]
type = "facebook-custom-audiences"
url = "{url}"
access_token = {{ env = "COMPARED_KEY" }}
"""
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
ODD = ["ünï", 'quote"d', "back\\slash", "new\nline", "tab\t", "\u2028", "100 %", " padded ", "it's", "\x7f", ""]
_numbers = count(1)


@pytest.fixture
def duckdb_there(tmp_path: Path) -> Warehouse:
    duckdb.connect(tmp_path / "there.duckdb").close()
    return DuckDB(tmp_path / "there.duckdb")


@pytest.fixture
def postgres_there(server: Server) -> Iterator[Warehouse]:
    warehouse = Postgres("shop")
    yield warehouse
    warehouse.close()


@pytest.fixture
def snowflake_there(emulator: Emulator) -> Iterator[Warehouse]:
    warehouse = Snowflake("emulator", connections_file=emulator.connections)
    yield warehouse
    warehouse.close()


class Shop:
    """Users, accounts and memberships in a warehouse, and the state beside them."""

    def __init__(self, warehouse: Warehouse, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.warehouse, self._patch, self.number = warehouse, monkeypatch, next(_numbers)
        file = folder / "personas.toml"
        file.write_text(CONFIG.format(number=self.number, url=url), encoding="utf-8")
        self.config = load(file)

    def write(self, users: pl.DataFrame, memberships: pl.DataFrame | None = None, accounts: Any = None) -> None:
        """Make this what there is."""
        nobody = pl.DataFrame({"user_id": users["user_id"].head(0), "account_id": []}, schema_overrides=TEXTS)
        some = accounts if accounts is not None else pl.DataFrame({"account_id": ["a0"], "size": [0]})
        for name, frame in (("users", users), ("memberships", memberships), ("accounts", some)):
            table = f"{name}_{self.number}"
            table = table.upper() if self.warehouse.dialect == "snowflake" else table
            self.warehouse.write(table, _named(nobody if frame is None else frame, self.warehouse.dialect))

    def workspace(self, *definitions: Any, read_up_to: int = 0) -> Workspace:
        """What another process would open; by default nothing is too little to be compared in the warehouse."""
        made = Workspace(replace(self.config, read_up_to=read_up_to), self.warehouse)
        made.add(*definitions)
        return made

    def push(self, definition: Any, as_of: dt.datetime = NOON, **how: Any) -> None:
        """Push everything that is due."""
        plan = self.workspace(definition, read_up_to=10**9).plan(definition, as_of=as_of, **how)
        plan.push(override=[guard.name for guard in plan.guards])

    def both(self, definition: Any, as_of: dt.datetime, **how: Any) -> tuple[Plan, Plan]:
        """The plan by reading everybody, and the one that the warehouse computes; both of one id."""
        self._patch.setattr(secrets, "token_hex", lambda size=16: "ab" * size)
        read = self.workspace(definition, read_up_to=10**9).plan(definition, as_of=as_of, **how)
        there = self.workspace(definition).plan(definition, as_of=as_of, **how)
        self._patch.undo()
        self._patch.setenv("COMPARED_KEY", "made-up")
        return read, there

    def change(self, statement: str, *values: object) -> None:
        """Change the state behind the store's back."""
        with self.workspace().store._journal.writing() as tables:
            tables.run(statement, values)


TEXTS = {"user_id": pl.String, "account_id": pl.String}


def _named(frame: pl.DataFrame, dialect: str) -> pl.DataFrame:
    """With the names that the warehouse gives to columns that nobody quotes."""
    return frame.rename(str.upper) if dialect == "snowflake" else frame


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("COMPARED_KEY", "made-up")
    warehouse = request.getfixturevalue(f"{request.param}_there")
    with Sandbox() as sandbox:
        yield Shop(warehouse, tmp_path, sandbox.url, monkeypatch)


def users(
    numbers: range, *, ids: Callable[[int], Any] = lambda n: f"u{n}", **more: Callable[[int], Any]
) -> pl.DataFrame:
    """Users with a flag that all of them have."""
    made = {
        "user_id": [ids(n) for n in numbers],
        "vip": [True] * len(numbers),
        "email": [f"{n}@ex.com" for n in numbers],
    }
    return pl.DataFrame(made | {name: [of(n) for n in numbers] for name, of in more.items()})


def assert_same(read: Plan, there: Plan) -> None:
    """Every line, count, guard and cause."""
    assert len(read.syncs) == len(there.syncs)
    for one, other in zip(read.syncs, there.syncs, strict=True):
        order = ["change", "member", "message_id"]
        assert_frame_equal(one.lines.sort(order), other.lines.sort(order), check_column_order=False)
        kinds = [sync.lines["change"].cast(pl.String).rle().struct.field("value").to_list() for sync in (one, other)]
        assert kinds[0] == kinds[1]  # exits come first
        assert_frame_equal(one.held.sort("member"), other.held.sort("member"))
        for name in ("wanted", "guards", "first", "valued", "silent", "suppressed", "full", "unasked", "meaning"):
            assert getattr(one, name) == getattr(other, name), name
        assert one.state.size == other.state.size
        assert (one.fingerprint, one.state.version) == (other.fingerprint, other.state.version)


def assert_compared_there(there: Plan) -> None:
    assert there.moved is not None
    assert (there.moved.stayed > 0, there.moved.why) == (True, "")


VIPS = Audience("Vips", trait("vip") == True)  # noqa: E712


@pytest.mark.parametrize("ids", [lambda n: f"u{n}", lambda n: n], ids=["texts", "numbers"])
def test_who_enters_and_leaves_an_audience(shop: Shop, ids: Callable[[int], Any]) -> None:
    how = {"to": "analytics", "send": ["identify", "track"], "ids": {"email": "email"}}
    for at in range(3):  # a base and two tables of changes
        shop.write(users(range(at * 3, 100 + at * 3), ids=ids))
        shop.push(VIPS, NOON + dt.timedelta(hours=at), **how)
    shop.write(users(range(8, 111), ids=ids))

    read, there = shop.both(VIPS, NOON + dt.timedelta(days=1), **how)

    assert_same(read, there)
    assert there.changes.group_by("change").len().sort("change").rows() == [("enter", 10), ("exit", 4)]
    assert_compared_there(there)


KINDS = {
    "whole numbers": (lambda n: n % 7, lambda n: n % 7 + (n == 50)),
    "texts": (lambda n: ODD[n % len(ODD)], lambda n: ODD[(n + (n == 50)) % len(ODD)]),
    "truths": (lambda n: n % 2 == 0, lambda n: (n % 2 == 0) ^ (n == 50)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_which_values_change(shop: Shop, kind: str) -> None:
    before, after = KINDS[kind]
    scores = Trait("Scores", trait("score"))
    how = {"to": "analytics", "send": ["identify"]}
    shop.write(users(range(120), score=before))
    shop.push(scores, **how)
    shop.write(users(range(3, 125), score=after))

    read, there = shop.both(scores, NOON + dt.timedelta(days=1), **how)

    assert_same(read, there)
    assert there.changes.filter(pl.col("member") == "u50").height == 1
    assert_compared_there(there)
