"""Userlist: properties of users and companies, and events, by its Push API.

What is odd: the API is write-only, so nothing proves the key beforehand, and a success is told by the status alone.
Each goes alone, in at most 100 KB; 1,000 requests a minute are allowed. A user or company that is not there is made. A
mapped email is the user's address, and other identifiers are properties. An event has no id, so one that is repeated
happens twice. A 403 is a feature that the plan does not include, and stops the push.

Not confirmed: whether an event about a user who is not there is refused (422: ``User must exist``); that null clears a
property; that names become snake case, as they do by way of a gateway; whether a throttled answer says how long.

Source: https://userlist.com/docs/developers/push-api, https://github.com/userlist/userlist-python (read 2026-11-26,
the former again 2026-11-27).
"""

from personas_kit.destinations.auth import Header
from personas_kit.destinations.base import Destination, Fields, Limits, Post, Rate, Setting
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.outcomes import Outcomes, any_success


def _user(c: Fields) -> Json:
    properties = {kind: field for kind, field in c.identifiers.items() if kind != "email"}
    email = {kind: field for kind, field in c.identifiers.items() if kind == "email"}
    return obj({"identifier": c.user_id, **email, "properties": obj({c.key: c.value, **properties})})


def _company(c: Fields) -> Json:
    return obj(identifier=c.account_id, properties=c.own_traits)


def _event(c: Fields) -> Json:
    return obj(name=c.event, user=c.user_id, occurred_at=c.timestamp, properties=c.properties)


destination = Destination(
    slug="userlist",
    name="Userlist",
    settings=(Setting("push_key", "Settings > Push", secret=True, identifies=True),),
    auth=Header("authorization", "Push {push_key}"),
    hosts={"": "https://push.userlist.com"},
    posts={
        "identify": Post("/users", _user, ("", "")),
        "track": Post("/events", _event, ("", "")),
        "group": Post("/companies", _company, ("", "")),
    },
    limits=Limits(items=1, bytes=100_000),
    outcomes=Outcomes(read=any_success, split=frozenset({400, 413, 422})),
    headers={"accept": "application/json"},
    rates=(Rate(1_000, 60),),
    parallel=4,
)
