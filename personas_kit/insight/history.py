"""How large an audience was before it existed, and who will leave it if nothing happens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from personas_kit.compiler.compile import traits_of
from personas_kit.compiler.history import compile_exits, compile_history, compile_past_sizes
from personas_kit.compiler.query import Query
from personas_kit.compiler.sizes import compile_sizes
from personas_kit.definitions import Definition
from personas_kit.definitions.expressions import TraitRef, walk
from personas_kit.definitions.resolve import resolve
from personas_kit.display import Tabular
from personas_kit.errors import DefinitionError
from personas_kit.reading import Reader

MOST = 400
"""Instants in one statement: a year of days, and a little."""


@dataclass(frozen=True, slots=True, repr=False)
class Backtest(Tabular):
    """The size of an audience at past instants.

    Attributes:
        definition: the audience.
        frame: ``at`` (UTC), ``size``, ``entered`` and ``left`` since the instant before (missing at the first).
        traits: traits of the source that the definition uses: they are what they are now, whatever the instant.
    """

    definition: Definition
    frame: pl.DataFrame
    traits: tuple[str, ...]

    def to_polars(self) -> pl.DataFrame:
        """The frame."""
        return self.frame

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {"key": self.definition.key, "traits": list(self.traits), "moments": self.frame.to_dicts()}

    def __repr__(self) -> str:
        """One line."""
        first, last = self.frame.row(0, named=True), self.frame.row(-1, named=True)
        entered, left = self.frame["entered"].sum(), self.frame["left"].sum()
        return (
            f"{self.definition.key}: {first['size']:,} at {first['at']:%Y-%m-%d %H:%M} to {last['size']:,} at "
            f"{last['at']:%Y-%m-%d %H:%M} UTC, {self.frame.height} instants, +{entered:,} -{left:,}"
        )


@dataclass(frozen=True, slots=True, repr=False)
class Forecast(Tabular):
    """Who leaves an audience in the next days by the passing of time alone.

    Attributes:
        definition: the audience.
        as_of: from when on nothing happens any more.
        days: how far it looks.
        members: ``user_id`` or ``account_id``, and ``leaves_by`` (UTC): the first whole day after which they are out.
        size: how many members there are at ``as_of``.
    """

    definition: Definition
    as_of: dt.datetime
    days: int
    members: pl.DataFrame
    size: int

    def to_polars(self) -> pl.DataFrame:
        """The members that leave."""
        return self.members

    def by_day(self) -> pl.DataFrame:
        """``leaves_by`` and how many leave by then, for every day."""
        days = pl.DataFrame({"leaves_by": [self.as_of + dt.timedelta(days=day) for day in range(1, self.days + 1)]})
        days = days.cast({"leaves_by": self.members.schema["leaves_by"]})
        counted = self.members.group_by("leaves_by").agg(members=pl.len().cast(pl.Int64))
        return days.join(counted, on="leaves_by", how="left", maintain_order="left").with_columns(
            pl.col("members").fill_null(0)
        )

    def to_dict(self) -> dict[str, object]:
        """As plain data, counts only."""
        return {
            "key": self.definition.key,
            "as_of": self.as_of,
            "size": self.size,
            "leaving": self.members.height,
            "days": self.by_day().to_dicts(),
        }

    def __repr__(self) -> str:
        """One line."""
        return (
            f"{self.definition.key}: {self.members.height:,} of {self.size:,} leave within {self.days} days "
            f"if nothing happens; as of {self.as_of:%Y-%m-%d %H:%M} UTC"
        )


def backtest(
    reader: Reader, definition: Definition, start: dt.datetime, end: dt.datetime, every: dt.timedelta
) -> Backtest:
    """The size of an audience from ``start`` to ``end`` (which is the last instant, or the step before it).

    Raises:
        DefinitionError: a trait, instants in the wrong order, or more of them than one statement takes.
    """
    moments = _moments(definition, start, end, every)
    found = _asked(reader, definition, moments, compile_history)
    return Backtest(definition, _filled(found, moments), _traits_used(reader, definition))


def past_sizes(
    reader: Reader, definition: Definition, start: dt.datetime, end: dt.datetime, every: dt.timedelta
) -> tuple[list[tuple[dt.datetime, int]], tuple[str, ...]]:
    """The sizes of a backtest alone, at a third of its cost; and the traits, which are what they are now."""
    moments = _moments(definition, start, end, every)
    sizes = dict(_asked(reader, definition, moments, compile_past_sizes).select("moment", "size").iter_rows())
    points = [(moment, int(sizes.get(place, 0))) for place, moment in enumerate(moments)]
    return points, _traits_used(reader, definition)


def _moments(definition: Definition, start: dt.datetime, end: dt.datetime, every: dt.timedelta) -> list[dt.datetime]:
    """The instants of a backtest."""
    _check_audience(definition, "a backtest")
    if every.total_seconds() < 1 or start > end:
        raise DefinitionError(
            "a backtest goes from an earlier instant to a later one, in steps", hint='every="1d", or "12h"'
        )
    steps = (end - start) // every
    if steps >= MOST:
        raise DefinitionError(
            f"a backtest of {steps + 1:,} instants is more than one statement takes ({MOST})",
            hint="take larger steps, or a part of the time",
        )
    return [start + step * every for step in range(steps + 1)]


def _asked(
    reader: Reader, definition: Definition, moments: Sequence[dt.datetime], compiled: Callable[..., Query]
) -> pl.DataFrame:
    """What a statement says of the definition at these instants."""
    shifts = [int((moment - moments[-1]).total_seconds()) for moment in moments]
    registry = {**reader.definitions(), definition.key: definition}
    return reader.ask(compiled(definition, reader.source, registry, shifts), moments[-1], definition.key)


def forecast_exits(reader: Reader, definition: Definition, as_of: dt.datetime, days: int) -> Forecast:
    """Who leaves within so many days if nothing happens: windows end, dates pass, memberships end.

    Raises:
        DefinitionError: a trait, or another number of days than a statement takes.
    """
    _check_audience(definition, "a forecast")
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days < MOST:
        raise DefinitionError(f"a forecast looks 1 to {MOST - 1} days ahead, not {days!r}")
    shifts = [day * 86_400 for day in range(days + 1)]
    registry = {**reader.definitions(), definition.key: definition}
    found = reader.ask(compile_exits(definition, reader.source, registry, shifts), as_of, definition.key)
    name = f"{definition.subject}_id"
    leaves = pl.lit(as_of, pl.Datetime("us", "UTC")) + pl.duration(days=pl.col("moment").cast(pl.Int64))
    members = found.select(name, leaves_by=leaves).sort("leaves_by", name)
    size = reader.ask(compile_sizes([definition], reader.source, registry), as_of, definition.key)["size_0"][0]
    return Forecast(definition, as_of, days, members, int(size))


def _check_audience(definition: Definition, what: str) -> None:
    if not definition.is_audience:
        raise DefinitionError(
            f"{what} is about an audience", where=definition.name, hint="compare the trait with something: an Audience"
        )


def _filled(found: pl.DataFrame, moments: list[dt.datetime]) -> pl.DataFrame:
    """A line for every instant; those without a member are 0."""
    at = pl.DataFrame(
        {"moment": range(len(moments)), "at": moments}, schema={"moment": pl.Int64, "at": pl.Datetime("us", "UTC")}
    )
    lines = at.join(found.cast(pl.Int64), on="moment", how="left", maintain_order="left").with_columns(
        pl.col("size", "entered", "leaving").fill_null(0)
    )
    first = pl.col("moment") == 0
    return lines.select(
        "at",
        "size",
        entered=pl.when(~first).then("entered"),
        left=pl.col("leaving").shift(1),
    )


def _traits_used(reader: Reader, definition: Definition) -> tuple[str, ...]:
    registry = {**reader.definitions(), definition.key: definition}
    meant = resolve(definition, registry, traits_of(reader.source))
    return tuple(sorted({node.key for node in walk(meant) if isinstance(node, TraitRef)}))
