"""Who is wanted otherwise than a destination has acknowledged: compared where both lie, so that nobody else travels.

The statement leaves out only who is *surely alike*: wanted on one line, acknowledged, of no unknown outcome, not
forgotten, and with a value whose canonical text SQL writes beyond doubt. Whoever else there is comes with both sides,
and the kit compares exactly. So what a warehouse spells otherwise costs bytes, and never a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from personas_kit.compiler.compile import selection
from personas_kit.compiler.nodes import (
    all_of,
    as_,
    column,
    constant,
    falsy,
    given,
    missing,
    op,
    ordered,
    ranked,
    real,
    table,
)
from personas_kit.compiler.population import ID, Build
from personas_kit.compiler.query import Query
from personas_kit.compiler.source import ColumnType, Source, Table
from personas_kit.definitions.definition import Definition, Subject
from personas_kit.definitions.pointing import pointing
from personas_kit.definitions.resolve import Registry

Parts = tuple[str, ...]
"""The name of a table, as the warehouse spells it."""
COMPARED: frozenset[ColumnType | None] = frozenset({None, "boolean", "integer", "text", "decimal"})
"""Values whose canonical text (``membership.values``) SQL can write. Of floats, times and lists it is not sure."""
ALIKE, SAYING = "alike_members", "alike_saying"
_KEY = "k"


@dataclass(frozen=True, slots=True)
class Known:
    """The tables of what is acknowledged of a sync.

    Attributes:
        base: ``member``, and ``value`` if members have values.
        changes: later changes, the oldest first: ``member``, ``change``, ``value``.
        unknown: the sync's id, if the last change of some members has no known outcome.
    """

    base: Parts
    changes: tuple[Parts, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """The tables of the state, and what is in them.

    Attributes:
        known: what is acknowledged of each sync.
        unknown: the table of members whose last change has no known outcome.
        forgotten: the tables of marks, and of their key; None if nobody was forgotten.
        integers: members are whole numbers, not texts.
    """

    known: Sequence[Known]
    unknown: Parts
    forgotten: tuple[Parts, Parts] | None
    integers: bool


def compile_differing(
    definition: Definition, source: Source, registry: Registry, kept: Kept, *, of: Subject, carry: Sequence[str] = ()
) -> Query:
    """Who is not surely wanted as acknowledged, for syncs of one definition whose members are ids.

    Args:
        definition: what is wanted.
        source: where the data lies.
        registry: the other definitions, by key.
        kept: what is acknowledged.
        of: whose ids the members are; of a definition about accounts these may be the users.
        carry: traits of users to list beside their ids.

    Returns:
        Lines of who differs: the columns of ``compile_definition``, with those carried as ``user_0``, ``user_1`` ...,
        on one line or several where it is wanted; and for each sync what is acknowledged, ``member_0`` and
        ``value_0`` ...; and one line with ``alike_members``, how many are left out, and ``alike_saying``, how many of
        these have a value that says something.

    Raises:
        DefinitionError, UnknownName: as for the definition alone.
    """
    with pointing(definition, registry):
        return _Statement(Build(source), definition, registry, kept, of, carry).query()


def folded(known: Known, *, integers: bool, values: bool) -> exp.Query:
    """The members at the end of a chain of tables: ``k`` (what they are compared by), ``member``, ``value``."""
    names = ["member", *(["value"] if values else [])]
    base = _kept(known.base, "b", names, integers=integers)
    if not known.changes:
        return base
    last = _last(known.changes, integers=integers)
    later = exp.select(*(column("l", name) for name in (_KEY, *names))).from_(last.subquery("l"))
    later = later.where(exp.NEQ(this=column("l", "change"), expression=exp.Literal.string("exit")))
    later = later.where(exp.NEQ(this=column("l", "value"), expression=exp.Literal.string("null")))
    same = exp.EQ(this=column("n", _KEY), expression=_key(_own("b", "member"), integers=integers))
    base = base.join(last.copy().subquery("n"), on=same, join_type="left").where(missing(column("n", _KEY)))
    return exp.union(base, later, distinct=False)


def _kept(
    parts: Parts, alias: str, names: Sequence[str], *, integers: bool, more: Sequence[exp.Expr] = ()
) -> exp.Select:
    """A table of members, with what they are compared by."""
    listed = [as_(_key(_own(alias, "member"), integers=integers), _KEY)]
    for name in names:
        own: exp.Expr = _own(alias, name)
        if name == "member" and not integers:  # a table of the time when ids were numbers
            own = exp.Cast(this=own, to=exp.DataType.build("TEXT"))
        listed.append(as_(own, name))
    return exp.select(*listed, *more).from_(table(Table(parts, ()), alias))


def _last(changes: Sequence[Parts], *, integers: bool) -> exp.Query:
    """The last change of every member that has changed."""
    names = ["member", "change", "value"]
    if len(changes) == 1:
        return _kept(changes[0], "c", names, integers=integers)
    made: exp.Query | None = None
    for place, parts in enumerate(changes):
        link = _kept(parts, "c", names, integers=integers, more=[as_(exp.Literal.number(place), "place")])
        made = link if made is None else exp.union(made, link, distinct=False)
    assert made is not None  # noqa: S101  (there are several)
    order = [ordered(column("c", "place"), largest=True)]
    listed = [column("c", name) for name in (_KEY, *names)]
    placed = exp.select(*listed, as_(ranked([column("c", _KEY)], order), "nth")).from_(made.subquery("c"))
    first = exp.EQ(this=column("d", "nth"), expression=exp.Literal.number(1))
    return exp.select(*(column("d", name) for name in (_KEY, *names))).from_(placed.subquery("d")).where(first)


@dataclass(eq=False)
class _Statement:
    """The statement, part by part."""

    build: Build
    definition: Definition
    registry: Registry
    kept: Kept
    of: Subject
    carry: Sequence[str]

    def query(self) -> Query:
        expand = self.of != self.definition.subject
        selected = selection(self.build, self.definition, self.registry, expand=expand, carry=self.carry)
        tree, kind = selected.tree, selected.value_type
        for at, each in enumerate(tree.selects[len(tree.selects) - len(self.carry) :]):
            each.set("alias", exp.to_identifier(f"user_{at}"))
        wanted = self.build.add("wanted", tree)
        said = self.build.add("said", self._said(wanted, kind))
        said = said if self.kept.forgotten is None else self._marked(said)
        acknowledged = [self._acknowledged(each, values=kind is not None) for each in self.kept.known]
        compared = self.build.add("compared", self._compared(said, acknowledged, kind, expand=expand))
        lines = self.build.add("lines", self._lines(wanted, compared, [*tree.named_selects], kind))
        tally = self.build.add("tally", self._tally(compared, zero_is_empty=selected.zero_is_empty))
        listed = [column(lines, name) for name in self.build.parts[lines].named_selects if name != "arm"]
        never = exp.EQ(this=column(tally, "arm"), expression=column(lines, "arm"))  # a UNION would need casts
        made = exp.select(*listed, column(tally, ALIKE), column(tally, SAYING)).from_(lines)
        made = self.build.finish(made.join(tally, on=never, join_type="full"))
        return Query(
            tuple(made.named_selects), None, kind,
            zero_is_empty=selected.zero_is_empty, tree=made, fingerprint=selected.fingerprint,
        )  # fmt: skip

    def _id(self, alias: str) -> exp.Expr:
        return column(alias, ID[self.of])

    def _said(self, wanted: str, kind: ColumnType | None) -> exp.Select:
        """Who is wanted, once each: on how many lines, and with which value."""
        key = _key(self._id("w"), integers=self.kept.integers)
        listed = [as_(key, _KEY), as_(exp.Count(this=exp.Star()), "many")]
        if kind is not None:
            text = _text(column("w", "value"), kind)
            listed += [as_(exp.Min(this=text), "low"), as_(exp.Max(this=text.copy()), "high")]
            listed.append(as_(exp.Count(this=text.copy()), "given"))
        if self.kept.forgotten is not None:
            listed.append(as_(exp.Min(this=exp.Cast(this=self._id("w"), to=exp.DataType.build("TEXT"))), "id"))
        return exp.select(*listed).from_(_as(wanted, "w")).group_by(key.copy())

    def _acknowledged(self, known: Known, *, values: bool) -> str:
        """A sync's acknowledged members, with whether the outcome of the last change is unknown."""
        chain = folded(known, integers=self.kept.integers, values=values)
        if not known.unknown:
            return self.build.add("acknowledged", chain)
        names = [_KEY, "member", *(["value"] if values else [])]
        member = column("u", "member")
        number = exp.Cast(this=member, to=exp.DataType.build("BIGINT"))
        key = number if self.kept.integers else _key(member, integers=False)
        unsure = exp.select(as_(key, _KEY)).from_(table(Table(self.kept.unknown, ()), "u"))
        unsure = unsure.where(exp.EQ(this=column("u", "sync_id"), expression=constant(known.unknown, "text")))
        same = exp.EQ(this=column("x", _KEY), expression=column("a", _KEY))
        made = exp.select(*(column("a", name) for name in names), as_(given(column("x", _KEY)), "unsure"))
        made = made.from_(chain.subquery("a")).join(unsure.subquery("x"), on=same, join_type="left")
        return self.build.add("acknowledged", made)

    def _compared(self, said: str, acknowledged: Sequence[str], kind: ColumnType | None, *, expand: bool) -> exp.Select:
        """Everybody of either side, with whether all sides surely say the same."""
        keys: list[exp.Expr] = [column("s", _KEY)]
        listed: list[exp.Expr] = []
        alike: list[exp.Expr] = [given(column("s", _KEY))]
        lines, one = column("s", "many"), exp.Literal.number(1)
        alone = exp.EQ(this=lines, expression=one)
        if kind is None and not expand:
            alike.append(alone)  # whoever stands there twice is a matter of a guard
        elif kind is not None:
            same: list[exp.Expr] = [
                exp.EQ(this=column("s", "given"), expression=lines.copy()),
                exp.EQ(this=column("s", "low"), expression=column("s", "high")),
            ]
            alike.append(alone if not expand or kind == "text" else all_of(same))
        made = exp.select().from_(_as(said, "s"))
        for at, (name, known) in enumerate(zip(acknowledged, self.kept.known, strict=True)):
            of = f"a{at}"
            here = keys[0].copy() if len(keys) == 1 else exp.Coalesce(this=keys[0].copy(), expressions=[*keys[1:]])
            on = exp.EQ(this=column(of, _KEY), expression=here.copy())
            made = made.join(_as(name, of), on=on, join_type="full")
            keys.append(column(of, _KEY))
            alike.append(given(column(of, _KEY)))
            listed.append(as_(column(of, "member"), f"member_{at}"))
            if known.unknown:
                alike.append(exp.Not(this=column(of, "unsure")))
            if kind is not None:
                listed.append(as_(column(of, "value"), f"value_{at}"))
                texts = [op("exact", each) for each in (column("s", "low"), column(of, "value"))]
                alike.append(exp.EQ(this=texts[0], expression=texts[1]))
        if self.kept.forgotten is not None:
            mark = exp.EQ(this=column("f", "mark"), expression=column("s", "mark"))
            made = made.join(table(Table(self.kept.forgotten[0], ()), "f"), on=mark, join_type="left")
            alike.append(missing(column("f", "mark")))
        key = exp.Coalesce(this=keys[0].copy(), expressions=[each.copy() for each in keys[1:]])
        if kind is not None:
            listed.append(column("s", "low"))
        return made.select(as_(key, _KEY), *listed, as_(falsy(exp.paren(all_of(alike))), "alike"))

    def _marked(self, said: str) -> str:
        """Who is wanted, with the mark that a forgotten one would have; see ``activation.forgetting``."""
        assert self.kept.forgotten is not None  # noqa: S101  (asked for where somebody was)
        _, meta = self.kept.forgotten
        once = op("sha256", exp.DPipe(this=column("y", "value"), expression=column("s", "id")))
        twice = op("sha256", exp.DPipe(this=column("y", "value"), expression=once))
        names = [column("s", name) for name in self.build.parts[said].named_selects]
        key = exp.EQ(this=column("y", "name"), expression=exp.Literal.string("forget_key"))
        made = exp.select(*names, as_(twice, "mark")).from_(_as(said, "s"))
        return self.build.add("marked", made.join(table(Table(meta, ()), "y"), on=key))

    def _lines(self, wanted: str, compared: str, names: Sequence[str], kind: ColumnType | None) -> exp.Select:
        """Who is not surely alike, with the lines of who is wanted."""
        listed = [column("w", name) for name in names]
        for at, _ in enumerate(self.kept.known):
            listed += [column("c", f"member_{at}"), *([column("c", f"value_{at}")] if kind is not None else [])]
        same = exp.EQ(this=_key(self._id("w"), integers=self.kept.integers), expression=column("c", _KEY))
        made = exp.select(*listed, as_(exp.Literal.number(0), "arm")).from_(_as(compared, "c"))
        return made.join(_as(wanted, "w"), on=same, join_type="left").where(exp.Not(this=column("c", "alike")))

    def _tally(self, compared: str, *, zero_is_empty: bool) -> exp.Select:
        """How many are alike, and how many of these say something."""
        every: exp.Expr = exp.Count(this=exp.Star())
        saying = every.copy()
        if zero_is_empty:
            nothing = exp.NEQ(this=column("c", "low"), expression=exp.Literal.string("0"))
            saying = exp.Count(this=exp.Case(ifs=[exp.If(this=nothing, true=exp.Literal.number(1))]))
        made = exp.select(as_(every, ALIKE), as_(saying, SAYING), as_(exp.Literal.number(1), "arm"))
        return made.from_(_as(compared, "c")).where(column("c", "alike"))


