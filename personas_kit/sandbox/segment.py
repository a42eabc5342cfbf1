"""Segment's HTTP Tracking API, and RudderStack's data plane, which takes the same messages.

What is odd, and imitated here:

- Segment answers 200 before it looks: a message without a user, or beyond the 2,500th of a batch, is accepted and
  dropped. RudderStack refuses the whole request when one message names nobody.
- Segment drops a message whose ``messageId`` it has seen, whatever the content, across all sources. RudderStack's
  deduplication is off by default, so a repeated message counts twice there.
- Segment answers JSON, RudderStack the plain text ``OK``.

Sources: segment.com/docs/connections/sources/catalog/libraries/server/http-api, segment.com/docs/guides/duplicate-data,
rudderstack.com/docs/api/http-api, rudder-server ``gateway/`` (read 2026-11-23).
"""

from __future__ import annotations

from typing import Any

from personas_kit.sandbox.effects import (
    Effect,
    Handled,
    Incoming,
    Reply,
    account_label,
    basic_user,
    digest,
    fields,
    json_reply,
    loads,
    text_reply,
)

CALLS = ("identify", "track", "group", "page", "screen", "alias")
SEGMENT_BYTES = 500_000
SEGMENT_ITEM_BYTES = 32 * 1024
SEGMENT_ITEMS = 2_500
RUDDERSTACK_BYTES = 4_000 * 1024
MESSAGE_ID_CHARACTERS = 100
_DONE = json_reply(200, {"success": True})


def segment(request: Incoming, call: str) -> Handled:
    """``POST /v1/{call}``; ``batch`` carries several messages.

    Answers 401 without a write key, 400 for a request over 500 KB, a message over 32 KB or bad JSON; else 200.
    """
    write_key = basic_user(request.headers)
    if not write_key:
        return _refused(401, "missing write key", "segment")
    account = account_label("segment", write_key)
    if len(request.content) > SEGMENT_BYTES:
        return _refused(400, "request is over 500 KB", account)
    if "application/json" not in request.headers.get("content-type", ""):
        return _refused(400, "content type must be application/json", account)
    messages = messages_of(loads(request.content), call)
    if messages is None:
        return _refused(400, "malformed JSON", account)
    if len(request.content) > SEGMENT_ITEM_BYTES and any(_size(one) > SEGMENT_ITEM_BYTES for one in messages):
        return _refused(400, "a message is over 32 KB", account)
    if request.invalid:
        return _refused(400, "Segment gives no results per message", account)
    effects, ignored = effects_of(messages[:SEGMENT_ITEMS])
    ignored += ["beyond the 2,500th message of a batch"] * (len(messages) - SEGMENT_ITEMS)
    return Handled(
        _DONE,
        account,
        tuple(effects),
        items=len(messages),
        scope="segment",
        dedupes=True,
        ignored=tuple(ignored),
        integrations=integrations_of(messages),
    )


def rudderstack(request: Incoming, call: str) -> Handled:
    """``POST /rudderstack/v1/{call}``: 401 without a write key, 413 over 4 MB, 400 for messages that name nobody."""
    write_key = basic_user(request.headers)
    if not write_key:
        return Handled(text_reply(401, "Failed to read writeKey from header"), "rudderstack")
    account = account_label("rudderstack", write_key)
    if len(request.content) > RUDDERSTACK_BYTES:
        return Handled(text_reply(413, "Request size exceeds max limit"), account)
    messages = messages_of(loads(request.content), call)
    if messages is None:
        return Handled(text_reply(400, "Invalid JSON"), account)
    if not messages or request.invalid:
        return Handled(text_reply(400, "Empty batch payload" if not messages else "Request failed"), account)
    if not all(_names_someone(one) for one in messages):
        return Handled(text_reply(400, "Request neither has anonymousId nor userId"), account, items=len(messages))
    effects, ignored = effects_of(messages)
    return Handled(
        text_reply(200, "OK"),
        account,
        tuple(effects),
        items=len(messages),
        scope=account,
        ignored=tuple(ignored),
        integrations=integrations_of(messages),
    )


def messages_of(body: object, call: str) -> list[dict[str, Any]] | None:
    """The messages of a body, each with its type and what the envelope says for all of them; None if malformed."""
    if not isinstance(body, dict):
        return None
    if call != "batch":
        return [{**body, "type": call}]
    batch = body.get("batch")
    if not isinstance(batch, list) or not all(isinstance(one, dict) for one in batch):
        return None
    shared = {name: body[name] for name in ("context", "integrations") if isinstance(body.get(name), dict)}
    if not shared:
        return batch
    return [{**one, **{name: {**value, **fields(one.get(name))} for name, value in shared.items()}} for one in batch]


def effects_of(messages: list[dict[str, Any]]) -> tuple[list[Effect], list[str]]:
    """What the messages do, and why some of them do nothing."""
    effects: list[Effect] = []
    ignored: list[str] = []
    for message in messages:
        problem = _problem(message)
        if problem:
            ignored.append(problem)
        else:
            effects.append(_effect(message))
    return effects, ignored


def integrations_of(messages: list[dict[str, Any]]) -> tuple[str, ...]:
    """The names that ``integrations`` switches on, sorted."""
    names = {
        name
        for message in messages
        for name, value in fields(message.get("integrations")).items()
        if value and name != "All"
    }
    return tuple(sorted(names))


def _effect(message: dict[str, Any]) -> Effect:
    message_id = str(message.get("messageId") or "")
    same = digest(message, without=("sentAt",)) if message_id else ""
    user = str(message.get("userId") or f"anonymous:{message.get('anonymousId')}")
    match message["type"]:
        case "identify":
            return Effect("user", user, fields(message.get("traits")), message_id, same)
        case "group":
            return Effect("account", str(message["groupId"]), fields(message.get("traits")), message_id, same)
        case _:
            event = {
                "event": message.get("event") or message["type"],
                "properties": fields(message.get("properties")),
                "timestamp": message.get("timestamp"),
            }
            return Effect("event", user, event, message_id, same)


def _problem(message: dict[str, Any]) -> str:
    call = message.get("type")
    if call not in CALLS:
        return "unknown type"
    if not _names_someone(message):
        return "neither userId nor anonymousId"
    if call == "track" and not message.get("event"):
        return "track without event"
    if call == "group" and not message.get("groupId"):
        return "group without groupId"
    if len(str(message.get("messageId") or "")) > MESSAGE_ID_CHARACTERS:
        return "messageId over 100 characters"
    return ""


def _names_someone(message: dict[str, Any]) -> bool:
    return bool(message.get("userId") or message.get("anonymousId"))


def _size(message: dict[str, Any]) -> int:
    return len(json_reply(200, message).content)


def _refused(status: int, why: str, account: str) -> Handled:
    body: Reply = json_reply(status, {"success": False, "message": why})
    return Handled(body, account)
