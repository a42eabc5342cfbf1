"""Users in several accounts, and tables that hold things several times: nobody is counted twice, nobody is lost."""

from __future__ import annotations

import pytest

from personas_kit.compiler.settings import AccountSettings, EventSettings, MembershipSettings
from personas_kit.definitions.definition import AccountAudience, AccountTrait, Audience, Trait
from personas_kit.definitions.vocabulary import account_trait, all_users, any_user, event, no_user, prop, trait
from personas_kit.errors import ConfigError
from tests.compiler.conftest import World

paid = event("Paid").count() >= 1


def crowd(world: World) -> None:
    """u1 is in two accounts, u2 in three (one of which is gone), u3 in none."""
    world.users("u1", "u2", "u3")
    world.accounts("a1 a2 a3", "u1:a1 u1:a2 u2:a2 u2:a3 u2:gone ghost:a1")


def test_a_user_of_several_accounts_counts_in_each(world: World) -> None:
    crowd(world)
    world.events("'Paid', 'u1', '2026-03-01'", "'Paid', 'u2', '2026-03-01'", "'Paid', 'u2', '2026-03-02'")

    assert world.which(any_user(paid)) == "a1 a2 a3"
    assert world.which(all_users(event("Paid").count() >= 2)) == "a3"
    assert world.account_values(event("Paid").count()) == {"a1": 1, "a2": 3, "a3": 2}
    assert world.account_values(event("Paid").unique("user_id").count()) == {"a1": 1, "a2": 2, "a3": 1}


def test_a_list_has_a_user_once_for_every_account_that_brought_them_in(world: World) -> None:
    crowd(world)
    world.events("'Paid', 'u1', '2026-03-01'")

    lines = world.lines(AccountAudience("A", any_user(paid)), expand=True)

    assert lines == [("u1", "a1"), ("u1", "a2"), ("u2", "a2")]


def test_a_membership_that_overlaps_itself_is_one(world: World) -> None:
    world.users("u1")
    world.table("accounts", "account_id TEXT", "'a1'")
    world.settings["accounts"] = AccountSettings("accounts", "account_id")
    world.table(
        "memberships",
        "user_id TEXT, account_id TEXT, valid_from TIMESTAMP, valid_to TIMESTAMP",
        "'u1', 'a1', '2026-01-01', '2026-06-01'",
        "'u1', 'a1', '2026-02-01', NULL",
        "'u1', 'a1', '2026-02-01', NULL",
        "'u1', 'a1', NULL, '2026-01-01'",
    )
    world.settings["memberships"] = MembershipSettings("memberships", "user_id", "account_id", "valid_from", "valid_to")
    world.events("'Paid', 'u1', '2026-03-01'")

    assert world.account_values(event("Paid").count()) == {"a1": 1}
    assert world.lines(AccountAudience("A", any_user(paid)), expand=True) == [("u1", "a1")]


def test_without_validity_a_membership_holds_always(world: World) -> None:
    world.users("u1", "u2")
    world.table("accounts", "account_id TEXT", "'a1'", "'a2'")
    world.table("memberships", "user_id TEXT, account_id TEXT", "'u1', 'a1'", "'u2', 'a1'", "'u1', 'a1'")
    world.settings["accounts"] = AccountSettings("accounts", "account_id")
    world.settings["memberships"] = MembershipSettings("memberships", "user_id", "account_id")
    world.events("'Paid', 'u1', '2026-03-01'")

    assert world.which(any_user(paid)) == "a1"
    assert world.which(all_users(paid)) == ""
    assert world.which(no_user(paid)) == "a2"


