"""Meta's custom audiences: hashed identifiers added to and removed from a list.

What is odd: a removal is a DELETE *with a JSON body*; Meta's own library puts it into the query, which breaks at some
300 rows. Every request is a session of its own: complete in itself, so it can be repeated or halved alone. The answer
counts what its session received so far. A 200 may count invalid entries without naming them; they are part of the
list's match rate, not of what can be sent again, so the request counts as acknowledged. What an id of one's own stands
for is kept for 90 days. Errors come as HTTP 400 with ``error.code``; ``is_transient`` decides first. Changes
take up to a day to show. A list whose name or description suggests health or finance is flagged, and takes no change of
its members (100 / 1713230) until somebody has appealed or renamed it; ``operation_status`` says so with 471. A list
that no active ad has used for two years is deleted.

Limited data use goes as further columns, whose cells are not hashed: where a person is, or no more than the use, and
Meta finds that out (country and state 0). Consent and limited data use go with additions only. With ``app_secret`` each
request proves that the token is used by its own app. How much of an hour is used up stands in a header, as JSON per
account.

A replacement is one session of as many requests as it takes (``usersreplace``), in at most 90 minutes, of a list of
fewer than 100 million; nobody counts as being on the list before the last of them is taken, and nobody may add or
remove meanwhile. One that comes while the list is being updated is tried again.

Not confirmed: what a session does whose first request comes twice (of a replacement Meta advises against it); what
``customer_consent`` does (Meta's guide has it beside ``payload`` in one example, and says nothing about it).

Source: https://developers.facebook.com/documentation/ads-commerce/marketing-api/audiences/guides/custom-audiences (read
2026-11-27), https://developers.facebook.com/docs/marketing-apis/data-processing-options and
https://developers.facebook.com/docs/graph-api/overview/rate-limiting (read 2026-11-26).
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

import httpx
import polars as pl

from personas_kit.destinations.auth import Bearer, Several, Simple, fill
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
from personas_kit.destinations.encode import Json, array
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import META
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, code
from personas_kit.errors import ConfigError

NAMES = sorted(identifier.name for identifier in META.values())
LIMITED = ("DATA_PROCESSING_OPTIONS", "DATA_PROCESSING_OPTIONS_COUNTRY", "DATA_PROCESSING_OPTIONS_STATE")
FLAGGED = "the list is flagged: its name or description suggests health or finance; appeal in Audience Manager"
RETRY = {
    1: "unknown error",
    2: "service down",
    4: "limit of the app",
    17: "limit of the user",
    32: "limit of the page",
    341: "limit of the app",
    613: "rate limit",
    5000: "unknown error",
    21009: "service down",
    80003: "limit of the list",
    80004: "limit of the ad account",
}
STOP = {
    10: "permission",
    100: "bad request",
    102: "the token is not valid",
    190: "the token is not valid",
    294: "permission: ads_management",
    368: "blocked by policy",
    2650: "the list is in a state that takes no update",
    2655: "terms of service are not accepted",
    1487301: "the list is not shared with this account",
    1487366: "the list was deleted",
}
MORE = {
    (100, 33): "the list is gone, or the token may not see it",
    (100, 1713230): FLAGGED,
    (190, 460): "the password was changed",
    (190, 463): "the token has expired",
    (200, 1870050): "the ad account belongs to no business",
    (200, 1870090): "the terms of custom audiences are not accepted",
    (2650, 1870144): "a list of 100 million or more cannot be replaced",
    (2650, 1870158): "the replacement took more than 90 minutes",
}
BUSY = {
    (2650, 1870145): "the list is being updated",
    (2650, 1870148): "the list was not updated completely",
    (2650, 1870159): "a replacement is being finished",
}
"""Subcodes of errors that pass: Meta says to wait, or to try again."""
PERMISSION = range(200, 300)
ROWS = 10_000


class Proof(Simple):
    """That the token is used by its own app: a keyed hash of it, in the query; nothing without ``app_secret``."""

    def sign(self, request: httpx.Request, values: Mapping[str, object]) -> None:
        """Add the parameter, if there is a key."""
        key, token = fill("{app_secret}", values), fill("{access_token}", values)
        if key:
            proof = hmac.new(key.encode(), token.encode(), hashlib.sha256).hexdigest()
            request.url = request.url.copy_set_param("appsecret_proof", proof)


@dataclass(frozen=True, slots=True)
class Usage:
    """The header in which Meta tells, for each account, for how many minutes lists take no more calls."""

    header: str = "x-business-use-case-usage"
    kind: str = "custom_audience"

    def wait(self, answer: Answer, now: dt.datetime | None = None) -> float | None:
        """Seconds until there is a budget again; None while there is one, or where the header says nothing."""
        del now
        said = Answer(answer.status, content=(answer.header(self.header) or "").encode()).json()
        found = [rows for rows in said.values() if isinstance(rows, list)] if isinstance(said, dict) else []
        uses = [row for rows in found for row in rows if isinstance(row, dict) and row.get("type") == self.kind]
        minutes = [use.get("estimated_time_to_regain_access") for use in uses]
        return max((60.0 * each for each in minutes if isinstance(each, int) and each > 0), default=None)


def _names(batch: pl.DataFrame) -> list[str]:
    """The identifiers that occur in a batch."""
    return [name for name in NAMES if batch["member"].str.contains(f'"{name}":', literal=True).any()]


def _cells(c: Fields) -> Json:
    """The cells of one entry, one for every identifier of the batch; what the entry lacks is an empty text."""
    return array([pl.col("member").str.json_path_match(f"$.{name}") for name in _names(c.batch)])


def _limits(c: Fields) -> dict[str, object]:
    """Columns and their cells, where data are to be used to a limited extent; without a place Meta finds it out."""
    use, place = c.settings["limited_data_use"], [int(c.settings[f"limited_{part}"]) for part in ("country", "state")]
    return dict(zip(LIMITED, ([use], *(place if any(place) else ())), strict=False)) if use else {}


def _row(c: Fields) -> Json:
    more = "".join(f",{json.dumps(cell)}" for cell in _limits(c).values())
    return Json(pl.concat_str(_cells(c).text.str.strip_suffix("]"), pl.lit(f"{more}]")))


def _session(c: Fields, *more: str, **beside: object) -> tuple[str, str]:
    """A complete session: its id follows from what it carries, so a repeated request is the same session."""
    head = json.dumps({"session": _part(c.lines, 1, 1), **beside}, separators=(",", ":"))
    schema = json.dumps([*_names(c.batch), *more], separators=(",", ":"))
    return f'{head[:-1]},"payload":{{"schema":{schema},"data":[', "]}}"


def _part(lines: pl.DataFrame, number: int, of: int) -> dict[str, object]:
    """One of the requests of a session that carries these lines."""
    said = "\n".join(lines["message_id"])
    known_as = int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big") >> 1
    last = {"last_batch_flag": number == of, "estimated_num_total": lines.height}
    return {"session_id": known_as or 1, "batch_seq": number, **last}


def _replaced(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Everyone in one session of several requests: until the last of them is taken, nobody is known to be there."""
    head, *rows = request.content.decode().split("\n")
    parts = [rows[start : start + ROWS] for start in range(0, len(rows), ROWS)]
    outcome = ACKNOWLEDGED
    for number, part in enumerate(parts, start=1):
        session = json.dumps(_part(lines, number, len(parts)), separators=(",", ":"))
        content = f'{{"session":{session},{head}{",".join(part)}]}}}}'
        answer = yield replace(request, content=content.encode())
        outcome = connection.judge("list", answer, len(part))
        if outcome.verdict != "acknowledged":
            return outcome.undivided
    return outcome


