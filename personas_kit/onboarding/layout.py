"""What the tables of one place seem to be, and finding them by what they are usually called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from personas_kit.compiler.settings import AccountSettings, SourceSettings, UserSettings
from personas_kit.compiler.source import TIMES, Column, ColumnType, Schema, Table
from personas_kit.onboarding import words

Place = tuple[str, ...]
KEYS: frozenset[ColumnType] = frozenset({"text", "integer", "decimal"})
TEXT: frozenset[ColumnType] = frozenset({"text"})
JSON: frozenset[ColumnType] = frozenset({"json"})
VIEWS = "sql/sources (personas copy sql)"
"""Where the views are that make a part of what a product has."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the tables of one place seem to be.

    Attributes:
        name: for people: ``Segment's``, ``RudderStack's``, ``home-grown``.
        place: database and schema of its tables, as far as they are needed to name them.
        settings: the source, with names that ``bind`` finds.
        beside: for the layouts of products: the tables beside ``tracks`` that may each hold one event.
        notes: what a person has to know or do.
    """

    name: str
    place: Place
    settings: SourceSettings
    beside: Mapping[str, Table]
    notes: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """There are users and events: enough for a first audience."""
        return bool(self.settings.users.table) and self.settings.events is not None

    @property
    def parts(self) -> int:
        """How much of a source was found beside users and events."""
        settings = self.settings
        return sum(part is not None for part in (settings.accounts, settings.memberships, settings.identities))


class Shelf:
    """The tables of one place, found by what they are usually called."""

    def __init__(self, schema: Schema, place: Place, tables: Iterable[Table]) -> None:
        self.schema = schema
        self.place = place
        self.tables = sorted(tables, key=lambda table: table.name)

    def named(self, names: Sequence[str]) -> list[Table]:
        """The tables of these names, the usual names first."""
        rank = {name: at for at, name in enumerate(names)}
        known = [(rank[plain], table) for table in self.tables if (plain := words.bare(table.parts[-1])) in rank]
        return [table for _, table in sorted(known, key=lambda pair: pair[0])]

    def one(self, name: str) -> Table | None:
        """The table of exactly this name, whatever its case."""
        return next((table for table in self.tables if table.parts[-1].casefold() == name), None)

    def short(self, table: Table) -> str:
        """The shortest name that means this table."""
        return short_name(self.schema, table)


def short_name(schema: Schema, table: Table) -> str:
    """The shortest name that means this table."""
    ways = (".".join(table.parts[start:]) for start in reversed(range(len(table.parts))))
    return next((way for way in ways if schema.get(way) == table), table.name)


def pick(table: Table, names: Sequence[str], types: frozenset[ColumnType], *, but: Iterable[Column] = ()) -> str:
    """The name of the column that is called best, and has one of the types; empty if there is none."""
    free = [column for column in table.columns if column.type in types and column not in but]
    by_name = {words.snake(column.name): column.name for column in free}
    return next((by_name[name] for name in names if name in by_name), "")


def column_named(table: Table, name: str) -> Column:
    """The column of exactly this name, which is there."""
    return next(column for column in table.columns if column.name == name)


def time_of(of: Table, names: Sequence[str]) -> str:
    """The name of the column with the time that is called best; empty if there is none."""
    return pick(of, names, TIMES)


def users_of(shelf: Shelf, of: Table, ids: Sequence[str]) -> UserSettings:
    """A table as the users, by the id that is called best."""
    return UserSettings(shelf.short(of), pick(of, ids, KEYS), pick(of, words.SINCE, TIMES))


def accounts_of(shelf: Shelf, of: Table, ids: Sequence[str]) -> AccountSettings:
    """A table as the accounts, likewise."""
    return AccountSettings(shelf.short(of), pick(of, ids, KEYS), pick(of, words.SINCE, TIMES))
