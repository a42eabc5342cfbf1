"""What a sender sees when the sandbox fails on purpose, and what took effect all the same."""

from __future__ import annotations

import json
import threading

import httpx
import pytest

from personas_kit.errors import ConfigError
from personas_kit.sandbox import Fault, Sandbox


def send(client: httpx.Client, user: str = "u_1") -> httpx.Response:
    return client.post("/v1/identify", auth=("made_up", ""), json={"userId": user, "traits": {"a": 1}})


def test_a_script_answers_one_request_after_the_other(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fail(Fault(kind="status", status=429, headers={"Retry-After": "3"}, body="slow down"), None, 503)
    first, second, third, fourth = (send(client, f"u_{at}") for at in range(4))
    assert (first.status_code, first.headers["Retry-After"], first.text) == (429, "3", "slow down")
    assert [one.status_code for one in (second, third, fourth)] == [200, 503, 200]
    assert list(sandbox.users()) == ["u_1", "u_3"]
    assert [one.fault for one in sandbox.requests] == ["status", "", "status", ""]


def test_a_status_may_hide_that_the_request_took_effect(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fail(Fault(kind="status", status=502, applied=True))
    assert send(client).status_code == 502
    assert list(sandbox.users()) == ["u_1"]


@pytest.mark.parametrize(
    ("fault", "took_effect"),
    [
        (Fault(kind="drop"), False),
        (Fault(kind="drop", applied=True), True),
        (Fault(kind="cut"), True),
    ],
    ids=["before reading", "after applying", "in the middle of the answer"],
)
def test_a_lost_connection_leaves_the_sender_in_doubt(
    sandbox: Sandbox, client: httpx.Client, fault: Fault, took_effect: bool
) -> None:
    sandbox.fail(fault)
    with pytest.raises(httpx.TransportError):
        send(client)
    assert list(sandbox.users()) == (["u_1"] if took_effect else [])
    assert [one.status for one in sandbox.requests] == [0]
    assert send(client).status_code == 200


def test_a_delayed_answer_comes_too_late_for_an_applied_request(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fail(Fault(kind="delay", seconds=60))
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/identify", auth=("made_up", ""), json={"userId": "u_1", "traits": {}}, timeout=0.3)
    assert list(sandbox.users()) == ["u_1"]


def test_a_truncated_answer_is_not_json(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fail(Fault(kind="truncate"))
    answer = send(client)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert list(sandbox.users()) == ["u_1"]


def test_a_web_page_with_200_is_no_answer(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fail(Fault(kind="html"))
    answer = send(client)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert sandbox.users() == {}


def test_invalid_events_of_amplitude_refuse_the_request_and_are_named(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fail(Fault(kind="invalid", rows=(1,)))
    events = [{"user_id": f"user_{at}", "event_type": "Signed In"} for at in range(2)]
    answer = client.post("/2/httpapi", json={"api_key": "made_up", "events": events})
    assert (answer.status_code, answer.json()["events_with_invalid_fields"]) == (400, {"event_properties": [1]})
    assert sandbox.events() == []


def test_a_fault_waits_for_its_path(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fail(Fault(kind="status", status=500, path="/webhook"))
    assert send(client).status_code == 200
    assert client.post("/webhook", json={}).status_code == 500
    assert sandbox.summary()["faults_left"] == 0


def test_another_process_can_steer_and_look(sandbox: Sandbox, client: httpx.Client) -> None:
    answer = client.post(
        "/_sandbox/fail", json=[{"kind": "status", "status": 503, "headers": {"Retry-After": "1"}}, None]
    )
    assert answer.json() == {"faults_left": 2}
    assert send(client).status_code == 503
    assert send(client).status_code == 200
    assert client.get("/_sandbox/summary").json() == sandbox.summary()
    assert sandbox.summary()["statuses"] == {"200": 1, "503": 1}


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ([{"kind": "explode"}], "there is no fault 'explode'"),
        ([{"kind": "status", "statuss": 1}], "a fault has no 'statuss'"),
        ([{"status": 500}], "a fault is an object with a kind"),
        ({"fault": []}, "faults are a list"),
        ([{"kind": "status", "status": 99}], "from 200 to 599"),
        ([{"kind": "delay", "seconds": -1}], "number of seconds"),
        ([{"kind": "invalid", "rows": 3}], "not iterable"),
    ],
)
def test_a_wrong_script_is_explained(sandbox: Sandbox, client: httpx.Client, faults: object, says: str) -> None:
    answer = client.post("/_sandbox/fail", json=faults)
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert sandbox.summary()["faults_left"] == 0


def test_a_fault_is_checked_where_it_is_made() -> None:
    with pytest.raises(ConfigError, match="no fault 'statu'"):
        Fault(kind="statu")  # type: ignore[arg-type]


def test_faults_can_be_forgotten(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fail(500, 500)
    sandbox.heal()
    assert send(client).status_code == 200


def test_a_foreign_page_can_neither_steer_nor_look(sandbox: Sandbox, client: httpx.Client) -> None:
    # a form of a web page cannot send JSON unasked; a name that was pointed at the loopback address is not ours
    assert client.post("/_sandbox/fail", content=b"[]", headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.get("/", headers={"Host": "evil.example:80"}).status_code == 421
    assert client.get("/", headers={"Host": f"localhost:{sandbox.port}"}).status_code == 200


def test_many_senders_at_once_lose_nothing(sandbox: Sandbox) -> None:
    def push(sender: int) -> None:
        with httpx.Client(base_url=sandbox.url, trust_env=False) as own:
            for at in range(20):
                send(own, f"u_{sender}_{at}")

    threads = [threading.Thread(target=push, args=(sender,)) for sender in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(sandbox.users()) == len(sandbox.requests) == 80
