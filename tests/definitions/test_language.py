"""The text language, in and out."""

import datetime as dt
import enum

import pytest
from hypothesis import given

from personas_kit.definitions import (
    all_users,
    any_user,
    event,
    holdout,
    in_audience,
    no_user,
    parse,
    prop,
    split,
    top,
    trait,
    users,
)
from personas_kit.definitions.expressions import And, Compare, Not, OfUsers, Or
from personas_kit.definitions.streams import Events, Reduced
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
        "event('A').then(event('B').within(7 days)).count() >= 1",
        "event('A').where(event('B').within(parent: 7 days).count() >= 1).count() >= 1",
        event("A").then(event("B").within(days=7)).count() >= 1,
    ),
    (
        "event('A').then(event('B')).not_then(event('C').within(3 days)).count()",
        "event('A').where(event('B').where(NOT event('C').within(parent: 3 days).count() >= 1).count() >= 1).count()",
        event("A").then(event("B").not_then(event("C").within(days=3))).count(),
    ),
    (
        "event('A').where(property('x') = 1).then(event('B')).count()",
        "event('A').where(property('x') = 1 AND event('B').count() >= 1).count()",
        event("A").where((prop("x") == 1) & (event("B").count() >= 1)).count(),
    ),
    (
        "event('A').where(event('B').where(property('x') > property(parent: 'y')).sum('z') > 1).count()",
        "event('A').where(event('B').where(property('x') > property(parent: 'y')).sum(property('z')) > 1).count()",
        event("A").where(event("B").where(prop("x") > prop(parent="y")).sum("z") > 1).count(),
    ),
    (
        "trait('p').equals('Pro', ignore_case: true) and trait('q').contains('a', \"b\", ignore_case: true)",
        "trait('p').equals('Pro', ignore_case: true) AND trait('q').contains('a', 'b', ignore_case: true)",
        trait("p").equals("Pro", ignore_case=True) & trait("q").contains("a", "b", ignore_case=True),
    ),
    (
        "trait('a') = 1 except trait('b') = 2",
        "trait('a') = 1 AND NOT trait('b') = 2",
        (trait("a") == 1).except_(trait("b") == 2),
    ),
    (
        "users().where(trait('plan') = 'pro').count() >= 3 OR users().share(event('A').count() >= 1) >= 0.5",
        "users().where(trait('plan') = 'pro').count() >= 3 OR users().share(event('A').count() >= 1) >= 0.5",
        (users().where(trait("plan") == "pro").count() >= 3) | (users().share(event("A").count() >= 1) >= 0.5),
    ),
    ("users().mode('plan', 3)", "users().mode(trait('plan'), 3)", users().most_frequent("plan", at_least=3)),
    (
        "top(10, by: event('A').sum('x'), of: trait('vip') = true, smallest: true)",
        "top(10, by: event('A').sum(property('x')), of: trait('vip') = true, smallest: true)",
        top(10, by=event("A").sum("x"), of=in_audience("vip"), smallest=True),
    ),
    (
        "split('spring', 0, 50, by: account) AND NOT holdout('spring', 12.5)",
        "split('spring', 0, 50, by: account) AND NOT holdout('spring', 12.5)",
        split("spring", (0, 50), by="account") & ~holdout("spring", 12.5),
    ),
    ("event('A').scope('event').count()", "event('A').scope('event').count()", event("A").scope("event").count()),
    (
        "event('A').membership('at_event').unique(property('x') as array)",
        "event('A').membership('at_event').unique(property('x') as list)",
        event("A").membership("at_event").unique(prop("x", "list")),
    ),
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


@given(expressions)
def test_whatever_is_printed_reads_back_as_an_equal_tree(expression):
    assert same(parse(str(expression)), expression)


def same(one, other):
    """Equality of trees down to the types of the constants; ``==`` on nodes makes conditions."""
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Compare | And | Or | Not | OfUsers | Events | Reduced) or hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__)
    return repr(one) == repr(other)


@pytest.mark.parametrize(
    ("constant", "printed"),
    [
        (dt.date(2026, 3, 1), "2026-03-01"),  # in quotes it would be a text
        (dt.datetime(2026, 3, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2026-03-01T06:00:00Z"),
        (dt.datetime(2026, 3, 1, 8, 0, 0, 5), "2026-03-01T08:00:00.000005Z"),  # noqa: DTZ001  (naive is UTC)
        ("2026-03-01", "'2026-03-01'"),
        ("it's\na \\ tab\t", r"'it\'s\na \\ tab\t'"),
        ("\0\u2028", r"'\u0000\u2028'"),  # can be pasted into a file as it is
        (1e22, "1e+22"),
        (-3, "-3"),
        (True, "true"),
        (enum.IntEnum("Level", {"HIGH": 3}).HIGH, "3"),
        (enum.StrEnum("Plan", {"PRO": "pro"}).PRO, "'pro'"),
    ],
)
def test_a_constant_is_printed_so_that_its_type_is_kept(constant, printed):
    condition = trait("t") == constant

    assert str(condition) == f"trait('t') = {printed}"
    assert same(parse(str(condition)), condition)


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("24 hours", "1 day"),
        ("1 hour", "1 hour"),
        ("1.5 days", "36 hours"),
        ("1.1 hours", "3960 seconds"),  # not 3960.0000000000005
        ("90 seconds", "90 seconds"),
    ],
)
def test_a_duration_is_whole_days_else_hours_else_seconds(written, printed):
    assert str(parse(f"event('A').within({written}).count()")) == f"event('A').within({printed}).count()"


