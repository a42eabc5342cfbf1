"""An error that only the source can tell says which definition, and underlines the part."""

from dataclasses import replace

import pytest

from personas_kit import AccountAudience, Audience, SqlAudience, Trait, event, in_audience, parse, prop, trait
from personas_kit.compiler import compile_definition, compile_several
from personas_kit.definitions.resolve import Traits, resolve
from personas_kit.errors import DefinitionError, nearest
from tests.corpus import REGISTRY, source_of

SOURCE = replace(source_of("full", upper=False), event_names=("Order Completed", "Order Returned"))
WRONG = [
    # what is written, what is underlined
    ("event('Order Completd').count() >= 1", "event('Order Completd')"),
    ("trait('plan') = 'pro' AND trait('plann') = 'x'", "trait('plann') = 'x'"),
    ("event('Order Completed').where(property('amount') = 'x').count() >= 1", "property('amount') = 'x'"),
    ("event('Order Completed').where(property('amuont') > 1).count() >= 1", "property('amuont')"),
    ("event('Order Completed').sum('amuont') > 1", "property('amuont')"),
    ("ANY trait('plan') = 'pro'", "ANY trait('plan') = 'pro'"),
    ("event('Order Completed').where(trait('plan') > 3).count() >= 1", "trait('plan') > 3"),
    ("account_trait('plan') > 3", "account_trait('plan') > 3"),
    ("top(3, by: trait('plann'), of: trait('plan') = 'pro')", "trait('plann')"),
    ("event('Order Completed').then(event('Order Retrned').within(7 days)).count() >= 1", "event('Order Retrned')"),
]


def refused(definition, registry=REGISTRY):
    with pytest.raises(DefinitionError) as error:
        compile_definition(definition, SOURCE, registry)
    return error.value


def underlined(error):
    """What stands above the carets."""
    *_, line, carets = error.where.split("\n")
    return line[carets.index("^") : len(carets)]


@pytest.mark.parametrize(("text", "part"), WRONG)
def test_the_part_is_underlined_in_the_text_of_the_definition(text, part):
    error = refused(Audience("Named so", parse(text)))

    assert error.definition == "Named so"
    assert error.where.startswith("audience 'Named so'\n")
    assert underlined(error) == part


def test_what_is_wrong_in_another_definition_is_shown_there():
    spend = Trait("Spend", event("Order Completed").sum("amuont"))
    rich = Audience("Rich", trait("spend") > 3)

    error = refused(Audience("Rich and new", in_audience("rich")), {"spend": spend, "rich": rich})

    assert error.where.startswith("audience 'Rich and new', which refers to trait 'Spend'\n")
    assert underlined(error) == "property('amuont')"


def test_unless_is_a_part_of_the_definition():
    kept_out = Audience("A", trait("plan") == "pro", unless=trait("plan") > 3)

    assert underlined(refused(kept_out)) == "trait('plan') > 3"


def test_several_definitions_name_the_one_that_is_wrong():
    fine, wrong = Audience("Fine", trait("plan") == "pro"), AccountAudience("Wrong", trait("plan") > 3)

    with pytest.raises(DefinitionError) as error:
        compile_several([fine, wrong], SOURCE, {})

    assert error.value.where.startswith("account audience 'Wrong'\n")


def test_long_definitions_are_cut_around_the_part():
    many = [trait("plan") == f"plan number {number}" for number in range(20)]
    whole = many[0]
    for each in many[1:10]:
        whole = whole | each
    whole = whole | (event("Order Completed").where(prop("amount") == "x").count() >= 1)
    for each in many[10:]:
        whole = whole | each

    error = refused(Audience("Long", whole))

    assert underlined(error).startswith("property('amount') = 'x'")
    assert max(map(len, error.where.split("\n"))) < 120


def test_a_cycle_names_the_definition_alone():
    one, other = Audience("One", in_audience("other")), Audience("Other", in_audience("one"))

    with pytest.raises(DefinitionError) as error:
        resolve(one, {"one": one, "other": other}, Traits(frozenset(), frozenset()))

    assert error.value.where == "audience 'One'"


def test_names_are_suggested_or_listed():
    near = refused(Audience("A", trait("plam") == "pro"))
    far = refused(Audience("A", event("Order Completed").where(prop("zzz") > 1).count() >= 1))

    assert "did you mean 'plan'?" in near.hint
    assert far.hint.startswith("known: ")
    assert "amount" in far.hint
    assert nearest("zzz", ["amount"]) == []


def test_sql_of_ones_own_is_a_part_that_is_named():
    listed = SqlAudience("Listed", "SELECT user_id FROM userz")

    error = refused(Audience("A", in_audience("listed")), {"listed": listed})

    assert error.where.startswith("audience 'A', which refers to audience 'Listed': the SQL\n")
    assert underlined(error) == "userz"
