"""Reference numbers that were computed twice, independently, over a real input that is not part of the project."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from personas_kit.compiler import Column, Source, SourceSettings, Table, bind, compile_definition
from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    UserSettings,
)
from personas_kit.compiler.source import ColumnType
from personas_kit.definitions.definition import AccountAudience, Audience
from personas_kit.definitions.vocabulary import all_users, any_user, event, no_user

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "openstack_b2b"
TYPES: dict[str, ColumnType] = {"VARCHAR": "text", "TIMESTAMP": "timestamp", "DATE": "date"}
merged = event("Change Merged").within(days=30).count() >= 1

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the input is not here")


def _source(handle: duckdb.DuckDBPyConnection, since: str) -> Source:
    schema = {}
    for name in ("users", "accounts", "memberships", "identifiers", "events"):
        handle.read_parquet(str(FOLDER / f"{name}.parquet")).create_view(name)
        described = handle.execute(f"DESCRIBE {name}").fetchall()
        schema[name] = Table((name,), tuple(Column(line[0], TYPES.get(line[1], "other")) for line in described))
    settings = SourceSettings(
        users=UserSettings("users", "user_id", since),
        accounts=AccountSettings("accounts", "account_id"),
        memberships=MembershipSettings("memberships", "user_id", "account_id", "valid_from", "valid_to"),
        identities=IdentitySettings("identifiers", "user_id", "id_value", "id_type", "first_seen_at"),
        events=EventSettings(
            "events", name="event", at="timestamp", user="user_id", anonymous="anonymous_id", id="message_id"
        ),
    )
    return bind(settings, schema)


def _lines(
    handle: duckdb.DuckDBPyConnection, source: Source, where: object, as_of: dt.datetime, **how: bool
) -> set[str]:
    kind = Audience if where is merged else AccountAudience
    query = compile_definition(kind("Merged", where), source, {}, **how)  # type: ignore[arg-type]
    statement, params = query.bound("duckdb", as_of)
    return {line[0] for line in handle.execute(statement, params).fetchall()}


DAYS = ["2014-06-01", "2014-06-02", "2014-06-09", "2015-06-01"]
SINCE = [(187, 47, 10, 526, 776), (184, 47, 11, 526, 776), (185, 46, 10, 527, 780), (207, 46, 9, 527, 1138)]
ALWAYS = [(187, 47, 7, 526, 1940), (184, 47, 7, 526, 1940), (185, 46, 7, 527, 1915), (207, 46, 6, 527, 2098)]


@pytest.mark.parametrize(("since", "expected"), [("first_seen_at", SINCE), ("", ALWAYS)])
def test_the_numbers_are_those_of_the_reference(since: str, expected: list[tuple[int, ...]]) -> None:
    with duckdb.connect() as handle:
        source = _source(handle, since)
        for day, numbers in zip(DAYS, expected, strict=True):
            at = dt.datetime.fromisoformat(day)
            found = [
                _lines(handle, source, where, at)
                for where in (merged, any_user(merged), all_users(merged), no_user(merged))
            ]
            found.append(_lines(handle, source, any_user(merged), at, expand=True))
            assert tuple(map(len, found)) == numbers


def test_the_changes_from_day_to_day_are_those_of_the_reference() -> None:
    with duckdb.connect() as handle:
        source = _source(handle, "first_seen_at")
        accounts, users = [], []
        for day in DAYS:
            at = dt.datetime.fromisoformat(day)
            accounts.append(_lines(handle, source, any_user(merged), at))
            users.append(_lines(handle, source, any_user(merged), at, expand=True))
    assert [(len(b - a), len(a - b)) for a, b in pairwise(accounts)] == [
        (0, 0),
        (2, 3),
        (21, 21),
    ]
    assert [(len(b - a), len(a - b)) for a, b in pairwise(users)] == [(0, 0), (9, 5), (455, 97)]
