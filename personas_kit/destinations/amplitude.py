"""Amplitude: HTTP V2 for events, Identify and Group Identify for properties.

What is odd: the key stands in the body. Identify and Group Identify take a form, whose one field is JSON; a group is a
*type* and a value, here ``account``. Ids shorter than five characters are dropped silently unless the request says
otherwise (``min_id_length``). Events are deduplicated by ``insert_id`` for seven days. A 400 takes nothing of the
batch, so it is halved until what was wrong stands alone. 429 means throttled users; it is tried again. A Starter plan
allows 1,000 events a second; no other limit has a number. A property that Identify sets is seen at the user's next
event, and not before: where that matters, send events as well, or use ``amplitude-cohorts``.

Source: https://amplitude.com/docs/apis/analytics/http-v2, .../identify (read 2026-11-27), .../group-identify
(read 2026-11-23).
"""

from http import HTTPStatus

from personas_kit.destinations.auth import InBody
from personas_kit.destinations.base import Destination, Fields, Limits, Post, Setting
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

SHORT_IDS = {"options": '{"min_id_length":1}'}
FORM = Limits(items=1_024, bytes=900_000)


def _identify(c: Fields) -> Json:
    return obj(user_id=c.user_id, user_properties=c.traits)


def _track(c: Fields) -> Json:
    return obj(
        user_id=c.user_id,
        event_type=c.event,
        time=c.epoch_ms,
        insert_id=c.message_id,
        event_properties=c.properties,
        **({"user_properties": obj(c.identifiers)} if c.ids else {}),
    )


def _group(c: Fields) -> Json:
    return obj(group_type="account", group_value=c.account_id, group_properties=c.own_traits)


def _read(answer: Answer, _count: int) -> Outcome | None:
    """``{"code": 200}`` for events, the word ``success`` for the forms."""
    body = answer.json()
    said = answer.content.strip() == b"success" or (isinstance(body, dict) and body.get("code") == HTTPStatus.OK)
    return ACKNOWLEDGED if answer.status == HTTPStatus.OK and said else None


destination = Destination(
    slug="amplitude",
    name="Amplitude",
    settings=(
        Setting("api_key", "of the project", secret=True, identifies=True),
        Setting("region", "where the project's data is", default="us", choices=("us", "eu")),
    ),
    auth=InBody("api_key"),
    hosts={"us": "https://api2.amplitude.com", "eu": "https://api.eu.amplitude.com"},
    posts={
        "identify": Post("/identify", _identify, form="identification", fixed=SHORT_IDS, limits=FORM),
        "track": Post("/2/httpapi", _track, ('{"events":[', '],"options":{"min_id_length":1}}')),
        "group": Post("/groupidentify", _group, form="identification", fixed=SHORT_IDS, limits=FORM),
    },
    limits=Limits(items=1_000, bytes=900_000),
    outcomes=Outcomes(read=_read),
)
