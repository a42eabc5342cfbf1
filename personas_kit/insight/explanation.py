"""Why a member is in, or out: every condition with its truth value, and what is behind it.

The definition is taken apart as the person wrote it; each part is compiled as it is in the definition, so that the
explanation and the members come from the same SQL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Literal

import polars as pl

from personas_kit.compiler.compile import traits_of
from personas_kit.compiler.query import Query
from personas_kit.compiler.witnesses import (
    Group,
    asked_of_each,
    compile_events_behind,
    compile_people_behind,
    compile_places,
    compile_truths,
)
from personas_kit.definitions import Definition
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.expressions import (
    And,
    Compare,
    Condition,
    Expression,
    Not,
    OfAccounts,
    OfUsers,
    Or,
    Top,
    TraitRef,
    Value,
)
from personas_kit.definitions.pointing import pointing
from personas_kit.definitions.resolve import Registry, Traits, resolve, resolve_part
from personas_kit.definitions.streams import Events, Reduced, Users
from personas_kit.display import Displayed
from personas_kit.insight.outlook import missing, until
from personas_kit.masking import mask_text, mask_value
from personas_kit.reading import Reader

EDGE = 2
"""Events shown from either end of each standing."""
PEOPLE = 5
"""Users or accounts shown of those that satisfy a part, and of those that do not."""
Standing = Literal["counted", "before", "after", "unlike", "satisfied", "unsatisfied", "everybody", "place"]
How = Literal["", "all of", "at least one of", "not"]
_SAID: dict[Standing, str] = {
    "counted": "counted", "before": "before the window", "after": "after the window",
    "unlike": "in the window, refused by where()",
}  # fmt: skip
_NEAREST: dict[Standing, str] = {"before": "the last", "after": "the first"}


@dataclass(frozen=True, slots=True)
class Witness:
    """An event (``at`` in UTC; ``id`` if the source has one, ``user`` in an account definition), a user, an account."""

    id: str | None
    at: dt.datetime | None = None
    user: str | None = None

    def words(self) -> str:
        """One of a list."""
        when = f"{self.at:%Y-%m-%d %H:%M:%S}" if self.at is not None else ""
        by = f" by {self.user}" if self.user is not None else ""
        return mask_text(" at ".join(part for part in (self.id, when) if part) + by)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Witnesses of one kind: how many there are (for a place: which), and those at the edges.

    ``until`` is when the first of the events that count leaves the window.
    """

    standing: Standing
    total: int
    shown: tuple[Witness, ...] = ()
    of: str = ""
    until: dt.datetime | None = None

    def words(self) -> str:
        """A line."""
        joint = ", " if self.standing in _NEAREST else ": "
        listed = joint + self.listed() if self.shown else ""
        until = f"; the first leaves the window at {self.until:%Y-%m-%d %H:%M:%S}" if self.until else ""
        return f"{self.said()}{listed}{until}"

    def said(self) -> str:
        """How many there are of which kind; for a place: which."""
        if self.standing == "place":
            return f"place {self.total:,}" if self.total else "not among those that are ranked"
        return f"{self.total:,} {self._kind()}"

    def listed(self) -> str:
        """Those at the edges."""
        listed = [each.words() for each in self.shown]
        if self.standing in _NEAREST:
            return f"{_NEAREST[self.standing]}: {listed[0]}"
        if self.total > len(listed):
            listed.insert(EDGE if self.standing in _SAID else len(listed), "…")
        return ", ".join(listed)

    def _kind(self) -> str:
        one = self.total == 1
        match self.standing:
            case "everybody":
                return self.of if one else f"{self.of}s"
            case "satisfied":
                return f"of the {self.of}s {'satisfies' if one else 'satisfy'} it"
            case "unsatisfied":
                return f"of the {self.of}s {'does' if one else 'do'} not"
            case _:
                return _SAID[self.standing]


