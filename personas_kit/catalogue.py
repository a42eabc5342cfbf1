"""What there is to define audiences with: ``ws.events``, ``ws.traits``, ``ws.accounts``. Names complete with Tab.

Nothing is asked of the warehouse before somebody looks: at the whole (names and counts), at one event (its properties,
of the last days), at one property or trait (its most frequent values). What was looked up is kept; ``cataloguing.py``
looks it up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import polars as pl

from personas_kit.definitions import event, prop
from personas_kit.definitions.definition import default_key
from personas_kit.definitions.expressions import PropertyRef, TraitRef
from personas_kit.definitions.streams import Events
from personas_kit.display import Tabular
from personas_kit.errors import UnknownName
from personas_kit.masking import mask_value, masked

#: Properties are looked at in the events of so many days.
DAYS = 30
#: How many names a line of text lists.
LISTED = 5


_Found = TypeVar("_Found")


class Known(Generic[_Found]):
    """What is looked up once, by what is asked."""

    __slots__ = ("_found", "_look")

    def __init__(self, look: Callable[..., _Found]) -> None:
        self._look = look
        self._found: dict[tuple[str, ...], _Found] = {}

    def __call__(self, *asked: str) -> _Found:
        """What is known, else what is found now."""
        if asked not in self._found:
            self._found[asked] = self._look(*asked)
        return self._found[asked]

    def peek(self, *asked: str) -> _Found | None:
        """What is known; None if nobody has asked."""
        return self._found.get(asked)


@dataclass(frozen=True, slots=True)
class Values(Tabular):
    """The most frequent values of a property or a trait.

    Attributes:
        frame: ``value``, ``count`` and ``share``, the most frequent first, at most 50. The share is of all that was
            looked at, so what is missing to 1 has no value, or a rarer one. Of lists each element counts.
        total: how many events, users or accounts were looked at (elements, of lists).
        different: how many values there are.
        spread: ``smallest``, ``median`` and ``largest`` of numbers; None for anything else.
        masked_as: the name that says whether they are personal.
    """

    name: str
    frame: pl.DataFrame
    total: int
    different: int
    spread: Mapping[str, float] | None
    masked_as: str

    def to_polars(self) -> pl.DataFrame:
        """The values."""
        return self.frame

    def shown(self) -> pl.DataFrame:
        """The values as a card may show them: personal ones, by their name or their looks, made unreadable."""
        return masked(self.frame, keep=("count", "share"), called={"value": self.masked_as})

    @property
    def shown_spread(self) -> Mapping[str, float]:
        """The spread as a card may show it: empty of anything else, and of personal numbers, such as those to call."""
        personal = mask_value(self.masked_as, 0.0) != 0.0
        return {} if self.spread is None or personal else self.spread

    def __repr__(self) -> str:
        """One line; personal values are made unreadable."""
        some = ", ".join(f"{line['value']} {line['share']:.0%}" for line in self.shown().head(LISTED).to_dicts())
        many = "1 value" if self.different == 1 else f"{self.different:,} different values"
        return f"{self.name!r}: {many}{': ' * bool(some)}{some}"


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an event: ``ws.events.order_completed["revenue"]``.

    Attributes:
        type: what the warehouse calls it, or what stands in the documents; empty for one inside another.
        filled: how many of the last days' events have it; None for one inside another. ``share``: of all of them.
    """

    event: str
    name: str
    type: str
    filled: int | None
    share: float | None
    _values: Known[Values] = field(repr=False, compare=False)

    @property
    def prop(self) -> PropertyRef:
        """For ``where``: ``orders.where(ws.events.order_completed["revenue"].prop > 100)``."""
        return prop(self.name)

    @property
    def common(self) -> Values:
        """Its most frequent values in the events of the last days, looked up once."""
        return self._values(self.event, self.name, self.type)

    @property
    def cached(self) -> Values | None:
        """The same, if somebody has looked already. Nothing is asked."""
        return self._values.peek(self.event, self.name, self.type)

    def values(self) -> pl.DataFrame:
        """``value``, ``count`` and ``share``, the most frequent first. Personal ones are as they are."""
        return self.common.frame

    def __repr__(self) -> str:
        """One line; it asks nothing."""
        filled = "" if self.share is None else f", filled {self.share:.0%}"
        return f"property {self.name!r} of {self.event!r}: {self.type or 'inside a document'}{filled}"


@dataclass(frozen=True, slots=True)
class Event(Tabular):
    """One name of an event. ``[...]`` gives one of its properties, whose names complete with Tab.

    Attributes:
        lines: how many there are.
        first: the earliest; ``last``: the latest.
    """

    name: str
    lines: int
    first: dt.datetime | None
    last: dt.datetime | None
    _properties: Known[pl.DataFrame] = field(repr=False, compare=False)
    _values: Known[Values] = field(repr=False, compare=False)
    _trend: Known[pl.DataFrame] = field(repr=False, compare=False)

    @property
    def event(self) -> Events:
        """For a definition: ``ws.events.order_completed.event.within(days=30).count() >= 1``."""
        return event(self.name)

    @property
    def properties(self) -> pl.DataFrame:
        """``property``, ``type``, ``filled`` (how many of the last days' events have it) and ``share``.

        A nested property is written with a dot: ``prop("cart.size")``; here its outermost name stands.
        """
        return self._properties(self.name)

    def __getitem__(self, name: str) -> Property:
        """One property. ``"cart.size"`` is ``size`` inside ``cart``.

        Raises:
            UnknownName: none of the last days' events has it.
        """
        known = {each.name: each for each in self._listed()}
        if name in known:
            return known[name]
        if name.partition(".")[0] not in known:
            raise UnknownName("property", name, known)
        return Property(self.name, name, "", None, None, self._values)

    def _listed(self) -> list[Property]:
        lines = self.properties.iter_rows()
        return [Property(self.name, name, kind, filled, share, self._values) for name, kind, filled, share in lines]

    def values(self, name: str) -> pl.DataFrame:
        """The most frequent values of a property: ``value``, ``count`` and ``share``."""
        return self[name].values()

    @property
    def trend(self) -> pl.DataFrame:
        """``day`` and ``lines``, of each day from the first to the last of the last days that has any."""
        return self._trend(self.name)

    @property
    def cached_trend(self) -> pl.DataFrame | None:
        """The same, if somebody has looked already. Nothing is asked."""
        return self._trend.peek(self.name)

    @property
    def cached(self) -> list[Property]:
        """The properties, if somebody has looked already; else none. Nothing is asked."""
        return self._listed() if self.looked_at else []

    @property
    def looked_at(self) -> bool:
        """Whether somebody has looked at the properties."""
        return self._properties.peek(self.name) is not None

    def _ipython_key_completions_(self) -> list[str]:
        return self.properties["property"].to_list()

    def to_polars(self) -> pl.DataFrame:
        """The properties."""
        return self.properties

    def __repr__(self) -> str:
        """One line; it asks nothing."""
        return f"event {self.name!r}: {self.lines:,} lines{_span(self.first, self.last)}"


