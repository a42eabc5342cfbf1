"""What a definition gives now, for a person to look at. Nothing is sent, ever."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import polars as pl

from personas_kit.activation.sync import Sync
from personas_kit.compiler import SQL
from personas_kit.definitions import Definition
from personas_kit.display import Displayed

_EMAIL = re.compile(r"(?P<one>[^\s@\"'<>])[^\s@\"'<>]*@(?P<two>[^\s@\"'<>.])[^\s@\"'<>]*?(?P<end>\.[A-Za-z]{2,})\b")
_PRIVATE = re.compile(
    r"e?mail|phone|mobile|name|address|street|birth|dob\b|ssn|passport|iban|ip\b|token|secret", re.IGNORECASE
)
_PUBLIC = re.compile(r"(plan|product|event|company|account|domain|project|campaign)_?name|name_of", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SyncChange:
    """What one sync would do: members that would enter, leave, or be set; and whether it would be its first push."""

    sync: Sync
    enter: int
    leave: int
    set: int
    first: bool

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "destination": self.sync.destination,
            "call": self.sync.call,
            "enter": self.enter,
            "exit": self.leave,
            "set": self.set,
            "first": self.first,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Preview(Displayed):
    """The card of a definition.

    Attributes:
        size: users or accounts in it; for a trait, those that have a value.
        population: all users or accounts that exist at ``as_of``.
        users: for an account definition, how many users its accounts bring.
        changes: what each configured sync would do against what was acknowledged.
        sample: a few members with their traits, personal data masked.
        values: for a trait over numbers: smallest, median, mean and largest; else None.
    """

    definition: Definition
    as_of: dt.datetime
    warehouse: str
    seconds: float
    size: int
    population: int
    users: int | None
    changes: tuple[SyncChange, ...]
    sample: pl.DataFrame
    sql: SQL
    values: dict[str, float] | None = None

    @property
    def share(self) -> float:
        """Part of the population, between 0 and 1."""
        return self.size / self.population if self.population else 0.0

    def to_dict(self) -> dict[str, object]:
        """As plain data; the sample is left out."""
        return {
            "key": self.definition.key,
            "name": self.definition.name,
            "kind": self.definition.kind,
            "as_of": self.as_of.isoformat().replace("+00:00", "Z"),
            "size": self.size,
            "population": self.population,
            "share": self.share,
            "users": self.users,
            "changes": [change.to_dict() for change in self.changes],
            "values": self.values,
            "sql": str(self.sql),
        }

    def to_polars(self) -> pl.DataFrame:
        """The masked sample."""
        return self.sample

    def __repr__(self) -> str:
        """One line with the same numbers as the card."""
        subject = f"{self.definition.subject}s"
        users = f", {self.users:,} users in them" if self.users is not None else ""
        return (
            f"{self.definition.key}: {self.size:,} of {self.population:,} {subject} ({self.share:.1%}){users}; {change_words(self.changes)}; "
            f"as of {self.as_of:%Y-%m-%d %H:%M} UTC"
        )


def change_words(changes: tuple[SyncChange, ...]) -> str:
    """``+9 -5 at meta (list)``, for every sync."""
    if not changes:
        return "no sync yet"
    words = []
    for change in changes:
        numbers = f"={change.set:,}" if change.set else f"+{change.enter:,} -{change.leave:,}"
        words.append(
            f"{numbers} at {change.sync.destination} ({change.sync.call}{', first push' if change.first else ''})"
        )
    return ", ".join(words)


def masked(frame: pl.DataFrame, keep: tuple[str, ...] = ("user_id", "account_id")) -> pl.DataFrame:
    """The frame with personal data made unreadable: columns whose name says so, and e-mail addresses anywhere."""
    return frame.with_columns(
        pl.col(name).map_elements(_mask_private if _is_private(name) else mask_text, return_dtype=pl.String).alias(name)
        for name, dtype in frame.schema.items()
        if dtype == pl.String and (name not in keep)
    ).with_columns(
        pl.col(name).map_elements(mask_text, return_dtype=pl.String).alias(name)
        for name, dtype in frame.schema.items()
        if dtype == pl.String and name in keep
    )


def mask_text(text: str) -> str:
    """E-mail addresses inside a text become ``j•••@e•••.com``."""
    return _EMAIL.sub(r"\g<one>•••@\g<two>•••\g<end>", text)


def _is_private(name: str) -> bool:
    return bool(_PRIVATE.search(name)) and not _PUBLIC.search(name)


def _mask_private(text: str) -> str:
    without = mask_text(text)
    return without if without != text else f"{text[:1]}•••"


def mask_value(name: str, value: object) -> object:
    """One value of a column, made unreadable if it is personal."""
    if not isinstance(value, str):
        return value
    return _mask_private(value) if _is_private(name) else mask_text(value)
