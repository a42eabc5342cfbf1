"""Intercom: custom attributes of contacts and companies, and data events, one per request.

What is odd: nothing makes or updates a contact in one step. It is looked up by its external id; then it is updated, or
made, and where somebody has made it in between (409) it is looked up again. One that was merged into another (410) is
refused. Attributes have to exist. An event is known by workspace, user, name and *second*: two audiences that a user
enters at once would be one event, so the audience's key is a part of the name (``Audience Entered: buyers``). A
workspace tracks 120 events and has 250 custom attributes at most: more than 60 audiences go by ``send = ["identify"]``.
An event about a user who is not there is refused (404). A company is not shown until a contact belongs to it. A mapped
identifier goes to the contact's field of its name: ``ids = { email = "email", phone = "phone" }``. The limit of a
minute is spread over windows of ten seconds.

Not confirmed: that names of attributes may hold underscores, which Intercom's text forbids and its examples have; the
length of names and of texts, which only old clients name; that an attribute that is not there is refused for companies
too; what the body of a 404 is when nobody has the external id (a list of errors is expected); that who was merged is a
410 in this version already (2.17 says so; 2.14 says 404 of who is asked for by Intercom's id).

Source: https://developers.intercom.com/docs/references/2.14/rest-api/api.intercom.io/contacts, .../companies,
.../data-events, .../data-attributes and .../rest-api/errors/rate-limiting (read 2026-11-26),
https://www.intercom.com/help/en/articles/5245634-event-limits-troubleshooting-and-f-a-q and
https://www.intercom.com/help/en/articles/179-send-custom-user-attributes-to-intercom (read 2026-11-27).
"""

from http import HTTPStatus
from urllib.parse import quote

import polars as pl

from personas_kit.destinations.auth import Bearer
from personas_kit.destinations.base import (
    Asking,
    Connection,
    Destination,
    Exchange,
    FieldApi,
    FieldNeeded,
    Fields,
    Keys,
    Limits,
    Post,
    Probe,
    Rate,
    Request,
    Setting,
    Unanswered,
    Values,
)
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Budget, Outcome, Outcomes, code

ONE = ("", "")
OF_CALL = {"identify": "contact", "group": "company"}
TYPES = {"boolean": "boolean", "number": "float", "text": "string", "time": "string"}
REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}


def _contact(c: Fields) -> Json:
    own = obj({c.field: c.value})
    return obj({**c.identifiers, "role": "user", "external_id": c.user_id, "custom_attributes": own})


def _company(c: Fields) -> Json:
    return obj(company_id=c.account_id, custom_attributes=obj({c.field: c.value}))


def _event(c: Fields) -> Json:
    name = pl.concat_str(c.event, pl.lit(f": {c.computation.key}"))
    return obj(event_name=name, created_at=c.epoch, user_id=c.user_id, metadata=obj(audience_key=c.computation.key))


def _read(answer: Answer, _count: int) -> Outcome | None:
    """A contact, a company, or nothing at all for an event; else a list of errors."""
    kept = answer.at("type") in ("contact", "company") and isinstance(answer.at("id"), str)
    if answer.status == HTTPStatus.OK and kept:
        return ACKNOWLEDGED
    if answer.status == HTTPStatus.ACCEPTED and not answer.content.strip():
        return ACKNOWLEDGED
    errors = answer.rows("errors") if answer.status in REFUSED else None
    return Outcome("rejected", code(errors[0].get("code")) or "refused") if errors else None


def _look_up_then_write(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Update the contact, or make it."""
    search = connection.request("GET", f"/contacts/find_by_external_id/{quote(lines['user_id'][0], safe='')}")
    found = yield search
    if _absent(found):
        made = yield request
        if made.status != HTTPStatus.CONFLICT:
            return connection.judge("identify", made, 1)
        found = yield search
        if _absent(found):  # another contact has the email, or it is archived
            return connection.judge("identify", made, 1)
    contact = found.at("id")
    if found.status != HTTPStatus.OK or not isinstance(contact, str):
        return connection.judge("identify", found, 1)
    answer = yield connection.request("PUT", f"/contacts/{quote(contact, safe='')}", request.body())
    return connection.judge("identify", answer, 1)


def _absent(found: Answer) -> bool:
    return found.status == HTTPStatus.NOT_FOUND and bool(found.rows("errors"))


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    answer = yield connection.request("GET", f"/data_attributes?model={OF_CALL[needed.call]}")
    attributes = answer.rows("data")
    if answer.status != HTTPStatus.OK or attributes is None:
        raise Unanswered(answer)
    there = any(each.get("name") == needed.key and each.get("custom") is True for each in attributes)
    return needed.key if there else None


def _create(connection: Connection, needed: FieldNeeded) -> Asking:
    body = {"name": needed.key, "model": OF_CALL[needed.call], "data_type": TYPES[needed.type]}
    answer = yield connection.request("POST", "/data_attributes", body)
    name = answer.at("name")
    if answer.status != HTTPStatus.OK or not isinstance(name, str):
        raise Unanswered(answer)
    return name


destination = Destination(
    slug="intercom",
    name="Intercom",
    settings=(
        Setting("token", "access token of an app of the workspace", secret=True, identifies=True),
        Setting("region", "where the workspace's data is", default="us", choices=("us", "eu", "au")),
    ),
    auth=Bearer("token"),
    hosts={
        "us": "https://api.intercom.io",
        "eu": "https://api.eu.intercom.io",
        "au": "https://api.au.intercom.io",
    },
    posts={
        "identify": Post("/contacts", _contact, ONE, exchange=_look_up_then_write),
        "track": Post("/events", _event, ONE),
        "group": Post("/companies", _company, ONE),
    },
    limits=Limits(items=1, bytes=100_000),
    outcomes=Outcomes(read=_read, split=frozenset({400, 410, 413, 422})),
    keys=Keys(longest=190, pattern="[A-Za-z0-9_-]+", about="letters, digits, underscores and hyphens"),
    values=Values(longest=255, lists=False),
    headers={"intercom-version": "2.14", "accept": "application/json"},
    rates=(Rate(1_666, 10),),
    parallel=8,
    budget=Budget("x-ratelimit-remaining", "x-ratelimit-reset", epoch=True),
    fields=FieldApi(
        find=_find,
        create=_create,
        where="Settings > Data > People (or Companies) > Attributes",
        types={"boolean": "True/False", "number": "Decimal number", "text": "Text", "time": "Text"},
        calls=("identify", "group"),
    ),
    probe=Probe("/me"),
)
