"""MoEngage: attributes and events of users, by its bulk import.

What is odd: an answer says that the request was *accepted and will be processed soon*, and never what became of its
parts; MoEngage's own advice is to look at the profile of a user. A workspace lives in one data centre, which the number
in the address of its dashboard names: set ``region``. A request holds 100 KB. Names of more than 200 characters and
texts of more than 512 would be cut off in silence, so they are refused here. Ids of one character, and words such as
unknown, guest, null, true and false, are no users to it. 10,000 users and 30,000 events a minute are taken; here both
are sent at the slower of the two.

Not confirmed: what a missing value does to an attribute; that an event which is sent twice counts twice (no document
names a key for it); what a refused request says, beside its status; a call that proves the key and changes nothing.

Source: https://www.moengage.com/docs/api/bulk/bulk-import-users-and-events, .../api/data/data-overview,
.../api/introduction, https://developers.moengage.com/hc/en-us/articles/4413174113044-Bulk-Import,
https://help.moengage.com/hc/en-us/articles/360037314991-Data-Tracking-Policies (read 2026-11-26).
"""

import polars as pl

from personas_kit.destinations.auth import Basic
from personas_kit.destinations.base import Destination, Fields, Keys, Limits, Post, Rate, Setting, Values
from personas_kit.destinations.encode import Json, obj, raw
from personas_kit.destinations.outcomes import Outcomes, json_says

CENTRES = ("01", "02", "03", "04", "05", "06", "101")
PATH = "/v1/transition/{workspace_id}"
AROUND = ('{"type":"transition","elements":[', "]}")


def _identify(c: Fields) -> Json:
    return obj(type="customer", customer_id=c.user_id, attributes=c.traits)


def _track(c: Fields) -> Json:
    action = obj(action=c.event, attributes=c.properties, current_time=c.epoch)
    return obj(type="event", customer_id=c.user_id, actions=raw(pl.concat_str(pl.lit("["), action.text, pl.lit("]"))))


destination = Destination(
    slug="moengage",
    name="MoEngage",
    settings=(
        Setting("workspace_id", "Settings > Account > APIs; earlier: app id", identifies=True),
        Setting("api_key", "the key in the tile Data", secret=True),
        Setting("region", "the data centre: the number in the dashboard's address", choices=CENTRES, example="01"),
    ),
    auth=Basic("{workspace_id}", "{api_key}"),
    hosts={centre: f"https://api-{centre}.moengage.com" for centre in CENTRES},
    posts={"identify": Post(PATH, _identify, AROUND), "track": Post(PATH, _track, AROUND)},
    limits=Limits(items=1_000, bytes=100_000),
    outcomes=Outcomes(read=json_says("status", "success")),
    keys=Keys(longest=200),
    values=Values(longest=512),
    rates=(Rate(10_000, 60, of="changes"),),
)
