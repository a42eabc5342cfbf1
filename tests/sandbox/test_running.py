"""Starting, stopping, surviving and showing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from personas_kit.errors import ConfigError, StateError, UnknownName
from personas_kit.sandbox import Fault, Received, Sandbox, serve

KEY = ("made_up", "")
TRACK = {"type": "track", "userId": "u_1", "messageId": "m1", "event": "Signed In"}


def post(url: str, path: str, body: object) -> httpx.Response:
    return httpx.post(url + path, auth=KEY, json=body, trust_env=False)


def test_what_was_applied_survives_and_is_deduplicated_by_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sandbox.sqlite"
    # given a run that applied a batch and answered nothing
    with Sandbox(path=path) as first:
        first.fail(Fault(kind="drop", applied=True))
        with pytest.raises(httpx.TransportError):
            post(
                first.url, "/v1/batch", {"batch": [TRACK, {"type": "identify", "userId": "u_1", "traits": {"a": None}}]}
            )
        post(first.url, "/webhook", {"a": 1})
        before = first.summary()
    # when another one starts on the same file, and the batch is sent again
    with Sandbox(path=path) as second:
        assert second.summary() == before
        post(second.url, "/v1/batch", {"batch": [TRACK]})
        # then it counts once, and anybody may read that meanwhile
        assert len(second.events()) == 1
        while_running = Received.read(path)
    assert while_running.duplicates == {"m1": 1}
    assert while_running.users() == {"u_1": {"a": None}}
    assert [one.content for one in while_running.requests] == [b"", b'{"a":1}', b""]
    assert [one.name for one in path.parent.iterdir()] == ["sandbox.sqlite"]


def test_another_process_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    code = (
        "import sys; from pathlib import Path; from personas_kit.sandbox import Received; "
        "print(Received.read(Path(sys.argv[1])).users())"
    )
    with Sandbox(path=path) as sandbox:
        post(sandbox.url, "/v1/identify", {"userId": "u_1", "traits": {"a": 1}})
        read = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert read.stdout.strip() == "{'u_1': {'a': 1}}"


def test_what_was_received_can_be_read_after_the_end() -> None:
    with Sandbox() as sandbox:
        post(sandbox.url, "/v1/batch", {"batch": [TRACK]})
    assert len(sandbox.events("segment")) == 1
    assert sandbox.events("amplitude") == []
    with pytest.raises(UnknownName, match="'segmint'"):
        sandbox.events("segmint")


def test_an_idle_connection_and_a_late_answer_do_not_hold_up_the_end() -> None:
    with httpx.Client(trust_env=False) as client:
        with Sandbox() as sandbox:
            client.get(sandbox.url)
            sandbox.fail(Fault(kind="delay", seconds=600))
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{sandbox.url}/webhook", json={}, trust_env=False, timeout=0.2)
        with pytest.raises(httpx.TransportError):
            client.get(sandbox.url)


def test_a_sandbox_that_never_started_can_be_closed() -> None:
    Sandbox().close()


def test_a_port_that_is_taken_is_said_so() -> None:
    with Sandbox() as sandbox, pytest.raises(ConfigError, match=f"port {sandbox.port}"):
        Sandbox(port=sandbox.port)


@pytest.mark.parametrize("content", [b"not a database, but long enough to look like a page of one" * 20])
def test_a_foreign_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    for look in (lambda: Sandbox(path=path), lambda: Received.read(path)):
        with pytest.raises(StateError, match=r"no journal of a sandbox"):
            look()
    assert path.read_bytes() == content


@pytest.mark.parametrize("path", [".", "file/journal"])
def test_where_no_file_can_be_is_said(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StateError, match="cannot be opened"):
        Sandbox(path=tmp_path / path)


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("pragma user_version=99")
    connection.close()
    with pytest.raises(StateError, match="newer version"):
        Sandbox(path=path)
    with pytest.raises(StateError, match="newer version"):
        Received.read(path)


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="there is no journal"):
        Received.read(tmp_path / "nothing.sqlite")


def test_serve_announces_what_arrives_until_interrupted() -> None:
    lines: list[str] = []

    def announce(line: str) -> None:
        lines.append(line)
        if len(lines) == 1:
            url = line.split()[2].rstrip("/")
            post(url, "/v1/batch", {"batch": [TRACK, TRACK]})
        if len(lines) == 2:
            raise KeyboardInterrupt

    serve(0, announce=announce)
    assert "POST  /v1/batch  200  2 items  1 seen before" in lines[1]
    assert lines[2] == "1 requests, 2 items"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


def test_the_page_shows_what_arrived_and_nothing_runs_in_it(sandbox: Sandbox, client: httpx.Client) -> None:
    evil = "<script>alert(1)</script>\u202e\x00"
    post(
        sandbox.url,
        "/v1/batch",
        {"batch": [{"type": "identify", "userId": evil, "traits": {evil: evil}}, {**TRACK, "event": evil}]},
    )
    answer = client.get("/")
    tags = _Tags()
    tags.feed(answer.text)
    assert tags.seen <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "p",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\u0000" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_empty_page_says_so(client: httpx.Client) -> None:
    assert "Nothing was applied yet." in client.get("/").text


def test_it_needs_only_the_standard_library() -> None:
    missing = "import sys; sys.modules.update(dict.fromkeys(['polars', 'httpx', 'pydantic', 'duckdb', 'numpy']));"
    code = f"{missing} import personas_kit.sandbox"
    subprocess.run([sys.executable, "-c", code], check=True)
