"""What the data says of definitions: counts of literal tables, worked out by hand, and what is made of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from personas_kit import AccountAudience, Audience, SqlAudience, Trait, any_user, event, parse, prop, trait
from personas_kit.activation.sync import Sync
from personas_kit.compiler import SourceSettings, bind
from personas_kit.compiler.dialects import DIALECTS
from personas_kit.compiler.settings import (
    AccountSettings,
    EventSettings,
    IdentitySettings,
    MembershipSettings,
    UserSettings,
)
from personas_kit.insight.counting import MOST, Counts, compile_counts
from personas_kit.insight.data_rules import LARGE, Left, judge, naive_times, read_differently, renamed
from personas_kit.warehouses.duckdb import DuckDB

AS_OF = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
ORDER, SIGNED_IN = "Order Completed", "Signed In"

#: 200 users: all with an address, two with a country, one with a plan. 150 orders in February, one with a coupon; one
#: more on the last day of January, too early for 30 days. 100 sign-ins, with empty documents. Nobody signed up lately.
TABLES = """
CREATE TABLE users AS SELECT 'u' || i AS user_id, 'u' || i || '@example.com' AS email,
  CASE WHEN i < 2 THEN 'DE' END AS country, CASE WHEN i < 1 THEN 'pro' END AS plan FROM range(200) n(i);
CREATE TABLE accounts AS SELECT 'a1' AS account_id, 'company' AS kind, NULL::VARCHAR AS industry;
CREATE TABLE memberships AS SELECT 'u1' AS user_id, 'a1' AS account_id;
CREATE TABLE events (event VARCHAR, sent_at TIMESTAMP, user_id VARCHAR, document JSON);
INSERT INTO events SELECT 'Order Completed', '2026-02-10', 'u' || i,
  CASE WHEN i < 1 THEN '{"revenue": 10, "coupon": "X", "cart": {"size": 2}}'
       ELSE '{"revenue": 10, "note": null, "tags": ["a"]}' END
  FROM range(150) n(i);
