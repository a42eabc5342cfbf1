"""Freshsales: custom fields of contacts by their email address.

What is odd: every account has a host of its own, and its API lies there under ``/crm/sales``. A custom field is called
``cf_`` and its name in small letters; one that is not there is ignored *without a word*, so it is looked for first.
It is made by a person. A contact goes alone, and whoever is not there is made. A mapped identifier goes to the
contact's field of its name: ``ids = { email = "email", mobile_number = "phone" }``. 1,000 requests in an hour are what
the smallest plan allows (2,000 or 5,000 the others), so a large audience takes days; a bulk upsert exists, and says
nothing about single contacts.

There is no track: an activity is made for an owner and has a type that is set up before. There is no group: an account
is known by its name, which ids are not.

Not confirmed: that null clears a field; what a refused contact is answered with, beside its status; accounts that still
lie at freshsales.io, whose API has another path.

Source: https://developers.freshworks.com/crm/api/,
https://crmsupport.freshworks.com/en/support/solutions/articles/50000005599 (read 2026-11-26).
"""

from http import HTTPStatus

from personas_kit.destinations.auth import Header
from personas_kit.destinations.base import (
    LABEL,
    Asking,
    Connection,
    Destination,
    FieldApi,
    FieldNeeded,
    Fields,
    Keys,
    Limits,
    Post,
    Probe,
    Rate,
    Setting,
    Unanswered,
)
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.normalise import small_address
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

API = "/crm/sales/api"
FIELDS = f"{API}/settings/contacts/fields"


def _contact(c: Fields) -> Json:
    others = {kind: field for kind, field in c.identifiers.items() if kind != "email"}
    contact = obj({"emails": c.ids["email"], **others, "custom_field": obj({_name(c.key): c.value})})
    return obj(unique_identifier=obj(emails=c.ids["email"]), contact=contact)


def _name(key: str) -> str:
    return f"cf_{key}"


def _read(answer: Answer, _count: int) -> Outcome | None:
    """The contact."""
    kept = answer.status in {HTTPStatus.OK, HTTPStatus.CREATED} and answer.at("contact", "id")
    return ACKNOWLEDGED if kept else None


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    answer = yield connection.request("GET", FIELDS)
    fields = answer.rows("fields")
    if answer.status != HTTPStatus.OK or fields is None:
        raise Unanswered(answer)
    name = _name(needed.key)
    return name if any(each.get("name") == name for each in fields) else None


destination = Destination(
    slug="freshsales",
    name="Freshsales",
    settings=(
        Setting(
            "domain",
            "of the account, beside the API key",
            pattern=rf"{LABEL}\.(my)?freshworks\.com",
            example="acme.myfreshworks.com",
            identifies=True,
        ),
        Setting("api_key", "Profile Settings > API Settings", secret=True),
    ),
    auth=Header("authorization", "Token token={api_key}"),
    hosts={"": "https://{domain}"},
    posts={"identify": Post(f"{API}/contacts/upsert", _contact, ("", ""))},
    limits=Limits(items=1, bytes=100_000),
    outcomes=Outcomes(read=_read, split=frozenset({400, 413, 422})),
    keyed={"email": small_address()},
    keys=Keys(pattern="[a-z0-9_]+", lower=True, about="small letters, digits and underscores"),
    rates=(Rate(1_000, 3_600),),
    fields=FieldApi(
        find=_find,
        create=None,
        where="Admin Settings > Contacts > Fields",
        types={"boolean": "Checkbox", "number": "Number", "text": "Text field", "time": "Date picker"},
    ),
    probe=Probe(FIELDS),
)
