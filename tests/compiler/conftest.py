"""A source of a few literal lines in DuckDB, and what asks it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

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
from personas_kit.definitions.definition import AccountAudience, AccountTrait, Audience, Definition, Trait
from personas_kit.definitions.expressions import Condition, Value

AS_OF = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
_TYPES: dict[str, ColumnType] = {
    "VARCHAR": "text", "INTEGER": "integer", "BIGINT": "integer", "DOUBLE": "float", "FLOAT": "float",
    "BOOLEAN": "boolean", "TIMESTAMP": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamp_tz", "DATE": "date",
    "JSON": "json", "VARCHAR[]": "list",
}  # fmt: skip


def schema_of(handle: duckdb.DuckDBPyConnection) -> dict[str, Table]:
    """What introspection would find."""
    found: dict[str, list[Column]] = {}
    statement = "SELECT table_name, column_name, data_type FROM duckdb_columns() ORDER BY table_name, column_index"
    for table, column, declared in handle.execute(statement).fetchall():
        kind = "decimal" if declared.startswith("DECIMAL") else _TYPES.get(declared, "other")
        found.setdefault(table, []).append(Column(column, kind, declared))  # type: ignore[arg-type]
    return {name: Table((name,), tuple(columns)) for name, columns in found.items()}


class World:
    """Literal tables, and the lines a definition gives over them; both renderings must give the same."""

    def __init__(self, handle: duckdb.DuckDBPyConnection) -> None:
        self.handle = handle
        self.settings: dict[str, Any] = {"users": UserSettings("users", "user_id")}

    def table(self, name: str, columns: str, *lines: str) -> None:
        """``columns`` as in CREATE TABLE, ``lines`` as in VALUES."""
        self.handle.execute(f"CREATE TABLE {name} ({columns})")
        if lines:
            self.handle.execute(f"INSERT INTO {name} VALUES {', '.join(f'({line})' for line in lines)}")

    def users(self, *ids: str) -> None:
        """Users of whom nothing is known but that they exist."""
        self.table("users", "user_id TEXT", *(f"'{each}'" for each in ids))

    def events(self, *lines: str) -> None:
        """Events of name, user, time, id, amount, colour; all but the first three may be left out."""
        filled = []
        for number, line in enumerate(lines):
            said = line.split(", ")
            left_out = [f"'id{number}'", "NULL", "NULL"][len(said) - 3 :]
            filled.append(", ".join([*said, *left_out]))
        columns = 'event TEXT, user_id TEXT, "at" TIMESTAMP, id TEXT, amount INTEGER, colour TEXT'
        self.table("events", columns, *filled)
        self.settings["events"] = EventSettings("events", name="event", at="at", user="user_id", id="id")

    def accounts(self, accounts: str, memberships: str) -> None:
        """``"a1 a2"`` and ``"u1:a1 u2:a1"``."""
        self.table("accounts", "account_id TEXT", *(f"'{each}'" for each in accounts.split()))
        pairs = [each.split(":") for each in memberships.split()]
        columns = "user_id TEXT, account_id TEXT, valid_from TIMESTAMP, valid_to TIMESTAMP"
        self.table("memberships", columns, *(f"'{user}', '{account}', NULL, NULL" for user, account in pairs))
        self.settings["accounts"] = AccountSettings("accounts", "account_id")
        self.settings["memberships"] = MembershipSettings(
            "memberships", "user_id", "account_id", "valid_from", "valid_to"
        )

    def identities(self, *lines: str) -> None:
        """Identifiers of user, type, value, time."""
        self.table("identifiers", "user_id TEXT, id_type TEXT, id_value TEXT, since TIMESTAMP", *lines)
        self.settings["identities"] = IdentitySettings("identifiers", "user_id", "id_value", "id_type", "since")

    @property
    def schema(self) -> dict[str, Table]:
        """What introspection would find."""
        return schema_of(self.handle)

    @property
    def source(self) -> Source:
        """The source, bound."""
        return bind(SourceSettings(**self.settings), self.schema)

    def lines(
        self,
        definition: Definition,
        registry: Mapping[str, Definition] | None = None,
        as_of: dt.datetime = AS_OF,
        **how: Any,
    ) -> list[tuple[Any, ...]]:
        """The lines of a definition, sorted."""
        query = compile_definition(definition, self.source, registry or {}, **how)
        statement, params = query.bound("duckdb", as_of)
        executed = self.handle.execute(statement, params).fetchall()
        shown = self.handle.execute(query.sql("duckdb", as_of)).fetchall()
        assert sorted(executed, key=repr) == sorted(shown, key=repr)
        assert [column[0] for column in self.handle.description] == list(query.columns)
        return sorted(executed, key=repr)

    def who(self, where: Condition, **how: Any) -> str:
        """The users of an audience: ``"u1 u2"``."""
        return " ".join(str(line[0]) for line in self.lines(Audience("Tested", where), **how))

    def which(self, where: Condition, **how: Any) -> str:
        """The accounts of an account audience."""
        return " ".join(str(line[0]) for line in self.lines(AccountAudience("Tested", where), **how))

    def values(self, value: Value, **how: Any) -> dict[Any, Any]:
        """The values of a trait by user."""
        return dict(self.lines(Trait("Tested", value), **how))

    def account_values(self, value: Value, **how: Any) -> dict[Any, Any]:
        """The values of an account trait by account."""
        return dict(self.lines(AccountTrait("Tested", value), **how))


@pytest.fixture
def world() -> Generator[World]:
    """An empty DuckDB in memory whose session is in an odd time zone."""
    with duckdb.connect() as handle:
        handle.execute("SET TimeZone = 'America/St_Johns'")
        yield World(handle)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Path:
    """The folder of the SQL files."""
    return Path(__file__).parents[1] / "golden"
