"""What the sandbox makes of Segment's, RudderStack's, Amplitude's and a webhook's requests."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from personas_kit.sandbox import Sandbox

KEY = ("made_up_write_key", "")


def identify(user: str, message_id: str, **traits: object) -> dict[str, object]:
    return {"type": "identify", "userId": user, "messageId": message_id, "traits": traits}


def test_a_batch_sets_traits_of_users_and_accounts_and_keeps_events(sandbox: Sandbox, client: httpx.Client) -> None:
    # given a batch with one message of each type
    batch = [
        identify("u_1", "m1", buyers=True, plan=None),
        {"type": "group", "anonymousId": "account:a_1", "groupId": "a_1", "messageId": "m2", "traits": {"seats": 3}},
        {
            "type": "track",
            "userId": "u_1",
            "messageId": "m3",
            "event": "Audience Entered",
            "properties": {"buyers": True},
        },
    ]
    # when it is sent
    answer = client.post("/v1/batch", auth=KEY, json={"batch": batch, "integrations": {"All": False, "Braze": True}})
    # then everything is where it belongs
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert sandbox.users() == {"u_1": {"buyers": True, "plan": None}}
    assert sandbox.accounts() == {"a_1": {"seats": 3}}
    [event] = sandbox.events()
    assert (event["user_id"], event["event"], event["properties"]) == ("u_1", "Audience Entered", {"buyers": True})
    [request] = sandbox.requests
    assert (request.method, request.path, request.status, request.items) == ("POST", "/v1/batch", 200, 3)
    assert request.integrations == ("Braze",)


def test_single_calls_take_their_type_from_the_path(sandbox: Sandbox, client: httpx.Client) -> None:
    client.post("/v1/identify", auth=KEY, json={"userId": "u_1", "traits": {"a": 1}})
    client.post("/v1/track", auth=KEY, json={"userId": "u_1", "event": "Signed In"})
    client.post("/v1/group", auth=KEY, json={"userId": "u_1", "groupId": "a_1", "traits": {"b": 2}})
    assert sandbox.users() == {"u_1": {"a": 1}}
    assert sandbox.accounts() == {"a_1": {"b": 2}}
    assert [event["event"] for event in sandbox.events()] == ["Signed In"]


def test_later_traits_are_merged_into_earlier_ones(sandbox: Sandbox, client: httpx.Client) -> None:
    for message in (identify("u_1", "m1", a=1, b=1), identify("u_1", "m2", b=None)):
        client.post("/v1/batch", auth=KEY, json={"batch": [message]})
    assert sandbox.users() == {"u_1": {"a": 1, "b": None}}


def test_segment_drops_what_it_has_seen_and_rudderstack_does_not(sandbox: Sandbox, client: httpx.Client) -> None:
    # given the same track call sent twice to both
    track = {"type": "track", "userId": "u_1", "messageId": "m1", "event": "Signed In"}
    for path in ("/v1/batch", "/v1/batch", "/rudderstack/v1/batch", "/rudderstack/v1/batch"):
        client.post(path, auth=KEY, json={"batch": [track]})
    # then one counts once, the other twice, and both are noted
    assert len(sandbox.events("segment")) == 1
    assert len(sandbox.events("rudderstack")) == 2
    assert sandbox.duplicates == {"m1": 2}
    assert sandbox.conflicts == []
    assert [one.duplicates for one in sandbox.requests] == [0, 1, 0, 1]


def test_one_message_id_with_two_contents_is_noticed_whatever_sent_at_says(
    sandbox: Sandbox, client: httpx.Client
) -> None:
    first, same, other = (
        identify("u_1", "m1", a=1),
        {**identify("u_1", "m1", a=1), "sentAt": "later"},
        identify("u_1", "m1", a=2),
    )
    client.post("/v1/batch", auth=KEY, json={"batch": [first, same]})
    assert sandbox.conflicts == []
    client.post("/v1/batch", auth=KEY, json={"batch": [other]})
    assert sandbox.conflicts == ["m1"]
    assert sandbox.users() == {"u_1": {"a": 1}}


def test_segment_accepts_and_drops_what_names_nobody(sandbox: Sandbox, client: httpx.Client) -> None:
    answer = client.post("/v1/batch", auth=KEY, json={"batch": [{"type": "identify", "traits": {"a": 1}}]})
    assert answer.status_code == 200
    assert sandbox.users() == {}
    assert sandbox.summary()["ignored"] == {"neither userId nor anonymousId": 1}


def test_segment_drops_messages_beyond_the_2500th(sandbox: Sandbox, client: httpx.Client) -> None:
    batch = [{"type": "identify", "userId": f"u_{at}", "traits": {}} for at in range(2_502)]
    assert client.post("/v1/batch", auth=KEY, json={"batch": batch}).status_code == 200
    assert len(sandbox.users()) == 2_500
    assert sandbox.summary()["ignored"] == {"beyond the 2,500th message of a batch": 2}


@pytest.mark.parametrize(
    ("path", "auth", "content", "status"),
    [
        ("/v1/batch", None, b'{"batch": []}', 401),
        ("/v1/batch", ("", ""), b'{"batch": []}', 401),
        ("/v1/batch", KEY, b'{"batch": [', 400),
        ("/v1/batch", KEY, b'{"batch": [1]}', 400),
        ("/v1/batch", KEY, b'{"batch": [], "context": {"pad": "' + b"x" * 500_000 + b'"}}', 400),
        ("/v1/identify", KEY, b'{"userId": "u", "traits": {"pad": "' + b"x" * 32_768 + b'"}}', 400),
        ("/rudderstack/v1/batch", None, b'{"batch": []}', 401),
        ("/rudderstack/v1/batch", KEY, b'{"batch": []}', 400),
        ("/rudderstack/v1/batch", KEY, b'{"batch": [{"type": "group", "groupId": "a"}]}', 400),
        ("/rudderstack/v1/batch", KEY, b'{"batch": [], "pad": "' + b"x" * 4_096_000 + b'"}', 413),
        ("/v1/nothing", KEY, b"{}", 404),
        ("/2/httpapi", None, b'{"events": []}', 400),
        ("/2/httpapi", None, b"[]", 400),
    ],
)
def test_what_is_refused(
    sandbox: Sandbox, client: httpx.Client, path: str, auth: tuple[str, str] | None, content: bytes, status: int
) -> None:
    answer = client.post(path, auth=auth, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert sandbox.summary()["accounts"] == {}
    assert [one.status for one in sandbox.requests] == [status]


def test_other_methods_are_refused(client: httpx.Client) -> None:
    assert client.put("/v1/batch", auth=KEY, json={}).status_code == 405
    assert client.get("/v1/batch").status_code == 405


def test_rudderstack_answers_plain_ok(sandbox: Sandbox, client: httpx.Client) -> None:
    answer = client.post("/rudderstack/v1/batch", auth=KEY, json={"batch": [identify("u_1", "m1", a=1)]})
    assert (answer.status_code, answer.text) == (200, "OK")
    assert sandbox.users() == {"u_1": {"a": 1}}


def test_gzip_bodies_are_unpacked(sandbox: Sandbox, client: httpx.Client) -> None:
    packed = gzip.compress(json.dumps({"batch": [identify("u_1", "m1", a=1)]}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert client.post("/v1/batch", auth=KEY, content=packed, headers=headers).status_code == 200
    assert sandbox.users() == {"u_1": {"a": 1}}


@pytest.mark.parametrize("content", [b"not gzip", gzip.compress(b'{"batch": []}', mtime=0)[:-6]])
def test_broken_gzip_is_refused(client: httpx.Client, content: bytes) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert client.post("/v1/batch", auth=KEY, content=content, headers=headers).status_code == 400


def test_two_write_keys_are_two_accounts_and_neither_key_is_shown(sandbox: Sandbox, client: httpx.Client) -> None:
    for key, user in (("key_of_one", "u_1"), ("key_of_other", "u_2")):
        client.post("/v1/identify", auth=(key, ""), json={"userId": user, "traits": {"a": 1}})
    with pytest.raises(LookupError, match="several destination accounts received users"):
        sandbox.users()
    names = list(sandbox.summary()["accounts"])
    assert sorted(len(sandbox.users(name)) for name in names) == [1, 1]
    shown = json.dumps(sandbox.summary()) + repr(sandbox.requests) + client.get("/").text
    assert "key_of" not in shown


def amplitude_event(user: str, insert_id: str) -> dict[str, object]:
    return {
        "user_id": user,
        "event_type": "Audience Entered",
        "insert_id": insert_id,
        "event_properties": {"buyers": True},
    }


def test_amplitude_keeps_events_once_per_insert_id(sandbox: Sandbox, client: httpx.Client) -> None:
    body = {"api_key": "made_up", "events": [amplitude_event("user_1", "i1"), amplitude_event("user_2", "i2")]}
    answers = [client.post("/2/httpapi", json=body) for _ in range(2)]
    assert [one.json()["events_ingested"] for one in answers] == [2, 2]
    assert [one["user_id"] for one in sandbox.events()] == ["user_1", "user_2"]
    assert sandbox.duplicates == {"i1": 1, "i2": 1}


def test_amplitude_says_which_ids_are_too_short_unless_told_otherwise(sandbox: Sandbox, client: httpx.Client) -> None:
    body = {"api_key": "made_up", "events": [amplitude_event("user_1", "i1"), amplitude_event("u", "i2")]}
    refused = client.post("/2/httpapi", json=body)
    assert (refused.status_code, refused.json()["events_with_invalid_id_lengths"]) == (400, {"user_id": [1]})
    assert sandbox.events() == []
    taken = client.post("/2/httpapi", json={**body, "options": {"min_id_length": 1}})
    assert taken.status_code == 200
    assert len(sandbox.events()) == 2


def test_amplitude_refuses_more_than_2000_events(client: httpx.Client) -> None:
    body = {"api_key": "made_up", "events": [amplitude_event("user_1", f"i{at}") for at in range(2_001)]}
    assert client.post("/2/httpapi", json=body).status_code == 413


def test_amplitude_identify_and_groupidentify_are_forms(sandbox: Sandbox, client: httpx.Client) -> None:
    users = [
        {"user_id": "user_1", "user_properties": {"a": 1}},
        {"user_id": "user_2", "user_properties": {"$set": {"b": 2}}},
    ]
    group = {"group_type": "account", "group_value": "a_1", "group_properties": {"seats": 3}}
    first = client.post("/identify", data={"api_key": "made_up", "identification": json.dumps(users)})
    second = client.post("/groupidentify", data={"api_key": "made_up", "identification": json.dumps(group)})
    assert (first.text, second.text) == ("success", "success")
    assert sandbox.users() == {"user_1": {"a": 1}, "user_2": {"b": 2}}
    assert sandbox.accounts() == {"a_1": {"seats": 3}}


@pytest.mark.parametrize(
    "form",
    [
        {"identification": "{}"},
        {"api_key": "made_up", "identification": '{"user_id": "u"}'},
        {"api_key": "made_up", "identification": "["},
    ],
)
def test_amplitude_forms_that_are_refused(sandbox: Sandbox, client: httpx.Client, form: dict[str, str]) -> None:
    assert client.post("/identify", data=form).status_code == 400
    assert sandbox.users() == {}


def test_a_webhook_keeps_the_signed_bytes_and_their_signature(sandbox: Sandbox, client: httpx.Client) -> None:
    content = b'[{"type":"identify","userId":"u_1","messageId":"m1","traits":{"a":1}}]'
    answer = client.post("/webhook/crm", content=content, headers={"X-Signature": "abc123"})
    assert answer.json() == {"ok": True}
    [request] = sandbox.requests
    assert (request.account, request.signature, request.content) == ("webhook:crm", "abc123", content)
    assert sandbox.users("webhook") == {"u_1": {"a": 1}}


def test_nonsense_inside_a_message_does_no_harm(sandbox: Sandbox, client: httpx.Client) -> None:
    message = {"type": "identify", "userId": "u_1", "traits": "no", "integrations": ["no"], "context": 1}
    assert (
        client.post("/v1/batch", auth=KEY, json={"batch": [message], "integrations": {"Braze": True}}).status_code
        == 200
    )
    assert sandbox.users() == {"u_1": {}}
