"""What is told about a sync, from the lines of its history."""

import pytest

from personas_kit.activation.notices import notices_of, remembered
from personas_kit.activation.sync import Sync

VIPS = Sync("vips", "ads", "list", "1")


def ran(state, why="", guards=None, **counts):
    nothing = dict.fromkeys(("acknowledged", "rejected", "unknown", "accepted", "unsent", "held"), 0)
    return {"plan_id": "p", "state": state, "why": why, "guards": guards or {}, "reasons": {}, **nothing, **counts}


def told(before, *lines):
    """The sentence and the command, for a sync that ran so, newest first; None where nothing is told."""
    notices = notices_of([VIPS], {VIPS.id: lines}, {VIPS.id: before} if before else {})
    return (notices[0].now, notices[0].said, notices[0].command) if notices else None


@pytest.mark.parametrize(
    ("before", "line", "said"),
    [
        ("", ran("done"), None),
        ("", ran("planned"), None),
        ("", ran("partial", unknown=3), None),
        (
            "",
            ran("failed", "it has expired\n  where: x"),
            ("failed", "it has expired", "personas history"),
        ),
        (
            "",
            ran("interrupted", "nobody answers", unsent=9),
            ("interrupted", "nobody answers", "personas push vips --to ads"),
        ),
        (
            "",
            ran("partial", acknowledged=7, rejected=3, reasons={"gone": 3}),
            ("rejects", "7 acknowledged, refused: 3 gone", "personas history"),
        ),
        (
            "failed",
            ran("blocked", guards={"removals": "9 of 10 would leave"}),
            (
                "blocked",
                "stopped by removals: 9 of 10 would leave",
                "personas push vips --to ads --override removals",
            ),
        ),
        (
            "",
            ran("blocked", guards={"paused": "a person paused it"}),
            ("blocked", "stopped by paused: a person paused it", "personas status"),
        ),
        (
            "",
            ran("blocked", guards={"columns_changed": "users.plan is gone"}) | {"plan_id": ""},
            ("blocked", "stopped by columns_changed: users.plan is gone", "personas status"),
        ),
        (
            "blocked removals",
            ran("done", acknowledged=4),
            ("ok", "goes again, where it was blocked; 4 acknowledged", ""),
        ),
        ("blocked removals", ran("blocked", guards={"removals": "another number"}), None),
        ("failed", ran("failed", "another reason"), None),
        ("rejects", ran("partial", rejected=5, reasons={"another": 5}), None),
    ],
)
def test_a_sync_is_told_of_where_its_state_is_another_one(before, line, said):
    assert told(before, line) == said


def test_what_was_only_planned_since_changes_nothing():
    assert told("failed", ran("planned"), ran("failed", "as before")) is None
    assert told("", ran("planned"), ran("failed", "no"))[0] == "failed"


def test_a_sync_that_is_not_configured_any_more_is_nobodys_trouble():
    assert notices_of([], {VIPS.id: [ran("failed", "no")]}, {}) == []


def test_addresses_in_a_reason_are_masked_and_a_long_one_is_cut():
    _, said, _ = told("", ran("failed", f"jane.doe@example.com is wrong {'x' * 900}"))

    assert "jane.doe" not in said
    assert len(said) == 500


def test_guards_are_remembered_in_one_order():
    assert remembered(ran("blocked", guards={"b": "", "a": ""})) == "blocked a,b"
