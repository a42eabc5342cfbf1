"""What is likely not meant as it is written."""

import re
from pathlib import Path
from typing import get_args

import pytest

from personas_kit import AccountAudience, Audience, all_users, event, parse, trait
from personas_kit.definitions.lint import Code, lint

ROOT = Path(__file__).parents[2]
RULES = ("definitions/lint.py", "insight/data_rules.py")

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
    ("trait('x') = 1 OR NOT trait('x') = 1", ["always_true"]),
    ("NOT trait('x') = 1 OR trait('x') = 1", ["always_true"]),
    ("trait('x') = 1 OR trait('x') != 1", ["differs_missing"]),
    ("trait('x') > 2026-01-02 AND trait('x') < 2026-01-01", ["always_false"]),
    ("trait('x') > 2026-01-01 AND trait('x') < 2026-01-01T08:00:00Z", []),
    ("trait('x') = 2026-01-01 AND trait('x') = 2026-01-01T00:00:00Z", []),
    ("trait('x').equals('a', ignore_case: true) AND trait('x').equals('A', ignore_case: true)", []),
    ("trait('x').equals('a', ignore_case: true) AND trait('x') = 'B'", ["always_false"]),
    ("trait('x').equals('a', ignore_case: true) AND trait('x') < 'B'", []),
    ("trait('x') = 1 AND trait('x') = 1", ["redundant"]),
    ("trait('x') = 1 AND (trait('x') = 1 OR trait('y') = 2)", ["redundant"]),
    ("event('A').within(7 days).count() >= 1 AND event('A').between(7 days, 9 days).count() = 0", ["windows_touch"]),
    ("trait('x').one_of(1, '1')", ["mixed_types"]),
    ("event('A').where(property('x') > 1 AND property('x') = 'one').count() >= 1", ["mixed_types"]),
    ("event('A').where(property('x') = 'one').sum('x') >= 3", ["mixed_types"]),
    ("event('A').where(property('x') > 1).sum('x') >= 3", []),
    ("event('A').where(property('x') = true).count() >= 1 AND event('A').last('x') = 'yes'", ["mixed_types"]),
    ("event('A').where(property('x') > 1).count() >= 1 AND event('B').where(property('x') = 'b').count() >= 1", []),
    ("event('A').where((property('x') as number) > 1 AND property('x') = 'one').count() >= 1", []),
    ("event('A').where(property('x') > 1).unique('x').count() >= 3", []),
    ("event('A').where(property('x') = 'one' AND property('x').within_last(3 days)).count() >= 1", []),
]


@pytest.mark.parametrize(("text", "codes"), WORTH_A_LOOK)
def test_what_is_worth_a_look_is_said_once(text, codes):
    assert [warned.code for warned in lint(Audience("A", parse(text)))] == codes


def test_all_says_what_it_means_for_an_empty_account():
    (warned,) = lint(AccountAudience("A", all_users(event("X").count() >= 1)))

    assert warned.code == "all_empty"
    assert "no_user" in warned.hint
    assert warned.to_dict()["part"] == "ALL event('X').count() >= 1"


def test_a_property_that_is_read_both_ways_says_where():
    both = "event('A').where(property('x') > 1).count() >= 1 AND event('A').first('x') = 'one'"

    (warned,) = lint(Audience("A", parse(both)))

    assert warned.what == "'x' of 'A' is read as numbers and as texts"
    assert warned.part == "property('x') > 1 and event('A').first(property('x')) = 'one'"
    assert "property('x') as number" in warned.hint


def test_whom_unless_user_keeps_out_is_looked_at_too():
    audience = AccountAudience("A", trait("kind") == "x", unless_user=trait("country") != "DE")

    assert [warned.code for warned in lint(audience)] == ["differs_missing"]


def test_the_table_of_the_documentation_has_every_rule_and_no_other():
    text = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    code = "".join((ROOT / "personas_kit" / file).read_text(encoding="utf-8") for file in RULES)

    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)

    assert rows == list(get_args(Code))
    assert set(rows) == set(re.findall(r'Warned\(\s*"(\w+)"', code))
