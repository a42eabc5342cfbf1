"""The parts of statements that are put together into one: named apart, each made once, each table read once.

SQL of a person's own reads whatever it says, so what it reads is read apart from the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from personas_kit.compiler.metrics import table_of
from personas_kit.compiler.moments import is_own
from personas_kit.compiler.nodes import all_of, column, constant, free_name, instant, table
from personas_kit.compiler.source import EventTable, Source
from personas_kit.definitions.streams import Events


@dataclass(eq=False)
class Part:
    """A part of WITH.

    Attributes:
        was: its name in the statement that it comes from.
        own: SQL of a person's own, or what such SQL reads.
    """

    name: str
    made: exp.Query
    was: str = ""
    own: bool = False


def renamed(statement: exp.Query, label: str, taken: set[str]) -> tuple[list[Part], dict[str, str]]:
    """The parts of a statement under names that nothing else bears, and these names by those that they had.

    Args:
        statement: a compiled one.
        label: what every name begins with.
        taken: names that mean something already, in small letters; those that are given away are added.
    """
    names = {}
    for each in statement.ctes:
        names[each.alias] = free_name(f"{label}{each.alias}", taken)
        taken.add(names[each.alias].casefold())
    parts = []
    for each in statement.ctes:
        own = is_own(each.alias)
        for found in () if own else each.this.find_all(exp.Identifier):
            if not found.quoted and found.name in names:
                found.set("this", names[found.name])
        parts.append(Part(names[each.alias], each.this, each.alias, own))
    return parts, names


def made_once(parts: Iterable[Part]) -> tuple[list[Part], dict[str, str]]:
    """The parts that say something that no part before them says; the others are read from there.

    Args:
        parts: each after those that it reads. They are changed.

    Returns:
        These parts, and for the names of the others the name of the part that says the same.
    """
    first: dict[object, str] = {}
    kept, instead = list[Part](), dict[str, str]()
    for part in parts:
        for found in () if part.own else part.made.find_all(exp.Identifier):
            if not found.quoted:
                found.set("this", instead.get(found.name, found.name))
        known = first.setdefault(spelt(part.made), part.name)
        if known == part.name:
            kept.append(part)
        else:
            instead[part.name] = known
    return kept, instead


def spelt(tree: object) -> object:
    """What is the same for two trees if they are written in the same way.

    Trees of sqlglot that are equal need not be: to them 'Pro' is 'pro'.
    """
    if isinstance(tree, exp.Expr):
        return type(tree), *((name, spelt(each)) for name, each in sorted(tree.args.items()) if each not in (None, []))
    return tuple(map(spelt, tree)) if isinstance(tree, list) else (type(tree), repr(tree))


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of the warehouse that parts read.

    Attributes:
        streams: the events that are asked for, and as of how many seconds before the instant of the statement.
        taken: names that mean something already, in small letters.
    """

    source: Source
    streams: Sequence[tuple[Events, int]]
    taken: set[str]

    def until(self, parts: Iterable[Part], quiet: int) -> list[Part]:
        """Events without those of the last so many seconds, from which the parts read then. The parts are changed."""
        found: dict[tuple[bool, tuple[str, ...]], list[exp.Table]] = {}
        for part in parts:
            for names, read in tables_of(part.made):
                if self._events(names):
                    found.setdefault((part.own, names), []).append(read)
        return [
            self._instead(f"until_{position}", reads, self._until(reads, own=own, quiet=quiet), own=own)
            for position, ((own, _), reads) in enumerate(found.items(), 1)
        ]

    def read_once(self, parts: Iterable[Part]) -> list[Part]:
        """What several parts read, from which they read then. The parts are changed."""
        found: dict[tuple[str, ...], list[exp.Table]] = {}
        for part in parts:
            for names, read in () if part.own else tables_of(part.made):
                found.setdefault(names, []).append(read)
        shared = [(names, reads) for names, reads in found.items() if len(reads) > 1]
        return [
            self._instead(f"read_{position}", reads, self._together(names, reads), own=False)
            for position, (names, reads) in enumerate(shared, 1)
        ]

    def _instead(self, name: str, reads: Sequence[exp.Table], made: exp.Select, *, own: bool) -> Part:
        free = free_name(name, self.taken)
        self.taken.add(free.casefold())
        read_instead(reads, free)
        return Part(free, made, own=own)

    def _until(self, reads: Sequence[exp.Table], *, own: bool, quiet: int) -> exp.Select:
        """SQL of a person's own may ask for every column."""
        of = self._events(_names(reads[0]))[0]
        made = columns_of(reads)
        if own:
            made = exp.select(*(column("t", each) for each in of.table.columns)).from_(table(of.table, "t"))
        return made.where(until(of, -quiet, self.source))

    def _together(self, names: tuple[str, ...], reads: Sequence[exp.Table]) -> exp.Select:
        events = self._events(names)
        made = columns_of(reads)
        return made.where(all_of(may_count(events, self.streams, 0, self.source))) if events else made

    def _events(self, names: tuple[str, ...]) -> list[EventTable]:
        return [of for of in self.source.events if of.table.parts == names]


