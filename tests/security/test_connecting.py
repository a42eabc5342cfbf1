"""How long a receiver may take, and what failed: nothing was sent, or nobody knows."""

import contextlib
import socket
import struct
import threading
import time

import httpcore
import pytest

from personas_kit.activation import network, transport
from personas_kit.activation.transport import HttpTransport, NoAnswerError, NotConnectedError
from personas_kit.clock import SystemClock
from personas_kit.destinations import Request
from tests.security.receivers import JSON, OK, PUBLIC, Receiver, Rerouted, answered, certificate, hook, send

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
