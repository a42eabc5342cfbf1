"""What a preview says beside the size: held against what the members and the traits say themselves."""

from __future__ import annotations

import datetime as dt
import json

import duckdb
import polars as pl
import pytest

import personas_kit as pk
from personas_kit import event, in_audience, previewing, trait
from personas_kit.company import open_demo
from personas_kit.errors import DefinitionError, UnknownName, WarehouseError
from personas_kit.insight import breakdown

BUYERS = "order_completed_last_30days"
germans = pk.Audience("Germans", trait("country") == "DE")
nobody = pk.Audience("Nobody", trait("country") == "nowhere")
broken = pk.Audience("Broken", event("Order Complete").count() >= 1)


@pytest.fixture
def own(tmp_path):
    """A workspace that may be pushed from."""
    opened = open_demo(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def users(demo):
    return demo.warehouse.query("select * from users where created_at <= timestamp '2026-11-01'", {})


def named(parts):
    return {part.name: part for part in parts}


def test_members_are_broken_down_beside_everybody(demo, users):
    found = demo.preview(BUYERS).facets.breakdowns

    (breakdown,) = found
    members = users.join(demo.members(BUYERS), on="user_id", how="semi")
    assert (breakdown.trait, breakdown.chosen) == ("country", True)
    assert sum(part.count for part in breakdown.parts) == members.height == 1_143
    for name in ("US", "GB", "DE"):
        part = named(breakdown.parts)[name]
        assert part.count == members.filter(pl.col("country") == name).height
        assert part.usual == users.filter(pl.col("country") == name).height / users.height
    assert sum(part.usual for part in breakdown.parts) == pytest.approx(1)
    assert breakdown.parts[-1].name == "other"


def test_the_warehouse_is_opened_once(own, monkeypatch):
    own.preview(BUYERS)
    opened, connect = [], duckdb.connect

    def noted(*given, **named):
        opened.append(given)
        return connect(*given, **named)

    monkeypatch.setattr(duckdb, "connect", noted)
    own.preview(BUYERS)

    assert len(opened) == 1


def test_of_many_lines_the_trait_is_chosen_among_some_and_counted_among_all(own, monkeypatch):
    monkeypatch.setattr(breakdown, "FEW_VALUES", 7)  # there are more countries
    few = own.preview(BUYERS).facets.breakdowns
    own._previewing.chosen.clear()
    asked, ask = [], own.warehouse.query

    def query(statement, params, *, tag=""):
        asked.append(statement)
        return ask(statement, params, tag=tag)

    monkeypatch.setattr(own.warehouse, "query", query)
    monkeypatch.setattr(breakdown, "SOME", 500)
    many = own.preview(BUYERS).facets.breakdowns

    assert many == few
    assert few[0].trait == "role"
    some, choice, whole = [each for each in asked if "spread_1" in each]
    assert "LIMIT 501" in some
    assert "t.country" in some
    assert ("users_now.role" in choice, "country" in choice, "DISTINCT" in choice) == (True, False, False)
    assert ("users_now.role" in whole, "country" in whole, "DISTINCT" in whole) == (True, False, True)
    assert asked.index(choice) < asked.index(whole) - 1  # the members are asked for before everybody is


@pytest.mark.parametrize("by", [None, ["created_at", "revenue_90d", "country", "plan"]])
def test_of_many_a_preview_says_what_it_says_of_few(own, monkeypatch, by):
    own.add(germans, nobody)

    def previewed():
        for known in (own._previewing.chosen, own._previewing.seen, own._previewing.beside):
            known.clear()
        asked = [BUYERS, "active_accounts", "revenue_90d", nobody]
        cards = [*own.preview(asked, by=by), *own.preview(asked, by=by), own.preview(BUYERS, as_of="2026-10-15")]
        said = [{**card.to_dict(), "sample": card.sample.to_dicts()} for card in cards]
        return [{name: value for name, value in each.items() if name != "requests"} for each in said]  # of anybody

    few = previewed()
    monkeypatch.setattr(breakdown, "SOME", 5)

    assert previewed() == few


def test_of_many_other_audiences_are_asked_for_when_everybody_is_counted(own, monkeypatch):
    own.add(broken)
    monkeypatch.setattr(breakdown, "SOME", 500)

    found = own.preview(BUYERS)

    assert found.size == 1_143
    assert set(found.facets.overlap.left_out) == {"broken", "active_accounts"}
    monkeypatch.setattr(previewing, "MANY", 7_000)
    assert own.preview(germans).facets.overlap.why == "not previewed yet, and asking would take long"


def test_a_person_says_by_what(demo, users):
    found = demo.preview(BUYERS, by=["marketing_consent", "created_at", "revenue_90d"]).facets.breakdowns

    consent, since, revenue = found
    assert named(consent.parts)["yes"].usual == users.filter("marketing_consent").height / users.height
    assert {part.name[:4] for part in since.parts} <= {"2023", "2024", "2025", "2026"}
    assert sum(part.usual for part in since.parts) == pytest.approx(1)
    spent = demo.members("revenue_90d").filter(pl.col("value") == 0).height
    assert revenue.parts[0].name == "0"
    assert revenue.parts[0].usual == spent / users.height
    assert demo.preview(BUYERS, by=[]).facets.breakdowns == ()
    assert demo.preview(BUYERS, by="COUNTRY").facets.breakdowns[0].trait == "country"


def test_personal_values_are_masked(demo):
    (breakdown,) = demo.preview(BUYERS, by="email").facets.breakdowns

    assert all("•" in part.name or part.name in {"no value", "other"} for part in breakdown.parts)
    assert "example" not in json.dumps(demo.preview(BUYERS, by="email").to_dict())


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("contry", "did you mean 'country'"),
        (["country", "plan"], "there is no trait of users 'plan'"),
        ("user_id", "there is no trait of users 'user_id'"),
        ("revenue_90", "did you mean 'revenue_90d'"),
        ([7], "by= names traits"),
        ("", "there is no trait of users ''"),
    ],
)
def test_what_is_no_trait_is_refused(demo, by, says):
    with pytest.raises((UnknownName, DefinitionError)) as refused:
        demo.preview(BUYERS, by=by)
    assert says in str(refused.value)


