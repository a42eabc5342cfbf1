"""Audiences and traits of users, executed over literal tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from personas_kit.compiler.settings import EventSettings, UserSettings
from personas_kit.definitions.definition import Audience, Trait
from personas_kit.definitions.vocabulary import event, in_audience, prop, trait
from personas_kit.errors import DefinitionError, UnknownName
from tests.compiler.conftest import World

DAY = dt.timedelta(days=1)


def test_a_window_is_open_at_its_old_end_and_closed_at_its_new_one(world: World) -> None:
    world.users("u1", "u2", "u3", "u4", "u5")
    world.events(
        "'Paid', 'u1', '2026-03-01 12:00:00'",  # exactly 30 days before: outside
        "'Paid', 'u2', '2026-03-01 12:00:01'",
        "'Paid', 'u3', '2026-03-31 12:00:00'",  # now: inside
        "'Paid', 'u4', '2026-03-31 12:00:01'",  # has not happened yet
    )
    assert world.who(event("Paid").within(days=30).count() >= 1) == "u2 u3"
    assert world.who(event("Paid").count() >= 1) == "u1 u2 u3"
    assert world.who(event("Paid").between(days=(30, 0)).count() >= 1) == "u2 u3"
    assert world.who(event("Paid").between(hours=(1000, 720)).count() >= 1) == "u1"


def test_a_count_over_nothing_is_zero_for_everyone_who_exists(world: World) -> None:
    world.table(
        "users", "user_id TEXT, since TIMESTAMP", "'u1', NULL", "'u2', '2026-03-31 12:00:00'", "'u3', '2026-04-01'"
    )
    world.settings["users"] = UserSettings("users", "user_id", "since")
    world.events("'Paid', 'u1', '2026-03-30'", "'Paid', 'u3', '2026-03-30'", "'Paid', 'nobody', '2026-03-30'")
    assert world.who(event("Paid").count() <= 0) == "u2"
    assert world.values(event("Paid").count()) == {"u1": 1, "u2": 0}
    assert world.values(event("Paid").sum("amount")) == {"u1": 0, "u2": 0}
    assert world.values(event("Paid").unique("colour").count()) == {"u1": 0, "u2": 0}
    assert world.values(event("Paid").avg("amount")) == {}


def test_an_event_delivered_twice_counts_once(world: World) -> None:
    world.users("u1")
    world.events(
        "'Paid', 'u1', '2026-03-30', 'e1'", "'Paid', 'u1', '2026-03-30', 'e1'", "'Paid', 'u1', '2026-03-30', 'e2'"
    )
    assert world.values(event("Paid").count()) == {"u1": 2}


def test_a_missing_value_compares_as_false_and_not_turns_that_round(world: World) -> None:
    world.table(
        "users", "user_id TEXT, plan TEXT, seats INTEGER", "'u1', 'pro', 5", "'u2', 'free', 1", "'u3', NULL, NULL"
    )
    plan, seats = trait("plan"), trait("seats")
    assert world.who(plan == "pro") == "u1"
    assert world.who(plan != "pro") == "u2"
    assert world.who(~(plan == "pro")) == "u2 u3"
    assert world.who(~(plan != "pro")) == "u1 u3"
    assert world.who(plan.absent()) == "u3"
    assert world.who(~plan.absent()) == world.who(plan.exists()) == "u1 u2"
    assert world.who(plan.one_of("pro", "team")) == "u1"
    assert world.who(plan.none_of("pro", "team")) == "u2 u3"
    assert world.who(plan.omits("r")) == "u3"
    assert world.who(~(~(seats > 3))) == "u1"
    assert world.who(~((plan == "pro") | (seats == 1))) == "u3"
    assert world.who(((plan == "pro") | (plan == "free")) & (seats < 3)) == "u2"


def test_texts_match_letter_by_letter(world: World) -> None:
    world.table("users", "user_id TEXT, name TEXT", "'u1', '50% off_x'", "'u2', '50 percent'", "'u3', 'O''Hara \\ Co'")
    assert world.who(trait("name").contains("0%")) == "u1"
    assert world.who(trait("name").contains("f_x", "ercent")) == "u1 u2"
    assert world.who(trait("name").starts_with("50")) == "u1 u2"
    assert world.who(trait("name").ends_with("_x")) == "u1"
    assert world.who(trait("name").contains("PERCENT")) == ""
    assert world.who(trait("name") == "O'Hara \\ Co") == "u3"
    assert world.who(trait("name") == "x' OR TRUE --") == ""


def test_decimals_compare_as_written(world: World) -> None:
    world.table(
        "users",
        "user_id TEXT, price DECIMAL(10, 2), ratio DOUBLE, rate FLOAT",
        "'u1', 9.99, 0.1, 0.5",
        "'u2', 10, 0.3, 0.25",
    )
    assert world.who(trait("price") == 9.99) == "u1"
    assert world.who(trait("price") > 9.99) == "u2"
    assert world.who(trait("ratio") == 0.1) == "u1"
    assert world.who(trait("rate") <= 0.25) == "u2"
    assert world.who(trait("ratio") > -1) == "u1 u2"
    assert world.values(trait("price")) == {"u1": Decimal("9.99"), "u2": Decimal(10)}


def test_days_are_midnight_in_the_zone_of_the_source(world: World) -> None:
    world.settings["timezone"] = "Europe/Prague"  # two hours before UTC on that day: midnight is 22:00
    world.table(
        "users", "user_id TEXT, naive TIMESTAMP, aware TIMESTAMPTZ, day DATE",
        "'u1', '2026-03-30 21:59:59', '2026-03-30 21:59:59+00', '2026-03-30'",
        "'u2', '2026-03-30 22:00:00', '2026-03-30 22:00:00+00', '2026-03-31'",
        "'u3', '2026-03-30 22:00:01', '2026-03-30 22:00:01+00', '2026-04-01'",
    )  # fmt: skip
    for column in ("naive", "aware", "day"):
        assert world.who(trait(column).before("2026-03-31")) == "u1"
        assert world.who(trait(column).after("2026-03-31")) == "u3"
        assert world.who(trait(column) == dt.date(2026, 3, 31)) == "u2"
        assert world.who(trait(column) >= dt.datetime(2026, 3, 30, 22, tzinfo=dt.UTC)) == "u2 u3"
    assert world.who(trait("day") < dt.datetime(2026, 3, 30, 22, 0, 1, tzinfo=dt.UTC)) == "u1 u2"
    assert world.who(trait("day") == dt.datetime(2026, 3, 30, 23, tzinfo=dt.UTC)) == ""
    assert world.who(trait("day") != dt.datetime(2026, 3, 30, 23, tzinfo=dt.UTC)) == "u1 u2 u3"


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ"])
def test_relative_dates_are_half_open(world: World, kind: str) -> None:
    zone = "+00" if kind == "TIMESTAMPTZ" else ""
    times = [
        "2026-03-30 12:00:00",
        "2026-03-30 12:00:01",
        "2026-03-31 12:00:00",
        "2026-04-01 12:00:00",
        "2026-04-01 12:00:01",
    ]
    world.table("users", f"user_id TEXT, seen {kind}", *(f"'u{i}', '{at}{zone}'" for i, at in enumerate(times)))
    assert world.who(trait("seen").within_last(days=1)) == "u1 u2"
    assert world.who(trait("seen").before_last(days=1)) == "u0"
    assert world.who(trait("seen").within_next(days=1)) == "u3"
    assert world.who(trait("seen").after_next(days=1)) == "u4"
    assert world.who(~trait("seen").within_last(days=1)) == "u0 u3 u4"


def test_relative_dates_on_days(world: World) -> None:
    world.settings["timezone"] = "Europe/Prague"
    days = ["2026-03-29", "2026-03-30", "2026-03-31", "2026-04-01", "2026-04-02"]
    world.table("users", "user_id TEXT, day DATE", *(f"'u{i}', '{at}'" for i, at in enumerate(days)))
    assert world.who(trait("day").within_last(days=1)) == "u2"  # midnight of the 30th is more than 24 hours ago
    assert world.who(trait("day").before_last(days=1)) == "u0 u1"
    assert world.who(trait("day").within_next(days=1)) == "u3"


def test_thirty_days_are_720_hours_whatever_the_clocks_do(world: World) -> None:
    # Given events with a zone, and a session in whose zone the clocks changed on March 8
    world.users("u1", "u2")
    world.table(
        "events",
        'event TEXT, user_id TEXT, "at" TIMESTAMPTZ',
        "'Paid', 'u1', '2026-03-01 12:00:00+00'",
        "'Paid', 'u2', '2026-03-01 12:00:01+00'",
    )
    world.settings["events"] = EventSettings("events", name="event", at="at", user="user_id")
    assert world.who(event("Paid").within(days=30).count() >= 1) == "u2"


def test_first_and_last_break_ties_by_id_then_value(world: World) -> None:
    world.users("u1", "u2", "u3")
    world.events(
        "'Paid', 'u1', '2026-03-01', 'e2', 10, 'red'", "'Paid', 'u1', '2026-03-01', 'e1', 20, 'blue'",
        "'Paid', 'u1', '2026-03-02', 'e3', NULL, NULL",  # missing values are not looked at
        "'Paid', 'u2', '2026-03-01', 'e4', 2", "'Paid', 'u2', '2026-03-01', 'e4', 10",
    )  # fmt: skip
    assert world.values(event("Paid").first("amount")) == {"u1": 20, "u2": 2}
    assert world.values(event("Paid").last("amount")) == {"u1": 10, "u2": 10}
    assert world.values(event("Paid").last("colour")) == {"u1": "red"}


def test_most_frequent_needs_enough_and_breaks_ties_by_the_smallest(world: World) -> None:
    world.users("u1", "u2")
    amounts = {"u1": [10, 10, 2, 2, 7], "u2": [1, 2]}
    world.events(
        *(
            f"'Paid', '{user}', '2026-03-01', '{user}{i}', {amount}"
            for user, found in amounts.items()
            for i, amount in enumerate(found)
        )
    )
    assert world.values(event("Paid").most_frequent("amount")) == {"u1": 2}
    assert world.values(event("Paid").most_frequent("amount", at_least=1)) == {"u1": 2, "u2": 1}
    assert world.values(event("Paid").most_frequent("amount", at_least=3)) == {}


def test_unique_is_sorted_by_type_and_leaves_missing_values_out(world: World) -> None:
    world.users("u1", "u2")
    world.events(
        "'Paid', 'u1', '2026-03-01', 'e1', 10, 'b'", "'Paid', 'u1', '2026-03-01', 'e2', 2, 'B'",
        "'Paid', 'u1', '2026-03-01', 'e3', 10, 'ä'", "'Paid', 'u1', '2026-03-01', 'e4'",
        "'Paid', 'u2', '2026-03-01', 'e5'",
    )  # fmt: skip
    assert world.values(event("Paid").unique("amount")) == {"u1": [2, 10]}
    assert world.values(event("Paid").unique("colour")) == {"u1": ["B", "b", "ä"]}
    assert world.values(event("Paid").unique("colour").count()) == {"u1": 3, "u2": 0}
    assert world.values(event("Paid").min("colour")) == {"u1": "B"}
    assert world.values(event("Paid").max("amount")) == {"u1": 10}
    assert world.values(event("Paid").avg("amount")) == {"u1": pytest.approx(22 / 3)}


def test_where_speaks_of_one_event(world: World) -> None:
    world.users("u1", "u2")
    world.events(
        "'Paid', 'u1', '2026-03-30', 'e1', 5, 'red'",
        "'Paid', 'u1', '2026-03-29', 'e2', 50",
        "'Paid', 'u2', '2026-03-29', 'e3', 7, 'red'",
    )
    big_or_red = event("Paid").where((prop("amount") > 40) | (prop("colour") == "red"))
    assert world.values(big_or_red.count()) == {"u1": 2, "u2": 1}
    assert world.values(event("Paid").where(~(prop("colour") == "red")).sum("amount")) == {"u1": 50, "u2": 0}
    assert world.values(event("Paid").where(prop("at").before("2026-03-30")).count()) == {"u1": 1, "u2": 1}
    assert world.values(event("Paid").where(prop("USER_ID") == "u2").count()) == {"u1": 0, "u2": 1}


def test_anonymous_events_belong_to_the_earliest_claim_and_own_ids_win(world: World) -> None:
    world.users("u1", "u2", "u3")
    world.identities(
        "'u2', 'anonymous_id', 'x', '2026-03-02'", "'u1', 'anonymous_id', 'x', '2026-03-03'",  # earliest
        "'u2', 'anonymous_id', 'y', '2026-03-02'", "'u1', 'anonymous_id', 'y', '2026-03-02'",  # then smaller
        "'u3', 'email', 'z', '2026-03-02'", "'u3', 'anonymous_id', 'late', '2026-04-01'",
        "'gone', 'anonymous_id', 'w', NULL", "'u1', 'anonymous_id', 'w', '2026-03-02'",
    )  # fmt: skip
    world.table(
        "events", 'event TEXT, user_id TEXT, anonymous_id TEXT, "at" TIMESTAMP',
        "'Paid', NULL, 'x', '2026-01-01'",  # before the claim: counts as well
        "'Paid', NULL, 'y', '2026-03-01'", "'Paid', NULL, 'z', '2026-03-01'", "'Paid', NULL, 'late', '2026-03-01'",
        "'Paid', NULL, 'w', '2026-03-01'", "'Paid', 'u3', 'x', '2026-03-01'", "'Paid', 'nobody', 'x', '2026-03-01'",
        "'Paid', NULL, NULL, '2026-03-01'", "'Paid', NULL, 'x', '2026-05-01'",
    )  # fmt: skip
    world.settings["events"] = EventSettings("events", name="event", at="at", user="user_id", anonymous="anonymous_id")
    assert world.values(event("Paid").count()) == {"u1": 1, "u2": 1, "u3": 1}
    assert world.values(event("Paid").where(prop("user_id") == "u2").count()) == {"u1": 0, "u2": 1, "u3": 0}


def test_json_properties_are_read_as_asked(world: World) -> None:
    world.users("u1", "u2", "u3")
    world.table(
        "events", 'event TEXT, user_id TEXT, "at" TIMESTAMP, properties JSON',
        """'Paid', 'u1', '2026-03-01', '{"amount": 10, "cart": {"size": 2}, "a.b": "x", "new": true,
            "on": "2026-03-01T01:00:00+02:00"}'""",
        """'Paid', 'u2', '2026-03-01', '{"amount": "9.5", "new": "yes", "on": "2026-03-01"}'""",
        """'Paid', 'u3', '2026-03-01', '{"amount": "much", "new": false, "on": null}'""",
        "'Paid', 'u3', '2026-03-01', NULL",
    )  # fmt: skip
    world.settings["events"] = EventSettings("events", name="event", at="at", user="user_id", properties="properties")
    paid = event("Paid")
    assert world.values(paid.sum("amount")) == {"u1": 10.0, "u2": 9.5, "u3": 0.0}
    assert world.values(paid.max(prop("amount", "number"))) == {"u1": 10.0, "u2": 9.5}
    assert world.values(paid.max(prop("amount", "string"))) == {"u1": "10", "u2": "9.5", "u3": "much"}
    assert world.who(paid.where(prop("amount") >= 9.5).count() >= 1) == "u1 u2"
    assert world.who(paid.where(prop("cart.size") == 2).count() >= 1) == "u1"
    assert world.who(paid.where(prop("a\\.b") == "x").count() >= 1) == "u1"
    assert world.who(paid.where(prop("new") == True).count() >= 1) == "u1"  # noqa: E712
    assert world.who(paid.where(prop("on").before("2026-03-01")).count() >= 1) == "u1"
    assert world.who(paid.where(prop("on").absent()).count() >= 1) == "u3"
    # what nobody says is read as the reducer needs it, then as what it is compared with, then as text
    assert world.values(paid.max("amount")) == {"u1": 10.0, "u2": 9.5}
    assert world.values(paid.last("amount")) == {"u1": "10", "u2": "9.5", "u3": "much"}
    assert world.who(paid.last("amount") >= 9.7) == "u1"
    assert world.who((paid.first("amount") == "9.5") | (paid.first("amount") == 10)) == "u1 u2"
    assert world.who(paid.first("new") == True) == "u1"  # noqa: E712
    assert world.who(paid.unique("amount").count() == 1) == "u1 u2 u3"
    assert world.values(paid.max("at")) == {
        "u1": dt.datetime(2026, 3, 1), "u2": dt.datetime(2026, 3, 1), "u3": dt.datetime(2026, 3, 1),  # noqa: DTZ001
    }  # fmt: skip


