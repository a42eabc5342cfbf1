"""Which path speaks which protocol."""

from __future__ import annotations

import re

from personas_kit.sandbox import amplitude, meta, segment, webhook
from personas_kit.sandbox.effects import Handled, Incoming, json_reply

_SEGMENT = re.compile(r"(?P<rudderstack>/rudderstack)?/v1/(?P<call>batch|identify|track|group|page|screen|alias)")
_META = re.compile(r"/v\d+\.\d+/(?P<audience>\d+)(?P<users>/users(?P<replaces>replace)?)?")
_META_ACCOUNT = re.compile(r"/v\d+\.\d+/act_(?P<account>\d+)/customaudiences")


def route(request: Incoming) -> Handled:
    """Hand the request to the protocol of its path; 404 if there is none, 405 if it has no such method."""
    if found := _META.fullmatch(request.path):
        if found["replaces"] and request.method == "POST":
            return meta.users(request, found["audience"], replaces=True)
        if found["users"] and not found["replaces"] and request.method in ("POST", "DELETE"):
            return meta.users(request, found["audience"])
        if not found["users"] and request.method == "GET":
            return meta.audience(request, found["audience"])
    elif (found := _META_ACCOUNT.fullmatch(request.path)) and request.method == "POST":
        return meta.make(request, found["account"])
    elif request.method == "POST":
        handled = _post(request)
        if handled is not None:
            return handled
        return Handled(json_reply(404, {"error": "the sandbox knows no such path"}), "")
    return Handled(json_reply(405, {"error": "method not allowed"}), "")


def _post(request: Incoming) -> Handled | None:
    if found := _SEGMENT.fullmatch(request.path):
        speak = segment.rudderstack if found["rudderstack"] else segment.segment
        return speak(request, found["call"])
    match request.path:
        case "/2/httpapi":
            return amplitude.httpapi(request)
        case "/identify":
            return amplitude.identify(request)
        case "/groupidentify":
            return amplitude.groupidentify(request)
    if request.path == "/webhook" or request.path.startswith("/webhook/"):
        return webhook.webhook(request)
    return None
