"""OneSignal: tags of users, and custom events.

What is odd: a tag is a text, whatever it says: ``"true"``, ``"12.5"``. An empty text deletes the tag, which is what a
missing value becomes; arrays and objects are not supported and become their JSON. A user is changed alone, and has to
be there: nobody is made here. Plans limit how many tags a user has; a 409 says that something is over a limit, so it
refuses the change. Events go in batches and 202 may name those that failed, by the user; the others were taken. They
are deduplicated by ``idempotency_key``, a UUID, for four hours as well as they can; it follows from the message's id.
1,000 updates a second per app, one a second per user; the limit for events is not published.

Not confirmed: what an update of an unknown user gets; a 404 refuses the change. How long a tag may be. OneSignal's own
libraries call the ``properties`` of an event ``payload``; here they are called as its reference calls them.

Source: https://documentation.onesignal.com/reference/update-user, .../create-custom-events, .../rate-limits,
https://documentation.onesignal.com/docs/add-user-data-tags (read 2026-11-26, custom events 2026-11-27).
"""

from http import HTTPStatus

import polars as pl
import polars_hash

from personas_kit.destinations.auth import Header
from personas_kit.destinations.base import (
    Connection,
    Destination,
    Exchange,
    Fields,
    Keys,
    Limits,
    Post,
    Probe,
    Rate,
    Request,
    Setting,
)
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, code

RESERVED = frozenset({
    *("message", "notification", "subscription", "user", "template", "app", "org"),
    *("dynamic_content", "data_feed", "journey", "custom_data"),
})  # fmt: skip


def _identify(c: Fields) -> Json:
    return obj(properties=obj(tags=obj({c.key: c.text.fill_null("")})))


def _track(c: Fields) -> Json:
    return obj(
        name=c.event,
        external_id=c.user_id,
        timestamp=c.timestamp,
        idempotency_key=_uuid(c.message_id),
        properties=c.properties,
    )


def _uuid(text: pl.Expr) -> pl.Expr:
    """The same text is the same UUID."""
    digest: pl.Expr = polars_hash.concat_str(text).chash.sha2_256()
    return digest.str.replace("^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$", "${1}-${2}-4${3}-a${4}-${5}")


def _read(answer: Answer, _count: int) -> Outcome | None:
    """202 with an object that names no errors."""
    taken = answer.status == HTTPStatus.ACCEPTED and isinstance(answer.json(), dict) and not answer.at("errors")
    return ACKNOWLEDGED if taken else None


def _events(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Errors name the users whose events failed."""
    answer = yield request
    errors = answer.rows("errors")
    if answer.status != HTTPStatus.ACCEPTED or not errors:
        return connection.judge("track", answer, lines.height)
    failed = {str(error.get("event_user_id")): _reason(answer, at) for at, error in enumerate(errors)}
    if not failed.keys() <= set(lines["user_id"]):
        return Outcome("unknown", "errors about events that were not sent")
    rejected = {at: failed[user] for at, user in enumerate(lines["user_id"]) if user in failed}
    return Outcome("acknowledged", rejected=rejected)


def _reason(answer: Answer, at: int) -> str:
    """A code may have spaces: ``not found``."""
    said = answer.at("errors", at, "error", "code")
    return code(said.replace(" ", "_") if isinstance(said, str) else said) or "refused"


destination = Destination(
    slug="onesignal",
    name="OneSignal",
    settings=(
        Setting("app_id", "of the app: Settings > Keys & IDs", identifies=True),
        Setting("api_key", "an App API key", secret=True),
    ),
    auth=Header("authorization", "Key {api_key}"),
    hosts={"": "https://api.onesignal.com"},
    posts={
        "identify": Post(
            "/apps/{app_id}/users/by/external_id/{user_id}",
            _identify,
            ("", ""),
            method="PATCH",
            limits=Limits(items=1, bytes=100_000),
            outcomes=Outcomes(
                read=_read,
                retry=frozenset({408, 425, 429}),
                split=frozenset({400, 404, 409, 413}),
                fatal=frozenset({401, 403}),
            ),
        ),
        "track": Post("/apps/{app_id}/custom_events", _track, ('{"events":[', "]}"), exchange=_events),
    },
    limits=Limits(items=1_000, bytes=1_000_000, item_bytes=2_024),
    outcomes=Outcomes(read=_read),
    keys=Keys(pattern="[A-Za-z0-9_-]+", reserved=RESERVED),
    rates=(Rate(1_000, 1),),
    parallel=8,
    probe=Probe("/apps/{app_id}/segments?limit=1"),
)
