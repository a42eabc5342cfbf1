"""Several worlds in one statement say of each what it says alone, and list only what differs."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from personas_kit.compiler import Query, Source, bind, compile_definition
from personas_kit.compiler.claims import Claims
from personas_kit.compiler.counterfactual import World, compile_worlds
from personas_kit.definitions import event, trait
from personas_kit.definitions.definition import (
    AccountAudience,
    AccountTrait,
    Audience,
    Definition,
    SqlAudience,
    Trait,
)
from personas_kit.definitions.expressions import Condition
from personas_kit.definitions.streams import Reduced
from tests import corpus
from tests.compiler import conftest
from tests.compiler.by_hand import Facts
from tests.compiler.conftest import schema_of
from tests.compiler.test_by_hand import (
    AS_OF,
    REGISTRY,
    SETTINGS,
    _load,
    facts,
    of_accounts,
    of_members,
    of_users,
    values,
)
from tests.compiler.test_history import LAYOUTS, on_duckdb, on_postgres

NOW = AS_OF.replace(tzinfo=dt.UTC)
HOUR, DAY = 3_600, 86_400
PHASES = [phase for phase in Phase if phase not in {Phase.explain, Phase.shrink}]
CASES = settings().max_examples
Lines = list[tuple[Any, ...]]
Asked = Callable[[Query, dt.datetime], Lines]

spans = st.sampled_from([1, HOUR - 1, HOUR, HOUR + 1, DAY, 2 * DAY])

# ----------------------------------------------------------------------------------------- together, and each of them


def quiet(of: Facts, seconds: int) -> Facts:
    """The same without what began in the last so many seconds."""
    until = AS_OF - dt.timedelta(seconds=seconds)

    def begun(since: dt.datetime | None) -> bool:
        return since is None or since <= until

    return replace(
        of,
        users=tuple(each for each in of.users if begun(each.since)),
        accounts=tuple(each for each in of.accounts if begun(each.since)),
        memberships=tuple(each for each in of.memberships if begun(each.valid_from)),
        claims=tuple(each for each in of.claims if begun(each.since)),
        events=tuple(each for each in of.events if each.at <= until),
    )


def together(found: Lines, query: Query, ids: Sequence[str], prefix: str) -> dict[tuple[Any, ...], list[Any]]:
    """Of the lines of a kind: by id, what each world says."""
    at = [query.columns.index(name) for name in ids]
    says = [position for position, name in enumerate(query.columns) if name[0] == prefix and name[1:].isdecimal()]
    lines = {tuple(line[each] for each in at): [line[each] or None for each in says] for line in found}
    lines.pop((None,) * len(ids), None)
    return lines


def apart(alone: Sequence[Lines], ids: int) -> dict[tuple[Any, ...], list[Any]]:
    """The same of worlds that were asked one after the other: by id, True or the value."""
    says = [{line[:ids]: (line[ids:] or (True,))[0] for line in lines} for lines in alone]
    every = {who for one in says for who in one}
    lines = {who: [one.get(who) for one in says] for who in every}
    return {who: said for who, said in lines.items() if any(repr(each) != repr(said[0]) for each in said)}


def check(asked: Asked, worlds: Sequence[World], source: Source, still: dict[int, Asked], now: dt.datetime) -> None:
    """What the statement of all worlds lists is what they say one by one, as far as that differs."""
    expand = worlds[0].definition.subject == "account" and source.memberships is not None
    query = compile_worlds(worlds, source, expand=expand)
    found = asked(query, now)

    def alone(world: World, *, users: bool) -> Lines:
        definition = compile_definition(world.definition, source, world.registry, expand=users)
        return still.get(world.quiet, asked)(definition, now - dt.timedelta(seconds=world.ago))

    kinds = [False, *([True] if expand else [])]
    for users in kinds:
        name = f"{worlds[0].definition.subject}_id"
        ids = ["member_user_id", "member_account_id"] if users else [name]
        own = [world for world in worlds if not users or world.members_ago is None]
        lines = together(found, query, ids, "p" if users else "w")
        if users:  # only those that can be asked alone
            kept = [position for position, world in enumerate(worlds) if world.members_ago is None]
            lines = {who: [said[each] for each in kept] for who, said in lines.items()}
            lines = {who: said for who, said in lines.items() if any(each != said[0] for each in said)}
        expected = {
            who: [each or None for each in said]
            for who, said in apart([alone(world, users=users) for world in own], len(ids)).items()
        }
        assert {who: list(map(repr, said)) for who, said in lines.items() if any(map(bool, said))} == {
            who: list(map(repr, said)) for who, said in expected.items() if any(map(bool, said))
        }


def courses(definition: Definition, other: Definition, span: int) -> list[World]:
    """The present, an earlier instant, a quiet time since, the other definition, and its accounts with earlier users."""
    now = World(definition, REGISTRY)
    made = [now, replace(now, ago=span), replace(now, quiet=span), World(other, REGISTRY), World(other, {}, ago=span)]
    if definition.subject == "account":
        made += [replace(now, members_ago=span), replace(now, ago=span, members_ago=0)]
    return [each for each in made if each.registry or not _refers(other)]


def _refers(definition: Definition) -> bool:
    return any(f"'{key}'" in str(definition.expression) for key in REGISTRY)


@pytest.mark.timeout(900)
@settings(max_examples=CASES, phases=PHASES)
@given(facts(), of_users, of_users, of_accounts, of_members, values, spans, st.sampled_from(["all", *LAYOUTS]))
def test_every_world_says_what_it_says_alone(
    facts: Facts,
    users: Condition,
    others: Condition,
    accounts: Condition,
    kept_out: Condition,
    values: list[Reduced],
    span: int,
    layout: str,
) -> None:
    with duckdb.connect() as handle, duckdb.connect() as still:
        _load(handle, facts)
        _load(still, events_until(facts, span) if layout == "no times" else quiet(facts, span))
        source = bind(LAYOUTS[layout], schema_of(handle))
        asked = functools.partial(on_duckdb, handle)
        of_account, *of_user = values
        pairs: list[tuple[Definition, Definition]] = [
            (Audience("A", users), Audience("A", others)),
            (AccountAudience("A", accounts, unless_user=kept_out), AccountAudience("A", ~accounts)),
            (AccountTrait("T", of_account), AccountTrait("T", event("Paid").count())),
            *((Trait("T", each), Trait("T", event("Seen").last("colour"))) for each in of_user),
        ]
        for definition, other in pairs:
            check(asked, courses(definition, other, span), source, {span: functools.partial(on_duckdb, still)}, NOW)


def events_until(of: Facts, seconds: int) -> Facts:
    """Where nothing else says since when it is so, only events have begun."""
    return replace(of, events=tuple(each for each in of.events if each.at <= AS_OF - dt.timedelta(seconds=seconds)))
