"""A definition at many instants in one statement says of each what it says of that instant alone."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from personas_kit.compiler import Query, Source, bind, compile_definition
from personas_kit.compiler.history import compile_exits, compile_history, compile_past_sizes
from personas_kit.compiler.moments import at_moments
from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    UserSettings,
)
from personas_kit.definitions import account_trait, all_users, event, in_audience, prop, top, trait, users
from personas_kit.definitions.definition import (
    AccountAudience,
    AccountTrait,
    Audience,
    Definition,
    SqlAudience,
    Trait,
)
from personas_kit.definitions.expressions import Condition
from personas_kit.definitions.resolve import Registry
from personas_kit.definitions.streams import Reduced
from tests import corpus
from tests.compiler.by_hand import Facts
from tests.compiler.conftest import World, schema_of
from tests.compiler.test_by_hand import REGISTRY, SETTINGS, _load, facts, of_accounts, of_users, values
from tests.postgres_server.server import Server

AS_OF = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
HOUR, DAY = 3_600, 86_400
PHASES = [phase for phase in Phase if phase is not Phase.explain]
CASES = settings().max_examples // 4
#: Seconds from ``AS_OF``, around the edges of the windows and of the facts, most of which lie before it.
edges = st.builds(
    lambda hours, seconds: HOUR * hours + seconds,
    st.sampled_from([-48, -25, -24, -1, 0, 1, 2, 24, 25]),
    st.sampled_from([-1, 0, 0, 1]),
)
instants = st.lists(edges, min_size=2, max_size=5, unique=True).map(sorted)
coming = st.lists(st.sampled_from([1, HOUR, DAY - 1, DAY, DAY + 1, 2 * DAY]), min_size=1, unique=True)
Lines = list[tuple[Any, ...]]
Asked = Callable[[Query, dt.datetime], Lines]


# ------------------------------------------------------------------------------------------- together, and each alone


def together(definition: Definition, source: Source, registry: Registry, shifts: Sequence[int]) -> Query:
    """A definition at many instants: its own columns, and the moment."""
    parts, made, _ = at_moments(compile_definition(definition, source, registry).tree, shifts)
    for name, part in parts:
        made = made.with_(name, as_=part, copy=False)
    return Query(made)


def each_alone(
    asked: Asked, definition: Definition, source: Source, registry: Registry, instants: Sequence[int]
) -> list[set[tuple[Any, ...]]]:
    """The lines at each instant, one statement after the other."""
    query = compile_definition(definition, source, registry)
    return [set(asked(query, AS_OF + dt.timedelta(seconds=instant))) for instant in instants]


def check(
    asked: Asked, definition: Definition, source: Source, instants: Sequence[int], registry: Registry = REGISTRY
) -> list[set[tuple[Any, ...]]]:
    """Both say the same: the lines, and of an audience the sizes and how many come and go. Gives the lines."""
    last = AS_OF + dt.timedelta(seconds=instants[-1])
    shifts = [instant - instants[-1] for instant in instants]
    alone = each_alone(asked, definition, source, registry, instants)
    lines = [(*line, moment) for moment, found in enumerate(alone) for line in found]
    assert sorted(asked(together(definition, source, registry, shifts), last), key=repr) == sorted(lines, key=repr)
    if definition.is_audience:
        around: list[set[tuple[Any, ...]]] = [set(), *alone, set()]
        sizes = [
            (moment, len(now), len(now - around[moment]), len(now - around[moment + 2]))
            for moment, now in enumerate(alone)
            if now
        ]
        assert sorted(asked(compile_history(definition, source, registry, shifts), last)) == sizes
        only_sizes = sorted(asked(compile_past_sizes(definition, source, registry, shifts), last))
        assert only_sizes == [(moment, size) for moment, size, _, _ in sizes]
    return alone


def on_duckdb(handle: duckdb.DuckDBPyConnection, query: Query, as_of: dt.datetime) -> Lines:
    """The lines of both renderings, which have to be the same."""
    sql = query.sql("duckdb", as_of)
    executed = handle.execute(sql.bound, sql.params).fetchall()
    assert sorted(map(repr, executed)) == sorted(map(repr, handle.execute(sql).fetchall()))
    return [tuple(map(plain, line)) for line in executed]


def on_postgres(connection: Any, query: Query, as_of: dt.datetime) -> Lines:
    """As above."""
    sql = query.sql("postgres", as_of)
    executed = connection.execute(sql.bound.encode(), sql.params).fetchall()
    assert sorted(map(repr, executed)) == sorted(map(repr, connection.execute(str(sql).encode()).fetchall()))
    return [tuple(map(plain, line)) for line in executed]


def plain(value: object) -> object:
    """As it is compared: a mean depends on the order in which it is summed up."""
    if isinstance(value, list):
        return tuple(value)
    return round(float(value), 9) if isinstance(value, float | Decimal) else value


#: Sources that say everything, and others: then other parts of the statement depend on no instant.
LAYOUTS = {
    "all": SETTINGS,
    "no times": replace(
        SETTINGS,
        users=UserSettings("users", "user_id"),
        accounts=AccountSettings("accounts", "account_id"),
        memberships=MembershipSettings("memberships", "user_id", "account_id"),
        identities=IdentitySettings("claims", "user_id", "id_value", "id_type"),
    ),
    "anonymous events": replace(
        SETTINGS,
        events=EventSettings("events", name="event", at="at", anonymous="anonymous", id="id", account="account"),
    ),
    "no identities": replace(
        SETTINGS,
        identities=None,
        events=EventSettings("events", name="event", at="at", user="user_id", account="account"),
    ),
}


#: A definition for each kind of part that a statement has: random ones are seldom so dense.
paid = event("Paid")
KINDS: list[Definition] = [
    Trait("T", paid.first("colour")),
    Trait("T", paid.within(hours=48).last("at")),
    Trait("T", paid.most_frequent("colour", at_least=1)),
    Trait("T", paid.unique("tags")),
    Trait("T", paid.where(prop("amount") > trait("orders")).count()),
    Trait("T", paid.where(paid.where(prop("colour") == prop(parent="colour")).count() >= 1).last("at")),
    Trait("T", paid.not_then(paid.within(hours=24)).first("at")),
    Audience("A", top(1, by=paid.max("at"), of=paid.count() >= 1)),
    Audience("A", trait("since").within_last(hours=24) | (account_trait("seats") >= 1)),
    AccountAudience("A", all_users(paid.within(hours=24).count() >= 1)),
    AccountTrait("T", paid.membership("at_event").last("colour")),
    AccountTrait("T", paid.scope("event").unique("colour")),
    AccountTrait("T", users().where(paid.count() >= 1).most_frequent("plan", at_least=1)),
    AccountTrait("T", users().share(paid.within(hours=48).count() >= 1)),
]


@pytest.mark.timeout(900)
@settings(max_examples=CASES, phases=PHASES)
@given(
    facts(),
    of_users,
    of_accounts,
    values,
    st.lists(st.sampled_from(KINDS), min_size=2, max_size=3),
    instants,
    st.sampled_from(["all", *LAYOUTS]),
)
def test_every_instant_says_what_it_says_alone(
    facts: Facts,
    users: Condition,
    accounts: Condition,
    values: list[Reduced],
    kinds: list[Definition],
    instants: list[int],
    layout: str,
) -> None:
    with duckdb.connect() as handle:
        handle.execute("SET TimeZone = 'America/St_Johns'")
        _load(handle, facts)
        source = bind(LAYOUTS[layout], schema_of(handle))
        for definition in (
            Audience("A", users),
            AccountAudience("A", accounts),
            AccountTrait("T", values[0]),
            Trait("T", values[1]),
            *kinds,
        ):
            check(functools.partial(on_duckdb, handle), definition, source, instants)


@pytest.fixture(scope="module")
def worlds(server: Server) -> Iterator[Any]:
    """One connection for all the worlds, in a schema of their own: each is rolled back."""
    import psycopg

    with psycopg.connect(server.url, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute("CREATE SCHEMA instants")
        connection.execute("SET search_path = instants")
        connection.execute("SET enable_nestloop = off; SET jit = off")  # as the adapter does
        connection.commit()
        yield connection


@pytest.mark.postgres
@settings(max_examples=CASES // 2, phases=PHASES)
@given(facts(), of_users, of_accounts, instants)
def test_postgresql_says_so_too(
    worlds: Any, facts: Facts, users: Condition, accounts: Condition, instants: list[int]
) -> None:
    with duckdb.connect() as handle:
        _load(handle, facts)
        source = bind(SETTINGS, schema_of(handle))
    try:
        _load(worlds, facts, mark="${}")
        for definition in (Audience("A", users), AccountAudience("A", accounts)):
            check(functools.partial(on_postgres, worlds), definition, source, instants)
    finally:
        worlds.rollback()


@pytest.mark.timeout(900)
@settings(max_examples=CASES, phases=PHASES)
@given(facts(), of_users, of_accounts, coming)
def test_who_leaves_is_who_is_out_if_nothing_happens(
    facts: Facts, users: Condition, accounts: Condition, later: list[int]
) -> None:
    """The same as if the warehouse ended at that instant."""
    shifts = [0, *sorted(later)]
    quiet = replace(facts, events=tuple(each for each in facts.events if each.at <= AS_OF.replace(tzinfo=None)))
    with duckdb.connect() as handle, duckdb.connect() as still:
        _load(handle, facts)
        _load(still, quiet)
        source = bind(SETTINGS, schema_of(handle))
        for definition in (Audience("A", users), AccountAudience("A", accounts)):
            alone = each_alone(functools.partial(on_duckdb, still), definition, source, REGISTRY, shifts)
            out = {
                who: next((moment for moment, found in enumerate(alone) if (who,) not in found), None)
                for (who,) in alone[0]
            }

            leaves = on_duckdb(handle, compile_exits(definition, source, REGISTRY, shifts), AS_OF)

            assert dict(leaves) == {who: moment for who, moment in out.items() if moment is not None}


@pytest.mark.parametrize(
    ("user", "members"),
    [("user_id", ["u2", "u1 u2", "u1 u2"]), ("", ["", "u1", "u1 u2"])],
    ids=["some events name a user", "no event does"],
)
def test_a_claim_counts_from_when_it_is_made(world: World, user: str, members: list[str]) -> None:
    """Of an event that names its user, it never does; nor does a later claim of the same id."""
    world.users("u1", "u2")
    world.identities(
        "'u1', 'anonymous_id', 'x', '2026-03-30'",
        "'u2', 'anonymous_id', 'x', '2026-03-31'",
        "'u2', 'anonymous_id', 'y', '2026-03-31 11:00:00'",
    )
    columns = "event TEXT, user_id TEXT, anonymous TEXT, happened TIMESTAMP"
    world.table("events", columns, "'Seen', NULL, 'x', '2026-03-01'", "'Seen', 'u2', 'y', '2026-03-02'")
    world.settings["events"] = EventSettings("events", name="event", at="happened", user=user, anonymous="anonymous")
    seen = Audience("A", event("Seen").count() >= 1)

    found = check(functools.partial(on_duckdb, world.handle), seen, world.source, [-2 * DAY, -DAY // 2, 0])

    assert [" ".join(sorted(who for (who,) in each)) for each in found] == members


# ------------------------------------------------------------------------------------------------------ the statement

AUDIENCES = {name: each for name, each in corpus.DEFINITIONS.items() if each[1].is_audience}
YEAR = [DAY * day for day in range(-364, 1)]


def made(name: str, shifts: Sequence[int]) -> Query:
    layout, definition = corpus.DEFINITIONS[name]
    return compile_history(definition, corpus.source_of(layout, upper=False), corpus.REGISTRY, shifts)


@pytest.mark.parametrize("name", [name for name in AUDIENCES if name not in {"own_sql", "listed_accounts"}])
def test_a_year_reads_each_table_once_and_is_as_long_as_a_day(name: str) -> None:
    year, day = (made(name, shifts).tree for shifts in (YEAR, [-DAY, 0]))

    reads = Counter(
        tuple(part.name for part in read.parts)
        for read in year.find_all(exp.Table)
        if isinstance(read.this, exp.Identifier) and read.this.quoted
    )
    assert set(reads.values()) == {1}
    assert len([*year.find_all(exp.Select)]) == len([*day.find_all(exp.Select)])


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "postgres", "bigquery"])
@pytest.mark.parametrize("name", AUDIENCES)
def test_every_dialect_reads_what_is_written(name: str, dialect: str) -> None:
    sql = made(name, [-DAY, 0]).sql(dialect, AS_OF)

    assert isinstance(sqlglot.parse_one(sql.bound, read=dialect), exp.Select)
    shown = sqlglot.parse_one(sql, read=dialect)
    assert isinstance(shown, exp.Select)
    assert not [found for found in shown.find_all(exp.Values) if found.find(exp.Select)]  # Snowflake takes constants


def test_names_of_the_warehouse_may_be_those_of_the_statement(world: World) -> None:
    """Its own tables and columns are called like what is made here."""
    world.table("seen", "user_id TEXT, moment TIMESTAMP, since TEXT", "'u1', '2026-01-01', 'x'", "'u2', NULL, NULL")
    world.table("read_1", "user_id TEXT, id_value TEXT, moments TIMESTAMP", "'u2', 'anonymous', '2026-03-31 11:59:00'")
    columns = "event TEXT, anonymous TEXT, happened_at TIMESTAMP, since TEXT, at_1 INTEGER, moment INTEGER"
    world.table("moments", columns, "'Seen', 'anonymous', '2026-03-30', 'a', 1, 1")
    world.settings |= {
        "users": UserSettings("seen", "user_id", "moment"),
        "identities": IdentitySettings("read_1", "user_id", "id_value", since="moments"),
        "events": EventSettings("moments", name="event", at="happened_at", anonymous="anonymous"),
    }
    seen = Audience("A", event("Seen").sum("moment") == 1)

    found = check(functools.partial(on_duckdb, world.handle), seen, world.source, [-HOUR, 0])

    assert found == [set(), {("u2",)}]


# --------------------------------------------------------------------------------------------------- SQL of one's own

EARLIER = -100_000
OWN = {
    "what nothing else reads": ("SELECT user_id FROM users WHERE plan = 'pro'", "u1 u2", "u1 u2"),
    "the instant": ("SELECT user_id FROM users WHERE since <= :as_of", "u1", "u1 u2 u3"),
    "other events, of any time": ("SELECT user_id FROM events WHERE event = 'Seen'", "u1 u3", "u1 u3"),
    "other events, up to the instant": (
        """SELECT user_id FROM events WHERE event = 'Seen' AND "at" <= :as_of""",
        "u1",
        "u1 u3",
    ),
    "whole tables": ("SELECT u.user_id FROM (SELECT * FROM users) AS u WHERE u.plan IS NULL", "u3", "u3"),
    "a limit": (
        "SELECT user_id FROM users WHERE since <= :as_of ORDER BY since DESC, user_id DESC LIMIT 1",
        "u1",
        "u3",
    ),
    "parts of its own": (
        """
        WITH users AS (SELECT user_id AS "who" FROM users AS u WHERE u.since <= :as_of)
        SELECT users."who" AS user_id FROM users
        """,
        "u1",
        "u1 u2 u3",
    ),
    "names that the statement has": (
        """
        WITH read_1 AS (SELECT user_id, since AS moment FROM users), moments AS (SELECT * FROM read_1)
        SELECT user_id FROM moments WHERE moment < :as_of
        """,
        "u1",
        "u1 u2",
    ),
    "two SELECTs": (
        """SELECT user_id FROM users WHERE since > :as_of UNION SELECT user_id FROM events WHERE "at" > :as_of""",
        "u2 u3",
        "",
    ),
}


@pytest.mark.parametrize("own", OWN)
def test_sql_of_ones_own_is_asked_at_every_instant(world: World, own: str) -> None:
    """And what it reads is not narrowed to what others ask for."""
    sql, before, now = OWN[own]
    world.table(
        "users",
        "user_id TEXT, plan TEXT, since TIMESTAMP",
        "'u1', 'pro', '2026-01-01'",
        "'u2', 'pro', '2026-03-30 12:00:00'",
        "'u3', NULL, '2026-03-31 12:00:00'",
    )
    world.events("'Seen', 'u1', '2026-02-01'", "'Seen', 'u3', '2026-03-31 11:00:00'", "'Paid', 'u2', '2026-03-31'")
    listed = SqlAudience("Listed", sql)
    asked, registry = functools.partial(on_duckdb, world.handle), {"listed": listed}

    found = check(asked, listed, world.source, [EARLIER, 0], registry)

    assert [" ".join(sorted(who for (who,) in members)) for members in found] == [before, now]
    either = Audience("A", in_audience("listed") | (event("Paid").within(hours=24).count() >= 1))
    check(asked, either, world.source, [EARLIER, 0], registry)


def test_sql_of_ones_own_knows_no_event_that_has_not_happened(world: World) -> None:
    world.users("u1")
    world.events("'Seen', 'u1', '2026-03-31 11:00:00'", "'Seen', 'u1', '2026-03-31 12:30:00'")
    unseen = """
        SELECT user_id FROM users
        EXCEPT SELECT user_id FROM events WHERE "at" > :as_of - INTERVAL 2 HOUR AND "at" <= :as_of
    """
    registry = {"unseen": SqlAudience("Unseen", unseen)}
    seen = Audience("Seen", ~in_audience("unseen"))

    leaves = on_duckdb(world.handle, compile_exits(seen, world.source, registry, [0, HOUR, 2 * HOUR]), AS_OF)

    assert leaves == [("u1", 1)]
