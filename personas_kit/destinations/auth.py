"""How a request proves who sends it. Secrets are read here, at the moment a request leaves, and nowhere else."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from urllib.parse import quote_plus

import httpx


@runtime_checkable
class Revealing(Protocol):
    """Something that holds a secret by reference."""

    def reveal(self) -> str:
        """The secret itself."""
        ...


class AuthScheme(Protocol):
    """A way to prove who sends, declared by a destination."""

    def flow(self, values: Mapping[str, object]) -> httpx.Auth:
        """The flow for these settings."""
        ...


def _secret(values: Mapping[str, object], name: str) -> str:
    value: Revealing = values[name]  # type: ignore[assignment]
    return value.reveal()


class _Flow(httpx.Auth):
    """Changes a request as it leaves. Its repr shows nothing."""

    requires_request_body = True

    def __init__(self, scheme: Basic | Bearer | InBody | Signed, values: Mapping[str, object]) -> None:
        self._scheme = scheme
        self._values = values

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self._scheme.sign(request, self._values)
        yield request


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic: the secret as user, no password."""

    setting: str

    def flow(self, values: Mapping[str, object]) -> httpx.Auth:
        """The flow for these settings."""
        return _Flow(self, values)

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Add the header."""
        flow = httpx.BasicAuth(_secret(values, self.setting), "").auth_flow(request)
        next(flow)
        flow.close()


@dataclass(frozen=True, slots=True)
class Bearer:
    """``Authorization: Bearer``."""

    setting: str

    def flow(self, values: Mapping[str, object]) -> httpx.Auth:
        """The flow for these settings."""
        return _Flow(self, values)

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Add the header."""
        request.headers["authorization"] = f"Bearer {_secret(values, self.setting)}"


@dataclass(frozen=True, slots=True)
class InBody:
    """The secret as the first field of a JSON object or a form."""

    setting: str

    def flow(self, values: Mapping[str, object]) -> httpx.Auth:
        """The flow for these settings."""
        return _Flow(self, values)

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Put the field in front of the others."""
        secret = _secret(values, self.setting)
        if request.headers["content-type"].startswith("application/json"):
            content = f'{{"{self.setting}":{json.dumps(secret)},'.encode() + request.content[1:]
        else:
            content = f"{self.setting}={quote_plus(secret)}&".encode() + request.content
        _replace(request, content)


@dataclass(frozen=True, slots=True)
class Signed:
    """A keyed hash of the body in a header, for a receiver that knows the key; nothing without a key."""

    setting: str
    header: str

    def flow(self, values: Mapping[str, object]) -> httpx.Auth:
        """The flow for these settings."""
        return _Flow(self, values)

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Add the header, if there is a key."""
        if values.get(self.setting) is None:
            return
        key = _secret(values, self.setting).encode()
        request.headers[self.header] = "sha256=" + hmac.new(key, request.content, hashlib.sha256).hexdigest()


def _replace(request: httpx.Request, content: bytes) -> None:
    request.stream = httpx.ByteStream(content)
    request._content = content  # noqa: SLF001  (httpx keeps what it read here)
    request.headers["content-length"] = str(len(content))
