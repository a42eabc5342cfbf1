"""From accounts to users, and from users to what a list holds."""

import datetime as dt

import polars as pl
import pytest

from personas_kit.errors import DefinitionError
from personas_kit.membership import combine_values, expand_to_users, key_problems, list_members

pairs = pl.DataFrame(
    [("ann", "acme", 3), ("ann", "zeta", 5), ("bob", "acme", 3)],
    schema=["user_id", "account_id", "value"],
    orient="row",
)


def test_a_user_of_two_matching_accounts_comes_once_with_both():
    users = expand_to_users(pairs.drop("value"))

    assert users.rows() == [("ann", ["acme", "zeta"]), ("bob", ["acme"])]


def test_values_that_differ_need_a_rule():
    clear, undecided = combine_values(pairs, None)

    assert clear.select("user_id", "value").rows() == [("bob", "3")]
    assert undecided.rows() == [("ann", ["acme", "zeta"], [3, 5])]


def test_a_rule_decides():
    found = {
        rule: dict(combine_values(pairs, rule)[0].select("user_id", "value").iter_rows())
        for rule in ("max", "min", "sum", "list")
    }

    assert found == {
        "max": {"ann": "5", "bob": "3"},
        "min": {"ann": "3", "bob": "3"},
        "sum": {"ann": "8", "bob": "3"},
        "list": {"ann": "[3,5]", "bob": "[3]"},
    }


@pytest.mark.parametrize(
    ("values", "rule", "says"),
    [
        (["a", "b"], "sum", "texts have no sum"),
        ([dt.date(2026, 1, 1), dt.date(2026, 1, 2)], "sum", "times have no sum"),
        ([["a"], ["b"]], "sum", "lists have no sum"),
        ([["a"], ["b"]], "max", "lists have no largest value"),
        ([["a"], ["b"]], "min", "lists have no smallest value"),
    ],
)
def test_a_rule_that_the_values_do_not_know_is_refused(values, rule, says):
    found = pl.DataFrame({"user_id": ["ann"] * 2, "account_id": ["acme", "zeta"], "value": values})

    with pytest.raises(DefinitionError, match=says):
        combine_values(found, rule)


def test_values_missing_in_every_account_stay_missing():
    missing = pairs.with_columns(value=pl.lit(None, pl.Int64))

    assert combine_values(missing, None)[0]["value"].to_list() == [None, None]
    assert combine_values(missing, "sum")[0]["value"].to_list() == [None, None]


def test_two_users_with_one_address_are_one_member_of_a_list():
    users = pl.DataFrame({"user_id": ["ann", "bob", "cid"], "member": ["a@example.com", "a@example.com", None]})

    members, skipped = list_members(users)

    assert members.rows() == [("a@example.com", ["ann", "bob"])]
    assert skipped.rows() == [("cid",)]


def test_missing_and_repeated_ids_are_found_with_examples():
    problems = key_problems(pl.DataFrame({"member": ["a", "b", "a", None, "b", "c"]}))

    assert (problems.nulls, problems.duplicates, problems.examples) == (1, 2, ("a", "b"))
