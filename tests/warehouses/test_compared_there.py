"""Changes that are computed in the warehouse are those that are computed by reading everybody, in every warehouse."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from personas_kit.activation.plan import Plan, SyncPlan, notes_of
from personas_kit.compiler import differing
from personas_kit.config import Scheduled, SyncSettings, load
from personas_kit.definitions import AccountAudience, AccountTrait, Audience, Trait, trait
from personas_kit.definitions import users as pk_users
from personas_kit.membership import keys
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
schema = "compared_{number}"

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
        nobody = pl.DataFrame(schema={"user_id": users.schema["user_id"], "account_id": pl.String})
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
        """Acknowledge everything that is due."""
        plan = self.workspace(definition, read_up_to=10**9).plan(definition, as_of=as_of, mode="adopt", **how)
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
        assert _guards(one) == _guards(other)
        for name in ("wanted", "first", "valued", "silent", "suppressed", "full", "unasked", "meaning"):
            assert getattr(one, name) == getattr(other, name), name
        assert one.state.size == other.state.size
        assert (one.fingerprint, one.state.version) == (other.fingerprint, other.state.version)


def _guards(sync: SyncPlan) -> list[tuple[str, str]]:
    """What fired, without the examples, which are those that happen to come first."""
    return [(guard.name, guard.kept or guard.saw) for guard in sync.guards]


def assert_compared_there(there: Plan) -> None:
    assert there.moved is not None
    assert (there.moved.stayed > 0, there.moved.why) == (True, "")


SCORES = Trait("Scores", trait("score"))
VIPS = Audience("Vips", trait("vip") == True)  # noqa: E712


IDENTIFY = {"to": "analytics", "send": ["identify"]}
LATER = NOON + dt.timedelta(days=1)


@pytest.mark.parametrize("ids", [lambda n: f"u{n}", lambda n: n], ids=["texts", "numbers"])
def test_who_enters_and_leaves_an_audience(shop: Shop, ids: Callable[[int], Any]) -> None:
    how = {"to": "analytics", "send": ["identify", "track"], "ids": {"email": "email"}}
    for at in range(3):  # a base and two tables of changes
        shop.write(users(range(at * 2, 100 + at * 2), ids=ids))
        shop.push(VIPS, NOON + dt.timedelta(hours=at), **how)
    shop.write(users(range(8, 111), ids=ids))

    read, there = shop.both(VIPS, LATER, **how)

    (chain, *_) = (shop.workspace().store.outline(sync.sync).chain for sync in there.syncs)
    assert [part.kind for part in chain] == ["base", "changes", "changes"]
    assert_same(read, there)
    assert there.changes.group_by("change").len().sort("change").rows() == [("enter", 14), ("exit", 8)]
    assert_compared_there(there)
    assert read.moved is not None
    assert there.moved is not None
    assert there.moved.bytes < read.moved.bytes / 3


def test_the_plan_of_the_warehouse_can_be_pushed(shop: Shop) -> None:
    shop.write(users(range(50)))
    shop.push(VIPS, **IDENTIFY)
    shop.write(users(range(2, 55)))
    plan = shop.workspace(VIPS).plan(VIPS, as_of=LATER, **IDENTIFY)

    report = plan.push(override=[guard.name for guard in plan.guards])

    after = shop.workspace(VIPS).plan(VIPS, as_of=LATER, **IDENTIFY)
    assert (report.acknowledged, after.changes.height, after.syncs[0].state.size) == (7, 0, 53)
    assert after.syncs[0].lines.schema["member"] == pl.String


def test_nothing_to_do_leaves_numbers_numbers(shop: Shop) -> None:
    shop.write(users(range(30), ids=int))
    shop.push(VIPS, **IDENTIFY)
    for at in range(2):
        plan = shop.workspace(VIPS).plan(VIPS, as_of=LATER + dt.timedelta(days=at), **IDENTIFY)
        plan.push(override=[guard.name for guard in plan.guards])

    assert shop.workspace().store.outline(plan.syncs[0].sync).state.acknowledged.schema["member"] == pl.Int64
    assert_compared_there(plan)


KINDS = {
    "whole numbers": (lambda n: n % 7, lambda n: n % 7 + (n == 50)),
    "texts": (lambda n: ODD[n % len(ODD)], lambda n: ODD[(n + (n == 50)) % len(ODD)]),
    "truths": (lambda n: n % 2 == 0, lambda n: (n % 2 == 0) ^ (n == 50)),
    "instants": (
        lambda n: NOON + dt.timedelta(microseconds=[0, 500_000, 123_456, 7][n % 4], days=n),
        lambda n: NOON + dt.timedelta(microseconds=[0, 500_000, 123_456, 7][n % 4] + (n == 50), days=n),
    ),
    "days": (
        lambda n: dt.date(2026, 1, 1) + dt.timedelta(days=n),
        lambda n: dt.date(2026, 1, 1) + dt.timedelta(days=n + (n == 50)),
    ),
    "missing": (lambda n: n if n % 3 else None, lambda n: n if n % 3 and n != 50 else None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_which_values_change(shop: Shop, kind: str) -> None:
    before, after = KINDS[kind]
    shop.write(users(range(100), score=before))
    shop.push(SCORES, **IDENTIFY)
    shop.write(users(range(3, 105), score=after))

    read, there = shop.both(SCORES, LATER, **IDENTIFY)

    assert_same(read, there)
    assert there.changes.filter(pl.col("member") == "u50").height == 1
    assert_compared_there(there)


def test_decimals_are_compared_where_they_arrive_as_such(shop: Shop) -> None:
    """PostgreSQL's sums of them have no scale, and arrive as floats: there they are read."""

    def amounts(plus: int) -> pl.DataFrame:
        cents = pl.Series([n * 25 + plus * (n == 50) for n in range(100)])
        amount = (cents / 100).cast(pl.Decimal(10, 2)).alias("score")
        return users(range(100)).with_columns(amount)

    shop.write(amounts(0))
    shop.push(SCORES, **IDENTIFY)
    shop.write(amounts(1))

    read, there = shop.both(SCORES, LATER, **IDENTIFY)

    assert_same(read, there)
    assert there.changes.select("member", "value").rows() == [("u50", "12.51")]
    assert there.moved is not None
    assert bool(there.moved.why) == (shop.warehouse.dialect == "postgres")


