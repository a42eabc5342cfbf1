"""A team is told once that a sync has gone wrong, and once that it goes again: whichever machine finds it out."""

import hashlib
import hmac
import http.server
import json
import threading

import pytest

from personas_kit.checks import check_workspace
from personas_kit.config import load
from personas_kit.errors import PersonasError
from personas_kit.sandbox import Sandbox
from tests import small

NOTIFY = """
[notify]
slack = { file = "slack.txt" }
webhook = { file = "webhook.txt" }
secret = { file = "secret.txt" }
"""
ALL = [f"u{number}" for number in range(300)]


class Channel(http.server.ThreadingHTTPServer):
    """Notes what it is sent, and answers with a status."""

    def __init__(self):
        self.status, self.messages = 200, []
        super().__init__(("127.0.0.1", 0), _Answers)

    def texts(self):
        return [json.loads(body)["text"] for path, _, body in self.messages if path.startswith("/slack")]

    def changes(self):
        return [json.loads(body)["changes"] for path, _, body in self.messages if path.startswith("/own")]


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append((self.path, dict(self.headers), body))
        said = b"a body that nobody repeats"
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


@pytest.fixture
def channel():
    server = Channel()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["folder", "warehouse"])
def folder(request, tmp_path, channel):
    with Sandbox() as sandbox:
        small.make(tmp_path, sandbox.url, ALL)
        file = tmp_path / "personas.toml"
        text = file.read_text(encoding="utf-8")
        start, stop = text.index('    { destination = "analytics"'), text.index('    { destination = "ads"')
        text = text[:start] + text[stop:] + NOTIFY
        if request.param == "warehouse":
            text = text.replace("[source]", '[state]\nstore = "warehouse"\n\n[source]')
        file.write_text(text, encoding="utf-8")
        address = f"http://127.0.0.1:{channel.server_port}"
        (tmp_path / "slack.txt").write_text(f"{address}/slack/T0/hidden\n", encoding="utf-8")
        (tmp_path / "webhook.txt").write_text(f"{address}/own", encoding="utf-8")
        (tmp_path / "secret.txt").write_text("the key", encoding="utf-8")
        yield tmp_path


def run(folder, **how):
    """A run on another machine, each time."""
    workspace = small.opened(folder)
    done = workspace.run(approve="guards", **how)
    workspace.close()
    return done


def test_a_change_of_state_is_told_once_and_so_is_the_recovery(folder, channel):
    run(folder)
    first = channel.texts()
    run(folder)
    run(folder, override=["first_sync"])
    recovered = channel.texts()[len(first) :]
    run(folder)

    assert len(channel.texts()) == len(channel.changes()) == 2
    assert "vips -&gt; ads (list, 1)" in first[0]
    assert "blocked: stopped by first_sync: a first push of 300 changes" in first[0]
    assert "`personas push vips --to ads --override first_sync`" in first[0]
    assert [text.startswith(":white_check_mark:") for text in recovered] == [True]
    assert "goes again, where it was blocked; 300 acknowledged" in recovered[0]


def test_another_guard_is_another_state(folder, channel):
    run(folder, override=["first_sync"], as_of="2026-11-01T12:00Z")
    small.set_vips(folder, ALL[:100])
    blocked = run(folder, as_of="2026-11-01T14:00Z")

    assert [line.did for line in blocked.lines] == ["blocked"]
    assert [(each["state"], each["guards"]) for (each,) in channel.changes()] == [("blocked", ["removals"])]


def test_what_is_told_is_documented_signed_and_about_nobody(folder, channel):
    run(folder)

    ((_, headers, body),) = [message for message in channel.messages if message[0] == "/own"]
    (change,) = json.loads(body)["changes"]
    assert headers["X-Signature"] == "sha256=" + hmac.new(b"the key", body, hashlib.sha256).hexdigest()
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert (change["key"], change["destination"], change["call"]) == ("vips", "ads", "list")
    assert (change["state"], change["was"], change["guards"]) == ("blocked", "ok", ["first_sync"])
    assert change["command"] == "personas push vips --to ads --override first_sync"
    everything = b"".join(body for *_, body in channel.messages)
    assert not [user for user in ALL if user.encode() in everything]
    assert b"example.com" not in everything


