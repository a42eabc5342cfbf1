"""MoEngage: attributes and events of users by its bulk import, and members of cohorts.

What is odd: an answer says that the request was *accepted and will be processed soon*, and never what became of its
parts; MoEngage's own advice is to look at the profile of a user. A workspace lives in one data centre, which the number
in the address of its dashboard names: set ``region``. An import holds 100 KB. Names of more than 200 characters and
texts of more than 512 would be cut off in silence, so they are refused here. Ids of one character, and words such as
unknown, guest, null, true and false, are no users to it. A mapped email becomes its own attribute ``u_em``. 60,000
users and 60,000 events a minute are taken, and 300 requests about cohorts; here both count for all. A 400 may be about
the workspace: that stops the push, as a 409 does, which is about the key.

A cohort is a custom segment in the product. One that is not there is made, under the name that a definition gives as
``list``. Only those are in it who are known by their id already: who is not is left out without a word, so send
attributes first. Segments of files and of the dashboard cannot be changed in this way.

Not confirmed: what a missing value does to an attribute (``unset_attributes`` takes one away, where MoEngage has
switched that on); that an event which is sent twice counts twice (no document names a key for it); whether ``partner``
may be any name. The call that tests a key wants the key in its body, and the one that reads users has to be switched
on, so the key is not proved beforehand.

Source: https://www.moengage.com/docs/api/bulk/bulk-import-users-and-events, .../api/cohort-sync/sync-cohort-members,
.../api/data/data-overview, .../api/rate-limits, .../api/introduction (read 2026-11-27),
https://help.moengage.com/hc/en-us/articles/360037314991-Data-Tracking-Policies (read 2026-11-26).
"""

import json
from http import HTTPStatus

import polars as pl

from personas_kit.destinations.auth import Basic, Header, Several
from personas_kit.destinations.base import (
    Destination,
    Fields,
    Keys,
    Limits,
    Post,
    Rate,
    Setting,
    Values,
    naming_list,
)
from personas_kit.destinations.encode import Json, obj, raw
from personas_kit.destinations.normalise import as_given
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

CENTRES = ("01", "02", "03", "04", "05", "06", "101")
PATH = "/v1/transition/{workspace_id}"
AROUND = ('{"type":"transition","elements":[', "]}")
SHOWN = {"email": "u_em", "phone": "u_mb", "name": "u_n", "first_name": "u_fn", "last_name": "u_ln"}
"""Attributes in which MoEngage itself looks for these."""

TAKEN = frozenset({
    *("USER_ATTRIBUTE_*", "MOE_*", "moe_*", "INSTALL", "UPDATE", "status", "user_id", "source", "id", "_id"),
    *("u_n", "u_fn", "u_ln", "u_gd", "u_em", "u_mb", "u_bd", "u_l_a", "u_s_c", "uid", "cr_t", "geo", "t_rev"),
    *("t_trans", "installed", "uninstall_time", "publisher_name", "campaign_name", "advertising_identifier"),
    *("platforms", "push_preference", "addValueToArrayField", "removeValueFromArrayField"),
})  # fmt: skip
"""Names that it keeps for itself, and standard attributes."""

WORKSPACE = ("Blacklisted", "InvalidParams", "ParamsRequired")
"""Types of errors that no other change would mend."""


def _identify(c: Fields) -> Json:
    named = {SHOWN.get(kind, kind): field for kind, field in c.identifiers.items()}
    return obj(type="customer", customer_id=c.user_id, attributes=obj({c.key: c.value, **named}))


def _track(c: Fields) -> Json:
    action = obj(action=c.event, attributes=c.properties, current_time=c.epoch)
    return obj(type="event", customer_id=c.user_id, actions=raw(pl.concat_str(pl.lit("["), action.text, pl.lit("]"))))


def _cohort(action: str, exits: Post | None = None) -> Post:
    def around(c: Fields) -> tuple[str, str]:
        cohort = json.dumps(c.settings["cohort"], ensure_ascii=False)
        named = f'"cohort_name":{cohort},"cohort_id":{cohort}'
        return f'{{"action":"{action}","partner":"personas_kit","parameters":{{{named},"members":[', "]}}"

    return Post("/v1/integrations/cohortsync", lambda _: raw(pl.col("member")), around, exits=exits)


def _read(answer: Answer, _count: int) -> Outcome | None:
    """It was accepted; or the workspace is wrong, and so for every change."""
    if answer.status == HTTPStatus.BAD_REQUEST and answer.at("error", "type") in WORKSPACE:
        return Outcome("fatal", "refused: check the workspace (400)")
    return ACKNOWLEDGED if answer.status == HTTPStatus.OK and answer.at("status") == "success" else None


destination = Destination(
    slug="moengage",
    name="MoEngage",
    settings=(
        Setting("workspace_id", "Settings > Account > APIs; earlier: app id", identifies=True),
        Setting("api_key", "the key in the tile Data", secret=True),
        naming_list("cohort", "name of a cohort", optional=True, pattern=r'[^.|*?\\:<>=$"][^|*?\\:<>=$"]*'),
        Setting("region", "the data centre: the number in the dashboard's address", choices=CENTRES, example="01"),
    ),
    auth=Several(Basic("{workspace_id}", "{api_key}"), Header("moe-appkey", "{workspace_id}")),
    hosts={centre: f"https://api-{centre}.moengage.com" for centre in CENTRES},
    posts={
        "identify": Post(PATH, _identify, AROUND),
        "track": Post(PATH, _track, AROUND),
        "list": _cohort("add_members", exits=_cohort("remove_members")),
    },
    limits=Limits(items=1_000, bytes=100_000),
    outcomes=Outcomes(read=_read, retry=frozenset({408, 425, 429}), fatal=frozenset({401, 403, 404, 409})),
    identifiers={"user_id": as_given("uid")},
    keys=Keys(longest=200, reserved=TAKEN),
    values=Values(longest=512),
    list_setting="cohort",
    rates=(Rate(60_000, 60, of="changes"), Rate(300, 60)),
)
