"""Klaviyo: custom properties of profiles, events, and lists.

What is odd: profiles and events go one by one. The bulk import of profiles cannot clear a value, and the bulk creation
of events fails whole if one ``unique_id`` is known already, so that it could not be repeated; a single event with a
known ``unique_id`` is recorded once. A 202 for an event means that it was validated, not that it was processed. A list
takes ids of profiles only: members are looked up, and who enters without being there is made. Neither gives consent:
being on a list is no subscription. Limits are per endpoint and account, in two windows (profiles 75 a second and 750 a
minute, events 350 and 3,500, lists 10 and 150, new lists 150 a day); answers tell what is left of the minute. The
``revision`` says which version of the API is meant. The key needs profiles:read, profiles:write and events:write; for
lists lists:write as well.

Not confirmed: what a profile import says if the id and the address belong to two profiles; a 409 refuses the change.
Whether a profile is found by a second address of its own; who leaves by one that is not found counts as left.

Source: https://developers.klaviyo.com/en/reference/create_or_update_profile, .../create_event, .../bulk_create_events,
.../get_profiles, .../add_profiles_to_list, .../remove_profiles_from_list, .../create_list,
https://developers.klaviyo.com/en/docs/use_klaviyos_bulk_profile_import_api,
https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling (read 2026-11-26),
https://github.com/klaviyo/openapi (read 2026-11-27).
"""

import json
from collections.abc import Generator
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote

import polars as pl

from personas_kit.destinations.auth import Header
from personas_kit.destinations.base import (
    Asking,
    Connection,
    Destination,
    Exchange,
    Fields,
    Limits,
    ListApi,
    Post,
    Probe,
    Rate,
    Request,
    Setting,
    Unanswered,
    naming_list,
)
from personas_kit.destinations.encode import Field, Json, obj, raw
from personas_kit.destinations.normalise import GOOGLE, Identifier, as_given, small_address
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Budget, Outcome, Outcomes, code

JSON_API = "application/vnd.api+json"
ATTRIBUTES = {"phone": "phone_number"}  # the others are called there as they are here: email, first_name, ...
IDENTIFIERS = {
    "email": small_address(),
    "phone": Identifier("phone_number", GOOGLE["phone"].uniform, hashed=False, alone=True),
    "external_id": as_given("external_id"),
}
NAMES = tuple(identifier.name for identifier in IDENTIFIERS.values())


def _profile(c: Fields, **more: Field) -> Json:
    """The user is known by our id; the identifiers that are mapped are attributes beside it."""
    ids = {ATTRIBUTES.get(kind, kind): value for kind, value in c.identifiers.items()}
    return obj(data=obj(type="profile", attributes=obj({"external_id": c.user_id, **ids, **more})))


def _identify(c: Fields) -> Json:
    return _profile(c, properties=obj({c.key: c.value}))


def _track(c: Fields) -> Json:
    event = obj(
        unique_id=c.message_id,
        time=c.timestamp,
        properties=c.properties,
        metric=obj(data=obj(type="metric", attributes=obj(name=c.event))),
        profile=_profile(c),
    )
    return obj(data=obj(type="event", attributes=event))


def _read(answer: Answer, count: int) -> Outcome | None:
    """Nothing for an event and for a list, the profile for a profile."""
    status = answer.status
    if status in {HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT} and not answer.content:
        return ACKNOWLEDGED
    if status in {HTTPStatus.OK, HTTPStatus.CREATED} and answer.at("data", "type") == "profile" and _id(answer):
        return ACKNOWLEDGED
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT} and count == 1:
        return Outcome("rejected", f"{code(answer.at('errors', 0, 'code')) or 'refused'} ({int(status)})")
    return None


def _id(answer: Answer) -> str:
    made = answer.at("data", "id")
    return made if isinstance(made, str) else ""


