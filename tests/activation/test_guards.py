"""What stops a plan before the first request."""

import datetime as dt

import polars as pl
import pytest

from personas_kit.activation.guards import key_guards, size_guards, time_guards
from personas_kit.activation.planning import Occasion, plan_sync
from personas_kit.activation.state import SyncState
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.destinations import Computation, find
from personas_kit.membership import KeyProblems
from personas_kit.secret import Secret

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
SEGMENT = find("segment").configure("analytics", {"write_key": Secret("env", "KEY")})
SYNC = Sync("vips", "analytics", "identify")


@pytest.mark.parametrize(
    ("before", "enter", "leave", "names"),
    [
        (1_000, 0, 100, []),  # a tenth
        (1_000, 0, 200, []),  # exactly 20 %
        (1_000, 0, 201, ["removals"]),
        (100, 0, 90, []),  # many of a few are not many
        (101, 0, 101, ["removals"]),  # ... up to a hundred
        (10_000, 0, 2_001, ["removals"]),
        (10_000, 5_001, 0, ["total_change"]),
        (10_000, 5_000, 0, []),
        (1_500, 600, 101, []),
        (2_000, 800, 101, []),
        (2_000, 700, 401, ["removals", "total_change"]),
    ],
)
def test_the_two_terms(before, enter, leave, names):
    guards = size_guards(wanted=before + enter - leave or 1, before=before, enter=enter, leave=leave)

    assert [guard.name for guard in guards] == names


def test_nobody_where_somebody_was():
    assert [guard.name for guard in size_guards(wanted=0, before=3, enter=0, leave=3)] == ["empty_result"]
    assert size_guards(wanted=0, before=0, enter=0, leave=0) == []


def test_missing_and_repeated_ids_cannot_be_overridden():
    guards = key_guards(KeyProblems(nulls=2, duplicates=3, examples=("a", "b", "c")))

    assert [(guard.name, guard.final) for guard in guards] == [("null_members", True), ("duplicate_members", True)]
    assert "such as a, b, c" in guards[1].saw


def test_an_instant_before_the_last_push_and_one_that_comes_too_early():
    hour = dt.timedelta(hours=1)

    assert [g.name for g in time_guards(as_of=NOON - hour, last_as_of=NOON, due=NOON + 6 * hour)] == ["earlier_as_of"]
    assert [g.name for g in time_guards(as_of=NOON + hour, last_as_of=NOON, due=NOON + 6 * hour)] == ["interval"]
    assert time_guards(as_of=NOON + 6 * hour, last_as_of=NOON, due=NOON + 6 * hour) == []


def planned(wanted, acknowledged=(), *, members=0, last=None, values=None, unattended=False):
    subjects = pl.DataFrame(
        {"user_id": wanted, **({"value": values} if values else {})}, schema_overrides={"user_id": pl.String}
    )
    found = Members(subjects, zero_is_empty=bool(values))
    before = {"member": pl.Series(acknowledged, dtype=pl.String)}
    if values:
        before["value"] = ["1"] * len(acknowledged)
    empty = {"change": pl.String, "value": pl.String, "message_id": pl.String, "timestamp": pl.Datetime("us", "UTC")}
    state = SyncState(
        pl.DataFrame(before),
        pl.DataFrame(schema={"member": pl.String, **empty}),
        pl.DataFrame(schema={"member": pl.String}),
        target=SEGMENT.target if acknowledged else "",
        members=members,
        last_as_of=last,
    )
    kind = "trait" if values else "audience"
    occasion = Occasion("plan", NOON, 3_600, unattended)
    wanted_now = wanted_by("identify", found, SEGMENT, {})
    return plan_sync(SYNC, SEGMENT, Computation("vips", kind, "Vips"), "f", wanted_now, state, occasion)


def names(plan):
    return [guard.name for guard in plan.guards]


def test_a_first_push_has_no_size():
    assert names(planned([f"u{n}" for n in range(5_000)])) == []


def test_a_first_push_that_nobody_looks_at_is_stopped():
    plan = planned(["ann"], unattended=True)

    assert names(plan) == ["first_sync"]
    assert plan.first


def test_a_push_killed_at_a_tenth_does_not_stop_its_own_resume():
    everyone = [f"u{n:04}" for n in range(5_000)]

    assert names(planned(everyone, everyone[:500])) == []


def test_a_killed_first_push_still_refuses_to_empty_what_it_sent():
    assert names(planned([], ["ann", "bob"])) == ["empty_result"]


def test_sizes_are_those_of_the_last_finished_plan():
    yesterday = NOON - dt.timedelta(days=1)
    before = [f"u{n:04}" for n in range(1_000)]

    assert names(planned(before[300:], before, members=1_000, last=yesterday)) == ["removals"]
    assert names(planned(before[100:], before, members=1_000, last=yesterday)) == []


def test_members_that_occur_twice_stop_everything():
    assert names(planned(["ann", "ann", None])) == ["null_members", "duplicate_members"]


def test_values_are_not_counted_as_members_who_leave():
    many = [f"u{n:04}" for n in range(2_000)]

    assert names(planned(many, many, members=2_000, last=NOON - dt.timedelta(days=1), values=[7] * 2_000)) == []
