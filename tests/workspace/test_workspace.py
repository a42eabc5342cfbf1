"""The façade, used as a person uses it."""

import datetime as dt

import polars as pl
import pytest

import personas_kit as pk
from personas_kit import account_trait, any_user, event, in_audience, prop, trait
from personas_kit.company import open_demo
from personas_kit.errors import DefinitionError, DestinationError, UnknownName

BUYERS = "order_completed_last_30days"


@pytest.fixture
def own(tmp_path):
    """A workspace that may be pushed from."""
    opened = open_demo(tmp_path)
    yield opened
    opened.close()


def test_members_of_every_kind(demo):
    shapes = {key: (frame.columns, frame.height) for key, frame in demo.members([*demo.definitions]).items()}

    assert shapes == {
        BUYERS: (["user_id"], 1_143),
        "active_accounts": (["account_id"], 150),
        "revenue_90d": (["user_id", "value"], 7_955),
        "active_seats_30d": (["account_id", "value"], 900),
    }


def test_an_account_audience_expands_to_its_users_with_the_accounts_of_each(demo):
    users = demo.members("active_accounts", expand="users")

    assert users.schema["accounts"] == pl.List(pl.String)
    assert users["user_id"].n_unique() == users.height == 3_638
    assert users["accounts"].list.len().max() >= 2
    with pytest.raises(DefinitionError, match="only account definitions expand"):
        demo.members(BUYERS, expand="users")


@pytest.mark.parametrize(
    "as_of", ["2026-11-02", dt.date(2026, 11, 2), dt.datetime(2026, 11, 2), dt.datetime(2026, 11, 2, tzinfo=dt.UTC)]  # noqa: DTZ001  (naive on purpose)
)  # fmt: skip
def test_a_date_is_midnight_utc_and_a_naive_time_is_utc(demo, as_of):
    assert demo.members(BUYERS, as_of=as_of).height == 1_130


def test_an_instant_that_is_none_is_refused(demo):
    with pytest.raises(DefinitionError, match="'yesterday' is not a date"):
        demo.members(BUYERS, as_of="yesterday")


DEFINITIONS = [
    pk.Audience("Prop", event("Order Completed").where(prop("revenue") > 100).within(days=90).count() >= 1),
    pk.Audience("Window", event("Signed In").between(days=(90, 30)).count() == 0),
    pk.Audience("Avg", event("Order Completed").avg("revenue") > 50),
    pk.Audience("Least", event("Order Completed").min("revenue") < 10),
    pk.Audience("Most", event("Order Completed").max("revenue") >= 1_000),
    pk.Audience("First", event("Order Completed").first("product").exists()),
    pk.Audience("Last", event("Order Completed").last("product") != "x"),
    pk.Audience("Often", event("Page Viewed").most_frequent("page", at_least=3).exists()),
    pk.Audience("Many", event("Page Viewed").unique("page").count() > 3),
    pk.Audience(
        "Nested", (trait("country").one_of("US", "DE") | ~in_audience(BUYERS)) & in_audience("marketing_consent")
    ),
    pk.Audience("Of accounts", in_audience("active_accounts") | (account_trait("plan") == "enterprise")),
    pk.AccountAudience("Any", any_user(trait("country") == "DE")),
    pk.AccountAudience("All", pk.all_users(event("Signed In").within(days=90).count() >= 1)),
    pk.AccountAudience("None", pk.no_user(event("Signed In").within(days=90).count() >= 1)),
    pk.AccountAudience("Seats", trait("active_seats_30d") > 5),
    pk.Trait("Pages", event("Page Viewed").unique("page")),
    pk.Trait("Favourite", event("Page Viewed").most_frequent("page")),
    pk.Trait("Last seen", event("Signed In").last("timestamp")),
    pk.AccountTrait("Revenue", event("Order Completed").within(days=365).sum("revenue")),
]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.key)
def test_whatever_can_be_said_runs_and_its_text_means_the_same(demo, definition):
    found = demo.members(definition)
    again = type(definition)("Again", pk.parse(str(definition.expression)))

    column = found.columns[0]
    assert demo.members(again).sort(column).equals(found.sort(column))
    assert demo.sql(definition, dialect="snowflake").startswith("WITH")
    if definition.is_audience:
        assert 0 < found.height < 8_000


