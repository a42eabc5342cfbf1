"""Totango: attributes of users and accounts, and activities, by its HTTP API.

What is odd: every change is an address that is asked for, and the answer is a picture of one pixel, whether it was
understood or not; a wrong service id or token is never told. Whatever is not there is made. A user belongs to an
account and is known by both, so map both: ``ids = { user_id = "user_id", account_id = "account_id" }``. An activity has
no properties, so the audience's key is a part of its name (``Audience Entered: buyers``), and it has a *module*, which
is a setting. It has no id and no time of its own: one that is repeated happened twice. Values are texts. A token is
needed where the service enforces them; it is sent always, in the address.

Not confirmed: that an empty text clears an attribute, which is what a missing value becomes; how much an address may
hold (2,000 bytes are assumed) and how many may be asked for at once. The name of the token's parameter is known from
Totango's own library. Totango takes POST as well, without an example; here all goes by GET, as in all examples.

Source: https://support.totango.com/hc/en-us/articles/203639605-Totango-HTTP-API,
https://support.totango.com/hc/en-us/articles/203639845-HTTP-API-Quick-Reference,
https://github.com/totango/totango-tracker (read 2026-11-26).
"""

from typing import cast
from urllib.parse import urlencode

import polars as pl

from personas_kit.destinations.auth import Query
from personas_kit.destinations.base import (
    Connection,
    Destination,
    Exchange,
    Fields,
    Keys,
    Limits,
    Post,
    Request,
    Setting,
)
from personas_kit.destinations.encode import Field, Json, obj
from personas_kit.destinations.normalise import as_given
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

PIXEL = "/pixel.gif/"


def _user(c: Fields) -> Json:
    return _said(c, c.ids["account_id"], {"sdr_u": c.ids["user_id"], f"sdr_u.{c.key}": c.text.fill_null("")})


def _account(c: Fields) -> Json:
    return _said(c, c.account_id, {f"sdr_o.{c.key}": c.text.fill_null("")})


def _activity(c: Fields) -> Json:
    name = pl.concat_str(c.event, pl.lit(f": {c.computation.key}"))
    return _said(c, c.ids["account_id"], {"sdr_u": c.ids["user_id"], "sdr_a": name, "sdr_m": c.settings["module"]})


def _said(c: Fields, account: pl.Expr, more: dict[str, Field]) -> Json:
    return obj({"sdr_s": c.settings["service_id"], "sdr_o": account, **more})


def _ask(connection: Connection, request: Request, _lines: pl.DataFrame) -> Exchange:
    """What is said becomes the address."""
    said = urlencode(cast("dict[str, str]", request.body()))
    answer = yield connection.request("GET", f"{PIXEL}?{said}")
    return connection.judge("identify", answer, 1)


def _read(answer: Answer, _count: int) -> Outcome | None:
    """A picture."""
    picture = answer.content.startswith((b"GIF87a", b"GIF89a"))
    return ACKNOWLEDGED if answer.status in {200, 201} and picture else None


destination = Destination(
    slug="totango",
    name="Totango",
    settings=(
        Setting("service_id", "SP-...: Settings > Personal Access Token and Service ID", identifies=True),
        Setting("api-token", "Settings > SDR Tokens", secret=True),
        Setting("module", "of activities", default="Audiences"),
        Setting("region", "where the service's data is", default="us", choices=("us", "eu")),
    ),
    auth=Query("api-token"),
    hosts={"us": "https://sdr.totango.com", "eu": "https://sdr-eu1.totango.com"},
    posts={
        "identify": Post(PIXEL, _user, ("", ""), method="GET", exchange=_ask),
        "track": Post(PIXEL, _activity, ("", ""), method="GET", exchange=_ask),
        "group": Post(PIXEL, _account, ("", ""), method="GET", exchange=_ask),
    },
    limits=Limits(items=1, bytes=2_200),
    outcomes=Outcomes(read=_read),
    keyed={
        "user_id": as_given("user_id", alone=False),
        "account_id": as_given("account_id", alone=False),
    },
    together=(("user_id", "account_id"),),
    keys=Keys(reserved=frozenset({"account_name", "name", "parent_id", "product_id"})),
    parallel=4,
)
