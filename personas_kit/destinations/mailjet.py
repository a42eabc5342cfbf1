"""Mailjet: properties of contacts, and members of contact lists, by jobs.

What is odd: everything is a job, which is asked after until it has ended. A job that ends in an error tells in a file
what was wrong, so it is halved, in the end to the contacts that are wrong. Being on a list is being subscribed to it:
who enters is subscribed, but for those who have unsubscribed from it, who stay so (``addnoforce``). Who is not there
becomes a contact. A property has to be there; null unassigns it. Numbers are those with decimals.

Not confirmed: how many contacts a job may have (1,000 is ours), whether it takes the others if one is wrong, and which
names and how long a text a property may have; what is taken for a time. No limit of requests is published.

Source: https://dev.mailjet.com/email/guides/contact-management/, and
https://dev.mailjet.com/email/reference/contacts/bulk-contact-management/, .../contact-properties/ (read 2026-11-26).
"""

from http import HTTPStatus

import polars as pl

from personas_kit.destinations.auth import Basic
from personas_kit.destinations.base import (
    Asking,
    Connection,
    Destination,
    Exchange,
    FieldApi,
    FieldNeeded,
    Fields,
    FieldType,
    Keys,
    Limits,
    ListApi,
    Pause,
    Post,
    Probe,
    Request,
    Setting,
    Unanswered,
    Values,
    naming_list,
)
from personas_kit.destinations.encode import Json, obj, raw
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import small_address
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes

REST = "/v3/REST"
JOBS = f"{REST}/contact/managemanycontacts"
POLLS, SECONDS = 120, 5
EMAIL = {"email": small_address("Email")}
TYPES: dict[FieldType, str] = {"boolean": "bool", "number": "float", "text": "str", "time": "datetime"}


def _contact(c: Fields) -> Json:
    return obj(Email=c.ids["email"], Properties=obj({c.field: c.value}))


def _members(action: str, exits: Post | None = None) -> Post:
    def around(c: Fields) -> tuple[str, str]:
        lists = f'[{{"ListID":{c.settings["list_id"]},"Action":"{action}"}}]'
        return f'{{"ContactsLists":{lists},"Contacts":[', "]}"

    return Post(JOBS, lambda _: raw(pl.col("member")), around, exits=exits, exchange=_job)


def _job(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Start it, and ask until it has ended."""
    answer = yield request
    job = answer.at("Data", 0, "JobID")
    if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED} or not isinstance(job, int) or job <= 0:
        return connection.judge("identify", answer, lines.height)
    for _ in range(POLLS):
        yield Pause(SECONDS)
        answer = yield connection.request("GET", f"{JOBS}/{job}")
        status = answer.at("Data", 0, "Status")
        if status == "Completed" and not answer.at("Data", 0, "Error"):
            return ACKNOWLEDGED
        if status in ("Completed", "Error", "Abort"):
            return Outcome("split", "the job failed")
    return Outcome("unknown", "the job has not ended", after=SECONDS)


def _read(_answer: Answer, _count: int) -> Outcome | None:
    """What became of a job is read where it is waited for."""
    return None


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    answer = yield connection.request("GET", f"{REST}/contactmetadata?Limit=1000")
    rows = answer.rows("Data")
    if answer.status != HTTPStatus.OK or rows is None:
        raise Unanswered(answer)
    names = (str(row.get("Name")) for row in rows)
    return next((name for name in names if name.lower() == needed.key.lower()), None)


def _create(connection: Connection, needed: FieldNeeded) -> Asking:
    field = {"Name": needed.key, "Datatype": TYPES[needed.type], "NameSpace": "static"}
    return named((yield connection.request("POST", f"{REST}/contactmetadata", field)), "Data", 0, "Name")


def _make_list(connection: Connection, name: str, _description: str) -> Asking:
    return named((yield connection.request("POST", f"{REST}/contactslist", {"Name": name})), "Data", 0, "ID")


destination = Destination(
    slug="mailjet",
    name="Mailjet",
    settings=(
        Setting("api_key", "of the account", identifies=True),
        Setting("secret_key", "of the account", secret=True),
        naming_list("list_id", "number of a contact list", optional=True, pattern=r"\d+"),
        Setting("region", "us: the account was moved there", default="eu", choices=("eu", "us")),
    ),
    auth=Basic("{api_key}", "{secret_key}"),
    hosts={"eu": "https://api.mailjet.com", "us": "https://api.us.mailjet.com"},
    posts={
        "identify": Post(JOBS, _contact, ('{"Contacts":[', "]}"), exchange=_job),
        "list": _members("addnoforce", exits=_members("remove")),
    },
    limits=Limits(items=1_000, bytes=1_000_000),
    outcomes=Outcomes(read=_read),
    identifiers=EMAIL,
    keyed=EMAIL,
    keys=Keys(pattern=r"[A-Za-z][A-Za-z0-9_]*", about="letters, digits and underscores after a letter"),
    values=Values(lists=False),
    list_setting="list_id",
    fields=FieldApi(find=_find, create=_create, where="Contacts > Contact properties", types=TYPES),
    lists=ListApi(_make_list),
    probe=Probe(f"{REST}/contactslist?Limit=1"),
)
