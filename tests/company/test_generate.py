"""The demo's warehouse: the same everywhere, large enough, and believable."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import duckdb
import polars as pl
import pytest

from personas_kit.company.chance import Chance, weighted
from personas_kit.company.generate import DEMO_AS_OF, generate, make_tables

TABLES = ("users", "accounts", "memberships", "identifiers", "events")
AS_OF = DEMO_AS_OF.replace(tzinfo=None)


def digest_of(tables: dict[str, pl.DataFrame]) -> str:
    """Over the sorted lines of all tables, as text."""
    made = hashlib.sha256()
    for name in TABLES:
        made.update(name.encode())
        made.update(tables[name].sort(tables[name].columns).write_csv().encode())
    return made.hexdigest()[:16]


def small(**changed: int) -> dict[str, pl.DataFrame]:
    return make_tables(**{"seed": 7, "events": 2_000, **changed}, as_of=DEMO_AS_OF)


def test_the_same_seed_makes_the_same_content_on_every_machine() -> None:
    assert digest_of(small()) == "1b3902c085e17e83"


def test_another_seed_makes_another_warehouse() -> None:
    assert digest_of(small(seed=8)) != digest_of(small())


def test_the_file_holds_the_tables(connection: duckdb.DuckDBPyConnection) -> None:
    tables = make_tables(seed=7, events=220_000, as_of=DEMO_AS_OF)
    for name in TABLES:
        assert connection.sql(f"select * from {name}").pl().equals(tables[name]), name


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[object, ...]:
    found = connection.execute(sql, {"as_of": AS_OF} if "$as_of" in sql else None).fetchone()
    assert found is not None
    return found


def test_sizes(connection: duckdb.DuckDBPyConnection) -> None:
    assert one(connection, "select count(*), count(distinct user_id) from users") == (8_000, 8_000)
    assert (
        one(connection, "select count(*), count(distinct account_id), count(distinct name) from accounts") == (900,) * 3
    )
    [events] = one(connection, "select count(*) from events")
    assert isinstance(events, int)
    assert 220_000 <= events < 240_000


def test_events_are_of_one_year_and_go_on_for_two_days_after_as_of(connection: duckdb.DuckDBPyConnection) -> None:
    begin, end = AS_OF - dt.timedelta(days=363), AS_OF + dt.timedelta(days=2)
    first, last = one(connection, "select min(timestamp), max(timestamp) from events")
    assert isinstance(first, dt.datetime)
    assert isinstance(last, dt.datetime)
    assert begin - dt.timedelta(days=1) < first < begin + dt.timedelta(days=1)
    assert end - dt.timedelta(hours=1) < last < end


def test_nobody_acts_before_signing_up_but_anonymously(connection: duckdb.DuckDBPyConnection) -> None:
    early = "select count(*) from events join users using (user_id) where timestamp < created_at"
    assert one(connection, early) == (0,)
    looked = """
        select count(*) > 1000 from events join identifiers on anonymous_id = id_value
        join users on users.user_id = identifiers.user_id
        where events.user_id is null and timestamp < users.created_at
    """
    assert one(connection, looked) == (True,)


def test_every_reference_leads_somewhere(connection: duckdb.DuckDBPyConnection) -> None:
    for child, column, parent in (
        ("memberships", "user_id", "users"),
        ("memberships", "account_id", "accounts"),
        ("identifiers", "user_id", "users"),
        ("events", "user_id", "users"),
    ):
        lost = f"select count(*) from {child} anti join {parent} using ({column}) where {column} is not null"
        assert one(connection, lost) == (0,), (child, column)


def test_an_event_names_an_account_of_its_user_at_that_time(connection: duckdb.DuckDBPyConnection) -> None:
    lost = """
        select count(*) from events e where group_id is not null and not exists (
            from memberships m where m.user_id = e.user_id and m.account_id = e.group_id
            and m.valid_from <= e.timestamp and (m.valid_to is null or e.timestamp < m.valid_to)
        )
    """
    assert one(connection, lost) == (0,)


def test_addresses_and_numbers_can_reach_nobody(connection: duckdb.DuckDBPyConnection) -> None:
    domains = connection.sql(
        "select distinct lower(split_part(email, '@', 2)) from users where email is not null"
    ).fetchall()
    assert sorted(domains) == [("example.com",), ("example.net",), ("example.org",)]
    fiction = r"\+1\d{3}55501\d{2}|\+447700900\d{3}|\+3363998\d{4}|\+493023125\d{3}"
    assert one(connection, f"select count(*) from users where not regexp_full_match(phone, '{fiction}')") == (0,)


def test_what_is_awkward_in_real_data_is_there(connection: duckdb.DuckDBPyConnection) -> None:
    two = "select count(*) from (select 1 from memberships where valid_to is null group by user_id having count(*) > 1)"
    shared = "select count(*) from (select 1 from identifiers group by id_value having count(*) > 1)"
    for what, sql in {
        "users without an address": "select count(*) from users where email is null",
        "addresses in capitals": "select count(*) from users where email <> lower(email)",
        "users of two accounts": two,
        "users who moved": "select count(*) from memberships where valid_to is not null",
        "users without an account": "select count(*) from users anti join memberships using (user_id)",
        "accounts without a user": "select count(*) from accounts anti join memberships using (account_id)",
        "devices of two users": shared,
        "events of strangers": "select count(*) from events anti join identifiers on anonymous_id = id_value",
        "events delivered twice": "select count(*) - count(distinct message_id) from events",
        "users who refused marketing": "select count(*) from users where not marketing_consent",
        "users who sign up after as_of": f"select count(*) from users where created_at > '{AS_OF}'",
    }.items():
        [count] = one(connection, sql)
        assert isinstance(count, int)
        assert count >= 10, what


def test_the_days_have_a_rhythm(connection: duckdb.DuckDBPyConnection) -> None:
    rhythm = (
        "select count(*) filter (isodow(timestamp) > 5) * 2.5 / count(*) filter (isodow(timestamp) <= 5) from events"
    )
    [weekend] = one(connection, rhythm)
    [growth] = one(
        connection,
        """select count(*) filter (timestamp > $as_of - interval 90 day)
             / count(*) filter (timestamp <= $as_of - interval 270 day) from events""",
    )
    [night] = one(
        connection,
        """select count(*) filter (hour(timestamp) < 4) / count(*) filter (hour(timestamp) between 9 and 12)
           from events""",
    )
    [top] = one(
        connection,
        """select sum(n) filter (place <= 800) / sum(n) from (
             select count(*) n, row_number() over (order by n desc) place
             from events where user_id is not null group by user_id)""",
    )
    assert 0.3 < float(str(weekend)) < 0.8
    assert float(str(growth)) > 2
    assert float(str(night)) < 0.5
    assert float(str(top)) > 0.4, "a tenth of the users does most of it"


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "warehouse.duckdb"
    for seed in (1, 2):
        assert generate(path, seed=seed, events=100) == path
    with duckdb.connect(path, read_only=True) as opened:
        assert one(opened, "select count(*) from users") == (8_000,)
    assert [file.name for file in path.parent.iterdir()] == ["warehouse.duckdb"]


def test_chance_knows_the_published_numbers() -> None:
    # given the state from which the authors' SplitMix64 with seed 0 makes its first numbers
    index = pl.int_range(3, dtype=pl.UInt64)
    start = Chance(7).draw("any", index)
    numbers = pl.select(start).to_series()
    # then our stream is the same algorithm from another start
    assert numbers.to_list() == [_splitmix(_start_of("7/any") + at * 0x9E3779B97F4A7C15) for at in range(3)]
    assert _splitmix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF


def _start_of(stream: str) -> int:
    return int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=8).digest(), "big")


def _splitmix(state: int) -> int:
    z = state % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_draws_are_even(limit: int) -> None:
    drawn = pl.select(Chance(7).below("even", limit, pl.int_range(20_000, dtype=pl.UInt64))).to_series()
    assert drawn.min() == 0
    assert drawn.max() == limit - 1
    assert drawn.value_counts()["count"].min() > 20_000 // limit * 0.5  # type: ignore[operator]


def test_a_value_with_twice_the_weight_stands_there_twice() -> None:
    assert weighted({"a": 2, "b": 1}) == ["a", "a", "b"]
