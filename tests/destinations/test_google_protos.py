"""What goes to Google's Data Manager is what its own protocol buffers read, and what its own library sends."""

import json
from urllib.parse import parse_qs, urlsplit

import httpx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas_kit.destinations import Answer, Computation, find
from personas_kit.destinations.normalise import GOOGLE
from personas_kit.secret import Secret
from tests.destinations.conftest import batch_of, body_of
from tests.security.receivers import Receiver, response

pytestmark = pytest.mark.usefixtures("tidied")

v1 = pytest.importorskip("google.ads.datamanager_v1", reason="google-ads-datamanager is not installed")

from google.ads.datamanager_v1.services.ingestion_service.transports.rest import (  # noqa: E402
    IngestionServiceRestTransport,
)
from google.ads.datamanager_v1.services.user_list_service.transports.rest import (  # noqa: E402
    UserListServiceRestTransport,
)
from google.auth.credentials import AnonymousCredentials  # noqa: E402
from google.protobuf import json_format  # noqa: E402

BUYERS = Computation("buyers", "audience", "Buyers")
LEAST = {"client_id": "cid", "customer_id": "1234567890", "user_list_id": "777", "terms_of_service": "ACCEPTED"}
CONSENT = {"ad_user_data": "CONSENT_GRANTED", "ad_personalization": "CONSENT_DENIED"}
LINE = {"change": "enter", "value": "true", "member": json.dumps({"emailAddress": "0" * 64})}
DEVICE = "6D92078A-8246-4BA4-AE5B-76104861E7DC"
SENT = {"enter": v1.IngestAudienceMembersRequest, "exit": v1.RemoveAudienceMembersRequest}
HEX = set("0123456789abcdef")


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("GOOGLE_SECRET", "canary-7d10")


def connect(url=None, **more):
    secret = Secret("env", "GOOGLE_SECRET")
    values = {**LEAST, "client_secret": secret, "refresh_token": secret, **more}
    return find("google-customer-match").configure("it", values, url=url)


def members_of(connection, people):
    """What a list holds of people: kind of identifier -> text."""
    kinds = sorted({kind for person in people for kind in person})
    columns = {f"id_{kind}": [person.get(kind) for person in people] for kind in kinds}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    member = connection.member("list", dict(zip(kinds, kinds, strict=True)))
    return frame.select(member=member)["member"].drop_nulls().to_list()


def requests_of(connection, people, change="enter"):
    lines = [
        {"change": change, "value": "true", "message_id": f"m{at}", "member": member}
        for at, member in enumerate(members_of(connection, people))
    ]
    return connection.requests("list", batch_of(lines), BUYERS)


def read_by_google(request, kind):
    """The message that Google's own reader makes of a body; it knows no other fields, and no other words."""
    message = kind()
    json_format.ParseDict(body_of(request), kind.pb(message))
    return message


texts = st.text(max_size=12) | st.sampled_from(['"', "\\", "\N{SNOWMAN}", "\x00", "a" * 300])
people = st.fixed_dictionaries(
    {"email": st.builds("{}@{}".format, texts, st.sampled_from(["gmail.com", "x.org", ""]))},
    optional={
        "phone": st.text("0123456789+ ()", max_size=14),
        "first_name": texts,
        "last_name": texts,
        "zip": texts,
        "country": st.sampled_from(["US", "de", "USA", "", "1A"]),
    },
)


@pytest.mark.parametrize("change", SENT)
@pytest.mark.parametrize("more", [{}, CONSENT, {"login_customer_id": "42"}])
@given(crowd=st.lists(people, min_size=1, max_size=4))
def test_whatever_people_are_called_google_can_read_it(change, more, crowd):
    for request in requests_of(connect(**more), crowd, change):
        message = read_by_google(request, SENT[change])

        assert message.encoding == v1.Encoding.HEX
        assert len(message.audience_members) == request.lines[1] - request.lines[0]
        for member in message.audience_members:
            assert 1 <= len(member.user_data.user_identifiers) <= 10
            for each in member.user_data.user_identifiers:
                address = each.address
                hashed = [each.email_address, each.phone_number, address.given_name, address.family_name]
                assert all(len(text) == 64 and set(text) <= HEX for text in hashed if text)
                parts = [address.given_name, address.family_name, address.region_code, address.postal_code]
                assert all(parts) or not any(parts)
                assert len(address.region_code) in {0, 2}


@pytest.mark.parametrize("change", SENT)
@pytest.mark.parametrize(
    ("kind", "person", "holds"),
    [
        ("MOBILE_ID", {"mobile_advertiser_id": DEVICE, "email": "a@x.org"}, {"mobileData": {"mobileIds": [DEVICE]}}),
        ("USER_ID", {"user_id": ' Ann "7" '}, {"userIdData": {"userId": 'Ann "7"'}}),
    ],
)
def test_a_list_holds_one_kind_of_identifier(change, kind, person, holds):
    (request,) = requests_of(connect(upload_key_type=kind), [person], change)

    assert body_of(request)["audienceMembers"] == [holds]
    assert len(read_by_google(request, SENT[change]).audience_members) == 1