def test_duplicates_in_every_table_change_nothing(world: World) -> None:
    twice = ("'u1', 'pro'", "'u1', 'pro'", "'u2', NULL", "'u2', NULL")
    world.table("users", "user_id TEXT, plan TEXT", *twice)
    world.table("accounts", "account_id TEXT, kind TEXT", "'a1', 'company'", "'a1', 'company'")
    world.table("memberships", "user_id TEXT, account_id TEXT", *["'u1', 'a1'"] * 3, "'u2', 'a1'")
    world.settings["accounts"] = AccountSettings("accounts", "account_id")
    world.settings["memberships"] = MembershipSettings("memberships", "user_id", "account_id")
    world.identities(*["'u1', 'anonymous_id', 'x', '2026-01-01'"] * 2)
    world.events(
        "'Paid', 'u1', '2026-03-01', 'e1'", "'Paid', 'u1', '2026-03-01', 'e1'", "'Paid', 'u2', '2026-03-01', 'e2'"
    )

    assert world.who(trait("plan") == "pro") == "u1"
    assert world.who(event("Paid").count() == 1) == "u1 u2"
    assert world.which(account_trait("kind") == "company") == "a1"
    assert world.account_values(event("Paid").count()) == {"a1": 2}
    assert world.lines(Audience("A", (account_trait("kind") == "company") & paid)) == [("u1",), ("u2",)]
    assert world.lines(AccountAudience("A", any_user(paid)), expand=True) == [("u1", "a1"), ("u2", "a1")]


@pytest.mark.parametrize("reducer", ["count", "unique"])
def test_a_trait_has_one_value_for_each_user_however_often_they_are_listed(world: World, reducer: str) -> None:
    world.users("u1", "u1", "u2")
    world.events("'Paid', 'u1', '2026-03-01', 'e1', 5", "'Paid', 'u1', '2026-03-01', 'e2', 5")
    value = event("Paid").count() if reducer == "count" else event("Paid").unique("amount").count()

    lines = world.lines(Trait("T", value))

    assert lines == [("u1", 2 if reducer == "count" else 1), ("u2", 0)]


def test_an_account_trait_has_one_value_however_often_the_account_is_listed(world: World) -> None:
    world.users("u1")
    world.table("accounts", "account_id TEXT", "'a1'", "'a1'")
    world.table("memberships", "user_id TEXT, account_id TEXT", "'u1', 'a1'")
    world.settings["accounts"] = AccountSettings("accounts", "account_id")
    world.settings["memberships"] = MembershipSettings("memberships", "user_id", "account_id")
    world.events("'Paid', 'u1', '2026-03-01'")

    assert world.lines(AccountTrait("T", event("Paid").count())) == [("a1", 1)]


@pytest.mark.parametrize(
    ("users", "events", "said"),
    [
        ("BIGINT", "TEXT", "users.user_id is integer and events.user_id is text"),
        ("TEXT", "BIGINT", "users.user_id is text and events.user_id is integer"),
        ("UUID", "TEXT", "users.user_id is uuid and events.user_id is text"),
        ("TEXT", "DATE", "users.user_id is text and events.user_id is date"),
    ],
)
def test_ids_of_two_types_are_an_error_that_names_both(world: World, users: str, events: str, said: str) -> None:
    world.table("users", f"user_id {users}")
    world.events()
    world.handle.execute(
        f'DROP TABLE events; CREATE TABLE events (event TEXT, user_id {events}, "at" TIMESTAMP, id TEXT)'
    )

    with pytest.raises(ConfigError) as raised:
        world.who(paid)

    assert said in raised.value.what
    assert "cast one of them in a view" in raised.value.hint


def test_numbers_of_two_kinds_are_ids_of_one_type(world: World) -> None:
    world.table("users", "user_id BIGINT", "1", "2")
    world.events()
    world.handle.execute("DROP TABLE events")
    world.table(
        "events", 'event TEXT, user_id DECIMAL(18, 0), "at" TIMESTAMP, id TEXT', "'Paid', 2, '2026-03-01', 'e1'"
    )

    assert world.who(paid) == "2"


def test_the_account_on_an_event_is_a_property_of_it(world: World) -> None:
    world.users("u1")
    world.table(
        "events",
        'event TEXT, user_id TEXT, "at" TIMESTAMP, id TEXT, account TEXT',
        "'Paid', 'u1', '2026-03-01', 'e', 'a9'",
    )
    world.settings["events"] = EventSettings(
        "events", name="event", at="at", user="user_id", id="id", account="account"
    )

    assert world.who(event("Paid").where(prop("account") == "a9").count() >= 1) == "u1"
    assert world.who(event("Paid").where(prop("account") == "a1").count() >= 1) == ""
