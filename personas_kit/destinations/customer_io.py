"""Customer.io, by its Track API: people, their events, objects, and manual segments.

What is odd: an account is an *object* of a type, which has a number. A 207 names by position what was wrong in a batch;
the rest is taken. Events are deduplicated by a ULID, which is made from the time and the id of the message. A workspace
in the EU is redirected from the US host: set ``region``. A manual segment has to be there already; only those people
enter it who are known there, and ids that are not are ignored with a 200. Its members are our user ids: people who are
known by an address alone could be added, but not removed. A segment is made by another API with a key of its own.
Customer.io says that segments are not supported yet by this way in a workspace that knows people by both an address and
an id. Credentials are proved by either region's host.

Not confirmed: 1,000 operations in a batch (the pages name bytes only), and how long a name or a value may be.

Source: https://docs.customer.io/integrations/api/track/ (read 2026-11-27).
"""

import polars as pl
import polars_hash

from personas_kit.destinations.auth import Basic
from personas_kit.destinations.base import Destination, Fields, Keys, Limits, Post, Probe, Rate, Setting, naming_list
from personas_kit.destinations.encode import Json, obj, raw
from personas_kit.destinations.normalise import as_given
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, refused

BATCH = ('{"batch":[', "]}")
IDS = ('{"ids":[', "]}")
TAKEN = frozenset({
    "_created_in_customerio_at", "_update", "anonymous_id", "cio_id", "cio_subscription_preferences", "created_at",
    "email", "id", "phone", "unsubscribed",
})  # fmt: skip
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _ulid(c: Fields) -> pl.Expr:
    """Ten digits to the base of 32 for the time, and sixteen that follow from the message."""
    time = [(c.epoch_ms // 32**at % 32).replace_strict(list(range(32)), list(DIGITS)) for at in range(9, -1, -1)]
    message = polars_hash.concat_str(c.message_id).chash.sha2_256().str.head(16).str.to_uppercase()
    return pl.concat_str(*time, message)


def _identify(c: Fields) -> Json:
    return obj(type="person", identifiers=obj(id=c.user_id), action="identify", attributes=c.traits)


def _track(c: Fields) -> Json:
    return obj(
        type="person",
        identifiers=obj(id=c.user_id),
        action="event",
        id=_ulid(c),
        name=c.event,
        timestamp=c.epoch,
        attributes=c.properties,
    )


def _group(c: Fields) -> Json:
    account = obj(object_type_id=c.settings["object_type_id"], object_id=c.account_id)
    return obj(type="object", identifiers=account, action="identify", attributes=c.own_traits)


def _member(_: Fields) -> Json:
    """``{"id":"u1"}`` is ``"u1"`` in the array: JSON as it stands."""
    return raw(pl.col("member").str.strip_prefix('{"id":').str.strip_suffix("}"))


def _read(answer: Answer, _count: int) -> Outcome | None:
    """An empty object; or what was wrong, by position."""
    rejected = refused(answer, "errors", at="batch_index", why="reason")
    if answer.status == 207 and rejected:  # noqa: PLR2004
        return Outcome("acknowledged", rejected=rejected)
    return ACKNOWLEDGED if answer.status == 200 and answer.json() == {} else None  # noqa: PLR2004


def _segment(verb: str, exits: Post | None = None) -> Post:
    limits = Limits(items=1_000, bytes=490_000)
    return Post(f"/api/v1/segments/{{segment_id}}/{verb}_customers", _member, IDS, limits=limits, exits=exits)


destination = Destination(
    slug="customer.io",
    name="Customer.io",
    settings=(
        Setting("site_id", "of the workspace", identifies=True),
        Setting("api_key", "of the Track API", secret=True),
        Setting("object_type_id", "of the objects that are accounts", default="1"),
        naming_list("segment_id", "number of a manual segment", optional=True),
        Setting("region", "where the workspace is", default="us", choices=("us", "eu")),
    ),
    auth=Basic("{site_id}", "{api_key}"),
    hosts={"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"},
    posts={
        "identify": Post("/api/v2/batch", _identify, BATCH),
        "track": Post("/api/v2/batch", _track, BATCH),
        "group": Post("/api/v2/batch", _group, BATCH),
        "list": _segment("add", exits=_segment("remove")),
    },
    limits=Limits(items=1_000, bytes=490_000, item_bytes=32_000),
    outcomes=Outcomes(read=_read),
    identifiers={"user_id": as_given("id")},
    keys=Keys(reserved=TAKEN),
    list_setting="segment_id",
    rates=(Rate(100, 1),),
    probe=Probe("/api/v1/accounts/region"),
)
