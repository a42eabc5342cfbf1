"""How many members audiences have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from personas_kit.definitions import Definition
from personas_kit.errors import DefinitionError
from personas_kit.reading import Reader


def overlap(reader: Reader, definitions: Sequence[Definition], as_of: dt.datetime) -> pl.DataFrame:
    """Every combination of audiences that somebody is in: a truth value by key, and ``members``, most first.

    Raises:
        DefinitionError: fewer than two, a trait, or audiences of users and of accounts together.
    """
    if len(definitions) < 2 or len({each.subject for each in definitions}) > 1:  # noqa: PLR2004
        raise DefinitionError("an overlap is of two audiences or more, all of users or all of accounts")
    for each in definitions:
        if not each.is_audience:
            raise DefinitionError("an overlap is of audiences", where=each.name)
    found = reader.find(definitions, as_of)
    name = f"{definitions[0].subject}_id"
    keys = list(found)
    lines = pl.concat(one.members.subjects.select(name, key=pl.lit(key)) for key, one in found.items())
    held = lines.group_by(name).agg(*((pl.col("key") == key).any().alias(key) for key in keys))
    counted = held.group_by(keys).agg(members=pl.len().cast(pl.Int64))
    return counted.sort("members", *keys, descending=True)