def _change_list(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Find the ids of the members, then add or remove these. Who leaves and is not there has left."""
    members = [json.loads(member) for member in lines["member"]]
    refused: dict[int, str] = {}
    try:
        ids = yield from _found(connection, members)
        if request.method == "POST":
            yield from _made(connection, members, ids, refused)
    except Unanswered as other:
        return connection.judge("list", other.answer, len(members))
    if not ids:
        return Outcome("acknowledged", rejected=refused)
    body = {"data": [{"type": "profile", "id": id_} for id_ in sorted(set(ids.values()))]}
    answer = yield replace(request, content=json.dumps(body, separators=(",", ":")).encode())
    return replace(connection.judge("list", answer, len(members)), rejected=refused)


def _found(connection: Connection, members: list[dict[str, str]]) -> Generator[Request, Answer, dict[int, str]]:
    """The ids of the members that are there: position -> id. One question per kind of identifier."""
    ids: dict[int, str] = {}
    for name in NAMES:
        wanted = sorted({member[name] for at, member in enumerate(members) if name in member and at not in ids})
        if not wanted:
            continue
        which = quote(f"any({name},{json.dumps(wanted, ensure_ascii=False)})", safe="")
        path = f"/api/profiles?filter={which}&fields%5Bprofile%5D={name}&page%5Bsize%5D=100"
        answer = yield connection.request("GET", path)
        rows = answer.rows("data")
        if answer.status != HTTPStatus.OK or rows is None:
            raise Unanswered(answer)
        known = {
            _as_compared(name, value): str(row.get("id") or "")
            for n, row in enumerate(rows)
            if isinstance(value := answer.at("data", n, "attributes", name), str)
        }
        asked = {at: _as_compared(name, member.get(name, "")) for at, member in enumerate(members) if at not in ids}
        there = {at: known.get(value, "") for at, value in asked.items()}
        ids |= {at: id_ for at, id_ in there.items() if id_}
    return ids


def _as_compared(name: str, value: str) -> str:
    """The case of an address does not count, but ``u_A`` and ``u_a`` are two users."""
    return value.lower() if name == "email" else value


def _made(
    connection: Connection, members: list[dict[str, str]], ids: dict[int, str], refused: dict[int, str]
) -> Generator[Request, Answer, None]:
    """Make who is not there, or note why that was refused."""
    for at, member in enumerate(members):
        if at in ids:
            continue
        body = {"data": {"type": "profile", "attributes": member}}
        answer = yield _posted(connection, "/api/profile-import", body)
        said = connection.judge("list", answer, 1)
        if said.verdict == "rejected":
            refused[at] = said.reason
        elif said.verdict == "acknowledged" and _id(answer):
            ids[at] = _id(answer)
        else:
            raise Unanswered(answer)


def _posted(connection: Connection, path: str, body: object) -> Request:
    """A further request, of the kind of JSON that Klaviyo's own description names."""
    request = connection.request("POST", path, body)
    return replace(request, headers={**request.headers, "content-type": JSON_API})


def _make_list(connection: Connection, name: str, _description: str) -> Asking:
    answer = yield _posted(connection, "/api/lists", {"data": {"type": "list", "attributes": {"name": name}}})
    if answer.status != HTTPStatus.CREATED:
        raise Unanswered(answer)
    return _id(answer) or None


REMOVE = Post(
    "/api/lists/{list_id}/relationships/profiles",
    lambda _: raw(pl.col("member")),
    ('{"data":[', "]}"),
    method="DELETE",
    content_type=JSON_API,
    limits=Limits(items=50, bytes=1_000_000),  # so many identifiers fit into the address of the question
    exchange=_change_list,
)

destination = Destination(
    slug="klaviyo",
    name="Klaviyo",
    settings=(
        Setting("api_key", "a private key, pk_...", secret=True, identifies=True),
        naming_list("list_id", "of a list", optional=True),
    ),
    auth=Header("authorization", "Klaviyo-API-Key {api_key}"),
    hosts={"": "https://a.klaviyo.com"},
    posts={
        "identify": Post(
            "/api/profile-import", _identify, ("", ""), content_type=JSON_API, limits=Limits(items=1, bytes=100_000)
        ),
        "track": Post("/api/events", _track, ("", ""), content_type=JSON_API),
        "list": replace(REMOVE, method="POST", exits=REMOVE),
    },
    limits=Limits(items=1, bytes=5_000_000),
    outcomes=Outcomes(read=_read),
    identifiers=IDENTIFIERS,
    headers={"revision": "2026-07-15", "accept": JSON_API},
    list_setting="list_id",
    rates=(Rate(75, 1),),
    parallel=4,
    budget=Budget("ratelimit-remaining", "ratelimit-reset"),
    lists=ListApi(_make_list),
    probe=Probe("/api/profiles?fields%5Bprofile%5D=created&page%5Bsize%5D=1"),
)
