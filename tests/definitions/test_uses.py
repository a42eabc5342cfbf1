"""What a definition reads, with the comparison around it and whose it is."""

import pytest

from personas_kit import AccountAudience, AccountTrait, Audience, any_user, event, parse, prop, trait, users
from personas_kit.definitions.uses import events_of, uses_of

READ = [
    # the condition of a user; what is read: of which event or whose, the part around, the reducer
    ("trait('plan') = 'pro'", [("user", "trait('plan') = 'pro'", None)]),
    ("account_trait('kind') = 'x'", [("account", "account_trait('kind') = 'x'", None)]),
    ("event('A').where(property('x') > 1).count() >= 1", [("A", "property('x') > 1", None)]),
    ("event('A').sum('x') >= 3", [("A", "event('A').sum(property('x')) >= 3", "sum")]),
    (
        "event('A').where(property('x') = trait('plan')).count() >= 1",
        [("A", "property('x') = trait('plan')", None), ("user", "property('x') = trait('plan')", None)],
    ),
    (
        "event('A').where(event('B').where(property('y') = property(parent: 'x')).count() >= 1).count() >= 1",
        [("B", "property('y') = property(parent: 'x')", None), ("A", "property('y') = property(parent: 'x')", None)],
    ),
    (
        "trait('a') = 1 AND NOT trait('b').exists()",
        [("user", "trait('a') = 1", None), ("user", "trait('b').exists()", None)],
    ),
    (
        "top(3, by: trait('a'), of: trait('b') = 1)",
        [("user", "trait('a')", None), ("user", "trait('b') = 1", None)],
    ),
]


def said(use):
    return (use.subject if use.events is None else use.events.name, str(use.part), use.reducer)


@pytest.mark.parametrize(("text", "read"), READ)
def test_everything_that_is_read_is_found_with_its_comparison(text, read):
    assert [said(use) for use in uses_of(Audience("A", parse(text)))] == read


def test_an_account_definition_reads_of_its_users_and_of_itself():
    audience = AccountAudience(
        "A", any_user(trait("role") == "x") & (trait("kind") == "y"), unless_user=trait("consent") == False  # noqa: E712
    )  # fmt: skip
    seats = AccountTrait("B", users().where(event("In").count() >= 1).avg("seats"))

    assert [said(use)[0] for use in uses_of(audience)] == ["user", "account", "user"]
    assert [said(use) for use in uses_of(seats)] == [("user", str(seats.value), "avg")]
    assert [stream.name for stream in events_of(seats)] == ["In"]


def test_events_that_follow_are_events_too():
    again = Audience("A", event("A").then(event("B").where(prop("x") == 1).within(days=7)).count() >= 1)

    assert [stream.name for stream in events_of(again)] == ["A", "B"]
