"""Marketo's static lists: leads are added and removed by their ids, which are looked up by email.

What is odd: all answers are 200 (``marketo`` has the errors). Who enters and is not there becomes a lead. Who leaves
and is not there, or is not in the list (1004, 1015), has left. Several leads may have one address: none of them is
added (1007), all of them are removed. An address is asked for by a form in a POST that says it is a GET: in an address
of the web 300 of them do not always fit into its 8 KB.

Up to 300 who enter take two calls, which tell of each. More of them go as one import of a file: 10,000 would take 68 of
the calls that all integrations of an instance share (50,000 a day), and an import takes about ten, whatever its size.
Two imports run at a time and ten may wait. Who was refused stands in a file of failures. An import that fails as a
whole, or does not name all that it refused, is halved, in the end to the calls that tell of each. None can remove.

A list is made in the folder ``folder_id``: the number in the address of the folder, ``#MF1034A1``.

Not confirmed: that the file of failures repeats the addresses as they were sent; how long an import waits; what an
import does where several leads have one address.

Source: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/list-membership,
.../lead-database/leads, .../assets/static-lists and .../bulk-import/bulk-lead-import (read 2026-11-26).
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlencode

import polars as pl

from personas_kit.destinations import marketo
from personas_kit.destinations.base import (
    Asking,
    Connection,
    Destination,
    Exchange,
    Fields,
    Limits,
    ListApi,
    Pause,
    Post,
    Request,
    Setting,
    Unanswered,
    naming_list,
)
from personas_kit.destinations.encode import Json, raw
from personas_kit.destinations.outcomes import Outcome, Outcomes, all_but
from personas_kit.errors import ConfigError

AT_ONCE = 300
PAGES = 4  # of 300: a question that more than 1,000 leads answer is an error
POLLS, SECONDS = 90, 20
PATH = "/rest/v1/leads.json"
INPUT = ('{"action":"createOrUpdate","lookupField":"email","input":[', "]}")
NOT_THERE = frozenset({1004, 1015})
FORM = {"content-type": "application/x-www-form-urlencoded"}
FILE = {"content-type": "multipart/form-data; boundary=leads"}
HEAD = '--leads\r\nContent-Disposition: form-data; name="file"; filename="leads.csv"\r\nContent-Type: text/csv\r\n\r\n'


def _add(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Make or find the leads, then put their ids into the list."""
    if lines.height > AT_ONCE:
        return (yield from _import(connection, _emails(lines)))
    answer = yield request
    made = connection.judge("list", answer, lines.height)
    if made.verdict != "acknowledged":
        return made
    rows = enumerate(answer.rows("result") or ())
    ids = {at: row.get("id") for at, row in rows if at not in made.rejected and at not in made.again}
    if not all(isinstance(lead, int) for lead in ids.values()):
        return Outcome("unknown", "leads without ids")
    if not ids:
        return made
    answer = yield connection.request("POST", _members(ids.values()))
    put = connection.judge("list", answer, len(ids))
    return _together(made, put, list(ids)) if put.verdict == "acknowledged" else put


def _remove(connection: Connection, request: Request, lines: pl.DataFrame) -> Exchange:
    """Look the leads up, then take their ids out of the list."""
    emails = _emails(lines)
    position = {email: at for at, email in enumerate(emails)}
    form = {"filterType": "email", "filterValues": ",".join(emails), "fields": "id,email"}
    found: list[dict[str, object]] = []
    for _ in range(PAGES):
        answer = yield replace(request, headers=FORM, content=urlencode(form).encode())
        rows, token = answer.rows("result"), answer.at("nextPageToken")
        if answer.at("success") is not True or rows is None:
            return connection.judge("list", answer, lines.height, exits=True)
        found += rows
        if not isinstance(token, str):
            break
        form["nextPageToken"] = token
    else:
        return Outcome("unknown", "more leads than a question can have")
    ids = [(row.get("id"), position.get(str(row.get("email")).lower(), -1)) for row in found]
    if not all(isinstance(lead, int) and at >= 0 for lead, at in ids):
        return Outcome("unknown", "leads that were not asked for")
    left = Outcome("acknowledged")
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        answer = yield connection.request("DELETE", _members(lead for lead, _ in part))
        taken = connection.judge("list", answer, len(part), exits=True)
        if taken.verdict != "acknowledged":
            return taken
        left = _together(left, taken, [at for _, at in part])
    return left


