"""Whose changes come from users who were merged. Pure.

A user was merged into another if an identifier of the other is the id of the one, whom there is no more. On a list,
whose members are identifiers, an entry leaves for that reason if it is one of a user who is wanted there, and into whom
another was merged.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from personas_kit.activation.causes import Case


def merged_members(
    case: Case, lines: pl.DataFrame, claims: pl.DataFrame | None, gone: Sequence[object], users: pl.Series
) -> pl.Series:
    """Whether each change comes from merged users.

    Args:
        case: the sync.
        lines: its changes: ``member`` (text), ``wanted``, ``acknowledged``, and for lists ``users`` of who enters.
        claims: identifiers, with the columns of ``compiler.claims.CLAIM``; None if nobody asked for any.
        gone: ids that leave somewhere in the plan.
        users: those who are wanted.
    """
    if claims is None or case.part.sync.call == "group":
        return pl.repeat(value=False, n=lines.height, eager=True)
    foreign = pl.col("claim_value") != pl.col("claim_user")
    absorbed = claims.filter(foreign & ~pl.col("claim_stands"))
    if case.by_identifier:
        owners = _owners(claims, absorbed, gone)
        theirs = claims.filter(_one_of("claim_user", owners) & _one_of("claim_user", users))
        return _of_list(case, lines, theirs)
    own = absorbed.filter(_one_of("claim_value", case.losses))
    left = pl.col("wanted").is_null() & _one_of("member", own["claim_value"])
    came = pl.col("wanted").is_not_null() & _one_of("member", own["claim_user"])
    return lines.select((left | came).alias("merged"))["merged"]


def _owners(claims: pl.DataFrame, absorbed: pl.DataFrame, gone: Sequence[object]) -> pl.Series:
    """The users into whom another was merged: one that leaves, or whose identifier is of the type of ids of users."""
    ids = claims.filter(pl.col("claim_value") == pl.col("claim_user"))["claim_type"].drop_nulls()
    texts = pl.Series([str(each) for each in gone], dtype=pl.String)
    return absorbed.filter(_one_of("claim_value", texts) | _one_of("claim_type", ids))["claim_user"]


def _of_list(case: Case, lines: pl.DataFrame, theirs: pl.DataFrame) -> pl.Series:
    """Entries that leave and have one of these identifiers, and the entries that come of the users whose it is."""
    known = case.part.connection.identifiers(case.part.sync.call)
    lost = lines.filter(pl.col("wanted").is_null()).select("member")
    left, owners = [pl.Series(dtype=pl.String)], [pl.Series(dtype=pl.String)]
    for kind in (kind for kind in case.ids if kind in known and known[kind].alone):
        sent = theirs.select("claim_user", cell=known[kind].cell(pl.col("claim_value")))
        found = lost.with_columns(cell=pl.col("member").str.json_path_match(f"$.{known[kind].name}"))
        matching = found.join(sent.drop_nulls("cell"), on="cell")
        left.append(matching["member"])
        owners.append(matching["claim_user"])
    texts = pl.concat(owners).unique().implode()
    its = pl.col("users").list.eval(pl.element().cast(pl.String)).list.set_intersection(pl.lit(texts)).list.len() > 0
    came = pl.col("wanted").is_not_null() & its.fill_null(value=False)
    return lines.select((_one_of("member", pl.concat(left)) | came).alias("merged"))["merged"]


def _one_of(column: str, texts: pl.Series) -> pl.Expr:
    return pl.col(column).is_in(texts.cast(pl.String).unique().implode()).fill_null(value=False)
