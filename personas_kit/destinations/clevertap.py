"""CleverTap: properties of profiles, and events, by one upload API.

What is odd: every account lives in one region, which the address of its dashboard names; the wrong one looks like wrong
credentials. A 200 may have refused some records, and gives these back with the number of the error, not their
position; they are found by the user. Error 555 is CleverTap's own, so it is tried again. A value holds 512 bytes, and
the name of a property 120. Standard properties begin with a capital: a mapped email becomes ``Email``. There is no
limit in time, but one of requests at once: 15, or 3 in older words of the same page; here it is 3. There is nothing for
accounts.

Not confirmed: that ``$delete`` takes a property away, which is what a missing value becomes; that lists are kept as
lists (they are sent as texts); that an event which is sent twice counts twice. The form of a refused record is known
from CleverTap's own library for Node.js.

Source: https://developer.clevertap.com/docs/upload-user-profiles-api, .../upload-events-api, .../api-errors,
.../api-request-limit, https://www.npmjs.com/package/clevertap (read 2026-11-26), .../docs/real-time-counts-api
(read 2026-11-27).
"""

from http import HTTPStatus

import polars as pl

from personas_kit.destinations.auth import Header, Several
from personas_kit.destinations.base import (
    Connection,
    Destination,
    Exchange,
    Fields,
    Keys,
    Limits,
    Post,
    Probe,
    Request,
    Setting,
    Values,
)
from personas_kit.destinations.encode import Json, obj, raw
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, code

REGIONS = ("eu1", "in1", "sg1", "us1", "aps3", "mec1")
SHOWN = {"email": "Email", "phone": "Phone", "name": "Name"}
"""Properties under which CleverTap itself looks for these."""

STANDARD = frozenset({
    *("Age", "DOB", "Education", "Email", "Employed", "Gender", "MSG-*", "Married", "Name", "Phone", "Photo", "Tz"),
    *("identity", "Identity", "objectId", "FBID", "GPID"),
})  # fmt: skip
THEIRS = "555"


def _identify(c: Fields) -> Json:
    value = pl.when(pl.col("value") == "null").then(pl.lit('{"$delete":1}')).otherwise(c.value.text)
    named = {SHOWN.get(kind, kind): field for kind, field in c.identifiers.items()}
    return obj(type="profile", identity=c.user_id, profileData=obj({c.key: raw(value), **named}))


def _track(c: Fields) -> Json:
    return obj(type="event", identity=c.user_id, ts=c.epoch, evtName=c.event, evtData=c.properties)


def _read(answer: Answer, count: int) -> Outcome | None:
    """All of it was processed."""
    taken = answer.at("status") == "success" and answer.at("processed") == count
    return ACKNOWLEDGED if answer.status == HTTPStatus.OK and taken else None


def _upload(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """The records that were not processed come back, each with its user."""
    answer = yield request
    rows = answer.rows("unprocessed")
    if answer.status != HTTPStatus.OK or not rows:
        return connection.judge("identify", answer, lines.height)
    codes = {_identity(row): _number(row) for row in rows}
    found = {at: codes[user] for at, user in enumerate(lines["user_id"]) if user in codes}
    if len(found) != len(rows) or answer.at("processed") != lines.height - len(rows):
        return Outcome("unknown", "an answer about records that were not sent")
    again = frozenset(at for at, said in found.items() if said == THEIRS)
    rejected = {at: f"refused ({said})" if said else "refused" for at, said in found.items() if at not in again}
    return Outcome("acknowledged", THEIRS if again else "", rejected=rejected, again=again)


def _identity(row: dict[str, object]) -> str:
    record = row.get("record")
    return str(record.get("identity")) if isinstance(record, dict) else ""


def _number(row: dict[str, object]) -> str:
    """Of three digits."""
    number = code(row.get("code"))
    return number if len(number) == 3 and number.isdecimal() else ""  # noqa: PLR2004


AROUND = ('{"d":[', "]}")

destination = Destination(
    slug="clevertap",
    name="CleverTap",
    settings=(
        Setting("account_id", "of the project: Settings", identifies=True),
        Setting("passcode", "of the project, or of a user of it", secret=True),
        Setting("region", "that the address of the dashboard names", choices=REGIONS, example="eu1"),
    ),
    auth=Several(Header("x-clevertap-account-id", "{account_id}"), Header("x-clevertap-passcode", "{passcode}")),
    hosts={region: f"https://{region}.api.clevertap.com" for region in REGIONS},
    posts={
        "identify": Post("/1/upload", _identify, AROUND, exchange=_upload),
        "track": Post("/1/upload", _track, AROUND, exchange=_upload),
    },
    limits=Limits(items=1_000, bytes=1_000_000),
    outcomes=Outcomes(read=_read),
    keys=Keys(longest=120, reserved=STANDARD),
    values=Values(longest=512, lists=False),
    parallel=3,
    probe=Probe("/1/now.json", method="POST", body={"user_type": True}),
)
