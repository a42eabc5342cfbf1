"""What Python makes impossible, and what a definition refuses to be."""

import math

import pytest

from personas_kit.definitions import (
    AccountAudience,
    AccountTrait,
    Audience,
    SqlAudience,
    Trait,
    any_user,
    event,
    holdout,
    parse,
    prop,
    split,
    top,
    trait,
    users,
)
from personas_kit.definitions.definition import default_key
from personas_kit.errors import DefinitionError

often = event("Signed In").within(days=30).count() >= 5
german = trait("country") == "DE"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Order Completed last 30days", "order_completed_last_30days"),
        ("Größe & Gewicht!", "gr_e_gewicht"),
        ("30 days", "_30_days"),
        ("  VIP  ", "vip"),
    ],
)
def test_the_key_comes_from_the_name(name, key):
    assert default_key(name) == key
    assert Audience(name, often).key == key


def test_a_name_without_letters_needs_a_key():
    with pytest.raises(DefinitionError, match="no key can be derived"):
        Audience("日本", often)
    assert Audience("日本", often, key="japan").key == "japan"


def test_a_definition_equals_only_itself():
    one, other = Audience("A", german), Audience("A", often)

    assert one != other
    assert len({one, other}) == 2


def test_how_an_event_counts_is_said_in_either_order_and_the_last_word_counts():
    once = event("X").membership("at_event")

    assert str(once.scope("member")) == str(once)
    assert str(once.membership("now")) == str(event("X"))
    assert str(event("X").scope("event").membership("now")) == str(event("X").scope("event"))
    assert str(event("X").scope("event").scope("member")) == str(event("X"))


@pytest.mark.parametrize("key", ["with space", "1st", "a-b", "x" * 256])
def test_a_key_is_plain(key):
    with pytest.raises(DefinitionError, match="cannot be a key"):
        Audience("A", often, key=key)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: often and german,
        lambda: often or german,
        lambda: not often,
        lambda: 1 <= event("A").count() <= 5,
        lambda: bool(german),
    ],
)
def test_python_words_on_conditions_are_refused_with_what_to_write(wrong):
    with pytest.raises(DefinitionError, match=r"combine conditions with & \| ~"):
        wrong()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: often & trait("country") == "DE",
        lambda: trait("country") == "DE" & often,
        lambda: trait("visits") >= 3 & trait("orders") == 2,
        lambda: trait("vip") & often,
        lambda: trait("vip") | trait("country"),
        lambda: ~trait("vip"),
        lambda: True & often,
        lambda: often | 1,
    ],
)
def test_forgotten_parentheses_and_comparisons_are_explained(wrong):
    with pytest.raises(DefinitionError, match="each comparison in parentheses"):
        wrong()


@pytest.mark.parametrize(
    "wrong",
    [lambda: event("X") >= 1, lambda: event("X") == 1, lambda: event("X") & often, lambda: ~event("X")],
)
def test_an_event_that_is_not_counted_is_refused(wrong):
    with pytest.raises(DefinitionError) as refused:
        wrong()

    assert "event('X').count() >= 1" in refused.value.hint


def test_a_condition_is_not_compared_with_true():
    with pytest.raises(DefinitionError, match="true or false by itself"):
        _ = german == True  # noqa: E712


def test_what_is_nested_absurdly_deep_is_refused_when_it_is_defined_and_when_it_is_shown():
    deep = german
    for _ in range(3_000):
        deep = ~deep

    with pytest.raises(DefinitionError, match="nested more than 80 deep") as refused:
        Audience("A", deep)
    assert refused.value.where == "'A'"
    with pytest.raises(DefinitionError, match="nested more than 80 deep"):
        str(deep)
    with pytest.raises(DefinitionError, match="nested more than 80 deep"):
        Trait("T", event("X").where(deep).count())


def test_as_deep_as_is_allowed_can_be_read_back():
    deep = german
    for level in range(78):
        deep = ~deep if level % 2 else any_user(deep)

    assert str(parse(str(deep))) == str(deep)


