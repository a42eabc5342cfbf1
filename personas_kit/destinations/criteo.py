"""Criteo: hashed addresses added to and removed from a contact list.

What is odd: a contact list is a *segment* there; ads are aimed at an audience, which is made of segments in the
product. A 200 may have refused some: it counts them and names a sample. Lists are made in bulk, so one that was not
made is a 200 as well, with ``errors`` and no id. A token lasts 15 minutes, and all users of an app share 250 calls in a
minute; answers tell how many are left. The version of the API stands in the path, and is gone (410) after a while. The
app needs the permission to manage audiences, and the consent of the advertiser.

Events are not sent: they come from Criteo's tag on a web site or in an app.

Not confirmed: 50,000 addresses in a request (others' destinations keep to that); how long a change takes.

Source: https://developers.criteo.com/marketing-solutions/docs/contact-list, .../docs/api-error-types,
https://developers.criteo.com/criteo-apis/docs/rate-limits and the reference of 2026-07 (read 2026-11-26).
"""

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


def _member(_: Fields) -> Json:
    return raw(text(pl.col("member").str.json_path_match("$.email")))


def _amendment(operation: str, exits: Post | None = None) -> Post:
    head = (
        f'{{"data":{{"type":"ContactlistAmendment","attributes":{{"operation":"{operation}","identifierType":"email",'
    )
    around = (f'{head}"identifiers":[', "]}}}")
    path = f"{SEGMENTS}/{{segment_id}}/contact-list"
    return Post(path, _member, around, method="PATCH", exits=exits, exchange=_amend)


def _amend(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """One request; of those that were refused its answer names some, and often that is all of them."""
    answer = yield request
    refused, sample = _attribute(answer, "nbInvalidIdentifiers"), _attribute(answer, "sampleInvalidIdentifiers")
    if answer.status != HTTPStatus.OK or not refused or not isinstance(sample, list):
        return connection.judge("list", answer, lines.height)
    if len(sample) != refused:
        return Outcome("split", "some were refused")
    sent = cast("Any", request.body())["data"]["attributes"]["identifiers"]
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
    identifiers={"email": Identifier("email", META["email"].uniform, alone=True)},
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
