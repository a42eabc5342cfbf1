"""Vitally: traits of users and accounts, and product events, by its HTTPS Analytics API.

What is odd: a user has to name its account, so map both: ``ids = { user_id = "user_id", account_id = "account_id" }``.
Messages go in batches of 100, each under its own id, by which Vitally knows what it has seen. The name of an account is
a trait that every message about it should carry; here it is left as it is. Whoever is not there is made. The token is
the one of Basic authentication, as Vitally shows it. Vitally's support can block a kind of message for an account: then
all of that kind are refused (400). The data centre in the EU has a host of its own: give it as ``url``.

Not confirmed: that an account is updated without its name; that null deletes a trait, as it does by the REST API; what
is answered to a wrong token, and to a batch of which one message is wrong (after a 400 it is halved until that one
stands alone); how many bytes a batch may have, and how much this API takes in a minute; a call that proves the token
and changes nothing.

Source: https://docs.vitally.io/en/articles/9874151-vitally-s-https-analytics-api-batch (read 2026-11-27),
https://docs.vitally.io/en/articles/9874145-vitally-s-https-analytics-api-user,
https://docs.vitally.io/en/articles/9874149-vitally-s-https-analytics-api-track and
https://docs.vitally.io/pushing-data-to-vitally/using-the-vitally-api/https-analytics-api/analytics-api-account
(read 2026-11-26).
"""

import polars as pl

from personas_kit.destinations.auth import Header
from personas_kit.destinations.base import LABEL, Destination, Fields, Keys, Limits, Post, Setting
from personas_kit.destinations.encode import Field, Json, obj
from personas_kit.destinations.normalise import as_given
from personas_kit.destinations.outcomes import Outcomes, json_says

BATCH = "/analytics/v1/batch"
KEYED = {
    "user_id": as_given("user_id", alone=False),
    "account_id": as_given("account_id", alone=False),
}


def _user(c: Fields) -> Json:
    others = {kind: field for kind, field in c.identifiers.items() if kind not in KEYED}
    return _message(c, "user", c.ids["account_id"], userId=c.ids["user_id"], traits=obj({c.key: c.value, **others}))


def _account(c: Fields) -> Json:
    return _message(c, "account", c.account_id, traits=c.own_traits)


def _event(c: Fields) -> Json:
    return _message(c, "track", c.ids["account_id"], userId=c.ids["user_id"], event=c.event, properties=c.properties)


def _message(c: Fields, kind: str, account: pl.Expr, **more: Field) -> Json:
    return obj(type=kind, accountId=account, **more, messageId=c.message_id, timestamp=c.timestamp)


destination = Destination(
    slug="vitally",
    name="Vitally",
    settings=(
        Setting("subdomain", "of the address where you log in", pattern=LABEL, example="acme", identifies=True),
        Setting("token", "of Basic authentication, as the settings of the API show it", secret=True),
    ),
    auth=Header("authorization", "Basic {token}"),
    hosts={"": "https://{subdomain}.api.vitally.io"},
    posts={
        "identify": Post(BATCH, _user),
        "track": Post(BATCH, _event),
        "group": Post(BATCH, _account),
    },
    limits=Limits(items=100, bytes=100_000),
    outcomes=Outcomes(read=json_says("message", "Success.")),
    keyed=KEYED,
    together=(("user_id", "account_id"),),
    keys=Keys(reserved=frozenset({"avatar", "createdAt", "email", "name"})),
    parallel=4,
)
