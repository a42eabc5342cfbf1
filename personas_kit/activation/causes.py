"""Why each change is due, and what has to be asked to find that out.

Every change has one cause out of ``CAUSES``. Four of them stand in the state. For the rest the warehouse is asked how
things would stand otherwise (``compiler.counterfactual``): by the definition as it was at the last finished push, with
nobody kept out by ``unless``, with the users that accounts had then, with nothing begun since. ``judging`` reads the
answer: a change comes from that without which the member would still be what the destination acknowledged.

Pure: nothing is asked here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import polars as pl

from personas_kit.activation.plan import SyncPlan
from personas_kit.activation.wanted import Id
from personas_kit.compiler import Source, compile_definition
from personas_kit.compiler.claims import Claims
from personas_kit.compiler.counterfactual import World
from personas_kit.definitions import AccountAudience, Audience, Definition
from personas_kit.definitions.meaning import Meaning, read_meaning
from personas_kit.errors import PersonasError
from personas_kit.membership.expansion import Combine

FIRST, UNKNOWN, AGAIN, ADOPTED = "first push", "outcome was unknown", "full re-sync", "adopted"
WITHDRAWN, MERGED, EDITED, UPSTREAM = (
    "suppression or consent", "identity merged", "definition edited", "upstream audience",
)  # fmt: skip
MOVED, TIME, NEW = "membership moved", "time passing", "new data"
CAUSES: Final = (FIRST, UNKNOWN, AGAIN, ADOPTED, WITHDRAWN, MERGED, EDITED, UPSTREAM, MOVED, TIME, NEW)
"""Every cause. Of those that may hold of one change, the first that does is its cause."""

Role = Literal[
    "kept out", "unsuppressed", "edited", "upstream", "as it was", "moved", "accounts then", "then",
    "then unsuppressed", "quiet",
]  # fmt: skip
"""What a world is asked for; see ``_Asking``."""

MOST_IDS: Final = 5_000
"""So many ids stand in a statement at most: BigQuery takes 10,000 parameters (cloud.google.com/bigquery/quotas)."""


@dataclass(frozen=True, slots=True)
class Causes:
    """The causes of one sync's changes.

    Attributes:
        of: ``member`` (text) and ``cause``.
        unasked: why the warehouse was not asked, or not for everything; empty if it was.
    """

    of: pl.DataFrame
    unasked: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A sync's plan with the causes that the state alone tells, and what its members are made of.

    Attributes:
        ids: which column of the user is which identifier there.
        combine: how the values of several accounts of a user become one.
        empty: the JSON text of the value that says nothing, such as ``0`` for a count; None if only a missing one does.
    """

    part: SyncPlan
    ids: Mapping[str, str | Id] = field(default_factory=dict)
    combine: Combine | None = None
    empty: str | None = None

    @property
    def by_identifier(self) -> bool:
        """The members are identifiers of users, not their ids."""
        return bool(self.part.connection.identifiers(self.part.sync.call))

    @property
    def open(self) -> pl.DataFrame:
        """The changes whose cause the state does not tell."""
        return self.part.lines.filter(pl.col("cause").is_in([EDITED, NEW]))

    @property
    def losses(self) -> pl.Series:
        """The members, as text, that will not be there any more, or have no value."""
        lines = self.part.lines.filter((pl.col("change").cast(pl.String) == "exit") | (pl.col("value") == "null"))
        return lines["member"].cast(pl.String)


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask the warehouse for some syncs of one definition.

    Attributes:
        worlds: the present one first.
        roles: for each case, which world is what.
        usual: for each case, what the cause is if nothing else is.
        claims: the identifiers to ask for.
        unasked: what cannot be asked; empty if everything can.
    """

    worlds: tuple[World, ...]
    roles: tuple[Mapping[Role, int], ...]
    usual: tuple[str, ...]
    claims: Claims | None = None
    unasked: str = ""

    @property
    def asks(self) -> bool:
        """Whether any answer could make a difference."""
        return len(self.worlds) > 1 or self.claims is not None


def question_of(cases: Sequence[Case], meaning: str, as_of: dt.datetime, source: Source) -> Question:
    """What to ask to know the causes of all cases, in one statement.

    Args:
        cases: syncs of one definition, each with changes to explain.
        meaning: the definition now, and what it refers to, as JSON text.
        as_of: the instant of the plan.
        source: where the data lies.
    """
    now = read_meaning(meaning)
    if now is None:
        raise TypeError("a plan is made of a definition")
    asking = _Asking(now, source)
    roles, usual = zip(*(asking.roles(case, as_of) for case in cases), strict=True)
    claims = None
    if source.identities is not None:
        ids = _ids(cases)
        if max(series.len() for series in ids) > MOST_IDS:
            asking.unasked.append(f"more than {MOST_IDS:,} members change: nobody looked for merged users")
        elif any(series.len() for series in ids):
            claims = Claims(*(series.sort().to_list() for series in ids))
    return Question(tuple(asking.worlds), roles, usual, claims, "; ".join(dict.fromkeys(asking.unasked)))


def _ids(cases: Sequence[Case]) -> tuple[pl.Series, pl.Series]:
    """The ids that leave, and the users who enter a list: of these every identifier may say that a user was merged."""
    nobody = pl.Series(dtype=pl.String)
    by_user = [case for case in cases if case.part.sync.call in {"identify", "track"} and not case.by_identifier]
    values = [case.losses for case in by_user]
    users = [
        case.open.filter(pl.col("change").cast(pl.String) == "enter")["users"].explode(keep_nulls=False)
        for case in cases
        if case.by_identifier
    ]
    left, came = (pl.concat([nobody, *(each.cast(pl.String) for each in some)]).unique() for some in (values, users))
    return left, came


class _Asking:
    """Collects worlds, each once.

    =================  ==============================================================================================
    world              what is asked
    =================  ==============================================================================================
    kept out           for whom ``unless`` of the definition holds; that alone is no reason to be listed
    unsuppressed       the definition, and what it refers to, without ``unless`` and ``unless_user``
    edited             the definition as it was, with what it refers to as that is now
    upstream           the definition as it is now, with what it refers to as that was
    as it was          both as they were; where that cannot be asked, both as they are now
    moved              the same accounts, with the users that they had at the last finished push
    accounts then      the accounts of that instant, with the users that they have now
    then               everything as of that instant, by the data of today
    then unsuppressed  likewise, without ``unless`` and ``unless_user``
    quiet              as of now, without what has begun since
    =================  ==============================================================================================

    From ``moved`` on, the definition is the one as it was.
    """

    def __init__(self, now: Meaning, source: Source) -> None:
        self.now, self.source = now, source
        self.worlds = [World(now.definition, now.refers)]
        self.unasked: list[str] = []
        self._known: dict[tuple[object, ...], int] = {}
        self._changed: dict[tuple[object, ...], Meaning | None] = {}
        self._edited: dict[tuple[str, bool], tuple[dict[Role, int], Meaning, str]] = {}

    def roles(self, case: Case, as_of: dt.datetime) -> tuple[dict[Role, int], str]:
        """The worlds of a case, and what the cause is if nothing else is."""
        state = case.part.state
        found: dict[Role, int] = {}
        base, usual = self.now, NEW
        if (state.fingerprint, state.meaning) != (case.part.fingerprint, case.part.meaning):
            key = state.meaning, state.fingerprint == case.part.fingerprint
            if key not in self._edited:
                self._edited[key] = self._edits(state.meaning, same=key[1])
            edits, base, usual = self._edited[key]
            found |= edits
        if (kept_out := self._once(self.now, only_unless)) is not None:
            found["kept out"] = self._world(kept_out, aside=True)
        if (stripped := self._once(self.now, without_unless)) is not None:
            found["unsuppressed"] = self._world(stripped)
        if state.last_as_of is not None and as_of > state.last_as_of:
            self._times(found, base, int((as_of - state.last_as_of).total_seconds()))
        return found, usual

    def _edits(self, kept: str, *, same: bool) -> tuple[dict[Role, int], Meaning, str]:
        """The worlds of a definition that may mean something else than at the last finished push.

        Its fingerprint may be the ``same`` all the same: it does not tell what ``unless_user`` refers to.

        Returns:
            The worlds, what the definition was (or is, where that cannot be asked), and what the cause is if nothing
            else is.
        """
        was, now = self._was(kept), self.now
        if was is None:
            return {}, now, NEW if same else EDITED
        own = was.definition.fingerprint != now.definition.fingerprint
        common = now.refers.keys() & was.refers.keys()
        upstream = any(was.refers[key].fingerprint != now.refers[key].fingerprint for key in common)
        usual = EDITED if own else UPSTREAM
        if not (own or upstream):  # the same, counted in another way
            return {}, now, NEW
        if not self._can_be_asked(was):
            self.unasked.append("what the definition meant at the last push cannot be asked any more")
            return {}, now, usual
        found: dict[Role, int] = {"as it was": self._world(was)}
        if not upstream:
            found["edited"] = found["as it was"]
        elif not own:
            found["upstream"] = found["as it was"]
        else:
            mixed: dict[Role, Meaning] = {
                "edited": Meaning(was.definition, {**was.refers, **now.refers}),
                "upstream": Meaning(now.definition, {**now.refers, **was.refers}),
            }
            found |= {role: self._world(each) for role, each in mixed.items() if self._can_be_asked(each)}
        return found, was, NEW

    def _times(self, found: dict[Role, int], base: Meaning, seconds: int) -> None:
        """The worlds around the instant of the last finished push."""
        found["then"] = self._world(base, ago=seconds)
        found["quiet"] = self._world(base, quiet=seconds)
        if (stripped := self._once(base, without_unless)) is not None:
            found["then unsuppressed"] = self._world(stripped, ago=seconds)
        memberships = self.source.memberships
        if base.definition.subject == "account" and memberships and (memberships.valid_from or memberships.valid_to):
            found["moved"] = self._world(base, members_ago=seconds)
            found["accounts then"] = self._world(base, ago=seconds, members_ago=0)

    def _world(
        self, of: Meaning, *, ago: int = 0, quiet: int = 0, members_ago: int | None = None, aside: bool = False
    ) -> int:
        key = (id(of.definition), id(of.refers), ago, quiet, members_ago)  # the worlds keep both
        if key not in self._known:
            self._known[key] = len(self.worlds)
            self.worlds.append(World(of.definition, of.refers, ago, quiet, members_ago, aside))
        return self._known[key]

    def _was(self, kept: str) -> Meaning | None:
        """What was kept; None if nothing can be made of it."""
        try:
            was = read_meaning(kept)
        except PersonasError:
            was = None
        if was is None:
            self.unasked.append("what the definition meant at the last push was not kept so that it can be read")
        return was

    def _once(self, of: Meaning, changed: Callable[[Meaning], Meaning | None]) -> Meaning | None:
        """Another meaning made of one, once, so that one world is one object."""
        key = (id(of), changed)
        if key not in self._changed:
            self._changed[key] = changed(of)
        return self._changed[key]

    def _can_be_asked(self, of: Meaning) -> bool:
        """It is about the same kind of members, and the source still has what it reads."""
        if of.definition.kind != self.now.definition.kind:
            return False
        try:
            compile_definition(of.definition, self.source, of.refers, expand=of.definition.subject == "account")
        except PersonasError:
            return False
        return True


def without_unless(of: Meaning) -> Meaning | None:
    """The same with nobody kept out by ``unless`` or ``unless_user``; None if nobody is."""
    every = {of.definition.key: of.definition, **of.refers}
    stripped = {key: _admitting(each) for key, each in every.items()}
    if all(each is every[key] for key, each in stripped.items()):
        return None
    definition = stripped.pop(of.definition.key)
    return Meaning(definition, stripped)


def only_unless(of: Meaning) -> Meaning | None:
    """Those for whom ``unless`` of the definition holds; None if it has none."""
    match of.definition:
        case Audience(unless=unless) | AccountAudience(unless=unless) as definition if unless is not None:
            return Meaning(replace(definition, where=unless, unless=None), of.refers)
        case _:
            return None


def _admitting(definition: Definition) -> Definition:
    match definition:
        case Audience(unless=unless) if unless is not None:
            return replace(definition, unless=None)
        case AccountAudience(unless=unless, unless_user=unless_user) if unless is not None or unless_user is not None:
            return replace(definition, unless=None, unless_user=None)
        case _:
            return definition
