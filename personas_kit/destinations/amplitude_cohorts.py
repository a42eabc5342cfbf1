"""Amplitude's cohorts: user ids added to and removed from one. Properties and events go by ``amplitude``.

The catalogue knows Amplitude by that one; this stands beside it.

What is odd: an id that Amplitude does not know is skipped, and the 200 names it; here it is refused, so send events or
properties first. Two requests about one cohort at the same time are a 429. The hosts are not those of events. A cohort
has at most two million users, and one request 100,000 ids. A cohort is made under the name of an ``owner``, who has to
have a login there, and in a project, ``app_id``.

Not confirmed: that a cohort can be made empty (the pages ask for an id, Segment's own destination sends none); whether
its id is called ``cohort_id`` (the pages) or ``cohortId`` (Segment's); how many requests are allowed.

Source: https://amplitude.com/docs/apis/analytics/behavioral-cohorts (read 2026-11-26).
"""

import json
from http import HTTPStatus
from typing import cast

import polars as pl

from personas_kit.destinations.auth import Basic
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
    Request,
    Setting,
    naming_list,
)
from personas_kit.destinations.encode import Json, raw, text
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import as_given
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes
from personas_kit.errors import ConfigError


def _member(_: Fields) -> Json:
    return raw(text(pl.col("member").str.json_path_match("$.user_id")))


def _memberships(operation: str, exits: Post | None = None) -> Post:
    def around(c: Fields) -> tuple[str, str]:
        cohort = json.dumps(c.settings["cohort_id"])
        head = f'{{"cohort_id":{cohort},"skip_invalid_ids":true,"memberships":[{{"id_type":"BY_NAME",'
        return f'{head}"operation":"{operation}","ids":[', "]}]}"

    return Post("/api/3/cohorts/membership", _member, around, exits=exits, exchange=_change)


def _change(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """One request; its answer names the ids that were skipped."""
    answer = yield request
    skipped = _skipped(answer)
    if answer.status != HTTPStatus.OK or not isinstance(skipped, list) or not skipped:
        return connection.judge("list", answer, lines.height)
    body = cast("dict[str, list[dict[str, list[str]]]]", request.body())
    names = {str(each) for each in skipped}
    rejected = {at: "not known there" for at, user in enumerate(body["memberships"][0]["ids"]) if user in names}
    return Outcome("acknowledged", rejected=rejected) if len(rejected) == len(names) else Outcome("split", "skipped")


def _read(answer: Answer, _count: int) -> Outcome | None:
    """Nobody was skipped. As bad ids are skipped, a 400 is about the cohort or the request."""
    if answer.status == HTTPStatus.BAD_REQUEST:
        return Outcome("fatal", "refused: check the cohort's id (400)")
    return ACKNOWLEDGED if answer.status == HTTPStatus.OK and _skipped(answer) == [] else None


def _skipped(answer: Answer) -> object:
    return answer.at("memberships_result", 0, "skipped_ids")


def _create(connection: Connection, name: str, _description: str) -> Asking:
    owner, app = connection.setting("owner"), connection.setting("app_id")
    if not owner or not app:
        raise ConfigError(f"{connection.name} needs an owner and a project to make a cohort", hint="add owner, app_id")
    body = {"name": name, "app_id": int(app), "id_type": "BY_USER_ID", "ids": [], "owner": owner, "published": True}
    answer = yield connection.request("POST", "/api/3/cohorts/upload", body)
    return named(answer, "cohortId" if answer.at("cohort_id") is None else "cohort_id")


destination = Destination(
    slug="amplitude-cohorts",
    name="Amplitude Cohorts",
    settings=(
        Setting("api_key", "of the project", secret=True, identifies=True),
        Setting("secret_key", "of the project", secret=True),
        naming_list("cohort_id", "of a cohort"),
        Setting("owner", "who owns cohorts that are made: the address of a login", optional=True),
        Setting("app_id", "number of the project, to make cohorts in it", optional=True, pattern=r"\d+"),
        Setting("region", "where the project's data is", default="us", choices=("us", "eu")),
    ),
    auth=Basic("{api_key}", "{secret_key}"),
    hosts={"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"},
    posts={"list": _memberships("ADD", exits=_memberships("REMOVE"))},
    limits=Limits(items=10_000, bytes=1_000_000),
    outcomes=Outcomes(read=_read),
    identifiers={"user_id": as_given("user_id")},
    list_setting="cohort_id",
    lists=ListApi(_create),
    probe=Probe("/api/3/cohorts/usage"),
)
