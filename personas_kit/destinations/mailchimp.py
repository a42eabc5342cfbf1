"""Mailchimp: merge fields of the contacts of an audience, and members of its segments (tags), 500 in a request.

What is odd: the answer is 200 and names whom it refused by their addresses. The host begins with the ``server`` that
stands at the end of a key, after its dash. Mailchimp's word "audience" means the list of all contacts, ``list_id``
here. Who is not there becomes a contact with the status ``status_if_new``; those who are there keep theirs. That the
default is ``transactional`` ("non-subscribed") is on purpose: being in an audience of ours is no consent to be mailed.
A merge field has to be there. Its tag has at most 10 characters, in capitals, and many plans allow 30 fields; there are
none for yes and no, so these are the texts ``true`` and ``false``. Required fields that are missing do not matter.

A segment takes contacts only and ignores other addresses without a word, so who enters becomes a contact first.
10 requests at a time are allowed for all that have a key; an overload may also answer 403, which stops the push.

Not confirmed: that an empty text clears a field of the type number; the tags that are reserved; ``status_if_new`` in a
batch, which Mailchimp's example of it has had, and its OpenAPI file (3.0.55) names for single contacts only.

Source: https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/, .../api/list-segments/,
.../docs/merge-fields/, .../docs/fundamentals/ and .../docs/errors/ (read 2026-11-26), and the OpenAPI file of
https://github.com/mailchimp/mailchimp-client-lib-codegen (read 2026-11-27).
"""

from collections.abc import Mapping
from http import HTTPStatus

import polars as pl

from personas_kit.destinations.auth import Basic
from personas_kit.destinations.base import (
    LABEL,
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
    Post,
    Probe,
    Request,
    Setting,
    Unanswered,
    Values,
    naming_list,
)
from personas_kit.destinations.encode import Json, obj, raw, text
from personas_kit.destinations.exchange import named
from personas_kit.destinations.normalise import small_address
from personas_kit.destinations.outcomes import ACKNOWLEDGED, Answer, Outcome, Outcomes, all_but, code

LIST = "/3.0/lists/{list_id}"
CONTACTS = f"{LIST}?skip_merge_validation=true"
SEGMENT = f"{LIST}/segments/{{segment_id}}"
ADDRESS = pl.col("member").str.json_path_match("$.email_address")
MEMBERS = ('{"members":[', '],"update_existing":true}')
EMAIL = {"email": small_address("email_address")}
TYPES: dict[FieldType, str] = {"boolean": "Text", "number": "Number", "text": "Text", "time": "Text"}


def _contact(c: Fields) -> Json:
    value = c.value.text
    cleared = pl.when(value == "null").then(pl.lit('""')).otherwise(value)
    status = c.settings["status_if_new"]
    return obj(email_address=c.ids["email"], status_if_new=status, merge_fields=obj({c.field: raw(cleared)}))


def _entry(c: Fields) -> Json:
    """The member is the contact already, but for its status."""
    status = f',"status_if_new":"{c.settings["status_if_new"]}"}}'
    return raw(pl.concat_str(pl.col("member").str.strip_suffix("}"), pl.lit(status)))


def _read(answer: Answer, _count: int) -> Outcome | None:
    """Whom it names is for the exchange: here nobody knows the addresses."""
    return ACKNOWLEDGED if answer.status == HTTPStatus.OK and answer.at("errors") == [] else None


