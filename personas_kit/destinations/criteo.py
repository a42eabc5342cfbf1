"""Criteo: hashed addresses, or ids of devices, added to and removed from a contact list.

What is odd: a contact list is a *segment* there; ads are aimed at an audience, which is made of segments in the
product. A request takes one kind of identifiers: where addresses and devices are mapped, it takes two. A 200 may have
refused some: it counts them and names a sample. Lists are made in bulk, so one that was not made is a 200 as well, with
``errors`` and no id. A token lasts 15 minutes, and all users of an app share 250 calls in a minute; answers tell how
many are left. The version of the API stands in the path, and is gone (410) after a while. The app needs the permission
to manage audiences, and the consent of the advertiser.

Events are not sent: they come from Criteo's tag on a web site or in an app. Nor are phone numbers and the ids of other
companies, which a list would take too: how a number is to be written is not said.

Not confirmed: 50,000 identifiers in a request (others' destinations keep to that); how long a change takes; that a list
takes addresses hashed with SHA-256 (Criteo's pages about its other ways of sending addresses say so); that one list
takes addresses and devices.

Source: https://developers.criteo.com/marketing-solutions/docs/contact-list, .../docs/api-error-types,
https://developers.criteo.com/criteo-apis/docs/rate-limits (read 2026-11-26) and the specification of 2026-07,
https://api.criteo.com/2026-07/marketingsolutions/open-api-specifications.json (read 2026-11-27).
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, cast

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
    Post,
    Probe,
    Rate,
    Request,
    Setting,
    naming_list,
)
from personas_kit.destinations.encode import Json, raw, text
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import META, Identifier
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Budget, Outcome, Outcomes, all_but, code
from personas_kit.errors import ConfigError

SEGMENTS = "/2026-07/marketing-solutions/audience-segments"
AGAIN = ("availability", "quota")
IDENTIFIERS = {
    "email": Identifier("email", META["email"].uniform, alone=True),
    "mobile_advertiser_id": replace(META["mobile_advertiser_id"], name="madid"),
}


def _kinds(lines: pl.DataFrame) -> list[str]:
    """The kinds of identifiers that occur, by Criteo's names."""
    names = [identifier.name for identifier in IDENTIFIERS.values()]
    return [name for name in names if lines["member"].str.contains(f'"{name}":', literal=True).any()]


def _member(c: Fields) -> Json:
    return raw(text(pl.coalesce(pl.col("member").str.json_path_match(f"$.{kind}") for kind in _kinds(c.batch))))


def _amendment(operation: str, exits: Post | None = None) -> Post:
    def around(c: Fields) -> tuple[str, str]:
        kind = _kinds(c.lines)[0]
        attributes = f'{{"operation":"{operation}","identifierType":"{kind}","identifiers":['
        return f'{{"data":{{"type":"ContactlistAmendment","attributes":{attributes}', "]}}}"

    path = f"{SEGMENTS}/{{segment_id}}/contact-list"
    return Post(path, _member, around, method="PATCH", exits=exits, exchange=_amend)


def _amend(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """One request for each kind of identifiers; who is refused by any of theirs is refused."""
    body = cast("Any", request.body())
    rejected: dict[int, str] = {}
    for kind in _kinds(lines):
        known = lines["member"].str.json_path_match(f"$.{kind}")
        sent, at = known.drop_nulls().to_list(), known.is_not_null().arg_true().to_list()
        body["data"]["attributes"] |= {"identifierType": kind, "identifiers": sent}
        answer = yield replace(request, content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
        amended = _amended(connection, answer, sent)
        if amended.verdict != "acknowledged":
            return amended
        rejected |= {at[position]: reason for position, reason in amended.rejected.items()}
    return Outcome("acknowledged", rejected=rejected)


def _amended(connection: Connection, answer: Answer, sent: Sequence[str]) -> Outcome:
    """Of those that were refused an answer names some, and often that is all of them."""
    refused, sample = _attribute(answer, "nbInvalidIdentifiers"), _attribute(answer, "sampleInvalidIdentifiers")
    if answer.status != HTTPStatus.OK or not refused or not isinstance(sample, list):
        return connection.judge("list", answer, len(sent))
    if len(sample) != refused:
        return Outcome("split", "some were refused")
    return all_but(sent, dict.fromkeys(map(str, sample), "not an identifier there"))


def _attribute(answer: Answer, name: str) -> object:
    return answer.at("data", "attributes", name)


def _read(answer: Answer, _count: int) -> Outcome | None:
    """All identifiers were valid. What else is wrong is so for all of them: they look alike."""
    if answer.status in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST} and answer.at("errors"):
        again = answer.at("errors", 0, "type") in AGAIN
        return Outcome("retry" if again else "fatal", _wrong(answer))
    valid, invalid = _attribute(answer, "nbValidIdentifiers"), _attribute(answer, "nbInvalidIdentifiers")
    return ACKNOWLEDGED if answer.status == HTTPStatus.OK and isinstance(valid, int) and invalid == 0 else None


def _wrong(answer: Answer) -> str:
    said = answer.at("errors", 0, "code")
    return f"refused {code(said) if isinstance(said, str) else ''}".strip() if answer.at("errors") else ""


def _create(connection: Connection, name: str, description: str) -> Asking:
    advertiser = connection.setting("advertiser_id")
    if not advertiser:
        raise ConfigError(f"{connection.name} needs an advertiser to make a list for", hint='add advertiser_id = "..."')
    about = {"advertiserId": advertiser, "name": name, "description": description or name, "contactList": {}}
    answer = yield connection.request("POST", f"{SEGMENTS}/create", {"data": [{"attributes": about}]})
    return named(answer, "data", 0, "id")


destination = Destination(
    slug="criteo",
    name="Criteo",
    settings=(
        Setting("client_id", "of the app", identifies=True),
        Setting("client_secret", "of the app", secret=True),
        naming_list("segment_id", "number of a contact list", pattern=r"\d+"),
        Setting("advertiser_id", "number of the advertiser, to make lists for", optional=True, pattern=r"\d+"),
    ),
    auth=OAuth(
        "/oauth2/token",
        {"grant_type": "client_credentials", "client_id": "{client_id}", "client_secret": "{client_secret}"},
    ),
    hosts={"": "https://api.criteo.com"},
    posts={"list": _amendment("add", exits=_amendment("remove"))},
    limits=Limits(items=50_000, bytes=5_000_000),
    outcomes=Outcomes(read=_read, fatal=frozenset({401, 403, 404, 410})),
    identifiers=IDENTIFIERS,
    list_setting="segment_id",
    rates=(Rate(250, 60),),
    budget=Budget("x-ratelimit-remaining", "x-ratelimit-reset", epoch=True),
    lists=ListApi(_create),
    probe=Probe(
        f"{SEGMENTS}/search?limit=1",
        method="POST",
        body={"data": {"attributes": {"audienceSegmentTypes": ["ContactList"]}}},
        says=_wrong,
    ),
)
