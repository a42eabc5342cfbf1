"""An emulator of Snowflake on loopback, for the real connector: fakesnow behind what its answers lack.

Run by ``emulator.py`` in an environment of its own (``requirements.txt``), never imported by the tests::

    python server.py        # prints the port it listens on; ends when its standard input closes

fakesnow 0.12.1 runs Snowflake's SQL on DuckDB and speaks the protocol of connector 4. Connector 5 asks for more, and
the tests want a few answers that fakesnow never gives. What is added, each where it is done:

1. a login answer with a master token and validities; the wrong password is refused;
2. what fakesnow does not support is an SQL error, not HTTP 500, which the connector would retry for minutes;
3. a missing timestamp is missing, not a struct of missing parts;
4. decimals and floats are bound as numbers;
5. ``ALTER SESSION`` and the connector's telemetry are accepted and do nothing;
6. a statement may say how it is to be answered: ``SELECT 1 /* answer 000606 57P03: No active warehouse ... */``;
7. one that says ``/* wait */`` runs until the session's queries are cancelled;
8. ``/emulator/log`` tells what was asked, ``/emulator/expire`` ends all sessions.

It is laxer than Snowflake: quoted lower-case names match upper-case ones, an ``ARRAY`` arrives as ``VARIANT``, grants,
warehouses and time zones of the session mean nothing. It covers protocol and syntax, no more.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import re
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from decimal import Decimal
from typing import Any

import fakesnow.server
import pyarrow as pa
import pyarrow.compute as pc
import uvicorn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PASSWORD = "correct horse"
SUCCESS = {"data": None, "code": None, "message": None, "success": True}
ALTER_SESSION = re.compile(r"\s*alter\s+session\s+(set|unset)\b", re.IGNORECASE)
SCRIPTED = re.compile(r"/\* answer (?P<code>\d{6}) (?P<state>\w{5}): (?P<message>.*?) \*/", re.DOTALL)

CANCEL = "SYSTEM$CANCEL_ALL_QUERIES(1)"
cancelled = asyncio.Event()

#: What was asked since the last look: logins with their session parameters, statements with their tag.
log: list[dict[str, Any]] = []


# ---------------------------------------------------------------------------------------------------- the application


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answer one request: from here where fakesnow would not do, else from fakesnow with the answer completed."""
    if scope["type"] != "http":
        await fakesnow.server.app(scope, receive, send)
        return
    path = scope["path"].replace("//", "/")
    body = await read(receive)
    if dict(scope["headers"]).get(b"content-encoding") == b"gzip":
        body = gzip.decompress(body)
    if path.startswith("/session/v1/login-request"):
        status, answer = await login(scope, path, json.loads(body))
    elif path == "/queries/v1/query-request":
        status, answer = await query(scope, path, json.loads(body))
    elif path == "/session/token-request":
        status, answer = 200, failure("390114", "08001", "Authentication token has expired.")
    elif path.startswith("/telemetry"):
        status, answer = 200, SUCCESS
    elif path == "/emulator/log":
        status, answer = 200, {"log": log.copy()}
        log.clear()
    elif path == "/emulator/expire":
        fakesnow.server.sessions.clear()
        status, answer = 200, SUCCESS
    else:
        status, answer = await ask(scope, path, body)
    await respond(send, status, answer)


