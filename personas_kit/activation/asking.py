"""What is said to a destination beside changes: is the field there, are the credentials right, make a list.

Each is asked once. What cannot be found out now is no reason to stop a plan; a push asks again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from personas_kit.activation.transport import NoAnswerError, NotAllowedError, NotConnectedError, Transport, result_of
from personas_kit.destinations.base import Asking, Call, Connection, FieldNeeded, FieldType, Unanswered
from personas_kit.destinations.catalogue import entry_of_module
from personas_kit.errors import DestinationError

Connect = Callable[[Connection], Transport]

_REACH = "check whether it can be reached from here, and its url if it has one"


@dataclass(frozen=True, slots=True)
class FieldStage:
    """A field that has to be there before the values of a sync are sent.

    Attributes:
        needed: what is needed.
        handle: what the destination calls it; empty if it is not there.
        made: this push would make it.
        how: what a person does where no program can.
        unasked: why nobody knows yet whether it is there.
    """

    needed: FieldNeeded
    handle: str = ""
    made: bool = False
    how: str = ""
    unasked: str = ""

    @property
    def stops(self) -> bool:
        """It is not there, and no program can make it."""
        return bool(self.how) and not self.made

    def words(self) -> str:
        """For people; empty where there is nothing to do."""
        if self.handle:
            return ""
        if self.unasked:
            return f"whether the field {self.needed.key!r} is there is not known yet ({self.unasked})"
        return self.how

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {"key": self.needed.key, "there": bool(self.handle), "made": self.made, "how": self.words()}


def field_needed(connection: Connection, call: Call, key: str, name: str, kind: FieldType) -> FieldNeeded | None:
    """The field that a call needs; None where the destination takes any."""
    api = connection.destination.fields
    if call not in (api.calls if api is not None else ("identify",)) or (api is None and not _fields_first(connection)):
        return None
    return FieldNeeded(connection.destination.keys.name(key), name, kind, call)


def _fields_first(connection: Connection) -> bool:
    """By the catalogue, a field has to be there first, and there is no way to ask for it."""
    if connection.through is not None:
        return connection.through.fields_first
    entry = entry_of_module(connection.destination.slug)
    return entry is not None and entry.fields_first == "yes"


def field_stage(connection: Connection, needed: FieldNeeded, connect: Connect) -> FieldStage:
    """Whether a field is there, and if not, what makes it."""
    api = connection.destination.fields
    if api is None:
        way = " through a gateway" if connection.through is not None else " there"
        return FieldStage(needed, unasked=f"nobody can ask{way}: make it before you push")
    try:
        handle = _asked(connection, api.find(connection, needed), connect)
    except DestinationError as problem:
        return FieldStage(needed, unasked=problem.what)
    if handle is not None:
        return FieldStage(needed, handle)
    of = f"the field {needed.key!r}, of type {api.types[needed.type]!r}"
    if api.create is not None:
        how = f"before the first change the push creates {of}, at {connection.title}"
        return FieldStage(needed, made=True, how=how)
    return FieldStage(needed, how=f"make {of}, at {connection.title}: {api.where}; then plan again")


def make_field(connection: Connection, stage: FieldStage, connect: Connect) -> str:
    """What the destination calls the field, which is made if the plan says so.

    Raises:
        DestinationError: it is not there, and cannot be made.
    """
    api = connection.destination.fields
    if stage.handle or api is None:
        return stage.handle
    handle = None if stage.made else _asked(connection, api.find(connection, stage.needed), connect)
    if handle is None and stage.made and api.create is not None:
        handle = _asked(connection, api.create(connection, stage.needed), connect)
    if handle is None:
        raise DestinationError(
            f"the field {stage.needed.key!r} is not there, and was not made",
            where=connection.name,
            hint=f"make it by hand: {api.where}; then plan again",
        )
    return handle


def make_list(connection: Connection, name: str, about: str, connect: Connect) -> str:
    """The id of a new list.

    Raises:
        DestinationError: the destination makes none, or has not said its id.
    """
    api = connection.destination.lists
    if api is None:
        raise DestinationError(
            f"{connection.title} makes no lists for programs", hint="make one there, and name its id"
        )
    made = _asked(connection, api.create(connection, name, about), connect)
    if made is None:
        raise DestinationError("no list was made", where=connection.name)
    return made


def proved(connection: Connection, connect: Connect) -> bool:
    """Ask whether the credentials are right. False where there is no call that says so and changes nothing.

    Raises:
        DestinationError: they are not, or nobody answers.
    """
    request, probe = connection.probe(), connection.destination.probe
    if request is None or probe is None:
        return False

    def asking() -> Asking:
        answer = yield request
        if not answer.is_success:
            raise Unanswered(answer)
        return probe.says(answer)

    problem = _asked(connection, asking(), connect)
    if problem:
        raise DestinationError(problem, where=connection.name)
    return True


def _asked(connection: Connection, asking: Asking, connect: Connect) -> str | None:
    """What comes of a few requests.

    Raises:
        DestinationError: there is no answer, or one that says neither yes nor no.
    """
    with contextlib.closing(connect(connection)) as transport:
        try:
            return result_of(asking, transport)
        except Unanswered as unclear:
            why = connection.destination.outcomes.of(unclear.answer, 1).reason
            raise DestinationError(why or f"status {unclear.answer.status}", where=connection.name) from None
        except NotAllowedError as problem:
            raise DestinationError(problem.reason, where=connection.name) from None
        except NotConnectedError as problem:
            raise DestinationError(problem.reason, where=connection.name, hint=_REACH) from None
        except NoAnswerError:
            raise DestinationError("no answer", where=connection.name, hint=_REACH) from None