@dataclass(frozen=True, slots=True)
class Reason:
    """A part of a definition, and what it says of the member.

    Attributes:
        said: the part as text.
        holds: whether it is true of the member; None for a value.
        values: what is compared: its text, and the value the member has (None: missing).
        evidence: what is behind the values.
        parts: the parts it is made of, or the definition that it refers to.
        called: the name of the definition that this part is, if it is one that was referred to.
        how: how its parts are combined, if they are.
        missing: of events that are counted: how many more it takes; 0 if it holds, and where that is not known.
        until: when it stops being true at the latest if nothing happens, since windows end; None: not known, or never.
    """

    said: str
    holds: bool | None
    values: tuple[tuple[str, object], ...] = field(default=(), repr=False)
    evidence: tuple[Evidence, ...] = ()
    parts: tuple[Reason, ...] = ()
    called: str = ""
    how: How = ""
    missing: int = 0
    until: dt.datetime | None = None

    def headline(self) -> str:
        """What stands beside the mark: for several parts only how they are combined, since they follow."""
        said = self.how or self.said
        return f"{self.called}: {said}" if self.called else said

    def lines(self) -> Iterator[str]:
        """What is behind it, a line each; personal data masked."""
        alone = len(self.values) == 1
        needed = f"; {self.missing:,} more {'is' if self.missing == 1 else 'are'} needed" if self.missing else ""
        for said, value in self.values:
            yield f"{'it' if alone else said} is {shown(said, value)}{needed}"
        yield from (each.words() for each in self.evidence)

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "said": self.said,
            "holds": self.holds,
            "called": self.called or None,
            "values": dict(self.values),
            "missing": self.missing,
            "until": self.until,
            "evidence": [
                {
                    "standing": each.standing,
                    "total": each.total,
                    "shown": [{"id": one.id, "at": one.at, "user": one.user} for one in each.shown],
                }
                for each in self.evidence
            ],
            "parts": [part.to_dict() for part in self.parts],
        }


@dataclass(frozen=True, slots=True, repr=False)
class Explanation(Displayed):
    """Why a member is in an audience or out of it, or what the value of a trait is made of."""

    definition: Definition
    member: str
    as_of: dt.datetime
    reason: Reason

    @property
    def holds(self) -> bool | None:
        """Whether the member is in; None for a trait."""
        return self.reason.holds

    def verdict(self) -> str:
        """``u1 is in 'Buyers'``."""
        if self.holds is None:
            return f"{mask_text(self.member)}: {self.definition.name!r}"
        return f"{mask_text(self.member)} is {'in' if self.holds else 'not in'} {self.definition.name!r}"

    def outlook(self) -> str:
        """``out at 2026-11-04 16:27:39 UTC at the latest, if nothing happens``; nothing where that is not known."""
        until = self.reason.until
        return f"out at {until:%Y-%m-%d %H:%M:%S} UTC at the latest, if nothing happens" if until else ""

    def to_dict(self) -> dict[str, object]:
        """As plain data, unmasked: you asked about this one member."""
        head = {"key": self.definition.key, "member": self.member, "as_of": self.as_of, "in": self.holds}
        return head | {"reason": self.reason.to_dict()}

    def __repr__(self) -> str:
        """The tree, a line for each part and what is behind it."""
        until = f"; {self.outlook()}" if self.outlook() else ""
        lines = [f"{self.verdict()}; as of {self.as_of:%Y-%m-%d %H:%M} UTC{until}", *_tree(self.reason, 1)]
        return "\n".join(lines)


def mark(holds: bool | None) -> str:
    """``✓``, ``✗``, or a dot for a value."""
    return {True: "✓", False: "✗", None: "·"}[holds]


def shown(said: str, value: object) -> str:
    """A value the way people read it, masked if its name says that it is personal."""
    if value is None:
        return "missing"
    if isinstance(value, pl.Series):
        value = value.to_list()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(shown(said, each) for each in value) or "empty"
    value = mask_value(said, value)
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int | float | Decimal):
        return f"{value:,}"
    return repr(value if isinstance(value, str) else mask_value(said, str(value)))


def explain(reader: Reader, definition: Definition, member: str | int, as_of: dt.datetime) -> Explanation:
    """Each condition of a definition with its truth value and its witnesses, for one member that exists.

    Raises:
        DefinitionError: the definition does not compile.
    """
    registry = {**reader.definitions(), definition.key: definition}
    traits = traits_of(reader.source)
    meant = resolve(definition, registry, traits)
    draft = _Drafts(registry, traits).of_definition(definition, meant)
    facts = _Facts(reader, definition.subject, member, as_of, definition.key)
    with pointing(definition, registry):
        facts.gather(list(draft.all()))
    return Explanation(definition, str(member), as_of, facts.reason(draft))


