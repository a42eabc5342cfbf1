"""The receiver does what its table says: what it applies, what it answers, and what it remembers."""

import json
import socket

import pytest

from tests.hostile_receiver.faults import FAULTS, Fault
from tests.hostile_receiver.server import Receiver


def message(member, message_id, *, value=True, at="2026-11-01T00:00:00Z"):
    """A message in Segment's dialect."""
    return {
        "type": "identify",
        "messageId": message_id,
        "userId": member,
        "timestamp": at,
        "traits": {"vips": value},
        "context": {"personas": {"computation_key": "vips"}},
    }


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def send(receiver, *messages):
    """The status of the answer; 0 if nothing comes in time that looks like one. The rest of it is not waited for."""
    body = json.dumps({"batch": messages}).encode()
    with socket.create_connection(("127.0.0.1", int(receiver.url.rsplit(":", 1)[1])), timeout=0.3) as sender:
        sender.sendall(b"POST /v1/batch HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        try:
            words = sender.recv(100).split()
        except (TimeoutError, ConnectionError):
            return 0
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def test_all_is_well_unless_something_is_asked_for(receiver):
    assert send(receiver, message("ann", "1"), message("bob", "2", value=False)) == 200
    assert receiver.ledger.values("identify") == {"ann": True, "bob": False}
    assert receiver.ledger.holds("identify") == {"ann": True}
    assert (receiver.paths, receiver.faults) == (["/v1/batch"], 0)


def test_a_message_is_applied_once_for_each_id(receiver):
    for _ in range(2):
        send(receiver, message("ann", "1"))
    send(receiver, message("ann", "2", value=False))
    send(receiver, message("ann", "1"))  # it is known, so it changes nothing

    assert receiver.ledger.values("identify") == {"ann": False}
    assert [arrival.applied for arrival in receiver.ledger.arrivals] == [True, False, True, False]


def test_one_id_with_two_contents_is_noticed(receiver):
    send(receiver, message("ann", "1"))
    send(receiver, message("ann", "1", at="2026-11-02T00:00:00Z"))

    assert receiver.ledger.conflicts == {"1"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_applies_what_it_says(receiver, fault):
    receiver.fail(fault)
    send(receiver, message("ann", "1"), message("bob", "2"))
    receiver.quiet()

    refused = fault.refuses(2)
    expected = {name for at, name in enumerate(["ann", "bob"]) if fault.applies and at not in refused}
    assert set(receiver.ledger.holds("identify")) == expected
    assert receiver.faults == 1


def test_a_request_that_was_cut_off_changes_nothing(receiver):
    body = json.dumps({"batch": [message("ann", "1")]}).encode()
    with socket.create_connection(("127.0.0.1", int(receiver.url.rsplit(":", 1)[1]))) as sender:
        sender.sendall(b"POST /v1/batch HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:-1])
    receiver.quiet()

    assert (receiver.paths, receiver.ledger.arrivals) == (["/v1/batch"], [])


def test_a_script_goes_on_request_by_request_and_can_be_ended(receiver):
    receiver.fail(None, FAULTS["500"], always=FAULTS["401"])
    answers = [send(receiver, message("ann", str(n))) for n in range(4)]
    receiver.heal()

    assert [*answers, send(receiver, message("ann", "9"))] == [200, 500, 401, 401, 200]


def test_whoever_hangs_up_is_heard(receiver):
    receiver.fail(Fault(ends="silence"))
    assert send(receiver, message("ann", "1")) == 0
    receiver.quiet()
