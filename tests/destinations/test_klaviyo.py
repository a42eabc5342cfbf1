"""How Klaviyo's profiles are looked up before a list takes them."""

import json

import pytest

from personas_kit.destinations import Computation
from personas_kit.destinations.klaviyo import _found
from personas_kit.destinations.outcomes import Answer
from tests.destinations.conftest import batch_of, connect


def test_ids_that_differ_in_case_are_two_users():
    # given: two members whose ids differ in case only, both with a profile
    members = [{"external_id": "u_A"}, {"external_id": "u_a"}, {"email": "ann@example.com"}]
    steps = _found(connect("klaviyo"), members)

    # when: each question is answered
    next(steps)
    by_email = [{"id": "P3", "attributes": {"email": "Ann@Example.com"}}]
    steps.send(Answer(200, content=json.dumps({"data": by_email}).encode()))
    by_id = [{"id": "P1", "attributes": {"external_id": "u_A"}}, {"id": "P2", "attributes": {"external_id": "u_a"}}]
    with pytest.raises(StopIteration) as done:
        steps.send(Answer(200, content=json.dumps({"data": by_id}).encode()))

    # then: each is found, an address whatever its case
    assert done.value.value == {0: "P1", 1: "P2", 2: "P3"}


def test_everything_is_the_kind_of_json_that_klaviyo_describes():
    # given: somebody who enters a list, and has no profile
    enters = {"change": "enter", "value": "true", "message_id": "m", "member": '{"email":"ann@example.com"}'}
    klaviyo, batch = connect("klaviyo"), batch_of([enters])
    (request,) = klaviyo.requests("list", batch, Computation("buyers", "audience", "Buyers"))
    steps = klaviyo.exchange("list", request, batch)

    # when: the profile is looked for, made, and put on the list
    next(steps)
    made = steps.send(Answer(200, content=b'{"data":[]}'))
    listed = steps.send(Answer(201, content=b'{"data":{"type":"profile","id":"P1"}}'))

    # then: both bodies are called what they are
    assert [each.headers["content-type"] for each in (made, listed)] == ["application/vnd.api+json"] * 2