INSERT INTO events VALUES ('Order Completed', '2026-01-30', 'u1', '{"referrer": "x"}');
INSERT INTO events SELECT 'Signed In', '2026-02-20', 'u' || i, '{}' FROM range(100) n(i);
INSERT INTO events VALUES ('Signed Up', '2025-12-01', 'u1', '{}');
"""
SETTINGS = SourceSettings(
    users=UserSettings("users", "user_id"),
    accounts=AccountSettings("accounts", "account_id"),
    memberships=MembershipSettings("memberships", "user_id", "account_id"),
    events=EventSettings("events", name="event", at="sent_at", user="user_id", properties="document"),
)


@pytest.fixture(scope="module")
def warehouse():
    with duckdb.connect() as handle:
        handle.execute(TABLES)
        yield DuckDB(connection=handle)


@pytest.fixture(scope="module")
def source(warehouse):
    names = (ORDER, SIGNED_IN, "Signed Up")
    return dataclasses.replace(bind(SETTINGS, warehouse.schema()), event_names=names)


def counted(warehouse, source, *definitions):
    """What the statements of these definitions count."""
    counts = Counts()
    for each in compile_counts(definitions, source):
        counts |= each.counts(warehouse.query(*each.query.bound("duckdb", AS_OF)))
    return counts


def users(text):
    return Audience("A", parse(text))


SAID = [
    # the condition; code, what it says, what to do
    ("event('Order Completed').where(property('revenue') > 5).count() >= 1", []),
    (
        "event('Order Completed').where(property('coupon') = 'X').count() >= 1",
        [("rarely_there", "'coupon' of 'Order Completed' is there in 1 of 150 events of the last 30 days", "")],
    ),
    ("event('Order Completed').where(property('coupon').exists()).count() >= 1", []),
    ("event('Order Completed').where(property('tags') as list.contains('a')).count() >= 1", []),
    (
        "event('Order Completed').sum('revenu') >= 100",
        [
            (
                "unknown_property",
                "'revenu' of 'Order Completed' is in none of 150 events of the last 30 days",
                "did you mean 'revenue'?",
            )
        ],
    ),
    (
        "event('Order Completed').where(property('referrer') = 'x').count() >= 1",
        [("unknown_property", "is in none of 150 events", "their properties: cart, coupon, note, revenue, tags")],
    ),
    (
        "event('Order Completed').where(property('note') = 'x').count() >= 1",
        [("rarely_there", "'note' of 'Order Completed' is there in 0 of 150", "")],
    ),
    (
        "event('Order Completed').where(property('cart.size') > 1).count() >= 1",
        [("rarely_there", "'cart.size' of 'Order Completed' is there in 1 of 150", "")],
    ),
    (
        "event('Order Completed').where(property('cart.sise') > 1).count() >= 1",
        [("unknown_property", "'cart.sise'", "'cart' is there, and nothing in it is called so")],
    ),
    (
        "event('Order Completed').where(property('kart.size') > 1).count() >= 1",
        [("unknown_property", "'kart.size'", "did you mean 'cart.size'?")],
    ),
    (
        "event('Signed In').where(property('device') = 'x').count() >= 1",
        [
            (
                "unknown_property",
                "is in none of 100 events",
                "no document has any key: is document the column of the properties?",
            )
        ],
    ),
    ("event('Signed In').last('sent_at').exists()", []),
    (
        "event('Signed Up').where(property('device') = 'x').count() >= 1",
        [("not_seen", "'Signed Up' has not happened in the last 30 days", "did you mean 'Signed In'?")],
    ),
    ("event('Nobody knows it').count() >= 1", []),
    ("trait('country') = 'DE'", []),
    ("trait('plan') = 'pro'", [("rarely_there", "'plan' is there in 1 of 200 users", "no comparison holds")]),
    ("trait('plan').absent()", []),
    ("trait('Plan') = 'pro' AND trait('plan') = 'free'", [("rarely_there", "'Plan' is there in 1 of 200", "")]),
    ("account_trait('industry') = 'x'", [("rarely_there", "'industry' is there in 0 of 1 accounts", "")]),
    ("trait('computed elsewhere') = 1", []),
    ("trait('email').contains('@')", []),
]


@pytest.mark.parametrize(("text", "said"), SAID)
def test_what_the_data_says_of_a_definition(warehouse, source, text, said):
    definition = users(text)

    found = judge(definition, source, counted(warehouse, source, definition))

    assert [warned.code for warned in found] == [code for code, _, _ in said]
    for warned, (_, what, hint) in zip(found, said, strict=True):
        assert what in warned.what
        assert hint in warned.hint


def test_traits_and_properties_count_wherever_they_stand(warehouse, source):
    account = AccountAudience("A", any_user(trait("plan") == "pro") & (trait("industry") == "x"))
    inside = Audience("B", event(ORDER).where(prop("revenue") > trait("plan")).count() >= 1)
    value = Trait("C", event(ORDER).last("coupon"))

    found = counted(warehouse, source, account, inside, value)

    assert [warned.part for warned in judge(account, source, found)] == [
        "trait('plan') = 'pro'",
        "trait('industry') = 'x'",
    ]
    assert [warned.what[:6] for warned in judge(inside, source, found)] == ["'plan'"]
    assert [warned.part for warned in judge(value, source, found)] == [str(value.value)]


def test_what_nobody_counted_is_not_judged(source):
    for text, _ in SAID:
        assert judge(users(text), source, Counts()) == []


# --------------------------------------------------------------------------------------------------------- statements


def test_there_is_one_statement_for_each_table_however_many_definitions_there_are(warehouse, source):
    definitions = [Audience(f"A{at}", parse(text)) for at, (text, _) in enumerate(SAID)]

    statements = compile_counts([*definitions, SqlAudience("S", "SELECT user_id FROM users")], source)

    assert sorted(each.table.name for each in statements) == ["accounts", "events", "users"]
    alone = {each.key: judge(each, source, counted(warehouse, source, each)) for each in definitions}
    counts = counted(warehouse, source, *definitions)
    assert {each.key: judge(each, source, counts) for each in definitions} == alone


def test_a_table_is_read_once_even_where_a_key_is_missing(warehouse, source):
    wrong = users("event('Order Completed').sum('revenu') >= 100 AND event('Signed In').last('device') = 'x'")
    (counting,) = compile_counts([wrong], source)
    statement, params = counting.query.bound("duckdb", AS_OF)
    with warehouse.reading() as handle:
        ((_, plan),) = handle.execute(f"EXPLAIN (FORMAT json) {statement}", params).fetchall()

    assert str(json.loads(plan)).count("'Table': ") == 1


def test_definitions_that_read_nothing_are_no_statement(source):
    assert compile_counts([SqlAudience("S", "SELECT user_id FROM users"), users("split('x', 0, 50)")], source) == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_the_statement(source, dialect):
    definitions = [users(text) for text, _ in SAID]

    for counting in compile_counts(definitions, source):
        statement, _ = counting.query.bound(dialect, AS_OF)
        tree = sqlglot.parse_one(statement, read=dialect)
        read = [name.name.lower() for name in tree.find_all(exp.Table) if name.name.lower() == counting.table.name]
        assert counting.query.columns == tuple(tree.named_selects)
        assert len(read) == 1 + ("total" in counting.query.columns)


def test_events_with_tables_of_their_own_are_counted_in_these():
    with duckdb.connect() as handle:
        handle.execute("""
            CREATE TABLE users AS SELECT 'u1' AS user_id;
            CREATE TABLE orders AS SELECT TIMESTAMP '2026-02-10' AS sent_at, 'u1' AS user_id,
              CASE WHEN i < 2 THEN 'X' END AS coupon, i AS revenue FROM range(300) n(i);
            CREATE TABLE refunds (sent_at TIMESTAMP, user_id VARCHAR, reason VARCHAR);
        """)
        warehouse = DuckDB(connection=handle)
        tables = {ORDER: "orders", "Refunded": "refunds"}
        settings = SourceSettings(
            users=UserSettings("users", "user_id"), events=EventSettings(tables=tables, at="sent_at", user="user_id")
        )
        source = bind(settings, warehouse.schema())
        coupons = users("event('Order Completed').where(property('coupon') = 'X').sum('revenue') > 5")
        refunds = users("event('Refunded').where(property('reason') = 'late').count() >= 1")

        counts = counted(warehouse, source, coupons, refunds)

        (rare,) = judge(coupons, source, counts)
        (unseen,) = judge(refunds, source, counts)
        assert rare.what == "'coupon' of 'Order Completed' is there in 2 of 300 events of the last 30 days"
        assert (unseen.code, unseen.hint) == (
            "not_seen",
            "if it has another name now, write that; ws.events lists them",
        )


# ------------------------------------------------------------------------------------------------------ large tables


SLOW = [
    ("trait('email').contains('@example.com')", True),
    ("trait('email').omits('@example.com')", True),
    ("trait('email').ends_with('.org')", True),
    ("trait('email').equals('A@EXAMPLE.COM', ignore_case: true)", True),
    ("trait('email').starts_with('a')", False),
    ("trait('email') = 'a@example.com'", False),
    ("event('Order Completed').where(property('coupon').contains('X')).count() >= 1", True),
    ("event('Order Completed').where(property('tags') as list.contains('a')).count() >= 1", False),
    ("event('Order Completed').last('coupon').contains('X')", False),
]


@pytest.mark.parametrize(("text", "slow"), SLOW)
@pytest.mark.parametrize("lines", [LARGE, LARGE + 1])
def test_searching_every_text_of_a_large_table_is_slow(source, text, slow, lines):
    counts = Counts(lines={("users", ""): lines, ("events", ""): lines})

    found = judge(users(text), source, counts)

    assert [warned.code for warned in found] == (["slow_like"] if slow and lines > LARGE else [])
    assert all("10,000,001 lines" in warned.what for warned in found)


def test_the_lines_of_a_large_table_are_counted_only_if_a_text_is_searched(warehouse, source):
    searched, compared = (
        users(f"event('Order Completed').where(property('coupon'){end}).count() >= 1")
        for end in (".contains('X')", " = 'X'")
    )

    assert counted(warehouse, source, searched).lines["events", ""] == 252
    assert ("events", "") not in counted(warehouse, source, compared).lines


# ------------------------------------------------------------------------------------- types, times, and renamed keys


def test_a_key_that_another_definition_reads_as_another_type(source):
    numbers = Audience("Numbers", event(ORDER).where(prop("revenue") > 5).count() >= 1)
    texts = Audience("Texts", event(ORDER).where(prop("revenue") == "5").count() >= 1)
    said = Audience("Said", event(ORDER).where(prop("revenue", "string") == "5").count() >= 1)
    elsewhere = Audience("Elsewhere", event(SIGNED_IN).where(prop("revenue") == "5").count() >= 1)

    found = read_differently({each.key: each for each in (numbers, texts, said, elsewhere)}, source)

    assert {key: [warned.what for warned in own] for key, own in found.items()} == {
        "numbers": ["'revenue' of 'Order Completed' is read as numbers, and as texts in 'texts'"],
        "texts": ["'revenue' of 'Order Completed' is read as texts, and as numbers in 'numbers'"],
        "said": [],
        "elsewhere": [],
    }
    (warned,) = found["texts"]
    assert (warned.code, warned.part) == ("mixed_types", "property('revenue') = '5'")
    assert warned.hint.endswith("in text property('revenue') as number")


def test_times_without_a_zone_are_said_once_for_each_table():
    with duckdb.connect() as handle:
        handle.execute("""
            CREATE TABLE users (user_id VARCHAR, created_at TIMESTAMP);
            CREATE TABLE accounts (account_id VARCHAR, created_at TIMESTAMPTZ);
            CREATE TABLE memberships (user_id VARCHAR, account_id VARCHAR, since TIMESTAMP, until TIMESTAMP);
            CREATE TABLE identifiers (user_id VARCHAR, anonymous_id VARCHAR, since DATE);
            CREATE TABLE events (event VARCHAR, sent_at TIMESTAMP, user_id VARCHAR);
        """)
        settings = SourceSettings(
            users=UserSettings("users", "user_id", "created_at"),
            accounts=AccountSettings("accounts", "account_id", "created_at"),
            memberships=MembershipSettings("memberships", "user_id", "account_id", "since", "until"),
            identities=IdentitySettings("identifiers", "user_id", "anonymous_id", since="since"),
            events=EventSettings("events", name="event", at="sent_at", user="user_id"),
        )
        source = bind(settings, DuckDB(connection=handle).schema())

    found = naive_times(source, settings)

    assert [warned.part for warned in found] == [
        "users.created_at",
        "memberships.since, memberships.until",
        "events.sent_at",
    ]
    assert all('timezone = "UTC" under [source]' in warned.hint for warned in found)
    assert naive_times(source, dataclasses.replace(settings, timezone="UTC")) == []


def left(key, members, call="identify", *, valued=False):
    return Left(Sync(key, "analytics", call), members, valued)


RENAMED = [
    # what is left; the keys that there are; the nearest that was never pushed, and what is said
    ([left("buyers", 10)], ["buyers"], []),
    ([left("buyers_30", 10)], ["buyers_30d", "vips"], [("buyers_30d", "10 at analytics (identify)")]),
    ([left("buyers_30", 10), left("buyers_30d", 8)], ["buyers_30d"], [("", "10 at analytics")]),
    ([left("buyers_30", 0)], ["buyers_30d"], []),
    (
        [left("x", 1_204), left("x", 1_204, "track")],
        [],
        [("", "1,204 at analytics (identify), 1,204 at analytics (track)")],
    ),
]


@pytest.mark.parametrize(("there", "keys", "said"), RENAMED)
def test_keys_that_were_pushed_and_are_gone(there, keys, said):
    found = renamed(there, keys)

    assert [near for near, _ in found] == [near for near, _ in said]
    for (near, warned), (_, figures) in zip(found, said, strict=True):
        assert warned.code == "renamed_key"
        assert figures in warned.what
        assert (f"write key = {warned.part!r} there" in warned.hint) == bool(near)
        assert f"personas remove {warned.part} takes everyone out" in warned.hint


def test_values_that_are_left_are_called_values():
    ((_, warned),) = renamed([left("spend", 7, valued=True)], [])

    assert "its values stay" in warned.what
    assert "personas remove spend" in warned.hint


def test_documents_whose_keys_are_ids_list_the_most_frequent_keys_only():
    with duckdb.connect() as handle:
        handle.execute("""
            CREATE TABLE users AS SELECT 'u1' AS user_id;
            CREATE TABLE events AS SELECT 'Order Completed' AS event, TIMESTAMP '2026-02-10' AS sent_at,
              'u1' AS user_id, json_object('id_' || i, 1, 'revenue', 2) AS document FROM range(3000) n(i);
        """)
        warehouse = DuckDB(connection=handle)
        settings = SourceSettings(users=UserSettings("users", "user_id"), events=SETTINGS.events)
        source = bind(settings, warehouse.schema())
        wrong = users("event('Order Completed').sum('revenu') > 5")

        counts = counted(warehouse, source, wrong)

        assert len(counts.keys["events", ORDER]) == MOST
        assert judge(wrong, source, counts)[0].hint == "did you mean 'revenue'?"


def test_a_key_that_is_an_address_is_not_shown(source):
    wrong = users("event('Order Completed').sum('total') > 5")
    (spot,) = compile_counts([wrong], source)[0].spots
    keys = frozenset({"ann@example.com"})

    (warned,) = judge(wrong, source, Counts({spot.place: 150}, {spot: 0}, {spot.place: keys}))

    assert warned.hint == "their properties: a•••@e•••.com"