def test_a_trait_of_one_kind_is_enough_where_there_are_two(demo):
    users, accounts = demo.preview([BUYERS, "active_accounts"], by=["country", "role", "plan"])

    assert [each.trait for each in users.facets.breakdowns] == ["country", "role"]
    assert [each.trait for each in accounts.facets.breakdowns] == ["country", "plan"]
    with pytest.raises(UnknownName, match="did you mean 'country'"):
        demo.preview([BUYERS, "active_accounts"], by="contry")


def test_everybody_is_not_broken_down_unasked(demo):
    assert demo.preview("revenue_90d").facets.breakdowns == ()
    assert len(demo.preview("revenue_90d", by="country").facets.breakdowns) == 1
    assert demo.preview(nobody).facets.breakdowns == ()


def test_the_trend_is_a_backtest_until_there_are_pushes(own):
    before = own.preview(BUYERS).facets.trend
    for _ in range(3):
        own.plan(BUYERS).push()
        own.clock.move(days=1)
    after = own.preview(BUYERS).facets.trend

    sizes = own.backtest(BUYERS, "2026-10-04", "2026-11-01", every="4d").frame
    assert before.origin == "backtest"
    assert before.points == tuple(sizes.select("at", "size").iter_rows())
    assert after.origin == "pushes"
    assert [at.day for at, _ in after.points] == [1, 2, 3, 4]
    assert [size for _, size in after.points] == [own.members(BUYERS, as_of=at).height for at, _ in after.points]
    assert after.pushed == dt.datetime(2026, 11, 3, tzinfo=dt.UTC)
    assert own.preview(BUYERS, as_of="2026-11-01").facets.trend.origin == "backtest"


@pytest.mark.parametrize("key", [BUYERS, "active_accounts", "nobody"])
def test_a_trend_has_the_sizes_of_a_backtest(own, key):
    own.add(nobody)

    trend = own.preview(key, as_of="2026-11-01").facets.trend

    past = own.backtest(key, "2026-10-04", "2026-11-01", every="4d")
    assert trend.points == tuple(past.frame.select("at", "size").iter_rows())
    assert trend.traits == past.traits


def test_a_past_that_cannot_be_computed_is_said(own, monkeypatch):
    query = own.warehouse.query

    def refuses(statement, params, *, tag=""):
        if "seen AS" in statement:
            raise WarehouseError("too slow today")
        return query(statement, params, tag=tag)

    monkeypatch.setattr(own.warehouse, "query", refuses)
    found = own.preview(BUYERS)

    assert (found.size, found.facets.trend) == (1_143, None)
    assert found.facets.notes == ("no trend: too slow today",)


def test_where_the_members_took_long_the_past_is_left_out(own, monkeypatch):
    monkeypatch.setattr(previewing, "PATIENCE", 0.0)

    facets = own.preview(BUYERS).facets

    assert facets.trend is None
    assert facets.notes == (
        f"no trend: the past takes several times as long as the members took; ws.backtest({BUYERS!r}, ...) computes it",
    )


