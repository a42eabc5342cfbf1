"""What Iterable makes of an id that it does not know."""

from personas_kit.destinations import DESTINATIONS, Computation
from tests.destinations.conftest import batch_of, body_of, settings_of

BUYERS = Computation("buyers", "audience", "Buyers")


def sent(call, lines, **settings):
    connection = DESTINATIONS["iterable"].configure("it", {**settings_of("iterable"), **settings})
    (request,) = connection.requests(call, batch_of(lines), BUYERS)
    return body_of(request)


def test_an_id_becomes_a_user_where_that_is_said():
    # given: a project that knows users by address, and a user of whom the id is known
    enters = {"change": "enter", "value": "true", "message_id": "m"}

    # when: it is told to make a user of it
    users = sent("identify", [{"user_id": "u1", **enters}], prefer_user_id="true")["users"]
    members = [{"member": '{"userId":"é\\"}1"}', **enters}, {"member": '{"email":"ann@example.com"}', **enters}]
    subscribers = sent("list", members, prefer_user_id="true")["subscribers"]

    # then: that is said of each id, and of no address
    assert users == [{"userId": "u1", "preferUserId": True, "dataFields": {"buyers": True}}]
    assert subscribers == [{"userId": 'é"}1', "preferUserId": True}, {"email": "ann@example.com"}]


def test_nobody_is_made_to_be_taken_off_a_list():
    leaves = {"change": "exit", "value": "false", "message_id": "m", "member": '{"userId":"u1"}'}

    assert sent("list", [leaves], prefer_user_id="true")["subscribers"] == [{"userId": "u1"}]
