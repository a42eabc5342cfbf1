"""HubSpot: properties of contacts and companies, by the batch upsert of its CRM API.

What is odd: a contact is known by its email address, and a company by a property with unique values that a person
makes first (``company_key``); the domain of a company is not one. Values are texts, and an empty text clears a
property. A mapped identifier goes into the property of its name: ``ids = { email = "email", phone = "phone" }``. An
answer of 207 names what was refused by the trace ids that were sent. A property that is not there fails every record,
so it stops the push, and so does the limit of the day. HubSpot itself warns that "partial upserts" by email are not
supported, and shows one that sends a phone number alone.

There is no track: an event has to be defined by a person, with each of its properties, under a name that holds the
number of the account. There are no lists: they take HubSpot's own record ids. An active list with the property as its
filter is the same people.

Not confirmed: what the warning about partial upserts means; that trace ids work for upserts as they do for creating;
the rule for the names of properties; whether a company that is not there is made without a name.

Source: https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide, .../crm/properties/guide,
.../error-handling and https://developers.hubspot.com/docs/api/usage-details (read 2026-11-26).
"""

from collections.abc import Mapping
from http import HTTPStatus

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
)
from personas_kit.destinations.encode import Field, Json, obj
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import small_address
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, code

OBJECTS, PROPERTIES = "/crm/objects/2026-09", "/crm/properties/2026-09"
INPUTS = ('{"inputs":[', "]}")
OF_CALL = {"identify": ("0-1", "contactinformation"), "group": ("0-2", "companyinformation")}
TYPES: Mapping[str, Mapping[str, object]] = {
    "boolean": {
        "type": "enumeration",
        "fieldType": "booleancheckbox",
        "options": [{"label": "True", "value": "true"}, {"label": "False", "value": "false"}],
    },
    "number": {"type": "number", "fieldType": "number"},
    "text": {"type": "string", "fieldType": "text"},
    "time": {"type": "datetime", "fieldType": "date"},
}


def _contact(c: Fields) -> Json:
    return _input(c, c.ids["email"], "email", {**c.identifiers, c.field: c.text.fill_null("")})


def _company(c: Fields) -> Json:
    return _input(c, c.account_id, c.settings["company_key"], {c.field: c.text.fill_null("")})


def _input(c: Fields, known_as: pl.Expr, by: str, properties: dict[str, Field]) -> Json:
    return obj(id=known_as, idProperty=by, objectWriteTraceId=c.message_id, properties=obj(properties))


def _read(answer: Answer, count: int) -> Outcome | None:
    """``COMPLETE``, or what concerns every record alike."""
    if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED} and answer.at("status") == "COMPLETE":
        return ACKNOWLEDGED if len(answer.rows("results") or []) == count else None
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS and answer.at("policyName") == "DAILY":
        return Outcome("fatal", "the requests of the day are used up (DAILY)")
    missing = any(error.get("code") == "PROPERTY_DOESNT_EXIST" for error in answer.rows("errors") or [])
    if answer.status == HTTPStatus.BAD_REQUEST and missing:
        return Outcome("fatal", "the property is not there (PROPERTY_DOESNT_EXIST)")
    return None


def _traced(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """The request, and for a 207 whose trace ids its errors name."""
    answer = yield request
    if answer.status != HTTPStatus.MULTI_STATUS:
        return connection.judge("identify", answer, lines.height)
    errors = {
        trace: code(error.get("category")) or "refused"
        for error in answer.rows("errors") or []
        for trace in _traces(error)
    }
    rejected = {at: errors[trace] for at, trace in enumerate(lines["message_id"]) if trace in errors}
    if len(answer.rows("results") or []) + len(rejected) == lines.height:
        return Outcome("acknowledged", rejected=rejected)
    return Outcome("unknown", "an answer that does not name what was refused (207)")


def _traces(error: dict[str, object]) -> list[str]:
    context = error.get("context")
    traces = context.get("objectWriteTraceId") if isinstance(context, dict) else None
    return [trace for trace in traces if isinstance(trace, str)] if isinstance(traces, list) else []


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    kind, _ = OF_CALL[needed.call]
    answer = yield connection.request("GET", f"{PROPERTIES}/{kind}/{needed.key}")
    return None if answer.status == HTTPStatus.NOT_FOUND else named(answer, "name")


def _create(connection: Connection, needed: FieldNeeded) -> Asking:
    kind, group = OF_CALL[needed.call]
    body = {"name": needed.key, "label": needed.name, "groupName": group, **TYPES[needed.type]}
    return named((yield connection.request("POST", f"{PROPERTIES}/{kind}", body)), "name")


destination = Destination(
    slug="hubspot",
    name="HubSpot",
    settings=(
        Setting("token", "of a private app or a service key", secret=True, identifies=True),
        Setting(
            "company_key", "property of companies with unique values that holds the account's id", default="account_id"
        ),
    ),
    auth=Bearer("token"),
    hosts={"": "https://api.hubapi.com"},
    posts={
        "identify": Post(f"{OBJECTS}/contacts/batch/upsert", _contact, INPUTS, exchange=_traced),
        "group": Post(f"{OBJECTS}/companies/batch/upsert", _company, INPUTS, exchange=_traced),
    },
    limits=Limits(items=100, bytes=1_000_000),
    outcomes=Outcomes(read=_read),
    keyed={"email": small_address()},
    keys=Keys(
        longest=100,
        pattern="[a-z][a-z0-9_]*",
        reserved=frozenset({"hs_*"}),
        lower=True,
        about="small letters, digits and underscores after a letter",
    ),
    rates=(Rate(100, 10),),
    parallel=4,
    fields=FieldApi(
        find=_find,
        create=_create,
        where="Settings > Data Management > Properties > Contact (or Company) properties",
        types={"boolean": "Single checkbox", "number": "Number", "text": "Single-line text", "time": "Date and time"},
        calls=("identify", "group"),
    ),
    probe=Probe(f"{PROPERTIES}/0-1/email"),
)