def test_a_plan_reuses_a_preview_of_the_last_five_minutes_and_says_so(own):
    own.preview(BUYERS)
    soon = own.plan(BUYERS)
    other = own.plan(BUYERS, as_of="2026-10-01")
    own.clock.move(hours=0.1)
    late = own.plan(BUYERS)

    assert soon.members_from.startswith("the preview of")
    assert other.members_from == late.members_from == "the warehouse"
    assert late.as_of > soon.as_of


def test_an_edited_definition_is_not_the_one_that_was_previewed(own):
    own.preview(BUYERS)
    own.add(pk.Audience("Order Completed last 30days", event("Order Completed").within(days=7).count() >= 1))

    assert own.plan(BUYERS).members_from == "the warehouse"


def test_an_edited_audience_is_another_meaning_for_those_that_refer_to_it(own):
    few = pk.Audience("Few", in_audience(BUYERS) & (trait("country") == "DE"))
    own.add(few)
    own.plan(few, to="analytics").push()
    own.preview(few)
    own.add(pk.Audience("Order Completed last 30days", event("Order Completed").within(days=7).count() >= 1))
    own.clock.move(hours=0.01)
    plan = own.plan(few, to="analytics")

    assert plan.members_from == "the warehouse"
    assert set(plan.changes["cause"]) == {"upstream audience"}


def test_by_default_a_definition_goes_by_the_calls_that_fit(own):
    def calls(definition, to):
        more = {"list": "7", "ids": {"email": "email"}} if to == "meta" else {}
        return [sync.sync.call for sync in own.plan(definition, to=to, **more).syncs]

    assert calls(pk.Audience("A", trait("country") == "DE"), "analytics") == ["identify", "track"]
    assert calls(pk.AccountAudience("B", trait("plan") == "free"), "analytics") == ["identify", "track", "group"]
    assert calls(pk.Trait("C", event("Signed In").count()), "segment") == ["identify"]
    assert calls(pk.AccountAudience("D", trait("plan") == "free"), "meta") == ["list"]


def test_values_of_several_accounts_need_a_rule(own):
    plan = own.plan("active_seats_30d", to="analytics", send=["identify"])
    ruled = own.plan("active_seats_30d", to="analytics", send=["identify"], combine="max")

    assert [guard.name for guard in plan.guards] == ["undecided_values"]
    assert "combine" in plan.guards[0].saw
    assert ruled.guards == ()


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda ws: ws.plan("revenue_90d", to="meta", list="7"), "cannot take this trait"),
        (lambda ws: ws.plan(BUYERS, to="analytics", send=["list"]), "cannot take this audience by list"),
        (lambda ws: ws.plan(pk.Audience("New", trait("country") == "DE")), "no sync yet"),
        (lambda ws: ws.plan(BUYERS, to="analitics"), "did you mean 'analytics'"),
        (
            lambda ws: ws.plan(
                pk.Audience("New", trait("country") == "DE"), to="meta", list="7", ids={"country": "country"}
            ),
            "country alone identify nobody",
        ),
        (lambda ws: ws.plan(BUYERS, to="meta", ids={"emial": "email"}), "did you mean 'email'"),
        (lambda ws: ws.plan(BUYERS, to="meta", ids={"email": "e_mail"}), "email"),
        (
            lambda ws: ws.plan(pk.Audience("New", trait("country") == "DE"), to="meta", ids={"email": "email"}),
            "personas create-list new --to meta",
        ),
        (lambda ws: ws.preview("buyer"), "there is no audience or trait 'buyer'"),
    ],
)
def test_what_cannot_be_planned_says_what_to_do(demo, ask, says):
    with pytest.raises(pk.PersonasError) as refused:
        ask(demo)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (pk.Audience("Q", event("Order Complete").count() >= 1), "did you mean 'Order Completed'"),
        (pk.Audience("Q", event("Order Completed").sum("revenu") > 1), "did you mean 'revenue'"),
        (pk.Audience("Q", trait("contry") == "DE"), "did you mean 'country'"),
        (pk.Audience("Q", in_audience("active_acounts")), "did you mean 'active_accounts'"),
        (pk.Audience("Q", trait("country") > 5), "country"),
        (pk.Audience("Q", event("Order Completed").where(prop("revenue") == "much").count() > 1), "revenue"),
        (pk.Audience("Q", trait("created_at") > "soon"), "created_at"),
        (pk.Audience("Q", event("Order Completed").sum("product") > 5), "product"),
        (pk.Audience("Email", trait("country") == "DE"), "also a trait of the source"),
    ],
)
def test_a_definition_that_means_nothing_here_is_refused_with_its_name(demo, definition, says):
    with pytest.raises((DefinitionError, UnknownName)) as refused:
        demo.members(definition)

    assert says in str(refused.value)
    assert refused.value.where


