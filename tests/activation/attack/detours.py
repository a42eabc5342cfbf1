"""Requests that meet no receiver at all: each on a real socket, so that the errors are the real ones."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from personas_kit.activation.transport import HttpTransport, Transport
from personas_kit.destinations import Answer, Connection, Request

OPENSSL = shutil.which("openssl")


class Detoured:
    """Sends some of its requests by another transport.

    Args:
        usual: the others go this way.
        other: makes the other way.
        which: numbers of the requests that take it, counted over the life of this object.
    """

    def __init__(self, usual: HttpTransport, other: Transport, home: str, which: range) -> None:
        self._usual, self._other, self._home, self._which = usual, other, home, which
        self._sent = 0

    def send(self, request: Request) -> Answer:
        number = self._sent
        self._sent += 1
        if number not in self._which:
            return self._usual.send(request)
        path = "/" + request.url.split("/", 3)[3]
        return self._other.send(dataclasses.replace(request, url=self._home + path))

    def close(self) -> None:
        self._usual.close()
        self._other.close()


@contextlib.contextmanager
def nobody_listens(_: Path) -> Iterator[str]:
    """A port that was just closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def no_such_name(_: Path) -> Iterator[str]:
    """A host that no resolver knows."""
    yield "https://gone.example"


@contextlib.contextmanager
def nobody_vouches(folder: Path) -> Iterator[str]:
    """A server whose certificate is its own word."""
    assert OPENSSL is not None
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with _accepting(lambda connection: context.wrap_socket(connection, server_side=True).close()) as port:
        yield f"https://127.0.0.1:{port}"


@contextlib.contextmanager
def no_tls(_: Path) -> Iterator[str]:
    """A server that speaks something else where TLS is expected."""
    with _accepting(lambda connection: connection.sendall(b"220 mail.example.com ESMTP\r\n")) as port:
        yield f"https://127.0.0.1:{port}"


@contextlib.contextmanager
def nobody_accepts(_: Path) -> Iterator[str]:
    """A server whose queue is full: connections wait until they are over time."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as stack:
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003  (the library's own way)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


Place = Callable[[Path], contextlib.AbstractContextManager[str]]

DETOURS: dict[str, Place] = {
    "nobody listens": nobody_listens,
    "no such name": no_such_name,
    "a certificate that nobody vouches for": nobody_vouches,
    "no TLS": no_tls,
    "nobody accepts in time": nobody_accepts,
}


def detour(home: str, which: range) -> Callable[[Connection], Transport]:
    """What opens the network so that these requests go to another place."""

    def connect(connection: Connection) -> Transport:
        elsewhere = dataclasses.replace(connection, _base=home, allow_private=True)
        return Detoured(HttpTransport(connection), HttpTransport(elsewhere, resolve=_nobody_knows), home, which)

    return connect


class Crowded(HttpTransport):
    """Allowed one connection, which somebody else has during these requests."""

    def __init__(self, connection: Connection, which: range) -> None:
        super().__init__(connection)
        self._free = threading.BoundedSemaphore(1)
        self._which, self._sent = which, 0

    def send(self, request: Request) -> Answer:
        number = self._sent
        self._sent += 1
        if number not in self._which:
            return super().send(request)
        with self._free:
            return super().send(request)


@contextlib.contextmanager
def _accepting(then: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server that does one thing with each connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:  # closed
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                then(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


def _nobody_knows(host: str, port: int) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
