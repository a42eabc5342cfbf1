"""The one door to the network. Everything above it speaks of requests and answers, everything below is HTTP/1.1.

What a request may meet is bounded: it goes to the destination's own host and to no other, never through a proxy of the
environment, no redirect is followed (a redirected POST may become a GET without a body, elsewhere), no cookie is kept;
of an answer so many bytes are read and unpacked, its headers up to 100 KiB, and all of it in twice the connection's
time-out. Nothing is logged here, and no error carries an address, a header or a body.

Answers are asked for as they are (``identity``). One that comes as gzip or deflate all the same is unpacked up to the
same size: that bounds memory and time whatever the ratio. Other encodings count as no answer.
"""

from __future__ import annotations

import contextlib
import functools
import re
import zlib
from collections.abc import Callable, Iterable
from typing import Protocol

import httpcore
import httpx

from personas_kit.activation.network import (
    Network,
    NoAnswerError,
    NotAllowedError,
    NotConnectedError,
    Resolve,
    resolve_name,
    trusted,
)
from personas_kit.clock import Clock, SystemClock
from personas_kit.destinations.addresses import kinds_allowed
from personas_kit.destinations.auth import NotSignedError
from personas_kit.destinations.base import Connection, Request
from personas_kit.destinations.outcomes import Answer

__all__ = ["HttpTransport", "NoAnswerError", "NotAllowedError", "NotConnectedError", "Transport"]

MOST_BYTES = 8 * 1024 * 1024
"""More than this of an answer is not read, nor unpacked: it counts as no answer."""

TOTAL = 2
"""A request is over after so many times the connection's time-out, which is for each of its steps."""

_HEADERS = {"user-agent": "personas-kit", "accept": "*/*", "accept-encoding": "identity"}
_UNSENDABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_LANES, _IDLE_SECONDS = 100, 5.0
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Transport(Protocol):
    """Sends one request, once."""

    def send(self, request: Request) -> Answer:
        """Send and read the whole answer.

        Raises:
            NotConnectedError: nothing was sent.
            NotAllowedError: nothing was sent, and trying again would not change that.
            NoAnswerError: the outcome is not known.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class HttpTransport:
    """A pool of connections to one destination; secrets are put in by its own auth flow, as a request leaves."""

    def __init__(
        self,
        connection: Connection,
        *,
        clock: Clock = SystemClock(),  # noqa: B008  (has no state)
        resolve: Resolve = resolve_name,
        sockets: httpcore.NetworkBackend | None = None,
    ) -> None:
        home = httpx.URL(connection.home)
        self._auth = connection.auth()
        self._origins = {_origin(home), *(_origin(httpx.URL(other)) for other in self._auth.origins)}
        self._timeout = connection.timeout
        self._network = Network(
            kinds_allowed(home.scheme, allow_private=connection.allow_private), clock, resolve, sockets
        )
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted() if home.scheme == "https" else None,
            max_connections=_LANES,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=self._network,
        )

    def send(self, request: Request) -> Answer:
        """Send one request and read its answer; more than one if the auth flow needs several."""
        message = httpx.Request(
            request.method, request.url, headers={**_HEADERS, **request.headers}, content=request.content
        )
        flow = self._auth.sync_auth_flow(message)
        with self._network.within(TOTAL * self._timeout), contextlib.closing(flow):
            leaving = _signed(functools.partial(next, flow))
            answer = Answer(0)
            while leaving is not None:
                answer = self._exchange(leaving)
                leaving = _signed(functools.partial(flow.send, _seen(answer, leaving)))
            return answer

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _exchange(self, leaving: httpx.Request) -> Answer:
        if _origin(leaving.url) not in self._origins:
            raise NotAllowedError("not allowed: the request is for another host than the destination's")
        if any(_UNSENDABLE.search(value) for _, value in leaving.headers.raw):
            raise NotAllowedError(_BAD_SECRET)
        url, content = leaving.url, leaving.read()
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        times = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)}
        going = self._pool.stream(
            leaving.method, target, headers=leaving.headers.raw, content=content, extensions=times
        )
        try:
            with going as answer:
                headers = httpx.Headers(answer.headers)
                content = _unpacked(_read(answer.iter_stream()), headers.pop("content-encoding", ""))
                return Answer(answer.status, dict(headers), content)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout):
            raise NotConnectedError from None
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
            raise NoAnswerError from None


_BAD_SECRET = "a secret holds a line break or a character that no header can carry"  # noqa: S105  (says what is wrong)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _signed(step: Callable[[], httpx.Request]) -> httpx.Request | None:
    """The next request of an auth flow, its secret put in; None if the last answer ends it."""
    try:
        return step()
    except StopIteration:
        return None
    except UnicodeEncodeError:  # it quotes the secret
        raise NotAllowedError(_BAD_SECRET) from None
    except NotSignedError as problem:
        if problem.again:
            raise NotConnectedError(problem.reason) from None
        raise NotAllowedError(problem.reason) from None


def _seen(answer: Answer, leaving: httpx.Request) -> httpx.Response:
    """An answer as an auth flow wants to see it."""
    headers = httpx.Headers(dict(answer.headers), encoding="utf-8")  # they may hold anything
    return httpx.Response(answer.status, headers=headers, content=answer.content, request=leaving)


def _read(parts: Iterable[bytes]) -> bytes:
    kept, size = [], 0
    for part in parts:
        size += len(part)
        if size > MOST_BYTES:
            raise NoAnswerError
        kept.append(part)
    return b"".join(kept)


def _unpacked(content: bytes, encoding: str) -> bytes:
    if encoding.strip().lower() in {"", "identity"} or not content:
        return content
    if encoding.strip().lower() not in _PACKED:
        raise NoAnswerError
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        unpacked = unpacker.decompress(content, MOST_BYTES + 1)
    except zlib.error:
        raise NoAnswerError from None
    if len(unpacked) > MOST_BYTES or not unpacker.eof:
        raise NoAnswerError
    return unpacked
