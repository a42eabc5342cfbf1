"""What people's own tests are made of: a workspace of literal lines that asserts."""

import datetime as dt

import pytest

import personas_kit as pk
from personas_kit import AccountAudience, AccountTrait, Audience, Trait, any_user, event, prop, trait, users
from personas_kit.errors import PersonasError
from personas_kit.testing import happened

ORDER = "Order Completed"
buyers = Audience("Buyers", event(ORDER).within(days=30).count() >= 1)
revenue = Trait("Revenue", event(ORDER).sum("revenue"))
lively = AccountAudience("Lively", any_user(event(ORDER).within(days=30).count() >= 1))


@pytest.fixture
def ws():
    opened = pk.testing.workspace(
        as_of="2026-03-31",
        users={"u1": {"plan": "pro", "email": "u1@example.com"}, "u2": {"plan": "free"}, "u3": {}},
        accounts={"a1": {"seats": 3}, "a2": {}},
        memberships=[("u1", "a1"), ("u2", "a1", "2026-01-01", "2026-03-31"), ("u3", "a2")],
        events=[
            happened("u1", ORDER, "2026-03-30T08:00:00", revenue=20),
            happened("u1", ORDER, dt.date(2026, 3, 1), revenue=2.5, coupon="spring"),
            happened("u2", ORDER, "2026-03-01", revenue=None, account_id="a2"),
        ],
        destinations={"analytics": "segment", "ads": "facebook-custom-audiences", "more": "rudderstack"},
    )
    yield opened
    opened.close()


def test_members_and_values_are_asserted(ws):
    ws.assert_members(buyers, {"u1"})  # (as_of - 30 days, as_of]: the first of March is not in it
    ws.assert_members(Audience("Pro", trait("plan") == "pro"), ["u1"])
    ws.assert_members(lively, {"a1"})
    ws.assert_users(lively, {"u1"})  # u2's membership has ended
    ws.assert_values(revenue, {"u1": 22.5})
    ws.assert_values(Trait("Coupons", event(ORDER).unique("coupon")), {"u1": ["spring"], "u2": None})
    ws.assert_values(AccountTrait("Named", event(ORDER).scope("event").count()), {"a2": 1})


def test_what_is_wrong_says_why(ws):
    with pytest.raises(AssertionError) as wrong:
        ws.assert_members(buyers, {"u2", "u9"})

    said = str(wrong.value)
    assert "missing: u2, u9" in said
    assert "not expected: u1" in said
    assert "u2 is not in 'Buyers'" in said
    assert "1 before the window, the last: e3 at 2026-03-01 00:00:00" in said
    assert "u9 is not among the users" in said
    with pytest.raises(AssertionError, match=r"u1: 22\.5, expected 1"):
        ws.assert_values(revenue, {"u1": 1})
    with pytest.raises(AssertionError, match=r"u1: 22\.5, not expected"):
        ws.assert_values(revenue, {})
    with pytest.raises(AssertionError, match="missing: u2"):
        ws.assert_users(lively, {"u1", "u2"})


def test_time_passes_and_changes_are_asserted(ws):
    ws.assert_changes(buyers, to="analytics", enter={"u1"})
    ws.push(buyers, to="analytics")
    assert ws.sandbox.users()["u1"] == {"buyers": True}
    ws.assert_changes(buyers, to="analytics")

    ws.later(days=20, users={"u2": {"plan": "pro"}, "u4": {}}, events=[happened("u4", ORDER, "2026-04-19")])
    ws.assert_changes(buyers, to="analytics", enter={"u4"})
    ws.later(days=11)
    ws.assert_changes(buyers, to="analytics", enter={"u4"}, leave={"u1"})
    ws.assert_members(Audience("Pro", trait("plan") == "pro"), {"u1", "u2"})
    with pytest.raises(AssertionError, match=r"exit differ:\n  not expected: u1"):
        ws.assert_changes(buyers, to="analytics", enter={"u4"})


