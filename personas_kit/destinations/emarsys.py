"""Emarsys (SAP): fields of contacts by email, and members of contact lists.

What is odd: the way in of old, WSSE, ends with the year 2026, so this is version 3 of the API, with a token; the
credentials are shown for it by HTTP Basic, and each kind of call has to be allowed to them. A field is a *number* there
(3 is the address), and most values are texts; an empty text clears a field. There is no field for yes and no that a
program can make, and a date has no time, so both are texts. The answer is a 200 with a ``replyCode``, 0 if all is well,
and then still names by address whom it refused. Two contacts with one address are both refused (2010).

Who is not there becomes a contact; that is no opt-in, whose field (31) stays empty. Who enters a list is written and
put there by the same call. Who leaves one and is not there (2008) has left.

An external event has a number, and programs start by one event: so each audience has two, which are made here if they
are not there (``Audience Entered: buyers``), and a person connects a program to one. What nothing is connected to has
no effect; Emarsys says so to some accounts (5005) and nothing to others, and both are a success. Nobody is made by an
event: who is no contact is refused. One that comes twice with the same ``trigger_id`` counts once.

Not confirmed: that a text of digits is a number to a numeric field; that an empty text clears one; the external events
of version 3, whose description is that of version 2; the number 5005, which Emarsys's file has as words only; how long
the name of an event may be.

Source: https://dev.emarsys.com/docs/emarsys-core-api-guides (authentication, miscellaneous, changelog),
https://dev.emarsys.com/docs/core-api-reference (contacts, contact lists, fields, errors) (read 2026-11-26),
https://dev.emarsys.com/docs/core-api-reference/39rrldcc17zoa-create-an-external-event, and the OpenAPI file of its
events (create, list, trigger) (read 2026-11-27).
"""

import json
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, cast

import httpx
import polars as pl

from personas_kit.destinations.auth import Basic, Flow, OAuth
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
from personas_kit.destinations.encode import Json, obj, raw, text
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import small_address
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Budget, Outcome, Outcomes, all_but

API = "/api/v3"
EMAIL = "3"
CONTACTS = f"{API}/contact/?create_if_not_exists=1"
FIELDS = f"{API}/field/translate/en"
EVENTS = f"{API}/event"
BY_EMAIL = {"email": small_address(EMAIL)}
TYPES: dict[FieldType, str] = {"boolean": "shorttext", "number": "numeric", "text": "longtext", "time": "shorttext"}
NOT_THERE = "2008"
NO_LIST = {1008, 2020, 3004, 3006}
NOTHING_CONNECTED = 5005
SAYS = {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}
LARGEST = 100_000


@dataclass(frozen=True, slots=True)
class ByBasic:
    """A token for which the credentials are shown by HTTP Basic, and not in the form."""

    token: OAuth
    credentials: Basic

    def flow(self, values: Mapping[str, object], home: str, *, moved: bool) -> Flow:
        """The flow for these settings."""
        return _Asking(self.token.flow(values, home, moved=moved), self.credentials, values)


class _Asking(Flow):
    def __init__(self, inner: Flow, credentials: Basic, values: Mapping[str, object]) -> None:
        self._inner, self._credentials, self._values = inner, credentials, values
        self.origins = inner.origins

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        steps = self._inner.auth_flow(request)
        step = next(steps)
        while True:
            if step is not request:
                self._credentials.sign(step, self._values)
            try:
                step = steps.send((yield step))
            except StopIteration:
                return


def _contact(c: Fields) -> Json:
    return obj({EMAIL: c.ids["email"], c.field: c.text.fill_null("")})


def _entering(c: Fields) -> tuple[str, str]:
    return f'{{"key_id":"{EMAIL}","contact_list_id":{c.settings["list_id"]},"contacts":[', "]}"


def _leaving(_: Fields) -> Json:
    return raw(text(pl.col("member").str.json_path_match(f"$.{EMAIL}")))


def _event(c: Fields) -> Json:
    """A contact, and the event that it is about, which a request has in its address."""
    name = pl.concat_str(c.event, pl.lit(f": {c.computation.key}"))
    moment = pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return obj(event=name, external_id=c.ids["email"], trigger_id=c.message_id, event_time=moment, data=c.properties)


def _write(connection: Connection, request: Request, _lines: pl.DataFrame) -> Exchange:
    """One request."""
    answer = yield request
    body = cast("dict[str, Any]", request.body())
    if "external_ids" in body:
        return _judged(connection, "list", answer, body["external_ids"], but=NOT_THERE)
    return _judged(connection, "identify", answer, [contact[EMAIL] for contact in body["contacts"]])


def _judged(connection: Connection, call: Call, answer: Answer, emails: list[str], *, but: str = "") -> Outcome:
    """An answer names by address whom it refused; ``but`` is the error that is none."""
    errors = answer.at("data", "errors")
    if answer.status != HTTPStatus.OK or _reply(answer) != 0 or not isinstance(errors, dict) or not errors:
        return connection.judge(call, answer, len(emails))
    numbers = {address: _number(said) for address, said in errors.items()}
    return all_but(emails, {address: f"refused ({number})" for address, number in numbers.items() if number != but})


