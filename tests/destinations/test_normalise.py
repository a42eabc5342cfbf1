"""Identifiers are made uniform and hashed as Meta wants them."""

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from personas_kit.destinations import find
from personas_kit.destinations.normalise import META
from personas_kit.errors import ConfigError
from personas_kit.secret import Secret

VECTORS = Path(__file__).parents[2].parent / "shared" / "destinations" / "vectors_facebook.json"
BY_NAME = {identifier.name: identifier for identifier in META.values()}


def cell(kind, value):
    return pl.DataFrame({"x": [value]}, schema={"x": pl.String}).select(META[kind].cell(pl.col("x"))).item()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("kind", "value", "uniform"),
    [
        ("email", " Jane.Doe+Promo@Example.COM ", "jane.doe+promo@example.com"),
        ("phone", "+1 (555) 123-4567", "15551234567"),
        ("phone", "0044 20 7183 8750", "442071838750"),
        ("first_name", " Zoë-Ann ", "zoëann"),
        ("last_name", "O'Neill", "oneill"),
        ("city", "New York", "newyork"),
        ("zip", "94105-1234", "94105"),
        ("zip", "SW1A 1AA", "sw1a1aa"),
        ("country", "US", "us"),
    ],
)
def test_uniform_then_hashed(kind, value, uniform):
    assert cell(kind, value) == sha256(uniform)


@pytest.mark.parametrize("kind", META)
@pytest.mark.parametrize("value", [None, "", "   "])
def test_nothing_stays_nothing(kind, value):
    assert cell(kind, value) is None


def test_what_is_a_hash_already_is_not_hashed_again():
    assert cell("email", sha256("jane@example.com").upper()) == sha256("jane@example.com")


def test_ids_of_ones_own_and_of_devices_are_sent_as_they_are():
    assert cell("extern_id", "User-1") == "User-1"
    assert cell("mobile_advertiser_id", "AB12-CD") == "ab12-cd"


def test_what_many_people_share_is_no_member_of_a_list():
    meta = find("facebook-custom-audiences").configure("ads", {"access_token": Secret("env", "X"), "audience_id": "1"})
    users = pl.DataFrame(
        {"id_email": ["a@example.com", None], "id_country": ["DE", "DE"]}, schema_overrides={"id_email": pl.String}
    )

    members = users.select(meta.list_member({"email": "email", "country": "country"})).to_series()
    assert members.is_null().to_list() == [False, True]
    with pytest.raises(ConfigError, match="country alone identify nobody"):
        meta.list_member({"country": "country"})


@pytest.mark.skipif(not VECTORS.is_file(), reason="the vectors are not beside the checkout")
def test_the_vectors_that_vendor_and_document_agree_on():
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    agreed = [v for v in vectors if v["sdk_agrees_with_document"] and v["key"] in BY_NAME and v["documented_output"]]
    assert len(agreed) >= 8

    wrong = []
    for vector in agreed:
        found = pl.DataFrame({"x": [vector["input"]]}).select(BY_NAME[vector["key"]].cell(pl.col("x"))).item()
        if found != vector["documented_output"]:
            wrong.append((vector["key"], vector["input"], vector["documented_normalised"]))
    assert wrong == []