def test_each_event_may_have_its_own_table(world: World) -> None:
    world.users("u1", "u2")
    world.table(
        "order_completed",
        'user_id TEXT, "at" TIMESTAMP, total INTEGER',
        "'u1', '2026-03-01', 5",
        "'u1', '2026-03-02', 6",
    )
    world.table("signed_up", 'user_id TEXT, "at" TIMESTAMP', "'u2', '2026-03-01'")
    tables = {"Order Completed": "order_completed", "Signed Up": "signed_up"}
    world.settings["events"] = EventSettings(tables=tables, at="at", user="user_id")
    assert world.values(event("Order Completed").sum("total")) == {"u1": 11, "u2": 0}
    assert world.who(event("Signed Up").count() >= 1) == "u2"
    with pytest.raises(UnknownName, match="no event 'Signed up'") as raised:
        world.who(event("Signed up").count() >= 1)
    assert raised.value.near == ["Signed Up"]


def test_events_of_whole_days_happen_at_midnight_of_the_zone(world: World) -> None:
    # Given noon UTC, which is 14:00 in Prague: a day ago, the 30th had begun there
    world.settings["timezone"] = "Europe/Prague"
    world.users("u0", "u1", "u2", "u3")
    days = ["2026-03-29", "2026-03-30", "2026-03-31", "2026-04-01"]
    lines = [f"'Paid', 'u{i}', '{day}'" for i, day in enumerate(days)]
    world.table("events", 'event TEXT, user_id TEXT, "at" DATE', *lines)
    world.settings["events"] = EventSettings("events", name="event", at="at", user="user_id")
    assert world.who(event("Paid").count() >= 1) == "u0 u1 u2"
    assert world.who(event("Paid").within(days=1).count() >= 1) == "u2"
    assert world.who(event("Paid").within(hours=38).count() >= 1) == "u2"  # since midnight of the 30th, exactly
    assert world.who(event("Paid").within(hours=39).count() >= 1) == "u1 u2"
    midnight = dt.datetime(2026, 3, 30, 22, tzinfo=dt.UTC)
    assert world.who(event("Paid").count() >= 1, as_of=midnight) == "u0 u1 u2"
    assert world.who(event("Paid").count() >= 1, as_of=midnight - dt.timedelta(seconds=1)) == "u0 u1"


