"""What a hostile or broken receiver can make of a request: nothing that is not one of three clear outcomes, in time."""

import gzip
import logging
import tracemalloc
import zlib

import httpx
import pytest

from personas_kit.activation import transport
from personas_kit.activation.transport import HttpTransport, NoAnswerError, NotAllowedError
from personas_kit.destinations import Answer, Request
from personas_kit.destinations.outcomes import DEEPEST
from tests.security.canaries import SECRETS
from tests.security.receivers import JSON, Receiver, answered, hook, response, segment, send

# ------------------------------------------------------------------------------------------ redirects, proxies, cookies


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_stops_the_push(status):
    with Receiver() as elsewhere:
        answer = answered(response(status=f"{status} Moved", Location=f"{elsewhere.url}/?key=1"))

        assert answer.status == status
        assert hook(elsewhere.url).judge("identify", answer, 1).verdict == "fatal"
        assert elsewhere.requests == []


def test_proxies_and_netrc_of_the_environment_are_left_alone(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login trap password trap\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Receiver() as trap, Receiver() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, trap.url)
        assert httpx.get(f"{receiver.url}/plain").status_code == 200
        assert b"/plain" in trap.requests.pop()  # the trap works: others fall into it

        assert send(hook(receiver.url)).status == 200
        assert trap.requests == []
        assert b"authorization" not in receiver.requests[0].lower()


def test_cookies_are_not_kept():
    with Receiver(response(b"{}", Set_Cookie="session=1")) as receiver:
        opened = HttpTransport(hook(receiver.url))
        for _ in range(2):
            opened.send(Request("POST", receiver.url, JSON, b"[]"))
        opened.close()

    assert b"cookie" not in receiver.requests[1].lower()


def test_a_request_for_another_host_is_not_sent():
    with Receiver() as own, Receiver() as other, pytest.raises(NotAllowedError, match="another host"):
        send(hook(own.url), url=f"{other.url}/")
    assert own.requests == other.requests == []


# ----------------------------------------------------------------------------------------------------- sizes of answers

MANY = transport.MOST_BYTES + 1


def endless(connection, _):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        connection.sendall(b"100000\r\n" + bytes(0x100000) + b"\r\n")
    return False


def bomb(wbits):
    """Nothing, a thousand times larger than it looks when packed."""
    pack = zlib.compressobj(wbits=wbits)
    return b"".join((*(pack.compress(bytes(1 << 20)) for _ in range(96)), pack.flush()))


BOMBS = {"gzip": 31, "deflate": 15}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(response(bytes(MANY)), id="large"),
        pytest.param(endless, id="without end"),
        *(pytest.param(response(bomb(bits), Content_Encoding=name), id=f"{name} bomb") for name, bits in BOMBS.items()),
        pytest.param(response(gzip.compress(b"{}")[:-6], Content_Encoding="gzip"), id="gzip cut short"),
        pytest.param(response(b"not packed", Content_Encoding="gzip"), id="no gzip"),
        pytest.param(response(b"\x0b\x02\x80{}\x03", Content_Encoding="br"), id="br was not asked for"),
        pytest.param(response(b"(\xb5/\xfd", Content_Encoding="zstd"), id="zstd was not asked for"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X-Much: " + b"x" * 200_000 + b"\r\n\r\n", id="large headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n", id="many headers"),
    ],
)
def test_what_is_too_large_or_cannot_be_unpacked_is_no_answer(answer):
    with pytest.raises(NoAnswerError):
        answered(answer)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_more_memory_than_the_largest_answer(name):
    tracemalloc.start()
    with pytest.raises(NoAnswerError):
        transport._unpacked(bomb(BOMBS[name]), name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 3 * transport.MOST_BYTES


@pytest.mark.parametrize("odd", [b"caf\xc3\xa9", b"caf\xe9", b"\xff\xfe", b"a\tb", b""])
def test_odd_headers_are_read(odd):
    answer = answered(b"HTTP/1.1 200 OK\r\nX-Odd: " + odd + b"\r\nContent-Length: 2\r\n\r\n{}")

    assert (answer.status, answer.json()) == (200, {})


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_an_answer_that_is_packed_although_nobody_asked_is_unpacked(pack):
    name = "gzip" if pack is gzip.compress else "deflate"
    with Receiver(response(pack(b'{"a":1}'), Content_Encoding=name)) as receiver:
        answer = send(hook(receiver.url))

    assert (answer.json(), answer.header("content-encoding")) == ({"a": 1}, None)
    assert b"accept-encoding: identity" in receiver.requests[0].lower()


def test_the_largest_answer_is_read():
    assert len(answered(response(bytes(transport.MOST_BYTES))).content) == transport.MOST_BYTES


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_json_is_unknown_and_never_an_error(opening, closing):
    deep = [opening * 1_000_000, opening * 100_000 + "1" + closing * 100_000, opening * (DEEPEST + 1)]

    for content in [*map(str.encode, deep), ("[" * 100_000).encode("utf-16")]:
        answer = Answer(200, {}, content)
        assert answer.json() is None
        assert segment().destination.outcomes.of(answer, 1).verdict == "unknown"
    assert Answer(200, {}, f"{opening * DEEPEST}1{closing * DEEPEST}".encode()).json() is not None


def test_brackets_within_texts_are_not_depth():
    assert Answer(200, {}, b'{"why": "' + b"[" * 10_000 + b'\\"]"}').json() == {"why": "[" * 10_000 + '"]'}


# -------------------------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize("tail", ["\n", "\r\nX-Injected: 1", "\x00", "\udc80"])
def test_a_secret_that_no_header_can_carry_stops_the_push_and_is_not_quoted(monkeypatch, tail):
    monkeypatch.setattr("personas_kit.secret._READERS", {"env": lambda name: SECRETS[name] + tail})
    meta = _meta()
    with Receiver() as receiver:
        connection = meta(receiver.url)
        with pytest.raises(NotAllowedError) as raised:
            send(connection)

    assert receiver.requests == []
    assert "secret holds a line break" in raised.value.reason
    assert SECRETS["ACCESS_TOKEN"] not in repr((raised.value, raised.value.__cause__))


def _meta():
    from personas_kit.destinations import find
    from personas_kit.secret import Secret

    values = {"access_token": Secret("env", "ACCESS_TOKEN"), "audience_id": "1"}
    return lambda url: find("facebook-custom-audiences").configure("ads", values, url=url)


def test_the_library_logs_nothing_of_our_requests_and_still_speaks_of_those_of_others(caplog):
    caplog.set_level(logging.DEBUG)
    with Receiver(response(b"{}", Location="https://elsewhere.example/?api_secret=1")) as receiver:
        send(hook(receiver.url))
        own = [record for record in caplog.records if record.name.startswith(("httpx", "httpcore"))]
        httpx.get(receiver.url, trust_env=False)
        others = [record for record in caplog.records if record.name.startswith("httpcore")]

    assert {record.getMessage() for record in own} <= {"close.started", "close.complete"}
    assert any("receive_response_headers" in record.getMessage() for record in others)
