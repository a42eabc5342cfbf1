"""References are replaced by what they stand for; what stands in the wrong place is refused."""

import pytest

from personas_kit.definitions import (
    AccountAudience,
    AccountTrait,
    Audience,
    Trait,
    account_trait,
    any_user,
    event,
    in_audience,
    prop,
    top,
    trait,
    users,
)
from personas_kit.definitions.expressions import OfAccounts
from personas_kit.definitions.resolve import Traits, resolve
from personas_kit.errors import DefinitionError, UnknownName

SOURCE = Traits(frozenset({"email", "Country"}), frozenset({"kind"}))

buyers = Audience("Buyers", event("Order").count() >= 1)
orders = Trait("Orders", event("Order").count())
seats = AccountTrait("Seats", event("Signed In").unique("user_id").count())
active = AccountAudience("Active", any_user(in_audience("buyers")))
REGISTRY = {definition.key: definition for definition in (buyers, orders, seats, active)}


def resolved(definition, registry=REGISTRY):
    return resolve(definition, registry, SOURCE)


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        (
            Audience("Q", in_audience("buyers") & (trait("country") == "US")),
            "event('Order').count() >= 1 AND trait('country') = 'US'",
        ),
        (Audience("Q", ~in_audience("buyers")), "NOT event('Order').count() >= 1"),
        (Audience("Q", trait("buyers") == False), "NOT event('Order').count() >= 1"),  # noqa: E712
        (Audience("Q", trait("orders") > 3), "event('Order').count() > 3"),
        (Trait("Q", trait("orders")), "event('Order').count()"),
        (
            AccountAudience("Q", in_audience("active") & (trait("seats") > 2)),
            "ANY event('Order').count() >= 1 AND event('Signed In').unique(property('user_id')).count() > 2",
        ),
        (AccountAudience("Q", account_trait("kind") == "company"), "trait('kind') = 'company'"),
        (AccountAudience("Q", any_user(trait("orders") > 3)), "ANY event('Order').count() > 3"),
        (AccountAudience("Q", any_user(account_trait("kind") == "x")), "ANY account_trait('kind') = 'x'"),
    ],
)
def test_references_become_what_they_stand_for(definition, text):
    assert str(resolved(definition)) == text


def test_a_users_condition_on_its_accounts_is_about_some_account():
    found = resolved(Audience("Q", account_trait("kind") == "company"))

    assert isinstance(found, OfAccounts)
    assert str(found.part) == "trait('kind') = 'company'"
    assert isinstance(resolved(Audience("Q", in_audience("active"))), OfAccounts)


@pytest.mark.parametrize(
    "member",
    [Audience("Ours", account_trait("kind") == "company"), Audience("Ours", in_audience("active"))],
)
def test_an_audience_means_the_same_inside_any_of_an_account_as_alone(member):
    registry = {**REGISTRY, "ours": member}

    alone = resolved(member, registry)
    inside = resolved(AccountAudience("Q", any_user(in_audience("ours"))), registry)

    assert isinstance(alone, OfAccounts)  # some account of the user, not the one that is asked about its users
    assert str(inside) == f"ANY {alone}"


def test_a_trait_that_is_an_account_audience_reads_from_a_user_as_some_account():
    assert str(resolved(Audience("Q", ~in_audience("active")))) == "NOT SOME ACCOUNT ANY event('Order').count() >= 1"


def test_a_circle_is_printed():
    registry = {
        "a": Audience("A", in_audience("b")),
        "b": Audience("B", in_audience("c")),
        "c": Audience("C", in_audience("a")),
    }

    with pytest.raises(DefinitionError, match="a -> b -> c -> a"):
        resolved(registry["a"], registry)


def test_a_circle_through_traits_and_of_one_is_printed():
    registry = {"a": Audience("A", trait("t") > 1), "t": Trait("T", trait("t"))}

    with pytest.raises(DefinitionError, match="circle: t -> t") as refused:
        resolved(registry["a"], registry)
    assert "a -> t" not in str(refused.value)