def _before_rows(c: Fields) -> tuple[str, str]:
    """What stands before the rows in every request of a replacement, as the first line; the rows follow."""
    head, _ = _adding(c)
    return head[head.index("}") + 2 :] + "\n", ""


def _adding(c: Fields) -> tuple[str, str]:
    consent = {"customer_consent": True} if c.settings["customer_consent"] else {}
    return _session(c, *_limits(c), **consent)


def _read(answer: Answer, count: int) -> Outcome | None:
    """Rows that the session received so far, or an error by its code."""
    received = answer.at("num_received")
    if answer.status == HTTPStatus.OK and isinstance(received, int) and received >= count:
        return ACKNOWLEDGED
    error = answer.at("error")
    return _error(error, answer) if isinstance(error, dict) else None


def _error(error: Mapping[str, object], answer: Answer) -> Outcome:
    number, subcode = (each if isinstance(each, int) else 0 for each in (error.get("code"), error.get("error_subcode")))
    shown = "/".join(filter(None, [code(number), code(subcode) if subcode else ""]))
    busy = BUSY.get((number, subcode))
    if busy:
        return Outcome("retry", f"{busy} ({shown})")
    if error.get("is_transient") is True or number in RETRY:
        return Outcome("retry", f"{RETRY.get(number, 'transient error')} ({code(number)})", after=USAGE.wait(answer))
    if number in STOP or number in PERMISSION:
        return Outcome("fatal", f"{MORE.get((number, subcode)) or STOP.get(number, 'permission')} ({shown})")
    return Outcome("retry", f"error {code(number)}")


