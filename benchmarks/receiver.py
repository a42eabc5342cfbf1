"""A receiver that does as little as it can: reads a request, counts the messages in it, says that all is well."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_ANSWER = b'{"success":true}'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece: two of them wait 40 ms for an acknowledgement
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.messages += body.count(b'"messageId"')  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(_ANSWER)))
        self.end_headers()
        self.wfile.write(_ANSWER)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def receiver() -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """The address of a receiver on this machine, and the server, whose ``messages`` is what it counted."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.messages = 0  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
