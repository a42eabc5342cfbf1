"""What goes to Meta's lists is what Meta's own library sends, where that does what Meta's rules say."""

import datetime as dt
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import polars as pl
import pytest

from personas_kit.destinations import Answer, Computation, find
from personas_kit.destinations.facebook_custom_audiences import LIMITED, Usage
from personas_kit.destinations.normalise import META
from personas_kit.errors import ConfigError
from personas_kit.secret import Secret
from tests.destinations.conftest import batch_of, body_of
from tests.security.receivers import Receiver, response

pytestmark = pytest.mark.usefixtures("tidied")

BUYERS = Computation("buyers", "audience", "Buyers")
AGREED = {
    "email": " Jane.Doe+Promo@Example.COM ",
    "phone": "+44 844 412 4653",
    "gender": "Female",
    "birth_year": "1990",
    "birth_month": "1",
    "birth_day": "5",
    "first_name": "Mary-Ann ",
    "first_initial": "J",
    "last_name": "van O'Brien",
    "city": "San Francisco",
    "state": "CA",
    "zip": "94105-1234",
    "country": "USA",
}
"""Kinds and texts for which library and rules agree; it deletes letters of names beyond ASCII, and hashes devices."""
VERBS = {"enter": ("add_users", "POST"), "exit": ("remove_users", "DELETE")}


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("META_TOKEN", "token-1")
    monkeypatch.setenv("META_APP", "canary-51c9")


