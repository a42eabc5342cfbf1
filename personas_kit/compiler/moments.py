"""A statement at many instants at once: the moment becomes one more key of everything that depends on it.

``as_of`` stands in a compiled statement as instants: ``as_of`` plus some seconds. Here each instant becomes a column of
a table of moments. What compares with one is joined with that table, and has a line for each moment; what reads such a
part is joined with it by the moment too, grouped by it, ranked within it. What depends on no instant stays as it is.

No line is kept for each moment where it is not needed: a part that only picks lines is put where it is read, and who
claimed an anonymous id first is ranked once. SQL of a person's own is not taken apart: if it asks for ``:as_of``, it
stands there once for each moment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from personas_kit.compiler.nodes import Instant, Op, all_of, as_, column, free_name, missing
from personas_kit.compiler.population import CLAIMS, READ, RESOLVED

Parts = list[tuple[str, exp.Query]]
MOMENT, MOMENTS = "moment", "moments"
#: What parts with SQL of a person's own are called; an underscore more where the warehouse has such a table.
_OWN = re.compile("sql_[0-9]+_*")
#: Of what a SELECT of the compiler is made; anything else would have to be thought about here.
_MADE_OF = {"expressions", "from_", "joins", "where", "group", "having", "distinct"}


def at_moments(tree: exp.Query, shifts: Sequence[int]) -> tuple[Parts, exp.Select, str]:
    """The statement at every moment.

    Args:
        tree: a compiled definition.
        shifts: seconds from ``as_of`` to each moment.

    Returns:
        The parts to read from, the last SELECT, and the name of the column that it has in addition: the moment, counted
        from 0.

    Raises:
        TypeError: the tree is none that the compiler makes.
    """
    return _Moments(tree.copy(), shifts).statement()


def is_own(part: str) -> bool:
    """Whether a part is SQL of a person's own, by its name."""
    return _OWN.fullmatch(part) is not None


