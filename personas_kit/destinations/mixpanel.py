"""Mixpanel: events by /import, properties of users by /engage and of accounts by /groups.

What is odd: the project's token is all that is asked for, and every browser that visits the project has it: it is no
secret. /import takes it as the user of HTTP Basic; /engage and /groups take it in each line, a wrong one without a
word. They answer 200 to everything, so they are asked to check (``strict``) and to say what they found (``verbose``).
A 400 of /import has taken every event that it does not name. Events of the same name, time, user and ``$insert_id``
count once; that has room for 36 letters, digits and hyphens only, so it is a digest of the message's id. ``ip`` 0
keeps the place of the sender out of profiles and events. A group key has to be set up in the project before accounts
are seen. /import takes gzip, and /engage does not; limits are those of what is unpacked. Texts beyond 255 characters
would be cut off: they are refused here. Ids such as anonymous, null, 0, -1 and true are no users to /import. A phone
number needs its plus.

Not confirmed: what ``strict`` says of profiles. As Mixpanel's own uploader does, ``error``, ``status`` and
``num_good_events`` are read; where they say that something was wrong, the request is halved. Whether /groups takes
gzip: it is not sent there. Mixpanel's pages give 10 MB for a request and its sample answers 2 MB: it is 2 MB here.

Source: https://docs.mixpanel.com/reference/import-events, .../profile-set (read 2026-11-27), .../profile-batch-update,
.../group-batch-update (read 2026-11-26), https://docs.mixpanel.com/troubleshooting/errors/413-payload-too-large,
https://docs.mixpanel.com/docs/data-structure/property-reference/reserved-properties (read 2026-11-27).
"""

import polars_hash

from personas_kit.destinations.auth import Basic
from personas_kit.destinations.base import Destination, Fields, Keys, Limits, Post, Rate, Setting, Values
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, refused

SHOWN = {kind: f"${kind}" for kind in ("email", "phone", "first_name", "last_name", "name")}
"""Properties under which Mixpanel itself looks for these."""

CHECKED = "?ip=0&strict=1&verbose=1"


def _identify(c: Fields) -> Json:
    named = {SHOWN.get(kind, kind): field for kind, field in c.identifiers.items()}
    properties = obj({c.key: c.value, **named})
    return obj({"$token": c.settings["token"], "$distinct_id": c.user_id, "$set": properties})


def _track(c: Fields) -> Json:
    insert_id = polars_hash.concat_str(c.message_id).chash.sha2_256().str.head(36)
    known = {"time": c.epoch_ms, "distinct_id": c.user_id, "$insert_id": insert_id}
    said = obj({**known, "ip": 0, "audience_key": c.computation.key, c.key: c.value})
    return obj(event=c.event, properties=said)


def _group(c: Fields) -> Json:
    token, kind = c.settings["token"], c.settings["group_key"]
    return obj({"$token": token, "$group_key": kind, "$group_id": c.account_id, "$set": c.own_traits})


def _events(answer: Answer, count: int) -> Outcome | None:
    """All were taken, or all but those that are named."""
    rejected = refused(answer, "failed_records", at="index", why="field")
    if answer.status not in {200, 400} or rejected is None:
        return None
    taken = answer.at("num_records_imported")
    return Outcome("acknowledged", rejected=rejected) if taken == count - len(rejected) else None


def _profiles(answer: Answer, count: int) -> Outcome | None:
    """Everyone was taken; else it is not said who was not. To set a property twice does no harm."""
    if answer.status != 200 or answer.at("status") not in (0, 1):  # noqa: PLR2004
        return None
    good = answer.at("status") == 1 and not answer.at("error") and answer.at("num_good_events") in (None, count)
    return ACKNOWLEDGED if good else Outcome("split", "refused")


PROFILES = Outcomes(read=_profiles)

destination = Destination(
    slug="mixpanel",
    name="Mixpanel",
    settings=(
        Setting("token", "of the project; no secret", identifies=True),
        Setting("group_key", "by which the project knows accounts", default="account"),
        Setting("region", "where the project's data is", default="us", choices=("us", "eu", "in")),
    ),
    auth=Basic("{token}"),
    hosts={
        "us": "https://api.mixpanel.com",
        "eu": "https://api-eu.mixpanel.com",
        "in": "https://api-in.mixpanel.com",
    },
    posts={
        "identify": Post(f"/engage{CHECKED}", _identify, outcomes=PROFILES),
        "track": Post("/import?strict=1", _track),
        "group": Post(f"/groups{CHECKED}", _group, outcomes=PROFILES),
    },
    limits=Limits(items=2_000, bytes=2_000_000, item_bytes=1_000_000),
    outcomes=Outcomes(read=_events),
    keys=Keys(longest=255, reserved=frozenset({"time", "distinct_id", "ip", "token"})),
    values=Values(longest=255),
    rates=(Rate(1_800_000, 60, of="changes"),),
    parallel=4,
    packed=frozenset({"track"}),
)
