"""One connection after the next request: what of an answer is read, and whether it may carry another request."""

import threading

import httpx
import pytest

from personas_kit.activation.transport import HttpTransport, NoAnswerError, NotAllowedError
from personas_kit.activation.wire import Wire
from personas_kit.destinations import Request
from tests.security.receivers import JSON, OK, Receiver, hook, response


class Said:
    """The other side of a connection: these bytes in these pieces, then it hangs up."""

    def __init__(self, *pieces):
        self._pieces, self.written, self.closed = list(pieces), b"", False

    def write(self, buffer, timeout=None):
        self.written += bytes(buffer)

    def read(self, max_bytes, timeout=None):
        return self._pieces.pop(0) if self._pieces else b""

    def close(self):
        self.closed = True


def exchanged(*pieces, method="POST", **how):
    """What an exchange makes of the pieces, the wire, and what was written."""
    said = Said(*pieces)
    wire = Wire(said)
    return wire.exchange(httpx.Request(method, "https://receiver.example/in?a=b", **how), 1.0), wire, said.written


HEAD = b"HTTP/1.1 200 OK\r\n"


def test_a_request_is_written_with_its_host_and_its_length():
    _, _, written = exchanged(OK, content=b"[1]", headers={"X-Own": "caf\xe9".encode()})

    assert written == (
        b"POST /in?a=b HTTP/1.1\r\nHost: receiver.example\r\nX-Own: caf\xc3\xa9\r\ncontent-length: 3\r\n\r\n[1]"
    )


@pytest.mark.parametrize("told", [{"content-length": "1"}, {"transfer-encoding": "chunked"}])
def test_the_length_is_that_of_the_content_whatever_the_headers_say(told):
    _, _, written = exchanged(OK, content=b"[1]", headers=told)

    assert written.lower().count(b"content-length: 3\r\n") == 1
    assert b"transfer-encoding" not in written.lower()


