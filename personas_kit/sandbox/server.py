"""The HTTP side: one thread per connection, HTTP/1.1 with keep-alive, loopback only."""

from __future__ import annotations

import socket
import sys
import threading
import zlib
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from personas_kit.errors import PersonasError
from personas_kit.sandbox.effects import Handled, Incoming, Reply, json_reply, loads
from personas_kit.sandbox.faults import Fault, Script, read_faults
from personas_kit.sandbox.page import HEADERS, page
from personas_kit.sandbox.received import Arrival, Received
from personas_kit.sandbox.routes import route

_Connection = socket.socket | tuple[bytes, socket.socket]  # as the base class has it; here always a socket
LOOPBACK = "127.0.0.1"
MAX_BYTES = 64 * 1024 * 1024
_LOCAL_HOSTS = frozenset({LOOPBACK, "localhost"})
_PORTAL = b"<!doctype html><html><body>Please sign in to the network.</body></html>"


class _UnreadableError(Exception):
    """A body that cannot be read, and the status that says so."""

    def __init__(self, why: str, status: HTTPStatus) -> None:
        super().__init__(why)
        self.status = status


class Server(ThreadingHTTPServer):
    """Takes requests, lets the script of faults interfere, and notes what was applied before it answers."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128
    allow_reuse_address = sys.platform != "win32"  # there it would let two servers share a port

    def __init__(self, port: int, received: Received, faults: Script, seen: Callable[[Arrival], None] | None) -> None:
        self.received = received
        self.faults = faults
        self.seen = seen
        self.closing = threading.Event()
        self._connections: set[_Connection] = set()
        self._guard = threading.Lock()
        super().__init__((LOOPBACK, port), Handler)

    def process_request(self, request: _Connection, client_address: object) -> None:
        """Remember the connection, so that closing the server does not wait for idle ones."""
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Connection) -> None:
        """Close one connection."""
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: _Connection, client_address: object) -> None:
        """Stay quiet about senders that hang up; anything else is a defect and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Wake up and end every connection, then wait for their threads."""
        self.closing.set()
        with self._guard:
            for connection in self._connections:
                _hang_up(connection)
        super().server_close()

    def note(self, request: Incoming, handled: Handled, status: int, fault: str = "") -> None:
        """Apply and note a request."""
        arrival = self.received.record(request, handled, status, fault)
        if self.seen is not None:
            self.seen(arrival)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "personas-sandbox"
    sys_version = ""
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        """The page, or the summary as JSON."""
        if not self._is_local():
            return
        match self._path():
            case "/":
                self._answer(Reply(200, page(self.server.received).encode(), "text/html; charset=utf-8", HEADERS))
            case "/_sandbox/summary":
                left = {"faults_left": len(self.server.faults)}
                self._answer(json_reply(200, {**self.server.received.summary(), **left}))
            case path:
                self._take(path)

    def do_POST(self) -> None:
        """A request for a destination, or a script of faults."""
        if self._is_local():
            path = self._path()
            self._script_faults() if path == "/_sandbox/fail" else self._take(path)

    do_DELETE = do_PUT = do_PATCH = do_POST  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
        """Nothing is logged: ``Received`` knows what came, and lines of a log could carry secrets."""

    # --- one request -------------------------------------------------------------------------------------------------

    def _take(self, path: str) -> None:
        fault = self.server.faults.take(path)
        if fault is not None and fault.kind == "drop" and not fault.applied:
            self.server.note(Incoming(self.command, path, {}, b""), _nothing(), 0, fault.kind)
            self.close_connection = True
            return
        content = self._read()
        if content is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        invalid = frozenset(fault.rows if fault is not None else ())
        request = Incoming(self.command, path, headers, content, invalid)
        handled = route(request) if fault is None or fault.takes_effect else _nothing()
        if fault is None:
            self.server.note(request, handled, handled.reply.status)
            self._answer(handled.reply)
        else:
            self._fail(request, handled, fault)

    def _fail(self, request: Incoming, handled: Handled, fault: Fault) -> None:
        reply = _faulty(handled.reply, fault)
        dropped = fault.kind in ("drop", "cut")
        self.server.note(request, handled, 0 if dropped else reply.status, fault.kind)
        if fault.kind == "delay":
            self.server.closing.wait(fault.seconds)
        if fault.kind != "drop":
            self._answer(reply, cut=fault.kind == "cut")
        if dropped:
            self.close_connection = True

    def _script_faults(self) -> None:
        content = self._read()
        if content is None:
            return
        if "application/json" not in self.headers.get("Content-Type", ""):  # foreign web pages cannot send it
            self._answer(json_reply(415, {"error": "send application/json"}))
            return
        try:
            self.server.faults.extend(read_faults(loads(content)))
        except (PersonasError, TypeError) as error:
            self._answer(json_reply(400, {"error": str(error)}))
        else:
            self._answer(json_reply(200, {"faults_left": len(self.server.faults)}))

    # --- bytes -------------------------------------------------------------------------------------------------------

    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _is_local(self) -> bool:
        """Refuse other hosts' names: a web page elsewhere may have pointed its own name at the loopback address."""
        host = self.headers.get("Host", LOOPBACK).rpartition(":")[0] or self.headers.get("Host", LOOPBACK)
        if host in _LOCAL_HOSTS:
            return True
        self.close_connection = True
        self._answer(json_reply(HTTPStatus.MISDIRECTED_REQUEST, {"error": "call it by a loopback name"}))
        return False

    def _read(self) -> bytes | None:
        """The body, decompressed; None after answering that it cannot be read."""
        try:
            return self._body()
        except _UnreadableError as error:
            self.close_connection = True
            self.server.note(Incoming(self.command, self._path(), {}, b""), _nothing(), error.status)
            self._answer(json_reply(error.status, {"error": str(error)}))
            return None

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0" if self.command == "GET" else "")
        if not length.isdecimal():
            raise _UnreadableError("send a Content-Length", HTTPStatus.LENGTH_REQUIRED)
        if int(length) > MAX_BYTES:
            raise _UnreadableError("over 64 MiB", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        content = self.rfile.read(int(length))
        if len(content) < int(length):
            raise ConnectionResetError("the sender hung up in the middle")
        return _gunzip(content) if self.headers.get("Content-Encoding", "").lower() == "gzip" else content

    def _answer(self, reply: Reply, *, cut: bool = False) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.content)))
        if self.close_connection:
            self.send_header("Connection", "close")  # or a sender takes the connection for one that can be used again
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.content[: len(reply.content) // 2] if cut else reply.content)
        self.wfile.flush()


def _nothing() -> Handled:
    return Handled(json_reply(500, {}), "")


def _faulty(reply: Reply, fault: Fault) -> Reply:
    match fault.kind:
        case "status":
            return Reply(fault.status, fault.body.encode(), "text/plain; charset=utf-8", fault.headers)
        case "html":
            return Reply(200, _PORTAL, "text/html; charset=utf-8")
        case "truncate":
            return Reply(reply.status, reply.content[: len(reply.content) // 2], reply.content_type)
        case _:
            return reply


def _gunzip(content: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, MAX_BYTES + 1)
    except zlib.error:
        raise _UnreadableError("the body is not gzip", HTTPStatus.BAD_REQUEST) from None
    if len(unpacked) > MAX_BYTES:
        raise _UnreadableError("over 64 MiB", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if not unpacker.eof:
        raise _UnreadableError("the gzip body is cut short", HTTPStatus.BAD_REQUEST)
    return unpacked


def _hang_up(connection: _Connection) -> None:
    if isinstance(connection, tuple):
        return
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the sender was quicker
        return
