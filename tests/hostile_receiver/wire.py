"""HTTP by hand: requests read from a socket and answers as bytes, so that both can be as broken as one likes."""

from __future__ import annotations

import functools
import gzip
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GOOD = b'{"success":true}'
JSON = "application/json"
HTML = b"<!doctype html><html><body>Please sign in to the network.</body></html>"


class HungUp(Exception):
    """The other side closed the connection before the request was whole."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a request."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return int(self.headers.get("content-length", "0"))


class Reader:
    """Reads a connection in pieces."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left = b""

    def head(self) -> Head | None:
        """The next request's first lines; None if the other side is done."""
        while b"\r\n\r\n" not in self._left:
            if not self._more():
                return None
        raw, _, self._left = self._left.partition(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        return Head(method, path, {name.strip().lower(): value.strip() for name, _, value in pairs})

    def body(self, size: int) -> bytes:
        """So many bytes of it.

        Raises:
            HungUp: there were fewer.
        """
        while len(self._left) < size:
            if not self._more():
                raise HungUp
        found, self._left = self._left[:size], self._left[size:]
        return found

    def _more(self) -> bool:
        try:
            piece = self._connection.recv(65_536)
        except OSError:  # reset, or closed by the end of the test
            return False
        self._left += piece
        return bool(piece)


def http(status: int, body: bytes = b"", kind: str = JSON, **headers: str) -> bytes:
    """An answer; an underscore in the name of a header is a hyphen."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@functools.cache
def bomb(layers: int, megabytes: int) -> bytes:
    """Zeros, packed so often; a few kilobytes of it are gigabytes of memory to whoever unpacks without looking."""
    packed = b"0" * (megabytes << 20)
    for _ in range(layers):
        packed = gzip.compress(packed, 9, mtime=0)
    return packed


def reset(connection: socket.socket) -> None:
    """Close with a reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def messages(content: bytes) -> list[dict[str, Any]]:
    """The messages of a body in Segment's dialect."""
    body = json.loads(content)
    return list(body["batch"])