def test_who_could_not_be_told_is_told_by_the_next_run(folder, channel):
    channel.status = 404
    failed = run(folder)
    channel.status = 200
    again = run(folder)
    quiet = run(folder)

    assert [said.split(":")[0] for said in failed.notified] == [
        "slack was not told (status 404)", "webhook was not told (status 404)",
    ]  # fmt: skip
    assert failed.ended == again.ended == "blocked"  # by its guard, and by nothing else
    assert again.notified == (
        "slack was told: vips -> ads (list, 1) is blocked",
        "webhook was told: vips -> ads (list, 1) is blocked",
    )
    assert quiet.notified == ()
    assert len(channel.texts()) == 2


def test_the_channel_that_was_told_is_not_told_again_for_the_sake_of_the_other(folder, channel):
    (folder / "webhook.txt").unlink()
    run(folder)
    (folder / "webhook.txt").write_text(f"http://127.0.0.1:{channel.server_port}/own", encoding="utf-8")
    run(folder)

    assert (len(channel.texts()), len(channel.changes())) == (1, 1)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "missing or empty"),
        ("https://10.0.0.1/hook", "inside a private network"),
        ("http://example.com/hidden", "plain http goes to this machine only"),
        ("not an address", "not an address of the form"),
        ("http://169.254.169.254/hidden", "plain http"),
        ("http://127.0.0.1:1024/hidden", "no connection"),
    ],
)
def test_an_address_that_is_not_allowed_or_not_there_fails_nothing(tmp_path, address, said):
    with Sandbox() as sandbox:
        small.make(tmp_path, sandbox.url, ALL[:2])
        with (tmp_path / "personas.toml").open("a", encoding="utf-8") as file:
            file.write('[notify]\nslack = { file = "slack.txt" }\n')
        (tmp_path / "slack.txt").write_text(address, encoding="utf-8")

        done = run(tmp_path)

    (line,) = done.notified
    assert line.startswith("slack was not told (")
    assert said in line
    assert line.endswith("the next run tries again")
    assert "hidden" not in line
    assert done.ended == "blocked"


def test_while_another_run_tells_nothing_is_told_twice(folder, channel):
    from personas_kit.notifying import TELLS

    teller = small.opened(folder)
    with teller.store.lock(TELLS):
        done = run(folder)
    teller.close()

    assert (channel.messages, len(done.notified)) == ([], 1)
    assert "another run tells" in done.notified[0]


def test_check_says_whether_the_addresses_are_there_and_sends_nothing(folder, channel):
    (folder / "slack.txt").unlink()

    found = {each.what: each for each in check_workspace(folder)}

    assert (found["notify slack"].level, found["notify webhook"].level) == ("wrong", "right")
    assert "slack.txt" in found["notify slack"].message
    assert channel.messages == []


@pytest.mark.parametrize(
    ("block", "place", "said"),
    [
        ("[notify]", "notify", "nobody is named"),
        ('[notify]\nslack = "https://hooks.slack.com/hunter2"', "notify.slack", "never written down here"),
        ('[notify]\nslck = { env = "A" }', "notify.slck", "did you mean 'slack'"),
        ('[notify]\nslack = { envv = "A" }', "notify.slack", "env"),
        ('[notify]\nslack = { env = "A" }\nsecret = { env = "B" }', "notify.secret", "there is none"),
        ('[notify]\nslack = { env = "A" }\nallow_private = "yes"', "notify.allow_private", "boolean"),
    ],
)
def test_a_mistake_in_the_file_is_said_with_its_place(tmp_path, block, place, said):
    small.make(tmp_path, "http://127.0.0.1:9999", [])
    with (tmp_path / "personas.toml").open("a", encoding="utf-8") as file:
        file.write(block)

    with pytest.raises(PersonasError) as wrong:
        load(tmp_path / "personas.toml")

    assert place in wrong.value.where
    assert said in str(wrong.value)
    assert "hunter2" not in str(wrong.value)
