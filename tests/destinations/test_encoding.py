"""Whatever a value or an id says, a request is strict JSON that reads back to the same; cuts keep their limits."""

import datetime as dt
import json
import math
from itertools import accumulate, pairwise
from urllib.parse import quote, quote_plus

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.destinations import Computation
from personas_kit.destinations.batching import cut
from personas_kit.destinations.encode import constant, item, obj, optional, percent_encoded, raw
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
    runs = cut([*accumulate(size + between for size in sizes)], items=items, most_bytes=most, between=between)

    assert [at for start, stop in runs for at in range(start, stop)] == list(range(len(sizes)))
    for start, stop in runs:
        whole = sum(sizes[start:stop]) + between * (stop - start - 1)
        assert stop - start == 1 or (stop - start <= items and whole <= most)
        if stop < len(sizes):
            assert stop - start == items or whole + between + sizes[stop] > most


@given(st.lists(st.integers(1, 40_000), min_size=2, max_size=60))
def test_a_request_is_left_only_when_the_next_change_does_not_fit(sizes):
    connection = connect("segment")
    lines = [
        {"user_id": "u" * (size % 30_000), "change": "set", "value": "1", "message_id": "m", "id_email": None}
        for size in sizes
    ]
    requests = connection.requests("identify", batch_of(lines), REVENUE)

    most = connection.limits("identify").bytes
    items = [item for request in requests for item in readable(request)["body"]["batch"]]
    assert [item["userId"] for item in items] == [line["user_id"] for line in lines]
    for request, following in pairwise(requests):
        first = json.dumps(readable(following)["body"]["batch"][0], separators=(",", ":"))
        assert len(request.content) <= most < len(request.content) + 1 + len(first)


any_text = st.one_of(
    st.text(max_size=12),
    st.text(st.sampled_from('"\\/\b\f\n\r\t\0\x1f\x7f\u2028\u2029\ufeff\U0001f600a'), max_size=6),
    st.none(),
)
LINES = {"text": pl.String, "other": pl.String, "number": pl.Int64, "real": pl.Float64, "flag": pl.Boolean}


@given(
    st.lists(
        st.tuples(
            any_text,
            any_text,
            st.integers(-(2**63), 2**63 - 1) | st.none(),
            st.floats() | st.none(),
            st.booleans() | st.none(),
        ),
        min_size=1,
        max_size=6,
    ),
    st.text(min_size=1, max_size=5),
)
def test_texts_put_together_are_those_that_json_writes(lines, name):
    """Nothing to escape or something, missing or not, first or later: by Python's own encoder, byte for byte."""
    frame = pl.DataFrame(lines, schema=LINES, orient="row")
    c = {column: pl.col(column) for column in LINES}
    within = obj({name: optional(c["other"]), "flag": optional(c["flag"])})
    whole = obj({name: c["text"], **c}, within=within, more=obj(real=c["real"], other=optional(c["other"])))
    found = frame.select(item(whole, ",\n")).to_series().to_list()
    alone = [frame[at : at + 1].select(item(whole, ",\n")).item() for at in range(frame.height)]

    def written(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def number(real):
        return None if real is None or not math.isfinite(real) else real

    expected = []
    for said, other, count, real, flag in lines:
        plain = {name: said, **dict(zip(LINES, (said, other, count, number(real), flag), strict=True))}
        inner = {name: other, "flag": flag}
        inner = {key: value for key, value in inner.items() if value is not None}
        more = {"real": number(real)} | ({} if other is None else {"other": other})
        expected.append(plain | {"within": inner, "more": more})
    assert [json.loads(text.removesuffix(",\n")) for text in found] == expected
    assert found == alone
    without_reals = obj({name: c["text"], "n": c["number"], "flag": c["flag"]}, within=within)
    texts = frame.select(without_reals.text).to_series().to_list()
    assert texts == [
        written({name: said, "n": count, "flag": flag, "within": line["within"]})
        for (said, _, count, _, flag), line in zip(lines, expected, strict=True)
    ]


@given(st.lists(st.tuples(any_text, any_text), min_size=1, max_size=6))
def test_a_form_holds_the_same_percent_encoded(lines):
    frame = pl.DataFrame(lines, schema={"a": pl.String, "b": pl.String}, orient="row")
    whole = obj(a=pl.col("a"), b=optional(pl.col("b")), c=constant({"x y": "\N{SNOWMAN}"}))
    plain, encoded = (frame.select(item(whole, ",", form=form)).to_series() for form in (False, True))

    assert encoded.to_list() == [quote_plus(text) for text in plain.to_list()]


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
