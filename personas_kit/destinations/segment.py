"""Segment, by its HTTP Tracking API: a gateway to the destinations behind it.

What is odd: 200 means *accepted for processing*; wrong write keys, missing ids, and everything after the 2,500th
message of a batch are swallowed with a 200, so the kit counts itself. A workspace in the EU that posts to the US host
gets 200 and its events vanish: set ``region``. Messages are deduplicated by ``messageId`` for at least 24 hours. Bodies
are limited to 500 KB and messages to 32 KB; as Segment's own library does, 475,000 bytes are used. A 400 does not say
which message was wrong: the batch is halved until it stands alone.

Source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/ (read 2026-11-23).
"""

from personas_kit.destinations.auth import Basic
from personas_kit.destinations.base import Destination, Limits, Setting
from personas_kit.destinations.gateway import posts
from personas_kit.destinations.outcomes import Outcomes, json_says

destination = Destination(
    slug="segment",
    name="Segment",
    settings=(
        Setting("write_key", "of an HTTP API source", secret=True, identifies=True),
        Setting("region", "where the workspace is", default="us", choices=("us", "eu")),
    ),
    auth=Basic("{write_key}"),
    hosts={"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"},
    posts=posts("/v1/batch"),
    limits=Limits(items=2_500, bytes=475_000, item_bytes=32 * 1024),
    outcomes=Outcomes(read=json_says("success", value=True)),
    gateway="segment",
)
