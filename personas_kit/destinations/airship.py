"""Airship: attributes of named users, custom events, and tags of named users as lists.

What is odd: a *named user* is our user; who is not there is made, and reaches nobody until the app gives it a channel.
An attribute is added to the project by a person first, or the change is refused. It has no booleans, so ``true`` is the
text ``"true"``; a missing value removes it. Attributes go one user at a time, and mapped identifiers not at all. The
name of an event may hold no capitals (``audience entered``), and a wrong event fails its whole request, which is then
halved. An event may lie 90 days back, and not in the future. It carries our id (``unique_id``), by which a sequence is
not started twice. A list is a tag within a tag group that a person makes first: ``list = "<tag>"``; the group is a
setting, and none of the secure ones, for which no token is enough. One request has 1,000 users. An answer may be ``ok``
and name tag groups that failed (``tag_warnings``), of which there is one: the push stops. Another warning does not say
of whom it speaks: that is unknown.

Not confirmed: what the other warnings are about; whether all of an attribute's texts may be as long as those of events
(255); that ``unique_id`` keeps an event from being recorded twice; how many bytes a request may have. Airship publishes
no rates. A token that may only send events cannot list channels, and so fails the test of the credentials.

Source: https://www.airship.com/docs/developer/rest-api/ua/operations/custom-events/, .../operations/named-users/,
.../schemas/attributes/, .../schemas/others/ (read 2026-11-26), and Airship's own tools for agents
(github.com/urbanairship/agent-tools, public/skills/api/tags and custom-events; read 2026-11-27).
"""

import json

import polars as pl

from personas_kit.destinations.auth import Bearer, Header, Several
from personas_kit.destinations.base import (
    Around,
    Destination,
    Fields,
    Limits,
    Post,
    Probe,
    Setting,
    Values,
    naming_list,
)
from personas_kit.destinations.encode import Json, obj, raw
from personas_kit.destinations.normalise import as_given
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

WARNINGS = ("warning", "warnings", "attribute_warnings")


def _identify(c: Fields) -> Json:
    kept, gone = obj(action="set", key=c.key, value=c.value), obj(action="remove", key=c.key)
    return raw(pl.when(pl.col("value") == "null").then(gone.text).otherwise(kept.text))


def _track(c: Fields) -> Json:
    body = obj(name=c.event.str.to_lowercase(), unique_id=c.message_id, properties=c.properties)
    return obj(occurred=c.timestamp.str.replace(r"\.\d+Z$", "Z"), user=obj(named_user_id=c.user_id), body=body)


def _member(_: Fields) -> Json:
    """``{"named_user_id":"u1"}`` is ``"u1"`` in the array: JSON as it stands."""
    return raw(pl.col("member").str.strip_prefix('{"named_user_id":').str.strip_suffix("}"))


def _tags(verb: str, exits: Post | None = None) -> Post:
    def around(c: Fields) -> Around:
        group, tag = (json.dumps(c.settings[name], ensure_ascii=False) for name in ("tag_group", "tag"))
        return '{"audience":{"named_user_id":[', f']}},"{verb}":{{{group}:[{tag}]}}}}'

    return Post("/api/named_users/tags", _member, around, limits=Limits(items=1_000, bytes=1_000_000), exits=exits)


def _read(answer: Answer, _count: int) -> Outcome | None:
    """``ok``, without a warning."""
    if not answer.is_success or answer.at("ok") is not True:
        return None
    if answer.at("tag_warnings"):
        return Outcome("fatal", "the tag group was not taken: check tag_group")
    return None if any(answer.at(name) for name in WARNINGS) else ACKNOWLEDGED


destination = Destination(
    slug="airship",
    name="Airship",
    settings=(
        Setting("app_key", "of the project: Settings > Project Details", identifies=True),
        Setting("token", "Settings > Tokens", secret=True),
        Setting("tag_group", "in which the tags of lists are", default="personas", identifies=True),
        naming_list("tag", "that is a list", optional=True),
        Setting("region", "where the project's data is", default="us", choices=("us", "eu")),
    ),
    auth=Several(Bearer("token"), Header("x-ua-appkey", "{app_key}")),
    hosts={"us": "https://go.urbanairship.com", "eu": "https://go.airship.eu"},
    posts={
        "identify": Post(
            "/api/named_users/{user_id}/attributes",
            _identify,
            ('{"attributes":[', "]}"),
            limits=Limits(items=1, bytes=100_000),
        ),
        "track": Post("/api/custom-events", _track),
        "list": _tags("add", exits=_tags("remove")),
    },
    limits=Limits(items=100, bytes=1_000_000),
    outcomes=Outcomes(read=_read),
    identifiers={"user_id": as_given("named_user_id")},
    values=Values(longest=255, booleans="text", lists=False),
    headers={"accept": "application/vnd.urbanairship+json; version=3"},
    list_setting="tag",
    parallel=8,
    probe=Probe("/api/channels?limit=1"),
)
