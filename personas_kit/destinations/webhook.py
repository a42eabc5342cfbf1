"""Any address of your own: an array of messages in Segment's dialect.

What is odd: the receiver is yours, so any 2xx counts as *applied*; answer only when it is. With a ``secret`` the header
``X-Signature`` carries ``sha256=`` and the keyed hash (HMAC-SHA-256, hex) of the body, to be compared before the body
is read. Segment's own webhook signs with SHA-1 (https://segment.com/docs/connections/destinations/catalog/webhooks/,
read 2026-11-23), which nobody should start with today. Delivery is at least once: look at ``messageId`` and skip what
was seen; or at the header ``Idempotency-Key``, which follows from the body, so that a repeated request has the same.
"""

from personas_kit.destinations.auth import Signed
from personas_kit.destinations.base import Destination, Limits, Post, Setting
from personas_kit.destinations.gateway import group, identify, track
from personas_kit.destinations.outcomes import Outcomes, any_success

destination = Destination(
    slug="webhook",
    name="Webhook",
    settings=(Setting("secret", "signs the body: X-Signature", secret=True, optional=True),),
    auth=Signed("secret", "X-Signature"),
    hosts={},
    posts={"identify": Post("", identify), "track": Post("", track), "group": Post("", group)},
    limits=Limits(items=500, bytes=900_000),
    outcomes=Outcomes(read=any_success),
    key_header="idempotency-key",
)