async def login(scope: Message, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """A session; connector 5 needs a master token and how long the tokens are valid."""
    data = asked["data"]
    parameters = data.setdefault("SESSION_PARAMETERS", {})
    log.append(
        {
            "login": {key: value for key, value in data.items() if key != "PASSWORD"},
            "query": scope["query_string"].decode(),
        }
    )
    if data.get("PASSWORD") != PASSWORD:
        return 200, failure("390100", "08001", "Incorrect username or password was specified.")
    if isinstance(parameters.get("AUTOCOMMIT"), str):  # the text "false" would count as true
        parameters["AUTOCOMMIT"] = parameters["AUTOCOMMIT"].lower() != "false"
    status, answer = await ask(scope, path, json.dumps(asked).encode())
    session = answer["data"]
    session |= {"masterToken": session["token"], "validityInSeconds": 3600, "masterValidityInSeconds": 14400}
    session |= {"sessionId": 1, "displayUserName": data.get("LOGIN_NAME")}
    session["sessionInfo"] |= {"warehouseName": None, "roleName": "SYSADMIN"}
    return status, answer


async def query(scope: Message, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The result of a statement, or the error that it is scripted to give."""
    statement = asked.get("sqlText", "")
    log.append({"sql": statement, "tag": (asked.get("parameters") or {}).get("QUERY_TAG")})
    if scripted := SCRIPTED.search(statement):
        return 200, failure(scripted["code"], scripted["state"], scripted["message"])
    if "/* wait */" in statement:
        await asyncio.wait_for(cancelled.wait(), timeout=60)
        cancelled.clear()
        return 200, failure("000604", "57014", "SQL execution canceled")
    if CANCEL in statement:
        cancelled.set()
    if CANCEL in statement or ALTER_SESSION.match(statement):
        asked["sqlText"] = "SELECT 'Statement executed successfully.' AS status"
    status, answer = await ask(scope, path, json.dumps(asked).encode())
    if status == 500:
        return 200, failure("000002", "0A000", f"Unsupported feature: {str(answer.get('message', ''))[:300]}")
    if answer.get("success"):
        answer["data"].setdefault("returned", answer["data"].get("total", 0))
        answer["data"].setdefault("numberOfBinds", len(asked.get("bindings") or {}))
    return status, answer


def failure(code: str, state: str, message: str) -> dict[str, Any]:
    """An error as Snowflake words it."""
    return {"data": {"errorCode": code, "sqlState": state}, "code": code, "message": message, "success": False}


# ---------------------------------------------------------------------------------------------------------- transport


async def read(receive: Receive) -> bytes:
    """The whole body of a request."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def ask(scope: Message, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Fakesnow's answer to this body; an exception of its own is an answer of status 500."""
    dropped = {b"content-encoding", b"content-length"}
    headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
    headers.append((b"content-length", str(len(body)).encode()))
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    inner = {**scope, "path": path, "raw_path": path.encode(), "headers": headers}
    try:
        await fakesnow.server.app(inner, receive, send)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client is to learn of it at once
        return 500, {"message": f"{type(error).__name__}: {error}"}
    content = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], json.loads(content or b"{}")


async def respond(send: Send, status: int, answer: dict[str, Any]) -> None:
    """Send a JSON answer."""
    content = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


# ------------------------------------------------------------------------------------------------- values of fakesnow


def number_aware(convert: Callable[[dict[str, str]], Any]) -> Callable[[dict[str, str]], Any]:
    """Bind decimals and floats as numbers; fakesnow takes every number for a whole one and floats for text."""

    def converted(binding: dict[str, str]) -> Any:
        if binding["value"] is not None and binding["type"] == "FIXED" and "." in binding["value"]:
            return Decimal(binding["value"])
        if binding["value"] is not None and binding["type"] == "REAL":
            return float(binding["value"])
        return convert(binding)

    return converted


def null_aware(to_arrow: Callable[[pa.Table, Any], pa.Table]) -> Callable[[pa.Table, Any], pa.Table]:
    """Make a timestamp without parts a missing timestamp."""

    def converted(table: pa.Table, types: Any) -> pa.Table:
        sent = to_arrow(table, types)
        for position, field in enumerate(sent.schema):
            if pa.types.is_struct(field.type) and field.type.get_field_index("epoch") >= 0:
                sent = sent.set_column(position, field, whole(sent.column(position)))
        return sent

    return converted


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column of structs that are missing where their first part is."""
    structs = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    parts = structs.flatten()
    filled = [pc.fill_null(part, 0) for part in parts]
    return pa.StructArray.from_arrays(filled, fields=list(structs.type), mask=pc.is_null(parts[0]))


def main() -> None:
    """Listen on a free port of loopback until standard input closes."""
    fakesnow.server.from_binding = number_aware(fakesnow.server.from_binding)
    fakesnow.server.to_sf = null_aware(fakesnow.server.to_sf)
    logging.getLogger("fakesnow.server").setLevel(logging.CRITICAL)  # errors reach the client, where they are looked at
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))

        def end_with_parent() -> None:
            sys.stdin.read()
            server.should_exit = True

        threading.Thread(target=end_with_parent, daemon=True).start()
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        server.run(sockets=[listening])


if __name__ == "__main__":
    main()