def test_a_circle_is_printed(own):
    own.add(pk.Audience("A", in_audience("b")), pk.Audience("B", in_audience("a")))

    with pytest.raises(DefinitionError, match="a -> b -> a"):
        own.preview("a")


def test_a_key_belongs_to_one_kind(own):
    with pytest.raises(DefinitionError, match="belongs to the trait"):
        own.add(pk.Audience("Revenue 90d", trait("country") == "DE", key="revenue_90d"))


def test_a_profile_knows_traits_audiences_accounts_and_what_is_acknowledged(own):
    own.plan(BUYERS).push()
    buyer = own.members(BUYERS)["user_id"].sort()[0]
    found = own.profile(buyer)

    assert found.subject == "user"
    assert found.audiences == {BUYERS: True}
    assert found.traits["revenue_90d"] > 0
    assert set(found.acknowledged) == {
        f"{BUYERS} -> analytics (identify)",
        f"{BUYERS} -> analytics (track)",
        f"{BUYERS} -> meta (list, 120210000000001)",  # found by the hashes of the address and the telephone number
    }
    with pytest.raises(UnknownName, match="no user or account 'u_nobody'"):
        own.profile("u_nobody")


def test_a_schedule_does_what_is_due_and_tells_the_rest(own):
    assert {line.did for line in own.run().lines} == {"blocked"}
    assert {line.did for line in own.run(approve="guards", override=["first_sync"]).lines} == {"pushed"}
    own.clock.move(hours=1)
    hourly = {(line.key, line.destination): line.did for line in own.run(approve="guards").lines}
    own.clock.move(days=1)
    later = {line.did for line in own.run(approve="guards").lines}

    assert hourly[BUYERS, "analytics"] == hourly[BUYERS, "meta"] == "pushed"
    assert hourly["active_accounts", "analytics"] == hourly["revenue_90d", "analytics"] == "not due"
    assert later == {"pushed"}


def test_a_failure_of_one_sync_does_not_stop_the_others(own):
    own.add(pk.Trait("revenue_90d", event("Order Complete").sum("revenue")))
    did = {(line.key, line.did) for line in own.run(approve="guards", override=["first_sync"]).lines}

    assert ("revenue_90d", "failed") in did
    assert (BUYERS, "pushed") in did


def test_results_are_data(own):
    preview, plan = own.preview(BUYERS), own.plan(BUYERS)
    report = plan.push()

    assert preview.to_dict()["size"] == 1_143
    assert plan.changes.columns[:4] == ["member", "change", "value", "cause"]
    assert report.changes.filter(pl.col("outcome") != "acknowledged").height == 0
    assert report.skipped == plan.skipped.height == 28
    assert "1,143 of 7,955 users (14.4%)" in repr(preview)


def test_nothing_personal_and_no_secret_is_in_any_repr(own):
    preview, plan = own.preview(BUYERS), own.plan(BUYERS)
    shown = " ".join(
        str(part)
        for thing in (own, preview, plan, own.config.destinations, plan.push())
        for part in (repr(thing), getattr(thing, "_repr_html_", lambda: "")())
    )

    addresses = own.members(BUYERS).join(_emails(own), on="user_id")["email"].drop_nulls()
    assert not [address for address in addresses if address in shown]
    assert "demo-write-key" not in shown
    assert "demo-access-token" not in shown


def _emails(workspace):
    return workspace.warehouse.query("select user_id, email from users", {})


def test_a_preview_shows_the_change_at_a_destination_that_was_named_by_hand(own):
    germans = pk.Audience("Germans", trait("country") == "DE")
    assert own.preview(germans).changes == ()
    own.plan(germans, to="analytics", send=["identify"]).push()
    own.clock.move(days=1)
    (change,) = own.preview(germans).changes

    assert (change.sync.destination, change.sync.call, change.first) == ("analytics", "identify", False)
    assert 0 <= change.enter < 50


def test_a_plan_that_cannot_be_made_leaves_previews_as_they_were(own):
    with pytest.raises(DestinationError, match="cannot take this audience by list"):
        own.plan(BUYERS, to="analytics", send=["list"])

    assert {change.sync.call for change in own.preview(BUYERS).changes} == {"identify", "track", "list"}
