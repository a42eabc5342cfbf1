"""Heap: properties of users and of accounts, and events, in bulk.

What is odd: the number of the environment is all that is asked for, and every visitor's browser has it: it is no
secret, and nothing proves it beforehand. A value is a number or a text of fewer than 1,024 characters, so ``true`` is a
text here. Events are deduplicated by ``idempotency_key``; one that is sent again changes nothing. A user is known by
the *identity* that the app gives to ``heap.identify``, of at most 255 characters; who is not there is made. For
accounts, the property that holds an account's id is chosen in the project first. 15,000 events a minute are taken for
an environment, and 30 updates of one user in 30 seconds.

Not confirmed: what a request is answered with, beside its status; any 2xx counts as taken. That an empty text clears a
property, which is what a missing value becomes. The limit of updates of properties in bulk (the one for events is kept)
and of the bytes of a request.

Source: https://developers.heap.io/reference/track-1, .../bulk-track, .../add-user-properties,
.../add-account-properties (read 2026-11-26).
"""

from collections.abc import Callable

from personas_kit.destinations.auth import NoAuth
from personas_kit.destinations.base import Destination, Fields, Keys, Limits, Post, Rate, Setting, Values
from personas_kit.destinations.encode import Field, Json, obj, raw
from personas_kit.destinations.outcomes import Outcomes, any_success


def _user(c: Fields) -> Json:
    return obj(identity=c.user_id, properties=_properties(c, **c.identifiers))


def _account(c: Fields) -> Json:
    return obj(account_id=c.account_id, properties=_properties(c))


def _properties(c: Fields, **more: Field) -> Json:
    return obj({c.key: raw(c.value.text.replace("null", '""')), **more})


def _event(c: Fields) -> Json:
    return obj(
        identity=c.user_id,
        event=c.event,
        timestamp=c.timestamp,
        idempotency_key=c.message_id,
        properties=c.properties,
    )


def _post(path: str, each: Callable[[Fields], Json], entries: str) -> Post:
    return Post(path, each, lambda c: (f'{{"app_id":"{c.settings["app_id"]}","{entries}":[', "]}"))


destination = Destination(
    slug="heap",
    name="Heap",
    settings=(
        Setting(
            "app_id",
            "of the environment: Projects; no secret",
            identifies=True,
            pattern=r"\d+",
            example="1234567890",
        ),
        Setting("region", "where the environment's data is", default="us", choices=("us", "eu")),
    ),
    auth=NoAuth(),
    hosts={"us": "https://heapanalytics.com", "eu": "https://c.eu.heap-api.com"},
    posts={
        "identify": _post("/api/add_user_properties", _user, "users"),
        "track": _post("/api/track", _event, "events"),
        "group": _post("/api/add_account_properties", _account, "accounts"),
    },
    limits=Limits(items=1_000, bytes=1_000_000),
    outcomes=Outcomes(read=any_success),
    keys=Keys(longest=1_023, reserved=frozenset({"id", "Id", "iD", "ID"})),
    values=Values(longest=1_023, booleans="text", lists=False),
    rates=(Rate(15_000, 60, of="changes"),),
)
