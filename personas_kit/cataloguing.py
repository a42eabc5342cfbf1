"""Looks up what the catalogues list: what is asked of the warehouse, and what its answers say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import polars as pl

from personas_kit.catalogue import DAYS, Event, Known, Trait, Values
from personas_kit.compiler import Column, Query, Source
from personas_kit.compiler.catalogue import (
    compile_event_days,
    compile_events,
    compile_fill,
    compile_property_columns,
    compile_property_names,
)
from personas_kit.compiler.common_values import (
    compile_computed_values,
    compile_property_values,
    compile_trait_values,
)
from personas_kit.compiler.metrics import table_of
from personas_kit.definitions import Definition, account_trait, prop, trait
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.expressions import PropertyType

#: So many of the most frequent values are looked up.
MOST = 50
#: What the warehouses call the types of values in a document, in the kit's words.
KINDS: Mapping[str, str] = {
    **dict.fromkeys(("VARCHAR", "STRING"), "text"),
    **dict.fromkeys(("BIGINT", "UBIGINT", "HUGEINT", "DOUBLE", "INTEGER", "DECIMAL", "NUMBER", "REAL"), "number"),
    **dict.fromkeys(("BOOLEAN",), "boolean"),
    **dict.fromkeys(("OBJECT",), "object"),
    **dict.fromkeys(("ARRAY",), "list"),
}
#: Entries without a value.
EMPTY = frozenset({"NULL", "NULL_VALUE"})
#: How a value in a document is read, by the kit's word for its type; as a text where its type is another one.
READ_AS: Mapping[str, PropertyType] = {"number": "number", "boolean": "boolean", "list": "list"}
_PROPERTIES = pl.Schema({"property": pl.String, "type": pl.String, "filled": pl.Int64, "share": pl.Float64})

#: The answer to a query, as of now.
Ask = Callable[[Query], pl.DataFrame]
#: The query of a definition.
Compiled = Callable[[Definition], Query]


def load_events(source: Source, ask: Ask) -> list[Event]:
    """The entries of the events, the most frequent first; each looks up its properties when they are wanted."""

    def properties(name: str) -> pl.DataFrame:
        query, columns = compile_property_columns(source, name, DAYS)
        counts = ask(query).row(0, named=True)
        names = compile_property_names(source, name, DAYS)
        if names is None:
            return property_columns(counts, columns)
        return property_names(ask(names).to_dicts(), _count(counts["lines"]))

    def values(name: str, of: str, kind: str) -> Values:
        read = prop(of, READ_AS.get(kind) if in_documents(source, name) else None)
        return common_values(of, ask(compile_property_values(source, name, read, DAYS, MOST)))

    def trend(name: str) -> pl.DataFrame:
        return every_day(ask(compile_event_days(source, name, DAYS)))

    known = Known(properties), Known(values), Known(trend)
    found = [
        Event(str(line["event"]), _count(line["lines"]), _instant(line["first"]), _instant(line["last"]), *known)
        for line in ask(compile_events(source)).to_dicts()
        if line["lines"]
    ]
    return sorted(found, key=lambda entry: (-entry.lines, entry.name))


def load_traits(
    source: Source, subject: Subject, ask: Ask, definitions: Mapping[str, Definition], compiled: Compiled
) -> list[Trait]:
    """The entries of the columns of users or accounts, then of the computed traits."""
    refer = trait if subject == "user" else account_trait

    @Known
    def of_columns(name: str) -> Values:
        masked_as = "account_name" if (subject, name) == ("account", "name") else name  # a company's is not personal
        return common_values(name, ask(compile_trait_values(source, subject, refer(name), MOST)), masked_as)

    @Known
    def of_computed(key: str) -> Values:
        return common_values(key, ask(compile_computed_values(source, compiled(definitions[key]), MOST)))

    query, columns = compile_fill(source, subject)
    counts = ask(query).row(0, named=True)
    lines = _count(counts["lines"])
    filled = [_count(counts[f"filled_{at}"]) for at, _ in enumerate(columns)]
    found = [
        Trait(of.name, of.type, count, count / lines if lines else 0.0, "", refer(of.name), of_columns)
        for of, count in zip(columns, filled, strict=True)
    ]
    computed = [of for of in definitions.values() if of.subject == subject and not of.is_audience]
    return found + [Trait(of.key, "", None, None, str(of.expression), refer(of.key), of_computed) for of in computed]


def property_columns(counts: Mapping[str, object], columns: list[Column]) -> pl.DataFrame:
    """Properties that are columns of the table of events; those that no event has are other events'."""
    lines = _count(counts["lines"])
    found = [(column.name, column.type, _count(counts[f"filled_{at}"])) for at, column in enumerate(columns)]
    return _properties([(*each, lines) for each in found if each[2]])


def property_names(found: list[dict[str, object]], lines: int) -> pl.DataFrame:
    """Properties that are entries of a document; one whose values differ in type has the types of all of them."""
    kinds: dict[str, dict[str, int]] = {}
    for line in found:
        kind = str(line["type"]).upper()
        if kind not in EMPTY:
            known = kinds.setdefault(str(line["property"]), {})
            name = KINDS.get(kind, kind.lower())
            known[name] = known.get(name, 0) + _count(line["filled"])
    return _properties(
        [(name, " or ".join(sorted(by_kind)), sum(by_kind.values()), lines) for name, by_kind in kinds.items()]
    )


def every_day(found: pl.DataFrame) -> pl.DataFrame:
    """Days with their lines, and 0 for those between that have none."""
    counts = found.select(pl.col("day").cast(pl.Date), pl.col("lines").cast(pl.Int64)).sort("day")
    if not counts.height:
        return counts
    days = pl.select(pl.date_range(counts["day"].min(), counts["day"].max()).alias("day"))  # type: ignore[arg-type]  # days, as there are lines
    return days.join(counts, on="day", how="left", maintain_order="left").with_columns(pl.col("lines").fill_null(0))


def common_values(name: str, found: pl.DataFrame, masked_as: str = "") -> Values:
    """What a statement of ``compiler.common_values`` has answered."""
    total, different = (int(found[column][0] or 0) if found.height else 0 for column in ("total", "different"))
    spread = None
    if "median" in found.columns and different:
        spread = {each: float(found[each][0]) for each in ("smallest", "median", "largest")}
    counted = found.select("value", count=pl.col("lines").cast(pl.Int64)).filter(pl.col("value").is_not_null())
    frame = counted.head(MOST).with_columns(share=pl.col("count") / max(total, 1))
    return Values(name, frame, total, different, spread, masked_as or name)


def in_documents(source: Source, name: str) -> bool:
    """Whether the properties of an event stand in a document; else they are columns."""
    return table_of(source, name).properties is not None


def _properties(found: list[tuple[str, str, int, int]]) -> pl.DataFrame:
    shares = [(name, kind, filled, filled / lines if lines else 0.0) for name, kind, filled, lines in found]
    listed = sorted(shares, key=lambda line: (-line[2], line[0]))
    return pl.DataFrame(listed, schema=_PROPERTIES, orient="row")


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _instant(value: object) -> dt.datetime | None:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time(), dt.UTC)
    return value if isinstance(value, dt.datetime) else None