def _import(connection: Connection, emails: Sequence[str]) -> Exchange:
    """Import a file, wait until that has ended, and read who was refused."""
    job = connection.request("POST", "/bulk/v1/leads.json?format=csv&lookupField=email&listId={list_id}")
    answer = yield replace(job, headers=FILE, content=f"{HEAD}{_table(emails)}\r\n--leads--\r\n".encode())
    batch = answer.at("result", 0, "batchId")
    if not isinstance(batch, int):
        return connection.judge("list", answer, len(emails))
    for _ in range(POLLS):
        yield Pause(SECONDS)
        answer = yield connection.request("GET", f"/bulk/v1/leads/batch/{batch}.json")
        status, failures = answer.at("result", 0, "status"), answer.at("result", 0, "numOfRowsFailed")
        if status == "Failed":
            return Outcome("split", "the import failed")
        if status == "Complete" and failures == 0:
            return Outcome("acknowledged")
        if status == "Complete":
            answer = yield connection.request("GET", f"/bulk/v1/leads/batch/{batch}/failures.json")
            _, *table = answer.content.decode(errors="replace").splitlines() or [""]
            refused = {row.partition(",")[0].strip('"'): "refused by the import" for row in table}
            short = Outcome("split", "an import that does not name all that it refused")
            return all_but(emails, refused) if len(refused) == failures else short
    return Outcome("unknown", "the import has not ended", after=SECONDS)


def _create(connection: Connection, name: str, description: str) -> Asking:
    if not connection.setting("folder_id"):
        raise ConfigError(f"{connection.name} needs a folder to make a list in", hint='add folder_id = "..."')
    folder = json.dumps({"id": int(connection.setting("folder_id")), "type": "Folder"})
    request = connection.request("POST", "/rest/asset/v1/staticLists.json")
    form = {"folder": folder, "name": name, "description": description}
    answer = yield replace(request, headers=FORM, content=urlencode(form).encode())
    made = answer.at("result", 0, "id")
    if answer.at("success") is not True or not isinstance(made, int):
        raise Unanswered(answer)
    return str(made)


def _emails(lines: pl.DataFrame) -> list[str]:
    return lines.select(pl.col("member").str.json_path_match("$.email"))["member"].to_list()


def _table(emails: Sequence[str]) -> str:
    table = io.StringIO()
    csv.writer(table).writerows([["email"], *([email] for email in emails)])
    return table.getvalue()


def _members(ids: Iterable[object]) -> str:
    return "/rest/v1/lists/{list_id}/leads.json?" + "&".join(f"id={lead}" for lead in ids)


def _together(before: Outcome, now: Outcome, positions: Sequence[int]) -> Outcome:
    """Both steps; the later one was about the lines at these positions."""
    rejected = {positions[at]: reason for at, reason in now.rejected.items()}
    return replace(
        before,
        rejected={**before.rejected, **rejected},
        again=before.again | {positions[at] for at in now.again},
    )


def _member(_: Fields) -> Json:
    return raw(pl.col("member"))


REMOVE = Post(
    f"{PATH}?_method=GET",
    _member,
    INPUT,
    limits=Limits(items=AT_ONCE, bytes=1_000_000),
    outcomes=Outcomes(read=marketo.records(fine=NOT_THERE)),
    exchange=_remove,
)

destination = Destination(
    slug="marketo-static-lists",
    name="Marketo Static Lists",
    settings=(
        *marketo.SETTINGS,
        naming_list("list_id", "number of a static list"),
        Setting("folder_id", "of the folder where lists are made", optional=True, pattern=r"\d+"),
    ),
    auth=marketo.AUTH,
    hosts=marketo.HOSTS,
    posts={"list": Post(PATH, _member, INPUT, exchange=_add, exits=REMOVE)},
    limits=Limits(items=10_000, bytes=9_000_000),
    outcomes=Outcomes(read=marketo.records()),
    identifiers=marketo.EMAIL,
    minimum_interval=3_600,
    list_setting="list_id",
    rates=marketo.RATES,
    parallel=2,
    lists=ListApi(_create),
    probe=marketo.PROBE,
)
