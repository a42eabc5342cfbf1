"""How everybody is spread over the values of traits: what a breakdown of some of them is held against.

Texts and truth values are counted as they are. Numbers and times have too many values for that: numbers are counted
between the edges of a scale that suits any magnitude (1, 2, 5, 10, 20 ...), times by month.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from personas_kit.compiler.nodes import as_, column, missing, naive, table
from personas_kit.compiler.population import ID, Build, existing
from personas_kit.compiler.query import Query
from personas_kit.compiler.scope import subject_members, trait_column
from personas_kit.compiler.source import NUMBERS, TIMES, Column, ColumnType, Source
from personas_kit.definitions.definition import Subject
from personas_kit.errors import DefinitionError

#: The types of traits that somebody can be broken down by.
SPREAD: frozenset[ColumnType] = frozenset({"text", "boolean", *NUMBERS, *TIMES})
#: A number lies in the bin of how many of these it is not below; what is less than the one after 0 passes for 0.
EDGES: tuple[float, ...] = (
    *(-float(10**power) for power in range(9, -1, -1)),
    0.0,
    1e-4,
    *(round(step * 10.0**power, 2) for power in range(-2, 9) for step in (1, 2, 5)),
    1e9,
)
#: So many values of a trait are counted, the most frequent.
MOST = 1_000
#: In the place of a trait: how many there are; and how many lines there are of them, which is more where a table holds
#: one twice, and is what the values add up to.
EVERYBODY, LINES = -1, -2


def compile_spread(source: Source, subject: Subject, traits: Sequence[str], first: int | None = None) -> Query:
    """How many users or accounts exist at ``as_of``, and how many of them have which value of traits.

    Args:
        source: where the data lies.
        subject: users or accounts.
        traits: their columns, by name.
        first: everything is counted among so many lines of them only, whichever the warehouse comes upon first: all
            that there is where there are no more, and at no more cost where there are millions.

    Returns:
        ``trait`` (its position, or ``EVERYBODY`` or ``LINES``), ``value`` (text: of a number its bin, of a time
        ``12 * year + month``; missing is a value, too) and ``size``.

    Raises:
        UnknownName: there is no such trait.
        DefinitionError: a trait of lists or documents.
    """
    build = Build(source)
    found = [trait_column(source, subject, each) for each in traits]
    if first is None:
        name, read = build.subject(subject), _read(build, subject, found)
    else:
        name = build.add("some", _first(build, subject, found, first))
        read = [column(name, f"value_{at}") for at, _ in enumerate(found)]
    everybody = exp.Count(this=exp.Distinct(expressions=[column(name, ID[subject])]))
    arms = [_line(EVERYBODY, _nothing(), everybody).from_(name)]
    if traits or first is not None:
        arms.append(_line(LINES, _nothing(), exp.Count(this=exp.Star())).from_(name))
    return _listed(build, arms + _values(build, name, read))


def compile_spread_of_one(source: Source, subject: Subject, trait: str) -> Query:
    """How many users or accounts have which value of one trait; as above, and without counting them."""
    build = Build(source)
    read = _read(build, subject, [trait_column(source, subject, trait)])
    return _listed(build, _values(build, build.subject(subject), read))


def _read(build: Build, subject: Subject, traits: Sequence[Column]) -> list[exp.Expr]:
    """The values of all lines."""
    return [_value(build.trait(subject, of), of, build.source) for of in traits]


def _values(build: Build, name: str, read: Sequence[exp.Expr]) -> list[exp.Select]:
    """The lines of each trait, as it is read from a part of that name."""
    arms = []
    for at, value in enumerate(read):
        values = build.add("values", exp.select(as_(value, "value")).from_(name))
        made = exp.select(column(values, "value"), as_(exp.Count(this=exp.Star()), "size")).from_(values)
        most_first = [exp.Ordered(this=exp.column("size"), desc=True), exp.Ordered(this=exp.column("value"))]
        counted = build.add("counted", made.group_by(column(values, "value")).order_by(*most_first).limit(MOST))
        arms.append(_line(at, column(counted, "value"), column(counted, "size")).from_(counted))
    return arms


def _first(build: Build, subject: Subject, traits: Sequence[Column], first: int) -> exp.Select:
    """The ids and values of so many lines, read apart: a part that is read twice may be computed in full before."""
    members, source = subject_members(build.source, subject), build.source
    listed = [as_(column("t", members.id), ID[subject])]
    listed += [as_(_value(column("t", of), of, source), f"value_{at}") for at, of in enumerate(traits)]
    made = exp.select(*listed).from_(table(members.table, "t"))
    return made.where(existing(members, "t", source.timezone)).limit(first)


def _listed(build: Build, arms: Sequence[exp.Select]) -> Query:
    spread = build.add("spread", exp.union(*arms, distinct=False) if len(arms) > 1 else arms[0])
    listed = [column(spread, each) for each in ("trait", "value", "size")]
    tree = build.finish(exp.select(*listed).from_(spread))
    return Query(tree)


def _nothing() -> exp.Expr:
    return exp.cast(exp.null(), "text")


def _line(trait: int, value: exp.Expr, size: exp.Expr) -> exp.Select:
    return exp.select(as_(exp.Literal.number(trait), "trait"), as_(value, "value"), as_(size, "size"))


def _value(read: exp.Expr, of: Column, source: Source) -> exp.Expr:
    """The value as text; of numbers and times the bin."""
    if of.type not in SPREAD:
        raise DefinitionError(
            f"{of.name} is a {of.type}, and has no values to count",
            hint="name a trait of texts, truth values, numbers or times",
        )
    if of.type == "text":
        return read
    if of.type in NUMBERS:
        below = [(exp.LT(this=read.copy(), expression=_number(edge)), _number(at)) for at, edge in enumerate(EDGES)]
        bins = [(missing(read), exp.null()), *below]
        ifs = [exp.If(this=condition, true=bin_) for condition, bin_ in bins]
        return exp.cast(exp.Case(ifs=ifs, default=_number(len(EDGES))), "text")
    if of.type in TIMES:
        time = read if of.type == "date" else naive(read, of.type, source.timezone)
        year, month = (exp.Extract(this=exp.var(part), expression=time.copy()) for part in ("YEAR", "MONTH"))
        months = exp.Add(this=exp.Mul(this=exp.paren(year), expression=_number(12)), expression=month)
        return exp.cast(exp.cast(months, "bigint"), "text")
    return exp.cast(read, "text")


def _number(value: float) -> exp.Expr:
    return exp.Literal.number(int(value) if float(value).is_integer() else value)
