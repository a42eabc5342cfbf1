"""One state and two people at it: each has a workspace of their own, over the same users and the same folder."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl

import personas_kit as pk
from personas_kit.activation.due import Asked
from personas_kit.activation.plan import Plan
from personas_kit.activation.state import SyncState
from personas_kit.activation.store import Store
from personas_kit.definitions import Definition
from personas_kit.planner import Found
from personas_kit.reading import Reader
from personas_kit.workspace import Workspace
from tests.activation.attack.world import LeapingClock, World

EDITED: dict[str, Definition] = {
    "vips": pk.Audience("Vips", pk.parse("trait('points') >= 1")),
    "score": pk.Trait("Score", pk.parse("trait('bonus')")),
}
"""The definitions, once somebody has edited them."""


class Company(World):
    """A world whose definition can be edited, and whose users can be forgotten.

    Attributes:
        clock: of everybody.
        runner: whose workspace it is at the moment, 0 or 1.
        edited: the definition means something else by now.
        forgotten: the users that nobody may be told of.
    """

    clock: LeapingClock

    def __init__(self, folder: Path, url: str, **more: Any) -> None:
        self.runner, self.edited = 0, False
        self.forgotten: set[str] = set()
        self._opened: dict[int, tuple[Workspace, Store]] = {}
        self._put: pl.DataFrame | None = None
        self._states: dict[str, SyncState] | None = None
        super().__init__(folder, url, **more)

    def want(self, members: Iterable[str] | Mapping[str, int], emails: Mapping[str, str] | None = None) -> None:
        """As a world does; what is wanted depends on what the definition means, and on who is forgotten."""
        super().want(members, emails)
        self._users = self._users.with_columns(bonus=pl.col("points") + 1)
        self._scores = dict(members) if isinstance(members, Mapping) else dict.fromkeys(members, 1)
        self.wanted = {name: said for name, said in self._meant().items() if name not in self.forgotten}

    def reopen(self) -> None:
        """The present runner starts a new process."""
        super().reopen()
        self._as_in_the_file = self.workspace.definitions[self.key]
        self._define()
        self._opened[self.runner] = self.workspace, self.store
        self.written()

    def act_as(self, runner: int) -> None:
        """Somebody is at their workspace."""
        self.runner = runner
        if runner in self._opened:
            self.workspace, self.store = self._opened[runner]
        else:
            self.reopen()

    def edit(self) -> None:
        """The definition is edited, or edited back, for everybody."""
        self.edited = not self.edited
        for runner in self._opened:
            self.act_as(runner)
            self._define()

    def plan(self, mode: Asked = "changes") -> Plan:
        """A plan. The warehouse is asked once for each definition: then it is known what it would answer."""
        with mock.patch.object(Reader, "find", self._found):
            return super().plan(mode)

    def _put_in(self) -> None:
        if self._put is not self._users:
            super()._put_in()
            self._put = self._users

    def preview(self) -> None:
        """Somebody looks."""
        self._put_in()
        self.workspace.preview(self.key)

    def states(self) -> dict[str, SyncState]:
        """What is known, by call; read once until something may have been written."""
        if self._states is None:
            self._states = super().states()
        return self._states

    def written(self) -> None:
        """Something may have been written."""
        self._states = None

    def _found(self, definitions: Sequence[Definition], as_of: dt.datetime, carry: Any) -> dict[str, Found]:
        which = self.key, self.edited
        if which not in _ANSWERED:
            _ANSWERED[which] = _find(self.workspace._reader, definitions, as_of, carry)[self.key]
        found, value = _ANSWERED[which], pl.col("bonus" if self.edited else "points")
        users = self._users.with_columns(value=value)
        if self.key == "vips":
            users = users.filter(pl.col("user_id").is_in([*self._meant()]))
        subjects = users.select(found.members.subjects.columns)
        members = dataclasses.replace(found.members, subjects=subjects)
        return {self.key: dataclasses.replace(found, members=members, as_of=as_of, at=self.clock.now())}

    def _define(self) -> None:
        self.workspace.add(EDITED[self.key] if self.edited else self._as_in_the_file)

    def _meant(self) -> dict[str, object]:
        """Who is in it, as the definition stands, and with which value."""
        if self.key == "score":
            return {name: score + self.edited for name, score in self._scores.items()}
        return dict.fromkeys((name for name, score in self._scores.items() if score or not self.edited), True)


_ANSWERED: dict[tuple[str, bool], Found] = {}
_find = Reader.find
