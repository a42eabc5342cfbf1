"""What there is in a source: events by name, their properties, and the traits of users and accounts, with counts."""

from __future__ import annotations

from sqlglot import exp

from personas_kit.compiler.metrics import table_of
from personas_kit.compiler.nodes import all_of, as_, column, constant, given, instant, lately, naive, op, table
from personas_kit.compiler.population import Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.scope import subject_members, trait_columns
from personas_kit.compiler.source import Column, EventTable, Source
from personas_kit.definitions.definition import Subject

DAY = 86_400
"""Seconds."""


def compile_events(source: Source) -> Query:
    """Every name of an event up to ``as_of``: ``event``, ``lines``, ``first`` and ``last``, in no order."""
    parts = [_named(of, source) for of in source.events]
    tree = exp.union(*parts, distinct=False) if len(parts) > 1 else parts[0]
    return Query(tree)


def compile_property_columns(source: Source, name: str, days: int) -> tuple[Query, list[Column]]:
    """How often each column is filled in the events of a name of the last days.

    Returns:
        The statement (one line: ``lines``, then ``filled_0`` and so on), and the columns that these count.
    """
    of = table_of(source, name)
    known = [each for each in of.table.columns if each not in (of.name, of.properties)]
    counts = [as_(exp.Count(this=column("e", each)), f"filled_{at}") for at, each in enumerate(known)]
    made = exp.select(as_(exp.Count(this=exp.Star()), "lines"), *counts).from_(table(of.table, "e"))
    tree = made.where(all_of(recent(of, source, name, days)))
    return Query(tree), known


def compile_property_names(source: Source, name: str, days: int) -> Query | None:
    """The names in the JSON of the events of a name: ``property``, ``type`` (the warehouse's word), ``filled``.

    None where properties are columns.
    """
    of = table_of(source, name)
    if of.properties is None:
        return None
    document = column("e", of.properties)
    wanted = [*recent(of, source, name, days), given(document.copy())]
    documents = exp.select(as_(document, "document")).from_(table(of.table, "e")).where(all_of(wanted))
    entries = exp.Subquery(this=op("json_entries", documents), alias=exp.TableAlias(this=exp.to_identifier("k")))
    named, kind = exp.column("property", table="k"), exp.column("type", table="k")
    made = exp.select(named, kind, as_(exp.Count(this=exp.Star()), "filled")).from_(entries)
    tree = made.group_by(named.copy(), kind.copy())
    return Query(tree)


def compile_event_days(source: Source, name: str, days: int) -> Query:
    """How many events of a name there were on each of the last days: ``day`` and ``lines``, in no order."""
    of = table_of(source, name)
    at = column("e", of.at)
    zone = source.timezone
    day = at if of.at.type == "date" else op("local_date", naive(at, of.at.type, zone), options=(zone,))
    listed = exp.select(as_(day, "day")).from_(table(of.table, "e")).where(all_of(recent(of, source, name, days)))
    counted = exp.select(column("d", "day"), as_(exp.Count(this=exp.Star()), "lines")).from_(listed.subquery("d"))
    tree = counted.group_by(column("d", "day"))
    return Query(tree)


def compile_fill(source: Source, subject: Subject) -> tuple[Query, list[Column]]:
    """How many users or accounts exist at ``as_of``, and for how many each trait is there.

    Returns:
        The statement (one line: ``lines``, then ``filled_0`` and so on), and the columns that these count.
    """
    build = Build(source)
    name = build.subject(subject)
    traits = trait_columns(subject_members(source, subject))
    counts = [as_(exp.Count(this=build.trait(subject, each)), f"filled_{at}") for at, each in enumerate(traits)]
    made = exp.select(as_(exp.Count(this=exp.Star()), "lines"), *counts).from_(name)
    tree = build.finish(made)
    return Query(tree), traits


def _named(of: EventTable, source: Source) -> exp.Select:
    at = column("e", of.at)
    name = column("e", of.name) if of.name else constant(of.event or "", "text")
    first, last = as_(exp.Min(this=at), "first"), as_(exp.Max(this=at.copy()), "last")
    made = exp.select(as_(name, "event"), as_(exp.Count(this=exp.Star()), "lines"), first, last)
    made = made.from_(table(of.table, "e"))
    made = made.where(exp.LTE(this=at.copy(), expression=instant(0, of.at.type, source.timezone)))
    return made.where(given(name.copy())).group_by(name.copy()) if of.name else made


def recent(of: EventTable, source: Source, name: str, days: int) -> list[exp.Expr]:
    """What says that an event (``e``) has a name and happened in the last days."""
    wanted = lately(column("e", of.at), of.at.type, days * DAY, source.timezone)
    if of.name is not None:
        wanted.append(exp.EQ(this=column("e", of.name), expression=constant(name, "text")))
    return wanted