@pytest.mark.parametrize(
    ("pieces", "content", "kept"),
    [
        pytest.param([OK], b'{"success":true}', True, id="whole"),
        pytest.param([OK[at : at + 1] for at in range(len(OK))], b'{"success":true}', True, id="byte by byte"),
        pytest.param(
            [HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n1 \r\n \r\n0\r\nX-Trailer: 1\r\n\r\n"],
            b"{} ",
            True,
            id="chunked, with a trailer",
        ),
        pytest.param(
            [HEAD + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"],
            b"{}",
            True,
            id="chunks are stronger than a length",
        ),
        pytest.param([HEAD + b"\r\n{", b"}"], b"{}", False, id="until it hangs up"),
        pytest.param([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"], b"{}", False, id="1.0"),
        pytest.param([HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"], b"{}", False, id="it will close"),
        pytest.param(
            [HEAD + b"Content-Length: 2\r\n\r\n{}" + OK], b"{}", False, id="one more answer than was asked for"
        ),
        pytest.param([HEAD + b"Content-Length: 2\r\n\r\n{}H"], b"{}", False, id="the beginning of another"),
        pytest.param([HEAD + b"Content-Length: 2\r\n\r\n{}junk"], b"{}", False, id="something else after it"),
        pytest.param([b"HTTP/1.1 204 No Content\r\n\r\n"], b"", True, id="nothing"),
        pytest.param([b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"], b"{}", True, id="lines of another system"),
        pytest.param(
            [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nX-A: 1\r\n\r\n" + OK], OK[-16:], True, id="1xx"
        ),
    ],
)
def test_an_answer_is_read_to_its_end_and_no_further(pieces, content, kept):
    answer, wire, _ = exchanged(*pieces)

    assert (answer.status // 100, answer.content, wire.kept) == (2, content, kept)
    assert "x-a" not in answer.headers
    assert "x-trailer" not in answer.headers


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="nothing"),
        pytest.param([OK[:-1]], id="cut"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"], id="chunks cut"),
        pytest.param([HEAD + b"Transfer-Encoding: gzip\r\n\r\n{}"], id="no chunks, no length"),
        pytest.param(
            [b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n{}"], id="something else now"
        ),
        pytest.param([HEAD + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n"], id="a header that is none"),
        pytest.param(
            [HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;", *[b"x" * 60_000] * 9], id="an endless chunk's head"
        ),
        pytest.param(
            [HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", *[b"X-A: b\r\n" * 8_000] * 9], id="endless trailers"
        ),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000] * 9 + [OK], id="endless announcements"),
    ],
)
def test_what_is_no_answer_or_has_no_end(pieces):
    with pytest.raises(NoAnswerError):
        exchanged(*pieces)


def test_chunks_of_a_byte_each_are_read():
    body = b"x" * 50_000
    answer, *_ = exchanged(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * len(body) + b"0\r\n\r\n")

    assert answer.content == body


def test_headers_of_one_name_are_one_text_and_names_are_in_lower_case():
    answer, *_ = exchanged(HEAD + b"X-A: 1\r\nx-a: \xff\r\nContent-Length: 0\r\n\r\n")

    assert answer.headers == {"x-a": "1, \xff", "content-length": "0"}


def test_an_answer_to_head_ends_with_its_head():
    answer, wire, written = exchanged(OK[:-16], method="HEAD")

    assert (answer.status, answer.content, wire.kept) == (200, b"", False)
    assert b"content-length" not in written


@pytest.mark.parametrize(
    "headers", [{"x a": "1"}, {"": "1"}, {"x\r\ny": "1"}, {"x": "1\r\ny: 2"}], ids=["space", "empty", "line", "value"]
)
def test_what_no_request_can_carry_is_not_sent(headers):
    said = Said(OK)
    with pytest.raises(NotAllowedError):
        Wire(said).exchange(httpx.Request("POST", "https://receiver.example/", headers=headers), 1.0)
    assert said.written == b""


# --------------------------------------------------------------------------------------------- which connection is used


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", "made up")


def sent(transport, receiver, times=1):
    return [transport.send(Request("POST", receiver.url, JSON, b"[]")).status for _ in range(times)]


def test_one_connection_serves_requests_that_follow_one_another():
    with Receiver() as receiver:
        transport = HttpTransport(hook(receiver.url))
        assert sent(transport, receiver, 5) == [200] * 5
        transport.close()

        assert len(receiver._open) == 1


def test_a_connection_that_the_other_side_has_closed_is_not_used_again():
    def once(connection, _):
        connection.sendall(OK)
        return False

    with Receiver(once) as receiver:
        transport = HttpTransport(hook(receiver.url))
        for _ in range(3):
            assert sent(transport, receiver) == [200]
            [wire] = transport._open
            while wire.quiet:  # until its end has arrived
                pass
        transport.close()

        assert len(receiver.requests) == len(receiver._open) == 3


def test_one_that_was_idle_for_long_is_closed_with_those_that_were_for_longer(monkeypatch):
    gate = threading.Barrier(3)

    def together(connection, request):
        gate.wait(5)
        connection.sendall(OK)

    with Receiver(together) as receiver:
        transport = HttpTransport(hook(receiver.url))
        threads = [threading.Thread(target=sent, args=(transport, receiver)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        old = set(transport._open)
        monkeypatch.setattr("personas_kit.activation.transport._IDLE_SECONDS", 0.0)
        gate = threading.Barrier(1)
        sent(transport, receiver)

        assert len(old) == 3
        assert not old & transport._open
        transport.close()
    assert len(receiver.requests) == 4


def test_a_failed_exchange_leaves_no_connection_behind():
    with Receiver(response(b"x", Content_Encoding="br")) as receiver:
        transport = HttpTransport(hook(receiver.url))
        with pytest.raises(NoAnswerError):
            sent(transport, receiver)
        receiver._answer = lambda *_: False
        for _ in range(3):
            with pytest.raises(NoAnswerError):
                sent(transport, receiver)
            assert transport._open == set()
        transport.close()


def test_closing_closes_what_is_under_way_as_well():
    going, over = threading.Event(), threading.Event()

    def silent(*_):
        going.set()
        over.wait(10)

    with Receiver(silent) as receiver:
        transport = HttpTransport(hook(receiver.url, timeout=0.5))
        failed = []

        def send():
            try:
                sent(transport, receiver)
            except NoAnswerError as error:
                failed.append(error)

        thread = threading.Thread(target=send)
        thread.start()
        going.wait(5)
        transport.close()
        thread.join(5)
        over.set()

        assert failed
        assert transport._open == set()
