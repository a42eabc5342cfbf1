"""Braze: attributes and events of users by /users/track.

What is odd: every customer lives on one of many instances, so the REST endpoint is a setting. A 201 may name entries
that were refused, by their position; the others are taken. During maintenance it answers 202 and takes them later. An
event has no id, so one that is repeated happens twice. There is nothing for accounts. Texts beyond 255 characters would
be cut off: they are refused here. Throttled answers carry no ``Retry-After`` but say when the budget starts anew.
Contracts by active users allow less than the rate here, and some 50 entries in a request, where it is 75 here. Cohorts
are not offered: they need the key of a partner.

Not confirmed: that a request of more than 50 entries gets a 400 there, which halves it; the most bytes of a body: 2 MB
is what /users/track/bulk takes. The form of an error is known from
RudderStack's code. No key for /users/track alone can read, so the credentials cannot be proved beforehand.

Source: https://www.braze.com/docs/api/endpoints/user_data/post_user_track, .../api/errors, .../api/api_limits,
.../api/objects_filters/user_attributes_object (read 2026-11-26, the limits 2026-11-27).
"""

from personas_kit.destinations.auth import Bearer
from personas_kit.destinations.base import Destination, Fields, Keys, Limits, Post, Rate, Setting, Values
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.outcomes import Answer, Budget, Outcome, Outcomes, refused

FIELDS = frozenset({
    "_update_existing_only", "alias_label", "alias_name", "bio", "braze_id", "country", "current_location",
    "date_of_first_session", "date_of_last_session", "dob", "email", "email_subscribe", "external_id", "facebook",
    "first_name", "gender", "home_city", "image_url", "language", "last_name", "marked_email_as_spam_at", "phone",
    "push_subscribe", "push_token_import", "push_tokens", "subscription_groups", "time_zone", "twitter", "user_alias",
})  # fmt: skip
"""Fields of a profile with a meaning of their own."""


def _attributes(c: Fields) -> Json:
    return obj({"external_id": c.user_id, c.key: c.value, **c.identifiers})


def _event(c: Fields) -> Json:
    return obj(external_id=c.user_id, name=c.event, time=c.timestamp, properties=c.properties)


def _read(answer: Answer, _count: int) -> Outcome | None:
    """Taken, but for the entries that are named."""
    rejected = refused(answer, "errors", at="index", why="type")
    taken = (answer.status, answer.at("message")) in ((200, "success"), (201, "success"), (202, "queued"))
    return Outcome("acknowledged", rejected=rejected) if taken and rejected is not None else None


destination = Destination(
    slug="braze",
    name="Braze",
    settings=(
        Setting("api_key", "with the permission users.track", secret=True, identifies=True),
        Setting(
            "endpoint",
            "of REST, for the instance that the account is on",
            pattern=r"rest\.[a-z]{2,3}-\d\d\.braze\.(com|eu)",
            example="rest.iad-01.braze.com",
        ),
    ),
    auth=Bearer("api_key"),
    hosts={"": "https://{endpoint}"},
    posts={
        "identify": Post("/users/track", _attributes, ('{"attributes":[', "]}")),
        "track": Post("/users/track", _event, ('{"events":[', "]}")),
    },
    limits=Limits(items=75, bytes=2_000_000),
    outcomes=Outcomes(read=_read),
    keys=Keys(longest=255, reserved=FIELDS),
    values=Values(longest=255),
    rates=(Rate(3_000, 3),),
    budget=Budget("x-ratelimit-remaining", "x-ratelimit-reset", epoch=True),
)
