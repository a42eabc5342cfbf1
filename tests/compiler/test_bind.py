"""Settings held against a schema."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from personas_kit.compiler import Column, Schema, SourceSettings, Table, bind
from personas_kit.compiler.source import ColumnType
from personas_kit.errors import ConfigError, UnknownName

ADAPTER = pydantic.TypeAdapter(SourceSettings)


def schema(**tables: str) -> Schema:
    def column(said: str) -> Column:
        name, _, kind = said.partition(":")
        known: ColumnType = kind or "text"  # type: ignore[assignment]
        return Column(name, known)

    return {name: Table((name,), tuple(column(each) for each in columns.split())) for name, columns in tables.items()}


def bound(settings: dict[str, Any], **tables: str) -> Any:
    return bind(ADAPTER.validate_python(settings), schema(**tables))


def test_names_are_found_whatever_their_case_and_kept_as_they_are() -> None:
    source = bound({"users": {"table": "users", "id": "user_id"}}, USERS="USER_ID PLAN")
    assert source.users.table.name == "USERS"
    assert source.users.id.name == "USER_ID"


def test_two_names_that_differ_in_case_are_told_apart() -> None:
    source = bound({"users": {"table": "users", "id": "ID"}}, users="id ID")
    assert source.users.id.name == "ID"
    with pytest.raises(UnknownName):
        bound({"users": {"table": "users", "id": "Id"}}, users="id ID")


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(pydantic.ValidationError):
        ADAPTER.validate_python({"users": {"table": "users", "id": "id", "sinse": "x"}})


def test_unknown_tables_and_columns_say_what_is_near() -> None:
    with pytest.raises(UnknownName) as raised:
        bound({"users": {"table": "user", "id": "id"}}, users="id", events="id")
    assert (raised.value.kind, raised.value.near) == ("table", ["users"])
    with pytest.raises(UnknownName) as raised:
        bound({"users": {"table": "users", "id": "userid"}}, users="user_id email")
    assert (raised.value.kind, raised.value.near) == ("column", ["user_id"])
    assert "source.users.id" in raised.value.where


USERS = {"table": "users", "id": "id"}
EVENTS = {"table": "events", "name": "event"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"users": {"table": "users"}}, "not named"),
        ({"users": {"table": "users", "id": "id", "since": "email"}}, "users.email is text, not a time"),
        ({"timezone": "Prague", "users": USERS}, "no time zone"),
        ({"users": USERS, "events": EVENTS | {"at": "at", "user": "number"}}, "two types"),
        ({"users": USERS, "events": EVENTS | {"user": "id"}}, "when an event happened"),
        ({"users": USERS, "events": EVENTS | {"at": "at"}}, "whose an event is"),
    ],
)  # fmt: skip
def test_what_cannot_serve_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        bound(settings, users="id email", events="id event at:timestamp number:integer")
    assert raised.value.where.startswith("source")


def test_a_preset_fills_in_what_was_not_written() -> None:
    tables = {
        "users": "id email", "accounts": "id", "identifies": "user_id anonymous_id timestamp:timestamp",
        "tracks": "id event_text user_id anonymous_id timestamp:timestamp uid",
    }  # fmt: skip
    source = bound({"preset": "segment", "events": {"user": "uid"}}, **tables)
    assert source.users.id.name == "id"
    assert source.events[0].name.name == "event_text"
    assert source.events[0].user.name == "uid"
    assert source.identities.since.name == "timestamp"
    del tables["accounts"]
    assert bound({"preset": "segment"}, **tables).accounts is None
    with pytest.raises(UnknownName, match="preset"):
        bound({"preset": "segmnt"}, **tables)


def test_a_preset_has_memberships_only_where_there_are_accounts() -> None:
    # Given what RudderStack loads: a line in groups for every call, and no table with one line per account
    tables = {"users": "id", "groups": "user_id group_id timestamp:timestamp", "latest": "group_id name"}
    assert bound({"preset": "rudderstack"}, **tables).memberships is None
    source = bound({"preset": "rudderstack", "accounts": {"table": "latest", "id": "group_id"}}, **tables)
    assert source.accounts.table.name == "latest"
    assert source.memberships.valid_from.name == "timestamp"


def test_one_table_per_event_needs_no_name_column() -> None:
    settings = {
        "users": {"table": "users", "id": "id"},
        "events": {"tables": {"Signed Up": "signed_up"}, "at": "at", "user": "id"},
    }
    source = bound(settings, users="id", signed_up="id at:timestamp")
    assert source.event_names == ("Signed Up",)
    assert source.events[0].event == "Signed Up"
