"""How requests are signed as they leave: by template, by token, and never with a secret anywhere else."""

import base64

import httpx
import pytest

from personas_kit.destinations.auth import (
    Basic,
    Bearer,
    Header,
    InBody,
    NoAuth,
    NotSignedError,
    OAuth,
    Query,
    Several,
    Signed,
    fill,
)
from personas_kit.secret import Secret

HOME = "https://api.example.com"


@pytest.fixture
def values(monkeypatch):
    monkeypatch.setenv("KEY", "s3cr3t")
    return {"key": Secret("env", "KEY"), "user": "ann", "nothing": None}


def message(content=b'{"a":1}', kind="application/json"):
    return httpx.Request("POST", f"{HOME}/v1?x=1", content=content, headers={"content-type": kind})


def signed(scheme, values, request=None):
    return next(scheme.flow(values, HOME, moved=False).sync_auth_flow(request or message()))


def test_templates_name_settings_and_what_is_missing_is_empty(values):
    assert fill("{user}/token:{key}{nothing}", values) == "ann/token:s3cr3t"


@pytest.mark.parametrize(
    ("scheme", "header", "value"),
    [
        (Basic("{key}"), "authorization", "Basic " + base64.b64encode(b"s3cr3t:").decode()),
        (Basic("{user}/token", "{key}"), "authorization", "Basic " + base64.b64encode(b"ann/token:s3cr3t").decode()),
        (Bearer("key"), "authorization", "Bearer s3cr3t"),
        (Header("Api-Key", "{key}"), "api-key", "s3cr3t"),
        (Several(Header("X-User", "{user}"), Header("X-Key", "{key}")), "x-key", "s3cr3t"),
    ],
)
def test_a_header_is_filled(scheme, header, value, values):
    assert signed(scheme, values).headers[header] == value


def test_an_optional_header_is_left_out(values):
    assert "x-key" not in signed(Header("X-Key", "{nothing}"), values).headers


def test_a_query_a_body_and_a_form_get_the_secret(values):
    assert signed(Query("key"), values).url == f"{HOME}/v1?x=1&key=s3cr3t"
    assert signed(InBody("key"), values).content == b'{"key":"s3cr3t","a":1}'
    form = message(b"b=2", "application/x-www-form-urlencoded")
    assert signed(InBody("key"), values, form).content == b"key=s3cr3t&b=2"


def test_nothing_is_changed_where_the_address_is_all(values):
    request = message()
    before = dict(request.headers)

    assert dict(signed(NoAuth(), values, request).headers) == before
    assert dict(signed(Signed("nothing", "X-Signature"), values, message()).headers) == before


TOKEN = OAuth("/token", {"grant_type": "client_credentials", "client_id": "{user}", "client_secret": "{key}"})


class Conversation:
    """Runs flows of one scheme against a script of answers; notes what was asked."""

    def __init__(self, scheme, values, *, moved=False):
        self.flow = scheme.flow(values, HOME, moved=moved)
        self.asked = []

    def run(self, *script):
        flow, answers = self.flow.sync_auth_flow(message()), iter(script)
        request = next(flow)
        while True:
            self.asked.append((str(request.url), request.headers.get("authorization"), request.content))
            status, body = next(answers)
            try:
                request = flow.send(httpx.Response(status, json=body, request=request))
            except StopIteration:
                return status


def test_a_token_is_asked_for_once_and_kept(values):
    talk = Conversation(TOKEN, values)

    assert talk.run((200, {"access_token": "t1"}), (200, {})) == 200
    assert talk.run((200, {})) == 200
    urls = [url for url, *_ in talk.asked]
    assert urls == [f"{HOME}/token", f"{HOME}/v1?x=1", f"{HOME}/v1?x=1"]
    assert talk.asked[0][2] == b"grant_type=client_credentials&client_id=ann&client_secret=s3cr3t"
    assert {header for _, header, _ in talk.asked[1:]} == {"Bearer t1"}


def test_a_token_may_be_asked_for_in_json(values):
    talk = Conversation(OAuth("/token", {"client_secret": "{key}"}, json=True), values)

    assert talk.run((200, {"access_token": "t1"}), (200, {})) == 200
    assert talk.asked[0][2] == b'{"client_secret": "s3cr3t"}'


def test_an_expired_token_is_renewed_once(values):
    talk = Conversation(TOKEN, values)
    talk.run((200, {"access_token": "t1"}), (200, {}))

    assert talk.run((401, {}), (200, {"access_token": "t2"}), (200, {})) == 200
    assert talk.run((401, {}), (200, {"access_token": "t3"}), (401, {})) == 401
    assert [header for *_, header, _ in talk.asked] == [
        None, "Bearer t1", "Bearer t1", None, "Bearer t2", "Bearer t2", None, "Bearer t3",
    ]  # fmt: skip


def test_a_vendor_may_say_in_its_own_way_that_a_token_is_old(values):
    old = OAuth("/token", {}, expired=lambda answer: answer.json().get("code") == "602")
    talk = Conversation(old, values)

    assert (
        talk.run((200, {"access_token": "a"}), (200, {"code": "602"}), (200, {"access_token": "b"}), (200, {})) == 200
    )


@pytest.mark.parametrize(
    ("status", "body", "again"),
    [(400, {"error": "invalid_grant"}, False), (401, {}, False), (200, {}, False), (200, [1], False), (503, {}, True)],
)
def test_without_a_token_nothing_is_sent_and_no_answer_is_repeated(values, status, body, again):
    talk = Conversation(TOKEN, values)

    with pytest.raises(NotSignedError) as problem:
        talk.run((status, body))
    assert problem.value.again is again
    assert problem.value.reason == f"no token was given: check the credentials ({status})"


def test_a_token_of_another_host_is_asked_for_there_unless_everything_is_elsewhere(values):
    google = OAuth("/token", {}, host="https://oauth2.example.com")

    assert google.flow(values, HOME, moved=False).origins == ("https://oauth2.example.com",)
    assert google.flow(values, "http://127.0.0.1:1", moved=True).origins == ("http://127.0.0.1:1",)
