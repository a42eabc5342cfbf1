"""One connection that speaks HTTP/1.1: a request leaves, and its answer is read before the next one leaves.

Answers are parsed by llhttp (the parser of Node.js) through httptools: an exchange takes an eighth of the processor's
time that it takes with h11 (docs/transport.md has the figures). What does not keep to
HTTP/1.1 is no answer. Bounded are the body, and what comes in a row that is none of it: heads, 1xx, trailers.
"""

from __future__ import annotations

import re

import httpcore
import httptools
import httpx

from personas_kit.activation.network import NoAnswerError, NotAllowedError
from personas_kit.destinations.outcomes import Answer

MOST_BYTES = 8 * 1024 * 1024
"""More than this of an answer is not read, nor unpacked: it counts as no answer."""

_MOST_HEAD = 100 * 1024  # and what one read brings beyond it
_PIECE = 64 * 1024
_FIRST_FINAL = 200
WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_NAME = re.compile(rb"[!#-'*+\-.0-9A-Z^-z|~]+")
_TARGET = re.compile(rb"[\x21-\x7e]+")
_UNSENDABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

BAD_SECRET = "a secret holds a line break or a character that no header can carry"  # noqa: S105  (says what is wrong)


class Wire:
    """A connection and what is known of it.

    Attributes:
        kept: it can carry another request.
        since: when it was last used, for whoever keeps it.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._reading = _Reading()
        self.kept = False
        self.since = 0.0

    @property
    def quiet(self) -> bool:
        """Whether the other side has said nothing since its answer, nor hung up."""
        return not self._stream.get_extra_info("is_readable")

    def exchange(self, leaving: httpx.Request, timeout: float) -> Answer:
        """Send a request and read the whole answer, still packed.

        Args:
            leaving: signed.
            timeout: seconds that each step may take.

        Raises:
            NotAllowedError: nothing was sent: it holds what no request can carry.
            NoAnswerError: the outcome is not known.
        """
        self.kept = False
        head, content = _head(leaving), leaving.content
        written = self._written(head, content, timeout)
        reading = self._reading
        reading.bodiless = leaving.method == "HEAD"
        while not reading.whole:
            reading.take(self._read(timeout))
        self.kept = reading.kept and written
        return reading.answer()

    def close(self) -> None:
        """Close it."""
        self._stream.close()

    def _written(self, head: bytes, content: bytes, timeout: float) -> bool:
        """Whether all of it has left; if not, the answer may be there all the same: it is read."""
        try:
            if len(content) < _PIECE:
                self._stream.write(head + content, timeout)
            else:
                self._stream.write(head, timeout)
                self._stream.write(content, timeout)
        except httpcore.WriteError:
            return False
        return True

    def _read(self, timeout: float) -> bytes:
        try:
            return self._stream.read(_PIECE, timeout)
        except (httpcore.TimeoutException, httpcore.NetworkError):
            raise NoAnswerError from None


class _Reading:
    """What the parser finds of one answer. A 1xx is none: it announces one.

    Attributes:
        bodiless: it ends with its head, whatever that says.
        whole: all of it is there.
        kept: the other side keeps the connection, and has sent nothing beyond the answer.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(  # as h11 reads them; none lets an answer be read in two ways
            lenient_chunked_length=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self.bodiless = False
        self._forget()

    def _forget(self) -> None:
        self._barren = self._size = self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._final = self.whole = self.kept = False

    def take(self, data: bytes) -> None:
        """Go on with these bytes; none mean that the other side has hung up.

        Raises:
            NoAnswerError: this is no answer, or not a whole one, or a too large one.
        """
        if not data:
            self._end()
            return
        self._barren += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self.whole:
                raise NoAnswerError from None
            self.kept = False
        if self._barren > _MOST_HEAD or self._size > MOST_BYTES:
            raise NoAnswerError

    def answer(self) -> Answer:
        """The whole answer. The next one may come."""
        answer = Answer(self._status, _decoded(self._headers), b"".join(self._parts))
        self._forget()
        return answer

    def _end(self) -> None:
        if not self._final or any(name.lower() in _FRAMING for name, _ in self._headers):
            raise NoAnswerError
        self.whole, self.kept = True, False  # its end is that of the connection

    # --- what the parser calls ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Another one after the whole answer was not asked for."""
        if self.whole:
            self.kept = False
        else:
            self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of a head; those after a body are left out."""
        if not self._final:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is there."""
        if self.whole:
            return
        self._status = self._parser.get_status_code()
        self._final = self._status >= _FIRST_FINAL
        if self._final and self.bodiless:
            self.whole = True

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        if self._final and not self.whole:
            self._barren = 0
            self._size += len(body)
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """The end of an answer, or of what announced one."""
        if self._final and not self.whole:
            self.whole, self.kept = True, self._parser.should_keep_alive()


def _head(leaving: httpx.Request) -> bytes:
    """The head of a request. Its length is that of its content, whatever its headers say.

    Raises:
        NotAllowedError: it holds what no request can carry.
    """
    method, target, content = leaving.method.encode("ascii"), leaving.url.raw_path, leaving.content
    pairs = [pair for pair in leaving.headers.raw if pair[0].lower() not in _FRAMING]
    if content or leaving.method in WITH_LENGTH:
        pairs.append((b"content-length", b"%d" % len(content)))
    if _UNSENDABLE.search(b" ".join([value for _, value in pairs])):
        raise NotAllowedError(BAD_SECRET)
    if not all(map(_NAME.fullmatch, [method, *(name for name, _ in pairs)])) or not _TARGET.fullmatch(target):
        raise NotAllowedError("not allowed: the address or a header's name holds what no request can carry")
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, b"".join([b"%b: %b\r\n" % pair for pair in pairs]))


def _decoded(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers by their names in lower case; several of one name become one text, with commas between."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("ascii").lower(), _text(value)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _text(value: bytes) -> str:
    """A header's value, which may be anything."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
