"""How many members audiences have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from personas_kit.definitions import Definition
from personas_kit.display import Tabular
from personas_kit.errors import DefinitionError
from personas_kit.reading import Reader


@dataclass(frozen=True, slots=True, repr=False)
class Overlap(Tabular):
    """Which members are in which of several audiences.

    Attributes:
        definitions: the audiences, in the order they were asked for.
        frame: every combination that somebody is in: a truth value by key, and ``members``, most first.
    """

    definitions: tuple[Definition, ...]
    as_of: dt.datetime
    frame: pl.DataFrame

    @property
    def in_any(self) -> int:
        """How many are in at least one."""
        return self._counted(pl.lit(value=True))

    @property
    def in_all(self) -> int:
        """How many are in every one."""
        return self.both(*(each.key for each in self.definitions))

    def both(self, *keys: str) -> int:
        """How many are in all of these audiences, whatever else they are in; of one key: its size."""
        return self._counted(pl.all_horizontal(keys))

    def pairs(self) -> pl.DataFrame:
        """Every audience beside every ``other``: ``members`` in both, and their ``share`` of the audience (0 to 1)."""
        keys = [each.key for each in self.definitions]
        lines = [
            {"audience": one, "other": other, "members": self.both(one, other), "size": self.both(one)}
            for one in keys
            for other in keys
            if one != other
        ]
        share = pl.when(pl.col("size") > 0).then(pl.col("members") / pl.col("size")).otherwise(0.0)
        return pl.DataFrame(lines).with_columns(share=share).drop("size")

    def to_polars(self) -> pl.DataFrame:
        """The combinations."""
        return self.frame

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "as_of": self.as_of,
            "sizes": {each.key: self.both(each.key) for each in self.definitions},
            "any": self.in_any,
            "all": self.in_all,
            "combinations": self.frame.to_dicts(),
        }

    def __repr__(self) -> str:
        """One line."""
        sizes = ", ".join(f"{each.key} {self.both(each.key):,}" for each in self.definitions)
        return (
            f"{sizes}: {self.in_any:,} in at least one, {self.in_all:,} in all; as of {self.as_of:%Y-%m-%d %H:%M} UTC"
        )

    def _counted(self, wanted: pl.Expr) -> int:
        return int(self.frame.filter(wanted)["members"].sum())


def overlap(reader: Reader, definitions: Sequence[Definition], as_of: dt.datetime) -> Overlap:
    """Every combination of audiences that somebody is in.

    Raises:
        DefinitionError: fewer than two, two of the same key, a trait, or audiences of users and of accounts together.
    """
    if len(definitions) < 2 or len({each.subject for each in definitions}) > 1:  # noqa: PLR2004
        raise DefinitionError("an overlap is of two audiences or more, all of users or all of accounts")
    name = f"{definitions[0].subject}_id"
    keys = [each.key for each in definitions]
    for each in definitions:
        if not each.is_audience:
            raise DefinitionError("an overlap is of audiences", where=each.name)
        if keys.count(each.key) > 1 or each.key in (name, "members"):
            raise DefinitionError(
                f"each audience of an overlap is a column by its key, and {each.key!r} is one already",
                where=each.name,
                hint='give one of them another key: Audience(..., key="...")',
            )
    found = reader.find(definitions, as_of)
    lines = pl.concat(one.members.subjects.select(name, key=pl.lit(key)) for key, one in found.items())
    held = lines.group_by(name).agg(*((pl.col("key") == key).any().alias(key) for key in keys))
    counted = held.group_by(keys).agg(members=pl.len().cast(pl.Int64))
    return Overlap(tuple(definitions), as_of, counted.sort("members", *keys, descending=True))
