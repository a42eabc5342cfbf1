"""Amplitude: HTTP V2 for events, Identify and Group Identify for properties.

What is odd, and imitated here: the key travels in the body; the two identify calls take a *form* whose field
``identification`` holds JSON; ids shorter than five characters do not count unless ``options.min_id_length`` says
otherwise; an event is dropped when its ``insert_id`` was seen before; one bad event refuses the whole request and the
answer says which.

Sources: amplitude.com/docs/apis/analytics/http-v2, .../identify, .../group-identify (read 2026-11-23).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from personas_kit.sandbox.effects import (
    Effect,
    EffectKind,
    Handled,
    Incoming,
    Reply,
    account_label,
    digest,
    fields,
    json_reply,
    loads,
    text_reply,
)

BYTES = 1_000_000
EVENTS = 2_000
MIN_ID_LENGTH = 5


def httpapi(request: Incoming) -> Handled:
    """``POST /2/httpapi`` with ``{api_key, events, options}``: 400 names the bad events, 413 is over 1 MB or 2,000."""
    body = loads(request.content)
    if not isinstance(body, dict) or not isinstance(body.get("events"), list):
        return Handled(_error(400, "Invalid request path"), "amplitude")
    if not body.get("api_key"):
        return Handled(_error(400, "Invalid API key: "), "amplitude")
    account = account_label("amplitude", str(body["api_key"]))
    events: list[Any] = body["events"]
    if len(request.content) > BYTES or len(events) > EVENTS:
        return Handled(_error(413, "Payload too large"), account, items=len(events))
    problems = _problems(events, _min_id_length(body.get("options")), request.invalid)
    if problems:
        refusal = json_reply(400, {"code": 400, "error": "Request missing required field", **problems})
        return Handled(refusal, account, items=len(events))
    size = len(request.content)
    done = {"code": 200, "events_ingested": len(events), "payload_size_bytes": size, "server_upload_time": 0}
    effects = tuple(effect for one in events for effect in _event_effects(one))
    return Handled(json_reply(200, done), account, effects, len(events), account, dedupes=True)


def identify(request: Incoming) -> Handled:
    """``POST /identify``, a form: ``identification`` is one ``{user_id, user_properties}`` or a list of them."""
    return _form(request, "user_id", "user", "user_properties")


def groupidentify(request: Incoming) -> Handled:
    """``POST /groupidentify``, a form: ``{group_type, group_value, group_properties}`` or a list of them."""
    return _form(request, "group_value", "account", "group_properties")


def _form(request: Incoming, key: str, kind: EffectKind, properties: str) -> Handled:
    form = parse_qs(request.content.decode("utf-8", "replace"), keep_blank_values=True)
    api_key = form.get("api_key", [""])[0]
    if not api_key:
        return Handled(text_reply(400, "missing_api_key"), "amplitude")
    account = account_label("amplitude", api_key)
    body = loads(form.get("identification", [""])[0].encode())
    items = body if isinstance(body, list) else [body]
    if len(request.content) > BYTES:
        return Handled(text_reply(413, "Payload too large"), account, items=len(items))
    shortest = _min_id_length(loads(form.get("options", ["null"])[0].encode())) if kind == "user" else 1
    subjects = [str(fields(one).get(key) or fields(one).get("device_id") or "") for one in items]
    if request.invalid or min(map(len, subjects), default=0) < shortest:
        return Handled(text_reply(400, "invalid_identification"), account, items=len(items))
    effects = tuple(
        Effect(kind, subject, _set(fields(one).get(properties))) for subject, one in zip(subjects, items, strict=True)
    )
    return Handled(text_reply(200, "success"), account, effects, len(items))


def _event_effects(event: dict[str, Any]) -> list[Effect]:
    user = str(event.get("user_id") or f"device:{event.get('device_id')}")
    insert_id = str(event.get("insert_id") or "")
    same = digest(event) if insert_id else ""
    traits = _set(event.get("user_properties"))
    if event["event_type"] == "$identify":
        return [Effect("user", user, traits, insert_id, same)]
    tracked = {
        "event": event["event_type"],
        "properties": fields(event.get("event_properties")),
        "timestamp": event.get("time"),
    }
    effects = [Effect("event", user, tracked, insert_id, same)]
    return [*effects, Effect("user", user, traits)] if traits else effects


def _problems(events: list[Any], shortest: int, invalid: frozenset[int]) -> dict[str, Any]:
    ids = [[str(id_) for name in ("user_id", "device_id") if (id_ := fields(one).get(name))] for one in events]
    missing = [at for at, one in enumerate(events) if not fields(one).get("event_type")]
    nobody = [at for at, found in enumerate(ids) if not found]
    short = [at for at, found in enumerate(ids) if found and max(map(len, found)) < shortest]
    problems: dict[str, Any] = {}
    if missing or nobody:
        lacking = {"event_type": missing, "user_id": nobody}
        problems["events_with_missing_fields"] = {name: at for name, at in lacking.items() if at}
    if short:
        problems["events_with_invalid_id_lengths"] = {"user_id": short}
    if invalid:
        problems["events_with_invalid_fields"] = {"event_properties": sorted(invalid)}
    return problems


def _set(properties: object) -> dict[str, Any]:
    """Plain properties, or the operations ``$set`` and ``$unset``; the latter is kept as null."""
    given = fields(properties)
    if not any(name.startswith("$") for name in given):
        return given
    return {**fields(given.get("$set")), **dict.fromkeys(fields(given.get("$unset")))}


def _min_id_length(options: object) -> int:
    length = fields(options).get("min_id_length")
    return length if isinstance(length, int) else MIN_ID_LENGTH


def _error(status: int, why: str) -> Reply:
    return json_reply(status, {"code": status, "error": why})