def test_the_last_of_several_changes_counts(shop: Shop) -> None:
    for at, score in enumerate((1, 2, 3, 2)):
        shop.write(users(range(100), score=lambda n, score=score: score if n == 50 else 0))
        shop.push(SCORES, NOON + dt.timedelta(hours=at), **IDENTIFY)
    shop.write(users(range(100), score=lambda n: 3 if n == 50 else 0))

    read, there = shop.both(SCORES, LATER, **IDENTIFY)

    assert_same(read, there)
    assert there.changes.select("member", "value").rows() == [("u50", "3")]
    assert_compared_there(there)


def test_texts_that_look_alike_are_told_apart(shop: Shop) -> None:
    """A text that is the JSON of another one without its quotes."""
    shop.write(users(range(50), score=lambda n: 'a"b' if n == 7 else "a"))
    shop.push(SCORES, **IDENTIFY)
    shop.write(users(range(50), score=lambda n: 'a\\"b' if n == 7 else "a"))

    read, there = shop.both(SCORES, LATER, **IDENTIFY)

    assert_same(read, there)
    assert there.changes["member"].to_list() == ["u7"]


def test_a_value_that_says_nothing_is_counted_as_such_by_guards(shop: Shop) -> None:
    """A hundred accounts have nobody, of all the time; more than a hundred of the others lose their users."""
    size = AccountTrait("Heads", pk_users().count())
    belong = pl.DataFrame({"user_id": [f"u{n}" for n in range(600)], "account_id": [f"a{n // 2}" for n in range(600)]})
    accounts = pl.DataFrame({"account_id": [f"a{n}" for n in range(400)], "size": [1] * 400})
    how = {"to": "analytics", "send": ["group"]}
    shop.write(users(range(600)), belong, accounts)
    shop.push(size, **how)
    shop.write(users(range(600)), belong.filter(pl.col("account_id") > "a2"), accounts)

    read, there = shop.both(size, LATER, **how)

    assert_same(read, there)
    assert "113 of 300 would lose their value" in next(guard.saw for guard in there.guards if guard.name == "removals")
    assert there.syncs[0].state.idle == 100
    assert_compared_there(there)


def test_users_of_accounts(shop: Shop) -> None:
    """One user may come by several accounts, and stays while one of them is left."""
    big = AccountAudience("Big", trait("size") > 5)
    how = {"to": "analytics", "send": ["identify", "group"], "ids": {"email": "email"}}
    many = users(range(100))
    belong = [(f"u{n}", f"a{n % 10}") for n in range(100)] + [(f"u{n}", f"a{(n + 1) % 10}") for n in range(50)]
    pairs = pl.DataFrame(belong, schema=["user_id", "account_id"], orient="row")
    accounts = pl.DataFrame({"account_id": [f"a{n}" for n in range(10)], "size": [*range(10)]})
    shop.write(many, pairs, accounts)
    shop.push(big, **how)
    shop.write(
        many, pairs.filter(pl.col("user_id") != "u7"), accounts.with_columns(pl.col("size").replace({6: 1, 2: 9}))
    )

    read, there = shop.both(big, LATER, **how)

    assert_same(read, there)
    assert there.changes.height > 0
    assert_compared_there(there)


