"""Any address of your own: an array of messages in Segment's dialect. What others that take anything share lies here.

What is odd: the receiver is yours, so any 2xx counts as *applied*; answer only when it is. With a ``secret`` the header
``X-Signature`` carries ``sha256=`` and the keyed hash (HMAC-SHA-256, hex) of the body, to be compared before the body
is read. Segment's own webhook signs with SHA-1 (https://segment.com/docs/connections/destinations/catalog/webhooks/,
read 2026-11-23), which nobody should start with today. Delivery is at least once: look at ``messageId`` and skip what
was seen; or at the header ``Idempotency-Key``, which follows from the body, so that a repeated request has the same.
"""

from collections.abc import Callable, Mapping

from personas_kit.destinations.auth import Several, Signed, Simple
from personas_kit.destinations.base import Around, Call, Destination, Fields, Limits, Post, Rate, Setting
from personas_kit.destinations.encode import Json
from personas_kit.destinations.gateway import group, identify, track
from personas_kit.destinations.outcomes import Outcomes, Reader, any_success

MESSAGES: Mapping[Call, Callable[[Fields], Json]] = {"identify": identify, "track": track, "group": group}
"""What whoever takes anything gets."""


def posts(path: str = "", around: Around = ("[", "]")) -> Mapping[Call, Post]:
    """The messages as they are, to one address."""
    return {call: Post(path, message, around) for call, message in MESSAGES.items()}


def passthrough(
    slug: str,
    name: str,
    *own: Setting,
    auth: tuple[Simple, ...] = (),
    one_by_one: bool = False,
    read: Reader = any_success,
    rates: tuple[Rate, ...] = (),
) -> Destination:
    """A destination at an address of the user's, which may lie within a secret path, and is never shown.

    Args:
        slug: for settings.
        name: for people.
        *own: its settings, besides the secret that signs.
        auth: what it wants besides a signature.
        one_by_one: each message is a request of its own, and no array.
        read: what counts as taken.
        rates: what it allows.
    """
    return Destination(
        slug=slug,
        name=name,
        settings=(*own, Setting("secret", "signs the body: X-Signature", secret=True, optional=True)),
        auth=Several(*auth, Signed("secret", "X-Signature")),
        hosts={},
        posts=posts(around=("", "") if one_by_one else ("[", "]")),
        limits=Limits(items=1 if one_by_one else 500, bytes=900_000),
        outcomes=Outcomes(read=read),
        rates=rates,
        key_header="idempotency-key",
    )


destination = passthrough("webhook", "Webhook")
