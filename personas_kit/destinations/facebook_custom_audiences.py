"""Meta's custom audiences: hashed identifiers added to and removed from a list.

What is odd: a removal is a DELETE *with a JSON body*; Meta's own library puts it into the query, which breaks at some
300 rows. Every request is a session of its own: complete in itself, so it can be repeated or halved alone. A 200 may
count invalid entries without naming them; they are part of the list's match rate, not of what can be sent again, so
the request counts as acknowledged. Errors come as HTTP 400 with ``error.code``; ``is_transient`` decides first. Changes
take up to a day to show. Lists whose name or rule suggests health or finance are flagged and refuse updates
(100 / 1713230).

Source: https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences/ (read 2026-11-23).
"""

import hashlib
import json

import polars as pl

from personas_kit.destinations.auth import Bearer
from personas_kit.destinations.base import Destination, Fields, Limits, Post, Setting
from personas_kit.destinations.encode import Json, array
from personas_kit.destinations.normalise import META
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

NAMES = sorted(identifier.name for identifier in META.values())
RETRY = {
    1: "unknown error",
    2: "service down",
    4: "limit of the app",
    17: "limit of the user",
    32: "limit of the page",
    613: "rate limit",
    5000: "unknown error",
    21009: "service down",
    80003: "limit of the list",
}
STOP = {
    10: "permission",
    100: "bad request, or a list that is gone or flagged",
    102: "the token is not valid",
    190: "the token is not valid",
    294: "permission: ads_management",
    368: "blocked by policy",
    2650: "the list is in a state that takes no update",
    2655: "terms of service are not accepted",
    1487301: "the list is not shared with this account",
    1487366: "the list was deleted",
}
PERMISSION = range(200, 300)


def _names(batch: pl.DataFrame) -> list[str]:
    """The identifiers that occur in a batch."""
    return [name for name in NAMES if batch["member"].str.contains(f'"{name}":', literal=True).any()]


def _row(c: Fields) -> Json:
    """The cells of one entry, one for every identifier of the batch; what the entry lacks is an empty text."""
    return array([pl.col("member").str.json_path_match(f"$.{name}") for name in _names(c.batch)])


def _session(lines: pl.DataFrame, batch: pl.DataFrame) -> tuple[str, str]:
    """A complete session: its id follows from what it carries, so a repeated request is the same session."""
    said = "\n".join(lines["message_id"])
    number = int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big") >> 1
    session = {"session_id": number or 1, "batch_seq": 1, "last_batch_flag": True, "estimated_num_total": lines.height}
    schema = json.dumps(_names(batch), separators=(",", ":"))
    return f'{{"session":{json.dumps(session, separators=(",", ":"))},"payload":{{"schema":{schema},"data":[', "]}}"


def _read(answer: Answer, count: int) -> Outcome | None:
    """Rows received, or an error by its code."""
    body = answer.json()
    if not isinstance(body, dict):
        return None
    if answer.status == 200 and body.get("num_received") == count:  # noqa: PLR2004
        return ACKNOWLEDGED
    error = body.get("error")
    return _error(error) if isinstance(error, dict) else None


def _error(error: dict[str, object]) -> Outcome:
    code = error.get("code")
    number = code if isinstance(code, int) else 0
    if error.get("is_transient") is True or number in RETRY:
        return Outcome("retry", f"{RETRY.get(number, 'transient error')} ({number})")
    if number in STOP or number in PERMISSION:
        subcode = error.get("error_subcode")
        shown = f"{number}/{subcode}" if isinstance(subcode, int) else str(number)
        return Outcome("fatal", f"{STOP.get(number, 'permission')} ({shown})")
    return Outcome("retry", f"error {number}")


destination = Destination(
    slug="facebook-custom-audiences",
    name="Facebook Custom Audiences",
    settings=(
        Setting("access_token", "with ads_management", secret=True),
        Setting("audience_id", "of the custom audience; usually given per definition as list", identifies=True),
        Setting("version", "of the Graph API", default="v26.0"),
    ),
    auth=Bearer("access_token"),
    hosts={"": "https://graph.facebook.com"},
    posts={"list": Post("/{version}/{audience_id}/users", _row, _session, exit_method="DELETE")},
    limits=Limits(items=10_000, bytes=8_000_000),
    outcomes=Outcomes(read=_read),
    identifiers=META,
    minimum_interval=3_600,
    list_setting="audience_id",
)
