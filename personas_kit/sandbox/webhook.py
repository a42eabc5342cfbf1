"""A webhook: any JSON is taken, and the signature is kept with the bytes it signs, so that a reader can check it.

An object of ``type`` identify, track or group, or a list of such objects, also counts as what it says, as for Segment.
Nothing is deduplicated: a receiver that is not idempotent sees every repetition.
"""

from __future__ import annotations

from typing import Any

from personas_kit.sandbox.effects import Handled, Incoming, json_reply, loads
from personas_kit.sandbox.segment import CALLS, effects_of, integrations_of


def webhook(request: Incoming) -> Handled:
    """``POST /webhook`` and below it: 400 if the body is not JSON, else 200."""
    account = f"webhook:{request.path.removeprefix('/webhook').strip('/')}".removesuffix(":")
    body = loads(request.content)
    if body is None or request.invalid:
        return Handled(json_reply(400, {"ok": False}), account)
    items: list[Any] = body if isinstance(body, list) else [body]
    messages = [one for one in items if isinstance(one, dict) and one.get("type") in CALLS]
    effects, ignored = effects_of(messages)
    return Handled(
        json_reply(200, {"ok": True}),
        account,
        tuple(effects),
        items=len(items),
        scope=account,
        ignored=tuple(ignored),
        integrations=integrations_of(messages),
        signature=request.headers.get("x-signature", ""),
    )