def _create(connection: Connection, name: str, description: str) -> Asking:
    if not connection.setting("ad_account_id"):
        raise ConfigError(f"{connection.name} needs an ad account to make a list in", hint='add ad_account_id = "..."')
    body = {
        "name": name,
        "subtype": "CUSTOM",
        "customer_file_source": connection.setting("customer_file_source"),
        **({"description": description} if description else {}),
    }
    return named((yield connection.request("POST", "/{version}/act_{ad_account_id}/customaudiences", body)), "id")


def _flagged(answer: Answer) -> str:
    return FLAGGED if answer.at("operation_status", "code") == 471 else ""  # noqa: PLR2004


USAGE = Usage()
PATH = "/{version}/{audience_id}/users"

destination = Destination(
    slug="facebook-custom-audiences",
    name="Facebook Custom Audiences",
    settings=(
        Setting("access_token", "with ads_management", secret=True),
        Setting("app_secret", "of the app that the token is of, to prove that it is", secret=True, optional=True),
        naming_list("audience_id", "of a custom audience"),
        Setting("ad_account_id", "of the ad account, without act_: to make lists", optional=True, pattern=r"\d+"),
        Setting(
            "customer_file_source",
            "who collected the identifiers, of a list that is made",
            default="USER_PROVIDED_ONLY",
            choices=("USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED"),
        ),
        Setting("customer_consent", "those on the list consented", default="", choices=("", "true")),
        Setting("limited_data_use", "of people in American states with such a law", default="", choices=("", "LDU")),
        Setting(
            "limited_country", "where it is used to a limited extent; 0: Meta finds out", default="0", pattern=r"\d+"
        ),
        Setting("limited_state", "the state likewise", default="0", pattern=r"\d+"),
        Setting("version", "of the Graph API", default="v26.0", pattern=r"v\d+\.\d+"),
    ),
    auth=Several(Bearer("access_token"), Proof()),
    hosts={"": "https://graph.facebook.com"},
    posts={
        "list": Post(
            PATH,
            _row,
            _adding,
            exits=Post(PATH, _cells, _session, method="DELETE"),
            replacing=Post(
                "/{version}/{audience_id}/usersreplace",
                _row,
                _before_rows,
                separator="\n",
                limits=Limits(items=10_000_000, bytes=10**11),
                exchange=_replaced,
            ),
        )
    },
    limits=Limits(items=ROWS, bytes=8_000_000),
    outcomes=Outcomes(read=_read),
    identifiers=META,
    minimum_interval=3_600,
    list_setting="audience_id",
    budget=USAGE,
    lists=ListApi(_create),
    probe=Probe("/{version}/{audience_id}?fields=operation_status", says=_flagged),
)
