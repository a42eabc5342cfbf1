"""What the compiler writes, run by every warehouse: the same definitions have the same members everywhere."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from pydantic import TypeAdapter

from personas_kit.cataloguing import common_values, every_day, property_names
from personas_kit.compiler import (
    Source,
    SourceSettings,
    bind,
    compile_definition,
    compile_event_names,
    compile_lookup,
    compile_memberships,
    compile_population,
    compile_several,
    compile_sizes,
)
from personas_kit.compiler.catalogue import (
    compile_event_days,
    compile_events,
    compile_fill,
    compile_property_columns,
    compile_property_names,
)
from personas_kit.compiler.common_values import (
    compile_computed_values,
    compile_property_values,
    compile_trait_values,
)
from personas_kit.compiler.compile import traits_of
from personas_kit.compiler.evidence import compile_evidence, compile_pairs, compile_values
from personas_kit.compiler.witnesses import (
    compile_events_behind,
    compile_people_behind,
    compile_places,
    compile_truths,
)
from personas_kit.definitions import (
    AccountAudience,
    AccountTrait,
    Audience,
    Trait,
    account_trait,
    any_user,
    event,
    parse,
    prop,
    top,
    trait,
)
from personas_kit.definitions.resolve import resolve
from personas_kit.errors import DefinitionError, WarehouseError
from tests.warehouses.texts import TEXTS

if TYPE_CHECKING:
    from tests.warehouses.conftest import Backend

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = {
    "users": {"table": "users", "id": "user_id", "since": "created_at"},
    "accounts": {"table": "accounts", "id": "account_id"},
    "memberships": {
        "table": "memberships",
        "user": "user_id",
        "account": "account_id",
        "valid_from": "valid_from",
        "valid_to": "valid_to",
    },
    "events": {
        "table": "events",
        "name": "event",
        "at": "sent_at",
        "user": "user_id",
        "account": "group_id",
        "id": "message_id",
    },
}
orders = event("Order Completed")
sign_ins = event("Signed In")


def run(backend: Backend, query: Any) -> pl.DataFrame:
    """Run a compiled query as the workspace does."""
    statement, params = query.bound(backend.warehouse.dialect, AS_OF)
    return backend.warehouse.query(statement, params)


@pytest.fixture
def source(backend: Backend) -> Source:
    return bind(TypeAdapter(SourceSettings).validate_python(SETTINGS), backend.warehouse.schema())


@pytest.mark.parametrize(
    ("where", "members"),
    [
        (orders.within(days=30).count() >= 1, {"u1"}),
        (orders.within(days=30).count() == 0, {"u2", "u3"}),
        (orders.within(days=90).sum("paid") > 20.25, {"u1"}),
        (trait("age") >= 18, {"u1"}),
        (trait("plan").exists(), {"u1", "u2"}),
        (trait("plan").absent(), {"u3"}),
        ((trait("plan") == "pro") | trait("plan").absent(), {"u1", "u3"}),
        (trait("name").contains("O'"), {"u1"}),
        (trait("created_at").within_last(days=90), {"u3"}),
    ],
    ids=lambda given: " ".join(sorted(given)) if isinstance(given, set) else str(given),
)
def test_an_audience_has_the_same_members(backend: Backend, source: Source, where: Any, members: set[str]) -> None:
    found = run(backend, compile_definition(Audience("An audience", where), source, {}))

    assert found.columns == ["user_id"]
    assert sorted(found["user_id"]) == sorted(members)


def _arm(low: int, high: int) -> set[str]:
    """Which users an arm holds, by the rule as it is written down."""
    digits = {user: hashlib.md5(f"spring:{user}".encode()).hexdigest()[:8] for user in ("u1", "u2", "u3")}  # noqa: S324
    place = {user: int(first, 16) / 16**8 for user, first in digits.items()}
    return {user for user, at in place.items() if low / 100 <= at < high / 100}


SAID_OF_USERS = [
    ("event('Order Completed').then(event('Order Completed').within(7 days)).count() >= 1", {"u1"}),
    ("event('Order Completed').not_then(event('Order Completed').within(7 days)).count() >= 1", {"u2"}),
    ("event('Order Completed').not_then(event('Signed In')).count() >= 1", {"u1"}),
    (
        (
            "event('Order Completed').where(event('Order Completed')"
            ".where(property('paid') > property(parent: 'paid')).count() >= 1).count() >= 1"
        ),
        {"u1"},
    ),
    ("event('Order Completed').where(event('Signed In').count() = 0).count() >= 1", {"u1"}),
    ("event('Order Completed').where(trait('plan') = 'free').count() >= 1", {"u2"}),
    ("trait('plan').equals('PRO', ignore_case: true)", {"u1"}),
    ("trait('name').contains('AN', ignore_case: true)", {"u2"}),
    ("event('Order Completed').count() > event('Signed In').count()", {"u1"}),
    ("top(1, by: event('Order Completed').sum('paid'), of: event('Order Completed').count() >= 1)", {"u1"}),
    ("top(2, by: trait('age'), of: trait('name').exists(), smallest: true)", {"u1", "u2"}),
    ("split('spring', 0, 40)", _arm(0, 40)),
    ("split('spring', 40, 100)", _arm(40, 100)),
    ("trait('plan').exists() EXCEPT event('Order Completed').within(30 days).count() >= 1", {"u2"}),
]
SAID_OF_ACCOUNTS = [
    ("users().count() >= 1", {"a1", "a2"}),
    ("users().share(trait('plan') = 'pro') >= 0.5", {"a1"}),
    ("users().where(trait('plan') = 'pro').count() = 0", {"a2"}),
    ("users().max(trait('age')) = 30", {"a1"}),
    ("users().mode(trait('plan'), 1) = 'pro'", {"a1"}),
    ("event('Order Completed').count() >= 3", set()),
    ("event('Order Completed').scope('event').count() >= 3", {"a1"}),
    ("event('Order Completed').membership('at_event').count() >= 3", {"a1"}),
    ("ANY event('Signed In').membership('at_event').count() >= 1", {"a2"}),
]


def test_the_whole_language_says_the_same_everywhere(backend: Backend, source: Source) -> None:
    """One by one, and all of them in one statement."""
    users = {f"u{at}": (Audience(f"u{at}", parse(said)), who) for at, (said, who) in enumerate(SAID_OF_USERS)}
    accounts = {
        f"a{at}": (AccountAudience(f"a{at}", parse(said)), who) for at, (said, who) in enumerate(SAID_OF_ACCOUNTS)
    }
    asked = users | accounts

    for definition, who in asked.values():
        found = run(backend, compile_definition(definition, source, {}))
        assert set(found[:, 0]) == who, str(definition.where)
    several = compile_several([definition for definition, _ in asked.values()], source, {}, expand=True)
    together = run(backend, several.query)
    for each in several.asked:
        name = f"{each.subject}_id"
        chosen = together.filter(pl.col(name).is_not_null() & pl.col(each.column))
        assert set(chosen[name]) == asked[each.key][1], each.key
    sizes = run(backend, compile_sizes([definition for definition, _ in asked.values()], source, {}))
    assert sizes.select("users", "accounts").rows() == [(3, 2)]
    for at, (definition, who) in enumerate(asked.values()):
        assert sizes[f"size_{at}"].to_list() == [len(who)], str(definition.where)


def test_what_stands_behind_them_is_the_same_everywhere(backend: Backend, source: Source) -> None:
    """Every text above is true of whom it lists, and of nobody else; and the witnesses say why."""
    for said, make, subject, ids in (
        (SAID_OF_USERS, Audience, "user", ("u1", "u2", "u3")),
        (SAID_OF_ACCOUNTS, AccountAudience, "account", ("a1", "a2")),
    ):
        nodes = [resolve(make(f"d{at}", parse(text)), {}, traits_of(source)) for at, (text, _) in enumerate(said)]
        for who in ids:
            (line,) = run(backend, compile_truths(nodes, source, subject, who)).iter_rows(named=True)
            assert [line[f"n{at}"] for at, _ in enumerate(nodes)] == [who in members for _, members in said], who
    events = run(backend, compile_events_behind([orders.within(days=5), sign_ins], source, "user", "u1", 1))
    standings = set(events.select("part", "standing", "total", "event_id", "user_id").iter_rows())
    assert standings == {(0, "counted", 1, "e2", "u1"), (0, "before", 1, "e1", "u1")}
    assert set(events["happened_at"].dt.strftime("%d %H:%M")) == {"20 10:00", "25 10:00"}
    people = run(backend, compile_people_behind([any_user(trait("plan") == "pro")], source, "account", "a1", 5))
    assert set(people.select("holds", "total", "id").iter_rows()) == {(True, 1, "u1")}
    places = run(backend, compile_places([top(1, by=trait("age"), of=trait("age").exists())], source, "user", "u1"))
    assert places.rows() == [(0, 1)]


@pytest.mark.parametrize(
    ("value", "values"),
    [
        (orders.count(), {"u1": 2, "u2": 1, "u3": 0}),
        (orders.max("paid"), {"u1": Decimal(20), "u2": Decimal(5)}),
        (orders.first("message_id"), {"u1": "e1", "u2": "e3"}),
        (orders.last("message_id"), {"u1": "e2", "u2": "e3"}),
        (sign_ins.unique("group_id").count(), {"u1": 0, "u2": 1, "u3": 1}),
    ],
    ids=str,
)
def test_a_trait_has_the_same_values(backend: Backend, source: Source, value: Any, values: dict[str, object]) -> None:
    found = run(backend, compile_definition(Trait("A trait", value), source, {}))

    assert found.columns == ["user_id", "value"]
    assert dict(found.rows()) == values


def test_an_account_audience_has_the_same_accounts_and_users(backend: Backend, source: Source) -> None:
    active = AccountAudience("Active", any_user(sign_ins.within(days=30).count() >= 1))
    companies = AccountAudience("Companies", account_trait("kind") == "company")

    assert run(backend, compile_definition(active, source, {}))["account_id"].to_list() == ["a2"]
    assert run(backend, compile_definition(companies, source, {}))["account_id"].to_list() == ["a1"]
    assert run(backend, compile_definition(active, source, {}, expand=True)).rows() == [("u3", "a2")]


def test_an_account_trait_counts_for_its_members_of_that_instant(backend: Backend, source: Source) -> None:
    spend = AccountTrait("Spend", orders.count())

    found = run(backend, compile_definition(spend, source, {}))

    assert dict(found.rows()) == {"a1": 2, "a2": 0}  # u2, who ordered too, has left a1


def test_what_surrounds_a_definition_is_the_same(backend: Backend, source: Source) -> None:
    assert run(backend, compile_population(source, "user"))["size"].to_list() == [3]
    assert run(backend, compile_population(source, "account"))["size"].to_list() == [2]
    assert run(backend, compile_event_names(source))["event"].to_list() == ["Order Completed", "Signed In"]
    assert run(backend, compile_memberships(source, "user", "u1")).rows() == [("u1", "a1")]
    assert run(backend, compile_memberships(source, "account", "a2")).rows() == [("u3", "a2")]


def test_the_traits_of_some_users_can_be_looked_up(backend: Backend, source: Source) -> None:
    found = run(backend, compile_lookup(source, "user", ["u1", "nobody"]))

    (line,) = found.to_dicts()
    assert {name.lower(): value for name, value in line.items()} == {
        "user_id": "u1",
        "name": "Zoë O'Neill",
        "plan": "pro",
        "age": 30,
        "created_at": datetime(2025, 1, 1, tzinfo=UTC),
    }


# -------------------------------------------------------------------------------------- documents, order, what there is


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    return {
        "users": {"table": "readers", "id": "user_id"},
        "events": {"table": "readings", "name": "event", "at": "sent_at", "user": "user_id", "properties": "document"},
    }


@pytest.mark.gap("snowflake", raises=WarehouseError, reason="the emulator's TRY_TO_TIMESTAMP fails on impossible days")
def test_texts_in_documents_are_read_alike(backend: Backend, documents: dict[str, Any]) -> None:
    source = bind(TypeAdapter(SourceSettings).validate_python(documents), backend.warehouse.schema())
    numbers = Trait("Numbers", event("Read").max(prop("text", "number")))
    instants = Trait("Instants", event("Read").max(prop("text", "date")))

    found = dict(run(backend, compile_definition(numbers, source, {})).rows())
    read = dict(run(backend, compile_definition(instants, source, {})).rows())

    assert found == {f"r{at}": number for at, (_, number, _) in enumerate(TEXTS) if number is not None}
    seen = {user: f"{value:%Y-%m-%d %H:%M}" for user, value in read.items()}
    assert seen == {f"r{at}": moment for at, (_, _, moment) in enumerate(TEXTS) if moment is not None}


@pytest.mark.gap("snowflake", raises=AssertionError, reason="the emulator's TYPEOF says JSON of everything")
def test_the_names_in_documents_are_counted(backend: Backend, documents: dict[str, Any]) -> None:
    source = bind(TypeAdapter(SourceSettings).validate_python(documents), backend.warehouse.schema())
    query = compile_property_names(source, "Read", 30)
    assert query is not None

    found = property_names(run(backend, query).to_dicts(), len(TEXTS)).to_dicts()

    assert found == [{"property": "text", "type": "text", "filled": len(TEXTS), "share": 1.0}]


def test_texts_are_in_the_order_of_their_code_points(backend: Backend, source: Source) -> None:
    """People sort ``a`` before ``Z`` and ``é`` beside ``e``; a definition means the same in every warehouse."""
    assert sorted(run(backend, compile_definition(Audience("A", trait("name") < "a"), source, {}))["user_id"]) == [
        "u1", "u2", "u3",
    ]  # fmt: skip
    first = run(backend, compile_definition(AccountTrait("First", event("Signed In").min("message_id")), source, {}))
    assert dict(first.rows()) == {"a2": "e6"}


def test_the_evidence_is_the_same(backend: Backend, source: Source) -> None:
    lines = {part: run(backend, query).row(0, named=True) for part, query in compile_evidence(source).items()}

    assert (lines["users"]["lines"], lines["users"]["members"]) == (4, 4)
    assert lines["memberships"]["in_several"] == 0
    assert (lines["events"]["lines"], lines["events"]["with_user"], lines["events"]["users_known"]) == (6, 6, 3)
    assert (lines["events"]["accounts_known"], lines["events"]["anonymous"], lines["events"]["resolved"]) == (2, 0, 0)
    assert lines["events"]["last"] == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_what_there_is_is_the_same(backend: Backend, source: Source) -> None:
    events = {line["event"]: line["lines"] for line in run(backend, compile_events(source)).to_dicts()}
    query, columns = compile_fill(source, "user")
    counts = run(backend, query).row(0, named=True)

    assert events == {"Order Completed": 3, "Signed In": 2}  # one is later than the instant it is about
    filled = {column.name.lower(): counts[f"filled_{at}"] for at, column in enumerate(columns)}
    assert (counts["lines"], filled) == (3, {"name": 3, "plan": 2, "age": 2, "created_at": 3})
    query, columns = compile_property_columns(source, "Order Completed", 30)
    counts = run(backend, query).row(0, named=True)
    assert counts["lines"] == 2
    assert {column.name.lower(): counts[f"filled_{at}"] for at, column in enumerate(columns)}["paid"] == 2


def test_the_days_of_an_event_are_the_same(backend: Backend, source: Source) -> None:
    found = every_day(run(backend, compile_event_days(source, "Order Completed", 30)))

    assert found.filter(pl.col("lines") > 0).rows() == [(date(2026, 2, 20), 1), (date(2026, 2, 25), 1)]
    assert found.height == 6


VALUES = [
    (lambda source: compile_property_values(source, "Order Completed", prop("user_id"), 90, 5), {"u1": 2, "u2": 1}, 3),
    (lambda source: compile_property_values(source, "Order Completed", prop("paid"), 90, 1), {Decimal(5): 1}, 3),
    (lambda source: compile_trait_values(source, "user", trait("plan"), 5), {"free": 1, "pro": 1}, 3),
    (lambda source: compile_trait_values(source, "account", account_trait("kind"), 1), {"company": 1}, 2),
    (
        lambda source: compile_computed_values(source, compile_definition(Trait("T", sign_ins.count()), source, {}), 5),
        {1: 2, 0: 1},
        3,
    ),
]


@pytest.mark.parametrize(("compiled", "counts", "total"), VALUES)
def test_common_values_are_the_same(
    backend: Backend, source: Source, compiled: Any, counts: dict[object, int], total: int
) -> None:
    found = common_values("it", run(backend, compiled(source)))

    first = found.frame.head(len(counts))
    assert first.rows() == [(value, count, count / total) for value, count in counts.items()]
    assert found.total == total


def test_numbers_have_a_smallest_a_median_and_a_largest(backend: Backend, source: Source) -> None:
    paid = common_values("paid", run(backend, compile_property_values(source, "Order Completed", prop("paid"), 90, 50)))
    missing = common_values("paid", run(backend, compile_property_values(source, "Signed In", prop("paid"), 90, 50)))

    assert paid.spread == {"smallest": 5, "median": 10.5, "largest": 20}
    assert (missing.frame.height, missing.spread, missing.total, missing.different) == (0, None, 2, 0)


@pytest.mark.gap("snowflake", raises=DefinitionError, reason="the emulator calls an ARRAY a VARIANT")
def test_each_element_of_a_list_is_a_value(backend: Backend) -> None:
    settings = {"users": {"table": "people", "id": "user_id"}}
    people = bind(TypeAdapter(SourceSettings).validate_python(settings), backend.warehouse.schema())

    found = common_values("list_", run(backend, compile_trait_values(people, "user", trait("list_"), 50)))

    assert found.frame.select("value", "count").rows() == [("a", 1)]
    with pytest.raises(DefinitionError, match="no common values"):
        compile_trait_values(people, "user", trait("json_"), 50)


@pytest.mark.gap(
    "snowflake", raises=AssertionError, reason="the emulator's TO_VARCHAR of a text in a VARIANT has quotes"
)
def test_common_values_in_half_a_million_documents(backend: Backend, deeds: Source) -> None:
    plans = common_values("plan", run(backend, compile_property_values(deeds, "Did", prop("plan"), 30, 50)))
    numbers = common_values("n", run(backend, compile_property_values(deeds, "Did", prop("n", "number"), 30, 3)))

    assert plans.frame.select("value", "share").rows() == [("free", 0.5), ("pro", 0.5)]
    assert numbers.frame["value"].head(3).to_list() == [0, 1, 2]
    assert (numbers.different, numbers.spread) == (7, {"smallest": 0, "median": 3, "largest": 6})


def test_the_most_frequent_values_come_first(backend: Backend, source: Source) -> None:
    (events,) = source.events
    assert events.name is not None
    assert events.user is not None

    values = run(backend, compile_values(events.table, events.name, at_most=1)).to_dicts()
    pairs = run(backend, compile_pairs(events.table, events.name, events.user, at_most=5)).rows()

    assert values == [{"value": "Order Completed", "lines": 4}]
    assert pairs[0] == ("Order Completed", "u1", 2)


@pytest.fixture
def deeds(backend: Backend) -> Source:
    settings = {
        "users": {"table": "many", "id": "user_id"},
        "events": {"table": "deeds", "name": "event", "at": "sent_at", "user": "user_id", "id": "id",
                   "properties": "document"},
    }  # fmt: skip
    return bind(TypeAdapter(SourceSettings).validate_python(settings), backend.warehouse.schema())


def test_numbers_in_half_a_million_documents(backend: Backend, deeds: Source) -> None:
    total = run(backend, compile_definition(Trait("Total", event("Did").within(days=30).sum("n")), deeds, {}))

    assert total.filter(pl.col("value") > 0).height == 1_000
    assert float(total["value"].sum()) == sum(number % 7 for number in range(500_000))


@pytest.mark.gap(
    "snowflake", raises=AssertionError, reason="the emulator's TO_VARCHAR of a text in a VARIANT has quotes"
)
def test_texts_in_half_a_million_documents(backend: Backend, deeds: Source) -> None:
    often = event("Did").where(prop("plan") == "pro").count() >= 500

    assert run(backend, compile_definition(Audience("Pro", often), deeds, {})).height == 500
