"""Moosend: custom fields of the subscribers of a mailing list, and who is subscribed to it.

What is odd: the key stands in the query. An error may be a 200, with a ``Code`` that is not 0. Moosend's own way to add
subscribers, which updates those who are there, subscribes those again who have unsubscribed and clears the custom
fields that are not sent. So everyone is looked up first. Values are written for those who are subscribed, together with
their other fields, tags and preferences; others are refused. Who enters and is new, or was removed before, is
subscribed; who has unsubscribed is refused. Who leaves is removed from the list, and not unsubscribed, so that they can
enter again; but who has unsubscribed meanwhile stays as they are. The list itself is asked for before: what a look-up
says otherwise is then about the subscriber. Being on a list is being mailed: say ``double_opt_in = "elsewhere"`` if
those who enter have agreed already, or the list may ask them.

That is slow, one look-up in a second. Events are not sent: they come from the tracking of a web site.

Not confirmed: that unsubscribed ones are subscribed again (others' words on the API say so); whether tags and
preferences are cleared too where they are not sent; what the look-up of an unknown address says (few codes are
published); the limit of look-ups; that a time can be written back the way it is read.

Source: https://moosendapp.docs.apiary.io/ and
https://docs.moosend.com/api-documentation/articles/KnowledgeBase/54558-API-rate-limiting (read 2026-11-26),
.../54573-Add-a-new-subscriber for what is cleared, .../54574-Get-subscriber-by-ID-without-mailing-list-ID for the
numbers of the states, .../54578-Update-a-subscriber, and of the same API
https://doc.sitecore.com/send/en/developers/api-documentation/update-a-subscriber.html (read 2026-11-27).
"""

import json
from collections.abc import Generator
from dataclasses import replace
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import polars as pl

from personas_kit.destinations.auth import Query
from personas_kit.destinations.base import (
    Asking,
    Connection,
    Destination,
    Exchange,
    FieldApi,
    FieldNeeded,
    Fields,
    FieldType,
    Keys,
    Limits,
    ListApi,
    Post,
    Probe,
    Rate,
    Request,
    Setting,
    Unanswered,
    Values,
    naming_list,
)
from personas_kit.destinations.encode import Json, obj, raw
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import Identifier
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

