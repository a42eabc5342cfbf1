"""What there is: names, properties, and the values that occur most often; asked for when somebody looks, and once."""

import datetime as dt
import json

import duckdb
import polars as pl
import pytest

import personas_kit as pk
from personas_kit.company import open_demo
from personas_kit.errors import UnknownName

FILE = """
[warehouse]
type = "duckdb"
path = "shop.duckdb"

[source]
users  = { table = "users", id = "user_id" }
events = { table = "events", name = "event", at = "sent_at", user = "user_id", properties = "document" }
"""
CARTS = [{"sku": "a", "total": 10, "cart": {"size": 1}}, {"sku": "a", "total": 30.5, "cart": {"size": 2}}, {"sku": "b"}]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


@pytest.fixture
def shop(tmp_path):
    """Properties in documents, and what the warehouse is asked."""
    with duckdb.connect(tmp_path / "shop.duckdb") as con:
        con.execute("CREATE TABLE users (user_id TEXT, email TEXT, contact TEXT, plan TEXT)")
        con.execute(
            "INSERT INTO users VALUES ('u1', 'zoe@example.com', 'zoe@example.com', 'pro'), ('u2', '', '', NULL)"
        )
        con.execute("CREATE TABLE events (event TEXT, sent_at TIMESTAMP, user_id TEXT, document JSON)")
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(days=1)
        for document in CARTS:
            con.execute("INSERT INTO events VALUES ('Paid', ?, 'u1', ?)", [now, json.dumps(document)])
    (tmp_path / "personas.toml").write_text(FILE)
    opened = pk.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def asked(demo, monkeypatch):
    """The statements that the warehouse of the demo is asked, beside those that say what there is."""
    demo.source  # noqa: B018  (looked up once)
    statements, query = [], demo.warehouse.query

    def noted(statement, *rest, **named):
        statements.append(statement)
        return query(statement, *rest, **named)

    monkeypatch.setattr(demo.warehouse, "query", noted)
    return statements


def test_a_property_knows_its_most_frequent_values(demo):
    product = demo.events.order_completed["product"]

    found = product.values()

    assert found.schema == {"value": pl.String, "count": pl.Int64, "share": pl.Float64}
    assert found.row(0) == ("reports", 477, 477 / 2114)
    assert demo.events.order_completed.values("product").equals(found)
    assert repr(product) == "property 'product' of 'Order Completed': text, filled 100%"
    assert repr(product.common).startswith("'product': 5 different values: reports 23%, support 21%")


def test_numbers_have_a_spread_and_nothing_else_has(demo):
    event = demo.events.order_completed

    assert event["revenue"].common.spread == {"smallest": 9, "median": 49, "largest": 1490}
    assert event["product"].common.spread is None


def test_a_trait_knows_its_values_a_computed_one_too(demo):
    country, spent = demo.traits.country, demo.traits.revenue_90d

    assert country.values().row(0) == ("US", 2838, 2838 / 7955)
    assert spent.common.total == 7955
    assert float(spent.values()["value"][0]) == 0
    assert demo.accounts.plan.values()["value"].to_list() == ["free", "starter", "growth", "enterprise"]


def test_at_most_fifty_values_are_given(demo):
    found = demo.traits.email.common

    assert (found.frame.height, found.different) == (50, 7806)


def test_a_property_of_an_event_goes_into_a_condition(demo):
    revenue = demo.events.order_completed["revenue"].prop
    big = pk.Audience("Big", demo.events.order_completed.event.where(revenue > 1_000).count() >= 1)

    assert str(big.where) == "event('Order Completed').where(property('revenue') > 1000).count() >= 1"
    assert demo.members(big).height > 0


def test_personal_values_are_masked_where_they_are_shown(demo, shop):
    assert demo.traits.email.common.shown()["value"][0] == "A•••@E•••.Com"
    assert demo.traits.first_name.common.shown()["value"].str.contains("•••").all()
    assert demo.accounts.name.common.shown()["value"][0] == "Alderbrook Analytics"
    assert "example" not in repr(demo.traits.email.common)
    assert shop.traits.contact.common.shown()["value"].to_list() == ["", "z•••@e•••.com"]
    assert shop.traits.contact.values()["value"].to_list() == ["", "zoe@example.com"]


def test_values_in_documents_are_read_by_what_stands_there(shop):
    paid = shop.events.paid

    assert paid.values("sku").rows() == [("a", 2, 2 / 3), ("b", 1, 1 / 3)]
    assert paid["total"].type == "number"
    assert paid["total"].common.spread == {"smallest": 10, "median": 10, "largest": 30.5}
    assert paid.values("cart.size")["value"].to_list() == ["1", "2"]
    assert paid["cart.size"].filled is None


def test_a_missing_value_counts_in_the_share_alone(shop):
    assert shop.traits.plan.values().rows() == [("pro", 1, 0.5)]


@pytest.mark.parametrize(("wrong", "nearest"), [("produkt", "product"), ("cart.size", ""), ("", "")])
def test_an_unknown_property_is_told_the_nearest(demo, wrong, nearest):
    with pytest.raises(UnknownName, match="no property") as told:
        demo.events.order_completed.values(wrong)

    assert nearest in told.value.hint


def test_what_was_looked_up_is_not_asked_again_until_it_is_refreshed(demo, asked):
    demo.events.refresh()
    event = demo.events.order_completed
    assert event.cached == []
    for _ in range(2):
        event.values("product")
        event.properties  # noqa: B018  (looked at)
    assert [each.name for each in event.cached] == event.properties["property"].to_list()
    once = len(asked)
    assert once == 3  # the events, the properties, the values

    demo.events.refresh()
    demo.events.order_completed.values("product")

    assert len(asked) == 2 * once


def test_a_repr_asks_nothing(demo, asked):
    event, trait = demo.events.order_completed, demo.traits.country
    event["product"]
    asked.clear()

    repr(event), repr(event["product"]), repr(trait), repr(demo.events), dir(event)

    assert asked == []