def until(of: EventTable, seconds: int, source: Source) -> exp.Expr:
    """Events (``t``) up to so many seconds from the instant of the statement."""
    return exp.LTE(this=column("t", of.at), expression=instant(seconds, of.at.type, source.timezone))


def may_count(
    tables: Sequence[EventTable], asked: Sequence[tuple[Events, int]], last: int, source: Source
) -> list[exp.Expr]:
    """Events (``t``) of the names that are asked for, up to an instant, and back to where the widest window begins.

    Args:
        tables: what the table is among the source's: at least one.
        asked: the events that are asked for, and as of how many seconds before the instant of the statement.
        last: seconds from the instant of the statement to the last one that is asked about.
        source: where the data lies.
    """
    of, *others = tables
    wanted = [until(of, last, source)]
    streams = [(each, ago) for each, ago in asked if table_of(source, each.name) == of]
    if others or not streams:
        return wanted
    if of.name is not None:
        names = [constant(name, "text") for name in dict.fromkeys(each.name for each, _ in streams)]
        wanted.insert(0, exp.In(this=column("t", of.name), expressions=names))
    windows = [each.window.older + ago for each, ago in streams if each.window is not None and not each.window.parent]
    if len(windows) == len(streams):
        since = instant(-max(windows), of.at.type, source.timezone)
        wanted.append(exp.GT(this=column("t", of.at), expression=since))
    return wanted


def read_instead(reads: Iterable[exp.Table], name: str) -> None:
    """These are read from a part of that name."""
    for read in reads:
        read.set("this", exp.to_identifier(name))
        read.set("db", None)
        read.set("catalog", None)


def columns_of(reads: Sequence[exp.Table]) -> exp.Select:
    """The columns that are asked for of a table (``t``)."""
    columns = {name.sql(): name for read in reads for name in _columns(read)}
    original = reads[0].copy()
    original.set("alias", exp.TableAlias(this=exp.to_identifier("t")))
    listed: list[exp.Expr] = [exp.Column(this=each.copy(), table=exp.to_identifier("t")) for each in columns.values()]
    return exp.select(*listed or [exp.Literal.number(1)]).from_(original)


def tables_of(part: exp.Query) -> Iterator[tuple[tuple[str, ...], exp.Table]]:
    """The tables of the warehouse that a part reads, by the parts of their names."""
    inside = {made.alias.casefold() for made in part.find_all(exp.CTE)}
    for read in part.find_all(exp.Table):
        names = _names(read)
        if names and (len(names) > 1 or names[0].casefold() not in inside):
            yield names, read


def _names(read: exp.Table) -> tuple[str, ...]:
    return tuple(each.name for each in read.parts if isinstance(each, exp.Identifier) and each.quoted)


def _columns(read: exp.Table) -> Iterator[exp.Identifier]:
    select = read.find_ancestor(exp.Select)
    for found in select.find_all(exp.Column) if select else ():
        if found.table == read.alias and isinstance(found.this, exp.Identifier):
            yield found.this
