"""RudderStack, by its HTTP API: a gateway in Segment's dialect.

What is odd: there is no global host, so ``url`` is the data plane of the workspace. The write key goes by HTTP Basic
only. Answers are plain text: ``OK``, or what was wrong. It refuses a call without ``userId`` and ``anonymousId``, which
is why group calls carry ``account:<id>``. It does not deduplicate unless it is told to. The server limits the request
to 4,000 KB and nothing else; 32 KB for a message is the documented limit. 404 means that the source is disabled. A
request may be gzip: the server unpacks it before it looks at its size.

Source: https://www.rudderstack.com/docs/api/http-api/ (read 2026-11-23), and the gateway's own code for the answers and
for gzip (github.com/rudderlabs/rudder-server, gateway/handle_lifecycle.go and middleware; read 2026-11-27).
"""

from personas_kit.destinations.auth import Basic
from personas_kit.destinations.base import Destination, Limits, Setting
from personas_kit.destinations.gateway import posts
from personas_kit.destinations.outcomes import Outcomes, text_says

destination = Destination(
    slug="rudderstack",
    name="RudderStack",
    settings=(Setting("write_key", "of an HTTP source", secret=True, identifies=True),),
    auth=Basic("{write_key}"),
    hosts={},
    posts=posts("/v1/batch"),
    limits=Limits(items=5_000, bytes=3_900_000, item_bytes=32 * 1024),
    outcomes=Outcomes(read=text_says("ok")),
    packed=frozenset({"identify", "track", "group"}),
    gateway="rudderstack",
)
