"""What a preview says of a definition beside its size and its changes: plain data, a few numbers each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

#: So many lines are said in one line of text.
SAID = 3
#: What a missing value is called.
NOTHING = "no value"
#: What the values are called that are too many to name.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Part:
    """Members that have something in common.

    Attributes:
        name: the value they have, the range it lies in, or the audience they are in.
        count: how many they are.
        share: of the members, between 0 and 1.
        usual: the share among everybody; None where that is not known, or says nothing.
    """

    name: str
    count: int
    share: float
    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The members by a trait of theirs, the most frequent values first; numbers and times in their order.

    Attributes:
        trait: its name.
        parts: a few values, and the others together.
        chosen: the kit chose the trait, nobody named it.
    """

    trait: str
    parts: tuple[Part, ...]
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Trend:
    """The size at past instants and now.

    Attributes:
        points: instants (UTC) and sizes, in order; the last is the preview's own.
        origin: ``pushes``: what pushes found then; ``backtest``: computed now for then.
        pushed: the last push within that time, if there was one.
        traits: of a backtest, the traits that are taken as they are now.
    """

    points: tuple[tuple[dt.datetime, int], ...]
    origin: Literal["pushes", "backtest"]
    pushed: dt.datetime | None = None
    traits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlap:
    """Which other audiences the members are in, too.

    Attributes:
        parts: named by key, the largest first; those that nobody is in as well.
        of: ``members``, or ``users``: of accounts and of an audience of users it is about the users.
        left_out: audiences that were not looked at.
        why: they were not.
    """

    parts: tuple[Part, ...]
    of: Literal["members", "users"] = "members"
    left_out: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class AccountView:
    """The accounts of a definition, and the users that they bring.

    Attributes:
        users: in all; one of two accounts is one user.
        empty: accounts without any user.
        median: users per account; ``most``: of the largest.
    """

    accounts: int
    users: int
    empty: int
    median: float
    most: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """The values of a trait.

    Attributes:
        kind: ``bins``: of numbers and times, in order and without gaps; ``values``: the most frequent, and the others.
    """

    parts: tuple[Part, ...]
    kind: Literal["bins", "values"]


@dataclass(frozen=True, slots=True)
class Facets:
    """Everything of these that there is for one definition.

    Attributes:
        english: the definition as a sentence.
        requests: the first requests of each sync as ``Plan.payloads`` has them, personal data masked.
        notes: what was left out, and why.
    """

    english: str = ""
    breakdowns: tuple[Breakdown, ...] = ()
    trend: Trend | None = None
    overlap: Overlap | None = None
    accounts: AccountView | None = None
    distribution: Distribution | None = None
    requests: tuple[Mapping[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """As plain data; instants as text."""
        made = asdict(self)
        if self.trend is not None:
            made["trend"]["points"] = [[_iso(at), size] for at, size in self.trend.points]
            made["trend"]["pushed"] = None if self.trend.pushed is None else _iso(self.trend.pushed)
        return made

    def words(self, subject: str) -> list[str]:
        """The numbers of each in a few words, for the line of text."""
        said = []
        if self.trend is not None:
            said.append(f"trend: {trend_words(self.trend)}")
        if self.accounts is not None:
            said.append(f"{self.accounts.median:g} users per account at the median, {self.accounts.most:,} at most")
        said += [f"by {each.trait}: {part_words(each.parts, f'all {subject}s')}" for each in self.breakdowns]
        if self.distribution is not None:
            said.append(f"values: {part_words(self.distribution.parts)}")
        if self.overlap is not None and self.overlap.parts:
            whose = "" if self.overlap.of == "members" else " (of their users)"
            said.append(f"also in{whose}: {part_words(self.overlap.parts)}")
        return said


def trend_words(trend: Trend) -> str:
    """``975 on 2026-10-04 to 1,143 (backtest)``."""
    (first, before), *_, (_, now) = trend.points
    origin = "by past pushes" if trend.origin == "pushes" else "backtest"
    return f"{before:,} on {first:%Y-%m-%d} to {now:,} ({origin})"


def part_words(parts: Sequence[Part], everybody: str = "") -> str:
    """``DE 24% (all users 20%), US 15%`` and so on."""
    said = []
    for part in parts[:SAID]:
        usual = f" ({everybody} {percent(part.usual)})" if everybody and part.usual is not None else ""
        said.append(f"{part.name} {percent(part.share)}{usual}")
    return ", ".join([*said, *(["..."] if len(parts) > SAID else [])])


def percent(share: float) -> str:
    """A share for people: one digit more where it is small."""
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"  # noqa: PLR2004  (a tenth)


def _iso(at: dt.datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