@dataclass(eq=False)
class _Draft:
    """A part that is to be asked about."""

    said: str
    meant: Expression
    labels: tuple[str, ...] = ()
    parts: list[_Draft] = field(default_factory=list)
    called: str = ""
    how: How = ""

    def all(self) -> Iterator[_Draft]:
        yield self
        for part in self.parts:
            yield from part.all()

    @property
    def rests_on(self) -> list[Events | Group | Top]:
        """What is behind it, unless its parts say that."""
        return [] if self.how or any(part.called for part in self.parts) else list(_behind(self.meant))


@dataclass(frozen=True)
class _Drafts:
    """Takes definitions apart as they were written."""

    registry: Registry
    traits: Traits

    def of_definition(self, definition: Definition, meant: Expression) -> _Draft:
        expression = definition.expression
        if isinstance(expression, Condition):
            return self.part(expression, definition)
        return _Draft(str(expression), meant, (str(expression),))

    def part(self, node: Condition, inside: Definition) -> _Draft:
        meant = resolve_part(inside, node, self.registry, self.traits)
        match node:
            case And(parts) | Or(parts):
                each = [self.part(part, inside) for part in parts]
                how: How = "all of" if isinstance(node, And) else "at least one of"
                return _Draft(str(node), meant, parts=each, how=how)
            case Not(part):
                return _Draft(str(node), meant, parts=[self.part(part, inside)], how="not")
            case Top(_, by, of):
                return _Draft(str(node), meant, (str(by),), [self.part(of, inside)])
            case Compare(TraitRef() as ref) if (named := self._named(ref, inside.subject)) is not None:
                inner = self.part(named.expression, named)  # type: ignore[arg-type]
                inner.called = named.name
                return _Draft(str(node), meant, parts=[inner])
            case Compare(left, _, right):
                labels = tuple(str(each) for each in (left, *right) if isinstance(each, Value))
                return _Draft(str(node), meant, labels if isinstance(meant, Compare) else ())
            case _:
                return _Draft(str(node), meant)

    def _named(self, ref: TraitRef, subject: Subject) -> Definition | None:
        """The audience of the same subject that is referred to, which is explained in turn."""
        found = self.registry.get(ref.key)
        if found is None or self.traits.has(subject, ref.key) or found.subject != subject or not found.is_audience:
            return None
        return found


