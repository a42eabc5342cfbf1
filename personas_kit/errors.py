"""Every error of the kit, in one tree. Each says what is wrong, where, and what to do.

::

    PersonasError
    ├── DefinitionError          a definition cannot mean anything: types, places, cycles
    │   ├── SyntaxProblem        text of the query language cannot be read; points at the character
    │   └── UnknownName          an event, property, trait, table, audience ... that does not exist
    ├── ConfigError              personas.toml: the file, the key, the hint
    ├── WarehouseError           the warehouse is locked, missing or refuses
    ├── DestinationError         a destination cannot take what is asked, or is set up wrongly
    ├── StateError               the state store is damaged or was written by a newer version
    │   └── SyncBusy             somebody else is pushing the same sync
    ├── PlanError                a plan cannot be pushed
    │   ├── PlanBlocked          a guard fired; carries the exact override
    │   └── PlanStale            the acknowledged state moved on since the plan was made
    └── RunError                 a part of a run failed
        ├── RunElsewhere         another run has some of its syncs, and all is well with the others
        ├── RunRejected          all of it is finished, and some changes were refused
        └── RunUnfinished        it was interrupted, or something is unknown: run again

No error carries the body of an answer, a secret, or an address with a query string.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")

FEW = 12
"""So many names are listed where none is like the one that was written."""


class PersonasError(Exception):
    """The root: catch it to catch everything the kit raises on purpose.

    Attributes:
        what: one sentence on what is wrong.
        where: the definition, file and key, or sync it is about; empty if there is none.
        hint: what to do or write instead; empty if there is nothing to say.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """The sentence, then the place and the hint on lines of their own."""
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.hint:
            lines.append(f"  hint:  {self.hint}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, str]:
        """As plain data: ``what``, ``where`` and ``hint``."""
        return {"what": self.what, "where": self.where, "hint": self.hint}

    def at(self, where: str) -> PersonasError:
        """The same error with its place, unless it already has one. For the layer that knows the place."""
        if not self.where:
            self.where = where
        return self


class DefinitionError(PersonasError):
    """A definition that cannot mean anything: wrong types, wrong place, a cycle.

    Attributes:
        definition: the name of the definition that it is in, once that is known; ``where`` then shows the part.
    """

    definition: str = ""


class SyntaxProblem(DefinitionError):
    """Text of the query language that cannot be read.

    ``where`` holds the line with a caret under the character.
    """


class UnknownName(DefinitionError):
    """A name that does not exist, with the nearest ones that do; with all, if none is near and they are few."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        self.kind = kind
        self.name = name
        every = sorted(set(known))
        self.near = nearest(name, every)
        hint = f"did you mean {_either(self.near)}?" if self.near else ""
        if not hint and 0 < len(every) <= FEW:
            hint = f"known: {', '.join(every)}"
        super().__init__(f"there is no {kind} {name!r}", where=where, hint=hint)


class ConfigError(PersonasError):
    """Something in ``personas.toml`` is missing, misspelt or not allowed."""


class WarehouseError(PersonasError):
    """The warehouse is locked, missing, or refused a statement."""


class DestinationError(PersonasError):
    """A destination cannot take what is asked of it, or is set up wrongly."""


class StateError(PersonasError):
    """The state store is damaged, not writable, or was written by a newer version."""


class SyncBusy(StateError):
    """Another process or notebook is pushing the same sync."""


class PlanError(PersonasError):
    """A plan cannot be pushed."""


class PlanBlocked(PlanError):
    """One or more guards fired. ``guards`` holds their names, for ``plan.push(override=[...])``."""

    def __init__(self, what: str, *, guards: Sequence[str], where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.guards = tuple(guards)


class PlanStale(PlanError):
    """What the destination acknowledged, or the definition, changed since the plan was made."""


class RunError(PersonasError):
    """A part of a run failed; the others went on. ``RunReport.check`` raises it."""


class RunRejected(RunError):
    """A run is finished, and some changes were refused; they are due again."""


class RunElsewhere(RunError):
    """Another run has some of its syncs, and all is well with the others: the next run looks again."""


class RunUnfinished(RunError):
    """A run was interrupted, or something is unknown or only accepted: run again."""


def short_traceback(call: Callable[P, R]) -> Callable[P, R]:
    """Raise the kit's own errors, and interrupts, from here.

    They tell a person all there is to say. The frames below hold members, values and payloads, and a notebook's
    verbose tracebacks, like many collectors of errors, show what frames hold.
    """

    @functools.wraps(call)
    def outermost(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except (PersonasError, KeyboardInterrupt) as problem:
            said = problem
        said.__traceback__ = said.__context__ = said.__cause__ = None
        try:
            raise said
        finally:
            del said  # it refers to this frame, and this frame to it

    return outermost


def short_tracebacks(cls: type[C]) -> type[C]:
    """The same for every public method and property of a class."""
    for name, member in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, property) and member.fget is not None:
            setattr(cls, name, property(short_traceback(member.fget), member.fset, member.fdel, member.__doc__))
        elif callable(member) and not isinstance(member, type):
            setattr(cls, name, short_traceback(member))
    return cls


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names most like ``name``, best first; case does not count. At most ``limit``."""
    by_folded = {candidate.casefold(): candidate for candidate in sorted(known, reverse=True)}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=limit, cutoff=0.55)
    return [by_folded[folded] for folded in close]


def _either(names: Sequence[str]) -> str:
    """``'a', 'b' or 'c'``."""
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