def _write(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    answer = yield request
    return _judged(connection, answer, lines["id_email"].to_list())


def _judged(connection: Connection, answer: Answer, emails: list[str]) -> Outcome:
    errors = answer.rows("errors")
    if answer.status != HTTPStatus.OK or not errors:
        return connection.judge("identify", answer, len(emails))
    refused = {email: code(error.get("error_code")) or "refused" for error in errors for email in _named(error)}
    return all_but(emails, refused) if all(map(_named, errors)) else Outcome("unknown", "errors that name nobody")


def _named(error: Mapping[str, object]) -> list[str]:
    """Contacts are named one by one, members of a segment together."""
    several = error.get("email_addresses")
    emails = several if isinstance(several, list) else [error.get("email_address")]
    return [email for email in emails if isinstance(email, str)]


def _enter(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Make contacts, and members of the segment of those that were taken."""
    emails = _emails(lines)
    answer = yield request
    made = _judged(connection, answer, emails)
    there = [at for at in range(len(emails)) if at not in made.rejected]
    if made.verdict != "acknowledged" or not there:
        return made
    added = [emails[at] for at in there]
    answer = yield connection.request("POST", SEGMENT, {"members_to_add": added})
    put = _judged(connection, answer, added)
    if put.verdict != "acknowledged":
        return put
    rejected = {there[at]: reason for at, reason in put.rejected.items()}
    return Outcome("acknowledged", rejected={**made.rejected, **rejected})


def _leave(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    answer = yield request
    return _judged(connection, answer, _emails(lines))


def _emails(lines: pl.DataFrame) -> list[str]:
    return lines.select(ADDRESS)["member"].to_list()


def _find(connection: Connection, needed: FieldNeeded) -> Asking:
    answer = yield connection.request("GET", f"{LIST}/merge-fields?fields=merge_fields.tag&count=1000")
    rows = answer.rows("merge_fields")
    if answer.status != HTTPStatus.OK or rows is None:
        raise Unanswered(answer)
    tags = (str(row.get("tag")) for row in rows)
    return next((tag for tag in tags if tag.lower() == needed.key.lower()), None)


def _create(connection: Connection, needed: FieldNeeded) -> Asking:
    field = {"tag": needed.key.upper(), "name": needed.name[:50], "type": TYPES[needed.type].lower(), "public": False}
    answer = yield connection.request("POST", f"{LIST}/merge-fields", field)
    return named(answer, "tag")


def _make_segment(connection: Connection, name: str, _description: str) -> Asking:
    answer = yield connection.request("POST", f"{LIST}/segments", {"name": name, "static_segment": []})
    return named(answer, "id")


LEAVE = Post(SEGMENT, lambda _: raw(text(ADDRESS)), ('{"members_to_remove":[', "]}"), exchange=_leave)

destination = Destination(
    slug="mailchimp",
    name="Mailchimp",
    settings=(
        Setting("api_key", "of the account", secret=True),
        Setting("server", "at the end of the key, after its dash", identifies=True, pattern=LABEL, example="us6"),
        Setting("list_id", "id of the audience, in its settings", identifies=True),
        Setting(
            "status_if_new",
            "of who is not there yet; say subscribed only for who has agreed to be mailed",
            default="transactional",
            choices=("transactional", "subscribed", "pending", "unsubscribed"),
        ),
        naming_list("segment_id", "number of a tag", optional=True),
    ),
    auth=Basic("key", "{api_key}"),
    hosts={"": "https://{server}.api.mailchimp.com"},
    posts={
        "identify": Post(CONTACTS, _contact, MEMBERS, exchange=_write),
        "list": Post(CONTACTS, _entry, MEMBERS, exchange=_enter, exits=LEAVE),
    },
    limits=Limits(items=500, bytes=1_000_000),
    outcomes=Outcomes(read=_read),
    identifiers=EMAIL,
    keyed=EMAIL,
    keys=Keys(
        longest=10,
        pattern=r"[a-z][a-z0-9_]*",
        reserved=frozenset({"email", "merge*"}),
        lower=True,
        about="letters, digits and underscores after a letter",
    ),
    values=Values(longest=255, booleans="text", lists=False),
    list_setting="segment_id",
    parallel=4,
    fields=FieldApi(
        find=_find, create=_create, where="Audience > Settings > Audience fields and *|MERGE|* tags", types=TYPES
    ),
    lists=ListApi(_make_segment),
    probe=Probe(f"{LIST}?fields=id"),
)
