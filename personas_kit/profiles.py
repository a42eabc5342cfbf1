"""Looks one user or account up: its traits, where it is in, who belongs to it, what each destination acknowledged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from personas_kit.activation.sync import Sync
from personas_kit.compiler import compile_lookup, compile_memberships
from personas_kit.definitions import Definition
from personas_kit.definitions.definition import Subject
from personas_kit.errors import DefinitionError, PersonasError, UnknownName
from personas_kit.leaving import Leaving
from personas_kit.profile import Profile
from personas_kit.reading import Reader

#: How many of those who belong to it an error names.
LISTED = 5


@dataclass(frozen=True, slots=True)
class Profiles:
    """Makes profiles.

    Attributes:
        reader: asks the warehouse.
        leaving: knows by which identifiers a user is known at a sync.
    """

    reader: Reader
    leaving: Leaving

    def make(self, member: str | int, as_of: dt.datetime) -> Profile:
        """All that is known of it at an instant.

        Raises:
            UnknownName: nobody has this id then.
        """
        subject, traits = self.look_up(member, as_of)
        own = {key: each for key, each in self.reader.definitions().items() if each.subject == subject}
        found = {
            key: one.members.subjects.filter(_is(f"{subject}_id", member))
            for key, one in self.reader.find(list(own.values()), as_of).items()
        }
        values = {
            key: frame["value"][0] if frame.height else None for key, frame in found.items() if not own[key].is_audience
        }
        return Profile(
            subject=subject,
            id=str(member),
            as_of=as_of,
            traits={**traits, **values},
            audiences={key: bool(frame.height) for key, frame in found.items() if own[key].is_audience},
            related=self.related(subject, member, as_of),
            acknowledged=self._acknowledged(subject, member),
        )

    def look_up(
        self, member: str | int, as_of: dt.datetime, *, first: Subject = "user"
    ) -> tuple[Subject, dict[str, object]]:
        """Whether it is a user or an account, and its traits in the source.

        Args:
            member: an id.
            as_of: the instant.
            first: what it is taken for if both have this id.

        Raises:
            UnknownName: nobody has it.
        """
        source = self.reader.source
        second: Subject = "account" if first == "user" else "user"
        subjects: tuple[Subject, ...] = (first, second) if source.accounts else ("user",)
        for subject in subjects:
            found = self.reader.ask(compile_lookup(source, subject, [member]), as_of, "profile")
            if found.height:
                traits = found.row(0, named=True).items()
                return subject, {name: value for name, value in traits if name != f"{subject}_id"}
        raise UnknownName("user or account", str(member), ())

    def check(self, member: str | int, meant: Definition, as_of: dt.datetime) -> None:
        """That a definition can be asked about it.

        Raises:
            UnknownName: nobody has this id.
            DefinitionError: it is an account, and the definition is about users; or the reverse.
        """
        other: Subject = "account" if meant.subject == "user" else "user"
        subject, _ = self.look_up(member, as_of, first=meant.subject)
        if subject != meant.subject:
            related = self.related(other, member, as_of)
            named = ", ".join([*related[:LISTED], *(["..."] if len(related) > LISTED else [])]) or "it has none"
            raise DefinitionError(
                f"{member} is a{'n' if subject == 'account' else ''} {subject}, and this is about {meant.subject}s",
                where=repr(meant.name),
                hint=f"explain it for one of its {meant.subject}s: {named}",
            )

    def related(self, subject: Subject, member: str | int, as_of: dt.datetime) -> tuple[str, ...]:
        """The accounts of a user, the users of an account."""
        if self.reader.source.memberships is None:
            return ()
        pairs = self.reader.ask(compile_memberships(self.reader.source, subject, member), as_of, "profile")
        return tuple(map(str, pairs["account_id" if subject == "user" else "user_id"].sort()))

    def _acknowledged(self, subject: Subject, member: str | int) -> dict[str, str]:
        """What the destinations have of it."""
        return {
            str(sync): value
            for sync, state in self.leaving.planner.store.syncs()
            if (value := _known(state.acknowledged, self._called(sync, member, subject))) is not None
        }

    def _called(self, sync: Sync, member: str | int, subject: Subject) -> list[str]:
        """What a user or account is at a sync: its id, or the identifiers by which it is known there."""
        try:
            return self.leaving.members(sync, str(member)) if subject == "user" else [str(member)]
        except PersonasError:  # the destination is configured no more
            return [str(member)]


def _is(column: str, member: str | int) -> pl.Expr:
    return pl.col(column).cast(pl.String) == str(member)


def _known(acknowledged: pl.DataFrame, members: Collection[str]) -> str | None:
    """What is acknowledged of somebody by any of these: its value, ``in`` for an audience, None if nothing."""
    found = acknowledged.filter(pl.col("member").cast(pl.String).is_in([*members]))
    if not found.height:
        return None
    return str(found["value"][0]) if "value" in found.columns else "in"
