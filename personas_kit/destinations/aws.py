"""What the destinations at AWS share: settings, messages, signatures, and the words of its errors.

They take the messages of Segment's dialect as they are. Requests are plain HTTPS posts, signed as AWS wants it
(Signature Version 4) by botocore, so that limits, time-outs and secrecy are those of every other destination. Without
keys among the settings the ones are used that AWS's own tools find: environment, profile, role of the machine.

What is odd: every service has a host of its own in every region; in China and the sovereign clouds it ends otherwise,
so that ``url`` has to be set there. The JSON services answer 400 to nearly all that is wrong, throttling and bad keys
among it: what it was stands in ``__type``, for Lambda in a header, for S3 in XML. A role that may only write needs no
more than that, so nothing is read to prove the credentials.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html, the pages *Common Errors* of the services,
and the service models of botocore 1.44.8 (read 2026-11-26).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import ModuleType

import httpx
import polars as pl

from personas_kit.destinations.auth import Flow, NotSignedError, fill
from personas_kit.destinations.base import Around, Call, Fields, Post, Setting
from personas_kit.destinations.encode import Json
from personas_kit.destinations.outcomes import Answer, Outcome, Outcomes, Reader, code, retry_after
from personas_kit.destinations.webhook import MESSAGES
from personas_kit.errors import ConfigError

THROTTLED = frozenset({
    "InternalException", "InternalFailure", "InternalFailureException", "KMSThrottlingException",
    "LimitExceededException", "ProvisionedThroughputExceededException", "RequestTimeout", "RequestTimeoutException",
    "ServiceUnavailableException", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException",
})  # fmt: skip
"""What is tried again, whatever the status."""

STOPPING = frozenset({
    "AccessDenied", "AccessDeniedException", "AuthorizationHeaderMalformed", "ExpiredToken", "ExpiredTokenException",
    "IncompleteSignature", "IncompleteSignatureException", "InvalidAccessKeyId", "InvalidAccountIdException",
    "InvalidClientTokenId", "InvalidKMSResourceException", "InvalidSignatureException", "InvalidSourceException",
    "InvalidToken", "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException",
    "KMSNotFoundException", "KMSOptInRequired", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
    "NoSuchBucket", "NotAuthorized", "NotAuthorizedForDetailTypeException", "NotAuthorizedForSourceException",
    "OptInRequired", "RequestExpired", "RequestTimeTooSkewed", "ResourceNotFoundException", "SignatureDoesNotMatch",
    "UnknownOperationException", "UnrecognizedClientException",
})  # fmt: skip
"""Keys, permissions, the clock of this machine, the name of the place: no request would fare better."""

_JSON = "application/x-amz-json-1.1"

_SIGNED = ("content-md5", "content-type", "x-amz-")

_XML_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,60})</Code>")


def settings(*own: Setting) -> tuple[Setting, ...]:
    """The settings of a service: its own, the region, and the keys."""
    return (
        *own,
        Setting(
            "aws_region",
            "where it is",
            identifies=True,
            pattern=r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}",
            example="eu-west-1",
        ),
        Setting("access_key_id", "else AWS's usual places", secret=True, optional=True),
        Setting("secret_access_key", "belongs to access_key_id", secret=True, optional=True),
        Setting("session_token", "belongs to temporary keys", secret=True, optional=True),
    )


def stream(longest: int) -> Setting:
    """The setting that names a stream, of so many characters at most."""
    pattern = rf"[a-zA-Z0-9_.-]{{1,{longest}}}"
    return Setting("stream", "its name", identifies=True, pattern=pattern, example="personas")


def into_stream(field: str) -> Callable[[Fields], Around]:
    """What stands around the records of a request: the name of the stream in this field."""
    return lambda c: (f'{{"{field}":{json.dumps(c.settings["stream"])},"Records":[', "]}")


def hosts(service: str) -> Mapping[str, str]:
    """The host of a service in the region of the settings."""
    return {"": f"https://{service}.{{aws_region}}.amazonaws.com"}


def posts(
    each: Callable[[Call, Fields, pl.Expr], Json], around: Around | Callable[[Fields], Around]
) -> Mapping[Call, Post]:
    """The three calls of a JSON service.

    Args:
        each: what is made of a message, whose JSON is a text.
        around: what stands around them in a request.
    """

    def post(call: Call, message: Callable[[Fields], Json]) -> Post:
        return Post("/", lambda c: each(call, c, message(c).text), around, content_type=_JSON)

    return {call: post(call, message) for call, message in MESSAGES.items()}


def outcomes(read: Reader) -> Outcomes:
    """The table of a service: how it says that it took everything, and the codes of its errors."""
    return Outcomes(read=lambda answer, count: _refusal(answer) or read(answer, count))


def for_each(rows: str, sign: str) -> Reader:
    """Of a service that answers for each record.

    Args:
        rows: the field of the answer with a row for each record, in their order.
        sign: the field of a row that is there if the record was taken; else there is an ``ErrorCode``.
    """

    def read(answer: Answer, count: int) -> Outcome | None:
        found = answer.rows(rows)
        if answer.status != HTTPStatus.OK or found is None or len(found) != count:
            return None
        failed = {at: code(row["ErrorCode"]) or "refused" for at, row in enumerate(found) if row.get("ErrorCode")}
        if not all(row.get(sign) for at, row in enumerate(found) if at not in failed):
            return None
        again = {at: why for at, why in failed.items() if why in THROTTLED}
        stopping = next((why for why in failed.values() if why in STOPPING), "")
        if stopping:
            return _stopped(stopping)
        rejected = {at: why for at, why in failed.items() if at not in again}
        return Outcome("acknowledged", next(iter(again.values()), ""), rejected=rejected, again=frozenset(again))

    return read


def _refusal(answer: Answer) -> Outcome | None:
    said = _code(answer) if answer.status >= HTTPStatus.BAD_REQUEST else ""
    if said in STOPPING:
        return _stopped(said)
    return Outcome("retry", said, after=retry_after(answer)) if said in THROTTLED else None


def _stopped(why: str) -> Outcome:
    return Outcome("fatal", f"{why}: check the keys, what they may do, the settings and the clock")


def _code(answer: Answer) -> str:
    """The code of an error, wherever the service puts it: ``x#Code``, ``Code:http://...``, ``<Code>Code</Code>``."""
    said = answer.header("x-amzn-errortype") or answer.at("__type") or answer.at("code")
    if isinstance(said, str):
        return code(said.partition(":")[0].rpartition("#")[2])
    found = _XML_CODE.search(answer.content)
    return found[1].decode() if found else ""


