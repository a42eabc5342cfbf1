"""What a definition reads: every property and trait in it, with the comparison it stands in and whose it is.

The tree as the person wrote it: what a definition refers to is that definition's own, and ``referred`` finds it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from personas_kit.definitions.definition import AccountAudience, Audience, Definition, Subject
from personas_kit.definitions.expressions import Compare, Expression, OfUsers, PropertyRef, TraitRef, parts_of, walk
from personas_kit.definitions.streams import Events, Reduced, Reducer, Users


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One place where a definition reads something.

    Attributes:
        value: a property or a trait.
        part: the nearest comparison around it; in a trait that compares nothing, the value itself.
        events: whose property it is; None for a trait.
        subject: whose trait it is.
        reducer: what makes one value of it; None where it is read as it is.
    """

    value: PropertyRef | TraitRef
    part: Expression
    events: Events | None
    subject: Subject
    reducer: Reducer | None

    @property
    def compare(self) -> Compare | None:
        """The comparison, if there is one."""
        return self.part if isinstance(self.part, Compare) else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: inside which events, about whom, in which comparison."""

    subject: Subject
    around: tuple[Events, ...] = ()
    part: Expression | None = None
    reducer: Reducer | None = None


def roots_of(definition: Definition) -> list[tuple[Expression, Subject]]:
    """The expressions that a definition is made of, and about whom each is."""
    if not isinstance(definition, Audience | AccountAudience):
        return [(definition.expression, definition.subject)]
    found: list[tuple[Expression, Subject]] = [(definition.where, definition.subject)]
    if definition.unless is not None:
        found.append((definition.unless, definition.subject))
    if isinstance(definition, AccountAudience) and definition.unless_user is not None:
        found.append((definition.unless_user, "user"))
    return found


def referred(definitions: Iterable[Definition], registry: Mapping[str, Definition]) -> dict[str, Definition]:
    """By key these definitions, and all that they refer to, directly or not: the nearest first."""
    seen, left = dict[str, Definition](), deque(definitions)
    while left:
        one = left.popleft()
        if one.key not in seen:
            seen[one.key] = one
            nodes = (node for root, _ in roots_of(one) for node in walk(root))
            left += [registry[node.key] for node in nodes if isinstance(node, TraitRef) and node.key in registry]
    return seen


def uses_of(definition: Definition) -> Iterator[Use]:
    """Every property and trait, from left to right."""
    for root, subject in roots_of(definition):
        yield from _uses(root, _Place(subject))


def events_of(definition: Definition) -> Iterator[Events]:
    """Every stream of events, those that follow others included."""
    for root, _ in roots_of(definition):
        yield from (node for node in walk(root) if isinstance(node, Events))


def _uses(node: Expression, place: _Place) -> Iterator[Use]:
    match node:
        case PropertyRef():
            around = place.around[: -1 if node.parent else None]
            if around:  # else it stands outside an event, which does not compile
                yield Use(node, _part(node, place), around[-1], "user", place.reducer)
        case TraitRef():
            whose: Subject = "account" if node.of == "account" else place.subject
            yield Use(node, _part(node, place), None, whose, place.reducer)
        case Reduced(stream, reducer, of):
            here = replace(place, subject="user", part=_part(node, place))
            yield from _uses(stream, here)
            inside = (*place.around, stream) if isinstance(stream, Events) else place.around
            if of is not None:
                yield from _uses(of, replace(here, around=inside, reducer=reducer))
        case Events(condition=condition):
            if condition is not None:
                yield from _uses(condition, replace(place, subject="user", around=(*place.around, node)))
        case Compare():
            yield from _below(node, replace(place, part=node, reducer=None))
        case OfUsers() | Users():
            yield from _below(node, replace(place, subject="user"))
        case _:
            yield from _below(node, place)


def _part(node: Expression, place: _Place) -> Expression:
    return node if place.part is None else place.part


def _below(node: Expression, place: _Place) -> Iterator[Use]:
    for part in parts_of(node):
        yield from _uses(part, place)