def test_many_conditions_side_by_side_are_not_deep():
    wide = german
    for number in range(2_000):
        wide = wide | (trait("n") == number)

    assert str(parse(str(wide))) == str(wide)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Audience("A", event("X").count()), "must end in a condition"),
        (lambda: Audience("A", "trait('x') = 1"), "read by parse("),
        (lambda: Trait("T", "event('X').count()"), "read by parse("),
        (lambda: event("X").where("property('p') = 1"), "read by parse("),
        (lambda: Audience("A", True), "ends in a bool"),  # noqa: FBT003
        (lambda: event("X").between(days=5), "two durations"),
        (lambda: event("X").within(days=math.nan), "more than nothing"),
        (lambda: trait("x") == "\ud83d", "half a character"),
        (lambda: trait("\ud83d"), "half a character"),
        (lambda: trait("x") == 10**38, "at most 38 digits"),
        (lambda: trait("x") in ["a", "b"], "one_of"),
        (lambda: Audience("A", event("X")), "neither counted nor reduced"),
        (lambda: AccountAudience("A", trait("x")), "must end in a condition"),
        (lambda: Trait("T", often), "must end in a value"),
        (lambda: AccountTrait("T", event("X")), "must end in a value"),
        (lambda: any_user(event("X").count()), "not a condition yet"),
        (lambda: event("X").where(prop("p")), "not a condition yet"),
        (lambda: event("X").within(days=1, hours=1), "either days= or hours="),
        (lambda: event("X").within(days=-1), "more than nothing"),
        (lambda: event("X").within(days=7).within(days=3), "one window"),
        (lambda: event("X").between(days=(7, 7)), "two different durations"),
        (lambda: event("X").count().count(), "follows an event or unique"),
        (lambda: event(""), "name in quotes"),
        (lambda: trait("x") == None, "exists() or .absent()"),  # noqa: E711
        (lambda: trait("x") == [1, 2], "one_of"),
        (lambda: trait("x") == -math.inf, "finite number"),
        (lambda: trait("x") == event("y"), "not with an event"),
        (lambda: trait("x") == (trait("y") == 1), "not with a condition"),
        (lambda: trait("x").one_of(1, ignore_case=True), "is for texts"),
        (lambda: event("X").scope("everyone"), "takes 'member' or 'event'"),
        (lambda: event("X").scope("event").membership("at_event"), "keep one of"),
        (lambda: event("X").membership("at_event").scope("event"), "keep one of"),
        (lambda: event("X").then("Y"), "take an event"),
        (lambda: event("X").not_then(event("Y")).then(event("Z")), "did not happen"),
        (lambda: prop("x", parent="y"), "takes the name of a property"),
        (lambda: top(0, by=trait("x"), of=german), "1 or more"),
        (lambda: top(3, by=event("X"), of=german), "not by an event"),
        (lambda: split("x", (50, 20)), "the smaller first"),
        (lambda: split("x", 50), "two percentages"),
        (lambda: holdout("x", 0), "a percentage above 0"),
        (lambda: holdout("x", 200), "a percentage above 0"),
        (lambda: holdout("x", "10"), "a percentage above 0"),
        (lambda: holdout("x", 5, by="team"), "'member' or 'account'"),
        (lambda: users().most_frequent("x", at_least=0), "1 or more"),
        (lambda: AccountAudience("A", german, scope="all"), "means nothing"),
        (lambda: AccountAudience("A", german, scope="event", membership="at_event"), "means nothing"),
        (lambda: Audience("A", german, unless=trait("x")), "must end in a condition"),
        (lambda: SqlAudience("A", ""), "there is no SQL"),
        (lambda: SqlAudience("A", "SELECT 1", of="team"), "'user' or 'account'"),
        (lambda: trait("x").before("soon"), "not a date"),
        (lambda: trait("x").contains(""), "not empty"),
        (lambda: prop("x", "money"), "cannot be read as"),
    ],
)
def test_what_means_nothing_is_refused_when_it_is_written(make, says):
    with pytest.raises(DefinitionError) as refused:
        make()

    assert says in str(refused.value)


def test_a_repr_is_the_definition_and_equal_text_is_an_equal_fingerprint():
    one = Audience("A", often & german)

    assert (
        repr(one)
        == "Audience('A', event('Signed In').within(30 days).count() >= 5 AND trait('country') = 'DE', key='a')"
    )
    assert one.fingerprint == Audience("Renamed", often & german).fingerprint
    assert one.fingerprint != Audience("A", often | german).fingerprint
