"""The source model: which table of the warehouse holds what, and the types of its columns.

Settings say it in the user's words (``[source]`` of ``personas.toml``); ``bind`` holds them against the
introspected schema and gives a ``Source`` whose names are the warehouse's own, ready to be quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ColumnType = Literal[
    "text", "integer", "float", "decimal", "boolean", "timestamp", "timestamp_tz", "date", "list", "json", "other"
]

#: Types that compare as numbers.
NUMBERS: frozenset[ColumnType] = frozenset({"integer", "float", "decimal"})
#: Types that are an instant or a day.
TIMES: frozenset[ColumnType] = frozenset({"timestamp", "timestamp_tz", "date"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its real name and the kit's type for it; ``declared`` is what the warehouse calls the type."""

    name: str
    type: ColumnType
    declared: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its parts (``("analytics", "prod", "users")`` or just ``("users",)``) and its columns in order."""

    parts: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """The parts joined by dots, for messages and for looking it up."""
        return ".".join(self.parts)


#: What introspection finds: tables by name, as ``Table.name`` and, where that is unique, by the last part alone.
Schema = Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Members:
    """Users or accounts: one line per subject, further columns are traits. Before ``since`` it does not exist."""

    table: Table
    id: Column
    since: Column | None = None


@dataclass(frozen=True, slots=True)
class Memberships:
    """Which user belongs to which account, from ``valid_from`` up to but not including ``valid_to`` (missing: open)."""

    table: Table
    user: Column
    account: Column
    valid_from: Column | None = None
    valid_to: Column | None = None


@dataclass(frozen=True, slots=True)
class Identities:
    """Which identifier belongs to which user; only those of ``anonymous_type`` resolve anonymous events.

    ``type`` is missing when the table holds anonymous ids only.
    """

    table: Table
    user: Column
    value: Column
    type: Column | None = None
    since: Column | None = None
    anonymous_type: str = "anonymous_id"


@dataclass(frozen=True, slots=True)
class EventTable:
    """One table of events: all of them (``name`` is a column), or those of one event (``event`` is its name).

    ``properties`` is one JSON/VARIANT column; without it the other columns are the properties.
    """

    table: Table
    at: Column
    user: Column | None = None
    anonymous: Column | None = None
    account: Column | None = None
    id: Column | None = None
    name: Column | None = None
    event: str | None = None
    properties: Column | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where users, accounts, memberships, identities and events lie; only ``users`` must be there."""

    users: Members
    accounts: Members | None = None
    memberships: Memberships | None = None
    identities: Identities | None = None
    events: tuple[EventTable, ...] = ()
    timezone: str = "UTC"
    event_names: tuple[str, ...] | None = field(default=None)
    """The names of the events that exist, or None if nobody has looked."""
    schema: Schema = field(default_factory=dict, repr=False)
    """Every table of the warehouse, for SQL of the person's own."""
    dialect: str = "duckdb"
    """The warehouse's own: in which SQL is written that says nothing else."""
