"""What can be chosen in the builder: bounded, masked, looked up once, and only where somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from personas_kit.company import open_demo
from personas_kit.notebook.builder import offers as module
from personas_kit.notebook.builder.offers import Offers, about_name
from personas_kit.workspace import Workspace


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.close()


@pytest.fixture
def offers(demo: Workspace) -> Iterator[Offers]:
    made = Offers(demo, lambda: None)
    yield made
    made.stop()
    made.wait()


def listed(offers: Offers, name: str) -> list[dict[str, Any]]:
    """One of the lists, once all is there."""
    offers.wait()
    found: Any = offers.shown[name]
    return list(found)


def test_events_come_by_frequency_and_traits_with_their_types(offers: Offers, demo: Workspace) -> None:
    assert listed(offers, "events") == []
    offers.begin()

    events = listed(offers, "events")
    assert events[0] == {"name": "Page Viewed", "lines": demo.events["Page Viewed"].lines}
    assert [one["lines"] for one in events] == sorted((one["lines"] for one in events), reverse=True)
    kinds = {one["name"]: one["kind"] for one in listed(offers, "traits")}
    assert kinds["created_at"] == "date"
    assert kinds["country"] == "string"
    assert kinds["revenue_90d"] == "number"
    assert {one["name"]: one["kind"] for one in listed(offers, "accounts")}["employees"] == "number"
    assert [one["name"] for one in listed(offers, "audiences")] == ["order_completed_last_30days", "active_accounts"]


def test_properties_are_those_of_their_event(offers: Offers) -> None:
    offers.properties_of("Order Completed")
    offers.properties_of("No such event")
    offers.properties_of("")
    offers.wait()

    assert offers.kind_of_property("Order Completed", "revenue") == "number"
    assert offers.kind_of_property("Order Completed", "product") == "string"
    assert offers.kind_of_property("Order Completed", "nothing") == ""
    assert offers.shown["properties"].keys() == {"Order Completed", "No such event"}  # type: ignore[attr-defined]
    assert offers.shown["problems"] == {}


def test_common_values_are_offered_as_they_are_typed(offers: Offers) -> None:
    country = {"trait": "country", "of": "subject"}
    consent = {"trait": "marketing_consent", "of": "subject"}
    product = {"event": "Order Completed", "property": "product"}
    for about in (country, consent, product):
        offers.values_of(about)
    offers.wait()

    values: Any = offers.shown["values"]
    assert values[about_name(country)][0] == {"name": "US", "lines": 2838}
    assert {one["name"] for one in values[about_name(consent)]} == {"true", "false"}
    assert "reports" in {one["name"] for one in values[about_name(product)]}


@pytest.mark.parametrize("name", ["email", "phone", "first_name", "last_name"])
def test_personal_values_are_not_offered(offers: Offers, name: str) -> None:
    about = {"trait": name, "of": "subject"}

    offers.values_of(about)
    offers.wait()

    assert offers.shown["values"] == {about_name(about): []}


def test_what_nobody_knows_has_no_values_and_nothing_else_stops(offers: Offers) -> None:
    offers.values_of({"trait": "contry", "of": "subject"})
    offers.values_of({"event": "Order Completed", "property": "prodct"})
    offers.values_of({"event": "Order Completed"})
    offers.begin()

    assert listed(offers, "events") != []
    assert offers.shown["problems"] == {}
    assert offers.shown["values"] == {"subject trait contry": [], "Order Completed property prodct": []}


def test_lists_are_bounded(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NAMES", 2)
    monkeypatch.setattr(module, "MOST_VALUES", 3)
    offers.begin()
    offers.properties_of("Order Completed")
    offers.values_of({"trait": "country", "of": "subject"})
    offers.wait()

    shown: Any = offers.shown
    assert [len(shown[name]) for name in ("events", "traits", "accounts")] == [2, 2, 2]
    assert len(shown["properties"]["Order Completed"]) == 2
    assert len(shown["values"]["subject trait country"]) == 3


def test_everything_is_told_of_and_asked_once(demo: Workspace) -> None:
    told = threading.Semaphore(0)
    offers = Offers(demo, told.release)

    for _ in range(3):
        offers.begin()
        offers.properties_of("Signed In")
    offers.wait()

    assert told.acquire(timeout=60)
    assert offers.shown["looking"] == []
    offers.stop()
