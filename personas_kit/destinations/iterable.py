"""Iterable: fields of users and events in bulk, and members of static lists.

What is odd: a 200 may have refused some, and names them by their id under the reason, not by position. It may also have
dropped a field that the project does not know, if the project is told to: that stops the push. The first value fixes
the type of a field for good. Events have an id: one that is repeated replaces the first. A project knows users by
address, by user id, or by both; one that knows them by address alone makes a user from an id only where
``prefer_user_id`` says so. A list takes one of the two, so map the one that the project goes by. Whoever enters a list
without being known there is made, and whoever leaves it without being known there has left.

Events are allowed 10 requests a second, users 5; here it is 5 for all.

Not confirmed: 1,000 entries in a request (the pages give 4 MB for users), and the limits of lists and of their rate
(the reference names none).

Source: https://api.iterable.com/api/docs (read 2026-11-27), and
https://support.iterable.com/hc/en-us/articles/217744303-User-Profile-Fields-Used-by-Iterable (read 2026-11-26).
"""

from dataclasses import replace
from typing import cast

import polars as pl

from personas_kit.destinations.auth import Header
from personas_kit.destinations.base import (
    Asking,
    Connection,
    Destination,
    Exchange,
    Fields,
    Keys,
    Limits,
    ListApi,
    Post,
    Probe,
    Rate,
    Request,
    Setting,
    naming_list,
)
from personas_kit.destinations.encode import Field, Json, obj, raw
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import as_given
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

SHOWN = {"phone": "phoneNumber", "first_name": "firstName", "last_name": "lastName"}
"""Fields in which Iterable itself looks for these."""

REASONS = {
    "invalid": "not an identifier there",
    "notFound": "unknown there",
    "forgotten": "forgotten there",
    "conflict": "the identifier of another user",
    "invalidData": "not the type of the field there",
}
"""Beginnings of the names of arrays, which end with what stands in them."""

TAKEN = frozenset({
    "devices", "email", "emailListIds", "ip", "itbl*", "phoneNumber", "profileUpdatedAt", "signupDate", "signupSource",
    "subscribedMessageTypeIds", "unsubscribedChannelIds", "unsubscribedMessageTypeIds", "userId",
})  # fmt: skip


def _identify(c: Fields) -> Json:
    fields = {SHOWN.get(kind, kind): field for kind, field in c.identifiers.items()}
    return obj({"userId": c.user_id, **_made(c), "dataFields": obj({c.key: c.value, **fields})})


def _made(c: Fields) -> dict[str, Field]:
    """Whether an id that is not there becomes a user; a project that knows users by their id makes them anyhow."""
    return {"preferUserId": raw(pl.lit("true"))} if c.settings.get("prefer_user_id") else {}


def _subscriber(c: Fields) -> Json:
    """``{"userId":"u1"}``, and that it becomes a user."""
    member = pl.col("member")
    made = pl.concat_str(member.str.strip_suffix("}"), pl.lit(',"preferUserId":true}'))
    by_id = member.str.starts_with('{"userId"')
    return raw(pl.when(by_id).then(made).otherwise(member) if c.settings.get("prefer_user_id") else member)


def _track(c: Fields) -> Json:
    return obj(id=c.message_id, userId=c.user_id, eventName=c.event, createdAt=c.epoch, dataFields=c.properties)


def _list(c: Fields) -> tuple[str, str]:
    return f'{{"listId":{c.settings["list_id"]},"subscribers":[', "]}"


def _read(answer: Answer, _count: int) -> Outcome | None:
    """Everyone was taken; who was not is found out by whoever knows what was sent."""
    if answer.status != 200:  # noqa: PLR2004
        return None
    if answer.at("filteredOutFields"):
        return Outcome("fatal", "the project drops fields that it does not know: make them, or let it make them")
    return ACKNOWLEDGED if answer.at("failCount") == 0 else None


def _bulk(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """One request; its answer names by their ids those that were refused. To send the others again does no harm."""
    answer = yield request
    outcome = connection.judge("identify", answer, lines.height)
    if outcome.verdict != "unknown" or not answer.at("failCount"):
        return outcome
    rejected = _refused(answer, request)
    if len(rejected) != answer.at("failCount"):
        return Outcome("split", "refused")
    if request.url.endswith("/unsubscribe"):
        rejected = {at: why for at, why in rejected.items() if why != "unknown there"}
    return Outcome("acknowledged", rejected=rejected)


def _refused(answer: Answer, request: Request) -> dict[int, str]:
    """The positions of those that the answer names."""
    refused = dict.fromkeys(_texts(answer.at("disallowedEventNames")), "the project does not take this event")
    for kind, why in REASONS.items():
        for of in ("UserIds", "Emails"):
            refused |= dict.fromkeys(_texts(answer.at("failedUpdates", kind + of)), why)
    *_, sent = cast("dict[str, list[dict[str, str]]]", request.body()).values()
    keys = ("userId", "email", "eventName")
    return {at: refused[each[key]] for at, each in enumerate(sent) for key in keys if each.get(key) in refused}


def _texts(found: object) -> list[str]:
    return [str(each) for each in found] if isinstance(found, list) else []


def _create(connection: Connection, name: str, description: str) -> Asking:
    return named((yield connection.request("POST", "/api/lists", {"name": name, "description": description})), "listId")


REMOVE = Post("/api/lists/unsubscribe", lambda _: raw(pl.col("member")), _list, exchange=_bulk)


destination = Destination(
    slug="iterable",
    name="Iterable",
    settings=(
        Setting("api_key", "of the type server-side", secret=True, identifies=True),
        naming_list("list_id", "number of a static list", optional=True, pattern=r"\d+"),
        Setting(
            "prefer_user_id",
            "where the project knows users by address: an id that is not there becomes a user",
            default="",
            choices=("", "true"),
        ),
        Setting("region", "where the project's data is", default="us", choices=("us", "eu")),
    ),
    auth=Header("api-key", "{api_key}"),
    hosts={"us": "https://api.iterable.com", "eu": "https://api.eu.iterable.com"},
    posts={
        "identify": Post("/api/users/bulkUpdate", _identify, ('{"users":[', "]}"), exchange=_bulk),
        "track": Post("/api/events/trackBulk", _track, ('{"events":[', "]}"), exchange=_bulk),
        "list": replace(REMOVE, path="/api/lists/subscribe", each=_subscriber, exits=REMOVE),
    },
    limits=Limits(items=1_000, bytes=3_900_000),
    outcomes=Outcomes(read=_read),
    identifiers={
        "email": as_given("email"),
        "user_id": as_given("userId"),
    },
    keys=Keys(reserved=TAKEN),
    list_setting="list_id",
    rates=(Rate(5, 1),),
    lists=ListApi(_create),
    probe=Probe("/api/channels"),
)
