"""Applying the changes to what was acknowledged gives what is wanted: for any members, values and unknown outcomes."""

import os
import random
from dataclasses import dataclass

import polars as pl
from hypothesis import given, settings
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


def test_the_same_members_and_values_give_the_changes_in_the_same_order():
    wanted, acknowledged = ({f"u{n * step % 97}": str(n) for n in range(60)} for step in (5, 7))
    orders = {
        tuple(value_changes(valued(wanted), valued(acknowledged), people({"u3", "u500"})).rows()) for _ in range(20)
    }

    assert len(orders) == 1


# --------------------------------------------------------------------------------------------------------- the algebra

CASES = 50_000 if os.environ.get("PERSONAS_LONG") else 1_000


@dataclass(frozen=True)
class Case:
    """What is wanted, acknowledged and unknown, by member; ``value`` is True for audiences, JSON text for traits.

    Attributes:
        empty: the value of nothing; None if that is missing, and for audiences.
        numbers: the wanted ids are numbers now, and were texts when they were acknowledged.
        order: shuffles lines.
        share: which of the changes are acknowledged when a push stops: every n-th.
    """

    valued: bool
    wanted: dict
    acknowledged: dict
    unknown: set
    empty: str | None
    numbers: bool
    order: random.Random
    share: int

    def frame(self, members, *, numbers: bool = False) -> pl.DataFrame:
        """A line for each member, in any order."""
        lines = [(str(member), members[member] if self.valued else None) for member in members]
        self.order.shuffle(lines)
        frame = pl.DataFrame(lines, schema={"member": pl.String, "value": pl.String}, orient="row")
        frame = frame.cast({"member": pl.Int64}) if numbers else frame
        return frame if self.valued else frame.select("member")

    def due(self, wanted, acknowledged, unknown) -> pl.DataFrame:
        """The changes."""
        members = self.frame(dict.fromkeys(unknown)).select("member")
        frames = self.frame(wanted, numbers=self.numbers), self.frame(acknowledged), members
        return value_changes(*frames, empty=self.empty) if self.valued else membership_changes(*frames)

    def after(self, acknowledged, changes: pl.DataFrame) -> dict:
        """The acknowledged members once the changes took effect."""
        after = apply_changes(self.frame(acknowledged), changes)
        members = after["member"].cast(pl.String)
        return dict(zip(members, after["value"] if self.valued else [True] * after.height, strict=True))


@st.composite
def cases(draw) -> Case:
    valued, members = draw(st.booleans()), st.integers(0, 12).map(str)
    values = st.sampled_from(["0", "1", "1.5", '"a"', '"null"']) if valued else st.just(value=True)
    missing = st.none() if valued else st.nothing()
    return Case(
        valued=valued,
        wanted=draw(st.dictionaries(members, values | missing)),
        acknowledged=draw(st.dictionaries(members, values)),
        unknown=draw(st.sets(members, max_size=6)),
        empty=draw(st.sampled_from([None, "0"])) if valued else None,
        numbers=draw(st.booleans()),
        order=draw(st.randoms(use_true_random=False)),
        share=draw(st.integers(1, 3)),
    )


def said(changes: pl.DataFrame) -> dict:
    """By member."""
    return {str(member): (change, value) for member, change, value in changes.rows()}


@settings(max_examples=CASES)
@given(cases())
def test_the_changes_lead_to_the_wanted_and_to_nothing_else(case: Case) -> None:
    unheard = case.wanted.keys() - case.acknowledged.keys() - case.unknown
    nothing = {member for member in unheard if case.wanted[member] == case.empty}
    goal = {member: said for member, said in case.wanted.items() if said is not None and member not in nothing}
    changes = case.due(case.wanted, case.acknowledged, case.unknown)
    by_member = said(changes)

    assert len(by_member) == changes.height
    assert case.after(case.acknowledged, changes) == goal
    # who differs, and who is unknown; nobody else
    either = case.acknowledged.keys() | goal.keys()
    differ = {member for member in either if case.acknowledged.get(member) != goal.get(member)}
    assert by_member.keys() == differ | case.unknown
    # again changes nothing, and the order of the lines says nothing
    shuffled = changes.sample(fraction=1, shuffle=True, seed=case.order.randrange(2**32))
    assert case.after(goal, shuffled) == goal
    # a push that stops leaves the rest; nothing if it was through
    stop = changes.gather_every(case.share)
    acknowledged = case.after(case.acknowledged, stop)
    rest = case.due(case.wanted, acknowledged, case.unknown - said(stop).keys())
    assert said(rest) == {member: line for member, line in by_member.items() if member not in said(stop)}
