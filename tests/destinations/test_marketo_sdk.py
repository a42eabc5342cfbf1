"""What goes to Marketo's static lists is what the community's library sends, but for where ids and the token stand.

The library is MIT and not Adobe's own; it still puts the token into the query, which Marketo stopped taking in 2026.
"""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from personas_kit.destinations import Answer, Computation, find
from personas_kit.secret import Secret
from tests.destinations.conftest import batch_of
from tests.security.receivers import Receiver, response

pytestmark = pytest.mark.usefixtures("tidied")

BUYERS = Computation("buyers", "audience", "Buyers")
LEADS = {"success": True, "result": [{"id": 7, "status": "created"}, {"id": 8, "status": "updated"}]}
FOUND = {"success": True, "result": [{"id": 7, "email": "ann@example.com"}, {"id": 8, "email": "bob@example.com"}]}
DONE = {"success": True, "result": [{"id": 7, "status": "added"}, {"id": 8, "status": "added"}]}


@pytest.fixture(name="library")
def _library():
    """The community's library, and what it sent."""
    marketo = pytest.importorskip("marketorestpython.client", reason="marketorestpython is not installed")

    def sent(call, *args, **more):
        with Receiver(response(json.dumps(DONE).encode(), Content_Type="application/json")) as receiver:
            client = marketo.MarketoClient("munchkin", access_token="made-up")
            client.host = receiver.url
            getattr(client, call)(*args, **more)
            return read(receiver.requests[-1])

    return sent


def read(request):
    """Method, path, query and body of what a library sent, the token aside."""
    head, _, body = request.partition(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
    return told(method, target, body)


def told(method, target, body):
    parts = urlsplit(target)
    text = body.decode()
    said = json.loads(text) if text.startswith("{") else parse_qs(text)
    if isinstance(said, dict):
        said.pop("access_token", None)
    query = {name: values for name, values in parse_qs(parts.query).items() if name != "access_token"}
    return method, parts.path, query, said


def steps(change):
    """The requests of the kit for two members, each with the answer that lets it go on."""
    settings = {"munchkin": "123-ABC-456", "client_id": "c", "client_secret": Secret("env", "X"), "list_id": "9"}
    connection = find("marketo-static-lists").configure("m", settings)
    people = ("ann@example.com", "bob@example.com")
    lines = batch_of(
        [
            {"change": change, "message_id": f"m{n}", "member": json.dumps({"email": each})}
            for n, each in enumerate(people)
        ]
    )
    (request,) = connection.requests("list", lines, BUYERS)
    exchange, said, asked = connection.exchange("list", request, lines), None, []
    for answer in ({"enter": LEADS, "exit": FOUND}[change], DONE):
        step = exchange.send(said)
        asked.append(told(step.method, step.url.removeprefix(connection.home), step.content))
        said = Answer(200, {}, json.dumps(answer).encode())
    return asked


def test_leads_are_made_or_found_as_the_library_does(library):
    people = [{"email": "ann@example.com"}, {"email": "bob@example.com"}]

    assert steps("enter")[0] == library("create_update_leads", people, action="createOrUpdate", lookupField="email")


@pytest.mark.parametrize(("change", "call"), [("enter", "add_leads_to_list"), ("exit", "remove_leads_from_list")])
def test_the_same_leads_are_put_on_the_list_and_taken_off_by_the_same_call(library, change, call):
    method, path, query, body = steps(change)[1]
    their_method, their_path, _, their_body = library(call, 9, [7, 8])

    assert (method, path) == (their_method, their_path)
    assert (query, body) == ({"id": ["7", "8"]}, {})  # Marketo takes ids in the query or in the body
    assert their_body == {"input": [{"id": 7}, {"id": 8}]}


def test_leads_are_looked_up_by_the_same_form(library):
    method, path, query, form = steps("exit")[0]
    their_method, their_path, _, their_form = library(
        "get_multiple_leads_by_filter_type", "email", ["ann@example.com", "bob@example.com"], fields="id,email"
    )

    assert (method, path) == (their_method, their_path)
    assert {**form, **query} == their_form
