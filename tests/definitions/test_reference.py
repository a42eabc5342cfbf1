"""The examples of Segment's own query language reference (read 2026-11-23): what is read, and what is said otherwise.

https://www.twilio.com/docs/segment/api/public-api/query-language
"""

import pytest

from personas_kit.definitions import parse
from personas_kit.errors import SyntaxProblem

READ = [
    # the example, and how it is printed
    (
        "event('Shoes Bought').where( property('price') >= 100 ).within(7 days).count() >= 1",
        "event('Shoes Bought').where(property('price') >= 100).within(7 days).count() >= 1",
    ),
    (
        "NOT ( event('Shoes Bought').count() >= 1 AND trait('total_spend') > 200 )",
        "NOT (event('Shoes Bought').count() >= 1 AND trait('total_spend') > 200)",
    ),
    (
        "ALL ( event('Shoes Bought').count() >= 1 AND trait('total_spend') > 200 )",
        "ALL (event('Shoes Bought').count() >= 1 AND trait('total_spend') > 200)",
    ),
    ("ALL NOT event('Shoes Bought').count() >= 1", "ALL NOT event('Shoes Bought').count() >= 1"),
    ("ANY event('Shoes Bought').count() >= 1", "ANY event('Shoes Bought').count() >= 1"),
    (
        "event('Shoes Bought').within(30 days).avg(property('spend'))",
        "event('Shoes Bought').within(30 days).avg(property('spend'))",
    ),
    (
        "event('Shoes Bought').where( property('price') > 100 AND property('brand') = 'My Brand' ).min('a')",
        "event('Shoes Bought').where(property('price') > 100 AND property('brand') = 'My Brand').min(property('a'))",
    ),
    (
        "event('Shoes Bought').within(30 days).first(property('spend'))",
        "event('Shoes Bought').within(30 days).first(property('spend'))",
    ),
    (
        "event('Shoes Bought').within(30 days).mode(property('spend'), 2)",
        "event('Shoes Bought').within(30 days).mode(property('spend'), 2)",
    ),
    ("event('E').between(7 days, 10 days).last(property('spend'))",) * 2,
    ("event('E').sum(property('spend'))",) * 2,
    ("event('E').max(property('spend') as string)",) * 2,
    ("event('E').min(property('spend') as number)",) * 2,
    ("event('E').unique(property('spend'))",) * 2,
    ("event('E').unique(property('spend')).count() > 3",) * 2,
    ("trait('t').equals(500)", "trait('t') = 500"),
    ("trait('t') == 500", "trait('t') = 500"),
    ("trait('t').differs(500)", "trait('t') != 500"),
    ("trait('t').greater_than(500)", "trait('t') > 500"),
    ("trait('t').at_least(500)", "trait('t') >= 500"),
    ("trait('t').less_than(500)", "trait('t') < 500"),
    ("trait('t').at_most(500)", "trait('t') <= 500"),
    ("trait('t') != 1 OR trait('t').absent()",) * 2,
    ("trait('t').exists()",) * 2,
    ("trait('t').contains('shoes','shirts')", "trait('t').contains('shoes', 'shirts')"),
    ("trait('t').omits('shoes')",) * 2,
    ("trait('t').starts_with('total')",) * 2,
    ("trait('t').ends_with('total')",) * 2,
    ("trait('t').one_of('shoes','shirts')", "trait('t').one_of('shoes', 'shirts')"),
    ("trait('t').none_of('shoes','shirts')", "trait('t').none_of('shoes', 'shirts')"),
    ("trait('t').before_date(2023-12-07T18:50:00Z)", "trait('t').before_date('2023-12-07T18:50:00Z')"),
    ("trait('t').after_date('2023-12-07T18:50:00Z')",) * 2,
    ("trait('t').within_last(7 days)",) * 2,
    ("trait('t').within_next(7 days)",) * 2,
    ("trait('t').before_last(7 days)",) * 2,
    ("trait('t').after_next(7 days)",) * 2,
    ("trait('t') = literal(100)", "trait('t') = 100"),
    ("trait('t') = literal('value')", "trait('t') = 'value'"),
    ("trait('t') > literal(2022-10-17T00:00:00)", "trait('t') > 2022-10-17T00:00:00Z"),
    ("event('Shoes Bought').where(event('Shoes Returned').within(parent: 5 days).count() >= 1).count() >= 1",) * 2,
    ("event('Shoes Bought').where(property('price') >= trait('avg_spend')).count() >= 1",) * 2,
    ("event('E').where(event('F').where(property('x') = property(parent: 'x')).count() >= 1).count() >= 1",) * 2,
]

LATER = [
    # the example, and the word that the caret stands under
    ("event('E').where(context('page.url') = 'x').count() >= 1", "context"),
    ("event('E').sources({exclude: ['QgRHeujRJBM9j18yChyC']}).count() >= 1", "sources"),
    ("event('E').expires_after(30 days).count() >= 1", "expires_after"),
    ("entity('orders').where(property('total') > 500).count() >= 1", "entity"),
]


@pytest.mark.parametrize(("example", "canonical"), READ)
def test_what_the_reference_writes_is_read(example, canonical):
    assert str(parse(example)) == canonical


@pytest.mark.parametrize(("example", "word"), LATER)
def test_what_is_said_otherwise_is_refused_at_its_word(example, word):
    with pytest.raises(SyntaxProblem) as refused:
        parse(example)

    line, caret = refused.value.where.split("\n")
    assert line[caret.removeprefix(" " * 9).index("^") :].startswith(word)
    assert "not available yet" in refused.value.what
