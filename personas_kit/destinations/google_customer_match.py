"""Google Ads' Customer Match, by the Data Manager API: hashed identifiers added to and removed from a user list.

What is odd: 200 only means accepted. What became of the members is asked for later by the request's id; Google asks to
wait half an hour first, and forgets the request after some 50 days. A request is taken whole or not at all: one bad
member fails it, and ``fieldViolations`` name which one, so the bad ones are refused and the others go again; of a wrong
list, too, they name the first member. A list holds contacts, devices or ids of your own, never two of them, and a
member of it has to have one. Removals take neither consent nor the terms of service. An address counts only whole: both
names, region and postal code. Members are forgotten after 540 days (lists of your own may say fewer), so everyone is
sent again every 180. The credentials are those of an OAuth client with the scope
``https://www.googleapis.com/auth/datamanager``; there is no developer token.

A list is replaced in two steps that may lie hours apart: everyone is added; once Google says that all of it is done,
whoever was added last before that began is removed. That is asked for, and asked about, before later plans. Should
Google have failed with a part, nobody is removed, and everyone is added again. "Before" is a minute before Google's own
time as the first step began, since nobody says how exactly its clocks agree.

``PARTIAL_SUCCESS`` counts what failed and does not name it. Members that were added count as acknowledged: what Google
refused of them (no consent, a bad format) it would refuse again, and is a part of the match rate. A removal is sent
again, and so is what failed for a reason of Google's own: whom a list still holds matters more than a request.

Not confirmed: a limit of bytes for a request (8 MB is ours); six hours between two updates (Segment's documents say
so, Google's do not any more).

Source: https://developers.google.com/data-manager/api/devguides/audiences/google-ads/customer-match (read 2026-11-26)
and .../customer-match/remove-all-members (read 2026-11-27).
"""

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import polars as pl

from personas_kit.destinations.auth import OAuth
from personas_kit.destinations.base import (
    Asking,
    Connection,
    Destination,
    Exchange,
    Fields,
    Limits,
    ListApi,
    Poll,
    Polling,
    Post,
    Probe,
    Rate,
    Request,
    Setting,
    naming_list,
)
from personas_kit.destinations.encode import Json, array, obj
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import GOOGLE
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, code, retry_after

DAY = 86_400
MEMBERS, TRIES = 10_000, 8
BEFORE = dt.timedelta(minutes=1)
REPLACEMENT = '{"before":'
LISTS = "/v1/accountTypes/GOOGLE_ADS/accounts/{customer_id}/userLists"
ADDRESS = ("givenName", "familyName", "regionCode", "postalCode")
CONSENT = {"ad_user_data": "adUserData", "ad_personalization": "adPersonalization"}
INFO = {"CONTACT_ID": "contactIdInfo", "MOBILE_ID": "mobileIdInfo", "USER_ID": "userIdInfo"}
OF_A_MEMBER = re.compile(r"audience_?[mM]embers\[(\d{1,5})\]")
OF_SOME_MEMBER = {
    "FIELD_VALUE_TOO_LONG", "FIELD_VALUE_TOO_SHORT", "INVALID_ARGUMENT", "INVALID_AUDIENCE_MEMBER", "INVALID_FORMAT",
    "INVALID_HEX_ENCODING", "INVALID_MOBILE_ID_FORMAT", "INVALID_POSTAL_CODE", "INVALID_REGION_CODE",
    "INVALID_SHA256_FORMAT", "REQUIRED_FIELD_MISSING", "TOO_MANY_AUDIENCE_MEMBERS", "TOO_MANY_USER_IDENTIFIERS",
}  # fmt: skip
GONE = {"INVALID_REQUEST_ID", "REQUEST_TOO_OLD", "NOT_FOUND"}
STATUS = "requestStatusPerDestination"


def _cell(name: str) -> pl.Expr:
    return pl.col("member").str.json_path_match(f"$.{name}")


def _if_all(*names: str) -> pl.Expr:
    """An object of these as JSON text; null unless all are there."""
    there = pl.all_horizontal(_cell(name).is_not_null() for name in names)
    return pl.when(there).then(obj({name: _cell(name) for name in names}).text)


