"""ActiveCampaign: custom fields of contacts by email, and of accounts by name.

What is odd: the address is the account's own and is copied from Settings > Developer; the vendor says not to make it of
a name. A value is written under the *number* of a field, and every value is a text. A wrong key is a 403.

All that have a key share five requests in a second: one by one, a million contacts take 55 hours. So more than ten
contacts go as an import (250 in a request, 100 requests in a minute), which is told about later, and ten or fewer go
alone, as the vendor asks for. An import names whom it refused by address. One that breaks, or is refused whole, is
halved, in the end to contacts that go alone and say why. Who is not there becomes a contact, on no list. Automations
run, also in an import; webhooks do not.

Accounts have no id of ours: one is known by its name. It is not made if it is not there: ids for names are of no use.

A field that is made here is related to all lists and put into the first group, or nobody would see it. Fields of
contacts have no type for numbers, so these are texts; those of accounts have one. There is no track: that needs another
key, the number of the account and another host.

Not confirmed: the rule for personalization tags, by which the fields of contacts are found; that an empty text clears a
field; what an import says of addresses on the exclusion list.

Source: https://developers.activecampaign.com/reference/bulk-import-contacts, .../bulk-import-status-info,
.../sync-a-contacts-data, .../rate-limits, .../url, .../contact-custom-fields-api-guide, .../custom-account-fields-1,
.../update-an-account-new (read 2026-11-26).
"""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote

import polars as pl

from personas_kit.destinations.auth import Header
from personas_kit.destinations.base import (
    Asking,
    Call,
    Connection,
    Destination,
    Exchange,
    FieldApi,
    FieldNeeded,
    Fields,
    FieldType,
    Keys,
    Limits,
    Pause,
    Post,
    Probe,
    Rate,
    Request,
    Setting,
    Unanswered,
)
from personas_kit.destinations.encode import Json, obj, raw
from personas_kit.destinations.normalise import small_address
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, all_but, code

ALONE = 10
PAGE = 100
POLLS, SECONDS = 120, 5
API = "/api/3"
OF_ACCOUNTS = "accountCustomFieldMeta"
ALL_LISTS = 0
FIRST_GROUP: dict[Call, int] = {"identify": 1, "group": 3}
TYPES: dict[FieldType, str] = {"boolean": "Text", "number": "Text", "text": "Text", "time": "Datetime"}
OF_ACCOUNT: dict[FieldType, str] = {**TYPES, "number": "Number"}


def _contact(c: Fields) -> Json:
    return obj(email=c.ids["email"], fields=_values(obj(id=_number(c), value=c.text.fill_null(""))))


def _account(c: Fields) -> Json:
    value = obj(customFieldId=_number(c), fieldValue=c.text.fill_null(""))
    return obj(account=obj(name=c.account_id, fields=_values(value)))


def _number(c: Fields) -> int | str:
    return int(c.field) if c.field.isdecimal() else c.field


def _values(one: Json) -> Json:
    return raw(pl.concat_str(pl.lit("["), one.text, pl.lit("]")))


def _read(answer: Answer, count: int) -> Outcome | None:
    """A contact or an account, or what is wrong with it. What became of an import is read where it is waited for."""
    if answer.status in {HTTPStatus.OK, HTTPStatus.CREATED} and count == 1:
        return ACKNOWLEDGED if any(answer.at(kind, "id") for kind in ("contact", "account")) else None
    if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and count == 1:
        return Outcome("rejected", f"{code(answer.at('errors', 0, 'code')) or 'refused'} (422)")
    if answer.status == HTTPStatus.BAD_REQUEST and answer.at("message") == "Rate limit exceeded.":
        return Outcome("retry", "too many imports in a minute", after=60)
    return None


