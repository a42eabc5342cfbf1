"""Audiences and traits of accounts, executed over literal tables."""

from __future__ import annotations

import pytest

from personas_kit.compiler import compile_lookup, compile_memberships, compile_population
from personas_kit.compiler.settings import AccountSettings, UserSettings
from personas_kit.definitions.definition import AccountAudience, AccountTrait, Audience
from personas_kit.definitions.vocabulary import account_trait, all_users, any_user, event, in_audience, no_user, trait
from personas_kit.errors import DefinitionError
from tests.compiler.conftest import AS_OF, World

paid = event("Paid").count() >= 1


@pytest.fixture
def shops(world: World) -> World:
    """a1: both pay; a2: one of two pays; a3: nobody pays; a4: no users. u2 is in two accounts."""
    world.users("u1", "u2", "u3", "u4")
    world.accounts("a1 a2 a3 a4", "u1:a1 u2:a1 u2:a2 u3:a2 u4:a3 ghost:a4 u1:gone")
    world.events(
        "'Paid', 'u1', '2026-03-01', 'e1', 5",
        "'Paid', 'u2', '2026-03-01', 'e2', 7",
        "'Paid', 'ghost', '2026-03-01', 'e3', 9",
    )
    return world


def test_any_all_and_none_of_the_users(shops: World) -> None:
    assert shops.which(any_user(paid)) == "a1 a2"
    assert shops.which(all_users(paid)) == "a1"
    assert shops.which(no_user(paid)) == "a3 a4"
    assert shops.which(all_users(~paid)) == "a3"
    assert shops.which(any_user(~paid)) == "a2 a3"
    assert shops.which(any_user(paid) & ~all_users(paid)) == "a2"
    assert shops.which(no_user(paid) | all_users(paid)) == "a1 a3 a4"


def test_the_list_of_an_account_audience_has_each_user_with_each_account(shops: World) -> None:
    audience = AccountAudience("Payers", any_user(paid))
    expected = [("u1", "a1"), ("u2", "a1"), ("u2", "a2"), ("u3", "a2")]
    assert shops.lines(audience, expand=True) == expected
    assert shops.lines(AccountTrait("Sum", event("Paid").sum("amount")), expand=True) == [
        ("u1", "a1", 12), ("u2", "a1", 12), ("u2", "a2", 7), ("u3", "a2", 7), ("u4", "a3", 0),
    ]  # fmt: skip


def test_an_account_metric_is_over_the_events_of_all_members(shops: World) -> None:
    assert shops.account_values(event("Paid").sum("amount")) == {"a1": 12, "a2": 7, "a3": 0, "a4": 0}
    assert shops.account_values(event("Paid").count()) == {"a1": 2, "a2": 1, "a3": 0, "a4": 0}
    assert shops.account_values(event("Paid").unique("amount")) == {"a1": [5, 7], "a2": [7]}
    assert shops.account_values(event("Paid").last("amount")) == {"a1": 7, "a2": 7}
    assert shops.which(event("Paid").count() >= 2) == "a1"


def test_memberships_are_those_valid_at_the_instant(world: World) -> None:
    world.users("u1", "u2", "u3", "u4")
    world.accounts("a1", "")
    world.handle.execute(
        """INSERT INTO memberships VALUES
        ('u1', 'a1', '2026-03-31 12:00:00', NULL), ('u2', 'a1', '2026-03-31 12:00:01', NULL),
        ('u3', 'a1', NULL, '2026-03-31 12:00:00'), ('u4', 'a1', NULL, '2026-03-31 12:00:01'),
        ('u4', 'a1', '2026-01-01', NULL)"""
    )
    world.events("'Paid', 'u4', '2026-03-01', 'e1', 7")
    statement, params = compile_memberships(world.source, "account", "a1").bound("duckdb", AS_OF)
    assert sorted(world.handle.execute(statement, params).fetchall()) == [("u1", "a1"), ("u4", "a1")]
    assert world.account_values(event("Paid").sum("amount")) == {"a1": 7}  # two memberships, one member


