"""What stops a plan before the first request: situations, and the guards that fire in them."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field, replace
from typing import get_args

import polars as pl
import pytest

from personas_kit.activation.cadence import Cadence, spell
from personas_kit.activation.causes import WITHDRAWN
from personas_kit.activation.due import Occasion
from personas_kit.activation.figures import Figures, TableFigures, read_figures
from personas_kit.activation.guards import FINAL, Guard, GuardName, for_history, overridden, still_standing
from personas_kit.activation.past import NEVER, PUSHES, Past, past_of
from personas_kit.activation.planning import Draft
from personas_kit.activation.state import SyncState, reject_frame, unknown_frame
from personas_kit.activation.sync import Sync
from personas_kit.activation.wanted import Members, wanted_by
from personas_kit.activation.watching import (
    Watched,
    edited_guards,
    guards_of,
    key_guards,
    size_guards,
)
from personas_kit.definitions import Audience
from personas_kit.definitions.meaning import Meaning
from personas_kit.definitions.vocabulary import event, in_audience, trait
from personas_kit.destinations import Computation, Connection, find
from personas_kit.errors import PlanBlocked
from personas_kit.membership import KeyProblems
from personas_kit.secret import Secret

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
KEY = Secret("env", "KEY")
SEGMENT = find("segment").configure("analytics", {"write_key": KEY})
META = find("facebook-custom-audiences").configure("ads", {"access_token": KEY, "audience_id": "1"})

ORDERS = event("Order Completed").within(days=30).count()
THREE = Meaning(Audience("Vips", ORDERS >= 3), {}).to_text()
FIVE = Meaning(Audience("Vips", ORDERS >= 5), {}).to_text()


def people(count, start=0):
    return [f"u{n:05}" for n in range(start, start + count)]


def events(newest=HOUR, *, pause=None, lines=10_000, columns=None):
    """What a table of events looks like whose newest event is so old; None: none in the last 30 days."""
    at = None if newest is None else NOON - newest
    return {"events": TableFigures(columns or {"user_id": "text"}, lines, events=True, newest=at, pause=pause)}


def users(lines=1_000, **columns):
    return {"users": TableFigures(columns or {"user_id": "text"}, lines)}


@dataclass(frozen=True, kw_only=True)
class Given:
    """These members are wanted where those were acknowledged, ``last`` ago (None: nothing was ever finished)."""

    wanted: list
    acknowledged: list = field(default_factory=list)
    members: int | None = None
    last: dt.timedelta | None = None
    values: list | None = None
    before_values: list = field(default_factory=list)
    connection: Connection = SEGMENT
    target: str = ""
    way: str = "segment"
    call: str = "identify"
    seen_before: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)
    unseen: str = ""
    meaning_before: str = THREE
    meaning: str = THREE
    paused: bool = False
    every: int = 0
    unattended: bool = False
    mode: str = "changes"

    @property
    def state(self):
        finished = self.last is not None
        known = {"member": pl.Series(self.acknowledged, dtype=pl.String)}
        if self.values is not None:
            known["value"] = pl.Series(self.before_values, dtype=pl.String)
        at = NOON - self.last if finished else None
        return SyncState(
            pl.DataFrame(known),
            unknown_frame([], pl.String()),
            reject_frame([], pl.String()),
            target=(self.target or self.connection.target) if finished or self.acknowledged else "",
            fingerprint=fingerprint(self.meaning_before) if finished else "",
            meaning=self.meaning_before if finished else "",
            figures=Figures(self.seen_before, way=self.way).to_text() if finished else "",
            members=len(self.acknowledged) if self.members is None else self.members,
            last_as_of=at,
            last_push=at,
            paused=self.paused,
        )

    @property
    def wanted_now(self):
        found = {"user_id": pl.Series(self.wanted, dtype=pl.String)}
        if self.values is not None:
            found["value"] = pl.Series(self.values, dtype=pl.Int64)
        ids = {"email": "email"} if self.call == "list" else {}
        found |= {column: [f"{user}@example.com" for user in self.wanted] for column in ids}
        members = Members(pl.DataFrame(found), zero_is_empty=self.values is not None)
        return wanted_by(self.call, members, self.connection, ids)


def planned(*, past=NEVER, **given):
    of = Given(**given)
    sync = Sync("vips", of.connection.name, of.call)
    kind = "audience" if of.values is None else "trait"
    figures = Figures(of.seen, unseen=of.unseen)
    occasion = Occasion("plan", NOON, Cadence(of.every), of.unattended, of.mode, figures=figures)
    about = (Computation("vips", kind, "Vips"), fingerprint(of.meaning), of.meaning)
    return Draft(sync, of.connection, *about, of.wanted_now, of.state, occasion, past).plan()


def fingerprint(meaning):
    return hashlib.sha256(meaning.encode()).hexdigest()[:16]


def names(plan):
    return [guard.name for guard in still_standing(plan.guards, ())]


THOUSAND = people(1_000)
BEFORE = {"wanted": THOUSAND, "acknowledged": THOUSAND, "last": DAY}
SCHEDULED = {**BEFORE, "unattended": True, "every": 3_600}
LIST = {"connection": META, "call": "list"}

SITUATIONS = {
    # what is wanted, and what was
    "a first push has no size": ({"wanted": people(5_000)}, []),
    "a first push on a schedule waits for a person": ({"wanted": ["ann"], "unattended": True}, ["first_sync"]),
    "nothing has changed": (BEFORE, []),
    "nobody is wanted any more": ({**BEFORE, "wanted": []}, ["empty_result", "removals"]),
    "nobody of a few is wanted any more": (
        {"wanted": [], "acknowledged": ["ann"], "last": DAY},
        ["empty_result"],
    ),
    "nobody is wanted, and nobody ever was": ({"wanted": [], "last": DAY}, []),
    "a fifth leaves": ({**BEFORE, "wanted": people(800, 200)}, []),
    "more than a fifth leaves": ({**BEFORE, "wanted": people(799, 201)}, ["removals"]),
    "many of a few leave": ({"wanted": ["u00000"], "acknowledged": people(100), "last": DAY}, []),
    "a hundred and one of a few leave": (
        {"wanted": ["u00000"], "acknowledged": people(102), "last": DAY},
        ["removals"],
    ),
    "twice as many enter as there were": ({**BEFORE, "wanted": people(3_000)}, ["total_change"]),
    "half as many more enter": ({**BEFORE, "wanted": people(1_500)}, []),
    "everyone is somebody else": (
        {"wanted": people(2_000, 2_000), "acknowledged": people(2_000), "last": DAY},
        ["removals", "total_change"],
    ),
    "a first push that was killed at a tenth goes on": (
        {"wanted": people(5_000), "acknowledged": people(500), "members": 0},
        [],
    ),
    "a first push that was killed does not empty what it has sent": (
        {"wanted": [], "acknowledged": ["ann", "bob"], "members": 0},
        ["empty_result"],
    ),
    "a push of many who enter, killed at a tenth, goes on": (
        {"wanted": people(1_900), "acknowledged": people(1_090), "members": 1_000, "last": DAY},
        [],
    ),
    "a push of some who leave, killed at a tenth, goes on": (
        {"wanted": people(850), "acknowledged": people(985), "members": 1_000, "last": DAY},
        [],
    ),
    # values
    "every value is another": (
        {**BEFORE, "values": [7] * 1_000, "before_values": ["1"] * 1_000},
        [],
    ),
    "every value became nothing": (
        {**BEFORE, "values": [0] * 1_000, "before_values": ["1"] * 1_000},
        ["empty_result", "removals"],
    ),
    "every value is missing": (
        {**BEFORE, "wanted": [], "values": [], "before_values": ["1"] * 1_000},
        ["empty_result", "removals"],
    ),
    "a few values became nothing": (
        {**BEFORE, "values": [0] * 100 + [1] * 900, "before_values": ["1"] * 1_000},
        [],
    ),
    # ids
    "an id stands twice, and one is missing": ({"wanted": ["ann", "ann", None]}, ["null_members", "duplicate_members"]),
    "an id is no id": ({"wanted": ["ann", "x" * 256]}, ["long_members"]),
    "an id is as long as may be": ({"wanted": ["ann", "x" * 255]}, []),
    # when, and where to
    "as of an instant before the last push": ({**BEFORE, "last": -HOUR}, ["earlier_as_of"]),
    "by hand an event destination takes it at any time": ({**BEFORE, "last": HOUR / 60, "every": 3_600}, []),
    "on a schedule it is not due yet": ({**SCHEDULED, "last": HOUR / 60}, ["interval"]),
    "a list is not due yet, by hand either": (
        {"wanted": THOUSAND, **LIST, "last": HOUR / 2},
        ["interval"],
    ),
    "somebody paused it": ({**BEFORE, "paused": True}, ["paused"]),
    "another account acknowledged it": ({**BEFORE, "target": "another"}, ["destination_changed"]),
    "it went another way": ({**BEFORE, "target": "another", "way": "amplitude"}, ["way_changed"]),
    "another account, on a schedule": (
        {**SCHEDULED, "target": "another"},
        ["destination_changed", "first_sync"],
    ),
    # the definition
    "edited, by hand, and nothing comes from it": ({**BEFORE, "meaning": FIVE}, []),
    "edited, by hand, and somebody leaves": (
        {**BEFORE, "meaning": FIVE, "wanted": people(999)},
        ["definition_edited"],
    ),
    "edited, on a schedule": ({**SCHEDULED, "meaning": FIVE}, ["definition_edited"]),
    "edited, and never pushed before": ({"wanted": THOUSAND, "meaning": FIVE}, []),
    # the source
    "a table lost a half": ({**BEFORE, "seen_before": users(1_000), "seen": users(500)}, ["source_shrank"]),
    "a table lost a tenth": ({**BEFORE, "seen_before": users(1_001), "seen": users(901)}, []),
    "a small table lost a half": ({**BEFORE, "seen_before": users(200), "seen": users(100)}, []),
    "a table is read that was not read before": ({**BEFORE, "seen_before": users(), "seen": events(lines=5)}, []),
    "nobody could count": ({**SCHEDULED, "seen_before": users(), "unseen": "not allowed"}, []),
    "a column is of another type": (
        {**BEFORE, "seen_before": users(age="integer"), "seen": users(age="text")},
        ["columns_changed"],
    ),
    "a column is not read any more": ({**BEFORE, "seen_before": users(age="integer"), "seen": users(plan="text")}, []),
    "events are late, on a schedule": (
        {**SCHEDULED, "seen": events(3 * HOUR, pause=HOUR)},
        ["source_stale"],
    ),
    "events are late, by hand": ({**BEFORE, "every": 3_600, "seen": events(3 * HOUR, pause=HOUR)}, []),
    "events are as late as they are every night": ({**SCHEDULED, "seen": events(8 * HOUR, pause=9 * HOUR)}, []),
    "events are as late as may be": ({**SCHEDULED, "seen": events(2 * HOUR, pause=HOUR)}, []),
    "events are too few to say": ({**SCHEDULED, "seen": events(3 * HOUR)}, []),
    "events without a schedule are two days old": (
        {**SCHEDULED, "every": 0, "seen": events(2 * DAY, pause=DAY)},
        [],
    ),
    "events without a schedule are older": (
        {**SCHEDULED, "every": 0, "seen": events(2 * DAY + HOUR, pause=DAY)},
        ["source_stale"],
    ),
    "events have stopped for more than a month": (
        {**SCHEDULED, "last": 40 * DAY, "seen_before": events(41 * DAY), "seen": events(None)},
        ["source_stale"],
    ),
    "there never were events": ({**SCHEDULED, "seen_before": events(None), "seen": events(None)}, []),
}


@pytest.mark.parametrize(("given", "fire"), SITUATIONS.values(), ids=SITUATIONS)
def test_in_this_situation(given, fire):
    assert names(planned(**given)) == fire


def test_what_is_asked_for_by_hand_is_not_measured():
    """Everyone is to leave, or one person alone: neither their number nor the interval is in question."""
    everyone = planned(**{**BEFORE, "wanted": [], "last": HOUR / 60, "mode": "exits"})
    adopted = planned(**{**BEFORE, "wanted": people(5_000), "mode": "adopt"})

    assert (names(everyone), names(adopted)) == ([], [])


def test_a_full_push_is_not_a_change_of_everyone():
    full = planned(wanted=people(2_000), acknowledged=people(2_000), last=DAY, mode="full")

    assert full.lines.height == 2_000
    assert names(full) == []


def test_whoever_withdrew_leaves_whatever_the_number():
    given = {**BEFORE, "wanted": people(500)}
    plan, wanted = planned(**given), Given(**given).wanted_now
    withdrew = pl.col("member") < "u00850"  # 350 of the 500 who leave

    def watched(lines):
        about = (plan.connection, wanted, plan.state, plan.state, lines, plan.fingerprint, plan.meaning)
        return guards_of(Watched(*about, Figures(), Occasion("p", NOON), NEVER))

    causes = pl.when(withdrew).then(pl.lit(WITHDRAWN)).otherwise("cause")
    assert [guard.name for guard in watched(plan.lines)] == ["removals"]
    assert [guard.name for guard in watched(plan.lines.with_columns(cause=causes))] == []


def test_an_edit_is_told_in_words():
    other = Meaning(Audience("Vips", in_audience("big")), {"big": Audience("Big", trait("seats") > 5)})
    now = Meaning(Audience("Vips", in_audience("big")), {"big": Audience("Big", trait("seats") > 9)})

    (shown,) = planned(**{**BEFORE, "meaning": FIVE}).guards
    (stops,) = planned(**{**SCHEDULED, "meaning": FIVE}).guards
    (inner,) = planned(**{**BEFORE, "meaning_before": other.to_text(), "meaning": now.to_text()}).guards
    assert "no change comes from it now: where was event('Order Completed')" in shown.saw
    assert ">= 3, and is event('Order Completed')" in shown.saw
    assert (shown.stops, stops.stops) == (False, True)
    assert "of 'big', where was trait('seats') > 5, and is trait('seats') > 9" in inner.saw


def test_another_fingerprint_of_the_same_meaning_is_no_edit():
    """As after an update of the kit that takes fingerprints in another way."""
    state = replace(Given(**BEFORE).state, fingerprint="another")

    assert edited_guards(state, fingerprint(THREE), THREE, changes=5, unattended=True) == []
    assert len(edited_guards(replace(state, meaning=""), fingerprint(THREE), THREE, changes=5, unattended=True)) == 1


def test_a_guard_that_is_only_shown_does_not_stop_and_may_be_named():
    late = planned(**{**BEFORE, "every": 3_600, "seen": events(3 * HOUR, pause=HOUR)}).guards

    assert [(guard.name, guard.stops) for guard in late] == [("source_stale", False)]
    assert overridden(late, [], where="vips") == {}
    assert list(overridden(late, ["source_stale"], where="vips")) == ["source_stale"]


def test_a_guard_says_what_is_normal_for_this_sync_by_its_own_history():
    past = Past(pushes=12, left=31, changed=40, fewest=950)
    left, total = size_guards(wanted=100, before=1_000, enter=200, leave=900, past=past)
    (empty,) = size_guards(wanted=0, before=90, enter=0, leave=90, past=replace(past, pushes=1))
    (never,) = size_guards(wanted=100, before=1_000, enter=0, leave=900)

    assert left.saw == "900 of 1,000 would leave (90%); in the last 12 pushes at most 31 left"
    assert total.saw == "1,100 changes against 1,000 members (110%); in the last 12 pushes at most 40 changed"
    assert empty.saw == "nobody is wanted, where 90 were before; in the last push at least 950 were wanted"
    assert never.saw == "900 of 1,000 would leave (90%); normal is at most 20%, or 100"


def run(enters=0, exits=0, sets=0, wanted=1_000, state="done"):
    return {"state": state, "enters": enters, "exits": exits, "sets": sets, "wanted": wanted}


def test_what_is_normal_is_read_from_the_last_pushes_but_for_those_of_everyone():
    usual = [run(5, 31, wanted=1_004), run(9, 3, wanted=990), run(sets=4)]
    others = [run(exits=900, state="blocked"), run(1_000), run(exits=500, state="failed")]
    older = [run(exits=700)] * PUSHES

    assert past_of([*others, *usual]) == Past(pushes=3, left=31, changed=36, fewest=990)
    assert past_of([*usual, *older]).pushes == PUSHES
    assert past_of([]) == NEVER


def test_the_source_is_described_in_words():
    now = {**events(3 * HOUR, pause=HOUR), **users(500)}
    before = {**events(), **users(1_000, user_id="integer")}
    said = {guard.name: guard.saw for guard in planned(**{**SCHEDULED, "seen_before": before, "seen": now}).guards}

    assert said == {
        "columns_changed": "users.user_id was integer, and is text",
        "source_shrank": "users has 500 lines, and had 1,000 at the last push (50% fewer); "
        "normal is at most 10%, or 100, fewer",
        "source_stale": "the newest event of events is 3 h old (2026-11-01 09:00 UTC); "
        "in the 30 days before, the longest pause was 1 h",
    }


def test_what_was_seen_is_remembered_with_the_plan_and_kept_where_nobody_looks():
    seen = {**events(), **users(12, age="integer")}
    looked = planned(**{**BEFORE, "seen": seen})
    exits = planned(**{**BEFORE, "seen_before": seen, "mode": "exits"})

    assert read_figures(looked.figures) == Figures(seen, way="segment")
    assert read_figures(exits.figures) == Figures(seen, way="segment")
    assert read_figures("") == Figures()


def test_missing_and_repeated_ids_cannot_be_overridden_and_the_history_does_not_name_them():
    guards = key_guards(KeyProblems(nulls=2, duplicates=3, examples=("a", "b", "c"), long=4))

    assert [(guard.name, guard.final) for guard in guards] == [
        ("null_members", True),
        ("duplicate_members", True),
        ("long_members", False),
    ]
    assert "such as a, b, c" in guards[1].saw
    assert for_history(guards)["duplicate_members"] == "3 ids occur more than once"
    with pytest.raises(PlanBlocked, match="null_members cannot be overridden"):
        overridden(guards, [guard.name for guard in guards], where="vips")


def test_one_plan_is_overridden_by_name_and_what_stands_is_said_exactly():
    guards = [Guard("removals", "many would leave"), Guard("total_change", "much changes")]

    with pytest.raises(PlanBlocked, match=r"plan\.push\(override=\['removals', 'total_change'\]\)"):
        overridden(guards, ["removals"], where="vips")
    agreed = overridden(guards, {"removals": "the sale is over", "total_change": ""}, where="vips")
    assert agreed["removals"].why == "the sale is over"


def test_the_guards_that_are_final_are_known_by_name():
    missing = planned(wanted=["u1", None])
    paused = planned(wanted=["u1"], paused=True)

    assert {guard.name for plan in (missing, paused) for guard in plan.guards if guard.final} == FINAL & {
        "null_members", "paused",
    }  # fmt: skip
    assert {*get_args(GuardName)} >= FINAL


@pytest.mark.parametrize(
    ("span", "words"),
    [(25 * HOUR / 60, "25 min"), (9 * HOUR, "9 h"), (3 * DAY + 4 * HOUR, "3 d 4 h"), (2 * DAY, "2 d")],
)
def test_a_span_of_time_in_words(span, words):
    assert spell(span) == words