REFUSED = [
    # the text, the column of the caret, what the message says
    ("event('A').cuont() >= 1", 11, "did you mean 'count'"),
    ("evnt('A').count() > 1", 0, "did you mean 'event'"),
    ("event('A') >= 1", 11, "count it first"),
    ("event('A')", 10, "end it in a reducer"),
    ("trait('a') = ", 12, "expected a text in quotes"),
    ("trait('a') = 'x' ANDD trait('b') = 1", 17, "did you mean 'AND'"),
    ("trait('a') = 'x' & trait('b') = 1", 17, "write AND"),
    ("event('A').count() AND trait('a') = 1", 19, "a value is not a condition yet"),
    ("event('A').where(event('B')).count()", 27, "an event is not a condition yet"),
    ("event('A').then(trait('b')).count()", 16, "expected an event"),
    ("event('A').not_then(event('B')).then(event('C')).count()", 32, "did not happen"),
    ("event('A').scope('users').count()", 11, "takes 'member' or 'event'"),
    ("event('A').membership('event').count()", 11, "takes 'now' or 'at_event'"),
    ("top(0, by: trait('a'), of: trait('b') = 1)", 4, "a whole number, 1 or more"),
    ("top(3, trait('a'), trait('b') = 1)", 7, "expected 'by:'"),
    ("top(3, by: event('a'), of: trait('b') = 1)", 21, "expected a value"),
    ("split('x', 50, 20)", 0, "the smaller first"),
    ("split('x', 0, 50, by: team)", 0, "'member' or 'account'"),
    ("holdout('x', 101)", 0, "at most 100"),
    ("users().first('a')", 8, "no function of a stream of users"),
    ("users() > 3", 8, "count it first"),
    ("users().share('a')", 14, "expected event(...)"),
    ("trait('a').equals('x', ignore_case: false)", 36, "expected true"),
    ("trait('a') = property(parent 'x')", 22, "expected a text in quotes"),
    ("trait('a') EXCEPT", 11, "a value is not a condition yet"),
    ("context('page.url') = 'x'", 0, "not available yet"),
    ("event('A').within(30).count() >= 1", 20, "expected days or hours"),
    ("event('A').within(30 fortnights).count()", 21, "no unit"),
    ("event('A').within(0 days).count()", 18, "more than nothing"),
    ("event('A').between(7 days, 7 days).count()", 11, "two different durations"),
    ("trait('a').contains(1)", 11, "takes a text"),
    ("trait('a').before_date('soon')", 23, "not a date"),
    ("trait('a').before_date(2026-13-01)", 23, "not a date"),
    ("trait('a').before_date('0001-01-01T00:00+02:00')", 23, "outside the years"),
    ("trait('a').omits('x', 'y')", 20, "expected ')'"),
    ("trait('') = 1", 6, "takes a name"),
    ("event('').count()", 6, "takes a name"),
    ("event('A').sum('')", 15, "takes a name"),
    ("trait('a') = 1e999", 13, "finite"),
    ("trait('a') = 1" + "0" * 38, 13, "at most 38 digits"),
    ("trait('a') = null", 13, ".absent()"),
    ("100 < trait('a')", 0, "stands on the right"),
    ("true", 0, "stands on the right"),
    ("in_audience('x')", 0, "write trait('key') = true"),
    ("no_user(trait('x') = 1)", 0, "write NOT ANY"),
    ("AND trait('x') = 1", 0, "between two conditions"),
    ("NOT trait('vip')", 16, "trait('vip') = true"),
    ("event('A').equals(3)", 11, "count it first"),
    ("event('A').count().within(3 days)", 19, "follows an event"),
    ("event('A').count >= 1", 17, "write count("),
    ("event('A').within(1e999 days).count()", 18, "at most 100 years"),
    ("event('A').within(0.5 seconds).count()", 18, "whole seconds"),
    (r"trait('a') = 'C:\data'", 16, "escapes nothing"),
    (r"trait('a') = '\ud83d'", 13, "half a character"),
    ("trait('a') \u2265 1", 11, "write >="),
    ("(trait('a') = 1", 15, "expected ')'"),
    ("trait('a) = 1", 6, "not closed"),
    ("trait(\u2018a\u2019) = 1", 6, "typographic"),
    ("event('A').mode(property('p'), 0)", 31, "whole number"),
    ("(" * 200 + "trait('a') = 1" + ")" * 200, None, "nested more than"),
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


def test_a_quote_that_is_not_closed_is_found_in_its_own_line():
    with pytest.raises(SyntaxProblem) as refused:
        parse("trait('a) = 1\r\nAND trait('b') = 2")

    assert "not closed" in refused.value.what
    assert refused.value.where == "trait('a) = 1\n               ^"


@pytest.mark.parametrize(
    ("text", "columns"),
    [("\ttrait('x') = foo", 14), ("trait('\u6570') = foo", 14), ("trait('e\u0301') = foo", 13)],
)
def test_the_caret_stands_under_the_character_after_tabs_and_wide_letters(text, columns):
    with pytest.raises(SyntaxProblem) as refused:
        parse(text)

    line, caret = refused.value.where.split("\n")
    assert "\t" not in line
    assert caret == " " * (9 + columns) + "^"


def test_a_long_line_is_shown_around_the_caret():
    with pytest.raises(SyntaxProblem) as refused:
        parse(" AND ".join(["trait('a') = 1"] * 50) + " AND oops")

    line, caret = refused.value.where.split("\n")
    assert line[caret.removeprefix(" " * 9).index("^") :] == "oops"
    assert len(line) <= 100


def test_nothing_is_no_definition():
    with pytest.raises(DefinitionError, match="nothing to read"):
        parse("  ")
