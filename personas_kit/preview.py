"""What a definition gives now, for a person to look at. Nothing is sent, ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from personas_kit.activation.sync import Sync
from personas_kit.compiler import SQL
from personas_kit.definitions import Definition
from personas_kit.definitions.lint import Warned
from personas_kit.display import Displayed, Tabular, size_words
from personas_kit.errors import UnknownName
from personas_kit.facets import Facets
from personas_kit.warehouses.base import Estimate


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
class Preview(Tabular):
    """The card of a definition.

    Attributes:
        size: users or accounts in it; for a trait, those that have a value.
        population: all users or accounts that exist at ``as_of``.
        users: for an account definition, how many users its accounts bring.
        changes: what each configured sync would do against what was acknowledged.
        sample: a few members with their traits, personal data masked.
        values: for a trait over numbers: smallest, median, mean and largest; else None.
        estimate: what its query reads, as the warehouse expected before it ran; None where nobody pays by that.
        warnings: what is likely not meant, by its text, by the data, and by what was pushed under another key.
        facets: the trend, the breakdown, the overlap and so on.
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
    estimate: Estimate | None = None
    warnings: tuple[Warned, ...] = ()
    facets: Facets = field(default_factory=Facets)

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
            "bytes": self.estimate.bytes if self.estimate else None,
            "warnings": [warning.to_dict() for warning in self.warnings],
            "sql": str(self.sql),
            **self.facets.to_dict(),
        }

    def to_polars(self) -> pl.DataFrame:
        """The masked sample."""
        return self.sample

    def __repr__(self) -> str:
        """One line with the same numbers as the card."""
        subject = f"{self.definition.subject}s"
        users = f", {self.users:,} users in them" if self.users is not None else ""
        size = f"{self.size:,} of {self.population:,} {subject} ({self.share:.1%}){users}"
        read = f"; {estimate_words(self.estimate)}" if self.estimate else ""
        as_of = f"as of {self.as_of:%Y-%m-%d %H:%M} UTC"
        warned = f"; {len(self.warnings)} to know about" if self.warnings else ""
        more = "".join(f"; {words}" for words in self.facets.words(self.definition.subject))
        return f"{self.definition.key}: {size}; {change_words(self.changes)}{more}{read}{warned}; {as_of}"


@dataclass(frozen=True, slots=True, repr=False)
class Previews(Displayed):
    """The cards of several definitions, in the order they were asked for.

    Attributes:
        shared: how many members each two audiences have in common, by their keys; users, if one of them is of accounts.
    """

    cards: tuple[Preview, ...]
    shared: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many."""
        return len(self.cards)

    def __iter__(self) -> Iterator[Preview]:
        """One after the other."""
        return iter(self.cards)

    def __getitem__(self, key: str | int) -> Preview:
        """By key, or by position."""
        if isinstance(key, int):
            return self.cards[key]
        found = {card.definition.key: card for card in self.cards}
        if key not in found:
            raise UnknownName("previewed definition", key, found)
        return found[key]

    def shared_by(self, one: str, other: str) -> tuple[int, float] | None:
        """How many members two audiences have in common, and which share of the first that is; None if not known.

        If one is of users and the other of accounts, it is about users.
        """
        found = self.shared.get((one, other), self.shared.get((other, one)))
        if found is None:
            return None
        card, mixed = self[one], self[one].definition.subject != self[other].definition.subject
        size = card.users if mixed and card.users is not None else card.size
        return found, found / size if size else 0.0

    def to_dict(self) -> list[dict[str, object]]:
        """As plain data."""
        return [card.to_dict() for card in self.cards]

    def __repr__(self) -> str:
        """A line for each, and one for what they share."""
        both = [f"{count:,} in {one} and {other}" for (one, other), count in self.shared.items()]
        return "\n".join([*map(repr, self.cards), *([f"shared: {', '.join(both)}"] if both else [])])


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


def spread(subjects: pl.DataFrame) -> dict[str, float] | None:
    """Smallest, median, mean and largest of numeric values; None for anything else."""
    if "value" not in subjects.columns or not subjects.schema["value"].is_numeric() or not subjects.height:
        return None
    value = pl.col("value").cast(pl.Float64)
    found = subjects.select(smallest=value.min(), median=value.median(), mean=value.mean(), largest=value.max())
    return {name: float(number) for name, number in found.row(0, named=True).items()}


def estimate_words(estimate: Estimate) -> str:
    """``reads up to 12.3 GB in 40 of 1,200 partitions``."""
    words = f"reads up to {size_words(estimate.bytes)}"
    if estimate.partitions is None or estimate.partitions_total is None:
        return words
    return f"{words} in {estimate.partitions:,} of {estimate.partitions_total:,} partitions"
