"""What the sandbox makes of Meta's custom audiences."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from personas_kit.sandbox import Fault, Sandbox

TOKEN = {"Authorization": "Bearer made_up"}
USERS = "/v26.0/120001/users"


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


ANN, BOB = hashed("ann@example.com"), hashed("bob@example.com")


def send(client: httpx.Client, method: str, schema: Any, data: list[Any], **extra: Any) -> httpx.Response:
    return client.request(method, USERS, headers=TOKEN, json={"payload": {"schema": schema, "data": data}, **extra})


def test_entries_are_added_and_removed(sandbox: Sandbox, client: httpx.Client) -> None:
    # given a list of two
    session = {"session_id": 99, "batch_seq": 1, "last_batch_flag": True, "estimated_num_total": 2}
    answer = send(client, "POST", ["EMAIL"], [[ANN], [BOB]], session=session)
    assert answer.json() == {
        "audience_id": "120001",
        "session_id": "99",
        "num_received": 2,
        "num_invalid_entries": 0,
        "invalid_entry_samples": {},
    }
    # when one leaves, and leaves again
    assert send(client, "DELETE", ["EMAIL"], [[ANN]]).status_code == 200
    assert send(client, "DELETE", ["EMAIL"], [[ANN]]).status_code == 200
    # then the other is left, and the removal of an absent entry is noted
    assert sandbox.lists() == {"120001": {(("EMAIL", BOB),)}}
    assert sandbox.summary()["accounts"]["meta"]["removed_absent"] == 1


def test_an_entry_is_the_same_in_whatever_order_its_fields_come(sandbox: Sandbox, client: httpx.Client) -> None:
    phone = hashed("14155550100")
    send(client, "POST", ["PHONE", "EMAIL", "DATA_PROCESSING_OPTIONS"], [[phone, ANN, []], ["", BOB, ["LDU"]]])
    assert sandbox.lists() == {"120001": {(("EMAIL", ANN), ("PHONE", phone)), (("EMAIL", BOB),)}}
    send(client, "DELETE", ["EMAIL", "PHONE"], [[ANN, phone]])
    assert sandbox.lists() == {"120001": {(("EMAIL", BOB),)}}


@pytest.mark.parametrize(("schema", "data"), [("EMAIL_SHA256", [ANN]), ("EMAIL", [[ANN]]), ("EMAIL", [ANN])])
def test_one_field_may_come_flat(sandbox: Sandbox, client: httpx.Client, schema: str, data: list[Any]) -> None:
    send(client, "POST", schema, data)
    assert sandbox.lists() == {"120001": {(("EMAIL", ANN),)}}


def test_invalid_entries_are_counted_and_not_located(sandbox: Sandbox, client: httpx.Client) -> None:
    answer = send(client, "POST", ["EMAIL"], [[ANN], ["ann@example.com"], [""], [ANN.upper()]])
    assert (answer.status_code, answer.json()["num_received"], answer.json()["num_invalid_entries"]) == (200, 4, 3)
    assert sandbox.lists() == {"120001": {(("EMAIL", ANN),)}}


def test_entries_can_be_made_invalid_on_purpose(sandbox: Sandbox, client: httpx.Client) -> None:
    sandbox.fail(Fault(kind="invalid", rows=(0,)))
    assert send(client, "POST", ["EMAIL"], [[ANN], [BOB]]).json()["num_invalid_entries"] == 1
    assert sandbox.lists() == {"120001": {(("EMAIL", BOB),)}}


@pytest.mark.parametrize(
    "body",
    [
        {"payload": {"schema": ["EMAIL"], "data": [["x"]] * 10_001}},
        {"payload": {"schema": ["EMAIL", "PHONE"], "data": [[ANN]]}},
        {"payload": {"schema": ["MAIL"], "data": [[ANN]]}},
        {"payload": {"schema": [], "data": []}},
        {"payload": {"schema": ["EMAIL"]}},
        {
            "payload": {"schema": ["EMAIL"], "data": [[ANN]]},
            "session": {"session_id": 0, "batch_seq": 1, "last_batch_flag": True},
        },
        {},
    ],
)
def test_what_is_error_100(sandbox: Sandbox, client: httpx.Client, body: dict[str, Any]) -> None:
    answer = client.post(USERS, headers=TOKEN, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
    assert sandbox.lists() == {}


def test_ten_thousand_entries_are_taken(sandbox: Sandbox, client: httpx.Client) -> None:
    send(client, "POST", ["EMAIL"], [[hashed(str(at))] for at in range(10_000)])
    assert len(sandbox.lists()["120001"]) == 10_000


def test_without_a_token_it_is_error_190(client: httpx.Client) -> None:
    answer = client.post(USERS, json={"payload": {"schema": ["EMAIL"], "data": [[ANN]]}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 190)
