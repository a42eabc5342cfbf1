"""What a hostile or broken receiver can make of a request: nothing that is not one of three clear outcomes, in time."""

import contextlib
import gzip
import logging
import socket
import struct
import threading
import time
import tracemalloc
import zlib

import httpcore
import httpx
import pytest

from personas_kit.activation import network, transport
from personas_kit.activation.transport import HttpTransport, NoAnswerError, NotAllowedError, NotConnectedError
from personas_kit.clock import SystemClock
from personas_kit.destinations import Answer, Request
from personas_kit.destinations.outcomes import DEEPEST
from tests.security.canaries import SECRETS
from tests.security.receivers import OK, PUBLIC, Receiver, Rerouted, certificate, hook, response, segment

JSON = {"content-type": "application/json"}


def send(connection, content=b"[]", url=None, **how):
    """One request through a transport of its own."""
    opened = HttpTransport(connection, **how)
    try:
        return opened.send(Request("POST", url or connection.home, JSON, content))
    finally:
        opened.close()


def answered(answer, **how):
    """What becomes of a request to a receiver that answers so."""
    with Receiver(answer) as receiver:
        return send(hook(receiver.url, **how))


# ------------------------------------------------------------------------------------------ redirects, proxies, cookies


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_stops_the_push(status):
    with Receiver() as elsewhere:
        answer = answered(response(status=f"{status} Moved", Location=f"{elsewhere.url}/?key=1"))

        assert answer.status == status
        assert hook(elsewhere.url).outcome("identify", Request("POST", "", {}, lines=(0, 1)), answer).verdict == "fatal"
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


# ----------------------------------------------------------------------------------------------------------------- time


def drip(before, pieces):
    def answer(connection, _):
        connection.sendall(before)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.05)
        return False

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(drip(b"", [b"H"] * 200), id="the status, letter by letter"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n", [b"X-A: b\r\n"] * 200), id="one header after another"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", [b"x"] * 200), id="the body"),
        pytest.param(drip(b"", [b"HTTP/1.1 102 Processing\r\n\r\n"] * 200), id="still at it"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 200_000, id="go on, go on, go on"),
        pytest.param(drip(b"", []), id="nothing, then hang up"),
        pytest.param(lambda *_: time.sleep(10), id="nothing at all"),
    ],
)
def test_a_receiver_that_dawdles_is_left_after_twice_the_time_out(answer):
    start = time.monotonic()
    with pytest.raises(NoAnswerError):
        answered(answer, timeout=0.4)

    assert time.monotonic() - start < 0.4 * transport.TOTAL + 0.6


def test_a_receiver_that_does_not_read_is_left_as_soon():
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    taken = []

    def sip():
        connection, _ = listener.accept()
        taken.append(connection)
        with contextlib.suppress(OSError):
            for _ in range(100):  # a sip now and then, so that each piece makes some way
                connection.recv(2_048)
                time.sleep(0.05)

    threading.Thread(target=sip, daemon=True).start()
    start = time.monotonic()
    with pytest.raises(NoAnswerError):
        send(hook(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.4), bytes(64 << 20))

    assert time.monotonic() - start < 0.4 * transport.TOTAL + 0.6
    for opened in (*taken, listener):
        opened.close()


def test_the_deadline_is_counted_on_the_clock_that_is_given():
    class Hasty(SystemClock):
        """An hour passes every time somebody looks."""

        hours = 0

        def monotonic(self):
            self.hours += 1
            return 3_600.0 * self.hours

    with Receiver() as receiver, pytest.raises(NotConnectedError):
        send(hook(receiver.url, timeout=30), clock=Hasty())
    assert receiver.requests == []


# ------------------------------------------------------------------------------- not connected, or no answer: the table


def reset(connection, _):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda *_: False, id="closed without a word"),
        pytest.param(reset, id="reset"),
        pytest.param(lambda c, _: (c.sendall(OK[:20]), False)[1], id="half of the head"),
        pytest.param(lambda c, _: (c.sendall(OK[:-3]), False)[1], id="half of the body"),
        pytest.param(lambda c, _: (c.sendall(b"220 mail.example ESMTP\r\n"), False)[1], id="not HTTP"),
        pytest.param(
            lambda c, _: (c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), False)[1],
            id="not chunked",
        ),
        pytest.param(
            lambda c, _: (c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), False)[1],
            id="two lengths",
        ),
    ],
)
def test_once_something_was_sent_a_failure_is_no_answer(answer):
    with pytest.raises(NoAnswerError) as raised:
        answered(answer)
    assert (raised.value.__cause__, raised.value.args) == (None, ())


