"""The text language, in and out."""

import pytest
from hypothesis import given

from personas_kit.definitions import all_users, any_user, event, in_audience, no_user, parse, prop, trait
from personas_kit.errors import DefinitionError, SyntaxProblem
from tests.definitions.strategies import expressions

SAYS_THE_SAME = [
    # the text, its canonical form, and the Python that means it
    (
        "event('Order Completed').within(30 days).count() >= 1",
        "event('Order Completed').within(30 days).count() >= 1",
        event("Order Completed").within(days=30).count() >= 1,
    ),
    (
        'event("Shoes Bought").where(property("price") >= 100).within(7 days).count().at_least(1)',
        "event('Shoes Bought').where(property('price') >= 100).within(7 days).count() >= 1",
        event("Shoes Bought").where(prop("price") >= 100).within(days=7).count() >= 1,
    ),
    (
        "event('A').between(10 days, 7 days).count()=0",
        "event('A').between(7 days, 10 days).count() = 0",
        event("A").between(days=(7, 10)).count() == 0,
    ),
    (
        "event('A').within(36 hours).count() > 2",
        "event('A').within(36 hours).count() > 2",
        event("A").within(hours=36).count() > 2,
    ),
    (
        "event('A').mode(property('spend'), 2)",
        "event('A').mode(property('spend'), 2)",
        event("A").most_frequent("spend"),
    ),
    ("event('A').sum('revenue')", "event('A').sum(property('revenue'))", event("A").sum("revenue")),
    (
        "event('A').max(property('x') as string)",
        "event('A').max(property('x') as string)",
        event("A").max(prop("x", "string")),
    ),
    (
        "event('A').unique(property('p')).count() < 3",
        "event('A').unique(property('p')).count() < 3",
        event("A").unique("p").count() < 3,
    ),
    ("trait('vip') = true", "trait('vip') = true", in_audience("vip")),
    ("ANY event('A').count() >= 1", "ANY event('A').count() >= 1", any_user(event("A").count() >= 1)),
    ("not any(trait('x').exists())", "NOT ANY trait('x').exists()", no_user(trait("x").exists())),
    ("ALL NOT trait('x').absent()", "ALL NOT trait('x').absent()", all_users(~trait("x").absent())),
    (
        "trait('a') = 1 OR trait('b') = 2 AND trait('c') = 3",
        "trait('a') = 1 OR trait('b') = 2 AND trait('c') = 3",
        (trait("a") == 1) | ((trait("b") == 2) & (trait("c") == 3)),
    ),
    (
        "(trait('a') = 1 or trait('b') = 2) and not (trait('c') = 3 and trait('d') = 4)",
        "(trait('a') = 1 OR trait('b') = 2) AND NOT (trait('c') = 3 AND trait('d') = 4)",
        ((trait("a") == 1) | (trait("b") == 2)) & ~((trait("c") == 3) & (trait("d") == 4)),
    ),
    (
        "trait('d').before_date('2023-12-07T18:50:00Z')",
        "trait('d').before_date('2023-12-07T18:50:00Z')",
        trait("d").before("2023-12-07T18:50:00Z"),
    ),
    ("trait('d').within_last(7 days)", "trait('d').within_last(7 days)", trait("d").within_last(days=7)),
    (
        "trait('n').contains('shoes', 'shirts')",
        "trait('n').contains('shoes', 'shirts')",
        trait("n").contains("shoes", "shirts"),
    ),
    ("trait('n') = literal(100)", "trait('n') = 100", trait("n") == 100),
    ("trait('it\\'s')  !=  \"a\\\\b\"", "trait('it\\'s') != 'a\\\\b'", trait("it's") != "a\\b"),
]


@pytest.mark.parametrize(("text", "canonical", "python"), SAYS_THE_SAME)
def test_text_and_python_say_the_same(text, canonical, python):
    assert str(parse(text)) == canonical == str(python)


@given(expressions)
def test_whatever_is_printed_reads_back_the_same(expression):
    assert str(parse(str(expression))) == str(expression)


REFUSED = [
    # the text, the column of the caret, what the message says
    ("event('A').cuont() >= 1", 11, "did you mean 'count'"),
    ("evnt('A').count() > 1", 0, "did you mean 'event'"),
    ("event('A') >= 1", 11, "count it first"),
    ("event('A')", 10, "end it in a reducer"),
    ("trait('a') = ", 12, "expected a text in quotes"),
    ("trait('a') = trait('b')", 13, "not yet with another value"),
    ("trait('a') = 'x' ANDD trait('b') = 1", 17, "did you mean 'AND'"),
    ("trait('a') = 'x' & trait('b') = 1", 17, "write AND"),
    ("event('A').count() AND trait('a') = 1", 19, "a value is not a condition yet"),
    ("event('A').where(event('B').count() >= 1).count()", 17, "not available yet"),
    ("event('A').within(parent: 7 days).count()", 18, "not available yet"),
    ("context('page.url') = 'x'", 0, "not available yet"),
    ("event('A').within(30).count() >= 1", 20, "expected days or hours"),
    ("event('A').within(30 fortnights).count()", 21, "no unit"),
    ("event('A').within(0 days).count()", 18, "more than nothing"),
    ("event('A').between(7 days, 7 days).count()", 11, "two different durations"),
    ("trait('a').contains(1)", 11, "takes a text"),
    ("trait('a').before_date('soon')", 11, "not a date"),
    ("(trait('a') = 1", 15, "expected ')'"),
    ("trait('a) = 1", 6, "not closed"),
    ("trait(\u2018a\u2019) = 1", 6, "typographic"),
    ("event('A').mode(property('p'), 0)", 31, "whole number"),
    ("NOT " * 200 + "trait('a') = 1", None, "nested more than"),
]


@pytest.mark.parametrize(("text", "column", "says"), REFUSED)
def test_what_cannot_be_read_is_refused_at_its_place(text, column, says):
    with pytest.raises(SyntaxProblem) as refused:
        parse(text)

    assert says in str(refused.value)
    if column is not None:
        line, caret = refused.value.where.split("\n")
        assert caret.removeprefix(" " * 9).index("^") == column
        assert line == text


def test_the_caret_stands_in_the_right_line_of_many():
    with pytest.raises(SyntaxProblem) as refused:
        parse("trait('a') = 1\n  AND trait('b') == \n  2 3")

    assert refused.value.where == "  2 3\n             ^"


def test_nothing_is_no_definition():
    with pytest.raises(DefinitionError, match="nothing to read"):
        parse("  ")