def test_payloads_are_asserted(ws):
    ws.assert_payloads(
        buyers,
        [{"batch": [{"type": "identify", "userId": "u1", "traits": {"buyers": True}}]}],
        to="analytics",
        send=["identify"],
    )
    with pytest.raises(AssertionError, match='"userId": "u1"'):
        ws.assert_payloads(buyers, [{"batch": [{"userId": "u2"}]}], to="analytics", send=["identify"])
    with pytest.raises(AssertionError, match="payloads differ"):
        ws.assert_payloads(buyers, [], to="analytics")
    ws.push(buyers, to="ads", list="1", ids={"email": "email"})
    assert len(ws.sandbox.lists()["1"]) == 1
    ws.push(revenue, to="more")
    assert ws.sandbox.users()["u1"]["revenue"] == 22.5


def test_set_values_are_changes(ws):
    ws.assert_changes(revenue, to="analytics", set={"u1": 22.5})
    with pytest.raises(AssertionError, match="set"):
        ws.assert_changes(revenue, to="analytics", set={"u1": 3})


def test_a_file_of_definitions_is_tested_as_it_is(tmp_path):
    (tmp_path / "personas.toml").write_text(
        """
        [warehouse]
        type = "snowflake"
        connection = "production"
        [source]
        timezone = "Europe/Berlin"
        users = { table = "DIM_USERS", id = "ID" }
        events = { table = "FCT", name = "WHAT", at = "OCCURRED", user = "ID", id = "MESSAGE_ID" }
        [destinations.analytics]
        type = "segment"
        write_key = { env = "A_KEY_THAT_NOBODY_SET" }
        [[audience]]
        name = "Buyers"
        where = "event('Order Completed').within(30 days).count() >= 1"
        to = [{ destination = "analytics", send = ["identify"] }]
        """,
        encoding="utf-8",
    )
    ws = pk.testing.workspace(
        as_of="2026-03-31", users=["u1", "u2"], events=[happened("u1", ORDER, "2026-03-30")], definitions=tmp_path
    )

    ws.assert_members("buyers", {"u1"})
    ws.assert_changes("buyers", enter={"u1"})
    ws.push("buyers")
    assert ws.sandbox.users() == {"u1": {"buyers": True}}
    assert "ID" in ws.members("buyers").columns or "user_id" in ws.members("buyers").columns
    ws.close()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"users": {"u1": {"plan": "pro"}, "u2": {"plan": 3}}}, "'plan' has numbers and texts"),
        ({"users": {"u1": {"plan": object()}}}, "is a object"),
        ({"users": {"u1": {"user_id": "u2"}}}, "is the id"),
        ({"users": ["u1"], "memberships": [("u1", "a1")]}, "names 'a1', which is not among the accounts"),
        ({"events": [happened("u1", "A", "yesterday")]}, "'yesterday' is not a date"),
        ({"events": [happened("u1", "A", "2026-01-01", user_id="u2")]}, "is no property here"),
        ({"as_of": "soon"}, "'soon' is not a date"),
        ({"destinations": {"x": "segmend"}}, "did you mean 'segment'"),
    ],
)
def test_slips_are_errors_with_words(how, says):
    with pytest.raises(PersonasError) as refused:
        pk.testing.workspace(**{"as_of": "2026-03-31"} | how)

    assert says in str(refused.value)


def test_a_misspelt_property_is_an_error_not_an_empty_audience(ws):
    with pytest.raises(PersonasError, match="revenue"):
        ws.assert_members(Audience("Big", event(ORDER).where(prop("revenu") > 10).count() >= 1), set())
    with pytest.raises(PersonasError, match="Order Completed"):
        ws.assert_members(Audience("Never", event("Order Complete").count() >= 1), set())


def test_numbers_may_be_ids():
    ws = pk.testing.workspace(as_of="2026-03-31", users=[1, 2], events=[happened(1, ORDER, "2026-03-30")])

    ws.assert_members(buyers, {1})
    with pytest.raises(AssertionError, match="2 is not in"):
        ws.assert_members(buyers, {2})
    ws.close()


def test_explanations_name_users_of_accounts(ws):
    asks = AccountAudience("Half", users().share(trait("plan") == "pro") >= 0.5)

    found = ws.explain(asks, "a1")

    assert found.holds is True
    assert "1 of the users satisfies it: u1" in repr(found)
    assert "as_of" in found.to_dict()


def test_what_is_no_event_is_said():
    with pytest.raises(PersonasError, match="is no event"):
        pk.testing.workspace(as_of="2026-06-30", users={"ann": {}}, events=[("ann", "Paid", "2026-06-29")])