def unknown_host(*_):
    raise socket.gaierror(-2, "Name or service not known: secret.example")


@pytest.mark.parametrize(
    ("resolve", "why"),
    [(unknown_host, "no connection: its host is not known"), (lambda *_: [], "no connection")],
    ids=["unknown", "no address"],
)
def test_a_name_that_leads_nowhere_is_not_connected(resolve, why):
    with pytest.raises(NotConnectedError) as raised:
        send(hook("https://receiver.example/in"), resolve=resolve)
    assert raised.value.reason == why


def test_a_port_where_nobody_listens_is_not_connected():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotConnectedError):
        send(hook(f"http://127.0.0.1:{port}"))


def test_the_next_address_is_tried_when_one_does_not_answer():
    class Second(Rerouted):
        def connect_tcp(self, host, *more, **how):
            stream = super().connect_tcp(host, *more, **how)
            if host == "127.0.0.2":
                stream.close()
                raise httpcore.ConnectError
            return stream

    with Receiver() as receiver:
        sockets = Second(receiver.port)
        answer = send(hook("http://localhost:8080"), resolve=lambda *_: ["127.0.0.2", "127.0.0.3"], sockets=sockets)

    assert answer.status == 200
    assert sockets.dialled == [("127.0.0.2", 8080), ("127.0.0.3", 8080)]


def test_waiting_for_a_free_connection_is_not_connected(monkeypatch):
    monkeypatch.setattr(transport, "_LANES", 1)
    going = threading.Event()

    def slowly(connection, _):
        going.set()
        time.sleep(0.5)
        connection.sendall(OK)

    with Receiver(slowly) as receiver:
        patient = HttpTransport(hook(receiver.url))
        first = threading.Thread(target=patient.send, args=(Request("POST", receiver.url, JSON, b"[]"),))
        first.start()
        going.wait(5)
        patient._timeout = 0.1
        with pytest.raises(NotConnectedError):
            patient.send(Request("POST", receiver.url, JSON, b"[]"))
        first.join()
        patient.close()
    assert len(receiver.requests) == 1


# ------------------------------------------------------------------------------------------------------------------ TLS


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """Makes receivers with certificates, which are trusted or not."""

    def make(name, *, trusted):
        context, file = certificate(tmp_path, name)
        if trusted:
            monkeypatch.setattr("certifi.where", lambda: str(file))
        network.trusted.cache_clear()
        return context

    yield make
    network.trusted.cache_clear()


def reached(receiver, host="receiver.example", **how):
    sockets = Rerouted(receiver.port)
    return send(hook(f"https://{host}/in"), resolve=lambda *_: [PUBLIC], sockets=sockets, **how), sockets


def test_the_name_is_kept_for_tls_and_for_the_host_header(tls):
    with Receiver(tls=tls("receiver.example", trusted=True)) as receiver:
        answer, sockets = reached(receiver)

    assert answer.status == 200
    assert sockets.dialled == [(PUBLIC, 443)]
    assert receiver.names == ["receiver.example"]
    assert b"\r\nhost: receiver.example\r\n" in receiver.requests[0].lower()


@pytest.mark.parametrize(
    ("name", "trusted"),
    [("receiver.example", False), ("another.example", True), (PUBLIC, True)],
    ids=["nobody vouches for it", "another's", "for the address, not the name"],
)
def test_a_certificate_that_does_not_fit_is_not_connected(tls, name, trusted, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent.pem")
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    with Receiver(tls=tls(name, trusted=trusted)) as receiver, pytest.raises(NotConnectedError) as raised:
        reached(receiver)

    assert raised.value.reason == "no connection: its certificate cannot be verified"
    assert receiver.requests == []


def test_a_receiver_without_tls_or_that_dawdles_over_it_is_not_connected():
    for greeting in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b""):
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=_greet, args=(listener, greeting), daemon=True).start()
        sockets, start = Rerouted(listener.getsockname()[1]), time.monotonic()
        with pytest.raises(NotConnectedError) as raised:
            send(hook("https://receiver.example/", timeout=0.4), resolve=lambda *_: [PUBLIC], sockets=sockets)
        listener.close()

        assert raised.value.reason == "no connection: TLS failed"
        assert time.monotonic() - start < 0.4 * transport.TOTAL + 0.6


def _greet(listener, greeting):
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        connection.sendall(greeting or b"\x16\x03\x03\x40\x00")
        for _ in range(0 if greeting else 50):  # a record of 16 KiB, letter by letter
            connection.sendall(b"\x02")
            time.sleep(0.05)


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