@pytest.mark.parametrize("combine", [None, "max"])
def test_values_of_accounts_for_their_users(shop: Shop, combine: str | None) -> None:
    """Users of several accounts have several values; where these differ they come over, and are decided here."""
    sizes = AccountTrait("Sizes", trait("size"))
    how = {"to": "analytics", "send": ["identify", "group"], "combine": combine}
    many = users(range(100))
    belong = [(f"u{n}", f"a{n % 10}") for n in range(100)] + [(f"u{n}", f"a{(n + 1) % 10}") for n in range(20)]
    pairs = pl.DataFrame(belong, schema=["user_id", "account_id"], orient="row")
    accounts = pl.DataFrame({"account_id": [f"a{n}" for n in range(10)], "size": [n // 2 for n in range(10)]})
    shop.write(many, pairs.head(100), accounts)
    shop.push(sizes, **how)
    shop.write(many, pairs, accounts.with_columns(pl.col("size").replace({4: 7})))

    read, there = shop.both(sizes, LATER, **how)

    assert_same(read, there)
    assert bool([guard for guard in there.guards if guard.name == "undecided_values"]) == (combine is None)
    assert_compared_there(there)


def test_members_that_nobody_can_tell_apart_come_over(shop: Shop) -> None:
    """Twice there, or too long: what the guards say of them is the same."""
    long = "x" * 300
    shop.write(users(range(60), ids=lambda n: long if n == 7 else f"u{n}", score=lambda n: n))
    shop.push(SCORES, **IDENTIFY)
    ids = {3: "u2", 5: "u4", 7: long}
    shop.write(users(range(60), ids=lambda n: ids.get(n, f"u{n}"), score=lambda n: n))

    read, there = shop.both(SCORES, LATER, **IDENTIFY)

    assert [guard.name for guard in there.guards][:2] == ["duplicate_members", "long_members"]
    assert read.guards == there.guards
    assert read.syncs[0].wanted == there.syncs[0].wanted


def test_members_of_unknown_outcome_and_those_who_were_forgotten(shop: Shop) -> None:
    shop.write(users(range(60)))
    shop.push(VIPS, **IDENTIFY)
    (sync, _), *_ = shop.workspace().store.syncs()
    for member, change in (("u3", "enter"), ("u4", "exit"), ("u200", "enter")):
        shop.change("insert into unknown_member values (?, ?, ?, 'true', 'm', 1, null)", sync.id, member, change)
    for user in ("u5", "u61"):
        shop.workspace().store.forget(user)
    shop.write(users(range(1, 63)))

    read, there = shop.both(VIPS, LATER, **IDENTIFY)

    assert_same(read, there)
    assert set(there.changes["member"]) == {"u0", "u3", "u4", "u200", "u5", "u60", "u62"}
    assert there.syncs[0].suppressed == 2
    assert_compared_there(there)


READ = {
    "a list": (VIPS, {"to": "ads", "list": "1", "ids": {"email": "email"}}, "identifiers"),
    "everyone goes": (VIPS, {**IDENTIFY, "mode": "full"}, "everyone goes"),
    "numbers with a fraction": (Trait("Ratios", trait("ratio")), IDENTIFY, "values of type float"),
}


@pytest.mark.parametrize("name", READ)
def test_what_the_warehouse_cannot_compare_is_read_and_said(shop: Shop, name: str) -> None:
    definition, how, why = READ[name]
    shop.write(users(range(30), ratio=lambda n: n / 3))
    shop.push(definition, **{each: value for each, value in how.items() if each != "mode"})
    shop.write(users(range(2, 31), ratio=lambda n: n / 3))

    read, there = shop.both(definition, LATER, **how)

    assert_same(read, there)
    assert there.moved is not None
    assert why in there.moved.why
    assert there.moved.bytes > 0
    assert any(why in note for note in notes_of(there))


def test_few_members_are_read_without_a_word(shop: Shop) -> None:
    shop.write(users(range(30)))
    shop.push(VIPS, **IDENTIFY)

    plan = shop.workspace(VIPS, read_up_to=30).plan(VIPS, as_of=LATER, **IDENTIFY)

    assert plan.moved is not None
    assert (plan.moved.stayed, plan.moved.why, notes_of(plan)) == (0, "", [])


def test_a_run_compares_there_too(shop: Shop) -> None:
    shop.write(users(range(60)))
    shop.push(VIPS, **IDENTIFY)
    shop.write(users(range(1, 61)))
    workspace = shop.workspace()
    workspace._scheduled["vips"] = Scheduled(VIPS, to=(SyncSettings(destination="analytics", send=("identify",)),))

    (line,) = workspace.run(as_of=LATER).lines

    assert line.plan is not None
    assert line.plan.changes.height == 2
    assert_compared_there(line.plan)


def test_what_is_too_long_is_what_guards_call_so() -> None:
    assert differing.LONGEST == keys.LONGEST
