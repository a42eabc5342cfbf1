"""The changes of a plan as the state keeps them: without what can be told again, and told again as they were."""

from __future__ import annotations

import dataclasses
import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from personas_kit.activation.message_ids import fresh_ids
from personas_kit.activation.state import Batch, BatchResult
from personas_kit.activation.store import kept as module
from personas_kit.activation.store.kept import kept, whole
from personas_kit.errors import StateError
from tests.activation.conftest import Place
from tests.activation.test_store import BUYERS, head

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
PLAN = "a" * 32
MEMBERS = st.lists(st.tuples(st.text(max_size=5), st.booleans(), st.booleans()), max_size=8, unique_by=lambda x: x[0])


def planned(members: list[tuple[str, bool, bool]]) -> pl.DataFrame:
    """The lines of a plan: members, whether each was unknown, and whether its user's id is another one."""
    names = [name for name, _, _ in members]
    lines = pl.DataFrame(
        {
            "member": names,
            "change": ["enter"] * len(names),
            "value": ["true"] * len(names),
            "user_id": [None if other else name for name, _, other in members],
            "id_email": [f"{name}@example.com" for name in names],
            "timestamp": [NOON] * len(names),
            "was_unknown": [unknown for _, unknown, _ in members],
        },
        schema={
            "member": pl.String, "change": pl.String, "value": pl.String, "user_id": pl.String, "id_email": pl.String,
            "timestamp": pl.Datetime("us", "UTC"), "was_unknown": pl.Boolean,
        },
    )  # fmt: skip
    before = pl.when("was_unknown").then(pl.format("earlier-{}", "member")).otherwise("message_id")
    return lines.with_columns(fresh_ids(lines, PLAN, BUYERS.id)).with_columns(message_id=before)


@given(MEMBERS)
def test_lines_are_told_again_as_they_were(members: list[tuple[str, bool, bool]]) -> None:
    lines = planned(members)

    assert_frame_equal(whole(kept(lines), PLAN, BUYERS.id), lines, check_column_order=False)


def test_only_ids_that_cannot_be_told_are_kept_and_the_first_one_that_can() -> None:
    lines = planned([("ann", True, False), ("bob", False, False), ("cat", False, False), ("dan", True, False)])

    assert "user_id" not in kept(lines).columns
    assert kept(lines)["kept_id"].to_list() == ["earlier-ann", lines["message_id"][1], None, "earlier-dan"]


def test_a_kit_that_would_give_other_ids_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = kept(planned([("ann", True, False), ("bob", False, False)]))
    monkeypatch.setattr(module, "fresh_ids", lambda lines, *_: ("new-" + lines["member"]).alias("message_id"))

    with pytest.raises(StateError, match="another version of the kit has begun this plan"):
        whole(frame, PLAN, BUYERS.id)


def test_what_was_in_flight_is_unknown_by_the_ids_that_it_left_with(place: Place) -> None:
    lines = planned([("ann", True, False), ("bob", False, False), ("cat", False, False)])
    store = place()
    with store.lock(BUYERS):
        store.begin(dataclasses.replace(head(PLAN), derived=True), lines)
        store.advance(PLAN, BUYERS, sending={Batch(0, 2): "digest"})

    begun = place().begun(BUYERS)
    assert begun is not None
    assert_frame_equal(begun.lines, lines, check_column_order=False)
    left = set(lines[:2].select("member", "message_id").iter_rows())
    assert set(place().load(BUYERS).unknown.select("member", "message_id").iter_rows()) == left
    store = place()
    with store.lock(BUYERS):
        store.recover(BUYERS)
    assert set(place().load(BUYERS).unknown.select("member", "message_id").iter_rows()) == left


@pytest.mark.parametrize("at_hand", [True, False])
def test_lines_at_hand_are_folded_as_those_that_are_read(place: Place, at_hand: bool) -> None:
    lines, store = planned([(name, False, False) for name in "abcdef"]), place()
    with store.lock(BUYERS):
        store.begin(head(PLAN), lines)
        store.advance(PLAN, BUYERS, sending={Batch(0, 6): "digest"})
        settled = Batch(0, 6), lines, BatchResult(unknown={1}, rejected={4: "no"})
        store.advance(PLAN, BUYERS, settled=[settled])
        store.fold(PLAN, BUYERS, finished=True, lines=lines if at_hand else None)

    assert set(place().load(BUYERS).acknowledged["member"]) == set("acdf")