def _contact() -> pl.Expr:
    """The identifiers, separated by commas; empty where there is none."""
    address = pl.concat_str(pl.lit('{"address":'), _if_all(*ADDRESS), pl.lit("}"))
    found = [_if_all("emailAddress"), _if_all("phoneNumber"), address]
    return pl.concat_str(found, separator=",", ignore_nulls=True)


def _member(c: Fields) -> Json:
    """What the list holds of a member; nothing of one who has no identifier of that kind."""
    match c.settings["upload_key_type"]:
        case "MOBILE_ID":
            there, data = _cell("mobileId").is_not_null(), obj(mobileData=obj(mobileIds=array([_cell("mobileId")])))
        case "USER_ID":
            there, data = _cell("userId").is_not_null(), obj(userIdData=obj(userId=_cell("userId")))
        case _:
            inside = _contact()
            listed = Json(pl.concat_str(pl.lit("["), inside, pl.lit("]")))
            there, data = inside != "", obj(userData=obj(userIdentifiers=listed))
    return Json(pl.when(there).then(data.text))


def _account(number: str) -> dict[str, str]:
    return {"accountType": "GOOGLE_ADS", "accountId": number}


def _list(settings: Mapping[str, str]) -> dict[str, object]:
    login = settings.get("login_customer_id")
    return {
        "operatingAccount": _account(settings["customer_id"]),
        **({"loginAccount": _account(login)} if login else {}),
        "productDestinationId": settings["user_list_id"],
    }


def _remove(c: Fields, **more: object) -> tuple[str, str]:
    head = json.dumps({"destinations": [_list(c.settings)], "encoding": "HEX", **more}, separators=(",", ":"))
    return f'{head[:-1]},"audienceMembers":[', "]}"


def _ingest(c: Fields) -> tuple[str, str]:
    consent = {theirs: c.settings[ours] for ours, theirs in CONSENT.items() if ours in c.settings}
    terms = {"customerMatchTermsOfServiceStatus": c.settings["terms_of_service"]}
    return _remove(c, termsOfService=terms, **({"consent": consent} if consent else {}))


def _reason(answer: Answer) -> str:
    """Google's word for what is wrong; empty if it says none."""
    said = [code(detail.get("reason")) for detail in answer.rows("error", "details") or []]
    return next((each for each in said if each), code(answer.at("error", "status")))


def _violations(answer: Answer) -> list[tuple[str, str]]:
    """Field and reason of everything that was wrong with what was sent."""
    details = answer.rows("error", "details") or []
    found = (detail.get("fieldViolations") for detail in details)
    rows = [row for rows in found if isinstance(rows, list) for row in rows if isinstance(row, dict)]
    return [(str(row.get("field")), code(row.get("reason"))) for row in rows]


def _read(answer: Answer, count: int) -> Outcome | None:
    handle, reason = answer.at("requestId"), _reason(answer)
    match answer.status:
        case HTTPStatus.OK if isinstance(handle, str) and handle:
            return Outcome("accepted", handle=handle)
        case HTTPStatus.BAD_REQUEST:
            return _bad(answer, count, reason)
        case HTTPStatus.FORBIDDEN | HTTPStatus.NOT_FOUND if reason:
            return Outcome("fatal", f"{reason} ({answer.status})")
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _quota(answer)
    return None


def _bad(answer: Answer, count: int, reason: str) -> Outcome | None:
    """Nothing was taken: because of some members, or of the list, which Google may say of the first member."""
    violations = _violations(answer)
    said = [why for _, why in violations if why] or [reason]
    whole = next((why for why in said if why and why not in OF_SOME_MEMBER), "")
    rejected = {int(at[1]): why or reason for field, why in violations if (at := OF_A_MEMBER.match(field))}
    if whole or (violations and not rejected):
        return Outcome("fatal", f"{whole or said[0] or 'refused'} (400)")
    if rejected:
        return Outcome("acknowledged", rejected=rejected, again=frozenset(range(count)) - rejected.keys())
    return None


def _quota(answer: Answer) -> Outcome:
    """A minute passes; where the day is used up, the rest goes with the next push."""
    details = answer.rows("error", "details") or []
    data = [each for detail in details if isinstance(each := detail.get("metadata"), dict)]
    quota = next((code(each.get("quota_limit")) for each in data), "")
    if "PerDay" in quota:
        return Outcome("fatal", f"the quota of the day is used up ({quota})")
    return Outcome("retry", quota or "status 429", after=retry_after(answer) or 60.0)