LIST, SUBSCRIBERS = "/v3/lists/{list_id}", "/v3/subscribers/{list_id}"
SUBSCRIBED, REMOVED = 1, 4
UNKNOWN = {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
THROTTLED, LARGEST = 429, 100_000
OPT_IN = {"list": "false", "elsewhere": "true"}
TYPES: dict[FieldType, str] = {"boolean": "Text", "number": "Number", "text": "Text", "time": "Text"}
Subscriber = dict[str, Any]


def _address(text: pl.Expr) -> pl.Expr:
    """In small letters; none with a comma, which stands between two addresses."""
    return pl.when(~text.str.contains(r"[,\s]")).then(text.str.to_lowercase())


def _value(c: Fields) -> Json:
    return obj(Email=c.ids["email"], Name=c.field, Value=c.text.fill_null(""))


def _member(_: Fields) -> Json:
    return raw(pl.col("member"))


def _new(c: Fields) -> tuple[str, str]:
    return f'{{"HasExternalDoubleOptIn":{OPT_IN[c.settings["double_opt_in"]]},"Subscribers":[', "]}"


def _code(answer: Answer) -> int | None:
    said = answer.at("Code")
    return said if isinstance(said, int) and not isinstance(said, bool) and abs(said) < LARGEST else None


def _read(answer: Answer, _count: int) -> Outcome | None:
    """What went wrong. What went well is read by whoever knows what was asked."""
    said = _code(answer)
    if said == THROTTLED:
        return Outcome("retry", "too many requests", after=10.0)
    return Outcome("split", f"refused ({said})") if answer.status == HTTPStatus.OK and said else None


def _fine(answer: Answer) -> bool:
    return answer.status == HTTPStatus.OK and _code(answer) == 0


def _look_up(connection: Connection, emails: list[str]) -> Generator[Request, Answer, list[Subscriber]]:
    """The subscribers, with nothing for those who are none.

    Raises:
        Unanswered: something is wrong with the list or the key, or nobody knows.
    """
    answer = yield connection.request("GET", f"{LIST}/details.json")
    if not _fine(answer):
        raise Unanswered(answer)
    found: list[Subscriber] = []
    for email in emails:
        answer = yield connection.request("GET", f"{SUBSCRIBERS}/view.json?Email={quote(email, safe='')}")
        fields, number = answer.rows("Context", "CustomFields"), answer.at("Context", "ID")
        if _fine(answer) and fields is not None and isinstance(number, str) and number.isascii() and number:
            found.append(cast("Subscriber", answer.at("Context")))
        elif answer.status in UNKNOWN and _code(answer) not in {None, 0, THROTTLED}:
            found.append({})
        else:
            raise Unanswered(answer)
    return found


def _stopped(connection: Connection, answer: Answer) -> Outcome:
    """What stops the look-up is wrong for everyone."""
    said = connection.judge("list", answer, 1)
    return replace(said, verdict="fatal") if said.verdict in {"split", "rejected"} else said


def _update(connection: Connection, request: Request, _lines: pl.DataFrame) -> Exchange:
    """Look everyone up, and write to each the value together with their other fields."""
    changes = cast("list[dict[str, str]]", request.body())
    try:
        found = yield from _look_up(connection, [change["Email"] for change in changes])
    except Unanswered as other:
        return _stopped(connection, other.answer)
    rejected: dict[int, str] = {}
    for at, (known, change) in enumerate(zip(found, changes, strict=True)):
        if known.get("SubscribeType") != SUBSCRIBED:
            rejected[at] = "not subscribed there"
            continue
        url = f"{request.url}/{quote(known['ID'], safe='')}.json"
        answer = yield replace(request, url=url, content=_bytes(_written(known, change)))
        said = connection.judge("identify", answer, 1)
        if said.verdict in {"split", "rejected"}:
            rejected[at] = said.reason
        elif not _fine(answer):
            return said
    return Outcome("acknowledged", rejected=rejected)


def _written(known: Subscriber, change: dict[str, str]) -> dict[str, object]:
    """The subscriber as they are, but for one field."""
    rows = [row for row in known["CustomFields"] if row.get("Name") != change["Name"] and row.get("Value") is not None]
    fields = [f"{row.get('Name')}={row['Value']}" for row in rows]
    name = {"Name": known["Name"]} if isinstance(known.get("Name"), str) else {}
    kept = {kind: known[kind] for kind in ("Tags", "Preferences") if isinstance(known.get(kind), list)}
    return {**name, "Email": change["Email"], "CustomFields": [*fields, f"{change['Name']}={change['Value']}"], **kept}


def _enter(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Look everyone up, and subscribe those who are new."""
    body = cast("dict[str, Any]", request.body())
    emails = [each["Email"] for each in body["Subscribers"]]
    try:
        found = yield from _look_up(connection, emails)
    except Unanswered as other:
        return _stopped(connection, other.answer)
    states = [known.get("SubscribeType") if known else REMOVED for known in found]
    new = [at for at, state in enumerate(states) if state == REMOVED]
    rejected = {at: "has unsubscribed" for at, state in enumerate(states) if state not in (REMOVED, SUBSCRIBED)}
    if not new:
        return Outcome("acknowledged", rejected=rejected)
    answer = yield replace(request, content=_bytes({**body, "Subscribers": [body["Subscribers"][at] for at in new]}))
    rows = answer.rows("Context")
    if not _fine(answer) or rows is None:
        return connection.judge("list", answer, lines.height)
    taken = {str(row.get("Email")).lower() for row in rows}
    return Outcome("acknowledged", rejected=rejected | {at: "refused" for at in new if emails[at].lower() not in taken})


def _leave(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Look everyone up, and remove those who are subscribed."""
    emails = [each["Email"] for each in cast("dict[str, Any]", request.body())["Emails"]]
    try:
        found = yield from _look_up(connection, emails)
    except Unanswered as other:
        return _stopped(connection, other.answer)
    there = [at for at, known in enumerate(found) if known.get("SubscribeType") == SUBSCRIBED]
    if not there:
        return ACKNOWLEDGED
    answer = yield replace(request, content=_bytes({"Emails": ",".join(emails[at] for at in there)}))
    if not _fine(answer):
        return connection.judge("list", answer, lines.height)
    return ACKNOWLEDGED if answer.at("Context", "EmailsIgnored") == 0 else Outcome("split", "some were ignored")


def _bytes(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    answer = yield connection.request("GET", f"{LIST}/details.json")
    rows = answer.rows("Context", "CustomFieldsDefinition")
    if not _fine(answer) or rows is None:
        raise Unanswered(answer)
    names = (str(row.get("Name")) for row in rows)
    return next((name for name in names if name.lower() == needed.key.lower()), None)


def _create(connection: Connection, needed: FieldNeeded) -> Asking:
    field = {"Name": needed.key, "CustomFieldType": TYPES[needed.type], "IsHidden": True}
    answer = yield connection.request("POST", f"{LIST}/customfields/create.json", field)
    named(answer, "Context")
    return needed.key


def _make_list(connection: Connection, name: str, _description: str) -> Asking:
    return named((yield connection.request("POST", "/v3/lists/create.json", {"Name": name})), "Context")


EMAIL = {"email": Identifier("Email", _address, hashed=False, alone=True)}

destination = Destination(
    slug="moosend",
    name="Moosend",
    settings=(
        Setting("apikey", "of the account", secret=True, identifies=True),
        naming_list("list_id", "of a mailing list", optional=True),
        Setting("double_opt_in", "where those who enter agree to be mailed", default="list", choices=tuple(OPT_IN)),
    ),
    auth=Query("apikey"),
    hosts={"": "https://api.moosend.com"},
    posts={
        "identify": Post(f"{SUBSCRIBERS}/update", _value, exchange=_update),
        "list": Post(
            f"{SUBSCRIBERS}/subscribe_many.json",
            _member,
            _new,
            exchange=_enter,
            exits=Post(f"{SUBSCRIBERS}/remove_many.json", _member, ('{"Emails":[', "]}"), exchange=_leave),
        ),
    },
    limits=Limits(items=50, bytes=1_000_000),
    outcomes=Outcomes(read=_read),
    identifiers=EMAIL,
    keyed=EMAIL,
    keys=Keys(pattern=r"[^=]+", about="no sign =, which stands between the name and the value"),
    values=Values(booleans="text", numbers="text", lists=False),
    list_setting="list_id",
    rates=(Rate(10, 10),),
    fields=FieldApi(find=_find, create=_create, where="Audience > the list > Custom fields", types=TYPES),
    lists=ListApi(_make_list),
    probe=Probe("/v3/lists/1/1.json", says=lambda answer: "" if _code(answer) == 0 else "refused"),
)