@pytest.mark.parametrize(("length", "fits"), [(50, True), (3_000, False)])
def test_a_long_chain_of_references_is_followed_or_refused(length, fits):
    registry = {"a0": buyers}
    for number in range(1, length + 1):
        registry[f"a{number}"] = Audience(f"a{number}", ~in_audience(f"a{number - 1}"))

    if fits:
        assert str(resolved(registry[f"a{length}"], registry)).endswith("NOT event('Order').count() >= 1")
    else:
        with pytest.raises(DefinitionError, match="nested more than 120 deep"):
            resolved(registry[f"a{length}"], registry)


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (Audience("Q", trait("contry") == "x"), "did you mean 'Country'"),
        (Audience("Q", in_audience("buyer")), "did you mean 'buyers'"),
        (Audience("Q", trait("kind") == "x"), "write account_trait('kind')"),
        (Audience("Q", account_trait("email") == "x"), "write trait('email')"),
        (AccountAudience("Q", trait("email") == "x"), "any_user(trait('email') = 'x')"),
        (AccountAudience("Q", any_user(trait("kind") == "x")), "write account_trait('kind')"),
        (AccountTrait("Q", trait("email")), "is a trait of users"),
        (Trait("Q", trait("buyers")), "has no value"),
        (Audience("Q", prop("x") == 1), "stands outside an event"),
        (Audience("Q", event("X").where(any_user(prop("x") == 1)).count() > 1), "beside the event"),
        (Audience("Email", trait("country") == "x"), "also a trait of the source"),
        (Audience("Q", trait("buyers") > 3), "one is in it or not"),
        (Audience("Q", any_user(trait("country") == "x")), "about a user already"),
        (AccountAudience("Q", in_audience("buyers")), "any_user("),
        (AccountAudience("Q", any_user(any_user(trait("country") == "x"))), "about a user already"),
        (AccountAudience("Q", account_trait("orders") > 1), "about users, not accounts"),
        (Audience("Q", event("X").where(trait("emial") == "x").count() > 1), "did you mean 'email'"),
        (Audience("Q", event("X").where(account_trait("kind") == "x").count() > 1), "beside the event"),
        (Audience("Q", event("X").where(prop(parent="y") == 1).count() > 1), "there is none"),
        (Audience("Q", event("X").within(days=1, parent=True).count() > 1), "there is none"),
        (Audience("Q", event("X").then(event("Y").scope("event")).count() > 1), "the event around"),
        (Audience("Q", event("X").where(event("Y").sum(prop(parent="p")) > 1).count() > 1), "its own event"),
        (Audience("Q", event("X").scope("event").count() > 1), "this is about a user"),
        (Audience("Q", users().count() > 1), "about a user already"),
        (AccountAudience("Q", users().where(users().count() > 1).count() > 1), "about a user already"),
        (AccountAudience("Q", users().where(trait("kind") == "x").count() > 1), "write account_trait('kind')"),
        (Audience("Q", top(3, by=account_trait("kind"), of=trait("email").exists())), "several accounts"),
        (Audience("Q", top(3, by=trait("emial"), of=trait("email").exists())), "did you mean 'email'"),
        (Audience("Q", trait("email") == trait("contry")), "did you mean 'Country'"),
        (Trait("Q", account_trait("kind")), "several accounts"),
        (AccountAudience("Q", any_user(account_trait("seats") > 1)), "take it out of any/all"),
    ],
)
def test_what_is_unknown_or_out_of_place_is_refused(definition, says):
    with pytest.raises(DefinitionError) as refused:
        resolved(definition)

    assert says in str(refused.value)


def test_an_unknown_name_carries_the_nearest_ones():
    with pytest.raises(UnknownName) as refused:
        resolved(Audience("Q", trait("emial") == "x"))

    assert refused.value.near == ["email"]