def test_consent_and_terms_are_said_of_additions_only():
    connection = connect(**CONSENT)
    (added,) = requests_of(connection, [{"email": "a@x.org"}])
    (removed,) = requests_of(connection, [{"email": "a@x.org"}], "exit")

    assert body_of(added)["consent"] == {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_DENIED"}
    assert {"consent", "termsOfService"} & set(body_of(removed)) == set()


# ---------------------------------------------------------------------------------------- the same call by the library


def seen_by(transport, call, message, answer):
    """Method, path and query, body and headers of what the library sends."""
    with Receiver(response(json.dumps(answer).encode(), Content_Type="application/json")) as receiver:
        opened = transport(host=f"127.0.0.1:{receiver.port}", credentials=AnonymousCredentials(), url_scheme="http")
        getattr(opened, call)(message)
        opened.close()
        (raw,) = receiver.requests
    head, _, body = raw.partition(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
    parts = urlsplit(target)
    query = {name: value for name, value in parse_qs(parts.query).items() if not name.startswith("$")}
    return method, parts.path, query, json.loads(body) if body else None


def ours(request):
    parts = urlsplit(request.url)
    return request.method, parts.path, parse_qs(parts.query), body_of(request)


def same_body(kind, one, other):
    """As Google reads them: the library writes the numbers of words."""
    return json_format.ParseDict(one, kind.pb(kind())) == json_format.ParseDict(other, kind.pb(kind()))


@pytest.mark.parametrize(
    ("change", "call"), [("enter", "ingest_audience_members"), ("exit", "remove_audience_members")]
)
def test_the_library_sends_the_same_members(change, call):
    person = {"email": "A@x.org", "phone": "+1 800 555 0100"}
    address = {"first_name": "Ann", "last_name": "Li", "zip": "94105", "country": "us"}
    (request,) = requests_of(connect(**CONSENT, login_customer_id="42"), [person, person | address], change)
    kind = SENT[change]
    message = read_by_google(request, kind)
    method, path, query, body = seen_by(IngestionServiceRestTransport, call, kind.pb(message), {"requestId": "r"})

    assert (method, path, query) == ours(request)[:3]
    assert same_body(kind, body, ours(request)[3])


def test_the_library_asks_for_the_same_status():
    wanted = v1.RetrieveRequestStatusRequest(request_id="r 1/2")
    sent = seen_by(
        IngestionServiceRestTransport, "retrieve_request_status", v1.RetrieveRequestStatusRequest.pb(wanted), {}
    )

    assert ours(next(connect().polling("r 1/2"))) == sent


def test_the_library_removes_everybody_in_the_same_way():
    before = {"before": "2026-11-27T11:59:30Z", "adding": [], "removing": ""}
    asked = next(connect(login_customer_id="42").polling(json.dumps(before, separators=(",", ":"))))
    message = read_by_google(asked, v1.RemoveAllAudienceMembersRequest)
    method, path, query, body = seen_by(
        IngestionServiceRestTransport,
        "remove_all_audience_members",
        v1.RemoveAllAudienceMembersRequest.pb(message),
        {"requestId": "r"},
    )

    assert (method, path, query) == ours(asked)[:3]
    assert same_body(v1.RemoveAllAudienceMembersRequest, body, ours(asked)[3])
    assert message.remove_as_of_time.isoformat() == "2026-11-27T11:59:30+00:00"


def test_the_library_reads_a_list_at_the_same_address():
    connection = connect(login_customer_id="42").replacement("list")
    (request,) = connection.requests("list", batch_of([LINE]), BUYERS)
    asked = next(connection.exchange("list", request, batch_of([LINE])))
    wanted = v1.GetUserListRequest(name="accountTypes/GOOGLE_ADS/accounts/1234567890/userLists/777")
    sent = seen_by(UserListServiceRestTransport, "get_user_list", v1.GetUserListRequest.pb(wanted), {})

    assert ours(asked) == sent
    assert asked.headers["login-account"] == "accountTypes/GOOGLE_ADS/accounts/42"


@pytest.mark.parametrize("kind", ["CONTACT_ID", "MOBILE_ID", "USER_ID"])
def test_the_library_makes_the_same_list(kind):
    connection = connect(upload_key_type=kind, app_id="org.example", key_space="IOS", login_customer_id="42")
    made = next(connection.destination.lists.create(connection, "Buyers", "who bought"))
    user_list = v1.UserList()
    json_format.ParseDict(body_of(made), v1.UserList.pb(user_list))
    wanted = v1.CreateUserListRequest(parent="accountTypes/GOOGLE_ADS/accounts/1234567890", user_list=user_list)
    method, path, query, body = seen_by(
        UserListServiceRestTransport, "create_user_list", v1.CreateUserListRequest.pb(wanted), {"id": "1"}
    )

    assert (method, path, query) == ours(made)[:3]
    assert same_body(v1.UserList, body, ours(made)[3])
    assert made.headers["login-account"] == "accountTypes/GOOGLE_ADS/accounts/42"


def test_the_library_reads_lists_at_the_same_address():
    wanted = v1.ListUserListsRequest(parent="accountTypes/GOOGLE_ADS/accounts/1234567890", page_size=1)
    sent = seen_by(UserListServiceRestTransport, "list_user_lists", v1.ListUserListsRequest.pb(wanted), {})

    assert ours(connect().probe()) == sent


# --------------------------------------------------------------------------------------------------- what becomes of it

INGESTED = {"audienceMembersIngestionStatus": {"userDataIngestionStatus": {"recordCount": "9"}}}
REMOVED_ALL = {"removeAllAudienceMembersStatus": {}}
REMOVED = {"audienceMembersRemovalStatus": {"userDataRemovalStatus": {"recordCount": "9"}}}


def errors(*reasons):
    counts = [{"reason": f"PROCESSING_ERROR_REASON_{reason}", "recordCount": "2"} for reason in reasons]
    return {"errorInfo": {"errorCounts": counts}}


def asked_once(answer):
    """What became of a request, by the answer to the question about it."""
    polling = connect().polling("r1")
    next(polling)
    try:
        polling.send(answer)
    except StopIteration as done:
        return done.value
    raise AssertionError("it asked once more")


@pytest.mark.parametrize(
    ("said", "verdict", "reason"),
    [
        ({"requestStatus": "PROCESSING"}, None, ""),
        ({"requestStatus": "REQUEST_STATUS_UNKNOWN"}, None, ""),
        ({}, None, ""),
        ({"requestStatus": "SUCCESS", **INGESTED}, "acknowledged", ""),
        ({"requestStatus": "SUCCESS", **REMOVED}, "acknowledged", ""),
        ({"requestStatus": "PARTIAL_SUCCESS", **INGESTED, **errors("NO_CONSENT")}, "acknowledged", ""),
        ({"requestStatus": "PARTIAL_SUCCESS", **INGESTED, **errors("INTERNAL_ERROR")}, "unknown", None),
        ({"requestStatus": "PARTIAL_SUCCESS", **REMOVED, **errors("INVALID_FORMAT")}, "unknown", None),
        ({"requestStatus": "PARTIAL_SUCCESS", **REMOVED_ALL}, "unknown", None),
        ({"requestStatus": "SUCCESS", **REMOVED_ALL}, "acknowledged", ""),
        (
            {"requestStatus": "FAILED", **errors("NO_CONSENT", "DENIED_CONSENT")},
            "rejected",
            "DENIED_CONSENT, NO_CONSENT",
        ),
        ({"requestStatus": "FAILED", **errors("INTERNAL_ERROR")}, "unknown", None),
        ({"requestStatus": "FAILED"}, "rejected", "FAILED"),
    ],
)
def test_what_google_says_later_is_one_of_few_things(said, verdict, reason):
    body = {"requestStatusPerDestination": [said]}
    json_format.ParseDict(body, v1.RetrieveRequestStatusResponse.pb(v1.RetrieveRequestStatusResponse()))
    outcome = asked_once(Answer(200, content=json.dumps(body).encode()))

    assert (outcome and outcome.verdict) == verdict
    assert reason is None or (outcome.reason if outcome else "") == reason


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, {}, None),
        (200, {"requestStatusPerDestination": [7]}, None),
        (200, {"requestStatusPerDestination": [{"requestStatus": ["FAILED"]}]}, None),
        (400, {"error": {"details": [{"reason": "REQUEST_TOO_OLD"}]}}, "unknown"),
        (400, {"error": {"details": [{"reason": "INVALID_REQUEST_ID"}]}}, "unknown"),
        (404, {"error": {"status": "NOT_FOUND"}}, "unknown"),
        (401, {"error": {"status": "UNAUTHENTICATED"}}, None),
        (503, {"error": {"status": "UNAVAILABLE"}}, None),
    ],
)
def test_what_cannot_be_found_out_now_is_asked_again(status, body, verdict):
    outcome = asked_once(Answer(status, content=json.dumps(body).encode()))

    assert (outcome and outcome.verdict) == verdict


def test_every_reason_of_the_table_is_one_of_googles():
    module = __import__("personas_kit.destinations.google_customer_match", fromlist=["_"])
    known = {reason.name for reason in v1.ErrorReason}

    assert known >= module.OF_SOME_MEMBER
    assert known >= module.GONE
    assert {identifier.name for identifier in GOOGLE.values()} >= set(module.ADDRESS)


def test_the_token_is_asked_for_at_googles_own_place():
    connection = connect()
    flow = connection.auth().sync_auth_flow(httpx.Request("POST", "https://datamanager.googleapis.com/v1/x"))
    asked = next(flow)
    form = parse_qs(asked.content.decode())
    signed = flow.send(httpx.Response(200, json={"access_token": "t1"}, request=asked))

    assert (asked.method, str(asked.url)) == ("POST", "https://oauth2.googleapis.com/token")
    assert form == {
        "grant_type": ["refresh_token"],
        "client_id": ["cid"],
        "client_secret": ["canary-7d10"],
        "refresh_token": ["canary-7d10"],
    }
    assert signed.headers["authorization"] == "Bearer t1"