def _trigger(connection: Connection, request: Request, _lines: pl.DataFrame) -> Exchange:
    """Look for the events, make those that are not there, and trigger each for its contacts."""
    body = cast("dict[str, Any]", request.body())
    contacts = cast("list[dict[str, Any]]", body["contacts"])
    names = [contact.pop("event") for contact in contacts]
    answer = yield connection.request("GET", f"{EVENTS}/")
    there = answer.rows("data")
    if answer.status != HTTPStatus.OK or _reply(answer) != 0 or there is None:
        return connection.judge("track", answer, len(names)).undivided
    numbers = {str(row.get("name")): _of_event(row.get("id")) for row in there}
    rejected: dict[int, str] = {}
    for name in dict.fromkeys(names):
        number = numbers.get(name)
        if not number:
            answer = yield connection.request("POST", EVENTS, {"name": name})
            number = _of_event(answer.at("data", "id")) if _reply(answer) == 0 else ""
        if not number:
            return connection.judge("track", answer, len(names)).undivided
        at = [place for place, each in enumerate(names) if each == name]
        some = {**body, "contacts": [contacts[place] for place in at]}
        answer = yield replace(request, url=f"{request.url}/{number}/trigger", content=_bytes(some))
        if answer.status == HTTPStatus.BAD_REQUEST and _reply(answer) == NOTHING_CONNECTED:
            continue
        said = _judged(connection, "track", answer, [contacts[place]["external_id"] for place in at])
        if said.verdict != "acknowledged":
            return said
        rejected |= {at[place]: reason for place, reason in said.rejected.items()}
    return Outcome("acknowledged", rejected=rejected)


def _of_event(number: object) -> str:
    """The number of an event, which some versions give as text; empty if it is none."""
    return found if (found := str(number)).isascii() and found.isdecimal() else ""


def _bytes(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _number(said: object) -> str:
    """The number of an error, whose text is not for showing."""
    number = next(iter(said), "") if isinstance(said, dict) else ""
    return number if re.fullmatch(r"[0-9]{1,5}", number) else "unknown"


def _reply(answer: Answer) -> int | None:
    said = answer.at("replyCode")
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 <= said < LARGEST else None


def _read(answer: Answer, count: int) -> Outcome | None:
    reply = _reply(answer)
    if answer.status in SAYS and reply in NO_LIST:
        return Outcome("fatal", f"no such list: check its id ({reply})")
    return _read_event(answer, count)


def _read_event(answer: Answer, _count: int) -> Outcome | None:
    reply = _reply(answer)
    if reply is None or answer.status not in SAYS:
        return None
    if reply:
        return Outcome("split", f"refused ({reply})")
    taken = answer.status == HTTPStatus.OK and isinstance(answer.at("data"), dict) and not answer.at("data", "errors")
    return ACKNOWLEDGED if taken else None


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    answer = yield connection.request("GET", FIELDS)
    rows = answer.rows("data")
    if answer.status != HTTPStatus.OK or _reply(answer) != 0 or rows is None:
        raise Unanswered(answer)
    return next((str(row.get("id")) for row in rows if str(row.get("name")).lower() == needed.key.lower()), None)


def _create(connection: Connection, needed: FieldNeeded) -> Asking:
    field = {"name": needed.key, "application_type": TYPES[needed.type]}
    return named((yield connection.request("POST", f"{API}/field", field)), "data", "id")


def _make_list(connection: Connection, name: str, description: str) -> Asking:
    body = {"key_id": EMAIL, "name": name, "description": description, "external_ids": []}
    return named((yield connection.request("POST", f"{API}/contactlist", body)), "data", "id")


REMOVE = Post(
    f"{API}/contactlist/{{list_id}}/delete", _leaving, (f'{{"key_id":"{EMAIL}","external_ids":[', "]}"), exchange=_write
)

destination = Destination(
    slug="emarsys",
    name="Emarsys",
    settings=(
        Setting("client_id", "of API credentials of the kind OpenID Connect", identifies=True),
        Setting("client_secret", "of these", secret=True),
        naming_list("list_id", "number of a contact list", optional=True, pattern=r"\d+"),
    ),
    auth=ByBasic(
        OAuth("/oauth2/token", {"grant_type": "client_credentials"}, host="https://auth.emarsys.net"),
        Basic("{client_id}", "{client_secret}"),
    ),
    hosts={"": "https://api.emarsys.net"},
    posts={
        "identify": Post(
            CONTACTS, _contact, (f'{{"key_id":"{EMAIL}","contacts":[', "]}"), method="PUT", exchange=_write
        ),
        "track": Post(
            EVENTS,
            _event,
            (f'{{"key_id":"{EMAIL}","contacts":[', "]}"),
            limits=Limits(items=1_000, bytes=1_000_000),
            outcomes=Outcomes(read=_read_event),
            exchange=_trigger,
        ),
        "list": Post(CONTACTS, lambda _: raw(pl.col("member")), _entering, method="PUT", exchange=_write, exits=REMOVE),
    },
    limits=Limits(items=1_000, bytes=7_000_000),
    outcomes=Outcomes(read=_read),
    identifiers=BY_EMAIL,
    keyed=BY_EMAIL,
    values=Values(longest=255, booleans="text", numbers="text", lists=False),
    list_setting="list_id",
    rates=(Rate(1_000, 60),),
    budget=Budget("x-ratelimit-remaining", "x-ratelimit-reset", epoch=True),
    fields=FieldApi(find=_find, create=_create, where="Admin > Field Editor > Create Field", types=TYPES),
    lists=ListApi(_make_list),
    probe=Probe(FIELDS, says=lambda answer: "" if _reply(answer) == 0 else "refused"),
)