@dataclass(frozen=True, slots=True)
class AwsSigned:
    """Signature Version 4.

    Attributes:
        service: as it is called in a signature.
    """

    service: str

    def flow(self, values: Mapping[str, object], home: str, *, moved: bool) -> Flow:
        """The flow for these settings.

        Raises:
            ConfigError: botocore is not installed.
        """
        del home, moved
        try:
            import botocore.auth  # noqa: PLC0415  (an extra)
            import botocore.awsrequest  # noqa: PLC0415  (as above)
            import botocore.credentials  # noqa: PLC0415  (as above)
            import botocore.session  # noqa: PLC0415  (as above)
        except ImportError:
            raise ConfigError(
                "botocore signs requests to AWS, and it is not installed", hint="pip install 'personas-kit[aws]'"
            ) from None
        log = logging.getLogger("botocore")  # its debug log shows session tokens, and answers that hold keys
        log.setLevel(max(log.getEffectiveLevel(), logging.INFO))
        return _Signing(botocore, self.service, values)


class _Signing(Flow):
    listens = False

    def __init__(self, botocore: ModuleType, service: str, values: Mapping[str, object]) -> None:
        self._botocore = botocore
        self._service = service
        self._values = values
        self._found = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        auth = self._botocore.auth
        signer = auth.SigV4Auth
        if self._service == "s3":
            # In a key a slash is never escaped, neither where it is sent nor where it is signed.
            request.url = request.url.copy_with(raw_path=request.url.raw_path.replace(b"%2F", b"/"))
            digest = hashlib.md5(request.content, usedforsecurity=False).digest()  # Object Lock wants it
            request.headers["content-md5"] = b64encode(digest).decode()
            signer = auth.S3SigV4Auth
        signed = {name: text for name, text in request.headers.items() if name.startswith(_SIGNED)}
        copy = self._botocore.awsrequest.AWSRequest(request.method, str(request.url), signed, request.content)
        signer(self._keys(), self._service, fill("{aws_region}", self._values)).add_auth(copy)
        request.headers.update(dict(copy.headers.items()))
        yield request

    def _keys(self) -> object:
        """The keys of the settings, else those of the machine, fresh ones if they expire.

        Raises:
            NotSignedError: there are none, or they cannot be read.
        """
        names = ("access_key_id", "secret_access_key", "session_token")
        key, secret, token = (fill(f"{{{name}}}", self._values) for name in names)
        if key and secret:
            return self._botocore.credentials.Credentials(key, secret, token or None)
        if key or secret or token:
            raise NotSignedError("access_key_id and secret_access_key go together")
        return self._usual()

    def _usual(self) -> object:
        try:
            if self._found is None:
                self._found = self._botocore.session.Session().get_credentials()
            if self._found is not None:
                return self._found.get_frozen_credentials()
        except Exception as problem:  # noqa: BLE001  (whatever reads them raises anything, and it may quote them)
            raise NotSignedError(f"the keys for AWS cannot be read: {type(problem).__name__}") from None
        raise NotSignedError("no keys for AWS were found: set access_key_id and secret_access_key, or a profile")
