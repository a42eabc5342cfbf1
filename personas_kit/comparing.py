"""Members for a plan: all of them, or, where they are many and the state lies beside them, those only that change.

``compiler.differing`` writes the statement, ``activation.in_warehouse`` says when and reads the answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from personas_kit.activation.due import Mode
from personas_kit.activation.in_warehouse import Answer, Compared, answered, members_of, of_whom
from personas_kit.activation.moved import Moved
from personas_kit.activation.store import Store
from personas_kit.compiler import Query
from personas_kit.compiler.differing import COMPARED, Kept, Known, compile_differing
from personas_kit.config import Scheduled, SyncSettings
from personas_kit.definitions import Definition
from personas_kit.definitions.definition import Subject
from personas_kit.definitions.meaning import meaning_of
from personas_kit.errors import WarehouseError
from personas_kit.planner import Found, Planner, carried
from personas_kit.reading import Reader


@dataclass(frozen=True, slots=True)
class Comparing:
    """Finds members for plans.

    Attributes:
        reader: asks the warehouse.
        planner: knows the syncs, and the store.
    """

    reader: Reader
    planner: Planner

    @property
    def store(self) -> Store:
        """What is acknowledged."""
        return self.planner.store

    def members(
        self,
        scheduled: Scheduled,
        syncs: Sequence[SyncSettings],
        as_of: dt.datetime,
        *,
        mode: Mode = "changes",
        unattended: bool = False,
    ) -> Found:
        """The members of a definition for a plan of some syncs; those only that change, if the warehouse compares them.

        Args:
            scheduled: the definition.
            syncs: where it goes.
            as_of: the instant it is about.
            mode: what the plan is for.
            unattended: nobody looks at it before it is pushed.
        """
        compared, why = self.apart(scheduled, syncs, as_of, mode=mode, unattended=unattended)
        carry, definition = carried(syncs), scheduled.definition
        if compared:
            try:
                found = self._compared(definition, compared, as_of, carry)
            except WarehouseError:
                if all(self.store.outline(each.sync).chain == each.outline.chain for each in compared):
                    raise
                return self.members(scheduled, syncs, as_of, mode=mode, unattended=unattended)  # somebody has pushed
            if isinstance(found, Found):
                return found
            why = found
        return replace(self.reader.find([definition], as_of, {definition.key: carry})[definition.key], why_read=why)

    def apart(
        self,
        scheduled: Scheduled,
        syncs: Sequence[SyncSettings],
        as_of: dt.datetime,
        *,
        mode: Mode = "changes",
        unattended: bool = False,
    ) -> tuple[list[Compared], str]:
        """The syncs that the warehouse compares; see ``Planner.compared``."""
        return self.planner.compared(
            scheduled, syncs, as_of, whole_ids=self.whole_ids, unattended=unattended, mode=mode
        )

    def whole_ids(self, of: Subject) -> bool:
        """Whether the ids of users, or of accounts, are whole numbers in the source."""
        members = self.reader.source.users if of == "user" else self.reader.source.accounts
        return members is not None and members.id.type == "integer"

    def _compared(
        self, definition: Definition, compared: Sequence[Compared], as_of: dt.datetime, carry: frozenset[str]
    ) -> Found | str:
        """Who is not surely wanted as acknowledged; or why that cannot be told there."""
        self.reader.check_sql([definition], as_of)
        registry = {**self.reader.definitions(), definition.key: definition}
        forgotten = bool(self.store.forgotten().marks)
        answers: dict[Subject, Answer] = {}
        queries: list[Query] = []
        for of in sorted({of_whom(each.sync, definition.subject) for each in compared}):
            own = [each for each in compared if of_whom(each.sync, definition.subject) == of]
            columns = sorted(carry - {"account_id"} if of != definition.subject else carry) if of == "user" else []
            kept = self._kept(own, of, forgotten=forgotten and of == "user")
            query = compile_differing(definition, self.reader.source, registry, kept, of=of, carry=columns)
            kind = query.value_type
            if kind not in COMPARED or (kind, self.reader.warehouse.dialect) == ("decimal", "postgres"):
                return f"values of type {kind} are compared here"
            frame = self.reader.ask(query, as_of, definition.key)
            answer = answered(frame, own, _columns(definition.subject, of, columns, valued=kind is not None), kind)
            if answer is None:
                return "ids or values arrive in other types than they are kept in"
            answers[of] = answer
            queries.append(query)
        meaning = meaning_of(definition, registry).to_text()
        return _found(definition, meaning, queries[0], answers, as_of, self.reader.now(), carry)

    def _kept(self, compared: Sequence[Compared], of: Subject, *, forgotten: bool) -> Kept:
        """Where what is acknowledged lies."""
        place = self.store.place
        known = [
            Known(
                base=place(each.outline.chain[0].file),
                changes=tuple(place(part.file) for part in each.outline.chain[1:]),
                unknown=each.sync.id if each.outline.state.unknown.height else "",
            )
            for each in compared
        ]
        marks = (place("forgotten"), place("meta")) if forgotten else None
        return Kept(known, place("unknown_member"), marks, self.whole_ids(of))


def _columns(subject: Subject, of: Subject, carry: Sequence[str], *, valued: bool) -> dict[str, str]:
    """The columns of members by their names, as the answer calls them."""
    names = [f"{of}_id", *(["account_id"] if of != subject else []), *(["value"] if valued else [])]
    return {name: name for name in names} | {name: f"user_{at}" for at, name in enumerate(carry)}


def _found(
    definition: Definition,
    meaning: str,
    query: Query,
    answers: dict[Subject, Answer],
    as_of: dt.datetime,
    at: dt.datetime,
    carry: frozenset[str],
) -> Found:
    """The answers as the members of a definition."""
    members = members_of(answers, definition.subject, zero_is_empty=query.zero_is_empty)
    states = {name: state for answer in answers.values() for name, state in answer.states.items()}
    came = sum(answer.moved.bytes for answer in answers.values())
    stayed = sum(answer.moved.stayed for answer in answers.values())
    moved = Moved(came, stayed)
    return Found(query.fingerprint, meaning, members, as_of, at, carry, states=states, moved=moved)
