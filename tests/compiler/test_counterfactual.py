"""Several worlds in one statement say of each what it says alone, and list only what differs."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from personas_kit.compiler import Query, Source, bind, compile_definition
from personas_kit.compiler.claims import CLAIM, Claims
from personas_kit.compiler.counterfactual import World, alike, compile_worlds
from personas_kit.compiler.settings import EventSettings, IdentitySettings, UserSettings
from personas_kit.definitions import event, in_audience, trait, users
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
from tests.postgres_server.server import Server

NOW = AS_OF.replace(tzinfo=dt.UTC)
HOUR, DAY = 3_600, 86_400
PHASES = [phase for phase in Phase if phase is not Phase.explain]
CASES = max(8, settings().max_examples // 12)
EVERYBODY = AccountAudience("Everybody", users().count() >= 0)
Lines = list[tuple[Any, ...]]
Asked = Callable[[Query, dt.datetime], Lines]

spans = st.sampled_from([1, HOUR - 1, HOUR, HOUR + 1, DAY, 2 * DAY])
layouts = st.sampled_from(["all", *LAYOUTS])

# ----------------------------------------------------------------------------------------- together, and each of them


def quiet(of: Facts, seconds: int, layout: str = "all") -> Facts:
    """The same without what began in the last so many seconds, as far as the source says since when it is so."""
    until = AS_OF - dt.timedelta(seconds=seconds)
    events = tuple(each for each in of.events if each.at <= until)
    if layout == "no times":
        return replace(of, events=events)

    def begun(since: dt.datetime | None) -> bool:
        return since is None or since <= until

    return replace(
        of,
        users=tuple(each for each in of.users if begun(each.since)),
        accounts=tuple(each for each in of.accounts if begun(each.since)),
        memberships=tuple(each for each in of.memberships if begun(each.valid_from)),
        claims=tuple(each for each in of.claims if begun(each.since)),
        events=events,
    )


@dataclass(frozen=True)
class Alone:
    """Asks one world after the other.

    Attributes:
        asked: the warehouse.
        still: the same as if nothing had begun lately.
    """

    source: Source
    asked: Asked
    still: Asked

    def subjects(self, world: World, *, expand: bool = False) -> Lines:
        """Its lines: an id, or two if accounts are expanded, and the value of a trait."""
        definition = compile_definition(world.definition, self.source, world.registry, expand=expand)
        asked = self.still if world.quiet else self.asked
        return asked(definition, NOW - dt.timedelta(seconds=world.ago))

    def users(self, world: World) -> Lines:
        """The users of its accounts."""
        if world.members_ago is None:
            return self.subjects(world, expand=True)
        everybody = compile_definition(EVERYBODY, self.source, {}, expand=True)
        pairs = self.asked(everybody, NOW - dt.timedelta(seconds=world.members_ago))
        accounts = {account: value for account, *value in self.subjects(world)}
        return [(user, account, *accounts[account]) for user, account in pairs if account in accounts]


def differing(alone: Sequence[Lines], worlds: Sequence[World], ids: int) -> dict[tuple[Any, ...], list[str]]:
    """By id what each world says, where one says something else than the first."""
    says = [{line[:ids]: (line[ids:] or (True,))[0] for line in lines} for lines in alone]
    every = {who: [one.get(who) for one in says] for one in says for who in one}
    lists = [position for position, world in enumerate(worlds) if not world.aside]
    return {
        who: list(map(repr, said))
        for who, said in every.items()
        if any(repr(said[position]) != repr(said[0]) for position in lists)
    }


def listed(found: Lines, query: Query, ids: Sequence[str], prefix: str) -> dict[tuple[Any, ...], list[str]]:
    """The same of the lines of one kind."""
    at = [query.columns.index(name) for name in ids]
    says = [at for at, name in enumerate(query.columns) if name[0] == prefix and name[1:].isdecimal()]
    lines = {tuple(line[each] for each in at): [line[each] for each in says] for line in found}
    lines.pop((None,) * len(ids), None)
    return {who: [repr(None if each is False else each) for each in said] for who, said in lines.items()}


def check(worlds: Sequence[World], alone: Alone) -> None:
    """What the statement of all worlds lists is what they say one by one, as far as that differs."""
    subject = worlds[0].definition.subject
    query = compile_worlds(worlds, alone.source, expand=subject == "account")
    found = alone.asked(query, NOW)
    every = [alone.subjects(world) for world in worlds]
    own = differing(every, worlds, 1)
    assert _same(listed(found, query, [f"{subject}_id"], "w"), own)
    if subject == "account":
        every_user = [alone.users(world) for world in worlds]
        users = differing(every_user, worlds, 2)
        assert _same(listed(found, query, ["member_user_id", "member_account_id"], "p"), users)
        assert [_sorted(every_user[first]) for first in alike(worlds, alone.source, expand=True)] == [
            *map(_sorted, every_user)
        ]
    assert [_sorted(every[first]) for first in alike(worlds, alone.source)] == [*map(_sorted, every)]


def _sorted(lines: Lines) -> list[str]:
    return sorted(map(repr, lines))


def _same(found: dict[tuple[Any, ...], list[str]], expected: dict[tuple[Any, ...], list[str]]) -> bool:
    """Values that cannot be compared are listed where they are the same, too."""
    also = {who: said for who, said in found.items() if who not in expected}
    assert {who: said for who, said in found.items() if who in expected} == expected
    assert all(len({*said}) == 1 and said[0].startswith("(") for said in also.values())
    return True


def courses(definition: Definition, other: Definition, span: int) -> list[World]:
    """The present, earlier instants, a quiet time since, another definition, accounts with users of another time."""
    now, edited = World(definition, REGISTRY), World(other, REGISTRY)
    made = [now, replace(now, ago=span), replace(now, quiet=span), edited, replace(edited, ago=span)]
    if definition.subject == "account":
        made += [replace(now, members_ago=span), replace(now, ago=span, members_ago=0)]
    return [*made, replace(edited, ago=span + 1, aside=True)]


@pytest.mark.timeout(900)
@settings(max_examples=CASES, phases=PHASES)
@given(facts(), of_users, of_users, of_accounts, of_members, values, spans, layouts)
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
        _load(still, quiet(facts, span, layout))
        source = bind(LAYOUTS[layout], schema_of(handle))
        alone = Alone(source, functools.partial(on_duckdb, handle), functools.partial(on_duckdb, still))
        of_account, *of_user = values
        pairs: list[tuple[Definition, Definition]] = [
            (Audience("A", users), Audience("A", others)),
            (AccountAudience("A", accounts, unless_user=kept_out), AccountAudience("A", ~accounts)),
            (AccountTrait("T", of_account), AccountTrait("T", event("Paid").count())),
            *((Trait("T", each), Trait("T", event("Seen").last("colour"))) for each in of_user),
        ]
        for definition, other in pairs:
            check(courses(definition, other, span), alone)


@pytest.fixture(scope="module")
def elsewhere(server: Server) -> Iterator[Any]:
    """One connection for all the worlds, in a schema of their own: each is rolled back."""
    import psycopg

    with psycopg.connect(server.url, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute("CREATE SCHEMA otherwise")
        connection.execute("SET search_path = otherwise")
        connection.execute("SET enable_nestloop = off; SET jit = off")  # as the adapter does
        connection.commit()
        yield connection


@pytest.mark.postgres
@settings(max_examples=CASES // 2, phases=PHASES)
@given(facts(), of_users, of_accounts, spans)
def test_postgresql_says_so_too(elsewhere: Any, facts: Facts, users: Condition, accounts: Condition, span: int) -> None:
    with duckdb.connect() as handle, duckdb.connect() as still:
        _load(handle, facts)
        _load(still, quiet(facts, span))
        source = bind(SETTINGS, schema_of(still))
        claims = compile_worlds([World(Audience("A", users), REGISTRY)], source, claims=Claims(["x", "u1"], ["u2"]))
        try:
            _load(elsewhere, facts, mark="${}")
            alone = Alone(source, functools.partial(on_postgres, elsewhere), functools.partial(on_duckdb, still))
            for definition in (Audience("A", users), AccountAudience("A", accounts)):
                check(courses(definition, definition, span), alone)
            assert sorted(on_postgres(elsewhere, claims, NOW)) == sorted(on_duckdb(handle, claims, NOW))
        finally:
            elsewhere.rollback()


# ---------------------------------------------------------------------------------------------------------- identifiers


def test_the_identifiers_of_users_are_listed_and_whether_anybody_has_them_as_id(world: conftest.World) -> None:
    world.table("users", "user_id TEXT, plan TEXT", "'anne', 'pro'", "'ben', NULL")
    world.table(
        "known_as",
        "user_id TEXT, kind TEXT, value TEXT, since TIMESTAMP",
        "'anne', 'id', 'ann', '2026-01-01'",
        "'anne', 'email', 'a@example.com', NULL",
        "'anne', 'id', 'later', '2026-03-31 12:00:01'",
        "'ben', 'id', 'ben', NULL",
        "'ben', 'email', 'anne', NULL",
        "'cat', 'id', 'cate', NULL",
    )
    world.settings["identities"] = IdentitySettings("known_as", "user_id", "value", "kind", "since")
    worlds = [World(Audience("Known", trait("plan").exists()), {})]

    query = compile_worlds(worlds, world.source, claims=Claims(values=["ann", "nobody"], users=["ben"]))
    at = [query.columns.index(name) for name in CLAIM]
    found = {tuple(line[each] for each in at) for line in on_duckdb(world.handle, query, conftest.AS_OF)}

    assert found == {
        ("ann", "anne", "id", False), ("a@example.com", "anne", "email", False),
        ("ben", "ben", "id", True), ("anne", "ben", "email", True),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "ids", "found"),
    [("TEXT", ["1", 2, "x"], {("1", "7"), ("2", "7")}), ("INTEGER", ["1", 2, "x"], {("1", "7"), ("2", "7")})],
)
def test_identifiers_may_be_numbers(world: conftest.World, kind: str, ids: list[object], found: set[Any]) -> None:
    world.table("users", "user_id INTEGER, plan TEXT", "7, 'pro'")
    world.table("known_as", f"user_id INTEGER, value {kind}", "7, '1'", "7, '2'", "8, '3'")
    world.settings["identities"] = IdentitySettings("known_as", "user_id", "value")
    worlds = [World(Audience("Known", trait("plan").exists()), {})]

    query = compile_worlds(worlds, world.source, claims=Claims(values=ids))

    at = [query.columns.index(name) for name in CLAIM]
    lines = {tuple(line[each] for each in at) for line in on_duckdb(world.handle, query, conftest.AS_OF)}
    assert lines == {(value, user, None, False) for value, user in found}


# ------------------------------------------------------------------------------------------------- what is the same


def tables(world: conftest.World, *, since: str | None = None) -> Source:
    world.table("users", "user_id TEXT, plan TEXT, renews_on TIMESTAMP, since TIMESTAMP", "'u1', 'pro', NULL, NULL")
    world.events("'Paid', 'u1', '2026-03-31'")
    world.settings["users"] = UserSettings("users", "user_id", since)
    return world.source


ALIKE: dict[str, tuple[Definition, str | None, tuple[int, ...]]] = {
    "traits": (Audience("A", trait("plan") == "pro"), None, (0, 0, 0)),
    "traits, of users of whom it is known since when they are there": (
        Audience("A", trait("plan") == "pro"),
        "since",
        (0, 1, 1),
    ),
    "a date that comes near": (Audience("A", trait("renews_on").within_next(days=7)), None, (0, 1, 0)),
    "an instant that is said": (Audience("A", trait("renews_on").before(dt.datetime(2026, 3, 31))), None, (0, 0, 0)),  # noqa: DTZ001
    "events of any time": (Audience("A", event("Paid").count() >= 1), None, (0, 1, 2)),
    "another audience, of events": (Audience("A", in_audience("payers") & trait("plan").exists()), None, (0, 1, 2)),
    "another audience, of traits": (Audience("A", in_audience("pros")), None, (0, 0, 0)),
    "a value": (Trait("T", trait("plan")), None, (0, 0, 0)),
    "SQL of one's own": (SqlAudience("A", "SELECT user_id FROM users WHERE plan = 'pro'"), None, (0, 0, 0)),
    "SQL that reads events": (SqlAudience("A", "SELECT DISTINCT user_id FROM events"), None, (0, 0, 2)),
    "SQL that asks when it is": (
        SqlAudience("A", "SELECT user_id FROM users WHERE renews_on < :as_of"),
        None,
        (0, 1, 0),
    ),
}


@pytest.mark.parametrize("name", ALIKE)
def test_the_instant_and_what_came_lately_make_no_difference_where_nothing_is_asked_of_them(
    world: conftest.World, name: str
) -> None:
    definition, since, same = ALIKE[name]
    others = [Audience("Payers", event("Paid").count() >= 1), Audience("Pros", trait("plan") == "pro")]
    now = World(definition, {each.key: each for each in others})

    assert alike([now, replace(now, ago=HOUR), replace(now, quiet=HOUR)], tables(world, since=since)) == same


@pytest.mark.parametrize(
    "other",
    [
        trait("plan") == "Pro",
        trait("plan") == "pro ",
        trait("plan") == "pro\n",
        trait("plan") != "pro",
        trait("plan").one_of("pro", ignore_case=True),
    ],
)
def test_what_is_asked_in_another_way_is_not_the_same(world: conftest.World, other: Condition) -> None:
    worlds = [World(Audience("A", condition), {}) for condition in (trait("plan") == "pro", other)]

    assert alike(worlds, tables(world)) == (0, 1)


def test_what_is_the_same_in_several_worlds_is_made_once(world: conftest.World) -> None:
    now = World(Audience("A", trait("plan") == "pro"), {})
    edited = World(Audience("A", trait("plan").exists()), {})
    worlds = [now, edited, replace(now, ago=HOUR), replace(edited, ago=HOUR), replace(now, quiet=HOUR)]

    query = compile_worlds(worlds, tables(world), carry=["renews_on"])

    assert len(query.tree.ctes) == 3  # the users, and two answers
    assert [name for name in query.columns if name[0] == "w"] == ["w0", "w1", "w2", "w3", "w4"]


# --------------------------------------------------------------------------------------------------- SQL of one's own


def test_sql_of_ones_own_knows_no_event_of_a_quiet_time(world: conftest.World) -> None:
    world.users("u1", "u2")
    world.events("'Seen', 'u1', '2026-03-30'", "'Seen', 'u2', '2026-03-31 11:30:00'", "'Paid', 'u2', '2026-01-01'")
    listed = SqlAudience(
        "Listed",
        """
        WITH until_1 AS (SELECT user_id, event FROM events WHERE "at" <= :as_of)
        SELECT DISTINCT user_id FROM until_1 WHERE event = 'Seen'
        """,
    )
    now = World(listed, {})

    query = compile_worlds([now, replace(now, ago=HOUR), replace(now, quiet=HOUR), replace(now, ago=60)], world.source)

    assert on_duckdb(world.handle, query, conftest.AS_OF) == [("u2", True, False, False, True)]


# ------------------------------------------------------------------------------------------------------ the statement


def of_corpus(name: str) -> tuple[Source, list[World], bool]:
    """A definition of the corpus, as it is and in an hour in which nothing began, and as it was."""
    layout, definition = corpus.DEFINITIONS[name]
    source = corpus.source_of(layout, upper=False)
    now = World(definition, corpus.REGISTRY)
    expand = definition.subject == "account" and source.memberships is not None
    moved = [replace(now, members_ago=HOUR), replace(now, ago=HOUR, members_ago=0)] if expand else []
    return source, [now, replace(now, ago=HOUR), replace(now, quiet=HOUR), *moved], expand


OWN = {"own_sql", "own_value", "own_table", "listed_accounts", "then_members"}


@pytest.mark.parametrize("name", [name for name in corpus.DEFINITIONS if name not in OWN])
def test_each_table_is_read_once_for_all_worlds(name: str) -> None:
    source, worlds, expand = of_corpus(name)
    query = compile_worlds(worlds, source, expand=expand)

    reads = Counter(
        tuple(part.name for part in read.parts)
        for read in query.tree.find_all(exp.Table)
        if isinstance(read.this, exp.Identifier) and read.this.quoted
    )
    assert set(reads.values()) == {1}


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "postgres", "bigquery"])
@pytest.mark.parametrize("name", corpus.DEFINITIONS)
def test_every_dialect_reads_what_is_written(name: str, dialect: str) -> None:
    source, worlds, expand = of_corpus(name)
    sql = compile_worlds(worlds, source, expand=expand).sql(dialect, NOW)

    assert isinstance(sqlglot.parse_one(sql.bound, read=dialect), exp.Select)
    assert isinstance(sqlglot.parse_one(sql, read=dialect), exp.Select)


def test_names_of_the_warehouse_may_be_those_of_the_statement(world: conftest.World) -> None:
    """Its own tables and columns are called like what is made here."""
    world.table("read_1", "user_id TEXT, w0 TIMESTAMP, w1 TEXT", "'u1', '2026-01-01', 'x'", "'u2', NULL, NULL")
    claims = "'u2', 'anonymous', '2026-03-31 11:59:00'"
    world.table("at_1_users_now", "user_id TEXT, id_value TEXT, arm TIMESTAMP", claims)
    columns = "event TEXT, anonymous TEXT, world_1 TIMESTAMP, w1 INTEGER, arm INTEGER"
    world.table("until_1", columns, "'Seen', 'anonymous', '2026-03-30', 1, 1")
    world.settings |= {
        "users": UserSettings("read_1", "user_id", "w0"),
        "identities": IdentitySettings("at_1_users_now", "user_id", "id_value", since="arm"),
        "events": EventSettings("until_1", name="event", at="world_1", anonymous="anonymous"),
    }
    now = World(Audience("A", event("Seen").sum("w1") == 1), {})

    query = compile_worlds([now, replace(now, ago=HOUR), replace(now, quiet=30)], world.source)

    assert on_duckdb(world.handle, query, conftest.AS_OF) == [("u2", True, False, True)]