@pytest.fixture(name="library")
def _library(monkeypatch):
    """Meta's library, and what it sent: method, path and fields of a request."""
    pytest.importorskip("facebook_business", reason="facebook-business is not installed")
    from facebook_business.adobjects.adaccount import AdAccount
    from facebook_business.adobjects.customaudience import CustomAudience
    from facebook_business.api import FacebookAdsApi, FacebookSession

    def sent(node, call, *args, app_secret=None, **more):
        with Receiver(response(b'{"id": "1"}', Content_Type="application/json")) as receiver:
            monkeypatch.setattr(FacebookSession, "GRAPH", receiver.url)
            session = FacebookSession("app", app_secret, "token-1")
            session.requests.trust_env = False
            api = FacebookAdsApi(session, api_version="v26.0")
            kind = {"list": CustomAudience, "account": AdAccount}[node]
            getattr(kind("1202" if node == "list" else "act_77", api=api), call)(*args, **more)
            session.requests.close()
            (raw,) = receiver.requests
        head, _, body = raw.partition(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        parts = urlsplit(target)
        fields = {**parse_qs(parts.query), **parse_qs(body.decode())}
        return method, parts.path, {name: value for name, (value,) in fields.items()}

    return sent


def connect(**more):
    values = {"access_token": Secret("env", "META_TOKEN"), "audience_id": "1202", **more}
    return find("facebook-custom-audiences").configure("it", values)


def request_of(connection, people, change="enter"):
    """The one request for people: kind of identifier -> text."""
    kinds = sorted({kind for person in people for kind in person})
    columns = {f"id_{kind}": [person.get(kind) for person in people] for kind in kinds}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    members = frame.select(member=connection.member("list", dict(zip(kinds, kinds, strict=True))))["member"]
    lines = [
        {"change": change, "value": "true", "message_id": f"m{at}", "member": member}
        for at, member in enumerate(members)
    ]
    (request,) = connection.requests("list", batch_of(lines), BUYERS)
    return request


@pytest.mark.parametrize("change", VERBS)
def test_the_library_sends_the_same_hashes_to_the_same_address(library, change):
    verb, method = VERBS[change]
    request = request_of(connect(), [AGREED], change)
    body = body_of(request)
    texts = {META[kind].name: text for kind, text in AGREED.items()}
    schema = body["payload"]["schema"]
    row = [texts[name] for name in schema]
    seen = library("list", verb, schema, [row], is_raw=True, session=body["session"])

    assert set(schema) == set(texts)
    assert seen[:2] == (request.method, urlsplit(request.url).path) == (method, "/v26.0/1202/users")
    assert json.loads(seen[2]["payload"])["data"] == body["payload"]["data"]
    assert json.loads(seen[2]["payload"])["schema"] == schema
    assert json.loads(seen[2]["session"]) == body["session"]


def test_the_library_makes_the_same_list(library):
    connection = connect(ad_account_id="77")
    request = next(connection.destination.lists.create(connection, "Buyers", "who bought"))
    method, path, fields = library("account", "create_custom_audience", [], body_of(request))

    assert (method, path) == (request.method, urlsplit(request.url).path)
    assert {name: fields[name] for name in body_of(request)} == body_of(request)


def test_the_library_proves_the_token_in_the_same_way(library):
    connection = connect(app_secret=Secret("env", "META_APP"))
    probe = connection.probe()
    signed = next(connection.auth().sync_auth_flow(httpx.Request(probe.method, probe.url)))
    _, _, fields = library("list", "remote_read", app_secret="canary-51c9")

    wanted = hmac.new(b"canary-51c9", b"token-1", hashlib.sha256).hexdigest()
    assert signed.url.params["appsecret_proof"] == fields["appsecret_proof"] == wanted
    assert signed.url.params["fields"] == "operation_status"
    assert signed.headers["authorization"] == "Bearer token-1"
    assert "canary" not in str(signed.url)


def test_without_the_app_there_is_no_proof():
    probe = connect().probe()
    signed = next(connect().auth().sync_auth_flow(httpx.Request(probe.method, probe.url)))

    assert "appsecret_proof" not in signed.url.params


def test_to_make_a_list_takes_the_account():
    connection = connect()
    with pytest.raises(ConfigError, match="ad account"):
        next(connection.destination.lists.create(connection, "Buyers", ""))


# ------------------------------------------------------------------------------------------- consent, limited data use


def test_limited_use_and_consent_are_said_of_additions_only():
    connection = connect(limited_data_use="LDU", limited_country="1", limited_state="1000", customer_consent="true")
    people = [{"email": "a@example.com"}, {"extern_id": 'a"]'}]
    added, removed = (body_of(request_of(connection, people, change)) for change in VERBS)

    assert added["customer_consent"] is True
    assert added["payload"]["schema"] == ["EMAIL", "EXTERN_ID", *LIMITED]
    assert [row[2:] for row in added["payload"]["data"]] == [[["LDU"], 1, 1000]] * 2
    assert removed["payload"]["schema"] == ["EMAIL", "EXTERN_ID"]
    assert removed["payload"]["data"][1] == ["", 'a"]']
    assert set(removed) == {"session", "payload"}


def test_without_a_place_meta_finds_out_where_people_are():
    body = body_of(request_of(connect(limited_data_use="LDU"), [{"email": "a@example.com"}]))

    assert body["payload"]["schema"] == ["EMAIL", "DATA_PROCESSING_OPTIONS"]
    assert [row[1:] for row in body["payload"]["data"]] == [[["LDU"]]]


def test_nothing_is_said_of_either_unless_it_is_set():
    body = body_of(request_of(connect(), [{"email": "a@example.com"}]))

    assert set(body) == {"session", "payload"}
    assert body["payload"]["schema"] == ["EMAIL"]


# ----------------------------------------------------------------------------------------------------------- the budget


def used(minutes, kind="custom_audience"):
    return {"type": kind, "call_count": 100, "estimated_time_to_regain_access": minutes}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("{", None),
        ("[]", None),
        ('{"1": 7, "2": ["x", null, {"type": "custom_audience", "estimated_time_to_regain_access": "9"}]}', None),
        (json.dumps({"1": [used(0)]}), None),
        (json.dumps({"1": [used(19), used(90, "ads_management")], "2": [used(3)]}), 1140.0),
    ],
)
def test_the_header_says_how_long_there_is_no_budget(header, seconds):
    answer = Answer(200, {} if header is None else {"X-Business-Use-Case-Usage": header})

    assert Usage().wait(answer, dt.datetime(2026, 11, 1, tzinfo=dt.UTC)) == seconds
