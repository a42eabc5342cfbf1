"""Values of the same events are computed together; an event counts once by its id, however often it stands there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from personas_kit.compiler import compile_several
from personas_kit.compiler.together import APART, MANY, MOST
from personas_kit.definitions.definition import AccountTrait, Definition, Trait
from personas_kit.definitions.vocabulary import event, prop
from tests.compiler.conftest import AS_OF, World

COUNTS = [event(name).within(days=days).count() for name in ("Paid", "Seen", *"ABCDE") for days in (1, 7, 30)]
TRAITS = [Trait(f"T{at}", each) for at, each in enumerate(COUNTS)]
EVENTS = (
    "'Paid', 'u1', '2026-03-31', 'a'",
    "'Paid', 'u1', '2026-03-31', 'a'",  # delivered again
    "'Paid', 'u1', '2026-03-10', 'a'",  # under the same id, at another time
    "'Paid', 'u1', '2026-03-30 13:00', 'b'",
    "'Seen', 'u1', '2026-03-31', 'a'",  # under the same id, something else
    "'Paid', 'u2', '2026-03-31', 'a'",  # and of somebody else
    "'Paid', 'u2', '2026-03-31', NULL",  # of no id: it does not count
)


def asked(world: World, definitions: Sequence[Definition], subject: str = "user") -> dict[str, dict[str, Any]]:
    """The values of traits in one statement, by key and id."""
    several = compile_several(definitions, world.source, {})
    found = world.handle.execute(*several.query.bound("duckdb", AS_OF))
    names = [column[0] for column in found.description]
    lines = [dict(zip(names, line, strict=True)) for line in found.fetchall()]
    return {of.key: {line[f"{subject}_id"]: line[of.column] for line in lines} for of in several.asked}


def parts(world: World, definitions: Sequence[Definition]) -> list[str]:
    return [part.alias for part in compile_several(definitions, world.source, {}).query.tree.ctes]


def test_an_event_counts_once_by_its_id(world: World) -> None:
    world.users("u1", "u2", "u3")
    world.events(*EVENTS)

    found = asked(world, TRAITS)

    assert [found[f"t{at}"]["u1"] for at in range(5)] == [2, 2, 2, 1, 1]
    assert [found[f"t{at}"]["u2"] for at in range(5)] == [1, 1, 1, 0, 0]
    assert {found[of.key]["u3"] for of in TRAITS} == {0}


def test_an_event_counts_once_for_each_account_of_its_user(world: World) -> None:
    world.users("u1", "u2")
    world.accounts("a1 a1 a2", "u1:a1 u1:a2 u2:a2 u2:a2")  # the tables may hold one twice
    world.events(*EVENTS)

    found = asked(world, [AccountTrait(of.name, of.value) for of in TRAITS], "account")

    assert [found[f"t{at}"]["a1"] for at in range(5)] == [2, 2, 2, 1, 1]
    assert [found[f"t{at}"]["a2"] for at in range(5)] == [2, 2, 2, 1, 1]  # the same id, of either user


def test_whatever_needs_no_order_is_one_part_of_many_values(world: World) -> None:
    world.users("u1")
    world.events(*EVENTS)
    paid = event("Paid").where(prop("amount") > 1)
    others = [Trait("Sum", paid.sum("amount")), Trait("Least", paid.min("amount")), Trait("Last", paid.last("colour"))]

    assert parts(world, [*TRAITS, *others])[-4:] == ["events_1_repeated", "events_1_beyond", "events_1", "last_1"]


@pytest.mark.parametrize("subject", ["user", "account"])
def test_a_name_with_many_values_has_a_part_of_its_own(world: World, subject: str) -> None:
    world.users("u1", "u2", "u3")
    world.accounts("a1 a1 a2", "u1:a1 u1:a2 u2:a2 u2:a2")
    world.events(*EVENTS)
    paid = [event("Paid").within(hours=12 * at + 12) for at in range(APART)]
    values = [*(each.count() for each in paid), *(each.max("at") for each in paid), *COUNTS]
    kind = Trait if subject == "user" else AccountTrait
    traits = [kind(f"T{at}", each) for at, each in enumerate(values)]

    found = asked(world, traits, subject)

    assert {name for name in parts(world, traits) if name.startswith("events_")} - {"events_read"} == {
        *("events_1_repeated", "events_1_beyond", "events_1"),  # those of payments
        *("events_2_repeated", "events_2_beyond", "events_2"),  # those of any other name
    }
    text = compile_several(traits, world.source, {}).query.sql("duckdb", AS_OF)
    own = text[text.index("events_1 AS (") : text.index("events_2_repeated AS (")]
    assert own.count("event = 'Paid'") == 1  # not again for each value
    for each in traits:
        alone = asked(world, [each], subject)[each.key]
        there = {member: value for member, value in found[each.key].items() if value is not None}
        assert there == alone


def test_few_values_are_parts_of_their_own(world: World) -> None:
    world.users("u1")
    world.events(*EVENTS)

    assert [name for name in parts(world, TRAITS[: MANY - 1]) if name.startswith("events_1")] == []
    assert len([name for name in parts(world, TRAITS[: MANY - 1]) if name.startswith("count_")]) == MANY - 1


def test_a_part_has_so_many_values_at_most(world: World) -> None:
    """A warehouse keeps all of them for everybody while it groups."""
    world.users("u1")
    world.events(*EVENTS)
    asked = [Trait(f"T{at}", event("Paid").within(hours=at + 1).count()) for at in range(MOST + 2)]

    assert {"events_1", "events_2"} <= set(parts(world, asked))


@pytest.mark.parametrize("window", [True, False])
def test_no_more_is_read_than_the_widest_window(world: World, *, window: bool) -> None:
    world.users("u1")
    world.events(*EVENTS)
    asked = TRAITS if window else [*TRAITS, Trait("Ever", event("Paid").count())]

    text = compile_several(asked, world.source, {}).query.sql("duckdb", AS_OF)

    (read,) = [part for part in text.split("), ") if part.startswith("events_1_repeated")]
    assert ("INTERVAL '30' DAY" in read) == window
