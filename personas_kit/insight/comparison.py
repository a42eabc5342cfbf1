"""What differs between two versions of a definition, and who would change sides."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import polars as pl

from personas_kit.definitions import Definition
from personas_kit.definitions.expressions import And, Expression
from personas_kit.display import Tabular
from personas_kit.errors import DefinitionError
from personas_kit.reading import Reader


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Tabular):
    """Two versions of an audience.

    Attributes:
        dropped: parts of the old condition that the new one does not have, as text.
        added: parts of the new one that the old one does not have.
        both: how many are in both.
        members: ``user_id`` or ``account_id`` of those who change sides, and ``change``: ``enter`` or ``exit``.
    """

    old: Definition
    new: Definition
    as_of: dt.datetime
    dropped: tuple[str, ...]
    added: tuple[str, ...]
    both: int
    members: pl.DataFrame

    def count(self, change: str) -> int:
        """How many would ``enter`` or ``exit``."""
        return self.members.filter(pl.col("change") == change).height

    def to_polars(self) -> pl.DataFrame:
        """Those who change sides."""
        return self.members

    def to_dict(self) -> dict[str, object]:
        """As plain data, counts only."""
        return {
            "old": str(self.old.expression),
            "new": str(self.new.expression),
            "dropped": list(self.dropped),
            "added": list(self.added),
            "both": self.both,
            "enter": self.count("enter"),
            "exit": self.count("exit"),
        }

    def __repr__(self) -> str:
        """What differs, and the numbers."""
        words = [f"- {part}" for part in self.dropped] + [f"+ {part}" for part in self.added]
        numbers = f"+{self.count('enter'):,} -{self.count('exit'):,}, {self.both:,} in both"
        return "\n".join([f"{self.new.key}: {numbers}; as of {self.as_of:%Y-%m-%d %H:%M} UTC", *words])


def compare(reader: Reader, old: Definition, new: Definition, as_of: dt.datetime) -> Comparison:
    """Two versions of an audience, of the same subject; one statement.

    Raises:
        DefinitionError: a trait, or one is about users and the other about accounts.
    """
    if not (old.is_audience and new.is_audience) or old.subject != new.subject:
        raise DefinitionError(
            "two audiences of users are compared, or two of accounts", where=f"{old.name!r} and {new.name!r}"
        )
    found = reader.find([replace(old, key="old_version"), replace(new, key="new_version")], as_of)
    before, after = (found[key].members.subjects for key in ("old_version", "new_version"))
    name = f"{new.subject}_id"
    sides = [
        one.join(other, on=name, how="anti").select(name, change=pl.lit(change))
        for one, other, change in ((after, before, "enter"), (before, after, "exit"))
    ]
    dropped, added = _parts(old.expression), _parts(new.expression)
    return Comparison(
        old,
        new,
        as_of,
        tuple(part for part in dropped if part not in added),
        tuple(part for part in added if part not in dropped),
        before.join(after, on=name, how="semi").height,
        pl.concat(sides).sort("change", name),
    )


def _parts(node: Expression) -> list[str]:
    return [str(part) for part in (node.parts if isinstance(node, And) else (node,))]