@dataclass(frozen=True, slots=True)
class Trait:
    """One trait of users or of accounts.

    Attributes:
        type: of its column; empty for a computed one.
        filled: for how many it is there; None for a computed one.
        share: of all users or accounts.
        meaning: the expression of a computed one, else empty.
    """

    name: str
    type: str
    filled: int | None
    share: float | None
    meaning: str
    trait: TraitRef
    _values: Known[Values] = field(repr=False, compare=False)

    @property
    def common(self) -> Values:
        """Its most frequent values, looked up once: of all users or accounts; of a computed one, of who has it."""
        return self._values(self.name)

    @property
    def cached(self) -> Values | None:
        """The same, if somebody has looked already. Nothing is asked."""
        return self._values.peek(self.name)

    def values(self) -> pl.DataFrame:
        """``value``, ``count`` and ``share``, the most frequent first. Personal ones are as they are."""
        return self.common.frame

    def __repr__(self) -> str:
        """One line."""
        if self.meaning:
            return f"trait {self.name!r}: {self.meaning}"
        return f"trait {self.name!r}: {self.type}, filled {self.share or 0:.0%}"


T = TypeVar("T", Event, Trait)


class Catalogue(Mapping[str, T], Tabular, Generic[T]):
    """Entries by name, looked up once, when the first of them is wanted.

    ``catalogue["Order Completed"]`` and ``catalogue.order_completed`` are the same.
    """

    __slots__ = ("_entries", "_load", "kind")

    def __init__(self, kind: str, load: Callable[[], list[T]]) -> None:
        self.kind = kind
        self._load: Callable[[], list[T]] = load
        self._entries: dict[str, T] | None = None

    @property
    def _known(self) -> dict[str, T]:
        if self._entries is None:
            self._entries = {entry.name: entry for entry in self._load()}
        return self._entries

    @property
    def cached(self) -> list[T]:
        """The entries, if somebody has looked already; else none. Nothing is asked."""
        return list((self._entries or {}).values())

    def refresh(self) -> None:
        """Forget what was looked up: the next look asks again."""
        self._entries = None

    def __getitem__(self, name: str) -> T:
        """The entry, or UnknownName with the nearest."""
        if name not in self._known:
            raise UnknownName(self.kind, name, self._known)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is such a name."""
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._known)

    def __getattr__(self, name: str) -> T:
        """``order_completed`` for ``Order Completed``."""
        if name.startswith("_"):
            raise AttributeError(name)
        found = next((entry for own, entry in self._known.items() if _attribute(own) == name), None)
        if found is None:
            raise AttributeError(str(UnknownName(self.kind, name, map(_attribute, self._known))))
        return found

    def __dir__(self) -> list[str]:
        """For completion: the names as attributes."""
        names: list[str] = [_attribute(name) for name in self._known]
        return [*names, "to_polars", "refresh"]

    def _ipython_key_completions_(self) -> list[str]:
        return [*self._known]

    def to_polars(self) -> pl.DataFrame:
        """A line for each: names and counts."""
        entries = [*self._known.values()]
        if self.kind == "event":
            found = [(e.name, e.lines, e.first, e.last) for e in entries if isinstance(e, Event)]
            time = pl.Datetime("us", "UTC")
            schema = {"event": pl.String(), "lines": pl.Int64(), "first": time, "last": time}
            return pl.DataFrame(found, schema=schema, orient="row")
        known = [(e.name, e.type or "computed", e.filled, e.share, e.meaning) for e in entries if isinstance(e, Trait)]
        columns = {"trait": pl.String(), "type": pl.String(), "filled": pl.Int64(), "share": pl.Float64()}
        return pl.DataFrame(known, schema={**columns, "meaning": pl.String()}, orient="row")

    def __repr__(self) -> str:
        """One line, without asking the warehouse."""
        if self._entries is None:
            return f"{self.kind}s: nobody has looked yet; list(...) does"
        names = list(self)
        more = ", ..." if len(names) > LISTED else ""
        return f"{len(names):,} {self.kind}s: {', '.join(names[:LISTED])}{more}"


def _attribute(name: str) -> str:
    """``Order Completed`` as an attribute."""
    key = default_key(name)
    return key if key.isidentifier() else f"_{key}"


def _span(first: dt.datetime | None, last: dt.datetime | None) -> str:
    return f", {first:%Y-%m-%d} to {last:%Y-%m-%d}" if first and last else ""
