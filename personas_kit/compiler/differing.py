"""Who is wanted otherwise than a destination has acknowledged: compared where both lie, so that nobody else travels.

The statement leaves out only who is *surely alike*: wanted on one line, acknowledged, of no unknown outcome, not
forgotten, and with a value whose canonical text SQL writes beyond doubt; or likewise wanted with a value that says
nothing, and never acknowledged. Whoever else there is comes with both sides,
and the kit compares exactly. So what a warehouse spells otherwise costs bytes, and never a change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from personas_kit.compiler.compile import selection
from personas_kit.compiler.nodes import (
    all_of,
    as_,
    called,
    column,
    constant,
    falsy,
    given,
    missing,
    naive,
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
COMPARED: frozenset[ColumnType | None] = frozenset(
    {None, "boolean", "integer", "text", "decimal", "date", "timestamp", "timestamp_tz"}
)
"""Values whose canonical text (``membership.values``) SQL can write. Of floats and lists it is not sure."""
LONGEST = 255
"""Characters of an id that guards say nothing of; see ``membership.keys``."""
TALLY = ("alike_members", "saying_members", "idle_members")
_KEY = "k"
_NO_MATTER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""For a statement with no instant in it."""
_DAY, _SECOND = len("2026-01-31"), len("2026-01-31T08:00:00")


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
        ``value_0`` ...; and one line of how many are left out: ``alike_members``, ``saying_members`` (those of them
        whose value says something), and ``idle_members``, who are wanted with a value that says nothing, and were never
        acknowledged.

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


def members_statement(known: Known, dialect: str, *, integers: bool, values: bool) -> str:
    """The statement that gives the members at the end of a chain of tables, in the columns of a base.

    Args:
        known: the chain; what is unknown of it makes no difference.
        dialect: of the warehouse.
        integers: members are whole numbers.
        values: they have values.
    """
    names = ["member", *(["value"] if values else [])]
    listed = [as_(column("z", name), real(name)) for name in names]
    made = exp.select(*listed).from_(folded(known, integers=integers, values=values).subquery("z"))
    return Query(made).bound(dialect, _NO_MATTER)[0]


