"""Planhat: custom fields of end users and companies, by bulk upserts.

What is odd: our id is the ``externalId`` of an end user, or of a company. Who is not found by it is made, for which an
end user needs an address and a company: map ``ids = { email = "email" }``, and Planhat finds the company by the domain
of the address. A mapped identifier goes to the end user's field of its name. A company that is not there is made of
nothing but its name, which is not sent: it is refused. A 206 has taken some and not others, and what says which is not
described: the request is halved until what is wrong stands alone, and to send the others again does no harm. Planhat
asks for bulk requests one after the other, 5,000 items each, and 200 requests a minute.

There is no track: activities go to another host, with a token of their own.

Not confirmed: that a custom field which is not there is made; that null clears one; the exact form of an answer, whose
names (``created``, ``updated``, ``createdErrors``, ``updatedErrors``) are known from Planhat's pages and from clients.
Some tenants have a host of their own: give it as ``url``.

Source: https://www.planhat.com/developers/api/bulk-upsert, .../enduser, .../company, .../http-response-codes,
https://docs.planhat.com (read 2026-11-26).
"""

from http import HTTPStatus

from personas_kit.destinations.auth import Bearer
from personas_kit.destinations.base import Destination, Fields, Limits, Post, Probe, Rate, Setting
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

ERRORS = ("createdErrors", "updatedErrors", "permissionErrors")


def _enduser(c: Fields) -> Json:
    return obj({"externalId": c.user_id, **c.identifiers, "custom": c.own_traits})


def _company(c: Fields) -> Json:
    return obj(externalId=c.account_id, custom=c.own_traits)


def _read(answer: Answer, _count: int) -> Outcome | None:
    """How many were made and updated; or errors, without saying about whom."""
    if answer.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return None
    if any(answer.at(name) for name in ERRORS):
        return Outcome("split", "refused")
    counted = all(isinstance(answer.at(name), int) for name in ("created", "updated"))
    return ACKNOWLEDGED if answer.status == HTTPStatus.OK and counted else None


destination = Destination(
    slug="planhat",
    name="Planhat",
    settings=(Setting("token", "of a private app", secret=True, identifies=True),),
    auth=Bearer("token"),
    hosts={"": "https://api.planhat.com"},
    posts={
        "identify": Post("/endusers", _enduser, method="PUT"),
        "group": Post("/companies", _company, method="PUT"),
    },
    limits=Limits(items=5_000, bytes=32_000_000),
    outcomes=Outcomes(read=_read),
    rates=(Rate(200, 60),),
    probe=Probe("/companies?limit=1"),
)
