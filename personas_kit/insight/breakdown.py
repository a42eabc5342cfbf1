"""Members by a trait: values, or for numbers and times ranges, each beside its share among everybody.

The members come with their traits in the statement that finds them; everybody is counted in the statement of
``compiler.spread``, which says how many there are as well. Everything else is arithmetic.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from personas_kit.compiler.bind import column_of
from personas_kit.compiler.scope import subject_members, trait_columns
from personas_kit.compiler.source import Column, Source
from personas_kit.compiler.spread import EVERYBODY, LINES, MOST, compile_spread, compile_spread_of_one
from personas_kit.definitions import Definition
from personas_kit.definitions.definition import Subject
from personas_kit.errors import DefinitionError, UnknownName
from personas_kit.facets import Breakdown, Part
from personas_kit.insight.binning import KINDS, Kind, Sizes, group_name, groups_of, kind_of, sizes_of
from personas_kit.masking import mask_value
from personas_kit.planner import Found
from personas_kit.reading import Reader

#: A trait is chosen that has at least two values, and no more than this.
FEW_VALUES = 40
#: So many traits are looked at to choose one.
CANDIDATES = 4
#: Of no more lines than these everybody is counted before the members are asked for. Of more, traits are looked at
#: among so many: enough to see that one of them has too many values.
SOME = 100_000
#: One that nearly everybody has the same value of says nothing.
SAME = 0.98
#: What companies like to see their users and accounts by, the best first: words of names.
LIKED = (
    "plan", "tier", "country", "region", "industry", "segment", "kind", "type", "category", "lifecycle", "stage",
    "status", "channel", "source", "platform", "device", "language", "locale", "gender", "role", "department", "state",
    "city",
)  # fmt: skip
TAG = "population"


@dataclass(frozen=True, slots=True)
class Asked:
    """What members are to be broken down by: traits of the source, and computed ones, in the order asked for.

    Attributes:
        chosen: nobody asked: the kit chooses one of the traits.
    """

    names: tuple[str, ...]
    traits: Mapping[str, Column]
    computed: Mapping[str, Definition]
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Everybody:
    """All users, or all accounts.

    Attributes:
        size: how many there are.
        lines: that the sizes add up to; more than ``size`` where a table holds somebody twice.
        asked: what members are to be broken down by; where the kit chose, the one trait.
        sizes: how everybody is spread over the values of each trait of the source.
    """

    size: int
    lines: int
    asked: Asked
    sizes: Mapping[str, Sizes]

    @property
    def traits(self) -> tuple[str, ...]:
        """The traits of the source, by name."""
        return tuple(self.asked.traits)


def asked_by(source: Source, subject: Subject, by: Sequence[str] | None, registry: Mapping[str, Definition]) -> Asked:
    """What a person wants to see members by; None lets the kit choose.

    Raises:
        UnknownName: neither the source nor a definition has a trait of this name; with the nearest.
    """
    if by is None:
        found = {of.name: of for of in _candidates(source, subject)}
        return Asked(tuple(found), found, {}, chosen=True)
    members = subject_members(source, subject)
    computed = {key: each for key, each in registry.items() if each.subject == subject and not each.is_audience}
    names, traits, own = list[str](), dict[str, Column](), dict[str, Definition]()
    for name in by:
        column = column_of(members.table.columns, name)
        if column is not None and column != members.id:
            traits[column.name] = column
            names.append(column.name)
        elif name in computed:
            own[name] = computed[name]
            names.append(name)
        else:
            known = {*computed, *(of.name for of in trait_columns(members))}
            raise UnknownName(f"trait of {subject}s", name, known, where="by")
    return Asked(tuple(dict.fromkeys(names)), traits, own)


@dataclass(frozen=True, slots=True)
class Glance:
    """What is known of everybody before the members are asked for.

    Attributes:
        asked: what members are to be broken down by; where the kit chose, the one trait.
        everybody: all of them, where they are few enough to be counted at once; else None.
    """

    asked: Asked
    everybody: Everybody | None

    @property
    def traits(self) -> tuple[str, ...]:
        """The traits of the source, by name."""
        return tuple(self.asked.traits)


def glance(reader: Reader, subject: Subject, asked: Asked, as_of: dt.datetime) -> Glance:
    """Everybody, where they are few; of many only what a trait is chosen by, so that the members need not wait.

    One statement looks at a few of the lines. Where there are more, one more counts the values of each trait that may
    be chosen before another one.

    Raises:
        DefinitionError: a trait of lists or documents.
    """
    query = compile_spread(reader.source, subject, [*asked.traits], SOME + 1)
    sizes, whole = _counted(reader.ask(query, as_of, TAG), [*asked.traits])
    if whole[LINES] <= SOME:
        found = _chosen(Everybody(whole[EVERYBODY], whole[LINES], asked, sizes))
        return Glance(found.asked, found)
    if not asked.chosen:
        return Glance(asked, None)
    fit = [name for name in asked.names if len(sizes[name]) <= FEW_VALUES + 1]  # others have too many in any case
    for name in fit[:-1]:
        counted, _ = _counted(reader.ask(compile_spread_of_one(reader.source, subject, name), as_of, TAG), [name])
        if _says_something(counted[name], sum(counted[name].values())):
            return Glance(_only(asked, name), None)
    return Glance(_only(asked, *fit[-1:]), None)


def everybody(reader: Reader, subject: Subject, asked: Asked, as_of: dt.datetime) -> Everybody:
    """How many there are, and how they are spread; one statement, which may take as long as that of the members.

    Raises:
        DefinitionError: a trait of lists or documents.
    """
    query = compile_spread(reader.source, subject, [*asked.traits])
    sizes, whole = _counted(reader.ask(query, as_of, TAG), [*asked.traits])
    return _chosen(Everybody(whole[EVERYBODY], whole[LINES], asked, sizes))


def _chosen(found: Everybody) -> Everybody:
    """Everybody by the first of the traits that says something, where the kit is to choose."""
    asked = found.asked
    if not asked.chosen:
        return found
    name = next((name for name in asked.names if _says_something(found.sizes[name], found.lines)), None)
    if name is None:
        return replace(found, asked=_only(asked), sizes={})
    return replace(found, asked=_only(asked, name), sizes={name: found.sizes[name]})


def _only(asked: Asked, *names: str) -> Asked:
    """Those of the traits that the kit has chosen."""
    return Asked(names, {name: asked.traits[name] for name in names}, {}, chosen=True)


def _counted(answer: pl.DataFrame, names: Sequence[str]) -> tuple[dict[str, dict[str | None, int]], dict[int, int]]:
    """How many have which value of each trait; and how many there are, as ``EVERYBODY`` and ``LINES``."""
    sizes: dict[str, dict[str | None, int]] = {name: {} for name in names}
    whole = {EVERYBODY: 0, LINES: 0}
    for trait, value, count in answer.iter_rows():
        if trait in whole:
            whole[trait] = int(count)
        else:
            sizes[names[trait]][value] = int(count)
    return sizes, whole


def breakdowns(everybody: Everybody, found: Found, computed: Mapping[str, Found]) -> tuple[Breakdown, ...]:
    """Members by each trait that was asked for; where nobody asked, and everybody is a member, there is nothing to say.

    Args:
        everybody: what they are held against.
        found: the members, with the traits of the source.
        computed: the computed traits, by key.
    """
    members, asked = found.traits, everybody.asked
    if asked.chosen and found.members.subjects.height >= everybody.size:
        return ()
    made = []
    for name in asked.names:
        if name in asked.computed:
            kind, own, usual = _computed(name, found, computed[name], everybody.size)
            whole = everybody.size
        elif members is not None:
            kind, usual, whole = KINDS[asked.traits[name].type], everybody.sizes[name], everybody.lines
            own = sizes_of(members[str(everybody.traits.index(name))])
        else:
            continue
        if own:
            made.append(Breakdown(name, _parts(name, kind, own, usual, whole), asked.chosen))
    return tuple(made)


def _parts(name: str, kind: Kind, own: Sizes, usual: Sizes, everybody: int) -> tuple[Part, ...]:
    groups, size = groups_of(own, usual, kind), sum(own.values())
    parts, known = [], 0
    for group in groups:
        count, among = (sum(sizes.get(value, 0) for value in group) for sizes in (own, usual))
        others = kind == "values" and len(group) > 1
        if others:  # not all of them were counted, where there are many
            among = everybody - known
        known += among
        counted = others or len(usual) < MOST or any(value in usual for value in group)
        share = min(1.0, max(0.0, among / everybody)) if everybody and counted else None
        parts.append(Part(group_name(name, group, kind), count, count / size, share))
    return tuple(parts)


def _computed(name: str, found: Found, trait: Found, everybody: int) -> tuple[Kind, Sizes, Sizes]:
    """How members, and everybody, are spread over the values of a computed trait."""
    values = trait.members.subjects
    kind = kind_of(values.schema["value"])
    if kind is None:
        raise DefinitionError(
            f"{name} has lists for values, and nothing to count", hint="name a trait of texts, numbers or times"
        )
    column = values.columns[0]
    members = found.members.subjects.select(column).unique()
    own = members.join(values.select(column, "value"), on=column, how="left")
    usual = dict(sizes_of(values["value"]))
    usual[None] = usual.get(None, 0) + max(0, everybody - values.height)
    return kind, sizes_of(own["value"]), {value: count for value, count in usual.items() if count}


def _candidates(source: Source, subject: Subject) -> list[Column]:
    """Traits that may be worth a breakdown, the likeliest first: no ids, nothing personal."""
    members = subject_members(source, subject)
    fit = [
        of
        for of in trait_columns(members)
        if of.type in {"text", "boolean"}
        and not {"id", "uuid", "url", "hash"} & _words(of)
        and mask_value(of.name, "text") == "text"
    ]

    def liking(of: Column) -> tuple[int, bool]:
        place = next((at for at, word in enumerate(LIKED) if word in _words(of)), len(LIKED))
        return place, of.type == "text"

    return sorted(fit, key=liking)[:CANDIDATES]


def _words(of: Column) -> set[str]:
    return set(of.name.casefold().split("_"))


def _says_something(sizes: Sizes, everybody: int) -> bool:
    """Some values, of which none is nearly everybody's; and most have one."""
    values = [count for value, count in sizes.items() if value is not None]
    missing = sizes.get(None, 0)
    some = 1 < len(values) <= FEW_VALUES
    return some and max(values) <= SAME * everybody and missing <= everybody / 2