def test_a_trait_has_no_backtest(demo):
    assert demo.preview("revenue_90d").facets.trend is None


def test_the_overlap_is_with_every_other_audience_of_the_workspace(own):
    own.add(germans, nobody)
    own.preview(germans)

    found = own.preview(BUYERS).facets.overlap

    buyers = set(own.members(BUYERS)["user_id"])
    active = set(own.members("active_accounts", expand="users")["user_id"])
    assert {part.name: part.count for part in found.parts} == {
        "active_accounts": len(buyers & active),
        "germans": len(buyers & set(own.members(germans)["user_id"])),
        "nobody": 0,
    }
    assert found.parts[0].share == found.parts[0].count / len(buyers)
    assert own.preview("active_accounts").facets.overlap.of == "users"


def test_no_plan_is_made_of_what_was_only_looked_at_beside_another(own):
    own.add(germans)
    own.preview(BUYERS)

    assert own.plan(germans, to="analytics").members_from == "the warehouse"
    assert own.plan(BUYERS, to="analytics").members_from.startswith("the preview")


def test_an_audience_that_is_wrong_does_not_stop_the_preview_of_another(own):
    own.add(broken, germans)

    found = own.preview(BUYERS)

    assert found.size == 1_143
    assert set(found.facets.overlap.left_out) == {"broken", "germans", "active_accounts"}
    assert "Order Complete" in found.facets.overlap.why
    with pytest.raises(UnknownName, match="did you mean 'Order Completed'"):
        own.preview("broken")


def test_accounts_bring_users(demo):
    found = demo.preview("active_accounts").facets.accounts

    users = demo.members("active_accounts", expand="users")
    each = users.explode("accounts").group_by("accounts").len()["len"]
    assert (found.accounts, found.users) == (150, users.height)
    assert (found.median, found.most) == (each.median(), each.max())
    assert demo.preview(BUYERS).facets.accounts is None


def test_values_have_a_distribution(demo):
    found = demo.preview("revenue_90d").facets.distribution

    assert found.kind == "bins"
    assert sum(part.count for part in found.parts) == 7_955
    assert demo.preview(BUYERS).facets.distribution is None


def test_the_requests_are_those_of_the_plan(demo):
    found = demo.preview(BUYERS).facets.requests

    planned = demo.plan(BUYERS).payloads(1)
    assert [(each["destination"], each["call"], each["path"]) for each in found] == [
        (each["destination"], each["call"], each["path"]) for each in planned
    ]
    assert "@" not in "".join(each["body"] for each in found)


@pytest.mark.parametrize("key", [BUYERS, "active_accounts", "revenue_90d"])
def test_the_sample_is_the_same_few_of_the_same_members(demo, key):
    sample, members = demo.preview(key).sample, demo.members(key)

    some = members.sort(members.columns[0]).sample(5, seed=0)
    assert sample[some.columns[0]].to_list() == some[some.columns[0]].to_list()
    if "value" in some.columns:
        assert sample["value"].cast(pl.String).to_list() == some["value"].cast(pl.String).to_list()


def test_definitions_are_compared_in_one_statement(demo, monkeypatch):
    tags = []
    query = demo.warehouse.query
    monkeypatch.setattr(demo.warehouse, "query", lambda *given, tag="": (tags.append(tag), query(*given, tag=tag))[1])

    found = demo.preview([BUYERS, "active_accounts", germans])

    assert sum("definitions" in tag for tag in tags) == 1
    assert found.shared[BUYERS, "germans"] == found["germans"].facets.overlap.parts[-1].count
    count, share = found.shared_by("germans", BUYERS)
    assert (count, share) == (found.shared[BUYERS, "germans"], count / found["germans"].size)
    count, share = found.shared_by("active_accounts", BUYERS)
    assert share == count / found["active_accounts"].users
    assert found.shared_by(BUYERS, BUYERS) is None


def test_everything_is_plain_data(demo):
    for found in demo.preview([BUYERS, "active_accounts", "revenue_90d"]):
        document = json.loads(json.dumps(found.to_dict()))
        assert document["english"].endswith(".")
        assert document["size"] == found.size
    assert document["distribution"]["kind"] == "bins"


def test_a_definition_that_refers_to_another_overlaps_with_it(own):
    both = pk.Audience("Both", in_audience(BUYERS) & (trait("country") == "DE"))

    found = own.preview(both).facets.overlap

    assert named(found.parts)[BUYERS].share == 1
