"""Whatever a value or an id says, a request is strict JSON that reads back to the same; cuts keep their limits."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.destinations import Computation
from personas_kit.destinations.batching import cut
from personas_kit.membership import as_json
from tests.destinations.conftest import batch_of, connect, readable

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


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 10), st.integers(10, 100))
def test_cuts_are_the_fewest_that_keep_both_limits(sizes, items, most):
    runs = cut(pl.Series(sizes, dtype=pl.UInt32), items=items, most_bytes=most)

    assert [at for start, stop in runs for at in range(start, stop)] == list(range(len(sizes)))
    for start, stop in runs:
        whole = sum(sizes[start:stop]) + (stop - start - 1)
        assert stop - start == 1 or (stop - start <= items and whole <= most)
        if stop < len(sizes):
            assert stop - start == items or whole + 1 + sizes[stop] > most