def _kept(
    parts: Parts, alias: str, names: Sequence[str], *, integers: bool, more: Sequence[exp.Expr] = ()
) -> exp.Select:
    """A table of members, with what they are compared by."""
    listed = [as_(_key(_own(alias, "member"), integers=integers), _KEY)]
    for name in names:
        own: exp.Expr = _own(alias, name)
        if name == "member":  # of the time when ids were numbers, or as a text was taken out of numbers
            own = exp.Cast(this=own, to=exp.DataType.build("BIGINT" if integers else "TEXT"))
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
        zero = selected.zero_is_empty
        compared = self.build.add("compared", self._compared(said, kind, expand=expand, zero_is_empty=zero))
        lines = self.build.add("lines", self._lines(wanted, compared, [*tree.named_selects], kind))
        tally = self.build.add("tally", self._tally(compared, zero_is_empty=zero))
        listed = [column(lines, name) for name in self.build.parts[lines].named_selects if name != "arm"]
        never = exp.EQ(this=column(tally, "arm"), expression=column(lines, "arm"))  # a UNION would need casts
        made = exp.select(*listed, *(column(tally, name) for name in TALLY)).from_(lines)
        made = self.build.finish(made.join(tally, on=never, join_type="full"))
        return Query(made, kind, zero_is_empty=zero, fingerprint=selected.fingerprint)

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
        text = exp.Cast(this=self._id("w"), to=exp.DataType.build("TEXT"))
        if not self.kept.integers:
            listed.append(as_(exp.Max(this=exp.Length(this=text)), "longest"))
        if self.kept.forgotten is not None:
            listed.append(as_(exp.Min(this=text.copy()), "id"))
        return exp.select(*listed).from_(called(wanted, "w")).group_by(key.copy())

    def _compared(self, said: str, kind: ColumnType | None, *, expand: bool, zero_is_empty: bool) -> exp.Select:
        """Everybody of any side: ``alike`` if all surely say the same, ``idle`` if there is nothing to say."""
        sides = [column(f"a{at}", _KEY) for at, _ in enumerate(self.kept.known)]
        made, listed = exp.select().from_(called(said, "s")), list[exp.Expr]()
        plain, same = self._plain(kind, expand=expand), list[exp.Expr]()
        for at, known in enumerate(self.kept.known):
            chain = folded(known, integers=self.kept.integers, values=kind is not None)
            here = _first(column("s", _KEY), *sides[:at])
            on = exp.EQ(this=sides[at].copy(), expression=here)
            made = made.join(called(self.build.add("acknowledged", chain), f"a{at}"), on=on, join_type="full")
            listed.append(as_(column(f"a{at}", "member"), f"member_{at}"))
            if kind is not None:
                listed.append(as_(column(f"a{at}", "value"), f"value_{at}"))
                texts = [op("exact", each) for each in (column("s", "low"), column(f"a{at}", "value"))]
                same.append(exp.EQ(this=texts[0], expression=texts[1]))
        key = _first(column("s", _KEY), *sides)
        for at, known in enumerate(self.kept.known):
            if known.unknown:
                on = exp.EQ(this=column(f"x{at}", _KEY), expression=key.copy())
                made = made.join(self._unsure(known).subquery(f"x{at}"), on=on, join_type="left")
                plain.append(missing(column(f"x{at}", _KEY)))
        if self.kept.forgotten is not None:
            on = exp.EQ(this=column("f", "mark"), expression=column("s", "mark"))
            made = made.join(table(Table(self.kept.forgotten[0], ()), "f"), on=on, join_type="left")
            plain.append(missing(column("f", "mark")))
        zero = exp.EQ(this=column("s", "low"), expression=exp.Literal.string("0")) if zero_is_empty else exp.false()
        alike = all_of([*plain, *map(given, sides), *same])
        idle = all_of([each.copy() for each in plain] + [missing(each.copy()) for each in sides] + [zero])
        low = [column("s", "low")] if kind is not None else []
        flags = [as_(falsy(exp.paren(holds)), name) for name, holds in (("alike", alike), ("idle", idle))]
        return made.select(as_(key, _KEY), *listed, *low, *flags)

    def _plain(self, kind: ColumnType | None, *, expand: bool) -> list[exp.Expr]:
        """What has to be so of who is wanted: one of a kind, and of one value; of anything else a guard may tell."""
        plain: list[exp.Expr] = [given(column("s", _KEY))]
        if not self.kept.integers:
            plain.append(exp.LTE(this=column("s", "longest"), expression=exp.Literal.number(LONGEST)))
        if not expand or kind == "text":  # of texts, a collation may say that the least is the greatest
            plain.append(exp.EQ(this=column("s", "many"), expression=exp.Literal.number(1)))
        elif kind is not None:
            plain.append(exp.EQ(this=column("s", "given"), expression=column("s", "many")))
            plain.append(exp.EQ(this=column("s", "low"), expression=column("s", "high")))
        return plain

    def _unsure(self, known: Known) -> exp.Select:
        """The members of a sync whose last change has no known outcome."""
        member = column("u", "member")
        number = exp.Cast(this=member, to=exp.DataType.build("BIGINT"))
        key = number if self.kept.integers else _key(member, integers=False)
        made = exp.select(as_(key, _KEY)).from_(table(Table(self.kept.unknown, ()), "u"))
        return made.where(exp.EQ(this=column("u", "sync_id"), expression=constant(known.unknown, "text")))

    def _marked(self, said: str) -> str:
        """Who is wanted, with the mark that a forgotten one would have; see ``activation.forgetting``."""
        assert self.kept.forgotten is not None  # noqa: S101  (asked for where somebody was)
        _, meta = self.kept.forgotten
        once = op("sha256", exp.DPipe(this=column("y", "value"), expression=column("s", "id")))
        twice = op("sha256", exp.DPipe(this=column("y", "value"), expression=once))
        names = [column("s", name) for name in self.build.parts[said].named_selects]
        key = exp.EQ(this=column("y", "name"), expression=exp.Literal.string("forget_key"))
        made = exp.select(*names, as_(twice, "mark")).from_(called(said, "s"))
        return self.build.add("marked", made.join(table(Table(meta, ()), "y"), on=key))

    def _lines(self, wanted: str, compared: str, names: Sequence[str], kind: ColumnType | None) -> exp.Select:
        """Who is not surely alike, with the lines of who is wanted."""
        listed = [column("w", name) for name in names]
        for at, _ in enumerate(self.kept.known):
            listed += [column("c", f"member_{at}"), *([column("c", f"value_{at}")] if kind is not None else [])]
        same = exp.EQ(this=_key(self._id("w"), integers=self.kept.integers), expression=column("c", _KEY))
        made = exp.select(*listed, as_(exp.Literal.number(0), "arm")).from_(called(compared, "c"))
        return made.join(called(wanted, "w"), on=same, join_type="left").where(
            exp.Not(this=exp.paren(exp.or_(column("c", "alike"), column("c", "idle"))))
        )

    def _tally(self, compared: str, *, zero_is_empty: bool) -> exp.Select:
        """How many are left out, as ``TALLY`` has it."""
        alike, idle = column("c", "alike"), column("c", "idle")
        says = exp.NEQ(this=column("c", "low"), expression=exp.Literal.string("0"))
        counted = (alike, exp.and_(alike.copy(), says) if zero_is_empty else alike.copy(), idle)
        flags = [exp.Case(ifs=[exp.If(this=holds, true=exp.Literal.number(1))]) for holds in counted]
        listed = [as_(exp.Count(this=flag), name) for flag, name in zip(flags, TALLY, strict=True)]
        return exp.select(*listed, as_(exp.Literal.number(1), "arm")).from_(called(compared, "c"))


