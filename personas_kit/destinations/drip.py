"""Drip: custom fields of people, and events, in batches.

What is odd: a person is known by the email address, and who is not there becomes one. 50 batches in an hour are all
that is allowed, of 1,000 each. A batch is answered with an empty body: what is wrong with one person in it is not said.
A custom field that is not there is made. Values are texts. An event has no id, so one that is repeated happens twice. A
throttled answer carries no time to wait. There is nothing for accounts.

Not confirmed: whether a batch is worked off before it is answered, and whether one wrong address leaves the others
alone (a 422 is halved); that an empty text clears a field, which is what a missing value becomes; whether somebody new
may be written to at once; how long a name or a value may be; the most bytes of a request.

Source: https://developer.drip.com/ (read 2026-11-26).
"""

from personas_kit.destinations.auth import Basic
from personas_kit.destinations.base import Destination, Fields, Limits, Post, Probe, Rate, Setting
from personas_kit.destinations.encode import Json, obj
from personas_kit.destinations.normalise import small_address
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes


def _person(c: Fields) -> Json:
    return obj(email=c.ids["email"], custom_fields=obj({c.key: c.text.fill_null("")}))


def _event(c: Fields) -> Json:
    return obj(email=c.ids["email"], action=c.event, occurred_at=c.timestamp, properties=c.properties)


def _read(answer: Answer, _count: int) -> Outcome | None:
    """Created, and nothing more."""
    empty = not answer.content.strip() or answer.json() == {}
    return ACKNOWLEDGED if answer.status in {201, 204} and empty else None


destination = Destination(
    slug="drip",
    name="Drip",
    settings=(
        Setting(
            "account_id",
            "the number of the account: Settings > Account",
            identifies=True,
            pattern=r"\d+",
            example="9999999",
        ),
        Setting("api_token", "of a user: Settings > User Settings", secret=True),
    ),
    auth=Basic("{api_token}"),
    hosts={"": "https://api.getdrip.com"},
    posts={
        "identify": Post("/v2/{account_id}/subscribers/batches", _person, ('{"batches":[{"subscribers":[', "]}]}")),
        "track": Post("/v2/{account_id}/events/batches", _event, ('{"batches":[{"events":[', "]}]}")),
    },
    limits=Limits(items=1_000, bytes=1_000_000),
    outcomes=Outcomes(read=_read, split=frozenset({400, 413, 422})),
    keyed={"email": small_address()},
    rates=(Rate(50, 3_600),),
    probe=Probe("/v2/accounts/{account_id}"),
)
