"""Values of the same events as one part: a hundred audiences read the events once and group them once.

Each value is an aggregate of the events that its own conditions hold for, as ``COUNT(CASE WHEN ... THEN e.id END)``.
What has to order events, and what is known of an event by those that follow it or by its user, has a part of its own.

An event counts once by its id, however often it stands there. ``COUNT(DISTINCT ...)`` would build a table of the ids
for each value, so lines are counted, and what ids that stand on several lines count too much is taken off again: these
are looked up once for all values. (75 values over a million events, DuckDB: half of the processor time that a part for
each value takes; together but with ``COUNT(DISTINCT ...)`` they took more than apart.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from personas_kit.compiler.nodes import Instant, Op, all_of, as_, column, constant, given, op
from personas_kit.compiler.source import EventTable

#: How many values one part has at most. A warehouse keeps all of them for each user while it groups.
MOST = 200
#: How many different values make it worth while. Fewer are as cheap by themselves, and better to read. (DuckDB, a
#: million events: as cheap at 20 values, 1.4 times cheaper at 40, twice at 75. Where every event stands there twice, as
#: cheap at 100, and half as dear again at 20.)
MANY = 20
#: How many different values of events of one name have a part of their own: it looks at these events only, where one
#: for all names looks at all events for each value. Grouping and joining them costs as much as three or four values do.
#: (99 values of four names, a million events, DuckDB: two thirds of the processor time of one part.)
APART = 8
#: Reducers that are one aggregate over lines in any order.
AGGREGATES = frozenset({"count", "sum", "avg", "min", "max"})

_ZERO = exp.Literal.number(0)
_ONE = exp.Literal.number(1)


@dataclass(frozen=True, slots=True)
class _Value:
    """An aggregate, over the lines of one name of events that its conditions hold for."""

    of: exp.Expr
    name: str
    conditions: list[exp.Expr]

    @property
    def by_id(self) -> bool:
        """Whether it counts different ids."""
        return isinstance(self.of, exp.Count) and isinstance(self.of.this, exp.Distinct)


@dataclass(eq=False, slots=True)
class Together:
    """Values of the same lines: of one table of events, joined alike and of the same owners.

    Attributes:
        events: the table.
        first: the SELECT of the first value.
        values: by the names of their columns.
    """

    events: EventTable
    first: exp.Select
    values: dict[str, _Value] = field(default_factory=dict)

    def add(self, name: str, made: exp.Select) -> str:
        """One more value, of events of a name; gives the name of its column."""
        called = f"value_{len(self.values) + 1}" if self.values else "value"
        self.values[called] = _Value(made.expressions[-1].this, name, _conditions(made))
        return called

    def parts(self, name: str) -> dict[str, exp.Query]:
        """The parts, the last of which is called ``name``. A value that is alone is what it was."""
        if len(self.values) == 1:
            return {name: self.first}
        wanted = self._wanted()
        narrowed = {
            called: [each for each in of.conditions if each not in wanted] for called, of in self.values.items()
        }
        lines = self.first.copy()
        lines.set("where", exp.Where(this=all_of(wanted)))
        by_id = [called for called, of in self.values.items() if of.by_id]
        listed = [as_(_only(of.of, narrowed[called]), called) for called, of in self.values.items()]
        made = _selected(lines, [*self._keys(), *listed])
        if not by_id:
            return {name: made}
        return self._counted_once(name, lines, made, {called: narrowed[called] for called in by_id})

    def _keys(self) -> list[exp.Expr]:
        return [key.copy() for key in self.first.expressions[:-1]]

    def _wanted(self) -> list[exp.Expr]:
        """What holds of every line that any value counts."""
        conditions = [of.conditions for of in self.values.values()]
        wanted = [each.copy() for each in conditions[0] if all(each in others for others in conditions[1:])]
        names = [constant(name, "text") for name in dict.fromkeys(of.name for of in self.values.values())]
        if self.events.name is not None and len(names) > 1 and not any(of.by_id for of in self.values.values()):
            wanted.insert(0, exp.In(this=column("e", self.events.name), expressions=names))
        begins = [_begins(each) for each in conditions]
        widest = min(begins, key=lambda each: each.expression.args["seconds"] if each else 0, default=None)
        if all(begins) and widest is not None and widest not in wanted:
            wanted.append(widest.copy())
        return wanted

    def _counted_once(
        self, name: str, lines: exp.Select, made: exp.Select, counts: Mapping[str, list[exp.Expr]]
    ) -> dict[str, exp.Query]:
        """The values, less what events count too much that stand there several times."""
        own = next(of.of.this.expressions[0] for of in self.values.values() if of.by_id)
        repeated, beyond, keys = f"{name}_repeated", f"{name}_beyond", [key.alias for key in self._keys()]
        on = exp.and_(*(exp.EQ(this=column("b", key), expression=column("l", key)) for key in keys))
        listed = [_less(called) if called in counts else column("l", called) for called in self.values]
        final = exp.select(*(column("l", key) for key in keys), *listed).from_(made.subquery("l"))
        return {
            repeated: self._repeated(lines, own),
            beyond: self._beyond(lines, own, repeated, counts),
            name: final.join(exp.to_table(beyond, alias="b"), on=on, join_type="left"),
        }

    def _repeated(self, lines: exp.Select, own: exp.Expr) -> exp.Select:
        """The ids that stand on several lines; where lines are joined, on several of one owner."""
        owners = [key.this for key in self._keys()] if lines.args.get("joins") else []
        made = _selected(lines, [as_(own.copy(), "id")])
        made.set("group", exp.Group(expressions=[*owners, own.copy()]))
        return made.having(exp.GT(this=exp.Count(this=exp.Star()), expression=_ONE.copy()))

    def _beyond(
        self, lines: exp.Select, own: exp.Expr, repeated: str, counts: Mapping[str, list[exp.Expr]]
    ) -> exp.Select:
        """By owner, how many lines of these ids count beyond the first of each."""
        by_id = _selected(lines, [*self._keys(), *(as_(_counted(held), called) for called, held in counts.items())])
        by_id = by_id.where(exp.In(this=own.copy(), query=exp.select("id").from_(repeated).subquery()))
        by_id.args["group"].append("expressions", own.copy())
        names = [column("r", key.alias) for key in self._keys()]
        more = [as_(op("integer_sum", _beyond_one(column("r", called))), called) for called in counts]
        return exp.select(*names, *more).from_(by_id.subquery("r")).group_by(*(name.copy() for name in names))


def _conditions(select: exp.Select) -> list[exp.Expr]:
    """The parts of WHERE, all of which have to hold."""
    where = select.args.get("where")
    if where is None:
        return []
    return [*where.this.flatten()] if isinstance(where.this, exp.And) else [where.this]


def _begins(conditions: list[exp.Expr]) -> exp.Expr | None:
    """The condition that lets a window begin."""
    return next(
        (each for each in conditions if isinstance(each, exp.GT) and isinstance(each.expression, Instant)), None
    )


def _selected(lines: exp.Select, listed: list[exp.Expr]) -> exp.Select:
    made = lines.copy()
    made.set("expressions", listed)
    return made


def _only(of: exp.Expr, conditions: list[exp.Expr]) -> exp.Expr:
    """An aggregate over the lines that the conditions hold for: of the others its argument is missing.

    FILTER says the same in fewer words, and took DuckDB three times as long.
    """
    if isinstance(of, exp.Count):
        named = [given(each.copy()) for each in of.this.expressions]
        return _counted([*conditions, *named])
    made = of.copy()
    argument = made.expressions[0] if isinstance(made, Op) else made.this
    argument.replace(_if(conditions, argument.copy()))
    return made


def _counted(conditions: list[exp.Expr]) -> exp.Expr:
    return exp.Count(this=_if(conditions, _ONE))


def _if(conditions: list[exp.Expr], value: exp.Expr) -> exp.Expr:
    if not conditions:
        return value.copy()
    return exp.Case(ifs=[exp.If(this=all_of([each.copy() for each in conditions]), true=value.copy())])


def _beyond_one(counted: exp.Expr) -> exp.Expr:
    """How much more than one a count is."""
    more = exp.Sub(this=counted, expression=_ONE.copy())
    several = exp.GT(this=counted.copy(), expression=_ONE.copy())
    return exp.Case(ifs=[exp.If(this=several, true=more)], default=_ZERO.copy())


def _less(called: str) -> exp.Expr:
    """A count of lines, less those beyond the first of each id."""
    beyond = exp.Coalesce(this=column("b", called), expressions=[_ZERO.copy()])
    return as_(exp.Sub(this=column("l", called), expression=beyond), called)
