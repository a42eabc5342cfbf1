"""Which other audiences the members of one are in, too. Everything is in hand: this is arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import polars as pl

from personas_kit.definitions import Definition
from personas_kit.facets import Overlap, Part
from personas_kit.planner import Found

#: So many other audiences are asked about at most.
MOST_OTHERS = 8


def overlap_with(
    definition: Definition, found: Found, others: Sequence[tuple[Definition, Found]], left_out: Sequence[str], why: str
) -> Overlap | None:
    """How many members are in each of the others, too; None where there are no others.

    Audiences of accounts are compared by their accounts. Where the other one is of users, and in the other direction,
    it is about users, because those are what both have.

    Args:
        definition: an audience.
        found: its members.
        others: audiences, each with its members at the same instant, or one close to it.
        left_out: the keys of those that nobody asked about.
        why: they were not.
    """
    mixed = any(other.subject != definition.subject for other, _ in others)
    level = "user" if mixed or definition.subject == "user" else "account"
    own = _ids(definition, found, level)
    if not (others or left_out) or own is None:
        return None
    parts = []
    for other, their in others:
        ids = _ids(other, their, level)
        if ids is not None:
            count = own.join(ids, on="id", how="semi").height
            parts.append(Part(other.key, count, count / own.height if own.height else 0.0))
    parts.sort(key=lambda part: (-part.count, part.name))
    by_users = definition.subject == "account" and level == "user"
    return Overlap(tuple(parts), "users" if by_users else "members", tuple(left_out), why)


def shared(cards: Sequence[tuple[Definition, Found]]) -> Mapping[tuple[str, str], int]:
    """How many members each two audiences have in common, by their keys; users, where one is of accounts."""
    audiences = [(each, found) for each, found in cards if each.is_audience]
    levels = {"user", *(each.subject for each, _ in audiences)}
    ids = {(each.key, level): _ids(each, found, level) for each, found in audiences for level in levels}
    made = {}
    for (one, _), (other, _) in combinations(audiences, 2):
        level = one.subject if one.subject == other.subject else "user"
        left, right = ids[one.key, level], ids[other.key, level]
        if left is not None and right is not None:
            made[one.key, other.key] = left.join(right, on="id", how="semi").height
    return made


def _ids(definition: Definition, found: Found, level: str) -> pl.DataFrame | None:
    """The ids of the members, or of their users; None where nobody looked up whose users they are."""
    own = definition.subject == level
    frame = found.members.subjects if own else found.members.pairs
    if frame is None:
        return None
    ids = frame.select(id=pl.col(f"{level}_id").cast(pl.String))
    return ids if own else ids.unique()
