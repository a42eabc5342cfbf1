"""Zendesk: custom fields of users and organizations, by its Ticketing API.

What is odd: users are taken as a job of up to 100, which is asked for until it is done; it tells of each user in the
order they were sent. A job that takes longer than half a minute is asked for later, and then only as a whole. Bulk
imports are refused (403) until the owner of the account has Zendesk enable them. Whoever is new gets an email from
Zendesk unless the request says otherwise, which it does (``skip_verify_email``). A new user needs a name:
``ids = { name = "full_name", email = "email" }``; a new organization needs one too, so only organizations that are
there take a value. A user is found by external id or email, and external ids are compared without regard to case.
Organizations are known by their external id, and not by their name. They go one by one: what updates several takes
them by Zendesk's number, or gives all the same values. Without credentials, the question who one is has an answer: an
anonymous user.

API tokens cannot be made any more since 27 October 2026, and those that are there end on 30 April 2027. So a token is
asked for by an OAuth client of the kind Confidential, and again when it has expired.

There is no track: events belong to profiles, which are of another API.

Segment and RudderStack make a field that is not there.

Not confirmed: that a field that is not there is ignored in silence; that a date field takes a time of day, so times go
into text; that the client acts as the admin who made it; whether the 5 updates of organizations that are allowed in a
minute are meant for each of them, and for this way of updating.

Source: https://developer.zendesk.com/api-reference/ticketing/users/users/, .../users/user_fields/,
.../organizations/organizations/, .../ticket-management/job_statuses/, .../introduction/rate-limits/ and
https://support.zendesk.com/hc/en-us/community/posts/4408861015066 for the order of results (read 2026-11-26),
https://developer.zendesk.com/documentation/api-basics/authentication/oauth-migration/, .../api-tokens-to-oauth/,
https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/ and
https://support.zendesk.com/hc/en-us/articles/4422518967706 for the limit of organizations, and Zendesk's OpenAPI file
of users and organizations (read 2026-11-27).
"""

from http import HTTPStatus
from urllib.parse import quote

import polars as pl

from personas_kit.destinations.auth import OAuth
from personas_kit.destinations.base import (
    LABEL,
    Asking,
    Connection,
    Destination,
    Exchange,
    FieldApi,
    FieldNeeded,
    Fields,
    Keys,
    Limits,
    Pause,
    Poll,
    Post,
    Probe,
    Request,
    Setting,
    Values,
)
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.exchange import named
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Budget, Outcome, Outcomes, code

JOB = "/api/v2/job_statuses/{handle}"
PAUSES = (1, 1, 2, 4, 8, 16)
OF_CALL = {"identify": "user_field", "group": "organization_field"}
TYPES = {"boolean": "checkbox", "number": "decimal", "text": "text", "time": "text"}


def _user(c: Fields) -> Json:
    fields = obj({c.field: c.value})
    return obj({**c.identifiers, "external_id": c.user_id, "skip_verify_email": True, "user_fields": fields})


def _organization(c: Fields) -> Json:
    return obj(external_id=c.account_id, organization_fields=obj({c.field: c.value}))


def _read(answer: Answer, _count: int) -> Outcome | None:
    """A job that was begun, or an organization."""
    handle = answer.at("job_status", "id")
    if answer.status == HTTPStatus.OK and isinstance(handle, str) and handle:
        return Outcome("accepted", handle=handle)
    known = answer.status in {HTTPStatus.OK, HTTPStatus.CREATED} and isinstance(answer.at("organization", "id"), int)
    return ACKNOWLEDGED if known else None


def _job(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Begin the job, and ask for it for a while."""
    begun = connection.judge("identify", (yield request), lines.height)
    if begun.verdict == "accepted":
        path = JOB.format(handle=quote(begun.handle, safe=""))
        for seconds in PAUSES:
            yield Pause(seconds)
            done = _done((yield connection.request("GET", path)), lines.height)
            if done is not None:
                return done
    return begun


def _done(answer: Answer, count: int) -> Outcome | None:
    """What became of a job's users; None while it is at it, or where that was not said."""
    status, results = answer.at("job_status", "status"), answer.rows("job_status", "results")
    if status in ("failed", "killed"):
        return Outcome("retry", f"the job ended as {status}")
    if status != "completed":
        return None
    if results is None or len(results) != count:
        return Outcome("unknown", "a job that does not tell of every user")
    bad = {at: code(row.get("error")) or "refused" for at, row in enumerate(results) if not _taken(row)}
    return Outcome("acknowledged", rejected=bad)


def _taken(row: dict[str, object]) -> bool:
    return row.get("status") in ("Created", "Updated") and not row.get("error")


def _polled(answer: Answer) -> Outcome | None:
    """A job that was done later. Who of it was refused has no place there: it is sent once more."""
    done = _done(answer, len(answer.rows("job_status", "results") or []))
    gone = answer.status == HTTPStatus.NOT_FOUND
    unclear = gone or (done is not None and (done.verdict != "acknowledged" or bool(done.rejected)))
    return Outcome("unknown", "the job, or a part of it, was not done") if unclear else done


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    kind = OF_CALL[needed.call]
    answer = yield connection.request("GET", f"/api/v2/{kind}s/{needed.key}")
    return None if answer.status == HTTPStatus.NOT_FOUND else named(answer, kind, "key")


def _create(connection: Connection, needed: FieldNeeded) -> Asking:
    kind = OF_CALL[needed.call]
    field = {"type": TYPES[needed.type], "key": needed.key, "title": needed.name}
    return named((yield connection.request("POST", f"/api/v2/{kind}s", {kind: field})), kind, "key")


def _nobody(answer: Answer) -> str:
    """Without credentials this is the anonymous user, and no error."""
    staff = answer.at("user", "role") in ("admin", "agent")
    return "" if staff else "this is no admin or agent: check the OAuth client"


destination = Destination(
    slug="zendesk",
    name="Zendesk",
    settings=(
        Setting("subdomain", "what stands before .zendesk.com", identifies=True, pattern=LABEL, example="acme"),
        Setting("client_id", "identifier of a client: Admin Center > Apps and integrations > APIs > OAuth clients"),
        Setting("client_secret", "of this client", secret=True),
        Setting("scope", "what the client may do", default="read write"),
    ),
    auth=OAuth(
        "/oauth/tokens",
        {
            "grant_type": "client_credentials",
            "client_id": "{client_id}",
            "client_secret": "{client_secret}",
            "scope": "{scope}",
        },
        json=True,
    ),
    hosts={"": "https://{subdomain}.zendesk.com"},
    posts={
        "identify": Post("/api/v2/users/create_or_update_many", _user, ('{"users":[', "]}"), exchange=_job),
        "group": Post(
            "/api/v2/organizations/create_or_update",
            _organization,
            ('{"organization":', "}"),
            limits=Limits(items=1, bytes=100_000),
        ),
    },
    limits=Limits(items=100, bytes=1_000_000),
    outcomes=Outcomes(read=_read, split=frozenset({400, 413, 422})),
    keys=Keys(pattern="(?![0-9]+$)[A-Za-z0-9_]+", about="letters, digits and underscores, and not digits alone"),
    values=Values(lists=False),
    parallel=4,
    budget=Budget("ratelimit-remaining", "ratelimit-reset"),
    poll=Poll(JOB, _polled),
    fields=FieldApi(
        find=_find,
        create=_create,
        where="Admin Center > People > Configuration > User fields (or Organization fields)",
        types={"boolean": "Checkbox", "number": "Decimal", "text": "Text", "time": "Text"},
        calls=("identify", "group"),
    ),
    probe=Probe("/api/v2/users/me", says=_nobody),
)
