"""How everybody is spread over the values of traits: what a breakdown of some of them is held against.

Texts and truth values are counted as they are. Numbers and times have too many values for that: numbers are counted
between the edges of a scale that suits any magnitude (1, 2, 5, 10, 20 ...), times by month.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from personas_kit.compiler.nodes import as_, column, missing, naive
from personas_kit.compiler.population import ID, Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.scope import trait_column
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


def compile_spread(source: Source, subject: Subject, traits: Sequence[str]) -> Query:
    """How many users or accounts exist at ``as_of``, and how many of them have which value of traits.

    Args:
        source: where the data lies.
        subject: users or accounts.
        traits: their columns, by name.

    Returns:
        ``trait`` (its position, or ``EVERYBODY`` or ``LINES``), ``value`` (text: of a number its bin, of a time
        ``12 * year + month``; missing is a value, too) and ``size``.

    Raises:
        UnknownName: there is no such trait.
        DefinitionError: a trait of lists or documents.
    """
    build = Build(source)
    name = build.subject(subject)
    everybody = exp.Count(this=exp.Distinct(expressions=[column(name, ID[subject])]))
    nothing = exp.cast(exp.null(), "text")
    arms = [_line(EVERYBODY, nothing, everybody).from_(name)]
    if traits:
        arms.append(_line(LINES, nothing.copy(), exp.Count(this=exp.Star())).from_(name))
    for at, each in enumerate(traits):
        of = trait_column(source, subject, each)
        value = as_(_value(build.trait(subject, of), of, source), "value")
        values = build.add("values", exp.select(value).from_(name))
        made = exp.select(column(values, "value"), as_(exp.Count(this=exp.Star()), "size")).from_(values)
        most_first = [exp.Ordered(this=exp.column("size"), desc=True), exp.Ordered(this=exp.column("value"))]
        counted = build.add("counted", made.group_by(column(values, "value")).order_by(*most_first).limit(MOST))
        arms.append(_line(at, column(counted, "value"), column(counted, "size")).from_(counted))
    spread = build.add("spread", exp.union(*arms, distinct=False) if len(arms) > 1 else arms[0])
    listed = [column(spread, each) for each in ("trait", "value", "size")]
    tree = build.finish(exp.select(*listed).from_(spread))
    return Query(("trait", "value", "size"), None, None, zero_is_empty=False, tree=tree)


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
