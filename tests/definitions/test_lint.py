"""What is likely not meant as it is written."""

import pytest

from personas_kit import AccountAudience, Audience, all_users, event, parse
from personas_kit.definitions.lint import lint

WORTH_A_LOOK = [
    # the condition, and the rules that speak up
    ("event('A').count() >= 1", []),
    ("trait('plan') != 'pro'", ["differs_missing"]),
    ("NOT trait('plan') = 'pro'", []),
    ("trait('plan') != 'pro' OR trait('plan').absent()", []),
    ("trait('plan') != 'pro' AND trait('x') = 1", ["differs_missing"]),
    ("event('A').count() != 3", []),
    ("NOT (event('A').count() >= 1 AND trait('x') = 1)", ["not_and"]),
    ("event('A').count() >= 0", ["always_true"]),
    ("event('A').count() < 0", ["always_false"]),
    ("trait('x') = 1 AND trait('x') = 2", ["always_false"]),
    ("trait('x') > 5 AND trait('x') < 5", ["always_false"]),
    ("trait('x') >= 5 AND trait('x') <= 5", []),
    ("trait('x') = 5 AND trait('x') < 5", ["always_false"]),
    ("trait('x').absent() AND trait('x') = 5", ["always_false"]),
    ("trait('x').exists() OR trait('x').absent()", ["always_true"]),
    ("trait('x') = 1 OR NOT trait('x') = 1", []),
    ("trait('x') = 1 AND trait('x') = 1", ["redundant"]),
    ("trait('x') = 1 AND (trait('x') = 1 OR trait('y') = 2)", ["redundant"]),
    ("event('A').within(7 days).count() >= 1 AND event('A').between(7 days, 9 days).count() = 0", ["windows_touch"]),
    ("trait('x').one_of(1, '1')", ["mixed_types"]),
]


@pytest.mark.parametrize(("text", "codes"), WORTH_A_LOOK)
def test_what_is_worth_a_look_is_said_once(text, codes):
    assert [warned.code for warned in lint(Audience("A", parse(text)))] == codes


def test_all_says_what_it_means_for_an_empty_account():
    (warned,) = lint(AccountAudience("A", all_users(event("X").count() >= 1)))

    assert warned.code == "all_empty"
    assert "no_user" in warned.hint
    assert warned.to_dict()["part"] == "ALL event('X').count() >= 1"
