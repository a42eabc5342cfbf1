"""Google Analytics 4, by its Measurement Protocol: user properties and events of a web stream.

What is odd: it answers 2xx to whatever arrives. A wrong secret, an unknown stream and a malformed event look like
success, so an acknowledged change means *received* and no more; look for the events in the reports after the first
push. A user is a browser: ``client_id``, from the Google Analytics cookie, is needed. A user property cannot travel
alone, so identify sends an event ``profile_updated`` with it. It shows in reports once it is registered (Admin > Custom
definitions, scope: user); there is room for 25. Names have at most 24 characters and texts 36, more is dropped in
silence. ``engagement_time_msec`` and ``session_id`` are left out on purpose: nobody was active, so that nothing shows
in Realtime. An event's time may lie 72 hours back. The secret stands in the address. With ``region = "eu"`` the data is
collected in the EU.

Not confirmed: booleans as JSON, so they go as the texts true and false; what a missing value does to a property; that
an event which is sent twice counts twice (no document names a key for it).

Source: https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference, .../user-properties,
.../sending-events, https://support.google.com/analytics/answer/13316687 (read 2026-11-26).
"""

import polars as pl

from personas_kit.destinations.auth import Query
from personas_kit.destinations.base import Destination, Fields, Keys, Limits, Post, Setting, Values
from personas_kit.destinations.encode import Field, Json, constant, obj, raw
from personas_kit.destinations.normalise import as_given
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

RESERVED = frozenset({
    *("first_open_time", "first_visit_time", "first_open_after_install", "last_deep_link_referrer", "user_id"),
    *("google_*", "ga_*", "firebase_*"),
})  # fmt: skip
PATH = "/mp/collect?measurement_id={measurement_id}"


def _hit(c: Fields, **more: Field) -> Json:
    return obj({"client_id": c.ids["client_id"], "timestamp_micros": c.epoch_ms * 1_000, **more})


def _identify(c: Fields) -> Json:
    properties = obj({c.key: obj(value=c.value)})
    return _hit(c, user_properties=properties, events=constant([{"name": "profile_updated"}]))


def _track(c: Fields) -> Json:
    name = c.event.str.to_lowercase().str.replace(" ", "_", literal=True)
    event = obj(name=name, params=c.properties)
    return _hit(c, events=raw(pl.concat_str(pl.lit("["), event.text, pl.lit("]"))))


def _read(answer: Answer, _count: int) -> Outcome | None:
    """Nothing is said, and that is all there is."""
    return ACKNOWLEDGED if answer.is_success and not answer.content else None


destination = Destination(
    slug="google-analytics",
    name="Google Analytics",
    settings=(
        Setting(
            "measurement_id", "of the web stream: G-...", identifies=True, pattern="G-[A-Z0-9]+", example="G-XXXXXXXXXX"
        ),
        Setting("api_secret", "Measurement Protocol API secrets, in the stream", secret=True),
        Setting("region", "where data is collected", default="global", choices=("global", "eu")),
    ),
    auth=Query("api_secret"),
    hosts={"global": "https://www.google-analytics.com", "eu": "https://region1.google-analytics.com"},
    posts={"identify": Post(PATH, _identify, ("", "")), "track": Post(PATH, _track, ("", ""))},
    limits=Limits(items=1, bytes=130_000),
    outcomes=Outcomes(read=_read),
    keyed={"client_id": as_given("client_id")},
    keys=Keys(
        longest=24, pattern="[A-Za-z][A-Za-z0-9_]*", reserved=RESERVED, about="letters, digits and _ after a letter"
    ),
    values=Values(longest=36, booleans="text", lists=False),
    parallel=8,
)
