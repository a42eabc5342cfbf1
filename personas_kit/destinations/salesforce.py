"""Salesforce: fields of contacts (or leads, or another object) and accounts, 200 records in a request.

What is odd: a record is known by a field of its own that is marked as an external id; a person makes it, and says here
what it is called (``user_key``, ``account_key``). The answer is 200 and tells of each record in the order they were
sent: a locked row is tried again, others are refused by their code. A record that is not there yet is made, which needs
the object's own required fields: ``ids = { LastName = "last_name", Email = "email" }`` puts identifiers into the fields
of these names. Accounts need a name, so only accounts that are there take a value. Custom fields end in ``__c``. One
that is not there fails the whole request, so it stops the push, and so does the limit of requests in 24 hours; too many
slow requests at once have the same code and are tried again.

No field is made: by its API a field can be seen by nobody until permissions are given, which is a person's work. A
field is looked for by a query that reads it, because this answers for the very user who will write it.

The app is an External Client App (or Connected App) with the client credentials flow, and acts as the user that is set
there. A sandbox has a domain of two parts: ``acme--dev.sandbox``. The version of the API stands in the path; each is
there for three years at least, and then gone (410).

Not confirmed: the longest body that is taken; the limit used here is far below.

Source: https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-upsert.html,
https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-api.html
(read 2026-11-26),
https://developer.salesforce.com/docs/platform/connect-rest-api/guide/intro_api_eol (read 2026-11-27).
"""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

import polars as pl

from personas_kit.destinations.auth import OAuth
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
    Setting,
    Unanswered,
    Values,
)
from personas_kit.destinations.encode import Field, Json, constant, obj
from personas_kit.destinations.outcomes import Answer, Outcome, Outcomes, code

DATA = "/services/data/v66.0"
RECORDS = ('{"allOrNone":false,"records":[', "]}")
NAME = r"[A-Za-z]\w*"


def _person(c: Fields) -> Json:
    return _record(c, c.settings["object"], c.settings["user_key"], c.user_id, c.identifiers)


def _account(c: Fields) -> Json:
    return _record(c, "Account", c.settings["account_key"], c.account_id, {})


def _record(c: Fields, kind: str, key: str, known_as: pl.Expr, more: Mapping[str, Field]) -> Json:
    return obj({"attributes": constant({"type": kind}), key: known_as, **more, c.field: c.value})


def _read(answer: Answer, count: int) -> Outcome | None:
    """Of each record whether it was taken; or one error about the request."""
    rows = answer.rows()
    if not rows:
        return None
    if answer.status != HTTPStatus.OK:
        return _whole(rows[0])
    if len(rows) != count or not all(isinstance(row.get("success"), bool) for row in rows):
        return None
    refused = {at: _code(row) for at, row in enumerate(rows) if not row["success"]}
    again = frozenset(at for at, reason in refused.items() if reason == "UNABLE_TO_LOCK_ROW")
    return Outcome(
        "acknowledged",
        reason="UNABLE_TO_LOCK_ROW" if again else "",
        rejected={at: reason for at, reason in refused.items() if at not in again},
        again=again,
    )


def _code(row: Mapping[str, object]) -> str:
    errors = row.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return (code(first.get("statusCode")) if isinstance(first, dict) else "") or "refused"


def _whole(error: Mapping[str, object]) -> Outcome | None:
    said, message = error.get("errorCode"), error.get("message")
    if said == "REQUEST_LIMIT_EXCEEDED":
        if isinstance(message, str) and message.startswith("Concurrent"):
            return Outcome("retry", "too many slow requests at once (REQUEST_LIMIT_EXCEEDED)")
        return Outcome("fatal", "the requests of 24 hours are used up (REQUEST_LIMIT_EXCEEDED)")
    if said == "INVALID_FIELD":
        return Outcome("fatal", "a field is not there, or not to be seen (INVALID_FIELD)")
    return None


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    kind = connection.setting("object") if needed.call == "identify" else "Account"
    query = quote(f"SELECT {needed.key} FROM {kind} LIMIT 1", safe="")  # noqa: S608  (two names that were checked)
    answer = yield connection.request("GET", f"{DATA}/query?q={query}")
    if answer.status == HTTPStatus.OK and answer.rows("records") is not None:
        return needed.key
    if answer.status == HTTPStatus.BAD_REQUEST and answer.at(0, "errorCode") == "INVALID_FIELD":
        return None
    raise Unanswered(answer)


destination = Destination(
    slug="salesforce",
    name="Salesforce",
    settings=(
        Setting(
            "domain",
            "My Domain: what stands before .my.salesforce.com",
            identifies=True,
            pattern=rf"{LABEL}(\.{LABEL})?",
            example="acme",
        ),
        Setting("client_id", "consumer key of the app"),
        Setting("client_secret", "consumer secret of the app", secret=True),
        Setting("object", "what a user is", default="Contact", identifies=True, pattern=NAME),
        Setting("user_key", "external id field of it that holds the user's id", default="User_Id__c", pattern=NAME),
        Setting(
            "account_key", "external id field of accounts with the account's id", default="Account_Id__c", pattern=NAME
        ),
    ),
    auth=OAuth(
        "/services/oauth2/token",
        {"grant_type": "client_credentials", "client_id": "{client_id}", "client_secret": "{client_secret}"},
    ),
    hosts={"": "https://{domain}.my.salesforce.com"},
    posts={
        "identify": Post(f"{DATA}/composite/sobjects/{{object}}/{{user_key}}", _person, RECORDS, method="PATCH"),
        "group": Post(f"{DATA}/composite/sobjects/Account/{{account_key}}", _account, RECORDS, method="PATCH"),
    },
    limits=Limits(items=200, bytes=2_000_000),
    outcomes=Outcomes(read=_read, fatal=frozenset({401, 403, 404, 410})),
    keys=Keys(
        longest=43,
        pattern=r"[A-Za-z](?:_?[A-Za-z0-9])*__c",
        suffix="__c",
        about="letters, digits and single underscores after a letter, and no underscore at the end",
    ),
    values=Values(lists=False),
    fields=FieldApi(
        find=_find,
        create=None,
        where="Setup > Object Manager > the object > Fields & Relationships; then let the app's user edit it",
        types={"boolean": "Checkbox", "number": "Number", "text": "Text", "time": "Date/Time"},
        calls=("identify", "group"),
    ),
    probe=Probe(DATA),
)
