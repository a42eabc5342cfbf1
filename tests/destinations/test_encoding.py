"""Whatever a value or an id says, a request is strict JSON that reads back to the same; cuts keep their limits."""

import datetime as dt
import json
from urllib.parse import quote, quote_plus

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.destinations import Computation
from personas_kit.destinations.batching import cut
from personas_kit.destinations.encode import constant, obj, optional, percent_encoded, raw
from personas_kit.membership import as_json
from tests.destinations.conftest import batch_of, connect, readable

BUYERS = Computation("buyers", "audience", "Buyers")

texts = st.text(min_size=1, max_size=20)
values = st.one_of(
    st.lists(st.text(max_size=20), min_size=1, max_size=5),
    st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=5),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5),
    st.lists(st.lists(st.text(max_size=5), max_size=3), min_size=1, max_size=5),
)
REVENUE = Computation("revenue", "trait", "Revenue")


def strict(text):
    """JSON as the standard has it: no NaN, no name twice."""

    def refuse(constant):
        raise AssertionError(constant)

    def once(pairs):
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


@pytest.mark.parametrize("slug", ["segment", "rudderstack", "webhook", "amplitude"])
@given(values=values, user_id=texts, email=texts)
def test_any_value_and_any_id_read_back_the_same(slug, values, user_id, email):
    encoded = as_json(pl.Series(values)).to_list()
    lines = [
        {"user_id": user_id, "change": "set", "value": value, "message_id": f"m{at}", "id_email": email}
        for at, value in enumerate(encoded)
    ]
    (request,) = connect(slug).requests("identify", batch_of(lines), REVENUE)

    body = readable(request)["body"]
    strict(json.dumps(body))
    found = json.dumps(body)
    messages = next(iter(body.values())) if isinstance(body, dict) else body
    traits = [message.get("traits") or message.get("user_properties") for message in messages]
    assert [trait["revenue"] for trait in traits] == values
    assert {trait["email"] for trait in traits} == {email}
    assert json.dumps(user_id) in found


def test_a_value_that_became_missing_is_an_explicit_null_and_a_missing_address_is_left_out():
    lines = [{"user_id": "ann", "change": "set", "value": "null", "message_id": "m", "id_email": None}]
    (request,) = connect("segment").requests("identify", batch_of(lines), REVENUE)

    assert readable(request)["body"]["batch"][0]["traits"] == {"revenue": None}


def moments(count):
    """As many times, a millisecond apart."""
    noon = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
    times = [noon + dt.timedelta(milliseconds=at) for at in range(count)]
    return pl.Series(times, dtype=pl.Datetime("us", "UTC"))


@pytest.mark.parametrize("slug", ["segment", "hubspot", "onesignal", "amazon-kinesis"])
@given(st.lists(st.sampled_from(["true", "null", "12.5", '"pro"', None]), min_size=1, max_size=4), st.booleans())
def test_a_line_is_the_same_whatever_stands_beside_it(slug, said, at_once):
    lines = [
        {"user_id": "u", "change": "set", "value": value, "message_id": "m", "id_email": "u@example.com"}
        for value in said
    ]
    batch = batch_of(lines)
    if not at_once:
        batch = batch.with_columns(timestamp=moments(len(said)))
    connection = connect(slug)

    together = connection.items("identify", batch, REVENUE)
    alone = [connection.items("identify", batch[at : at + 1], REVENUE).item() for at in range(len(said))]
    assert together.to_list() == alone


def test_objects_in_objects_keep_their_order_and_say_what_is_missing():
    inner = obj(a=optional(pl.col("a")), b=raw(pl.col("b")), c=constant({"x": [1, "\N{SNOWMAN}"]}))
    whole = obj(z=True, plain=pl.col("a"), inner=inner, none=raw(pl.col("a").replace("A", None)), empty=obj())
    found = pl.DataFrame({"a": ["A", None], "b": ["[1]", None]}).select(whole.text).to_series().to_list()

    assert found == [
        '{"plain":"A","z":true,"inner":{"a":"A","b":[1],"c":{"x":[1,"\N{SNOWMAN}"]}},"none":null,"empty":{}}',
        '{"plain":null,"z":true,"inner":{"b":null,"c":{"x":[1,"\N{SNOWMAN}"]}},"none":null,"empty":{}}',
    ]


@given(st.lists(st.text(max_size=20), max_size=5))
def test_texts_are_percent_encoded_as_python_does(said):
    series = pl.Series(said, dtype=pl.String)

    assert percent_encoded(series).to_list() == [quote(text, safe="") for text in said]
    assert percent_encoded(series, space="+").to_list() == [quote_plus(text) for text in said]


@given(st.lists(st.tuples(st.sampled_from("a %\N{SNOWMAN}"), st.integers(1, 90_000)), min_size=1, max_size=12))
def test_forms_keep_the_limit_with_all_that_stands_around(said):
    connection = connect("amplitude")
    users = [char * count for char, count in said]
    lines = [{"user_id": user, "change": "set", "value": "1", "message_id": "m"} for user in users]
    requests = connection.requests("identify", batch_of(lines), REVENUE)

    told = [change["user_id"] for request in requests for change in readable(request)["body"]["identification"]]
    assert told == users
    assert all(len(request.content) <= connection.limits("identify").bytes for request in requests)


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 10), st.integers(10, 100), st.integers(0, 3))
def test_cuts_are_the_fewest_that_keep_both_limits(sizes, items, most, between):
    runs = cut(pl.Series(sizes, dtype=pl.UInt32), items=items, most_bytes=most, between=between)

    assert [at for start, stop in runs for at in range(start, stop)] == list(range(len(sizes)))
    for start, stop in runs:
        whole = sum(sizes[start:stop]) + between * (stop - start - 1)
        assert stop - start == 1 or (stop - start <= items and whole <= most)
        if stop < len(sizes):
            assert stop - start == items or whole + between + sizes[stop] > most


@pytest.mark.parametrize("odd", ["", ".", "..", "x" * 1_001])
def test_an_id_that_would_lead_elsewhere_in_an_address_is_refused(odd):
    """OneSignal's users are named in the address: ``..`` there is another call."""
    connection = connect("onesignal")
    lines = batch_of(
        [
            {"user_id": user, "change": "enter", "value": "true", "message_id": f"m{at}"}
            for at, user in enumerate(["u1", odd, "a/../b?c#d"])
        ]
    )
    refused = connection.refused("identify", lines, connection.items("identify", lines, BUYERS))
    _, _, last = connection.requests("identify", lines, BUYERS)

    assert refused == {1: "an id that cannot stand in an address"}
    assert last.url.endswith("/a%2F..%2Fb%3Fc%23d")
