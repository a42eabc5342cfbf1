"""The preview's card: the numbers of the text, in the order of importance, and nothing in a colour that is nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import personas_kit as pk
from personas_kit import event, trait
from personas_kit.activation.sync import Sync
from personas_kit.company import open_demo
from personas_kit.facets import Breakdown, Distribution, Facets, Overlap, Part, percent
from personas_kit.notebook import html
from personas_kit.notebook.preview_card import change_line
from personas_kit.preview import SyncChange
from tests.notebooks.sanitizer import problems

BUYERS = "order_completed_last_30days"
germans = pk.Audience("Germans", trait("country") == "DE")
idle = pk.Audience("Idle", (event("Signed In").within(days=60).count() == 0) & (trait("country") == "DE"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The company, a day after its first push, with more audiences."""
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    opened.plan(BUYERS).push()
    opened.clock.move(days=1)
    opened.add(germans, idle)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def cards(demo):
    return {
        "buyers": demo.preview(BUYERS),
        "accounts": demo.preview("active_accounts"),
        "numbers": demo.preview("revenue_90d"),
        "texts": demo.preview(pk.Trait("Favourite", event("Page Viewed").most_frequent("page"))),
        "times": demo.preview(pk.Trait("Last seen", event("Signed In").last("timestamp"))),
        "by": demo.preview(BUYERS, by=["email", "created_at", "revenue_90d", "marketing_consent"]),
        "nobody": demo.preview(pk.Audience("Nobody", trait("country") == "nowhere")),
        "several": demo.preview([BUYERS, "active_accounts", germans, "revenue_90d"]),
        "none": demo.preview([]),
    }


KINDS = ["buyers", "accounts", "numbers", "texts", "times", "by", "nobody", "several", "none"]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_it_is_removed_by_a_sanitizer(cards, kind):
    assert problems(cards[kind]._repr_html_()) == []


def plain(card):
    return " ".join(re.sub(r"<[^>]+>", " ", card).split())


def test_card_and_line_have_the_same_numbers(cards):
    for kind in ("buyers", "accounts"):
        found, shown = cards[kind], plain(cards[kind]._repr_html_())
        for part in [*found.facets.breakdowns[0].parts[:3], *found.facets.overlap.parts[:3]]:
            said = f"{part.name} {percent(part.share)}"
            assert said in repr(found)
            assert f"{said} {part.count:,}" in shown
        assert f"to {found.facets.trend.points[-1][1]:,} (backtest)" in repr(found)
        assert "Last 28 days: backtest" in shown
        assert "\n" not in repr(found)


def test_it_says_in_words_what_it_shows(cards):
    shown = plain(cards["buyers"]._repr_html_())

    assert "Users for whom this holds: they did &#x27;Order Completed&#x27; at least once in the last 30 days." in shown
    assert "country tick: all users" in shown
    assert "Overlap share of this audience also in" in shown
    assert "Overlap share of its users also in" in plain(cards["accounts"]._repr_html_())
    assert "dashed: last push" in shown
    assert "Payload samples analytics, meta; as a push would send them, personal data masked" in shown


def test_what_nobody_is_in_is_shown_as_nothing(cards):
    found = cards["nobody"]

    assert [part.count for part in found.facets.overlap.parts] == [0, 0, 0, 0]
    assert "0 of 7,981 users (0.0%)" in repr(found)
    assert "Sample members" not in found._repr_html_()


def change(enter, leave, put=0, *, first=False):
    return SyncChange(Sync("a", "crm", "identify"), enter, leave, put, first)


@pytest.mark.parametrize(
    ("counts", "shown", "colours"),
    [
        ((3, 2), "crm · identify +3 \N{MINUS SIGN}2", [html.GREEN, html.RED]),
        ((3, 0), "crm · identify +3", [html.GREEN]),
        ((0, 2), "crm · identify \N{MINUS SIGN}2", [html.RED]),
        ((0, 0), "crm · identify no change", []),
        ((0, 0, 7), "crm · identify 7 set", [html.GREEN]),
    ],
)
def test_only_what_changes_has_a_colour(counts, shown, colours):
    made = change_line(change(*counts))

    assert plain(made) == shown
    assert re.findall(r"color:(#\w+)", made) == colours


def test_nobody_leaves_in_red(cards):
    for kind in ("accounts", "several"):
        assert f"{html.MINUS}0" not in cards[kind]._repr_html_()
    shown = cards["accounts"]._repr_html_()
    assert f"color:{html.RED}" not in shown


def test_several_definitions_stand_side_by_side_and_unfold(cards):
    found, shown = cards["several"], plain(cards["several"]._repr_html_())

    assert shown.startswith("4 definitions compared")
    count, share = found.shared_by(BUYERS, "germans")
    assert f"{share:.0%} {count:,}" in shown
    assert f"{count:,} in {BUYERS} and germans" in repr(found)
    for card in found:
        assert f"{card.size:,}" in shown
        assert f"{card.definition.name} {card.size:,} of {card.population:,}" in shown
    assert cards["several"]._repr_html_().count("Compiled SQL") == 4


def test_one_of_several_is_its_own_card(demo):
    assert "compared" not in demo.preview([BUYERS])._repr_html_()


def test_values_are_bins_or_bars(cards):
    assert "Values how many have which" in plain(cards["numbers"]._repr_html_())
    assert "Values share of those who have one" in plain(cards["texts"]._repr_html_())
    assert "2026-10" in plain(cards["times"]._repr_html_())


def test_the_card_stays_small(cards):
    assert len(cards["buyers"]._repr_html_()) < 40_000


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\u202e<b>", "a\nb"]
)
def test_a_hostile_value_stays_text(cards, hostile):
    part = Part(hostile, 1, 0.5, 0.5)
    facets = Facets(
        english=hostile,
        breakdowns=(Breakdown(hostile, (part,)),),
        overlap=Overlap((part,), left_out=(hostile,), why=hostile),
        distribution=Distribution((part,), "values"),
        trend=replace(cards["buyers"].facets.trend, traits=(hostile,)),
        requests=(dict.fromkeys(("destination", "call", "method", "path", "body"), hostile),),
        notes=(hostile,),
    )
    for found in (facets, replace(facets, distribution=Distribution((part,), "bins"))):
        shown = replace(cards["buyers"], facets=found)._repr_html_()
        assert problems(shown) == []
        assert "<script" not in shown
        assert "\u202e" not in shown
