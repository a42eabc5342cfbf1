"""The one door to the network. Everything above it speaks of requests and answers, everything below is HTTP/1.1.

What a request may meet is bounded: it goes to the destination's own host and to no other, never through a proxy of the
environment, no redirect is followed (a redirected POST may become a GET without a body, elsewhere), no cookie is kept;
of an answer so many bytes are read and unpacked, its headers up to 164 KiB, and all of it in twice the connection's
time-out. Nothing is logged here, and no error carries an address, a header or a body.

Answers are asked for as they are (``identity``). One that comes as gzip or deflate all the same is unpacked up to the
same size: that bounds memory and time whatever the ratio. Other encodings count as no answer.

It takes a seventh of the processor's time that httpcore's pool took, and a twelfth of httpx.AsyncClient's;
docs/transport.md has what was compared.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import zlib
from collections.abc import Callable, Generator
from typing import Protocol, TypeVar

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
from personas_kit.activation.wire import BAD_SECRET, MOST_BYTES, WITH_LENGTH, Wire
from personas_kit.clock import Clock, SystemClock
from personas_kit.destinations.addresses import kinds_allowed
from personas_kit.destinations.auth import NotSignedError
from personas_kit.destinations.base import Connection, Request
from personas_kit.destinations.outcomes import Answer

__all__ = ["HttpTransport", "NoAnswerError", "NotAllowedError", "NotConnectedError", "Transport", "result_of"]

T = TypeVar("T")

LEAST_PACKED = 1_400
"""Bytes that a network sends at once: less is not packed."""

TOTAL = 2
"""A request is over after so many times the connection's time-out, which is for each of its steps."""

_HEADERS = {"user-agent": "personas-kit", "accept": "*/*", "accept-encoding": "identity"}
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_LANES, _IDLE_SECONDS = 100, 5.0
_PORTS = {"http": 80, "https": 443}
_GZIP, _GZIP_OR_ZLIB = zlib.MAX_WBITS | 16, zlib.MAX_WBITS | 32


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


def result_of(steps: Generator[Request, Answer, T], transport: Transport) -> T:
    """The result of a few requests, each of which waits for the answer to the one before.

    Raises:
        NotAllowedError: and whatever else sending a request, or making one, raises.
    """
    with contextlib.closing(steps):
        try:
            request = next(steps)
            while True:
                request = steps.send(transport.send(request))
        except StopIteration as done:
            result: T = done.value
            return result


