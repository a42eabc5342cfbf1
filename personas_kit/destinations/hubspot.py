"""HubSpot: properties of contacts and companies, and lists of contacts, by the batch calls of its CRM API.

What is odd: a contact is known by its email address, and a company by a property with unique values that a person
makes first (``company_key``); the domain of a company is not one. Values are texts, and an empty text clears a
property. A mapped identifier goes into the property of its name: ``ids = { email = "email", phone = "phone" }``. An
answer of 207 names what was refused by the trace ids that were sent. A property that is not there fails every record,
so it stops the push, and so does the limit of the day. HubSpot itself warns that "partial upserts" by email are not
supported, and shows one that sends a phone number alone.

Since 2026-09 the rules that an administrator has set (properties that a record must have) hold for the API, too: what
breaks one is refused.

A list (a *segment* in the product) takes the ids of records. Who enters becomes a contact where there is none, and is
put on the list by the id that HubSpot tells; who leaves is looked up by address, and who is not there has left. It has
to be a static list (``MANUAL``): an active one follows its filters, and one with the property as its filter is the same
people.

There is no track: events are a matter of Enterprise, each kind has to be defined first, with each of its properties,
under a name that holds the number of the account (a program could do that), and an answer of 204 tells of none.

Not confirmed: what the warning about partial upserts means; that trace ids work for upserts as they do for creating;
the rule for the names of properties; whether a company that is not there is made without a name; how soon lists know a
contact that was just made (it is tried again); that an answer about a list leaves out what is empty.

Source: https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide, .../crm/properties/guide,
.../error-handling, https://developers.hubspot.com/docs/api/usage-details (read 2026-11-26),
https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide, .../events/define-events/guide and
https://developers.hubspot.com/changelog/crm-api-write-validation-enforcement (read 2026-11-27).
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
    ListApi,
    Post,
    Probe,
    Rate,
    Request,
    Setting,
    naming_list,
)
from personas_kit.destinations.encode import Field, Json, obj
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import small_address
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, code

OBJECTS, PROPERTIES, LISTS = "/crm/objects/2026-09", "/crm/properties/2026-09", "/crm/lists/2026-09"
INPUTS = ('{"inputs":[', "]}")
BY_EMAIL = ('{"idProperty":"email","properties":["email"],"inputs":[', "]}")
CHANGED = frozenset({"recordsIdsAdded", "recordIdsRemoved", "recordIdsMissing"})
EMAIL = {"email": small_address()}
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


def _entering(c: Fields) -> Json:
    return _input(c, _address(), "email", {"email": _address()})


def _leaving(_: Fields) -> Json:
    return obj(id=_address())


def _address() -> pl.Expr:
    return pl.col("member").str.json_path_match("$.email")


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
    return _told(connection, answer, lines)


def _told(connection: Connection, answer: Answer, lines: pl.DataFrame) -> Outcome:
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


def _join(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Make or find the contacts, then put their ids on the list."""
    answer = yield request
    made, ids = _told(connection, answer, lines), _ids(answer)
    if made.verdict != "acknowledged" or not ids:
        return made
    answer = yield connection.request("PUT", f"{LISTS}/{{list_id}}/memberships/add", ids)
    if answer.at("recordIdsMissing"):
        return Outcome("retry", "contacts that lists do not know yet")
    return made if _changed(answer) else connection.judge("list", answer, lines.height)


def _leave(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Look the contacts up, then take their ids off the list."""
    answer = yield request
    if answer.status not in {HTTPStatus.OK, HTTPStatus.MULTI_STATUS} or answer.rows("results") is None:
        return connection.judge("list", answer, lines.height, exits=True)
    if any(error.get("category") != "OBJECT_NOT_FOUND" for error in answer.rows("errors") or []):
        return Outcome("retry", "contacts that could not be read")
    ids = _ids(answer)
    if not ids:
        return ACKNOWLEDGED
    answer = yield connection.request("PUT", f"{LISTS}/{{list_id}}/memberships/remove", ids)
    return ACKNOWLEDGED if _changed(answer) else connection.judge("list", answer, lines.height, exits=True)


def _ids(answer: Answer) -> list[str]:
    return [known for row in answer.rows("results") or [] if isinstance(known := row.get("id"), str)]


def _changed(answer: Answer) -> bool:
    """It tells of records that were added, removed or missing, and of nothing else."""
    said = answer.json()
    return answer.status == HTTPStatus.OK and isinstance(said, dict) and said.keys() <= CHANGED


def _make_list(connection: Connection, name: str, _description: str) -> Asking:
    body = {"name": name, "objectTypeId": "0-1", "processingType": "MANUAL"}
    return named((yield connection.request("POST", LISTS, body)), "list", "listId")


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
        naming_list("list_id", "number of a static list", optional=True, pattern=r"\d+"),
    ),
    auth=Bearer("token"),
    hosts={"": "https://api.hubapi.com"},
    posts={
        "identify": Post(f"{OBJECTS}/contacts/batch/upsert", _contact, INPUTS, exchange=_traced),
        "group": Post(f"{OBJECTS}/companies/batch/upsert", _company, INPUTS, exchange=_traced),
        "list": Post(
            f"{OBJECTS}/contacts/batch/upsert",
            _entering,
            INPUTS,
            exits=Post(f"{OBJECTS}/contacts/batch/read", _leaving, BY_EMAIL, exchange=_leave),
            exchange=_join,
        ),
    },
    limits=Limits(items=100, bytes=1_000_000),
    outcomes=Outcomes(read=_read),
    identifiers=EMAIL,
    keyed=EMAIL,
    keys=Keys(
        longest=100,
        pattern="[a-z][a-z0-9_]*",
        reserved=frozenset({"hs_*"}),
        lower=True,
        about="small letters, digits and underscores after a letter",
    ),
    list_setting="list_id",
    lists=ListApi(_make_list),
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