HOSTILE = ["x' OR TRUE --", 'a"b', "back\\slash", "two\nlines", "$p1 ? :pk_1", "/* */;", "Zoë 日本 🙂", "%", "{0}"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_is_read_as_sql(world: World, text: str) -> None:
    world.table("users", "user_id TEXT, plan TEXT")
    world.handle.execute("INSERT INTO users VALUES ('u1', ?), ('u2', 'other')", [text])
    world.table("events", 'event TEXT, user_id TEXT, "at" TIMESTAMP')
    world.handle.execute("INSERT INTO events VALUES (?, 'u1', '2026-03-01'), ('Paid', 'u2', '2026-03-01')", [text])
    world.settings["events"] = EventSettings("events", name="event", at="at", user="user_id")
    assert world.who(event(text).count() >= 1) == "u1"
    for where in (trait("plan") == text, trait("plan").one_of(text), trait("plan").contains(text)):
        assert world.who(where) == "u1"


@pytest.mark.parametrize(
    "name", ['say "hi"', "; DROP TABLE users; --", "select", "Größe", "a.b", "value", "place", "$p1"]
)
def test_no_name_is_read_as_sql(world: World, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    world.table("users", f"user_id TEXT, {quoted} TEXT", "'u1', 'x'", "'u2', NULL")
    lines = [f"'Paid', 'u1', '2026-03-0{i}', {i}" for i in (1, 2)]
    world.table("events", f'event TEXT, user_id TEXT, "at" TIMESTAMP, {quoted} INTEGER', *lines)
    world.settings["events"] = EventSettings("events", name="event", at="at", user="user_id")
    paid = event("Paid")
    assert world.who(trait(name) == "x") == "u1"
    for value, expected in (
        (paid.sum(name), 3), (paid.last(name), 2), (paid.unique(name), [1, 2]), (paid.most_frequent(name, at_least=1), 1)  # noqa: E501
    ):  # fmt: skip
        assert world.values(value)["u1"] == expected
    assert world.lines(Audience("A", paid.where(prop(name) > 1).count() == 1), carry=(name,)) == [("u1", "x")]


@pytest.mark.parametrize("name", ["claims", "CLAIMS", "moment", "users_now", "events_of_users", "count_1", "e", "c"])
def test_a_table_may_be_called_like_a_part_of_the_statement(world: World, name: str) -> None:
    world.users("u1", "u2")
    world.identities("'u2', 'anonymous_id', 'x', NULL")
    columns = 'event TEXT, user_id TEXT, anonymous_id TEXT, "at" TIMESTAMP'
    world.table(name, columns, "'Paid', NULL, 'x', '2026-03-30'", "'Paid', 'u1', NULL, '2026-01-01'")
    world.settings["events"] = EventSettings(name, name="event", at="at", user="user_id", anonymous="anonymous_id")
    assert world.who(event("Paid").within(days=2).count() == 1) == "u2"
    assert world.values(event("Paid").count()) == {"u1": 1, "u2": 1}


def test_ids_may_be_numbers(world: World) -> None:
    world.table("users", 'id BIGINT, "Sign-up Date" DATE, "order" TEXT', "2, '2026-01-01', 'a'", "10, NULL, 'b'")
    world.settings["users"] = UserSettings("users", "ID")
    world.table("events", '"Event" TEXT, uid BIGINT, "at" TIMESTAMP', "'Paid', 10, '2026-03-01'")
    world.settings["events"] = EventSettings("events", name="event", at="at", user="uid")
    assert world.lines(Audience("A", event("Paid").count() == 1)) == [(10,)]
    assert world.lines(Audience("A", trait("sign-up date").exists() & (trait("order") == "a"))) == [(2,)]
    assert world.lines(Audience("A", event("Paid").count() >= 0), carry=("order",)) == [(10, "b"), (2, "a")]


def test_audiences_and_traits_are_inlined(world: World) -> None:
    world.users("u1", "u2")
    world.events("'Paid', 'u1', '2026-03-30', 'e1', 5")
    buyers = Audience("Buyers", event("Paid").count() >= 1)
    spent = Trait("Spent", event("Paid").sum("amount"))
    registry = {"buyers": buyers, "spent": spent}
    assert world.who(in_audience("buyers") & (trait("spent") > 4), registry=registry) == "u1"
    assert world.who(~in_audience("buyers"), registry=registry) == "u2"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (trait("plan") > 5, "'plan' of users is a text .*a number"),
        (trait("seats") == "many", "'seats' of users is a number .*a text"),
        (trait("seats") == True, "'seats' of users is a number .*a truth value"),  # noqa: E712
        (trait("seats").contains("1"), "'seats' of users is a number .*a text"),
        (trait("plan").within_last(days=1), "'plan' of users is a text .*a time"),
        (trait("plan").before("2026-01-01"), "'plan' of users is a text .*a time"),
        (trait("active") > False, "'active' of users is a truth value, which has no order"),
        (event("Paid").sum("colour") > 1, "sum needs a number, and property 'colour' of events is text"),
        (event("Paid").where(prop("amount") == "x").count() > 1, "'amount' of events is a number .*a text"),
        (event("Paid").count() > "1", "is a number .*a text"),
        (event("Paid").min("gift").exists(), "'gift' of events is a truth value, which has no order"),
        (event("Paid").first("tags").exists(), "'tags' of events is list, which cannot be reduced by first"),
        (trait("born").after("0001-01-01"), "0001-01-01 in Europe/Prague lies outside the years 1 to 9999"),
    ],
)
def test_types_that_do_not_compare_are_an_error_that_names_the_column(world: World, where: object, said: str) -> None:
    world.settings["timezone"] = "Europe/Prague"
    world.table("users", "user_id TEXT, plan TEXT, seats INTEGER, active BOOLEAN, born DATE")
    world.events()
    world.handle.execute("ALTER TABLE events ADD COLUMN gift BOOLEAN")
    world.handle.execute("ALTER TABLE events ADD COLUMN tags TEXT[]")
    with pytest.raises(DefinitionError, match=said) as raised:
        world.who(where)  # type: ignore[arg-type]
    assert raised.value.where


def test_unknown_names_say_what_is_near(world: World) -> None:
    world.table("users", "user_id TEXT, plan TEXT")
    world.events()
    with pytest.raises(UnknownName, match="'colours'") as raised:
        world.who(event("Paid").unique("colours").count() > 1)
    assert raised.value.near[0] == "colour"
    with pytest.raises(UnknownName, match="'plam'"):
        world.who(trait("plam") == "x")
