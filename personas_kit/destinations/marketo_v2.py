"""Marketo: custom fields of leads by email, and fields of companies, 300 records in a request.

What is odd: all answers are 200 (``marketo`` has the errors). Who is not there becomes a lead. Several leads may have
one address; none of them is changed then. A field has to be there. This API makes 100 of them at most, and nothing
deletes one. Making one needs the permission Read-Write Schema Custom Field, finding one only Read-Only Lead (or
Company). Companies are known by ``externalCompanyId``; their fields are made by Marketo's support, and they are
read-only where a CRM is connected. An address has letters of ASCII only. Texts of more than 255 characters are refused
before they are sent: that is what a field of the type String holds.

There is no track: a custom activity takes the id of a lead, and is of a type that has to be made and approved first,
with each of its attributes; a program could do that, and an instance has ten types at most.

Not confirmed: how long the name of a field may be; that null clears a field.

Source: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads, .../companies,
.../rest/lead-database/field-types, .../rest/custom-services (read 2026-11-26) and .../rest/lead-database/activities
(read 2026-11-27).
"""

from personas_kit.destinations import marketo
from personas_kit.destinations.base import (
    Asking,
    Connection,
    Destination,
    FieldApi,
    FieldNeeded,
    Fields,
    FieldType,
    Keys,
    Limits,
    Post,
    Unanswered,
    Values,
)
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.outcomes import Outcomes

LEADS = ('{"action":"createOrUpdate","lookupField":"email","input":[', "]}")
COMPANIES = ('{"action":"createOrUpdate","dedupeBy":"dedupeFields","input":[', "]}")
TYPES: dict[FieldType, str] = {"boolean": "Boolean", "number": "Float", "text": "String", "time": "Datetime"}


def _lead(c: Fields) -> Json:
    return obj({"email": c.ids["email"], c.field: c.value})


def _company(c: Fields) -> Json:
    return obj({"externalCompanyId": c.account_id, c.field: c.value})


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    of_leads = needed.call != "group"
    answer = yield connection.request("GET", f"/rest/v1/{'leads' if of_leads else 'companies'}/describe.json")
    rows = answer.rows("result") if of_leads else answer.rows("result", 0, "fields")
    if answer.at("success") is not True or rows is None:
        raise Unanswered(answer)
    fields = [row.get("rest") for row in rows] if of_leads else rows
    names = [field.get("name") for field in fields if isinstance(field, dict)]
    return next((name for name in names if isinstance(name, str) and name.lower() == needed.key.lower()), None)


def _create(connection: Connection, needed: FieldNeeded) -> Asking:
    if needed.call == "group":
        return None
    shown = needed.key.replace("_", " ").title()  # without special characters, and as unlike others as the key is
    field = {"displayName": shown, "name": needed.key, "dataType": TYPES[needed.type].lower()}
    answer = yield connection.request("POST", "/rest/v1/leads/schema/fields.json", {"input": [field]})
    if answer.at("result", 0, "status") != "created":
        raise Unanswered(answer)
    return needed.key


destination = Destination(
    slug="marketo-v2",
    name="Marketo",
    settings=marketo.SETTINGS,
    auth=marketo.AUTH,
    hosts=marketo.HOSTS,
    posts={
        "identify": Post("/rest/v1/leads.json", _lead, LEADS),
        "group": Post("/rest/v1/companies.json", _company, COMPANIES),
    },
    limits=Limits(items=300, bytes=1_000_000),
    outcomes=Outcomes(read=marketo.records()),
    keyed=marketo.EMAIL,
    keys=Keys(pattern=r"[A-Za-z][A-Za-z0-9_]*", about="letters, digits and underscores after a letter"),
    values=Values(longest=255, lists=False),
    rates=marketo.RATES,
    parallel=4,
    fields=FieldApi(
        find=_find,
        create=_create,
        where="Admin > Field Management > New Custom Field",
        types=TYPES,
        calls=("identify", "group"),
    ),
    probe=marketo.PROBE,
)
