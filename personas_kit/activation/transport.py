"""The one door to the network. Everything above it speaks of requests and answers, everything below is httpx.

No redirects (a redirected POST may become a GET without a body, at another host), no proxies or credentials from the
environment, no answer above a size. Nothing is logged here, and no error carries an address, a header or a body.
"""

from __future__ import annotations

from typing import Protocol

import httpx

from personas_kit.destinations.base import Connection, Request
from personas_kit.destinations.outcomes import Answer

MOST_BYTES = 8 * 1024 * 1024
"""More than this of an answer is not read: it counts as no answer."""


class NotConnectedError(Exception):
    """Nothing was sent: there was no connection."""


class NoAnswerError(Exception):
    """Something may have arrived: time-out, reset, an answer cut short or too large."""


class Transport(Protocol):
    """Sends one request, once."""

    def send(self, request: Request) -> Answer:
        """Send and read the whole answer.

        Raises:
            NotConnectedError: nothing was sent.
            NoAnswerError: the outcome is not known.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class HttpTransport:
    """httpx with a pool of connections; secrets are put in by the connection's own auth flow, as a request leaves."""

    def __init__(self, connection: Connection) -> None:
        self._auth = connection.auth()
        self._client = httpx.Client(
            trust_env=False, follow_redirects=False, timeout=connection.timeout, headers={"user-agent": "personas-kit"}
        )

    def send(self, request: Request) -> Answer:
        """Send one request and read its answer, up to a size."""
        message = self._client.build_request(
            request.method, request.url, content=request.content, headers=dict(request.headers)
        )
        try:
            answer = self._client.send(message, auth=self._auth, stream=True)
            try:
                return Answer(answer.status_code, dict(answer.headers), _read(answer))
            finally:
                answer.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise NotConnectedError from None
        except (httpx.HTTPError, httpx.StreamError):
            raise NoAnswerError from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _read(answer: httpx.Response) -> bytes:
    parts, size = [], 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > MOST_BYTES:
            raise NoAnswerError
        parts.append(part)
    return b"".join(parts)