def _identify(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """An import; one by one while they are few."""
    if lines.height > ALONE:
        return (yield from _import(connection, request, lines["id_email"].to_list()))
    body, rejected = request.body(), {}
    for at, contact in enumerate(body["contacts"] if isinstance(body, dict) else ()):
        values = [{"field": str(each["id"]), "value": each["value"]} for each in contact["fields"]]
        alone = {"contact": {"email": contact["email"], "fieldValues": values}}
        answer = yield connection.request("POST", f"{API}/contact/sync", alone)
        outcome = connection.judge("identify", answer, 1)
        if outcome.verdict == "rejected":
            rejected[at] = outcome.reason
        elif outcome.verdict != "acknowledged":
            return outcome
    return Outcome("acknowledged", rejected=rejected)


def _import(connection: Connection, request: Request, emails: list[str]) -> Exchange:
    """Start it, and ask until it has ended."""
    answer = yield request
    batch = answer.at("batchId")
    if answer.status != HTTPStatus.OK or not isinstance(batch, str):
        return connection.judge("identify", answer, len(emails))
    for _ in range(POLLS):
        yield Pause(SECONDS)
        answer = yield connection.request("GET", f"{API}/import/info?batchId={quote(batch, safe='')}")
        status, failure = answer.at("status"), answer.at("failure")
        if status == "completed" and isinstance(failure, list):
            return all_but(emails, dict.fromkeys(map(str, failure), "refused by the import"))
        if status in ("failed", "interrupted"):
            return Outcome("split", "the import failed")
    return Outcome("unknown", "the import has not ended", after=SECONDS)


def _group(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Look for the account, then write."""
    name = lines["account_id"][0]
    answer = yield connection.request("GET", f"{API}/accounts?search={quote(name, safe='')}&limit={PAGE}")
    rows = answer.rows("accounts")
    if answer.status != HTTPStatus.OK or rows is None:
        return connection.judge("group", answer, 1)
    number = _id(next((row for row in rows if row.get("name") == name), {}))
    if not number:
        return Outcome("rejected", "no account has this name")
    answer = yield replace(request, url=f"{request.url}/{number}")
    return connection.judge("group", answer, 1)


def _id(row: Mapping[str, object]) -> str:
    number = row.get("id")
    return number if isinstance(number, str) and number.isdecimal() else ""


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    """A field of contacts by its personalization tag, one of accounts by its label."""
    path, rows, named = (
        (f"fields?filters%5Bperstag%5D={needed.key.upper()}", "fields", "perstag")
        if needed.call == "identify"
        else (f"{OF_ACCOUNTS}?", OF_ACCOUNTS, "fieldLabel")
    )
    for start in range(0, 100 * PAGE, PAGE):
        answer = yield connection.request("GET", f"{API}/{path}&limit={PAGE}&offset={start}")
        page = answer.rows(rows)
        if answer.status != HTTPStatus.OK or page is None:
            raise Unanswered(answer)
        found = next((row for row in page if str(row.get(named)).lower() == needed.key.lower()), None)
        if found is not None or len(page) < PAGE:
            return _id(found or {}) or None
    return None


def _create(connection: Connection, needed: FieldNeeded) -> Asking:
    kind = (TYPES if needed.call == "identify" else OF_ACCOUNT)[needed.type].lower()
    if needed.call == "identify":
        field = {"title": needed.name, "type": kind, "perstag": needed.key.upper()}
        answer = yield connection.request("POST", f"{API}/fields", {"field": field})
    else:
        about = {"fieldLabel": needed.key, "fieldType": kind}
        answer = yield connection.request("POST", f"{API}/{OF_ACCOUNTS}", {"accountCustomFieldMetum": about})
    if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        raise Unanswered(answer)
    number = yield from _find(connection, needed)
    if number is None:
        raise Unanswered(answer)
    if needed.call == "identify":
        yield connection.request("POST", f"{API}/fieldRels", {"fieldRel": {"field": int(number), "relid": ALL_LISTS}})
    member = {"rel_id": int(number), "group_id": FIRST_GROUP[needed.call], "ordernum": None}
    yield connection.request("POST", f"{API}/groupMembers", {"groupMember": member})
    return number


destination = Destination(
    slug="activecampaign",
    name="ActiveCampaign",
    settings=(Setting("api_key", "in Settings > Developer, where the url is too", secret=True),),
    auth=Header("api-token", "{api_key}"),
    hosts={},
    posts={
        "identify": Post(f"{API}/import/bulk_import", _contact, ('{"contacts":[', "]}"), exchange=_identify),
        "group": Post(
            f"{API}/accounts", _account, ("", ""), method="PUT", limits=Limits(items=1, bytes=100_000), exchange=_group
        ),
    },
    limits=Limits(items=250, bytes=400_000),
    outcomes=Outcomes(read=_read),
    keyed={"email": small_address()},
    keys=Keys(pattern=r"[A-Za-z][A-Za-z0-9_]*", about="letters, digits and underscores after a letter"),
    rates=(Rate(5, 1),),
    parallel=5,
    fields=FieldApi(
        find=_find,
        create=_create,
        where="Contacts (or Accounts) > Manage fields > Add field",
        types=TYPES,
        calls=("identify", "group"),
    ),
    probe=Probe(f"{API}/users/me"),
)
