"""Which of the worlds of a question can tell a cause, once it is known which of them are the same.

A change is due because what is wanted is not what was acknowledged. So a world that is the present one cannot give what
was acknowledged, and tells nothing by that. Where nothing that remains could tell anything, nobody has to be asked.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from personas_kit.activation.causes import Case, Question, Role

_BY_THEMSELVES: Final[tuple[Role, ...]] = ("edited", "upstream", "as it was", "unsuppressed", "moved")
_BESIDE_THEN: Final[tuple[Role, ...]] = ("quiet", "then unsuppressed")


def reduced(question: Question, cases: Sequence[Case], alike: Sequence[int]) -> Question:
    """The same question with each world once, and without worlds that tell nothing: the causes are the same.

    Args:
        question: what to ask.
        cases: about which.
        alike: for each world the first one that says the same.
    """
    roles = tuple(
        telling({role: alike[position] for role, position in roles.items()}, case)
        for roles, case in zip(question.roles, cases, strict=True)
    )
    kept = sorted({0, *(position for each in roles for position in each.values())})
    lists = {alike[position] for position, world in enumerate(question.worlds) if not world.aside}
    return replace(
        question,
        worlds=tuple(replace(question.worlds[position], aside=position not in lists) for position in kept),
        roles=tuple({role: kept.index(position) for role, position in each.items()} for each in roles),
    )


def telling(roles: Mapping[Role, int], case: Case) -> Mapping[Role, int]:
    """The roles that can tell the cause of a change, by the rules of ``judging``.

    Args:
        roles: which world is what; the same number is the same world, and 0 is the present one.
        case: the sync. Of a value that says nothing, and was acknowledged, a change says nothing, either.
    """
    if case.empty is not None or "kept out" in roles:  # who is kept out is answered for those whom other worlds list
        return roles
    told = {role for role in _BY_THEMSELVES if roles.get(role)}
    if "moved" in told:
        told.add("accounts then")
    then = roles.get("then", 0)
    beside = {role for role in _BESIDE_THEN if roles.get(role, then) != then}
    if then and beside:
        told |= {"then", *beside}
    return {role: position for role, position in roles.items() if role in told}