@dataclass
class _Facts:
    """What the warehouse says of the parts."""

    reader: Reader
    subject: Subject
    member: str | int
    as_of: dt.datetime
    key: str
    truths: dict[str, object] = field(default_factory=dict)
    places: dict[int, str] = field(default_factory=dict)
    evidence: dict[str, list[Evidence]] = field(default_factory=dict)

    def gather(self, drafts: Sequence[_Draft]) -> None:
        nodes = [draft.meant for draft in drafts]
        extra = [draft.meant.by for draft in drafts if isinstance(draft.meant, Top)]
        self.places = {id(node): f"n{at}" for at, node in enumerate([*nodes, *extra])}
        asked = self._ask(compile_truths([*nodes, *extra], self.reader.source, self.subject, self.member))
        self.truths = asked.row(0, named=True)
        behind = [each for draft in drafts for each in draft.rests_on]
        self._gather(behind, Events, partial(compile_events_behind, most=EDGE), self._events)
        self._gather(behind, OfUsers | OfAccounts | Reduced, partial(compile_people_behind, most=PEOPLE), self._people)
        self._gather(behind, Top, compile_places, self._places)

    def reason(self, draft: _Draft, *, wanted: bool = True) -> Reason:
        """What is known of a part; ``wanted`` is false below a ``not``, where more events would not help."""
        meant, name = draft.meant, self.places[id(draft.meant)]
        found = tuple(each for of in draft.rests_on for each in self.evidence[str(of)])
        parts = tuple(self.reason(part, wanted=wanted != (draft.how == "not")) for part in draft.parts)
        holds = bool(self.truths[name]) if isinstance(meant, Condition) else None
        return Reason(
            draft.said,
            holds,
            tuple(self._values(draft, name)),
            found,
            parts,
            draft.called,
            draft.how,
            missing(meant, found[0].total) if wanted and holds is False and found else 0,
            self._until(draft, found, parts) if holds else None,
        )

    def _until(self, draft: _Draft, found: Sequence[Evidence], parts: Sequence[Reason]) -> dt.datetime | None:
        """When something that holds stops holding at the latest."""
        if draft.how == "at least one of":
            ends = [part.until for part in parts if part.holds]
            known = [end for end in ends if end is not None]
            return max(known) if len(known) == len(ends) else None
        if draft.how == "not" or isinstance(draft.meant, Top):
            return None
        if parts:
            return min((part.until for part in parts if part.until is not None), default=None)
        if self.subject == "account" or not found:
            return None
        return until(draft.meant, found[0].total, [each.at for each in found[0].shown])

    def _values(self, draft: _Draft, name: str) -> Iterator[tuple[str, object]]:
        for at, label in enumerate(draft.labels):
            if isinstance(draft.meant, Top):
                yield label, self.truths[self.places[id(draft.meant.by)]]
            else:
                yield label, self.truths[f"{name}_{at}" if isinstance(draft.meant, Compare) else name]

    def _ask(self, query: Query) -> pl.DataFrame:
        return self.reader.ask(query, self.as_of, self.key)

    def _gather(
        self, behind: Sequence[object], kind: object, made: Callable[..., Query], read: Callable[..., list[Evidence]]
    ) -> None:
        """Ask once for everything of a kind."""
        of = list({str(each): each for each in behind if isinstance(each, kind)}.values())  # type: ignore[arg-type]
        if not of:
            return
        frame = self._ask(made(of, self.reader.source, self.subject, self.member))
        for at, one in enumerate(of):
            self.evidence[str(one)] = read(one, frame.filter(pl.col("part") == at).sort("place"))

    def _events(self, stream: Events, lines: pl.DataFrame) -> list[Evidence]:
        counted = _events(lines, "counted", of_account=self.subject == "account")
        if stream.window is not None and counted.shown and counted.shown[0].at is not None:
            until = counted.shown[0].at + dt.timedelta(seconds=stream.window.older)
            counted = replace(counted, until=until)
        standings: tuple[Standing, ...] = ("unlike", "before", "after")
        others = [_events(lines, standing, of_account=self.subject == "account") for standing in standings]
        return [counted, *(each for each in others if each.total)]

    def _people(self, group: Group, lines: pl.DataFrame) -> list[Evidence]:
        of = "user" if self.subject == "account" else "account"
        if isinstance(group, Reduced) and asked_of_each(group) is None:
            return [_people(lines, "everybody", of)]
        satisfied, others = (lines.filter(pl.col("holds") == holds) for holds in (True, False))
        found = [_people(satisfied, "satisfied", of)]
        return [*found, _people(others, "unsatisfied", of)] if others.height else found

    def _places(self, _: Top, lines: pl.DataFrame) -> list[Evidence]:
        return [Evidence("place", int(lines["place"][0]) if lines.height else 0)]


def _events(lines: pl.DataFrame, standing: Standing, *, of_account: bool) -> Evidence:
    own = lines.filter(pl.col("standing") == standing)
    near = {"before": own.tail(1), "after": own.head(1)}.get(standing, own)
    shown_ = tuple(
        Witness(line["event_id"], line["happened_at"], line["user_id"] if of_account else None)
        for line in near.iter_rows(named=True)
    )
    return Evidence(standing, int(own["total"][0]) if own.height else 0, shown_)


def _people(lines: pl.DataFrame, standing: Standing, of: str) -> Evidence:
    total = int(lines["total"][0]) if lines.height else 0
    return Evidence(standing, total, tuple(Witness(each) for each in lines["id"]), of)


def _behind(node: Expression) -> Iterator[Events | Group | Top]:
    """What a part rests on: events, users or accounts, a place."""
    match node:
        case Reduced(Events() as stream):
            yield stream
        case Reduced(Users()) | OfUsers() | OfAccounts():
            yield node
        case Top(_, by, _):
            yield node
            yield from _behind(by)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _behind(part)
        case Not(part):
            yield from _behind(part)
        case Compare(left, _, right):
            for each in (left, *right):
                if isinstance(each, Value):
                    yield from _behind(each)


def _tree(reason: Reason, depth: int) -> Iterator[str]:
    indent = "  " * depth
    yield f"{indent}{mark(reason.holds)} {reason.headline()}"
    yield from (f"{indent}    {line}" for line in reason.lines())
    for part in reason.parts:
        yield from _tree(part, depth + 1)