def _status(answer: Answer) -> Outcome | None:
    """What became of a request; None while it is processed, or where no one could say."""
    word = answer.at(STATUS, 0, "requestStatus")
    removal = answer.at(STATUS, 0, "audienceMembersRemovalStatus") or answer.at(
        STATUS, 0, "removeAllAudienceMembersStatus"
    )
    counts = answer.rows(STATUS, 0, "errorInfo", "errorCounts") or []
    reasons = {code(each.get("reason")).removeprefix("PROCESSING_ERROR_REASON_") for each in counts} - {""}
    partial, failed = word == "PARTIAL_SUCCESS", word in ("FAILED", "FAILURE")
    again = "INTERNAL_ERROR" in reasons or (partial and removal is not None)
    if ((partial or failed) and again) or _reason(answer) in GONE:
        return Outcome("unknown", "not processed, or not known any more")
    if failed:
        return Outcome("rejected", ", ".join(sorted(reasons)) or "FAILED")
    return ACKNOWLEDGED if partial or word == "SUCCESS" else None


def _before_members(c: Fields) -> tuple[str, str]:
    """What stands before the members in every request of a replacement, as the first line; the members follow."""
    before, _ = _ingest(c)
    return before + "\n", ""


def _replaced(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Everyone is added. Whoever was there before is removed later, by ``_polling``."""
    asked = connection.request("GET", f"{LISTS}/{{user_list_id}}")
    answer = yield replace(asked, headers={**asked.headers, **_login(connection)})
    before = _moment_before(answer)
    if before is None:
        return connection.judge("list", answer, lines.height).undivided
    head, *members = request.content.decode().split("\n")
    adding, rejected = list[str](), dict[int, str]()
    for start in range(0, len(members), MEMBERS):
        part = yield from _added(connection, replace(request, content=head.encode()), members[start : start + MEMBERS])
        if part.verdict not in {"accepted", "rejected"}:
            return part
        adding += filter(None, [part.handle])
        rejected |= {start + at: reason for at, reason in part.rejected.items()}
    return Outcome("accepted", rejected=rejected, handle=_work(before=before, adding=adding, removing=""))


def _added(connection: Connection, request: Request, members: Sequence[str]) -> Exchange:
    """These are added, but for those who cannot be: everyone is, if it is ``rejected``."""
    rejected, left = dict[int, str](), list(range(len(members)))
    for _ in range(TRIES):
        body = b"%b%b]}" % (request.content, ",".join(members[at] for at in left).encode())
        taken = connection.judge("list", (yield replace(request, content=body)), len(left))
        if taken.verdict == "accepted":
            return replace(taken, rejected=rejected)
        if not taken.rejected:
            return taken.undivided
        rejected |= {left[at]: reason for at, reason in taken.rejected.items()}
        left = [left[at] for at in sorted(taken.again)]
        if not left:
            return Outcome("rejected", rejected=rejected)
    return Outcome("fatal", "it names others each time who cannot be added")


def _moment_before(answer: Answer) -> str | None:
    """A little before Google's time of an answer; None if it was refused, or has none."""
    try:
        said = parsedate_to_datetime(answer.header("date") or "") if answer.is_success else None
    except ValueError:
        return None
    return f"{said - BEFORE:%Y-%m-%dT%H:%M:%SZ}" if said is not None and said.tzinfo == dt.UTC else None


def _work(**parts: object) -> str:
    """What a replacement is called: everything that the rest of it takes."""
    return json.dumps(parts, separators=(",", ":"))


def _polling(connection: Connection, handle: str) -> Polling:
    """A request is asked about. So is each of a replacement; then whoever was there before is removed."""
    if not handle.startswith(REPLACEMENT):
        return (yield from connection.polled(handle))
    work = json.loads(handle)
    for done, request_id in enumerate(work["adding"]):
        added = yield from connection.polled(request_id)
        if added is None:
            return Outcome("accepted", handle=_work(**work | {"adding": work["adding"][done:]})) if done else None
        if added.verdict != "acknowledged":
            return Outcome("unknown", added.reason)
    if work["removing"]:
        removed = yield from connection.polled(work["removing"])
        if removed is None or removed.verdict == "acknowledged":
            return removed
    body = {"destinations": [_list(connection.settings)], "removeAsOfTime": work["before"]}
    answer = yield connection.request("POST", "/v1/audienceMembers:removeAll", body)
    removing = connection.judge("list", answer, 1).handle  # none where it was not accepted: it is asked for again
    return Outcome("accepted", handle=_work(**work | {"adding": [], "removing": removing}))


def _create(connection: Connection, name: str, description: str) -> Asking:
    kind = connection.setting("upload_key_type")
    app = {"appId": connection.setting("app_id"), "keySpace": connection.setting("key_space")}
    about = {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY", **(app if kind == "MOBILE_ID" else {})}
    body = {
        "displayName": name,
        **({"description": description} if description else {}),
        "membershipStatus": "OPEN",
        "membershipDuration": f"{540 * DAY}s",
        "ingestedUserListInfo": {"uploadKeyTypes": [kind], INFO[kind]: about},
    }
    asked = connection.request("POST", LISTS, body)
    return named((yield replace(asked, headers={**asked.headers, **_login(connection)})), "id")


def _login(connection: Connection) -> Mapping[str, str]:
    """About lists a manager's account is named in a header, not in a field."""
    login = connection.setting("login_customer_id")
    return {"login-account": f"accountTypes/GOOGLE_ADS/accounts/{login}"} if login else {}


destination = Destination(
    slug="google-customer-match",
    name="Google Ads Customer Match",
    settings=(
        Setting("client_id", "of the OAuth client"),
        Setting("client_secret", "of the OAuth client", secret=True),
        Setting("refresh_token", "of a Google account that may write to the Google Ads account", secret=True),
        Setting(
            "customer_id",
            "of the Google Ads account, digits only",
            identifies=True,
            pattern=r"\d+",
            example="1234567890",
        ),
        Setting("login_customer_id", "of the manager account that gives access", optional=True, pattern=r"\d+"),
        naming_list("user_list_id", "number of a user list", pattern=r"\d+"),
        Setting("upload_key_type", "what the list holds", default="CONTACT_ID", choices=tuple(INFO)),
        Setting(
            "terms_of_service",
            "ACCEPTED: you accept https://support.google.com/adspolicy/answer/6299717",
            choices=("ACCEPTED",),
            example="ACCEPTED",
        ),
        *(
            Setting(name, "what those on the list said", optional=True, choices=("CONSENT_GRANTED", "CONSENT_DENIED"))
            for name in CONSENT
        ),
        Setting("app_id", "of the app, to make a list of devices", optional=True),
        Setting("key_space", "of the devices, to make a list of them", optional=True, choices=("IOS", "ANDROID")),
    ),
    auth=OAuth(
        "/token",
        {
            "grant_type": "refresh_token",
            "client_id": "{client_id}",
            "client_secret": "{client_secret}",
            "refresh_token": "{refresh_token}",
        },
        host="https://oauth2.googleapis.com",
    ),
    hosts={"": "https://datamanager.googleapis.com"},
    posts={
        "list": Post(
            "/v1/audienceMembers:ingest",
            _member,
            _ingest,
            exits=Post("/v1/audienceMembers:remove", _member, _remove),
            replacing=Post(
                "/v1/audienceMembers:ingest",
                _member,
                _before_members,
                separator="\n",
                limits=Limits(items=10_000_000, bytes=10**11),
                exchange=_replaced,
            ),
        )
    },
    limits=Limits(items=MEMBERS, bytes=8_000_000),
    outcomes=Outcomes(read=_read),
    identifiers=GOOGLE,
    together=(("first_name", "last_name", "country", "zip"),),
    minimum_interval=6 * 3_600,
    refresh=180 * DAY,
    list_setting="user_list_id",
    rates=(Rate(300, 60),),
    poll=Poll("/v1/requestStatus:retrieve?requestId={handle}", _status, _polling),
    lists=ListApi(_create),
    probe=Probe(f"{LISTS}?pageSize=1", headers=_login),
)
