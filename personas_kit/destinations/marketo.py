"""What the destinations of Marketo have in common: the token, how answers are read, and what their errors mean.

Marketo answers 200 and says in the body what went wrong, on two levels: the request (``success`` is false, ``errors``),
and each record (``skipped``, ``reasons``). Records come in the order in which they were sent. Every number of an error
is in one table here; the texts beside them are not shown, they may quote what was sent.

A token lives for an hour, and a new one comes with 601 or 602 (an OAuth answer of 401 there means wrong credentials).
It goes in a header: as a parameter it is not taken any more. 100 calls in 20 seconds, 10 at a time and 50,000 a day
are for all integrations of an instance together: 50 in 20 seconds are made here, as Adobe advises. The day ends at
midnight in the middle of the USA, "CST": the hour that is right in winter is waited for, also in summer.

A lead that two calls make at the same time may be there twice. Within a push nobody is in two calls at a time; two
destinations of one instance, or another integration of it, may make the same new lead at once.

Source: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes, .../rest/authentication,
.../rest/rest-api (read 2026-11-26), .../rest/lead-database/leads and .../rest/marketo-integration-best-practices (read
2026-11-27).
"""

import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import httpx

from personas_kit.destinations.auth import OAuth
from personas_kit.destinations.base import LABEL, Probe, Rate, Setting
from personas_kit.destinations.normalise import Identifier, small_address
from personas_kit.destinations.outcomes import Answer, Outcome, Reader

TOKEN = frozenset({601, 602})
QUOTA = 607
WAITS: Mapping[int, float | None] = {
    502: None,
    601: None,
    602: None,
    604: None,
    606: 20.0,
    608: None,
    611: None,
    614: None,
    615: 5.0,
    713: None,
    719: None,
    1016: 60.0,
    1019: 60.0,
    1029: 60.0,
}
"""Errors of a request that is tried again -> seconds to wait, where the kind of error tells."""
SPLIT = range(1001, 1013)
"""Errors that are about one record, also where they are told of a request."""
AGAIN = frozenset({1014, 1016, 1019, 1022, 1029})
"""Errors of a record that is tried again."""
NAMES: Mapping[int, str] = {
    502: "bad gateway",
    600: "no token",
    601: "the token is not valid",
    602: "the token has expired",
    603: "access denied: check the permissions of the API user",
    604: "timed out",
    605: "wrong method",
    606: "too many calls in 20 seconds",
    607: "the calls of the day are used up",
    608: "not available for the moment",
    609: "invalid JSON",
    610: "no such address",
    611: "system error",
    612: "wrong content type",
    613: "invalid multipart request",
    614: "the subscription cannot be reached",
    615: "too many calls at a time",
    616: "not in this subscription",
    701: "a parameter is missing",
    702: "nothing was found",
    703: "the feature is not enabled",
    709: "against a rule for assets",
    710: "the folder is not there",
    711: "the wrong type of folder",
    713: "not available for the moment",
    719: "timed out",
    1001: "a value of the wrong type",
    1002: "a value is missing",
    1003: "invalid data",
    1004: "no such lead",
    1006: "the field is not there",
    1007: "several leads have it",
    1008: "no access to the partition",
    1010: "in another partition",
    1011: "the field cannot be used so",
    1013: "not there",
    1014: "could not be made",
    1015: "not in the list",
    1016: "too many imports",
    1017: "there already",
    1018: "a CRM is connected, which owns this",
    1019: "an import to the list is under way",
    1021: "companies cannot be changed so",
    1022: "in use",
    1029: "too many jobs",
    1036: "twice in one request",
}
DONE = frozenset({"created", "updated", "added", "removed"})
RESET = dt.time(6)  # UTC

EMAIL: Mapping[str, Identifier] = {"email": small_address()}
SETTINGS = (
    Setting(
        "munchkin",
        "account id: the first part of the REST endpoint in Admin > Integration > Web Services",
        identifies=True,
        pattern=LABEL,
        example="123-ABC-456",
    ),
    Setting("client_id", "of the custom service in Admin > Integration > LaunchPoint"),
    Setting("client_secret", "of the same service", secret=True),
)
HOSTS: Mapping[str, str] = {"": "https://{munchkin}.mktorest.com"}
RATES = (Rate(50, 20),)


def _number(value: object) -> int:
    """A code: digits in a text; 0 if it is none."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 5 else 0  # noqa: PLR2004


def _reason(number: int) -> str:
    return f"{NAMES.get(number, 'refused')} ({number})"


def error_of(answer: Answer) -> int:
    """The number of the error of a request; 0 if there is none."""
    return _number(answer.at("errors", 0, "code")) if answer.at("success") is False else 0


def _expired(response: httpx.Response) -> bool:
    return error_of(Answer(response.status_code, {}, response.content)) in TOKEN


AUTH = OAuth(
    "/identity/oauth/token",
    {"grant_type": "client_credentials", "client_id": "{client_id}", "client_secret": "{client_secret}"},
    expired=_expired,
)


def failed(answer: Answer, count: int) -> Outcome | None:
    """What became of a request that failed as a whole; None if it did not, or if the answer cannot be read."""
    if answer.at("success") is not False:
        return None
    number = error_of(answer)
    if number == QUOTA:
        return Outcome("retry", _reason(number), after=_until_reset(answer))
    if number in SPLIT:
        return Outcome("split" if count > 1 else "rejected", _reason(number))
    if number in WAITS or number not in NAMES:
        return Outcome("retry", _reason(number), after=WAITS.get(number))
    return Outcome("fatal", _reason(number))


def records(fine: frozenset[int] = frozenset()) -> Reader:
    """Reads what became of each record.

    Args:
        fine: errors of a record that say that all is as it should be.
    """

    def read(answer: Answer, count: int) -> Outcome | None:
        rows = answer.rows("result")
        if answer.at("success") is not True or rows is None or len(rows) != count:
            return failed(answer, count)
        skipped = {at: _why(row) for at, row in enumerate(rows) if str(row.get("status")) not in DONE}
        if any(not isinstance(rows[at].get("reasons"), list) for at in skipped):
            return None
        bad = {at: number for at, number in skipped.items() if number not in fine}
        return Outcome(
            "acknowledged",
            rejected={at: _reason(number) for at, number in bad.items() if number not in AGAIN},
            again=frozenset(at for at, number in bad.items() if number in AGAIN),
        )

    return read


def _why(row: Mapping[str, object]) -> int:
    reasons = row.get("reasons")
    first = reasons[0] if isinstance(reasons, list) and reasons else None
    return _number(first.get("code")) if isinstance(first, dict) else 0


def _until_reset(answer: Answer) -> float:
    """Seconds until calls are counted anew, by the clock of the answer; an hour if it has none."""
    try:
        now = parsedate_to_datetime(answer.header("date") or "").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return 3_600.0
    today = dt.datetime.combine(now.date(), RESET, dt.UTC)
    return (today - now).total_seconds() % 86_400


def _says(answer: Answer) -> str:
    problem = failed(answer, 1)
    return problem.reason if problem else "" if answer.at("success") is True else "an answer that is not Marketo's"


PROBE = Probe("/rest/v1/leads.json?filterType=id&filterValues=1&fields=id", says=_says)
