"""An emulator of Snowflake on loopback, for the real connector: fakesnow behind what its answers lack.

Run by ``emulator.py`` in an environment of its own (``requirements.txt``), never imported by the tests::

    python server.py        # prints the port it listens on; ends when its standard input closes

fakesnow 0.12.1 runs Snowflake's SQL on DuckDB and speaks the protocol of connector 4. Connector 5 asks for more, and
the tests want a few answers that fakesnow never gives. What is added, each where it is done:

1. a login answer with a master token and validities; the wrong password is refused;
2. what fakesnow does not support is an SQL error, not HTTP 500, which the connector would retry for minutes;
3. a missing timestamp is missing, not a struct of missing parts;
4. decimals and floats are bound as numbers;
5. ``ALTER SESSION``, ``DROP STAGE`` and the connector's telemetry are accepted and do nothing;
6. a statement may say how it is to be answered: ``SELECT 1 /* answer 000606 57P03: No active warehouse ... */``;
7. statements that are not waited for: their state, their answer, and their end by ``abort-request``;
8. one that says ``/* wait */`` runs until it is aborted, or for as long as the session's time-out allows; of one that
   says ``/* cut */`` half of the answer gets lost;
9. a file that is put to a stage finds its way;
10. ``EXPLAIN USING JSON`` has the shape that Snowflake documents, with figures that the statement gives as
   ``/* reads 1200 in 3 of 40 */``;
11. ``/emulator/log`` tells what was asked, ``/emulator/expire`` ends all sessions.

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
import uuid
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
DROP_STAGE = re.compile(r"\s*drop\s+stage\b", re.IGNORECASE)
SCRIPTED = re.compile(r"/\* answer (?P<code>\d{6}) (?P<state>\w{5}): (?P<message>.*?) \*/", re.DOTALL)

EXPLAIN = re.compile(r"\s*explain\s+using\s+json\b", re.IGNORECASE)
READS = re.compile(r"/\* reads (?P<bytes>\d+) in (?P<assigned>\d+) of (?P<total>\d+) \*/")
QUERY = re.compile(r"^/(?:monitoring/)?queries/(?P<id>[0-9a-f-]{36})(?:/(?P<what>\w[\w-]*))?$")
IN_PROGRESS = "333334"

#: Statements that nobody waits for, by their id; and what ends those that wait.
running: dict[str, asyncio.Task[tuple[int, dict[str, Any]]]] = {}
aborted: dict[str, asyncio.Event] = {}
#: The session's time-out in seconds; there is one session that has any.
timeout: dict[str, float] = {}

#: What was asked since the last look: logins with their session parameters, statements with their tag.
log: list[dict[str, Any]] = []


# ---------------------------------------------------------------------------------------------------- the application


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        await fakesnow.server.app(scope, receive, send)
        return
    body = await read(receive)
    if dict(scope["headers"]).get(b"content-encoding") == b"gzip":
        body = gzip.decompress(body)
    await respond(send, *await answered(scope, scope["path"].replace("//", "/"), body))


async def answered(scope: Message, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """From here where fakesnow would not do, else from fakesnow with the answer completed."""
    if path.startswith("/session/v1/login-request"):
        return await login(scope, path, json.loads(body))
    if path == "/queries/v1/query-request":
        asked = json.loads(body)
        return (200, started(scope, path, asked)) if asked.get("asyncExec") else await query(scope, path, asked)
    if (which := QUERY.match(path)) and which["id"] in running:
        return await followed(which["id"], "state" if path.startswith("/monitoring") else which["what"])
    if path == "/session/token-request":
        return 200, failure("390114", "08001", "Authentication token has expired.")
    if path.startswith("/telemetry"):
        return 200, SUCCESS
    if path == "/emulator/log":
        said, log[:] = log.copy(), []
        return 200, {"log": said}
    if path == "/emulator/expire":
        fakesnow.server.sessions.clear()
        return 200, SUCCESS
    return await ask(scope, path, body)


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
    timeout["seconds"] = float(parameters.get("STATEMENT_TIMEOUT_IN_SECONDS") or 0)
    status, answer = await ask(scope, path, json.dumps(asked).encode())
    session = answer["data"]
    session |= {"masterToken": session["token"], "validityInSeconds": 3600, "masterValidityInSeconds": 14400}
    session |= {"sessionId": 1, "displayUserName": data.get("LOGIN_NAME")}
    session["sessionInfo"] |= {"warehouseName": None, "roleName": "SYSADMIN"}
    return status, answer


def started(scope: Message, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The id of a statement that runs while nobody waits for it."""
    query_id = str(uuid.uuid4())
    aborted[query_id] = asyncio.Event()
    running[query_id] = asyncio.create_task(query(scope, path, {**asked, "asyncExec": False, "id": query_id}))
    data = {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result", "queryAbortsAfterSecs": 300}
    return {"data": data, "code": IN_PROGRESS, "message": "Query execution in progress.", "success": True}


async def followed(query_id: str, what: str | None) -> tuple[int, dict[str, Any]]:
    """The state of such a statement, its answer, or its end."""
    task = running[query_id]
    if what == "abort-request":
        log.append({"aborted": query_id})
        aborted[query_id].set()
        return 200, SUCCESS
    if what == "result":
        return await task
    if not task.done():
        return 200, {"data": {"queries": [{"id": query_id, "status": "RUNNING"}]}, "success": True}
    _, answer = task.result()
    state: dict[str, Any] = {"id": query_id, "status": "SUCCESS"}
    if not answer.get("success"):
        state |= {"status": "FAILED_WITH_ERROR", "errorCode": answer["code"], "errorMessage": answer["message"]}
    return 200, {"data": {"queries": [state]}, "success": True}


async def query(scope: Message, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The result of a statement, or the error that it is scripted to give."""
    statement = asked.get("sqlText", "")
    query_id = asked.pop("id", "")
    log.append({"sql": statement, "tag": (asked.get("parameters") or {}).get("QUERY_TAG")})
    if scripted := SCRIPTED.search(statement):
        return 200, failure(scripted["code"], scripted["state"], scripted["message"])
    if "/* wait */" in statement:
        return 200, await waited(query_id)
    if ALTER_SESSION.match(statement) or DROP_STAGE.match(statement):
        asked["sqlText"] = "SELECT 'Statement executed successfully.' AS status"
    if EXPLAIN.match(statement):
        asked |= {"sqlText": f"SELECT '{explained(statement)}' AS content", "bindings": None}
    status, answer = await ask(scope, path, json.dumps(asked).encode())
    if status == 500:
        return 200, failure("000002", "0A000", f"Unsupported feature: {str(answer.get('message', ''))[:300]}")
    if answer.get("success") and "stageInfo" in answer["data"]:
        uploadable(answer["data"]["stageInfo"])
    if "/* cut */" in statement:
        content = answer["data"]["rowsetBase64"]
        answer["data"]["rowsetBase64"] = content[: len(content) // 8 * 4]
    if answer.get("success"):
        answer["data"].setdefault("returned", answer["data"].get("total", 0))
        answer["data"].setdefault("numberOfBinds", len(asked.get("bindings") or {}))
    return status, answer


def uploadable(stage: dict[str, Any]) -> None:
    """Where a file goes: connector 5 wants a region, a path, and to know which headers the address is signed for."""
    stage |= {"region": "US_CENTRAL1", "path": ""}
    if "presignedUrl" in stage:
        signed = ("host", "x-goog-if-generation-match", "x-goog-meta-encryptiondata", "x-goog-meta-matdesc")
        stage["presignedUrl"] += "?X-Goog-SignedHeaders=" + "%3B".join([*signed, "x-goog-meta-sfc-digest"])


async def waited(query_id: str) -> dict[str, Any]:
    """How a statement ends that never would by itself."""
    try:
        await asyncio.wait_for(aborted[query_id].wait(), timeout=timeout.get("seconds") or 60)
    except TimeoutError:
        limit = f"{timeout['seconds']:.0f} second(s)"
        words = f"Statement reached its statement or warehouse timeout of {limit} and was canceled."
        return failure("000630", "57014", words)
    return failure("000604", "57014", "SQL execution canceled")


def explained(statement: str) -> str:
    """What EXPLAIN says. https://docs.snowflake.com/en/sql-reference/sql/explain, read 2026-11-23."""
    found = READS.search(statement)
    figures = {"partitionsTotal": 0, "partitionsAssigned": 0, "bytesAssigned": 0}
    if found:
        figures = dict(zip(figures, (int(found[name]) for name in ("total", "assigned", "bytes")), strict=True))
    return json.dumps({"GlobalStats": figures, "Operations": [[{"id": 0, "operation": "Result"}]]})


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
