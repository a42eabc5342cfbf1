"""Opens connections: a name is looked up once, every address that it has is checked, and one of those is connected to.

So it does not matter what the name means a moment later (DNS rebinding). TLS and the ``Host`` header keep the name.
Whatever one request does here shares one deadline: a receiver that sends a byte now and then cannot hold it for long.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import math
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

import httpcore
import httpx

from personas_kit.clock import Clock
from personas_kit.destinations.addresses import ALLOW_PRIVATE, Ip, Kind, kind_of, literal

Resolve = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host. Raises OSError if it is not known."""

_PIECE = 64 * 1024  # bytes written at once, at most


class NotConnectedError(Exception):
    """Nothing was sent: there was no connection. ``reason`` is for people, and names no address."""

    def __init__(self, reason: str = "no connection") -> None:
        super().__init__(reason)
        self.reason = reason


class NotAllowedError(NotConnectedError):
    """Nothing was sent and nothing will be: this may not be sent, or not there."""


class NoAnswerError(Exception):
    """Something may have arrived: time-out, reset, an answer cut short, too large, or that cannot be unpacked."""


def resolve_name(host: str, port: int) -> list[str]:
    """What the system's resolver says, in its order. How long it tries is the system's own setting."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@functools.cache
def trusted() -> ssl.SSLContext:
    """TLS with the certificate and the name verified, whatever the environment says."""
    context = httpx.create_ssl_context(trust_env=False)
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Here(threading.local):
    """What this thread is at: the instant at which its request has to be over; infinite between requests."""

    limit: float = math.inf


_here = _Here()


class Network(httpcore.NetworkBackend):
    """Connects to hosts all of whose addresses are of the kinds that are allowed."""

    def __init__(
        self,
        allowed: frozenset[Kind],
        clock: Clock,
        resolve: Resolve = resolve_name,
        sockets: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._allowed = allowed
        self._clock = clock
        self._resolve = resolve
        self._sockets = sockets or httpcore.SyncBackend()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Whatever this thread does on the network meanwhile takes no longer, all in all."""
        _here.limit = self._clock.monotonic() + seconds
        try:
            yield
        finally:
            _here.limit = math.inf

    def left(self, timeout: float | None) -> float:
        """Seconds that one step may take; 0 or less if time is up."""
        return min(math.inf if timeout is None else timeout, _here.limit - self._clock.monotonic())

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers.

        Raises:
            NotConnectedError: none does, or there is none.
            NotAllowedError: the host has an address of another kind than is allowed.
        """
        addresses = self._checked(host, port)
        for at, address in enumerate(addresses):
            share = self.left(timeout) / (len(addresses) - at)
            if share <= 0:
                break
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                opened = self._sockets.connect_tcp(str(address), port, share, local_address, socket_options)
                return _Stream(opened, self.left)
        raise NotConnectedError

    def _checked(self, host: str, port: int) -> list[Ip]:
        given = literal(host)
        addresses = [given] if given is not None else self._looked_up(host, port)
        for kind in map(kind_of, addresses):
            if kind not in self._allowed:
                raise NotAllowedError(_why_not(kind, self._allowed))
        return addresses

    def _looked_up(self, host: str, port: int) -> list[Ip]:
        try:
            return [ipaddress.ip_address(address) for address in self._resolve(host, port)]
        except (OSError, UnicodeError):
            raise NotConnectedError("no connection: its host is not known") from None


class _Stream(httpcore.NetworkStream):
    """A connection whose every step keeps to the deadline of the request that takes it."""

    def __init__(self, inner: httpcore.NetworkStream, left: Callable[[float | None], float]) -> None:
        self._inner = inner
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._still(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        sending: socket.socket = self._inner.get_extra_info("socket")
        view = memoryview(buffer)
        while view:
            sending.settimeout(self._still(timeout))
            try:
                view = view[sending.send(view[:_PIECE]) :]
            except TimeoutError:
                raise NoAnswerError from None
            except OSError:
                raise httpcore.WriteError from None  # the answer may be there all the same: it is read

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._left(timeout)
        if left <= 0:
            self.close()
            raise NotConnectedError
        try:
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._left)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as problem:
            unverified = isinstance(problem.__cause__, ssl.SSLCertVerificationError)
            why = "no connection: its certificate cannot be verified" if unverified else "no connection: TLS failed"
            raise NotConnectedError(why) from None

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)

    def _still(self, timeout: float | None) -> float:
        left = self._left(timeout)
        if left <= 0:
            raise NoAnswerError
        return left


def _why_not(kind: Kind, allowed: frozenset[Kind]) -> str:
    if kind == "never":
        return "not allowed: its host has an address that no receiver can have"
    if allowed == {"loopback"}:
        return "not allowed: plain http goes to this machine only"
    return f"not allowed: its host lies inside a private network; if that is right, add {ALLOW_PRIVATE} to its settings"
