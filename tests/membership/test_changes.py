"""Applying the changes to what was acknowledged gives what is wanted: for any members, values and unknown outcomes."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.membership import membership_changes, value_changes
from personas_kit.membership.changes import apply_changes

members = st.sets(st.integers(0, 12).map("u{}".format))
values = st.dictionaries(st.integers(0, 12).map("u{}".format), st.sampled_from(["0", "1", "1.5", '"a"', None]))


def people(ids) -> pl.DataFrame:
    return pl.DataFrame({"member": sorted(ids)}, schema={"member": pl.String})


def valued(by_member) -> pl.DataFrame:
    rows = sorted(by_member.items())
    return pl.DataFrame(rows, schema={"member": pl.String, "value": pl.String}, orient="row")


def as_dict(frame: pl.DataFrame) -> dict:
    return dict(frame.select("member", "value").iter_rows())


def test_who_enters_and_who_leaves():
    due = membership_changes(people({"ann", "bob"}), people({"bob", "cid"}), people(set()))

    assert due.select("member", "change").rows() == [("cid", "exit"), ("ann", "enter")]


def test_a_member_with_an_unknown_outcome_is_due_again_whatever_was_acknowledged():
    due = membership_changes(people({"ann"}), people({"ann"}), people({"ann", "bob"}))

    assert sorted(due.select("member", "change").rows()) == [("ann", "enter"), ("bob", "exit")]


@given(members, members, members)
def test_applying_the_changes_gives_the_wanted_members(wanted, acknowledged, unknown):
    due = membership_changes(people(wanted), people(acknowledged), people(unknown))

    after = apply_changes(people(acknowledged), due)
    assert sorted(after["member"]) == sorted(wanted)
    assert due["member"].n_unique() == due.height
    assert unknown <= set(due["member"])


@given(members)
def test_nothing_is_due_when_nothing_changed(wanted):
    assert membership_changes(people(wanted), people(wanted), people(set())).height == 0


@given(values, values, members)
def test_applying_the_changes_gives_the_wanted_values(wanted, acknowledged, unknown):
    acknowledged = {member: value for member, value in acknowledged.items() if value is not None}
    due = value_changes(valued(wanted), valued(acknowledged), people(unknown))

    after = as_dict(apply_changes(valued(acknowledged), due))
    assert after == {member: value for member, value in wanted.items() if value is not None}
    assert due["member"].n_unique() == due.height
    assert unknown <= set(due["member"])


def test_a_first_push_leaves_out_empty_values_and_a_later_return_to_empty_is_sent():
    first = value_changes(valued({"ann": "0", "bob": "3"}), valued({}), people(set()), empty="0")
    later = value_changes(valued({"ann": "0", "bob": "0"}), valued({"bob": "3"}), people(set()), empty="0")

    assert first.select("member", "value").rows() == [("bob", "3")]
    assert later.select("member", "value").rows() == [("bob", "0")]


def test_a_value_that_became_missing_is_set_to_null_once():
    gone = value_changes(valued({"ann": None}), valued({"ann": "3"}), people(set()))
    after = apply_changes(valued({"ann": "3"}), gone)

    assert gone.select("member", "value").rows() == [("ann", "null")]
    assert value_changes(valued({"ann": None}), after, people(set())).height == 0


def test_ids_that_changed_their_type_are_compared_as_text():
    numbers = pl.DataFrame({"member": [1, 2]})

    assert membership_changes(numbers, people({"1", "3"}), people(set())).select("member", "change").rows() == [
        ("3", "exit"),
        ("2", "enter"),
    ]