def test_accounts_and_users_exist_from_since_on(world: World) -> None:
    world.table("users", "user_id TEXT, since TIMESTAMP", "'u1', NULL", "'u2', '2026-04-01'")
    world.accounts("a1", "u1:a1 u2:a1 u1:a2")
    world.table("companies", "account_id TEXT, since DATE", "'a1', '2026-03-31'", "'a2', '2026-04-01'")
    world.settings["users"] = UserSettings("users", "user_id", "since")
    world.settings["accounts"] = AccountSettings("companies", "account_id", "since")
    world.events("'Paid', 'u1', '2026-03-01'")
    assert world.which(all_users(paid)) == "a1"
    for subject, size in (("user", 1), ("account", 1)):
        statement, params = compile_population(world.source, subject).bound("duckdb", AS_OF)  # type: ignore[arg-type]
        assert world.handle.execute(statement, params).fetchall() == [(size,)]


def test_traits_of_accounts_and_of_their_users(world: World) -> None:
    world.table("users", "user_id TEXT, role TEXT", "'u1', 'admin'", "'u2', NULL")
    world.accounts("", "u1:a1 u2:a2 u1:a2")
    world.table("companies", "account_id TEXT, plan TEXT", "'a1', 'pro'", "'a2', 'free'", "'a3', NULL")
    world.settings["accounts"] = AccountSettings("companies", "account_id")
    admins = any_user(trait("role") == "admin")
    assert world.which((trait("plan") == "pro") & admins) == "a1"
    assert world.which(account_trait("plan") != "pro") == "a2"
    assert world.which(all_users(trait("role") == "admin")) == "a1"
    # and a user has what some account of theirs has
    assert world.who(account_trait("plan") == "free") == "u1 u2"
    assert world.who(~(account_trait("plan") == "pro")) == "u2"
    registry = {"pros": AccountAudience("Pros", trait("plan") == "pro")}
    assert world.who(in_audience("pros"), registry=registry) == "u1"
    nested = {"pros": AccountAudience("Pros", any_user(trait("role") == "admin"))}
    assert world.who(in_audience("pros") & trait("role").absent(), registry=nested) == "u2"


def test_an_audience_of_users_inside_any(shops: World) -> None:
    registry = {"payers": Audience("Payers", paid)}
    assert shops.which(any_user(in_audience("payers")), registry=registry) == "a1 a2"
    with pytest.raises(DefinitionError, match="user"):
        shops.which(in_audience("payers"), registry=registry)


def test_one_metric_is_computed_once(shops: World) -> None:
    from personas_kit.compiler import compile_definition

    query = compile_definition(AccountAudience("A", any_user(paid) & ~all_users(paid)), shops.source, {})
    assert "count_1 AS" in query.sql("duckdb", AS_OF)
    assert "count_2" not in query.sql("duckdb", AS_OF)


def test_carrying_traits_along(world: World) -> None:
    world.table("users", "user_id TEXT, Email TEXT", "'u1', 'a@example.com'", "'u2', NULL")
    world.accounts("a1", "u1:a1 u2:a1")
    reached = all_users(trait("email").exists()) | any_user(trait("email").exists())
    assert world.lines(AccountAudience("A", reached), expand=True, carry=("email",)) == [
        ("u1", "a1", "a@example.com"), ("u2", "a1", None),
    ]  # fmt: skip
    with pytest.raises(DefinitionError, match="traits of users go with users"):
        world.lines(AccountAudience("A", any_user(trait("email").exists())), carry=("email",))


def test_looking_members_up(world: World) -> None:
    world.table("users", "user_id TEXT, email TEXT, seats INTEGER", "'u1', 'a@example.com', 3", "'u2', NULL, 4")
    query = compile_lookup(world.source, "user", ["u1", "u9"])
    statement, params = query.bound("duckdb", AS_OF)
    assert query.columns == ("user_id", "email", "seats")
    assert world.handle.execute(statement, params).fetchall() == [("u1", "a@example.com", 3)]
    assert "a@example.com" not in statement
    assert "u9" not in statement
    empty, none = compile_lookup(world.source, "user", []).bound("duckdb", AS_OF)
    assert world.handle.execute(empty, none).fetchall() == []


def test_a_source_without_accounts_says_so(world: World) -> None:
    world.users("u1")
    world.events()
    with pytest.raises(DefinitionError, match="no accounts"):
        world.which(any_user(paid))
