"""The columns of a batch for a mapping, and the vendor's rules for names and values."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from personas_kit.definitions.definition import Kind
from personas_kit.destinations.encode import Field, Json, obj, optional, raw, text
from personas_kit.destinations.exchange import Request
from personas_kit.destinations.outcomes import Answer
from personas_kit.errors import DestinationError

Call = Literal["identify", "track", "group", "list"]
CALLS: tuple[Call, ...] = ("identify", "track", "group", "list")


@dataclass(frozen=True, slots=True)
class Computation:
    """What was computed: the definition's key, kind and name.

    Attributes:
        integrations: for gateways, the destinations behind it.
        field: what the destination calls the field of the key, where it was asked.
    """

    key: str
    kind: Kind
    name: str
    integrations: tuple[str, ...] = ()
    field: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """The vendor's rule for the name of a field: it is put in lower case, gets the suffix, and is then checked.

    Attributes:
        longest: characters.
        pattern: what the whole of it looks like.
        reserved: names, and with a ``*`` at their end beginnings of names, that the vendor keeps for itself.
        suffix: what the vendor puts at the end.
        lower: capitals become small letters.
        about: the rule, for people.
    """

    longest: int | None = None
    pattern: str = ""
    reserved: frozenset[str] = frozenset()
    suffix: str = ""
    lower: bool = False
    about: str = ""

    def name(self, key: str) -> str:
        """The name of the field for a key."""
        return (key.lower() if self.lower else key) + self.suffix

    def check(self, key: str, where: str) -> None:
        """Whether the vendor takes the name.

        Args:
            key: of the definition.
            where: for people: what goes where.

        Raises:
            DestinationError: it does not.
        """
        name = self.name(key)
        problem = self._problem(name)
        if problem:
            raise DestinationError(
                f"no field there can be named {name!r}: {problem}",
                where=where,
                hint='give the definition another key: key = "..."; it is another definition then',
            )

    def _problem(self, name: str) -> str:
        if self.longest is not None and len(name) > self.longest:
            return f"{len(name)} characters, and {self.longest} is the most"
        if self.pattern and not re.fullmatch(self.pattern, name):
            return self.about or "it has a character that is not allowed there"
        for taken in self.reserved:
            if name == taken or (taken.endswith("*") and name.startswith(taken[:-1])):
                return f"{taken} is reserved"
        return ""


@dataclass(frozen=True, slots=True)
class Values:
    """The vendor's rule for values.

    Attributes:
        longest: characters of a text; a longer one is refused before it is sent.
        booleans: as they are, or as the texts ``"true"`` and ``"false"``.
        numbers: as they are, or as texts.
        lists: lists and objects are taken; else they become texts of JSON.
    """

    longest: int | None = None
    booleans: Literal["json", "text"] = "json"
    numbers: Literal["json", "text"] = "json"
    lists: bool = True

    def apply(self, value: pl.Expr) -> pl.Expr:
        """JSON texts as the vendor takes them."""
        first = value.str.head(1)
        quoted: list[pl.Expr] = []
        if self.booleans == "text":
            quoted.append(value.is_in(["true", "false"]))
        if self.numbers == "text":
            quoted.append(first.is_in([*"-0123456789"]))
        if not self.lists:
            quoted.append(first.is_in(["[", "{"]))
        return pl.when(pl.any_horizontal(quoted)).then(text(value)).otherwise(value) if quoted else value

    def too_long(self, value: pl.Expr) -> pl.Expr:
        """Which texts are longer than the vendor takes; a list is not, unless it becomes a text."""
        if self.longest is None:
            return pl.lit(value=False)
        is_text = value.str.starts_with('"') if self.lists else pl.lit(value=True)
        return (is_text & (plain(value).str.len_chars() > self.longest)).fill_null(value=False)


AS_IT_IS = Values()


def plain(value: pl.Expr) -> pl.Expr:
    """JSON texts without the quotes of a text; ``null`` is missing."""
    unquoted = pl.when(value.str.starts_with('"')).then(value.str.json_path_match("$"))
    return unquoted.when(value != "null").then(value)


@dataclass(frozen=True, slots=True)
class Fields:
    """The columns of a batch, for a mapping: ``lambda c: obj(userId=c.user_id, traits=c.traits)``.

    Attributes:
        computation: what was computed.
        ids: kind of identifier -> its text, null where it is missing.
        batch: all lines that are encoded together.
        lines: those of one request; the same as ``batch`` while single changes are encoded.
        settings: the settings that are no secrets.
        keys: the vendor's rule for names; ``values`` likewise.
    """

    computation: Computation
    ids: Mapping[str, pl.Expr]
    batch: pl.DataFrame = field(repr=False)
    lines: pl.DataFrame = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    keys: Keys = field(default_factory=Keys)
    values: Values = AS_IT_IS

    user_id: pl.Expr = field(default_factory=lambda: pl.col("user_id"))
    account_id: pl.Expr = field(default_factory=lambda: pl.col("account_id"))
    message_id: pl.Expr = field(default_factory=lambda: pl.col("message_id"))

    @property
    def key(self) -> str:
        """The definition's key as the vendor takes it."""
        return self.keys.name(self.computation.key)

    @property
    def field(self) -> str:
        """What the destination itself calls the field, where it was asked; else the key."""
        return self.computation.field or self.key

    @property
    def name(self) -> str:
        """The definition's name."""
        return self.computation.name

    @property
    def value(self) -> Json:
        """The value: ``true`` or ``false`` for an audience."""
        return raw(self.values.apply(pl.col("value")))

    @property
    def text(self) -> pl.Expr:
        """The value as plain text, without quotes; null where it is missing."""
        return plain(pl.col("value"))

    @property
    def traits(self) -> Json:
        """The value under its key, with the identifiers of the user that are mapped."""
        return obj({self.key: self.value, **self.identifiers})

    @property
    def own_traits(self) -> Json:
        """The value under its key, alone."""
        return obj({self.key: self.value})

    @property
    def identifiers(self) -> Mapping[str, Field]:
        """The identifiers that are mapped, each left out where it is missing."""
        return {kind: optional(column) for kind, column in self.ids.items()}

    @property
    def properties(self) -> Json:
        """Of an entered or exited event: the audience's key, and whether the user is in."""
        return obj({"audience_key": self.computation.key, self.key: self.value})

    @property
    def entering(self) -> pl.Expr:
        """Whether the change is no exit."""
        return pl.col("change").cast(pl.String) != "exit"

    @property
    def event(self) -> pl.Expr:
        """``Audience Entered`` or ``Audience Exited``."""
        return pl.when(self.entering).then(pl.lit("Audience Entered")).otherwise(pl.lit("Audience Exited"))

    @property
    def timestamp(self) -> pl.Expr:
        """When it became so, RFC 3339 in UTC."""
        return pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")

    @property
    def epoch(self) -> pl.Expr:
        """When it became so, in seconds since 1970."""
        return pl.col("timestamp").dt.epoch("s")

    @property
    def epoch_ms(self) -> pl.Expr:
        """When it became so, in milliseconds since 1970."""
        return pl.col("timestamp").dt.epoch("ms")


FieldType = Literal["boolean", "number", "text", "time"]


@dataclass(frozen=True, slots=True)
class FieldNeeded:
    """A field that has to be there before a value can be sent."""

    key: str
    name: str
    type: FieldType
    call: Call


Asking = Generator[Request, Answer, str | None]
"""Requests that find something out, and what it was; ``Unanswered`` is raised where an answer says neither."""