class HttpTransport:
    """Connections to one destination; secrets are put in by its own auth flow, as a request leaves.

    A request takes the connection that was used last, so that none is looked through, and those that are not needed
    grow old. Any number of threads may send.
    """

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
        self._timeout = connection.timeout
        self._clock = clock
        self._network = Network(
            kinds_allowed(home.scheme, allow_private=connection.allow_private), clock, resolve, sockets
        )
        self._idle: dict[_Origin, list[Wire]] = {
            _origin(url): [] for url in (home, *map(httpx.URL, self._auth.origins))
        }
        self._open: set[Wire] = set()
        self._free = threading.BoundedSemaphore(_LANES)
        self._closed = False

    def send(self, request: Request) -> Answer:
        """Send one request and read its answer; more than one if the auth flow needs several."""
        message = _message(request)
        flow = self._auth.sync_auth_flow(message)
        with self._network.within(TOTAL * self._timeout), contextlib.closing(flow):
            leaving = _signed(functools.partial(next, flow))
            answer = Answer(0)
            while leaving is not None:
                answer = self._exchange(_packed(leaving) if request.packed and leaving is message else leaving)
                if not self._auth.listens:
                    break
                leaving = _signed(functools.partial(flow.send, _seen(answer, leaving)))
            return answer

    def close(self) -> None:
        """Close the connections, those in use as well: nobody waits for their answers. Nothing leaves after this."""
        self._closed = True
        for wire in list(self._open):
            self._drop(wire)

    def _exchange(self, leaving: httpx.Request) -> Answer:
        origin = _origin(leaving.url)
        if origin not in self._idle:
            raise NotAllowedError("not allowed: the request is for another host than the destination's")
        if not self._free.acquire(timeout=max(0.0, self._network.left(self._timeout))):
            raise NotConnectedError
        try:
            wire = self._kept(origin) or self._opened(leaving.url)
            try:
                answer = wire.exchange(leaving, self._timeout)
            finally:
                self._put_back(wire, origin)
        finally:
            self._free.release()
        headers = dict(answer.headers)
        content = _unpacked(answer.content, headers.pop("content-encoding", ""))
        return Answer(answer.status, headers, content)

    def _kept(self, origin: _Origin) -> Wire | None:
        """An idle connection that is still good; the older ones are closed where the last one is too old."""
        idle, oldest = self._idle[origin], self._clock.monotonic() - _IDLE_SECONDS
        while idle:
            with contextlib.suppress(IndexError):  # another thread has taken the last one
                wire = idle.pop()
                if wire.since > oldest and wire.quiet:
                    return wire
                self._drop(wire)
        return None

    def _opened(self, url: httpx.URL) -> Wire:
        host, times = url.raw_host.decode("ascii"), self._timeout
        stream = self._network.connect_tcp(host, url.port or _PORTS[url.scheme], times)
        try:
            if url.scheme == "https":
                stream = stream.start_tls(trusted(), host, times)
        except BaseException:
            stream.close()
            raise
        wire = Wire(stream)
        self._open.add(wire)
        if self._closed:  # while it was opened: whoever let go of it has called the outcome unknown already
            self._drop(wire)
            raise NotConnectedError
        return wire

    def _put_back(self, wire: Wire, origin: _Origin) -> None:
        if wire.kept:
            wire.since = self._clock.monotonic()
            self._idle[origin].append(wire)
        if self._closed or not wire.kept:
            self._drop(wire)

    def _drop(self, wire: Wire) -> None:
        self._open.discard(wire)
        wire.close()


_Origin = tuple[str, str, int | None]
_url = functools.lru_cache(maxsize=256)(httpx.URL)


def _message(request: Request) -> httpx.Request:
    """The request in httpx's form, as an auth flow wants to have it.

    Made with a stream, httpx takes it for finished and adds nothing: a quarter of the time of letting it do so.
    """
    url = _url(request.url)
    headers = {"host": url.netloc.decode("ascii"), **_HEADERS, **request.headers}
    if request.content or request.method in WITH_LENGTH:
        headers["content-length"] = str(len(request.content))
    return httpx.Request(request.method, url, headers=headers, stream=httpx.ByteStream(request.content))


def _packed(signed: httpx.Request) -> httpx.Request:
    """The request as gzip, where that may save a packet."""
    if len(signed.content) < LEAST_PACKED:
        return signed
    packer = zlib.compressobj(level=1, wbits=_GZIP)
    content = packer.compress(signed.content) + packer.flush()
    packed = httpx.Request(signed.method, signed.url, headers=signed.headers, stream=httpx.ByteStream(content))
    packed.headers["content-encoding"] = "gzip"
    packed.read()
    return packed


def _origin(url: httpx.URL) -> _Origin:
    return url.scheme, url.host, url.port


def _signed(step: Callable[[], httpx.Request]) -> httpx.Request | None:
    """The next request of an auth flow, its secret put in; None if the last answer ends it."""
    try:
        return step()
    except StopIteration:
        return None
    except UnicodeEncodeError:  # it quotes the secret
        raise NotAllowedError(BAD_SECRET) from None
    except NotSignedError as problem:
        if problem.again:
            raise NotConnectedError(problem.reason) from None
        raise NotAllowedError(problem.reason) from None


def _seen(answer: Answer, leaving: httpx.Request) -> httpx.Response:
    """An answer as an auth flow wants to see it."""
    headers = httpx.Headers(dict(answer.headers), encoding="utf-8")  # they may hold anything
    return httpx.Response(answer.status, headers=headers, content=answer.content, request=leaving)


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
