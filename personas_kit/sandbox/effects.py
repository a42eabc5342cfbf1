"""The words between the parts of the sandbox: a request as it came in, what it does to the state, and the answer.

PURE: the modules that speak a vendor's protocol turn an ``Incoming`` into a ``Handled`` and touch nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

EffectKind = Literal["user", "account", "event", "add", "remove", "replace"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request, read whole and decompressed. ``headers`` have lower-case names; ``path`` has no query.

    ``invalid`` are offsets of items that a fault wants treated as invalid.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes
    invalid: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Effect:
    """One item of a request and what it does.

    Attributes:
        kind: ``user`` and ``account`` set traits, ``event`` tracks, ``add``, ``remove`` and ``replace`` change a list.
        subject: the user, account or list id.
        content: the traits; the event; or the entries of a list, each a list of ``[field, value]`` pairs.
        message_id: what the destination deduplicates by; empty if the item has none.
        digest: of the item's content, so that one id with two contents is noticed.
    """

    kind: EffectKind
    subject: str
    content: Any
    message_id: str = ""
    digest: str = ""

    def as_list(self) -> list[Any]:
        """For JSON; ``Effect(*values)`` reads it back."""
        return [self.kind, self.subject, self.content, self.message_id, self.digest]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    content: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handled:
    """What a protocol made of a request.

    Attributes:
        reply: the answer.
        account: which destination account it was for, without its secret; ``segment:1f0c9a``.
        effects: what it does, in order; empty if refused.
        items: how many items the request carried.
        scope: within which message ids are compared; empty for not at all.
        dedupes: whether the destination drops an item whose message id it has seen.
        ignored: reasons for items that the real destination accepts and then silently drops.
        integrations: the destinations behind a gateway that the items name.
        signature: what the request was signed with, as sent.
    """

    reply: Reply
    account: str
    effects: tuple[Effect, ...] = ()
    items: int = 0
    scope: str = ""
    dedupes: bool = False
    ignored: tuple[str, ...] = ()
    integrations: tuple[str, ...] = ()
    signature: str = ""


def json_reply(status: int, body: object) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def text_reply(status: int, body: str) -> Reply:
    """A plain text answer."""
    return Reply(status, body.encode(), "text/plain; charset=utf-8")


def loads(content: bytes) -> object:
    """JSON, or None where it is not: every protocol answers that in its own words."""
    try:
        return cast("object", json.loads(content))
    except (ValueError, RecursionError):
        return None


def fields(value: object) -> dict[str, Any]:
    """The fields of a JSON object; none if it is something else."""
    return value if isinstance(value, dict) else {}


def digest(item: object, *, without: tuple[str, ...] = ()) -> str:
    """16 hex digits over an item's content; the order of keys and the fields named do not count."""
    if isinstance(item, dict) and without:
        item = {key: value for key, value in item.items() if key not in without}
    canonical = json.dumps(item, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()


def account_label(slug: str, secret: str) -> str:
    """The name of a destination account: the slug and six hex digits that tell secrets apart without showing them."""
    return f"{slug}:{hashlib.sha256(secret.encode()).hexdigest()[:6]}"


def basic_user(headers: Mapping[str, str]) -> str:
    """The user of Basic authorization; empty if there is none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def bearer(headers: Mapping[str, str]) -> str:
    """The bearer token; empty if there is none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""
