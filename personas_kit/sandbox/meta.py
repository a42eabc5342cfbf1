"""Meta's custom audiences: ``POST`` and ``DELETE /v26.0/{audience_id}/users``, ``usersreplace``; reading, making one.

What is odd, and imitated here: the answer counts invalid entries and does not say which; an answer of 200 with invalid
entries is normal; a removal carries a JSON body on ``DELETE``; more than 10,000 entries are error 100; a hashed field
is 64 hex digits and an unknown cell is the empty text.

An entry of a list is kept as the sorted pairs of its fields, ``(("EMAIL", "<hex>"), ("PHONE", "<hex>"))``, so that the
order of the schema does not matter. The real service matches people and not entries, and applies changes within 24
hours; here a removal takes out the equal entry, at once.

Sources: developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences and
.../reference/custom-audience/users, v26.0 (read 2026-11-23).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from personas_kit.sandbox.effects import Effect, EffectKind, Handled, Incoming, bearer, fields, json_reply, loads

ENTRIES = 10_000
HASHED = frozenset({"EMAIL", "PHONE", "GEN", "DOBY", "DOBM", "DOBD", "LN", "FN", "FI", "CT", "ST", "ZIP", "COUNTRY"})
PLAIN = frozenset({"EXTERN_ID", "MADID", "LOOKALIKE_VALUE", "APPUID", "PAGEUID"})
OPTIONS = frozenset({"DATA_PROCESSING_OPTIONS", "DATA_PROCESSING_OPTIONS_COUNTRY", "DATA_PROCESSING_OPTIONS_STATE"})
SINGLE = {"EMAIL_SHA256": "EMAIL", "PHONE_SHA256": "PHONE", "MOBILE_ADVERTISER_ID": "MADID"}
_HEX = re.compile(r"[0-9a-f]{64}")
_BAD_REQUEST = 100
_BAD_TOKEN = 190

Entry = list[list[str]]


class _RefusedError(Exception):
    """A request that Meta answers with an error object."""

    def __init__(self, why: str, code: int = _BAD_REQUEST) -> None:
        super().__init__(why)
        self.code = code


def users(request: Incoming, audience_id: str, *, replaces: bool = False) -> Handled:
    """Add or remove entries; 400 with an ``error`` object for a missing token, a bad schema or too many entries."""
    try:
        return _users(request, audience_id, replaces=replaces)
    except _RefusedError as refused:
        error = {"message": str(refused), "type": "OAuthException", "code": refused.code, "fbtrace_id": "sandbox"}
        return Handled(json_reply(400, {"error": error}), "meta")


def audience(request: Incoming, audience_id: str) -> Handled:
    """Read what an audience is like: any id is one, and all is well with it."""
    if not bearer(request.headers):
        return _no_token()
    status = {"code": 200, "description": "Normal"}
    return Handled(json_reply(200, {"id": audience_id, "operation_status": status}), "meta")


def make(request: Incoming, account_id: str) -> Handled:
    """Make an audience: its id follows from the account and the name."""
    if not bearer(request.headers):
        return _no_token()
    said = hashlib.sha256(account_id.encode() + request.content).digest()
    return Handled(json_reply(200, {"id": str(int.from_bytes(said[:6], "big"))}), "meta")


def _no_token() -> Handled:
    error = {"message": "An access token is required to request this resource.", "code": _BAD_TOKEN}
    return Handled(json_reply(400, {"error": {**error, "type": "OAuthException"}}), "meta")


def _users(request: Incoming, audience_id: str, *, replaces: bool) -> Handled:
    if not bearer(request.headers):
        raise _RefusedError("An access token is required to request this resource.", _BAD_TOKEN)
    body = fields(loads(request.content))
    payload = body.get("payload")
    if not isinstance(payload, dict):
        raise _RefusedError("(#100) The parameter payload is required")
    schema, rows = _table(payload)
    if len(rows) > ENTRIES:
        raise _RefusedError("(#100) More than 10000 users in one request")
    entries = [
        entry
        for at, row in enumerate(rows)
        if at not in request.invalid and (entry := _entry(schema, row, raw=bool(payload.get("is_raw")))) is not None
    ]
    answer = {
        "audience_id": audience_id,
        "session_id": _session(body.get("session"), request.content),
        "num_received": len(rows),
        "num_invalid_entries": len(rows) - len(entries),
        "invalid_entry_samples": {},
    }
    kind: EffectKind = "add" if request.method == "POST" else "remove"
    if replaces and fields(body.get("session") or {}).get("batch_seq") == 1:  # here at once, there with the last one
        kind = "replace"
    return Handled(json_reply(200, answer), "meta", (Effect(kind, audience_id, entries),), len(rows))


def _table(payload: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """The fields and the rows of a payload, whether it has several fields or one."""
    schema, data = payload.get("schema"), payload.get("data")
    if not isinstance(data, list):
        raise _RefusedError("(#100) The parameter payload[data] is required")
    if isinstance(schema, str) and schema in SINGLE:
        return [SINGLE[schema]], [one if isinstance(one, list) else [one] for one in data]
    keys = [schema] if isinstance(schema, str) else schema
    if not isinstance(keys, list) or not keys or any(one not in HASHED | PLAIN | OPTIONS for one in keys):
        raise _RefusedError("(#100) Param payload[schema] is not a list of known keys")
    rows = [one if isinstance(one, list) else [one] for one in data]
    if any(len(row) != len(keys) for row in rows):
        raise _RefusedError("(#100) Each row of payload[data] must have one cell per key of the schema")
    return keys, rows


def _entry(schema: list[str], row: list[Any], *, raw: bool) -> Entry | None:
    """The pairs of one row, sorted by field; None if a cell is invalid or nothing identifies anybody."""
    pairs: Entry = []
    for field, cell in zip(schema, row, strict=True):
        if field in OPTIONS or cell == "":
            continue
        if not isinstance(cell, str | int | float) or (field in HASHED and not raw and not _HEX.fullmatch(str(cell))):
            return None
        pairs.append([field, str(cell)])
    return sorted(pairs) if any(field != "LOOKALIKE_VALUE" for field, _ in pairs) else None


def _session(session: object, content: bytes) -> str:
    """The caller's session id, checked; without a session one made from the body."""
    if session is None:
        return str(int.from_bytes(hashlib.sha256(content).digest()[:7], "big"))
    given = fields(session)
    numbers = (given.get("session_id"), given.get("batch_seq"))
    if not all(map(_whole, numbers)) or not isinstance(given.get("last_batch_flag"), bool):
        raise _RefusedError("(#100) Param session must have session_id, batch_seq and last_batch_flag")
    return str(given["session_id"])


def _whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**63