def _own(alias: str, name: str) -> exp.Column:
    """A column of a frame that is a table: frames have their names in lower case everywhere."""
    return exp.Column(this=real(name), table=exp.to_identifier(alias))


def _as(name: str, alias: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name), alias=exp.TableAlias(this=exp.to_identifier(alias)))


def _key(member: exp.Expr, *, integers: bool) -> exp.Expr:
    """What members are compared by."""
    return member if integers else op("exact", member)


def _text(value: exp.Expr, kind: ColumnType) -> exp.Expr:
    """The canonical text of a value; nothing where that is not sure.

    JSON escapes a text by backslashes only. So a text without any, in quotes, equals no canonical text but its own.
    """
    text = exp.Cast(this=value, to=exp.DataType.build("TEXT"))
    match kind:
        case "boolean":
            texts = (exp.Literal.string("true"), exp.Literal.string("false"))
            holds, not_ = exp.If(this=value, true=texts[0]), exp.If(this=exp.Not(this=value.copy()), true=texts[1])
            return exp.Case(ifs=[holds, not_])
        case "decimal":
            fraction = op("contains", text, constant(".", "text"))
            zeros = exp.Anonymous(this="RTRIM", expressions=[text.copy(), exp.Literal.string("0")])
            bare = exp.Anonymous(this="RTRIM", expressions=[zeros, exp.Literal.string(".")])
            return exp.Case(ifs=[exp.If(this=fraction, true=bare)], default=text.copy())
        case "text":
            quote = exp.Literal.string('"')
            quoted = exp.DPipe(this=exp.DPipe(this=quote, expression=text), expression=quote.copy())
            plain = exp.Not(this=op("contains", text.copy(), constant("\\", "text")))
            return exp.Case(ifs=[exp.If(this=plain, true=quoted)])
        case _:
            return text