def _own(alias: str, name: str) -> exp.Column:
    """A column of a frame that is a table: frames have their names in lower case everywhere."""
    return exp.Column(this=real(name), table=exp.to_identifier(alias))


def _first(*keys: exp.Expr) -> exp.Expr:
    """The first that is there."""
    first, *others = (each.copy() for each in keys)
    return exp.Coalesce(this=first, expressions=others) if others else first


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
        case "date":
            midnight = exp.Cast(this=value, to=exp.DataType(this=exp.DataType.Type.TIMESTAMPNTZ))
            return _quoted(_cut(op("time_text", midnight), _DAY))
        case "timestamp" | "timestamp_tz":
            whole = op("time_text", naive(value, kind, "UTC"))
            fraction = exp.Substring(this=whole, start=exp.Literal.number(_SECOND + 2), length=exp.Literal.number(9))
            ends = [(digits, exp.Literal.string("0" * (9 - digits))) for digits in (0, 3, 6)]
            cuts = [
                exp.If(
                    this=exp.EQ(this=_cut(fraction.copy(), 9 - digits, start=digits + 1), expression=zeros),
                    true=_cut(whole.copy(), _SECOND + (digits + 1 if digits else 0)),
                )
                for digits, zeros in ends
            ]
            return _quoted(exp.DPipe(this=exp.Case(ifs=cuts), expression=exp.Literal.string("Z")))
        case "text":
            plain = exp.Not(this=op("contains", text.copy(), constant("\\", "text")))
            return exp.Case(ifs=[exp.If(this=plain, true=_quoted(text))])
        case _:
            return text


def _quoted(text: exp.Expr) -> exp.Expr:
    quote = exp.Literal.string('"')
    return exp.DPipe(this=exp.DPipe(this=quote, expression=text), expression=quote.copy())


def _cut(text: exp.Expr, length: int, *, start: int = 1) -> exp.Expr:
    return exp.Substring(this=text, start=exp.Literal.number(start), length=exp.Literal.number(length))
