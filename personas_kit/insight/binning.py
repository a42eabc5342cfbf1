"""Values as a few parts that a person takes in at a glance: the most frequent ones, or ranges of numbers and times."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import polars as pl

from personas_kit.compiler.source import ColumnType
from personas_kit.compiler.spread import EDGES
from personas_kit.facets import NOTHING, OTHER, Distribution, Part
from personas_kit.masking import mask_value

#: What values are to be parted: as they are, or by ranges of whole numbers, of numbers, of months.
Kind = Literal["values", "whole", "numbers", "months"]
#: How many of something have which value, as text: of a number its bin, of a time its month (see ``compile_spread``).
Sizes = Mapping[str | None, int]
KINDS: Mapping[ColumnType, Kind] = {
    "text": "values", "boolean": "values", "integer": "whole", "float": "numbers", "decimal": "numbers",
    "timestamp": "months", "timestamp_tz": "months", "date": "months",
}  # fmt: skip
#: So many values are named, and so many ranges; the others are one more.
SHOWN, RANGES = 5, 6
#: Bins of a distribution, about.
BINS = 12
#: A value that more than this share has gets a bin of its own, if it is 0.
SPIKE = 0.3
#: A value longer than this is cut.
LONGEST = 60
TRUTHS = {"true": "yes", "false": "no"}
_DAYS, _MONTHS = 31, 730


def kind_of(dtype: pl.DataType) -> Kind | None:
    """How the values of a column are parted; None for lists and documents."""
    if dtype.is_integer():
        return "whole"
    if dtype.is_numeric():
        return "numbers"
    if isinstance(dtype, pl.Date | pl.Datetime):
        return "months"
    return "values" if isinstance(dtype, pl.String | pl.Boolean | pl.Categorical | pl.Enum) else None


def sizes_of(values: pl.Series) -> Sizes:
    """How many there are of each value."""
    kind, value = kind_of(values.dtype), pl.col("value")
    if kind == "months":
        value = value.dt.year().cast(pl.Int64) * 12 + value.dt.month()
    elif kind != "values":
        bins = pl.sum_horizontal((value.cast(pl.Float64) >= edge).cast(pl.Int16) for edge in EDGES)
        value = pl.when(value.is_not_null()).then(bins)
    counted = pl.DataFrame({"value": values}).select(value=value.cast(pl.String)).group_by("value").len()
    return dict(counted.iter_rows())


def groups_of(own: Sizes, usual: Sizes, kind: Kind) -> list[list[str | None]]:
    """Values that are shown as one: the most frequent each by itself, then the others; or ranges, in order."""
    every = {*own, *usual}
    if kind == "values":
        most = sorted(every, key=lambda value: (-own.get(value, 0), -usual.get(value, 0), value is None, value or ""))
        shown = len(most) if len(most) <= SHOWN + 1 else SHOWN
        return [[value] for value in most[:shown]] + ([most[shown:]] if most[shown:] else [])
    ranges = [[int(value)] for value in every if value is not None]
    ranges.sort()
    while len(ranges) > RANGES:
        together = [
            sum(usual.get(str(each), 0) + own.get(str(each), 0) for each in (*one, *two))
            for one, two in itertools.pairwise(ranges)
        ]
        least = together.index(min(together))
        ranges[least : least + 2] = [ranges[least] + ranges[least + 1]]
    in_order: list[list[str | None]] = [[str(each) for each in group] for group in ranges]
    return in_order + ([[None]] if None in every else [])


def group_name(trait: str, group: Sequence[str | None], kind: Kind) -> str:
    """What values that are shown as one are called. A personal value is masked."""
    if group == [None]:
        return NOTHING
    if kind == "values":
        return OTHER if len(group) > 1 else value_name(trait, group[0])
    first, last = (int(group[end] or 0) for end in (0, -1))
    if kind == "months":
        one, other = (f"{(each - 1) // 12}-{(each - 1) % 12 + 1:02}" for each in (first, last))
        return one if one == other else f"{one} to {other}"
    low = EDGES[first - 1] if first else -math.inf
    high = EDGES[last] if last < len(EDGES) else math.inf
    return range_name(low, high, whole=kind == "whole")


def value_name(trait: str, value: object) -> str:
    """A value on one line, masked where it is personal."""
    if value is None:
        return NOTHING
    text = TRUTHS.get(str(value).lower(), str(value)) if isinstance(value, bool) or value in TRUTHS else str(value)
    said = " ".join(str(mask_value(trait, text)).split()) or "empty text"
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"


def range_name(low: float, high: float, *, whole: bool) -> str:
    """``10 to 49`` for whole numbers from 10 and below 50; of others ``10 to 50``."""
    if math.isinf(low):
        return f"under {_number(high)}"
    if math.isinf(high):
        return f"{_number(low)} and more"
    if low == 0 and high == EDGES[EDGES.index(0) + 1]:
        return "0"
    first, last = math.ceil(low), math.ceil(high) - 1
    if whole:
        return _number(first) if first >= last else f"{_number(first)} to {_number(last)}"
    return f"{_number(low)} to {_number(high)}"


def distribution(trait: str, values: pl.Series) -> Distribution | None:
    """The values of a trait: bins of numbers and times, the most frequent of anything else. None for no values."""
    if isinstance(values.dtype, pl.List | pl.Array):
        return _frequent(trait, values.explode(), values.len())
    kind = kind_of(values.dtype)
    if kind in {"whole", "numbers"}:
        return _histogram(values.cast(pl.Float64), whole=kind == "whole")
    if kind == "months":
        return _calendar(values.drop_nulls())
    return _frequent(trait, values, values.len()) if kind else None


def _frequent(trait: str, values: pl.Series, members: int) -> Distribution | None:
    if kind_of(values.dtype) != "values":
        values = values.cast(pl.String)
    own = sizes_of(values)
    parts = [
        Part(group_name(trait, group, "values"), count, count / members)
        for group in groups_of(own, {}, "values")
        if (count := sum(own[value] for value in group))
    ]
    return Distribution(tuple(parts), "values") if parts else None


def _histogram(values: pl.Series, *, whole: bool) -> Distribution | None:
    """Bins of one width from the smallest value up; what lies far out is one bin, and so is 0 if it is frequent."""
    values = values.drop_nulls().filter(values.drop_nulls().is_finite())
    members, zeros = values.len(), int((values == 0).sum())
    if not members:
        return None
    spike = zeros > SPIKE * members and bool((values >= 0).all())
    if spike:
        values = values.filter(values != 0)
    at_zero = (Part("0", zeros, zeros / members),) if spike else ()
    if not values.len():
        return Distribution(at_zero, "bins")
    low, high = (float(end or 0) for end in values.to_frame("value").select(
        low=pl.col("value").min(), high=pl.col("value").max()).row(0))  # fmt: skip
    usual = float(values.quantile(0.99) or 0)
    far = usual > 0 and high > 2 * usual > low
    step = _step((usual if far else high) - low, whole=whole)
    first, last = (math.floor(round(end / step, 9)) for end in (low, usual if far else high))  # 0.7 / 0.1 is below 7
    place = ((values / step).round(9).floor() - first).clip(0, last - first + 1).cast(pl.Int64)
    counts = dict(place.to_frame("place").group_by("place").len().iter_rows())
    edges = [round(at * step, 10) for at in range(first, last + 2)]
    names = [range_name(one, two, whole=whole) for one, two in itertools.pairwise(edges)]
    names += [range_name(edges[-1], math.inf, whole=whole)] if far else []
    if spike and not whole and first == 0:
        names[0] = f"up to {_number(edges[1])}"
    if spike and whole and first == 0:
        names[0] = range_name(1, edges[1], whole=True)
    return Distribution((*at_zero, *_in_order(names, counts, members)), "bins")


def _calendar(values: pl.Series) -> Distribution | None:
    """Days, months or years, by how far apart the first and the last are."""
    if not values.len():
        return None
    days = values.dt.date()
    first, last = days.min(), days.max()
    if not isinstance(first, dt.date) or not isinstance(last, dt.date):
        return None
    span = (last - first).days
    every, pattern = next(
        found for most, *found in ((_DAYS, "1d", "%Y-%m-%d"), (_MONTHS, "1mo", "%Y-%m"), (math.inf, "1y", "%Y"))
        if span <= most
    )  # fmt: skip
    places = pl.date_range(first, last, "1d", eager=True).dt.truncate(every).unique().sort()
    found = dict(days.dt.truncate(every).to_frame("at").group_by("at").len().iter_rows())
    names = [f"{each:{pattern}}" for each in places]
    counts = {at: found.get(each, 0) for at, each in enumerate(places)}
    return Distribution(_in_order(names, counts, values.len()), "bins")


def _in_order(names: Iterable[str], counts: Mapping[int, int], members: int) -> tuple[Part, ...]:
    return tuple(Part(name, counts.get(at, 0), counts.get(at, 0) / members) for at, name in enumerate(names))


def _step(span: float, *, whole: bool) -> float:
    """A round width of bins."""
    if span <= 0:
        return 1.0
    rough = span / BINS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * by for by in (1, 2, 5, 10) if unit * by >= rough)
    return max(1.0, step) if whole else step


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.10g}"
