"""Identifiers are made uniform and hashed as Meta and Google want them."""

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.destinations import find
from personas_kit.destinations.normalise import GOOGLE, META
from personas_kit.errors import ConfigError
from personas_kit.secret import Secret

FIXTURES = Path(__file__).parents[1] / "fixtures" / "normalise"
KINDS = {"meta": META, "google": GOOGLE}
ROWS = [
    (vendor, row) for vendor in KINDS for row in json.loads((FIXTURES / f"{vendor}.json").read_text(encoding="utf-8"))
]
ALL = [(vendor, kind) for vendor, kinds in KINDS.items() for kind in kinds]
DEVICE = "6D92078A-8246-4BA4-AE5B-76104861E7DC"


def cell(vendor, kind, value):
    frame = pl.DataFrame({"x": [value]}, schema={"x": pl.String})
    return frame.select(KINDS[vendor][kind].cell(pl.col("x"))).item()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(("vendor", "row"), ROWS)
def test_uniform_then_hashed(vendor, row):
    """``uniform`` is what we have decided, ``sent`` what becomes of it, ``library`` what the vendor's own code says."""
    uniform, hashed = row["uniform"], KINDS[vendor][row["kind"]].hashed

    assert row["sent"] == (sha256(uniform) if hashed and uniform is not None else uniform)
    assert cell(vendor, row["kind"], row["given"]) == row["sent"]


@pytest.mark.parametrize("vendor", KINDS)
def test_every_kind_has_an_example(vendor):
    assert {row["kind"] for which, row in ROWS if which == vendor} == set(KINDS[vendor])


@pytest.mark.parametrize(("vendor", "kind"), ALL)
@pytest.mark.parametrize("value", [None, "", "   "])
def test_nothing_stays_nothing(vendor, kind, value):
    assert cell(vendor, kind, value) is None


@pytest.mark.parametrize("vendor", KINDS)
def test_what_is_a_hash_already_is_not_hashed_again(vendor):
    assert cell(vendor, "email", sha256("jane@example.com").upper()) == sha256("jane@example.com")


def test_the_two_vendors_hash_a_phone_number_differently():
    assert cell("meta", "phone", "+44 20 7031 3000") == sha256("442070313000")
    assert cell("google", "phone", "+44 20 7031 3000") == sha256("+442070313000")


def test_ids_of_ones_own_and_of_devices_are_sent_as_they_are():
    assert cell("meta", "extern_id", "User-1") == cell("google", "user_id", "User-1") == "User-1"
    assert cell("meta", "mobile_advertiser_id", "AB12-CD") == "ab12-cd"
    assert cell("google", "mobile_advertiser_id", DEVICE) == DEVICE


def of_google(name, call):
    """The vendor's own formatter, if it is installed."""
    module = pytest.importorskip("google.ads.datamanager_util", reason="google-ads-datamanager-util is not installed")
    formatter = module.Formatter()
    process = getattr(formatter, name)
    return process(call) if name.endswith("_code") else process(call, module.Encoding.HEX)


OF_GOOGLE = {
    "email": "process_email_address",
    "phone": "process_phone_number",
    "first_name": "process_given_name",
    "last_name": "process_family_name",
    "country": "process_region_code",
    "zip": "process_postal_code",
}
WITH_LIBRARY = [row for vendor, row in ROWS if vendor == "google" and "library" in row]
DECIDED = {("email", "jane doe@example.com"), ("phone", "0044 20 7031 3000")}
"""Where our decision is another than the library's."""


@pytest.mark.parametrize("row", WITH_LIBRARY)
def test_googles_own_formatter_says_the_same(row):
    kind, text = row["kind"], row["given"]
    if row["library"] is None:
        with pytest.raises(ValueError, match=r"."):
            of_google(OF_GOOGLE[kind], text)
    else:
        assert of_google(OF_GOOGLE[kind], text) == row["library"]
    assert (row["sent"] == row["library"]) == ((kind, text) not in DECIDED)


@pytest.mark.parametrize("kind", ["email", "first_name", "last_name", "zip"])
@given(
    text=st.text("aZ.+@ é'-9", max_size=12)
    | st.builds("{}@{}".format, st.text("aZ.+", max_size=6), st.sampled_from(["gmail.com", "GoogleMail.com", "x.org"]))
)
def test_googles_own_formatter_says_the_same_of_any_text(kind, text):
    try:
        said = of_google(OF_GOOGLE[kind], text)
    except ValueError:
        said = None
    if said is None and kind == "email" and " " in text.strip():
        return  # decided otherwise: the spaces are removed

    assert cell("google", kind, text) == said


def test_what_many_people_share_is_no_member_of_a_list():
    meta = find("facebook-custom-audiences").configure("ads", {"access_token": Secret("env", "X"), "audience_id": "1"})
    users = pl.DataFrame(
        {"id_email": ["a@example.com", None], "id_country": ["DE", "DE"]}, schema_overrides={"id_email": pl.String}
    )

    members = users.select(meta.member("list", {"email": "email", "country": "country"})).to_series()
    assert members.is_null().to_list() == [False, True]
    with pytest.raises(ConfigError, match="country alone identify nobody"):
        meta.member("list", {"country": "country"})


@pytest.mark.parametrize("vendor", KINDS)
def test_a_device_whose_owner_is_not_to_be_followed_is_nobodys(vendor):
    assert cell(vendor, "mobile_advertiser_id", "00000000-0000-0000-0000-000000000000") is None
