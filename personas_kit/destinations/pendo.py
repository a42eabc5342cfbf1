"""Pendo: custom metadata of visitors and accounts, and the visitors of segments.

What is odd: a field has to be there, and only an administrator makes one, in the product. The answer counts what was
updated and names those whom Pendo does not know; they are refused here. Pendo makes no visitor or account unless asked
to (``create=true``), and is not asked: it makes them itself as soon as they use the product. A segment takes a patch of
up to 1,000 visitors, whose answer is a 200 with a status of its own inside. The key needs write access.

There is no track: it has another host, and a secret for each app.

Not confirmed: Pendo's reference of the API could not be read, so the calls and their answers are those of Segment's
destination and of other clients. Nor are 1,000 records in a request about metadata; that the schema lists custom fields
under ``custom``; that a null clears a value; that only a segment that was made by the API can be changed by it, and
that it takes visitors whom Pendo does not know.

Source: https://support.pendo.io/hc/en-us/articles/360031832072, .../19638682125595 (fields, and their names),
https://support.pendo.io/hc/en-us/community/posts/9320635116315 (visitors by the API), and
https://adoptpartners.pendo.io/hc/en-us/articles/27418681207707 (segments) (read 2026-11-26).
"""

from http import HTTPStatus
from typing import cast

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
    Keys,
    Limits,
    ListApi,
    Post,
    Probe,
    Request,
    Setting,
    Unanswered,
    Values,
    naming_list,
)
from personas_kit.destinations.encode import Json, obj, raw, text
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import as_given
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

KINDS: dict[Call, str] = {"identify": "visitor", "group": "account"}
SCHEMA = "/api/v1/metadata/schema"
BY_STATUS = Outcomes(read=lambda *_: None)


def _visitor(c: Fields) -> Json:
    return obj(visitorId=c.user_id, values=obj({c.field: c.value}))


def _account(c: Fields) -> Json:
    return obj(accountId=c.account_id, values=obj({c.field: c.value}))


def _member(_: Fields) -> Json:
    return raw(text(pl.col("member").str.json_path_match("$.visitorId")))


def _set(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """One request; its answer names the ids that Pendo does not know."""
    answer = yield request
    missing = answer.at("missing")
    if answer.status != HTTPStatus.OK or not isinstance(missing, list) or not missing:
        return connection.judge("identify", answer, lines.height)
    ids = (next(iter(each.values())) for each in cast("list[dict[str, str]]", request.body()))
    names = {str(each) for each in missing}
    rejected = {at: "not known there" for at, known_as in enumerate(ids) if known_as in names}
    all_told = answer.at("updated") == lines.height - len(rejected)
    return Outcome("acknowledged", rejected=rejected) if all_told else Outcome("split", "refused")


def _read(answer: Answer, count: int) -> Outcome | None:
    """All were updated; those that were not are found out by halving."""
    updated = answer.at("updated")
    if answer.status != HTTPStatus.OK or not isinstance(updated, int):
        return None
    return ACKNOWLEDGED if updated == count and not answer.at("failed") else Outcome("split", "refused")


def _read_patch(answer: Answer, count: int) -> Outcome | None:
    """The status inside says what the status of the answer usually does."""
    inside = answer.at("multistatus", 0, "status")
    if answer.status != HTTPStatus.OK or not isinstance(inside, int) or not 200 <= inside < 600:  # noqa: PLR2004
        return None
    return ACKNOWLEDGED if inside < 300 else BY_STATUS.of(Answer(inside), count)  # noqa: PLR2004


def _patch(operation: str, exits: Post | None = None) -> Post:
    around = (f'{{"patch":[{{"op":"{operation}","path":"/visitors","value":[', "]}]}")
    path, outcomes = "/api/v1/segment/{segment_id}/visitor", Outcomes(read=_read_patch)
    return Post(path, _member, around, method="PATCH", exits=exits, outcomes=outcomes)


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    answer = yield connection.request("GET", f"{SCHEMA}/{KINDS[needed.call]}")
    fields = answer.at("custom")
    if answer.status != HTTPStatus.OK or not isinstance(answer.json(), dict):
        raise Unanswered(answer)
    names = map(str, fields) if isinstance(fields, dict) else ()
    return next((name for name in names if name.lower() == needed.key.lower()), None)


def _create(connection: Connection, name: str, _description: str) -> Asking:
    answer = yield connection.request("POST", "/api/v1/segment/upload", {"name": name, "visitors": []})
    return named(answer, "segmentId")


destination = Destination(
    slug="pendo",
    name="Pendo",
    settings=(
        Setting("integration_key", "with write access", secret=True, identifies=True),
        naming_list("segment_id", "of a segment", optional=True),
        Setting("region", "where the data is", default="us", choices=("us", "us1", "eu", "jpn", "au")),
    ),
    auth=Header("x-pendo-integration-key", "{integration_key}"),
    hosts={
        "us": "https://app.pendo.io",
        "us1": "https://us1.app.pendo.io",
        "eu": "https://app.eu.pendo.io",
        "jpn": "https://app.jpn.pendo.io",
        "au": "https://app.au.pendo.io",
    },
    posts={
        "identify": Post("/api/v1/metadata/visitor/custom/value", _visitor, exchange=_set),
        "group": Post("/api/v1/metadata/account/custom/value", _account, exchange=_set),
        "list": _patch("add", exits=_patch("remove")),
    },
    limits=Limits(items=1_000, bytes=1_000_000),
    outcomes=Outcomes(read=_read),
    identifiers={"user_id": as_given("visitorId")},
    keys=Keys(pattern=r"[A-Za-z_][A-Za-z0-9_]*", about="letters, digits and underscores, no digit first"),
    values=Values(lists=False),
    list_setting="segment_id",
    fields=FieldApi(
        find=_find,
        create=None,
        where="Settings > Data mappings > Add custom field",
        types={"boolean": "Boolean", "number": "Number", "text": "Text", "time": "Date"},
        calls=("identify", "group"),
    ),
    lists=ListApi(_create),
    probe=Probe(f"{SCHEMA}/visitor"),
)
