"""How a request proves who sends it. Secrets are read here, at the moment a request leaves, and nowhere else.

A scheme is data: a template names settings (``"Bearer {token}"``), and secrets among them are revealed when the
template is filled.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from string import Formatter
from typing import Protocol, runtime_checkable
from urllib.parse import quote_plus, urlencode

import httpx


@runtime_checkable
class Revealing(Protocol):
    """Something that holds a secret by reference."""

    def reveal(self) -> str:
        """The secret itself."""
        ...


class NotSignedError(Exception):
    """A request cannot be signed: nothing was sent.

    Args:
        reason: for people; no piece of an answer, and no secret.
        again: trying again may help.
    """

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again


class Flow(httpx.Auth):
    """Changes requests as they leave. Its repr shows nothing.

    Attributes:
        origins: where else than to the destination it may have to send something.
        listens: it looks at answers, and may send more because of one; else none is made into httpx's own form for it.
    """

    requires_request_body = True
    origins: tuple[str, ...] = ()
    listens = True


class AuthScheme(Protocol):
    """A way to prove who sends, declared by a destination."""

    def flow(self, values: Mapping[str, object], home: str, *, moved: bool) -> Flow:
        """The flow for these settings.

        Args:
            values: the settings.
            home: what every url of the destination begins with.
            moved: that is not the destination's own address, and neither goes anything else to its own.
        """
        ...


def fill(template: str, values: Mapping[str, object]) -> str:
    """The template with the settings that it names; secrets are revealed."""
    filled = []
    for literal, name in _parsed(template):
        filled.append(literal)
        if name:
            value = values.get(name)
            reveal = getattr(value, "reveal", None)  # a tenth of what asking for a Revealing takes, at every request
            filled.append(reveal() if reveal else "" if value is None else str(value))
    return "".join(filled)


@functools.cache
def _parsed(template: str) -> list[tuple[str, str | None]]:
    return [(literal, name) for literal, name, _, _ in Formatter().parse(template)]


class _Signing(Flow):
    """Signs a request, and is done."""

    listens = False

    def __init__(
        self, sign: Callable[[httpx.Request, Mapping[str, object]], None], values: Mapping[str, object]
    ) -> None:
        self._sign = sign
        self._values = values

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self._sign(request, self._values)
        yield request


class Simple:
    """A scheme that changes the request itself, and needs nothing else."""

    __slots__ = ()

    def flow(self, values: Mapping[str, object], home: str, *, moved: bool) -> Flow:
        """The flow for these settings."""
        del home, moved
        return _Signing(self.sign, values)

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Change the request."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Basic(Simple):
    """HTTP Basic, by templates; no password unless there is one."""

    user: str
    password: str = ""

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Add the header."""
        shown = f"{fill(self.user, values)}:{fill(self.password, values)}".encode()
        request.headers["authorization"] = f"Basic {b64encode(shown).decode()}"


@dataclass(frozen=True, slots=True)
class Header(Simple):
    """A header, by a template; left out where a setting that it names is not given."""

    name: str
    template: str

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Add the header."""
        named = (name for _, name in _parsed(self.template) if name)
        if all(values.get(name) is not None for name in named):
            request.headers[self.name] = fill(self.template, values)


def Bearer(setting: str) -> Header:  # noqa: N802  (reads like its neighbours)
    """``Authorization: Bearer``."""
    return Header("authorization", f"Bearer {{{setting}}}")


@dataclass(frozen=True, slots=True)
class Query(Simple):
    """The secret as a part of the query. Such an address is shown nowhere."""

    setting: str

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Add the parameter."""
        request.url = request.url.copy_set_param(self.setting, fill(f"{{{self.setting}}}", values))


@dataclass(frozen=True, slots=True)
class InBody(Simple):
    """The secret as the first field of a JSON object or a form."""

    setting: str

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Put the field in front of the others."""
        secret = fill(f"{{{self.setting}}}", values)
        if request.headers["content-type"].startswith("application/json"):
            content = f'{{"{self.setting}":{json.dumps(secret)},'.encode() + request.content[1:]
        else:
            content = f"{self.setting}={quote_plus(secret)}&".encode() + request.content
        _replace(request, content)


@dataclass(frozen=True, slots=True)
class Signed(Simple):
    """A keyed hash of the body in a header, for a receiver that knows the key; nothing without a key."""

    setting: str
    header: str

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Add the header, if there is a key."""
        if values.get(self.setting) is None:
            return
        key = fill(f"{{{self.setting}}}", values).encode()
        request.headers[self.header] = "sha256=" + hmac.new(key, request.content, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class NoAuth(Simple):
    """The address itself is all there is."""

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Change nothing."""


@dataclass(frozen=True, slots=True, init=False)
class Several(Simple):
    """One scheme after another."""

    schemes: tuple[Simple, ...]

    def __init__(self, *schemes: Simple) -> None:
        object.__setattr__(self, "schemes", schemes)

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Change the request by each of them."""
        for scheme in self.schemes:
            scheme.sign(request, values)


@dataclass(frozen=True, slots=True)
class OAuth:
    """A token that is asked for when it is needed, and again when it has expired.

    Attributes:
        path: where it is given.
        form: what is said there, by templates.
        host: where that is; empty for the destination's own.
        json: it is said as JSON, and not as a form.
        expired: whether an answer says that the token is too old; a 401 always does.
    """

    path: str
    form: Mapping[str, str]
    host: str = ""
    prefix: str = "Bearer "
    expired: Callable[[httpx.Response], bool] = lambda _: False
    json: bool = False

    def flow(self, values: Mapping[str, object], home: str, *, moved: bool) -> Flow:
        """The flow for these settings. It keeps its token."""
        return _Token(self, values, home if moved or not self.host else self.host)


class _Token(Flow):
    def __init__(self, scheme: OAuth, values: Mapping[str, object], giver: str) -> None:
        self._scheme = scheme
        self._values = values
        self._giver = giver
        self._token = ""
        self.origins = (giver,)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._token:
            yield from self._ask()
        used = self._token
        answer = yield self._with_token(request)
        if answer.status_code == HTTPStatus.UNAUTHORIZED or self._scheme.expired(answer):
            if self._token == used:  # else another lane has got a new one
                yield from self._ask()
            yield self._with_token(request)

    def _with_token(self, request: httpx.Request) -> httpx.Request:
        request.headers["authorization"] = f"{self._scheme.prefix}{self._token}"
        return request

    def _ask(self) -> Generator[httpx.Request, httpx.Response, None]:
        """Get a token.

        Raises:
            NotSignedError: none was given.
        """
        form = {name: fill(template, self._values) for name, template in self._scheme.form.items()}
        kind = "application/json" if self._scheme.json else "application/x-www-form-urlencoded"
        answer = yield httpx.Request(
            "POST",
            self._giver + fill(self._scheme.path, self._values),
            headers={"content-type": kind, "accept": "application/json"},
            content=(json.dumps(form) if self._scheme.json else urlencode(form)).encode(),
        )
        try:
            token = answer.json().get("access_token")
        except (ValueError, AttributeError):
            token = None
        if not isinstance(token, str) or not token:
            status = answer.status_code
            again = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
            raise NotSignedError(f"no token was given: check the credentials ({status})", again=again)
        self._token = token


def _replace(request: httpx.Request, content: bytes) -> None:
    request.stream = httpx.ByteStream(content)
    request._content = content  # noqa: SLF001  (httpx keeps what it read here)
    request.headers["content-length"] = str(len(content))
