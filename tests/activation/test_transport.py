"""What leaves as gzip: the requests of destinations that take it, and only where that saves a packet."""

import gzip

import polars as pl
import pytest

from personas_kit.activation.transport import LEAST_PACKED, HttpTransport, NotConnectedError
from personas_kit.destinations import DESTINATIONS, Computation, Request, find
from personas_kit.secret import Secret
from tests.security.receivers import OK, Receiver

LARGE, SMALL = b"[" + b"1," * LEAST_PACKED + b"1]", b"[1]"
PLAIN = {"content-type": "application/json"}


@pytest.fixture
def sent(monkeypatch):
    """Sends one request to RudderStack: its head, and its body as it came."""
    monkeypatch.setenv("WRITE_KEY", "made up")

    def send(content, *, packed):
        with Receiver(OK) as receiver:
            connection = find("rudderstack").configure(
                "hub", {"write_key": Secret("env", "WRITE_KEY")}, url=receiver.url
            )
            transport = HttpTransport(connection)
            transport.send(Request("POST", f"{receiver.url}/v1/batch", PLAIN, content, packed=packed))
            transport.close()
        head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
        return head.lower(), body

    return send


def test_a_large_request_leaves_as_gzip_and_is_signed_all_the_same(sent):
    head, body = sent(LARGE, packed=True)

    assert gzip.decompress(body) == LARGE
    assert len(body) < len(LARGE) // 2
    assert b"content-encoding: gzip" in head
    assert b"content-length: %d" % len(body) in head
    assert b"authorization: basic" in head


@pytest.mark.parametrize(("content", "packed"), [(SMALL, True), (LARGE, False)])
def test_what_is_small_or_for_somebody_else_leaves_as_it_is(sent, content, packed):
    head, body = sent(content, packed=packed)

    assert body == content
    assert b"content-encoding" not in head


def test_a_request_says_whether_its_destination_takes_gzip(monkeypatch):
    batch = pl.DataFrame(
        {
            "member": ["a"], "user_id": ["a"], "account_id": pl.Series([None], dtype=pl.String), "change": ["enter"],
            "value": ["true"], "message_id": ["m"], "timestamp": pl.Series([0], dtype=pl.Datetime("us", "UTC")),
            "was_unknown": [False],
        }
    )  # fmt: skip
    mixpanel = find("mixpanel").configure("mp", {"token": "t"})
    buyers = Computation("buyers", "audience", "Buyers")

    assert {call: mixpanel.requests(call, batch, buyers)[0].packed for call in ("identify", "track")} == {
        "identify": False,
        "track": True,
    }


@pytest.mark.parametrize("slug", [slug for slug, each in DESTINATIONS.items() if each.packed])
def test_only_calls_that_a_destination_has_are_packed(slug):
    assert DESTINATIONS[slug].packed <= DESTINATIONS[slug].calls


def test_nothing_leaves_on_a_connection_that_is_opened_after_the_transport_was_closed(monkeypatch):
    monkeypatch.setenv("WRITE_KEY", "made up")

    def looked_up(_host, _port):  # it takes long, and meanwhile a person does not wait any more
        transport.close()
        return ["127.0.0.1"]

    with Receiver(OK) as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost")
        connection = find("rudderstack").configure("hub", {"write_key": Secret("env", "WRITE_KEY")}, url=url)
        transport = HttpTransport(connection, resolve=looked_up)
        with pytest.raises(NotConnectedError):
            transport.send(Request("POST", f"{url}/v1/batch", PLAIN, SMALL))
    assert receiver.requests == []