class _Moments:
    """One tree being taken to many moments; it is changed in place.

    Attributes:
        moment: the name of the column.
        name: the name of the table of moments.
        instants: its further columns, by what they say.
        varying: the parts that have a line for each moment.
        views: those of them that are put where they are read.
        claims: the part that says who claimed an anonymous id.
        begun: what says of a claim that it is made, if that is known of claims.
        taken: names that mean something already.
    """

    def __init__(self, tree: exp.Query, shifts: Sequence[int]) -> None:
        self.tree, self.shifts = tree, shifts
        self.taken = {name.name.casefold() for name in tree.find_all(exp.Identifier)}
        self.name, self.moment = free_name(MOMENTS, self.taken), free_name(MOMENT, self.taken)
        self.instants: dict[tuple[int, str, str], str] = {}
        self.varying: set[str] = set()
        self.views: dict[str, exp.Select] = {}
        self.claims = ""
        self.begun: exp.Expr | None = None

    def statement(self) -> tuple[Parts, exp.Select, str]:
        parts: Parts = []
        for made in self.tree.ctes:
            parts += self._part(made.alias, made.this)
        self.tree.set("with_", None)
        final = self._lifted(self.tree)
        return [(self.name, self._table()), *parts], final, self.moment

    def _part(self, name: str, part: exp.Query) -> Parts:
        """A part at every moment; or what it reads, if it is put where it is read."""
        if is_own(name):
            return [(name, self._arms(name, part) if part.find(Instant) else part)]
        if name.startswith(READ):  # whoever reads these events says again which of them
            _keep(part, [held for held in _conditions(part) if not held.find(Instant)])
        if name.startswith(CLAIMS):
            self._rank_once(name, part)
        if not self._varies(part):
            return [(name, part)]
        before: Parts = []
        if name.startswith(RESOLVED):
            ever = free_name(f"{name}_ever", self.taken)
            before, part = [(ever, part)], self._own_once(part, ever)
        lifted = self._lifted(part)
        self.varying.add(name)
        if lifted.args.get("group") or lifted.args.get("distinct") or lifted.find(exp.Window):
            return [(name, lifted)]
        self.views[name] = lifted
        return before

    def _table(self) -> exp.Select:
        """A line for each moment, with the instants that are asked for."""
        names = [self.moment, *self.instants.values()]
        lines = [
            exp.Tuple(
                expressions=[
                    exp.Literal.number(position),
                    *(Instant(seconds=seconds + shift, kind=kind, zone=zone) for seconds, kind, zone in self.instants),
                ]
            )
            for position, shift in enumerate(self.shifts)
        ]
        called = exp.TableAlias(this=exp.to_identifier("v"), columns=[exp.to_identifier(name) for name in names])
        return exp.select(*(column("v", name) for name in names)).from_(exp.Values(expressions=lines, alias=called))

    def _arms(self, name: str, part: exp.Query) -> exp.Query:
        """The part once for each moment, with the instant of that."""
        self.varying.add(name)
        arms: list[exp.Query] = []
        for position, shift in enumerate(self.shifts):
            arm = part.copy()
            for found in arm.find_all(Instant):
                found.set("seconds", found.args["seconds"] + shift)
            arm.append("expressions", as_(exp.Literal.number(position), self.moment))
            arms.append(arm)
        return _united(arms)

    def _rank_once(self, name: str, claims: exp.Query) -> None:
        """Who claimed an id first at one instant did so at every later one: only whether it is made yet varies."""
        ranked = _inner(claims)
        conditions = _conditions(ranked)
        self.begun = next((held for held in conditions if held.find(Instant)), None)
        if self.begun is None:
            return
        _keep(ranked, [held for held in conditions if held is not self.begun])
        since = next(self.begun.find_all(exp.Column)).copy()
        ranked.append("expressions", as_(since, "since"))
        claims.append("expressions", column("c", "since"))
        self.claims = name

    def _own_once(self, events: exp.Query, ever: str) -> exp.Select:
        """Whose an event is, is found once, with the claim that says so; what is left is to ask whether it is made yet.

        Changes the part into one that depends on no moment, to be called ``ever``; gives what then takes its place.
        """
        whose, *read = events.expressions
        held: list[exp.Expr] = []
        fixed: list[exp.Expr] = []
        for each in _conditions(events):
            (held if each.find(Instant) else fixed).append(each)
        at = free_name("happened_at", self.taken)
        events.append("expressions", as_(next(held[0].find_all(exp.Column)).copy(), at))
        _keep(events, fixed)
        user: exp.Expr = column("e", "user_id")
        wanted = [_reading(each, column("e", at)) for each in held]
        if self.begun is not None:
            since = free_name("since", self.taken)
            claim: exp.Expr = column(self.claims, "since")
            made = _reading(self.begun, column("e", since))
            own = whose.this.this if isinstance(whose.this, exp.Coalesce) else None
            if own is None:
                wanted.append(made)
            else:
                claim = exp.Case(ifs=[exp.If(this=missing(own.copy()), true=claim)])
                user = exp.Case(ifs=[exp.If(this=made, true=user)])
            events.append("expressions", as_(claim, since))
        listed = [exp.Column(this=each.args["alias"].copy(), table=exp.to_identifier("e")) for each in read]
        return exp.select(as_(user, "user_id"), *listed).from_(exp.to_table(ever, alias="e")).where(all_of(wanted))

    # --- one SELECT --------------------------------------------------------------------------------------------------

    def _lifted(self, select: exp.Expr) -> exp.Select:
        """The SELECT with a line for each moment, which is its last column."""
        if not isinstance(select, exp.Select) or {name for name, said in select.args.items() if said} - _MADE_OF:
            raise TypeError("the compiler makes no such statement")
        joins = select.args.get("joins") or []
        carried = [self._carries(source.this) for source in (select.args["from_"], *joins)]
        self._check(select, joins)
        instants = [*select.find_all(Instant)]
        first = select.args["from_"].this.alias_or_name
        key = column(first if carried[0] else self.name, self.moment)
        for join, varies in zip(joins, carried[1:], strict=True):
            if varies:
                own = exp.EQ(this=column(join.this.alias_or_name, self.moment), expression=key.copy())
                join.set("on", exp.and_(own, join.args["on"]))
        if instants or not carried[0]:
            place = next((at for at, varies in enumerate(carried[1:]) if varies), len(joins))
            select.set("joins", [*joins[:place], self._join(key if carried[0] else None), *joins[place:]])
        for found in instants:
            found.replace(column(self.name, self._instant(found)))
        for listed in select.expressions:
            for window in listed.find_all(exp.Window):
                window.append("partition_by", key.copy())
        if select.args.get("group"):
            select.args["group"].append("expressions", key.copy())
        select.append("expressions", as_(key, self.moment))
        return select

    def _check(self, select: exp.Select, joins: Sequence[exp.Join]) -> None:
        """Nothing is read that depends on the moment but from FROM and its joins; what is reduced is grouped."""
        inside = {id(read) for source in (select.args["from_"], *joins) for read in source.this.find_all(exp.Table)}
        hidden = any(self._reads(read) and id(read) not in inside for read in select.find_all(exp.Table))
        if hidden or (not select.args.get("group") and any(each.find(exp.AggFunc) for each in select.expressions)):
            raise TypeError("the compiler makes no such statement")

    def _carries(self, source: exp.Expr) -> bool:
        """Whether what is read has a line for each moment; made so, if it is a SELECT in its place."""
        if isinstance(source, exp.Table):
            view = self.views.get(source.name) if self._reads(source) else None
            if view is not None:
                source.replace(view.copy().subquery(source.alias_or_name, copy=False))
            return self._reads(source)
        if not self._varies(source):
            return False
        made = source.this
        if isinstance(made, Op):
            (lists,) = made.expressions
            self._lifted(lists)
            made.set("options", (*made.args["options"], self.moment))
        else:
            self._lifted(made)
        return True

    def _join(self, key: exp.Expr | None) -> exp.Join:
        """The table of moments, beside a line that has one, or each beside every line."""
        if key is None:
            return exp.Join(this=exp.to_table(self.name), kind="CROSS")
        same = exp.EQ(this=column(self.name, self.moment), expression=key.copy())
        return exp.Join(this=exp.to_table(self.name), on=same)

    def _instant(self, of: Instant) -> str:
        said = (of.args["seconds"], of.args["kind"], of.args["zone"])
        return self.instants.setdefault(said, f"at_{len(self.instants) + 1}")

    def _varies(self, node: exp.Expr) -> bool:
        return node.find(Instant) is not None or any(self._reads(table) for table in node.find_all(exp.Table))

    def _reads(self, table: exp.Table) -> bool:
        return isinstance(table.this, exp.Identifier) and not table.this.quoted and table.name in self.varying


def _inner(select: exp.Query) -> exp.Select:
    made = select.args["from_"].this.this
    if not isinstance(made, exp.Select):
        raise TypeError("the compiler makes no such statement")
    return made


def _conditions(select: exp.Query) -> list[exp.Expr]:
    """The parts of WHERE, all of which have to hold."""
    where = select.args.get("where")
    if where is None:
        return []
    return [*where.this.flatten()] if isinstance(where.this, exp.And) else [where.this]


def _reading(condition: exp.Expr, read: exp.Expr) -> exp.Expr:
    """The condition of the one column that it is about, read from elsewhere."""
    made = condition.copy()
    for found in [*made.find_all(exp.Column)]:
        found.replace(read.copy())
    return made


def _keep(select: exp.Query, conditions: list[exp.Expr]) -> None:
    """These parts of WHERE, and no others."""
    select.set("where", exp.Where(this=all_of([each.copy() for each in conditions])) if conditions else None)


def _united(arms: list[exp.Query]) -> exp.Query:
    """All lines of all. In halves, since warehouses have a limit to how deep a statement may be nested."""
    if len(arms) == 1:
        return arms[0]
    half = len(arms) // 2
    return exp.union(_united(arms[:half]), _united(arms[half:]), distinct=False, copy=False)
